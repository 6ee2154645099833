use std::path::PathBuf;
use std::sync::Arc;

use sdk_component::{
    Artifact, BuildInfo, Builder, Communicator, Failure, Prepared, Provisioner, Ready, Resource,
    RunContext,
};
use sdk_config::Value;
use sdk_config_derive::Config;
use sdk_steps::Steps;

use crate::{FakeHost, Memory, Told, contract};

/// Makes a folder.
#[derive(Config, Debug)]
struct Options {
    /// Where.
    #[config(required)]
    folder: PathBuf,
}

/// A builder that keeps the contract, or breaks it.
struct Folder {
    careless: bool,
}

impl Builder for Folder {
    type Config = Options;

    fn prepare(&self, _config: &mut Options, _build: &BuildInfo) -> Prepared {
        Prepared::default()
    }

    async fn run(&self, cx: RunContext, config: Options) -> Result<Option<Artifact>, Failure> {
        let steps = Steps::new(cx.clone());
        let made = async {
            steps
                .run("make folder", || self.make(&cx, &steps, &config))
                .await?;
            let communicator = Some(Arc::new(Memory::new()) as Arc<_>);
            steps
                .provision(Ready {
                    communicator,
                    generated: Value::empty_map(),
                })
                .await?;
            // Never waits for anything.
            steps.run("look", || async { Ok(()) }).await
        };
        let made = made.await;
        steps.finish(made).await?;
        Ok(None)
    }
}

impl Folder {
    async fn make(&self, cx: &RunContext, steps: &Steps, config: &Options) -> Result<(), Failure> {
        let folder = config.folder.clone();
        let held = cx.announce(Resource::directory(&folder)).await?;
        let careless = self.careless;
        let path = folder.clone();
        steps.on_cleanup("make folder", async move {
            std::fs::remove_dir(&path).map_err(|error| Failure::from_error(&error))?;
            if !careless {
                held.release().await;
            }
            Ok(())
        });
        std::fs::create_dir(&folder).map_err(|error| Failure::from_error(&error))
    }
}

fn options(folder: &tempfile::TempDir) -> Value {
    let path = folder.path().join("made").to_string_lossy().into_owned();
    [("folder", path)].into_iter().collect()
}

#[tokio::test]
async fn a_builder_that_keeps_the_contract_passes() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    contract::check_builder(|| Folder { careless: false }, options(&folder)).await;
    assert!(!folder.path().join("made").exists());
}

#[tokio::test]
#[should_panic(expected = "still on record")]
async fn a_builder_that_forgets_to_release_does_not() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    contract::check_builder(|| Folder { careless: true }, options(&folder)).await;
}

#[tokio::test]
async fn everything_told_is_written_down() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let recording = FakeHost::new()
        .build(Folder { careless: false }, options(&folder))
        .await;
    assert_eq!(recording.steps(), ["make folder", "StepProvision", "look"]);
    assert!(recording.outcome.is_ok() && recording.told.contains(&Told::Ready));
    let refused = FakeHost::new()
        .build(Folder { careless: false }, Value::empty_map())
        .await;
    let failure = refused.outcome.expect_err("the folder is missing");
    assert_eq!(failure.diagnostics[0].path.to_string(), "folder");
}

#[tokio::test]
async fn what_a_component_tells_is_heard_before_it_goes_on() {
    for rounds in 0..4 {
        let host = FakeHost::new().cancel_when(|told| matches!(told, Told::Said(_)));
        let recording = host
            .drive(async |cx| {
                for _ in 0..rounds {
                    tokio::task::yield_now().await;
                }
                cx.say("now").await;
                tokio::task::yield_now().await;
                Ok(cx.cancel().is_cancelled())
            })
            .await;
        assert_eq!(recording.outcome.ok(), Some(true), "{rounds}");
    }
}

/// Options of which one can never be set.
#[derive(Clone, Debug, Default, Config)]
struct Misnamed {
    /// How long to wait.
    #[config(default = "")]
    pause_before: String,
}

struct Waiter;

impl Provisioner for Waiter {
    type Config = Misnamed;

    fn prepare(&self, config: &mut Misnamed, _build: &BuildInfo) -> Prepared {
        config.pause_before.clear();
        Prepared::default()
    }

    async fn provision(
        &self,
        _cx: RunContext,
        _config: Misnamed,
        _machine: Arc<dyn Communicator>,
        _generated: Value,
    ) -> Result<(), Failure> {
        Ok(())
    }
}

#[tokio::test]
#[should_panic(expected = "`pause_before` never gets a value")]
async fn options_that_are_words_of_the_block_are_refused() {
    contract::check_provisioner(|| Waiter, Value::empty_map()).await;
}
