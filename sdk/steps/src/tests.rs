use std::sync::Arc;
use std::time::Duration;

use sdk_component::{
    Answer, BuildInfo, Event, Failure, HostLink, OnError, Ready, RunContext, Verdict,
};
use sdk_config::{Config, Value};
use tokio_util::sync::CancellationToken;

use crate::{ShutdownConfig, Steps};

/// A host that answers from a script and writes down everything it is told, one line each.
struct Script {
    build: BuildInfo,
    answers: Vec<&'static str>,
    verdicts: Vec<Verdict>,
    /// Cancels the run when this line is told.
    cancel_at: &'static str,
}

impl Default for Script {
    fn default() -> Self {
        let build = BuildInfo::default();
        Self {
            build,
            answers: Vec::new(),
            verdicts: Vec::new(),
            cancel_at: "nothing",
        }
    }
}

impl Script {
    fn on_error(on_error: OnError) -> Self {
        Self {
            build: BuildInfo {
                on_error,
                ..BuildInfo::default()
            },
            ..Self::default()
        }
    }

    /// Runs `build` and compares everything that was told, and the result.
    async fn check<F: Future<Output = Result<(), Failure>>>(
        mut self,
        build: impl FnOnce(RunContext, Arc<Steps>) -> F,
        expected: &[&str],
    ) {
        let (link, mut told) = HostLink::new();
        let cancel = CancellationToken::new();
        let cx = RunContext::new(link, cancel.clone(), self.build.clone());
        let steps = Arc::new(Steps::new(cx.clone()));
        let run = async {
            let result = build(cx.clone(), Arc::clone(&steps)).await;
            let steps = Arc::into_inner(steps).expect("no step holds the steps any more");
            let result = steps.finish(result).await;
            cx.cleaned_up().await;
            drop(cx);
            result.map_or_else(
                |failure| format!("failed: {}", failure.message),
                |()| "ok".into(),
            )
        };
        let mut lines = Vec::new();
        let listen = async {
            while let Some(event) = told.recv().await {
                let line = self.hear(event);
                if line == self.cancel_at {
                    cancel.cancel();
                }
                lines.push(line);
            }
        };
        let limit = Duration::from_secs(30);
        let both = async { tokio::join!(run, listen) };
        let (result, ()) = tokio::time::timeout(limit, both).await.expect("it ends");
        lines.push(result);
        assert_eq!(lines, expected);
    }

    fn hear(&mut self, event: Event) -> String {
        match event {
            Event::Ui(_, text) => text,
            Event::StepBegun(name) => format!("+{name}"),
            Event::StepEnded(name, None, _) => format!("-{name}"),
            Event::StepEnded(name, Some(error), _) => format!("-{name}: {error}"),
            Event::Pause(prompt, _, reply) => {
                let answer = if self.answers.is_empty() {
                    Answer::Unattended
                } else {
                    Answer::Line(self.answers.remove(0).to_owned())
                };
                reply.send(answer).expect("it waits");
                format!("? {prompt}")
            }
            Event::Ready(_, reply) => {
                if let Some(verdict) = self.take_verdict() {
                    reply.send(verdict).expect("it waits");
                }
                "ready".to_owned()
            }
            Event::CleanupProvision(error, reply) => {
                if let Some(verdict) = self.take_verdict() {
                    reply.send(verdict).expect("it waits");
                }
                format!("cleanup provisioner after {error}")
            }
            other => format!("{other:?}"),
        }
    }

    fn take_verdict(&mut self) -> Option<Verdict> {
        (!self.verdicts.is_empty()).then(|| self.verdicts.remove(0))
    }
}

fn failed(text: &str) -> Result<(), Failure> {
    Err(Failure::new(text))
}

/// A step that says so when it is undone.
async fn made(cx: &RunContext, steps: &Steps, name: &'static str) -> Result<(), Failure> {
    let say = cx.clone();
    steps.on_cleanup(name, async move {
        say.say(format!("undo {name}")).await;
        Ok(())
    });
    Ok(())
}

async fn two_steps_then_failure(cx: RunContext, steps: Arc<Steps>) -> Result<(), Failure> {
    steps.run("a", || made(&cx, &steps, "a")).await?;
    steps.run("b", || made(&cx, &steps, "b")).await?;
    steps.run("c", || async { failed("broken") }).await
}

