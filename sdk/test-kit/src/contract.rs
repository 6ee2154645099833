//! What every component owes, checked without a process.

use sdk_component::{Artifact, Builder, Verdict};
use sdk_config::Value;

use crate::fake_host::{FakeHost, prepared};
use crate::options::check_options;
use crate::recording::{Recording, Told};

/// Checks a builder that can build with `options`, for example with a recording driver:
///
/// - its options are documented and unknown ones are refused;
/// - checking the options twice gives no problem either time;
/// - it builds, asks for provisioning once, and releases everything it put on record;
/// - cancelled in any of its steps, and when provisioning fails, it ends and leaves nothing.
///
/// `make` is called for every run.
///
/// # Panics
///
/// When one of that does not hold.
pub async fn check_builder<B: Builder>(make: impl Fn() -> B, options: Value) {
    check_options::<B::Config>();
    let builder = make();
    let build = sdk_component::BuildInfo::default();
    for _ in 0..2 {
        let checked = prepared(&options, |config| builder.prepare(config, &build));
        if let Err(failure) = checked {
            panic!("the options are refused: {:#?}", failure.diagnostics);
        }
    }

    let whole = FakeHost::new().build(make(), options.clone()).await;
    if let Err(failure) = &whole.outcome {
        panic!("it does not build: {failure}\n{:#?}", whole.told);
    }
    assert_eq!(
        whole.ready.len(),
        1,
        "it has to ask for provisioning once: {:#?}",
        whole.told
    );
    leaves_nothing(&whole, "a build");

    for step in 0..whole.steps().len() {
        let name = whole.steps()[step].to_owned();
        let recording = cancelled_in(make(), options.clone(), step).await;
        assert!(
            recording.outcome.is_err(),
            "cancelled in step `{name}`, it still succeeds"
        );
        leaves_nothing(&recording, &format!("cancelling step `{name}`"));
    }

    let failing = FakeHost::new().with_verdict(Verdict::Failed("it is broken".to_owned()));
    let recording = failing.build(make(), options).await;
    let failure = recording.outcome.as_ref().err();
    assert!(
        failure.is_some_and(|failure| failure.message.contains("it is broken")),
        "a provisioner's failure has to be the build's: {failure:?}"
    );
    leaves_nothing(&recording, "a failed provisioner");
}

/// Runs a builder and cancels it when its step number `step`, from zero, begins.
async fn cancelled_in<B: Builder>(
    builder: B,
    options: Value,
    step: usize,
) -> Recording<Option<Artifact>> {
    let mut begun = 0;
    let host = FakeHost::new().cancel_when(move |told| {
        let begins = matches!(told, Told::StepBegun(_));
        begun += usize::from(begins);
        begins && begun == step + 1
    });
    host.build(builder, options).await
}

fn leaves_nothing<T>(recording: &Recording<T>, after: &str) {
    let Recording { left, told, .. } = recording;
    assert!(
        left.is_empty(),
        "after {after} this is still on record: {left:?}\n{told:#?}"
    );
}
