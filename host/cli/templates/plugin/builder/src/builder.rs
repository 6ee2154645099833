//! The builder `myplugin`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_sdk::communicator::Inert;
use kiln_sdk::{
    Artifact, BuildInfo, Builder as Trait, Config, Diagnostic, Failure, MachineFacts, Prepared,
    Ready, Resource, RunContext, Steps, Value,
};

/// Makes a folder with a file in it.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct BuilderConfig {
    /// The folder to make.
    #[config(required)]
    pub(crate) output: PathBuf,
    /// What the file says.
    #[config(default = "hello")]
    pub(crate) content: String,
}

/// Makes a folder with a file in it.
pub(crate) struct Builder;

impl Trait for Builder {
    type Config = BuilderConfig;

    // Checks the options and touches nothing. Every problem is told, with the option it is about.
    fn prepare(&self, config: &mut BuilderConfig, _build: &BuildInfo) -> Prepared {
        let mut problems = Vec::new();
        if config.output.as_os_str().is_empty() {
            problems.push(
                Diagnostic::error("Missing folder", "`output` is empty.")
                    .on("output")
                    .hint("name the folder that the build shall make"),
            );
        }
        Prepared {
            diagnostics: problems,
            // Names that templates can use as `build.NAME` besides those every machine has.
            generated: vec!["Folder".to_owned()],
        }
    }

    async fn run(
        &self,
        cx: RunContext,
        config: BuilderConfig,
    ) -> Result<Option<Artifact>, Failure> {
        let steps = Steps::new(cx.clone());
        let built = build(&cx, &steps, &config).await;
        // Undoes what the steps made when the build failed or was cancelled.
        steps.finish(built).await.map(Some)
    }
}

async fn build(
    cx: &RunContext,
    steps: &Steps,
    config: &BuilderConfig,
) -> Result<Artifact, Failure> {
    let output =
        std::path::absolute(&config.output).map_err(|error| Failure::from_error(&error))?;
    steps
        .run("make folder", || make_folder(cx, steps, &output))
        .await?;
    let generated = facts(cx, &output);
    // A machine is handed over as a `Communicator`; this one takes everything and does nothing.
    steps
        .provision(Ready {
            communicator: Some(Arc::new(Inert)),
            generated: generated.clone(),
        })
        .await?;
    let file = steps
        .run("write file", || write_file(&output, &config.content))
        .await?;
    if cx.cancel().is_cancelled() {
        return Err(Failure::cancelled());
    }
    Ok(Artifact {
        builder_id: "kiln.myplugin".to_owned(),
        id: output.display().to_string(),
        files: vec![file],
        description: format!("A folder: {}", output.display()),
        state: [("generated_data", generated)].into_iter().collect(),
        destroy: vec![output],
        // What is no file, such as an image in a cloud, is a resource; `Plugin::reclaimer` has the
        // code that removes it.
        resources: Vec::new(),
    })
}

async fn make_folder(cx: &RunContext, steps: &Steps, output: &Path) -> Result<(), Failure> {
    if output.exists() {
        if !cx.build().force {
            let text = format!("`{}` exists already", output.display());
            return Err(Failure::new(text)
                .on("output")
                .hint("remove it, or build with -force"));
        }
        std::fs::remove_dir_all(output).map_err(|error| Failure::from_error(&error))?;
    }
    // On record before it exists: after a crash, the host knows what to remove.
    let held = cx.announce(Resource::directory(output)).await?;
    steps.on_cleanup("make folder", async move {
        held.release().await;
        Ok(())
    });
    // What comes last is undone first: a failed build's folder goes before its record does.
    let folder = output.to_owned();
    steps.on_failure("make folder", async move {
        std::fs::remove_dir_all(&folder).map_err(|error| Failure::from_error(&error))
    });
    std::fs::create_dir_all(output).map_err(|error| Failure::from_error(&error))
}

async fn write_file(output: &Path, content: &str) -> Result<PathBuf, Failure> {
    let file = output.join("hello.txt");
    tokio::fs::write(&file, content)
        .await
        .map_err(|error| Failure::from_error(&error))?;
    Ok(file)
}

/// What provisioners and post-processors learn about the machine.
fn facts(cx: &RunContext, output: &Path) -> Value {
    let facts = MachineFacts {
        id: output.display().to_string(),
        communicator: "none".to_owned(),
        ..MachineFacts::default()
    };
    let mut values = facts.generated(cx.build());
    values.insert("Folder", output.display().to_string());
    values
}

#[cfg(test)]
mod tests {
    use kiln_sdk::Value;
    use kiln_sdk_test_kit::{FakeHost, contract};

    use super::Builder;

    fn options(output: &std::path::Path) -> Value {
        let output = output.display().to_string();
        [("output", output)].into_iter().collect()
    }

    #[tokio::test]
    async fn the_folder_has_the_file() {
        let place = tempfile::tempdir().expect("a folder can be made");
        let output = place.path().join("made");
        let built = FakeHost::new().build(Builder, options(&output)).await;
        let artifact = built
            .outcome
            .expect("it builds")
            .expect("it leaves something");
        assert_eq!(artifact.files, [output.join("hello.txt")]);
        let text = std::fs::read_to_string(&artifact.files[0]).expect("the file is there");
        assert_eq!(text, "hello");
    }

    #[tokio::test]
    async fn a_folder_that_exists_is_left_alone() {
        let place = tempfile::tempdir().expect("a folder can be made");
        let built = FakeHost::new().build(Builder, options(place.path())).await;
        let failure = built.outcome.expect_err("it is refused");
        assert_eq!(failure.diagnostics[0].path.to_string(), "output");
        assert!(place.path().exists());
    }

    #[tokio::test]
    async fn the_contract_holds() {
        let place = tempfile::tempdir().expect("a folder can be made");
        let number = std::cell::Cell::new(0);
        let fresh = || {
            number.set(number.get() + 1);
            options(&place.path().join(number.get().to_string()))
        };
        contract::check_builder_with(|| Builder, fresh).await;
    }
}
