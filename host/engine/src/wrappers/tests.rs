use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::observer::{Echo, Event, Observer};

#[derive(Default)]
struct Recorder(Mutex<Vec<String>>);

impl Observer for Recorder {
    fn notify(&self, event: Event) {
        if let Event::Say { text, .. } = event {
            self.0.lock().unwrap().push(text);
        }
    }

    fn ask(&self, _build: &str, _prompt: &str, _echo: Echo) -> BoxFuture<'_, Option<String>> {
        Box::pin(async { None })
    }

    fn secret(&self, _value: &str) {}
}

/// Runs a provisioner whose tries end as `tries` say (empty: success); gives what was said and then
/// how it ended.
async fn outcome(wrappers: Wrappers, tries: &[&str]) -> Vec<String> {
    let recorder = Recorder::default();
    let voice = Voice {
        observer: &recorder,
        target: "n".into(),
    };
    let next = AtomicUsize::new(0);
    let attempt = |_token| -> BoxFuture<'_, _> {
        let text = tries[next.fetch_add(1, Ordering::Relaxed)];
        let result = if text.is_empty() {
            Ok(())
        } else {
            Err(Failure::new(text))
        };
        Box::pin(async { result })
    };
    let result = wrappers
        .run(&voice, &CancellationToken::new(), &attempt)
        .await;
    assert_eq!(next.load(Ordering::Relaxed), tries.len());
    let mut lines = recorder.0.into_inner().unwrap();
    lines.push(result.map_or_else(|failure| failure.message, |()| "ok".to_owned()));
    lines
}

async fn check(wrappers: Wrappers, tries: &[&str], expected: &[&str]) {
    assert_eq!(outcome(wrappers, tries).await, expected);
}

#[tokio::test]
async fn without_wrappers_nothing_is_said() {
    check(Wrappers::default(), &[""], &["ok"]).await;
    check(Wrappers::default(), &["bad"], &["bad"]).await;
}

#[tokio::test]
async fn retries_quote_the_first_error() {
    let wrappers = Wrappers {
        max_retries: 2,
        ..Default::default()
    };
    check(
        wrappers,
        &["one", "two", "three"],
        &[
            "Provisioner failed with \"one\", retrying with 2 trie(s) left",
            "Provisioner failed with \"one\", retrying with 1 trie(s) left",
            "retry limit reached.",
            "one",
        ],
    )
    .await;
    check(
        wrappers,
        &["one", ""],
        &[
            "Provisioner failed with \"one\", retrying with 2 trie(s) left",
            "ok",
        ],
    )
    .await;
}

#[tokio::test]
async fn continue_on_error_comes_after_the_retries() {
    let wrappers = Wrappers {
        max_retries: 1,
        continue_on_error: true,
        ..Default::default()
    };
    check(
        wrappers,
        &["say \"x\"", "two"],
        &[
            "Provisioner failed with \"say \\\"x\\\"\", retrying with 1 trie(s) left",
            "retry limit reached.",
            "Warning: Provisioner failed with \"say \\\"x\\\"\", but continue_on_error is set; \
             continuing the build.",
            "ok",
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_makes_the_timeout_void() {
    let seconds = Duration::from_secs;
    let wrappers = Wrappers {
        pause_before: Some(seconds(90)),
        timeout: Some(seconds(1)),
        ..Default::default()
    };
    check(
        wrappers,
        &[""],
        &["Pausing 1m30s before the next provisioner...", "ok"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_timeout_cancels_and_reports_the_provisioners_error() {
    let recorder = Recorder::default();
    let voice = Voice {
        observer: &recorder,
        target: "n".into(),
    };
    let wrappers = Wrappers {
        timeout: Some(Duration::from_secs(5)),
        ..Default::default()
    };
    let attempt = |token: CancellationToken| -> BoxFuture<'_, _> {
        Box::pin(async move {
            token.cancelled().await;
            Err(Failure::cancelled())
        })
    };
    let failure = wrappers
        .run(&voice, &CancellationToken::new(), &attempt)
        .await
        .unwrap_err();
    assert!(!failure.cancelled, "the build itself was not cancelled");
    assert_eq!(
        recorder.0.into_inner().unwrap(),
        [
            "Setting a 5s timeout for the next provisioner...",
            "Cancelling provisioner after a timeout..."
        ]
    );
}

#[tokio::test]
async fn a_cancellation_is_neither_retried_nor_swallowed() {
    let recorder = Recorder::default();
    let voice = Voice {
        observer: &recorder,
        target: "n".into(),
    };
    let wrappers = Wrappers {
        max_retries: 3,
        continue_on_error: true,
        ..Default::default()
    };
    let cancel = CancellationToken::new();
    let attempt = |_token| -> BoxFuture<'_, _> {
        cancel.cancel();
        Box::pin(async { Err(Failure::new("half")) })
    };
    let failure = wrappers.run(&voice, &cancel, &attempt).await.unwrap_err();
    assert!(failure.cancelled);
    assert!(recorder.0.into_inner().unwrap().is_empty());
}
