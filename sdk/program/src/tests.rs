use std::time::Duration;

use sdk_component::{BuildInfo, Event, Failure, HostLink, Level, RunContext};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Ended, Input, Program};

/// A context whose host puts everything on record and passes on what is said.
fn context(cancel: &CancellationToken) -> (RunContext, mpsc::UnboundedReceiver<String>) {
    let (link, mut events) = HostLink::new();
    let (sender, said) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            match event {
                Event::Created(_, _, recorded) => recorded.send(()).unwrap_or_default(),
                Event::Ui(Level::Say, text) => sender.send(text).unwrap_or_default(),
                Event::Ui(_, text) => sender.send(format!("! {text}")).unwrap_or_default(),
                _ => {}
            }
        }
    });
    let cx = RunContext::new(link, cancel.clone(), BuildInfo::default());
    (cx, said)
}

fn shell(script: &str) -> Program {
    Program::new("sh").args(["-c", script])
}

async fn collected(program: Program) -> Result<Ended, Failure> {
    let (cx, _said) = context(&CancellationToken::new());
    program.collect(&cx).await
}

#[tokio::test]
async fn output_and_exit_code_are_kept() {
    let program = shell("cat; echo \"$WORD\" >&2; exit 3")
        .env("WORD", "warning")
        .input(Input::Bytes(b"read".to_vec()));
    let ended = collected(program).await.unwrap();
    let expected = Ended {
        code: 3,
        stdout: "read".to_owned(),
        stderr: "warning\n".to_owned(),
    };
    assert_eq!(ended, expected);
    assert_eq!(collected(shell("kill -9 $$")).await.unwrap().code, 137);
}

#[tokio::test]
async fn lines_are_shown_in_order() {
    let (cx, mut said) = context(&CancellationToken::new());
    let ended = shell("echo one; echo two").show(&cx).await.unwrap();
    assert!(ended.is_success());
    assert_eq!(said.recv().await.as_deref(), Some("one"));
    assert_eq!(said.recv().await.as_deref(), Some("two"));
    shell("echo bad >&2").show(&cx).await.unwrap();
    assert_eq!(said.recv().await.as_deref(), Some("! bad"));
}

#[tokio::test]
async fn files_are_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    std::fs::write(&from, "content").unwrap();
    let (cx, _said) = context(&CancellationToken::new());
    let program = Program::new("cat").input(Input::File(from));
    let file = std::fs::File::create(&to).unwrap();
    assert!(program.write_to(&cx, file).await.unwrap().is_success());
    assert_eq!(std::fs::read(&to).unwrap(), b"content");
}

#[tokio::test]
async fn a_cleanup_runs_programs_when_the_host_is_gone() {
    let (link, events) = HostLink::new();
    drop(events);
    let cancel = CancellationToken::new();
    let cx = RunContext::new(link, cancel.clone(), BuildInfo::default());
    let ended = shell("sleep 0.1; echo done").collect(&cx).await.unwrap();
    assert_eq!(ended.stdout, "done\n");
    cancel.cancel();
    assert!(shell("echo done").collect(&cx).await.unwrap_err().cancelled);
}

#[tokio::test]
async fn what_cannot_be_started_is_named() {
    let failure = collected(Program::new("no-such-program"))
        .await
        .unwrap_err();
    assert!(failure.message.contains("`no-such-program`"), "{failure}");
    assert!(failure.message.contains("not installed"), "{failure}");
}

/// Whether the process, which was killed, is gone soon: the kernel takes its time.
async fn ends(process: &str) -> bool {
    for _ in 0..500 {
        let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        if state.is_empty() || state.contains(") Z ") {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn a_cancelled_program_is_gone_with_its_children() {
    let cancel = CancellationToken::new();
    let (cx, mut said) = context(&cancel);
    let program = shell("sleep 600 & echo $!; wait");
    let (result, child) = tokio::join!(program.show(&cx), async {
        let child = said.recv().await.unwrap();
        cancel.cancel();
        child
    });
    assert!(result.unwrap_err().cancelled);
    assert!(ends(&child).await, "{child} still runs");
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_ended() {
    let program = Program::new("sleep")
        .arg("600")
        .limit(Duration::from_millis(50));
    let failure = collected(program).await.unwrap_err();
    assert!(failure.message.contains("did not end within"), "{failure}");
}

// With the clock stopped, every wait that has a limit is over at once.
#[tokio::test(start_paused = true)]
async fn what_runs_in_the_background_is_waited_for_where_it_is_to_be_heard() {
    let script = "(sleep 0.2; echo late) & echo done; exit 3";
    let (cx, mut said) = context(&CancellationToken::new());
    let ended = shell(script).with_background().show(&cx).await.unwrap();
    assert_eq!(ended.code, 3);
    assert_eq!(said.recv().await.as_deref(), Some("done"));
    assert_eq!(said.recv().await.as_deref(), Some("late"));
}

#[tokio::test]
async fn a_cancellation_ends_what_a_program_left_in_the_background() {
    let cancel = CancellationToken::new();
    let (cx, mut said) = context(&cancel);
    let program = shell("sleep 600 & echo $$ $!").with_background();
    let (result, child) = tokio::join!(program.show(&cx), async {
        let line = said.recv().await.unwrap();
        let (own, child) = line.split_once(' ').unwrap();
        assert!(ends(own).await, "the shell waits");
        cancel.cancel();
        child.to_owned()
    });
    assert!(result.unwrap_err().cancelled);
    assert!(ends(&child).await, "{child} still runs");
}