#[tokio::test]
async fn everything_is_undone_in_reverse() {
    let expected = [
        "+a",
        "-a",
        "+b",
        "-b",
        "+c",
        "-c: broken",
        "undo b",
        "undo a",
        "failed: broken",
    ];
    Script::default()
        .check(two_steps_then_failure, &expected)
        .await;
    let build = |cx: RunContext, steps: Arc<Steps>| async move {
        made(&cx, &steps, "a").await?;
        let say = cx.clone();
        steps.on_failure("b", async move {
            say.say("must not happen").await;
            Ok(())
        });
        Ok(())
    };
    Script::default().check(build, &["undo a", "ok"]).await;
}

#[tokio::test]
async fn a_failing_cleanup_is_a_warning_and_the_rest_is_still_undone() {
    let build = |cx: RunContext, steps: Arc<Steps>| async move {
        made(&cx, &steps, "a").await?;
        steps.on_cleanup("b", async { failed("stuck") });
        steps.on_cleanup("c", async { panic!("bug") });
        steps.on_cleanup_within(Duration::ZERO, "d", std::future::pending());
        let forgotten = steps.on_cleanup("e", async { failed("must not happen") });
        steps.forget(forgotten);
        failed("first")
    };
    let expected = [
        "Warning: cleanup of step \"d\" failed: it did not end within 0 s",
        "Warning: cleanup of step \"c\" failed: the plugin has a bug: it panicked with `bug`",
        "Warning: cleanup of step \"b\" failed: stuck",
        "undo a",
        "failed: first",
    ];
    Script::default().check(build, &expected).await;
}

#[tokio::test]
async fn a_panic_in_a_step_is_a_failure() {
    let build = |cx: RunContext, steps: Arc<Steps>| async move {
        steps.run("a", || made(&cx, &steps, "a")).await?;
        steps.run("b", || async { panic!("bug") }).await
    };
    let text = "the plugin has a bug: it panicked with `bug`";
    let ended = format!("-b: {text}");
    let result = format!("failed: {text}");
    let expected = ["+a", "-a", "+b", &ended, "undo a", &result];
    Script::default().check(build, &expected).await;
}

#[tokio::test]
async fn cancel_drops_the_step_and_undoes_what_it_registered() {
    let build = |cx: RunContext, steps: Arc<Steps>| async move {
        let wait = || async {
            made(&cx, &steps, "a").await?;
            cx.say("waiting").await;
            std::future::pending().await
        };
        steps.run("a", wait).await
    };
    let expected = [
        "+a",
        "waiting",
        "-a: context canceled",
        "undo a",
        "failed: context canceled",
    ];
    Script {
        cancel_at: "waiting",
        ..Script::default()
    }
    .check(build, &expected)
    .await;
}

#[tokio::test]
async fn abort_leaves_everything_and_names_it() {
    let expected = [
        "+a",
        "-a",
        "+b",
        "-b",
        "+c",
        "-c: broken",
        "broken",
        "Step \"c\" failed, aborting...",
        "aborted: skipping cleanup of step \"b\"",
        "aborted: skipping cleanup of step \"a\"",
        "failed: broken",
    ];
    Script::on_error(OnError::Abort)
        .check(two_steps_then_failure, &expected)
        .await;
}

#[tokio::test]
async fn abort_also_holds_when_interrupted() {
    let build = |cx: RunContext, steps: Arc<Steps>| async move {
        made(&cx, &steps, "a").await?;
        steps
            .run("b", || cx.until_cancelled(std::future::pending()))
            .await
    };
    let expected = [
        "+b",
        "-b: context canceled",
        "Interrupted, aborting...",
        "aborted: skipping cleanup of step \"a\"",
        "failed: context canceled",
    ];
    Script {
        cancel_at: "+b",
        ..Script::on_error(OnError::Abort)
    }
    .check(build, &expected)
    .await;
}

#[tokio::test]
async fn ask_retries_cleans_up_or_aborts() {
    let question = "? [c] Clean up and exit, [a] abort without cleanup, or [r] retry step \
                    (build may fail even if retry succeeds)?";
    let build = |cx: RunContext, steps: Arc<Steps>| async move {
        let tries = std::sync::atomic::AtomicU32::new(0);
        let step = || async {
            made(&cx, &steps, "a").await?;
            match tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                0 => failed("broken"),
                _ => Ok(()),
            }
        };
        steps.run("a", step).await
    };
    let expected = [
        "+a",
        "-a: broken",
        "broken",
        "Step \"a\" failed",
        question,
        "Incorrect input: \"what\"",
        question,
        "undo a",
        "+a",
        "-a",
        "undo a",
        "ok",
    ];
    let script = Script {
        answers: vec!["what", "Retry"],
        ..Script::on_error(OnError::Ask)
    };
    script.check(build, &expected).await;

    let start = ["+a", "-a: broken", "broken", "Step \"a\" failed", question];
    let cases: [(Vec<&str>, &str); 4] = [
        (vec!["abort"], "aborted: skipping cleanup of step \"a\""),
        (vec![""], "undo a"),
        (vec!["c"], "undo a"),
        (vec![], "undo a"),
    ];
    for (answers, end) in cases {
        let expected: Vec<&str> = start.into_iter().chain([end, "failed: broken"]).collect();
        let script = Script {
            answers,
            ..Script::on_error(OnError::Ask)
        };
        script.check(build, &expected).await;
    }
}

