//! The post-processor `myplugin`.

use std::path::PathBuf;

use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostic, Draft, Failure, PostProcessed, PostProcessor as Trait,
    Prepared, RunContext, Value,
};

/// Writes the names and sizes of an artifact's files to a file.
#[derive(Clone, Debug, Default, Config)]
pub(crate) struct PostProcessorConfig {
    /// The file to write; an older one of that name is replaced.
    #[config(default = "files.txt")]
    pub(crate) output: PathBuf,
}

/// Writes the names and sizes of an artifact's files to a file.
pub(crate) struct PostProcessor;

impl Trait for PostProcessor {
    type Config = PostProcessorConfig;

    // Checks the options and touches nothing. Every problem is told, with the option it is about.
    fn prepare(&self, config: &mut PostProcessorConfig, _build: &BuildInfo) -> Prepared {
        let mut problems = Vec::new();
        if config.output.as_os_str().is_empty() {
            let problem = Diagnostic::error("Missing file", "`output` is empty.");
            problems.push(problem.on("output"));
        }
        problems.into()
    }

    async fn post_process(
        &self,
        cx: RunContext,
        config: PostProcessorConfig,
        input: Artifact,
        _generated: Value,
    ) -> Result<PostProcessed, Failure> {
        let mut lines = String::new();
        for file in &input.files {
            let facts = std::fs::metadata(file).map_err(|error| {
                Failure::new(format!("cannot look at `{}`: {error}", file.display()))
            })?;
            lines.push_str(&format!("{}\t{}\n", facts.len(), file.display()));
        }
        // The file has its name when it is complete, and nothing of it stays after a crash.
        let draft = Draft::of(&cx, &config.output).await?;
        let written = draft.write(0o644, lines.as_bytes());
        draft.end().await;
        written.map_err(|error| {
            let text = format!("cannot write `{}`: {error}", config.output.display());
            Failure::new(text).on("output")
        })?;
        cx.say(format!("Listed {} files", input.files.len())).await;
        Ok(PostProcessed {
            artifact: Some(Artifact {
                builder_id: "kiln.post-processor.myplugin".to_owned(),
                description: format!("A list of files: {}", config.output.display()),
                destroy: vec![config.output.clone()],
                files: vec![config.output],
                ..Artifact::default()
            }),
            keep_input: true,
            force_keep_input: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use kiln_sdk::{Artifact, Value};
    use kiln_sdk_test_kit::{FakeHost, contract};

    use super::PostProcessor;

    fn options(folder: &tempfile::TempDir) -> Value {
        let output = folder.path().join("list").display().to_string();
        [("output", output)].into_iter().collect()
    }

    fn input(folder: &tempfile::TempDir) -> Artifact {
        let file = folder.path().join("image");
        std::fs::write(&file, "12345").expect("a file can be written");
        Artifact {
            files: vec![file],
            ..Artifact::default()
        }
    }

    #[tokio::test]
    async fn the_files_are_listed() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let run = FakeHost::new().post_process(
            PostProcessor,
            options(&folder),
            input(&folder),
            Value::empty_map(),
        );
        run.await.outcome.expect("it succeeds");
        let list = std::fs::read_to_string(folder.path().join("list")).expect("it is written");
        assert!(
            list.starts_with("5\t") && list.ends_with("/image\n"),
            "{list}"
        );
    }

    #[tokio::test]
    async fn the_contract_holds() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        contract::check_post_processor(|| PostProcessor, options(&folder), input(&folder)).await;
    }
}
