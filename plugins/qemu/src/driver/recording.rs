//! Programs that only write down what they are asked to do.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::output::Tail;
use super::{Driver, DriverError, Ended, Machine, Service, Version};
use crate::config::Accelerator;

/// What the programs do instead of working.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recording {
    pub(crate) calls: Arc<Mutex<Vec<Vec<String>>>>,
    /// How the machine ends by itself; it runs until it is killed without.
    pub(crate) end: Option<Ended>,
    /// What it prints before that.
    pub(crate) last_words: String,
    /// Answers of `qemu-img` that are failures, by the verb, used once each.
    pub(crate) failures: Arc<Mutex<Vec<(String, String)>>>,
}

impl Recording {
    /// Everything that was run so far: programs with their arguments.
    pub(crate) fn calls(&self) -> Vec<Vec<String>> {
        self.calls.lock().expect("not poisoned").clone()
    }

    /// The calls of `program`, arguments joined with spaces.
    pub(crate) fn calls_of(&self, program: &str) -> Vec<String> {
        let calls = self.calls();
        calls
            .iter()
            .filter(|call| call[0] == program)
            .map(|call| call[1..].join(" "))
            .collect()
    }

    fn record(&self, program: &str, arguments: &[String]) {
        let mut call = vec![program.to_owned()];
        call.extend_from_slice(arguments);
        self.calls.lock().expect("not poisoned").push(call);
    }
}

impl Driver for Recording {
    async fn version(&self, _program: &str) -> Result<Version, DriverError> {
        Ok(Version {
            major: 7,
            text: "7.2.0".into(),
        })
    }

    async fn accelerates(&self, _program: &str, _accelerator: Accelerator) -> bool {
        false
    }

    async fn image_tool(
        &self,
        arguments: &[String],
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<String, DriverError> {
        self.record("qemu-img", arguments);
        progress(100);
        let mut failures = self.failures.lock().expect("not poisoned");
        if let Some(index) = failures.iter().position(|(verb, _)| *verb == arguments[0]) {
            let (_, stderr) = failures.remove(index);
            return Err(DriverError::Failed {
                program: "qemu-img".into(),
                arguments: arguments.join(" "),
                status: "status 1".into(),
                stderr,
            });
        }
        // The disk is the last argument, or the one before the size.
        let disk = match arguments[0].as_str() {
            "convert" => arguments.last(),
            "create" => arguments.iter().rev().nth(1),
            _ => None,
        };
        if let Some(disk) = disk {
            std::fs::write(Path::new(disk), "disk").expect("the output directory is there");
        }
        Ok(r#"{"format":"qcow2"}"#.to_owned())
    }

    async fn start(&self, service: &Service) -> Result<Machine, DriverError> {
        self.record(&service.program, &service.arguments);
        let (tell, ended) = watch::channel(self.end.clone());
        let (kill, tail) = (CancellationToken::new(), Tail::default());
        if !self.last_words.is_empty() {
            tail.push(self.last_words.clone());
        }
        let killed = kill.clone();
        tokio::spawn(async move {
            killed.cancelled().await;
            tell.send_if_modified(|end| {
                let running = end.is_none();
                if running {
                    *end = Some(Ended::Signal(9));
                }
                running
            });
        });
        Ok(Machine::new(None, ended, kill, tail))
    }
}
