//! The provisioner `myplugin`.

use std::sync::Arc;

use kiln_sdk::communicator::{Command, Exit};
use kiln_sdk::{
    BuildInfo, Communicator, Config, Diagnostic, Failure, Prepared, Provisioner as Trait,
    RunContext, Value, run_remote,
};

/// Leaves a greeting in the machine and shows it.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct ProvisionerConfig {
    /// Whom to greet.
    #[config(default = "world")]
    pub(crate) whom: String,
    /// Path of the file in the machine: letters, digits and `/._-`.
    #[config(default = "/tmp/greeting.txt")]
    pub(crate) path: String,
}

/// Leaves a greeting in the machine.
pub(crate) struct Provisioner;

impl Trait for Provisioner {
    type Config = ProvisionerConfig;

    // Checks the options and touches nothing. Every problem is told, with the option it is about.
    fn prepare(&self, config: &mut ProvisionerConfig, _build: &BuildInfo) -> Prepared {
        let mut problems = Vec::new();
        // The path becomes a part of a command, where a shell reads it.
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
        if config.path.is_empty() || !config.path.chars().all(plain) {
            let detail = format!("`{}` has other than letters, digits and `/._-`.", config.path);
            problems.push(Diagnostic::error("Invalid path", detail).on("path"));
        }
        problems.into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: ProvisionerConfig,
        machine: Arc<dyn Communicator>,
        _generated: Value,
    ) -> Result<(), Failure> {
        cx.say(format!("Greeting {}", config.whom)).await;
        let text = format!("hello {}\n", config.whom);
        let command = Command {
            command: format!("tee {}", config.path),
            stdin: Some(Box::new(std::io::Cursor::new(text))),
            ..Command::default()
        };
        // What the command prints appears in the build's output.
        match run_remote(&cx, &*machine, command).await? {
            Exit::Code(0) => Ok(()),
            exit => Err(Failure::new(format!("cannot leave the greeting: {exit:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kiln_sdk::Value;
    use kiln_sdk_test_kit::{FakeHost, Memory, Scripted, contract};

    use super::Provisioner;

    #[tokio::test]
    async fn the_greeting_is_in_the_machine() {
        let machine = Memory::new();
        let options = [("whom", "you")].into_iter().collect();
        let run = FakeHost::new().provision(
            Provisioner,
            options,
            Arc::new(machine.clone()),
            Value::empty_map(),
        );
        run.await.outcome.expect("it succeeds");
        let [command] = &machine.commands()[..] else {
            panic!("one command: {:?}", machine.commands());
        };
        assert_eq!(command.command, "tee /tmp/greeting.txt");
        assert_eq!(&command.stdin[..], b"hello you\n");
    }

    #[tokio::test]
    async fn a_machine_that_refuses_it_is_a_failure() {
        let machine = Memory::new();
        machine.script("tee ", [Scripted::status(1)]);
        let run = FakeHost::new().provision(
            Provisioner,
            Value::empty_map(),
            Arc::new(machine),
            Value::empty_map(),
        );
        let failure = run.await.outcome.expect_err("it fails");
        assert!(failure.message.contains("greeting"), "{failure}");
    }

    #[tokio::test]
    async fn the_contract_holds() {
        contract::check_provisioner(|| Provisioner, Value::empty_map()).await;
    }
}
