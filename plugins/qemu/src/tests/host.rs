//! A host that answers at once and remembers everything.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use kiln_sdk::{
    Answer, Artifact, BuildInfo, Builder, Event, Failure, HostLink, RunContext, Severity, Value,
    Verdict, decode,
};
use tokio_util::sync::CancellationToken;

use crate::builder::Qemu;
use crate::config::QemuConfig;
use crate::driver::Driver;

/// What happened in a build, as the host saw it.
#[derive(Default)]
struct Seen {
    said: Vec<String>,
    announced: usize,
    released: usize,
    generated: Value,
}

/// A host, and a folder for everything a build makes.
pub(super) struct Host {
    folder: tempfile::TempDir,
    seen: Arc<Mutex<Seen>>,
    cancel: CancellationToken,
    verdict: Verdict,
    /// Cancels the run when a line begins with this.
    cancel_at: Option<&'static str>,
    force: bool,
}

impl Host {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            seen: Arc::default(),
            cancel: CancellationToken::new(),
            verdict: Verdict::Provisioned,
            cancel_at: None,
            force: false,
        }
    }

    pub(super) fn verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = verdict;
        self
    }

    pub(super) fn cancel_at(mut self, line: &'static str) -> Self {
        self.cancel_at = Some(line);
        self
    }

    pub(super) fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// A path in the folder.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn output(&self) -> PathBuf {
        self.path("out")
    }

    fn build(&self) -> BuildInfo {
        BuildInfo {
            name: "qemu.test".into(),
            source_name: "test".into(),
            builder_type: "qemu".into(),
            run_uuid: "uuid".into(),
            force: self.force,
            cache_dir: self.path("cache"),
            run_dir: self.path("run"),
            ..BuildInfo::default()
        }
    }

    /// Runs a build of a template with `options`.
    pub(super) async fn run<D: Driver>(
        &self,
        driver: D,
        options: &[(&str, Value)],
    ) -> Result<Artifact, Failure> {
        let mut value: Value = [
            ("iso_checksum", Value::from("none")),
            (
                "iso_url",
                self.path("image.iso").display().to_string().into(),
            ),
            ("communicator", "none".into()),
            ("boot_wait", "-1s".into()),
            ("accelerator", "tcg".into()),
            ("headless", true.into()),
            ("vm_name", "vm".into()),
            (
                "output_directory",
                self.output().display().to_string().into(),
            ),
        ]
        .into_iter()
        .collect();
        for (name, option) in options {
            value.insert(*name, option.clone());
        }
        std::fs::create_dir_all(self.path("run")).expect("folder is made");
        if !self.path("image.iso").exists() {
            std::fs::write(self.path("image.iso"), "image").expect("written");
        }
        let (mut config, _) = decode::<QemuConfig>(&value).expect("the options decode");
        let builder = Qemu::new(driver);
        let prepared = builder.prepare(&mut config, &self.build());
        let errors: Vec<_> = prepared
            .diagnostics
            .iter()
            .filter(|it| it.severity == Severity::Error)
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
        let result = builder.run(self.context(), config).await;
        result.map(|artifact| artifact.expect("a build has an artifact"))
    }

    /// Lines shown so far.
    pub(super) fn said(&self) -> Vec<String> {
        self.seen.lock().expect("not poisoned").said.clone()
    }

    /// The values the builder reported.
    pub(super) fn generated(&self) -> Value {
        self.seen.lock().expect("not poisoned").generated.clone()
    }

    /// Checks that nothing is on record any more and that no private file is left.
    pub(super) async fn check_clean(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let seen = self.seen.lock().expect("not poisoned");
        assert!(seen.announced > 0);
        assert_eq!(seen.announced, seen.released, "resources stay on record");
        let left: Vec<_> = std::fs::read_dir(self.path("run"))
            .expect("readable")
            .map(|entry| entry.expect("readable").file_name())
            .filter(|name| name != "evidence")
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    fn context(&self) -> RunContext {
        let (link, mut events) = HostLink::new();
        let (seen, cancel) = (Arc::clone(&self.seen), self.cancel.clone());
        let (verdict, cancel_at) = (self.verdict.clone(), self.cancel_at);
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                let mut seen = seen.lock().expect("not poisoned");
                match event {
                    Event::Ui(_, text) => {
                        if cancel_at.is_some_and(|line| text.starts_with(line)) {
                            cancel.cancel();
                        }
                        seen.said.push(text);
                    }
                    Event::Created(_, _, reply) => {
                        seen.announced += 1;
                        reply.send(()).expect("somebody waits");
                    }
                    Event::Released(_) => seen.released += 1,
                    Event::Ready(ready, reply) => {
                        seen.generated = ready.generated;
                        reply.send(verdict.clone()).expect("somebody waits");
                    }
                    Event::CleanupProvision(_, reply) => {
                        reply.send(Verdict::Provisioned).expect("somebody waits");
                    }
                    Event::Pause(_, _, reply) => {
                        reply.send(Answer::Unattended).expect("somebody waits");
                    }
                    _ => {}
                }
            }
        });
        RunContext::new(link, self.cancel.clone(), self.build())
    }
}
