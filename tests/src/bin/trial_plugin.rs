//! A plugin for tests that does what its template says: the builder, the provisioner and the
//! post-processor `trial`.
//!
//! Each action is a verb, and what it takes behind a colon; `file:PATH` does the actions in a file,
//! a JSON array, so that nothing but this plugin sees them. Tests install it beside a copy of the
//! host (`kiln_tests::trial`); it is never beside the real one.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kiln_sdk::communicator::Memory;
use kiln_sdk::{
    Answer, Artifact, BuildInfo, Builder, Communicator, Config, Diagnostic, Failure, MachineFacts,
    PostProcessed, PostProcessor, Prepared, Progress, ProgressUnit, Provisioner, Ready, Resource,
    RunContext, Steps, Value,
};

/// Kind of a file that stands for something that is no file: `id` is its absolute path.
const THING: &str = "trial-thing";

/// The pipe that this process waits for at its end.
static GATE: OnceLock<String> = OnceLock::new();

fn main() -> std::process::ExitCode {
    let code = kiln_sdk::Plugin::new("trial", env!("CARGO_PKG_VERSION"))
        .builder("trial", Trial)
        .provisioner("trial", Trial)
        .post_processor("trial", Trial)
        .reclaimer(THING, forget)
        .serve();
    if let Some(gate) = GATE.get() {
        // Ends when somebody opens the pipe to write.
        drop(std::fs::read(gate));
    }
    code
}

/// Removes what stands for something else, but nothing whose name says so.
async fn forget(thing: Resource) -> Result<(), Failure> {
    if thing.id.ends_with("-stays") {
        return Err(Failure::new("it is in use"));
    }
    std::fs::remove_file(thing.id).map_err(|error| Failure::from_error(&error))
}

/// Does what its template says.
#[derive(Clone, Debug, Default, Config)]
struct TrialConfig {
    /// What to do, in order.
    actions: Vec<String>,
    /// What the builder does after its machine was provisioned.
    after: Vec<String>,
    /// How long it takes to undo the builder's first step.
    undo_takes: Duration,
    /// Whether the builder hands over no artifact.
    nothing: bool,
    /// What the post-processor says of its input.
    keep: bool,
    /// Whether the post-processor insists on that.
    force: bool,
    /// The machine's password.
    #[config(sensitive)]
    hidden: String,
}

struct Trial;

impl Builder for Trial {
    type Config = TrialConfig;

    fn prepare(&self, config: &mut TrialConfig, _build: &BuildInfo) -> Prepared {
        prepare(config)
    }

    async fn run(&self, cx: RunContext, config: TrialConfig) -> Result<Option<Artifact>, Failure> {
        let steps = Steps::new(cx.clone());
        let built = build(&cx, &steps, &config).await;
        let artifact = steps.finish(built).await?;
        Ok((!config.nothing).then_some(artifact))
    }
}

async fn build(cx: &RunContext, steps: &Steps, config: &TrialConfig) -> Result<Artifact, Failure> {
    let mut artifact = named("trial");
    let say = cx.clone();
    let takes = config.undo_takes;
    steps.on_cleanup("StepFirst", async move {
        tokio::time::sleep(takes).await;
        say.say("the first step is undone").await;
        Ok(())
    });
    let first = || async {
        let mut made = Vec::new();
        for action in &config.actions {
            made.extend(act(cx, action).await?);
        }
        Ok(made)
    };
    let made = steps.run("StepFirst", first).await?;
    if let Some(last) = made.into_iter().last() {
        artifact = last;
    }
    let facts = MachineFacts {
        id: "machine-1".into(),
        communicator: "ssh".into(),
        host: "192.0.2.1".into(),
        port: 22,
        user: "me".into(),
        password: config.hidden.clone().into(),
        ..MachineFacts::default()
    };
    let generated = facts.generated(cx.build());
    artifact.state = [("generated_data", generated.clone())]
        .into_iter()
        .collect();
    let communicator: Arc<dyn Communicator> = Arc::new(Memory::new());
    let ready = Ready {
        communicator: Some(communicator),
        generated,
    };
    steps.provision(ready).await?;
    let last = || async {
        for action in &config.after {
            act(cx, action).await?;
        }
        Ok(())
    };
    steps.run("StepLast", last).await?;
    Ok(artifact)
}

impl Provisioner for Trial {
    type Config = TrialConfig;

    fn prepare(&self, config: &mut TrialConfig, _build: &BuildInfo) -> Prepared {
        prepare(config)
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: TrialConfig,
        _machine: Arc<dyn Communicator>,
        _generated: Value,
    ) -> Result<(), Failure> {
        for action in &config.actions {
            act(&cx, action).await?;
        }
        Ok(())
    }
}

impl PostProcessor for Trial {
    type Config = TrialConfig;

    fn prepare(&self, config: &mut TrialConfig, _build: &BuildInfo) -> Prepared {
        prepare(config)
    }

    async fn post_process(
        &self,
        cx: RunContext,
        config: TrialConfig,
        input: Artifact,
        _generated: Value,
    ) -> Result<PostProcessed, Failure> {
        cx.say(format!("the input is {}", input.id)).await;
        let mut made = None;
        for action in &config.actions {
            made = act(&cx, action).await?.or(made);
        }
        Ok(PostProcessed {
            artifact: if config.nothing {
                None
            } else {
                made.or(Some(input))
            },
            keep_input: config.keep,
            force_keep_input: config.force,
        })
    }
}

