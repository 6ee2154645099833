//! Components for tests.

use std::sync::Arc;

use sdk_communicator::{Command, Communicator, Memory};
use sdk_component::{
    Artifact, BuildInfo, Builder, DataSource, Failure, PostProcessed, PostProcessor, Prepared,
    Provisioner, Ready, Resource, RunContext, run_remote,
};
use sdk_config::{Diagnostic, Value};
use sdk_config_derive::Config;

/// A sample.
#[derive(Config, Debug)]
pub(super) struct Options {
    /// What to do.
    #[config(choices("build", "wait", "panic", "panic-early", "warn"))]
    mode: String,
    /// Text.
    text: String,
    /// Old name of `text`.
    #[config(deprecated = "use text")]
    #[expect(dead_code, reason = "only whether it is set matters here")]
    words: String,
}

/// What a sample data source returns.
#[derive(Config, Debug)]
pub(super) struct Found {
    /// The text, twice.
    twice: String,
}

fn prepare(config: &mut Options) -> Prepared {
    assert!(config.mode != "panic-early", "prepared badly");
    let warning = Diagnostic::warning("Sample warning", "It is on.").on("mode");
    let diagnostics = if config.mode == "warn" {
        vec![warning]
    } else {
        Vec::new()
    };
    Prepared {
        diagnostics,
        generated: vec!["ID".to_owned()],
    }
}

/// Builds a machine in memory.
pub(super) struct Sample {
    pub(super) machine: Memory,
}

/// Says good-bye when it is dropped, also by a panic.
struct Goodbye(RunContext);

impl Drop for Goodbye {
    fn drop(&mut self) {
        let cx = self.0.clone();
        self.0.cleanup(async move { cx.say("cleaned up").await });
    }
}

impl Builder for Sample {
    type Config = Options;

    fn prepare(&self, config: &mut Options, _build: &BuildInfo) -> Prepared {
        prepare(config)
    }

    async fn run(&self, cx: RunContext, config: Options) -> Result<Option<Artifact>, Failure> {
        let _goodbye = Goodbye(cx.clone());
        match config.mode.as_str() {
            "wait" => {
                cx.say("waiting").await;
                cx.until_cancelled(std::future::pending::<()>()).await?;
            }
            "panic" => panic!("no reason"),
            _ => {}
        }
        let held = cx.announce(Resource::of("thing", "one")).await?;
        let machine: Arc<dyn Communicator> = Arc::new(self.machine.clone());
        let generated = [("ID", "sample")].into_iter().collect();
        let verdict = cx
            .provision(Ready {
                communicator: Some(machine),
                generated,
            })
            .await;
        held.release().await;
        verdict?;
        Ok(Some(Artifact {
            resources: vec![Resource::of("thing", config.text.as_str())],
            id: config.text,
            ..Artifact::default()
        }))
    }
}

/// Runs a command.
pub(super) struct Touch;

impl Provisioner for Touch {
    type Config = Options;

    fn prepare(&self, config: &mut Options, _build: &BuildInfo) -> Prepared {
        prepare(config)
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: Options,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Result<(), Failure> {
        let id = generated
            .get("ID")
            .and_then(Value::as_str)
            .unwrap_or("none");
        cx.say(format!("machine {id}")).await;
        let exit = run_remote(&cx, &*machine, Command::new(config.text)).await?;
        cx.say(format!("{exit:?}")).await;
        Ok(())
    }
}

/// Puts a text at the end of an artifact's identity.
pub(super) struct Append;

impl PostProcessor for Append {
    type Config = Options;

    fn prepare(&self, config: &mut Options, _build: &BuildInfo) -> Prepared {
        prepare(config)
    }

    async fn post_process(
        &self,
        _cx: RunContext,
        config: Options,
        input: Artifact,
        _generated: Value,
    ) -> Result<PostProcessed, Failure> {
        let artifact = Artifact {
            id: format!("{}{}", input.id, config.text),
            ..input
        };
        Ok(PostProcessed {
            artifact: Some(artifact),
            keep_input: true,
            force_keep_input: false,
        })
    }
}

/// Says a text twice.
pub(super) struct Twice;

impl DataSource for Twice {
    type Config = Options;
    type Output = Found;

    fn prepare(&self, config: &mut Options, _build: &BuildInfo) -> Prepared {
        prepare(config)
    }

    async fn read(&self, _cx: RunContext, config: Options) -> Result<Value, Failure> {
        let found = Found {
            twice: config.text.repeat(2),
        };
        Ok([("twice", found.twice)].into_iter().collect())
    }
}

/// Everything there is, with `machine` as what the builder builds.
pub(crate) fn plugin(machine: &Memory) -> crate::Plugin {
    crate::Plugin::new("sample", "1.2.3")
        .builder(
            "sample",
            Sample {
                machine: machine.clone(),
            },
        )
        .provisioner("touch", Touch)
        .post_processor("append", Append)
        .data_source("twice", Twice)
        .reclaimer("thing", |resource| async move {
            if resource.id == "stuck" {
                Err(Failure::new("it is stuck"))
            } else {
                Ok(())
            }
        })
}
