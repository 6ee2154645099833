//! What every component owes, checked without a process.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use sdk_communicator::Memory;
use sdk_component::{
    Artifact, BuildInfo, Builder, DataSource, PostProcessor, Prepared, Provisioner, Verdict,
};
use sdk_config::{Config, Value, ValueKind};

use crate::fake_host::{FakeHost, prepared};
use crate::options::{POST_PROCESSOR_WORDS, PROVISIONER_WORDS, check_options, check_reserved};
use crate::recording::{Recording, Told};

/// How often a component is cancelled that tells very much.
const CANCELLATIONS: usize = 20;

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
    check_builder_with(make, || options.clone()).await;
}

/// The same for a builder that needs other `options` for every run, for example a folder that does
/// not exist yet.
///
/// # Panics
///
/// When one of that does not hold.
pub async fn check_builder_with<B: Builder>(make: impl Fn() -> B, options: impl Fn() -> Value) {
    let builder = make();
    check_twice::<B::Config>(&options(), |config, build| builder.prepare(config, build));

    let whole = FakeHost::new().build(make(), options()).await;
    succeeds(&whole);
    assert_eq!(
        whole.ready.len(),
        1,
        "it has to ask for provisioning once: {:#?}",
        whole.told
    );
    leaves_nothing(&whole, "a build");

    for step in 0..whole.steps().len() {
        let name = whole.steps()[step].to_owned();
        let recording = cancelled_in(make(), options(), step).await;
        assert!(
            recording.outcome.is_err(),
            "cancelled in step `{name}`, it still succeeds"
        );
        leaves_nothing(&recording, &format!("cancelling step `{name}`"));
    }

    let failing = FakeHost::new().with_verdict(Verdict::Failed("it is broken".to_owned()));
    let recording = failing.build(make(), options()).await;
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

/// Checks a provisioner that succeeds with `options` on a machine in memory, where every command
/// prints nothing and ends well:
///
/// - its options are documented and unknown ones are refused;
/// - checking the options twice gives no problem either time;
/// - it succeeds and releases everything it put on record;
/// - cancelled whenever it tells something, it ends and leaves nothing.
///
/// # Panics
///
/// When one of that does not hold.
pub async fn check_provisioner<P: Provisioner>(make: impl Fn() -> P, options: Value) {
    check_reserved(&names::<P::Config>(), &PROVISIONER_WORDS);
    let one = make();
    check_twice::<P::Config>(&options, |config, build| one.prepare(config, build));
    check_runs(async |host| {
        let machine = Arc::new(Memory::new());
        host.provision(make(), options.clone(), machine, Value::empty_map())
            .await
    })
    .await;
}

/// Checks a post-processor that succeeds with `options` on `input`, as [`check_provisioner`] does
/// with provisioners. Every run gets the same input, so it has to stay as it is.
///
/// # Panics
///
/// When one of that does not hold.
pub async fn check_post_processor<P: PostProcessor>(
    make: impl Fn() -> P,
    options: Value,
    input: Artifact,
) {
    check_reserved(&names::<P::Config>(), &POST_PROCESSOR_WORDS);
    let one = make();
    check_twice::<P::Config>(&options, |config, build| one.prepare(config, build));
    check_runs(async |host| {
        host.post_process(make(), options.clone(), input.clone(), Value::empty_map())
            .await
    })
    .await;
}

/// Checks a data source that succeeds with `options`, as [`check_provisioner`] does with
/// provisioners, and that what it returns is documented and has the keys that are documented.
///
/// # Panics
///
/// When one of that does not hold.
pub async fn check_data_source<D: DataSource>(make: impl Fn() -> D, options: Value) {
    let one = make();
    check_twice::<D::Config>(&options, |config, build| one.prepare(config, build));
    let outputs = D::Output::schema().attributes;
    for output in &outputs {
        let name = &output.name;
        assert!(
            !output.doc.trim().is_empty(),
            "the output `{name}` has no documentation"
        );
    }
    let read = check_runs(async |host| host.read(make(), options.clone()).await).await;
    let found: BTreeSet<String> = match read.kind {
        ValueKind::Map(entries) => entries.into_keys().collect(),
        other => panic!("a data source has to return a map: {other:?}"),
    };
    let documented: BTreeSet<String> = outputs.into_iter().map(|output| output.name).collect();
    assert_eq!(
        found, documented,
        "what it returns is not what it documents"
    );
}

/// Runs a component to its end, which has to be a success, and then once more for each thing that
/// it told, cancelled there.
async fn check_runs<T: Debug>(run: impl AsyncFn(FakeHost) -> Recording<T>) -> T {
    let whole = run(FakeHost::new()).await;
    succeeds(&whole);
    leaves_nothing(&whole, "a run");
    for moment in 0..whole.told.len().min(CANCELLATIONS) {
        let mut told = 0;
        let host = FakeHost::new().cancel_when(move |_| {
            told += 1;
            told == moment + 1
        });
        // It may be too late to cancel it: how it ends is its own affair.
        let recording = run(host).await;
        leaves_nothing(
            &recording,
            &format!("cancelling it at {:?}", whole.told[moment]),
        );
    }
    match whole.outcome {
        Ok(outcome) => outcome,
        Err(failure) => panic!("{failure}"),
    }
}

/// What may stand in a block of the component.
fn names<C: Config>() -> Vec<String> {
    let schema = C::schema();
    let options = schema.attributes.into_iter().map(|option| option.name);
    let blocks = schema.blocks.into_iter().map(|block| block.name);
    options.chain(blocks).collect()
}

/// Checks the options of a component, and that they pass twice.
fn check_twice<C: Config>(options: &Value, prepare: impl Fn(&mut C, &BuildInfo) -> Prepared) {
    check_options::<C>();
    let build = BuildInfo::default();
    for _ in 0..2 {
        let checked = prepared::<C>(options, |config| prepare(config, &build));
        if let Err(failure) = checked {
            panic!("the options are refused: {:#?}", failure.diagnostics);
        }
    }
}

fn succeeds<T>(recording: &Recording<T>) {
    if let Err(failure) = &recording.outcome {
        panic!("it does not succeed: {failure}\n{:#?}", recording.told);
    }
}

fn leaves_nothing<T>(recording: &Recording<T>, after: &str) {
    let Recording { left, told, .. } = recording;
    assert!(
        left.is_empty(),
        "after {after} this is still on record: {left:?}\n{told:#?}"
    );
}