#[tokio::test]
async fn debug_pauses_after_steps_and_before_cleanups() {
    let build = |cx: RunContext, steps: Arc<Steps>| async move {
        steps.run("a", || made(&cx, &steps, "a")).await?;
        steps.run("b", || async { Ok(()) }).await
    };
    let info = BuildInfo {
        debug: true,
        ..BuildInfo::default()
    };
    let expected = [
        "+a",
        "-a",
        "? Pausing after run of step 'a'. Press enter to continue.",
        "+b",
        "-b",
        "? Pausing after run of step 'b'. Press enter to continue.",
        "? Pausing before cleanup of step 'b'. Press enter to continue.",
        "? Pausing before cleanup of step 'a'. Press enter to continue.",
        "undo a",
        "ok",
    ];
    Script {
        build: info,
        ..Script::default()
    }
    .check(build, &expected)
    .await;
}

fn ready() -> Ready {
    Ready {
        communicator: None,
        generated: Value::empty_map(),
    }
}

#[tokio::test]
async fn the_cleanup_provisioner_runs_also_when_a_later_step_fails() {
    let build = |cx: RunContext, steps: Arc<Steps>| async move {
        made(&cx, &steps, "machine").await?;
        steps.provision(ready()).await?;
        steps.run("snapshot", || async { failed("full") }).await
    };
    let message = "Provisioning step had errors: Running the cleanup provisioner, if present...";
    let start = [
        "+StepProvision",
        "ready",
        "-StepProvision",
        "+snapshot",
        "-snapshot: full",
    ];
    let end = [
        message,
        "cleanup provisioner after full",
        "undo machine",
        "failed: full",
    ];
    let expected: Vec<&str> = start.into_iter().chain(end).collect();
    let verdicts = vec![Verdict::Provisioned, Verdict::Provisioned];
    Script {
        verdicts,
        ..Script::default()
    }
    .check(build, &expected)
    .await;

    let end = [
        "aborted: skipping cleanup of step \"machine\"",
        message,
        "cleanup provisioner after full",
        "Cleanup failed: no. Original Provisioning error: full",
        "failed: Cleanup failed: no. Original Provisioning error: full",
    ];
    let expected: Vec<&str> = start.into_iter().chain(end).collect();
    let verdicts = vec![Verdict::Provisioned, Verdict::Failed("no".to_owned())];
    let script = Script::on_error(OnError::RunCleanupProvisioner);
    Script { verdicts, ..script }.check(build, &expected).await;
}

#[tokio::test]
async fn a_cancelled_provision_step_ends_at_once_and_runs_no_cleanup_provisioner() {
    let build = |_cx: RunContext, steps: Arc<Steps>| async move { steps.provision(ready()).await };
    let expected = [
        "+StepProvision",
        "ready",
        "-StepProvision: context canceled",
        "failed: context canceled",
    ];
    let verdicts = Vec::new();
    Script {
        verdicts,
        cancel_at: "ready",
        ..Script::default()
    }
    .check(build, &expected)
    .await;
}

#[tokio::test]
async fn dropped_steps_are_undone_all_the_same() {
    let (link, mut told) = HostLink::new();
    let cx = RunContext::new(link, CancellationToken::new(), BuildInfo::default());
    let steps = Steps::new(cx.clone());
    made(&cx, &steps, "a").await.expect("it cannot fail");
    drop(steps);
    cx.cleaned_up().await;
    assert!(matches!(told.try_recv(), Ok(Event::Ui(_, text)) if text == "undo a"));
}

#[test]
fn shutdown_options_are_late_and_have_defaults() {
    let schema = ShutdownConfig::schema();
    assert!(schema.attributes[0].late);
    assert_eq!(schema.attributes[1].default_text, "5m");
}