fn prepare(config: &TrialConfig) -> Prepared {
    let mut prepared = Prepared::default();
    for action in &config.actions {
        if let Some(text) = action.strip_prefix("refuse:") {
            let problem = Diagnostic::error("Refused", text).on("actions");
            prepared.diagnostics.push(problem);
        }
    }
    prepared
}

fn named(id: &str) -> Artifact {
    Artifact {
        builder_id: "trial".to_owned(),
        id: id.to_owned(),
        description: format!("A trial: {id}"),
        ..Artifact::default()
    }
}

/// Does one action; gives the artifact it made.
async fn act(cx: &RunContext, action: &str) -> Result<Option<Artifact>, Failure> {
    let (verb, rest) = action.split_once(':').unwrap_or((action, ""));
    match verb {
        "file" => {
            let text =
                std::fs::read_to_string(rest).map_err(|error| Failure::from_error(&error))?;
            let actions: Vec<String> =
                serde_json::from_str(&text).map_err(|error| Failure::from_error(&error))?;
            let mut made = None;
            for action in actions {
                made = Box::pin(act(cx, &action)).await?.or(made);
            }
            return Ok(made);
        }
        "say" => cx.say(rest).await,
        "error" => cx.error(rest).await,
        "log" => tracing::info!(text = rest, "logged: {rest}"),
        "raw" => {
            // A test that does not see this line fails.
            drop(writeln!(std::io::stderr(), "{rest}"));
        }
        "secret" => cx.secret(rest).await,
        "progress" => progress(cx, rest).await?,
        "step" => {
            let steps = Steps::new(cx.clone());
            let done = steps.run(rest, || async { Ok(()) }).await;
            steps.finish(done).await?;
        }
        "diagnostic" => {
            let problem = Diagnostic::error("A problem", rest).on("actions");
            cx.diagnostic(problem).await;
        }
        "ask" => tell_answer(cx, cx.ask(rest).await).await,
        "ask_hidden" => tell_answer(cx, cx.ask_hidden(rest).await).await,
        "fail" => return Err(Failure::new(rest)),
        "fail_once" => return fail_once(rest),
        "panic" => panic!("{rest}"),
        "wait" => {
            cx.until_cancelled(std::future::pending::<()>()).await?;
        }
        "hang" => {
            // Deaf to a cancellation.
            cx.say("hanging").await;
            std::future::pending::<()>().await;
        }
        "pause" => {
            let millis = rest.parse().unwrap_or(0);
            cx.until_cancelled(tokio::time::sleep(Duration::from_millis(millis)))
                .await?;
        }
        "linger" => drop(GATE.set(rest.to_owned())),
        "artifact" => return artifact(rest).map(Some),
        "folder" => {
            let mut made = artifact(&format!("{rest}/disk"))?;
            made.destroy =
                vec![std::path::absolute(rest).map_err(|error| Failure::from_error(&error))?];
            return Ok(Some(made));
        }
        "thing" => {
            let mut made = artifact(rest)?;
            made.resources = vec![Resource::of(
                THING,
                made.destroy.remove(0).display().to_string(),
            )];
            return Ok(Some(made));
        }
        other => return Err(Failure::new(format!("there is no action {other:?}"))),
    }
    Ok(None)
}

async fn tell_answer(cx: &RunContext, answer: Answer) {
    match answer {
        Answer::Line(line) => cx.say(format!("answered {line}")).await,
        Answer::Unattended => cx.say("nobody answered").await,
    }
}

/// `UNIT:DONE:TOTAL:LABEL` of one piece of work, `end:DONE:TOTAL:LABEL` for its end.
async fn progress(cx: &RunContext, text: &str) -> Result<(), Failure> {
    let parts: Vec<&str> = text.splitn(4, ':').collect();
    let [unit, done, total, label] = parts.as_slice() else {
        return Err(Failure::new(format!("{text:?} is no progress")));
    };
    let number = label.bytes().map(u64::from).sum();
    let report = Progress {
        number,
        label: (*label).to_owned(),
        done: done.parse().unwrap_or(0),
        total: total.parse().ok(),
        unit: match *unit {
            "percent" => ProgressUnit::Percent,
            "items" => ProgressUnit::Items,
            _ => ProgressUnit::Bytes,
        },
        ended: *unit == "end",
    };
    cx.progress(report).await;
    Ok(())
}

/// Fails unless the file is there, and makes it.
fn fail_once(path: &str) -> Result<Option<Artifact>, Failure> {
    if std::path::Path::new(path).exists() {
        return Ok(None);
    }
    std::fs::write(path, "").map_err(|error| Failure::from_error(&error))?;
    Err(Failure::new("the first try"))
}

/// Writes a file, which becomes the artifact.
fn artifact(path: &str) -> Result<Artifact, Failure> {
    let path = PathBuf::from(path);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Failure::from_error(&error))?;
    }
    std::fs::write(&path, "trial").map_err(|error| Failure::from_error(&error))?;
    let absolute = std::path::absolute(&path).map_err(|error| Failure::from_error(&error))?;
    Ok(Artifact {
        files: vec![path.clone()],
        destroy: vec![absolute],
        ..named(&path.display().to_string())
    })
}
