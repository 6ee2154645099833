//! The `artifice` post-processor: other files as the artifact.

use std::path::PathBuf;

use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostic, Failure, PostProcessed, PostProcessor, Prepared,
    RunContext, Value,
};

/// Replaces the artifact by files that provisioners or post-processors made beside it.
#[derive(Debug, Clone, Config)]
pub struct ArtificeConfig {
    /// The files: paths, or patterns with `*`, `?` and `[…]`.
    #[config(required)]
    pub files: Vec<String>,
}

/// The post-processor.
pub struct Artifice;

impl PostProcessor for Artifice {
    type Config = ArtificeConfig;

    fn prepare(&self, config: &mut ArtificeConfig, _build: &BuildInfo) -> Prepared {
        let mut problems = Vec::new();
        if config.files.is_empty() {
            problems.push(
                Diagnostic::error(
                    "No files specified in artifice configuration",
                    "There is nothing the new artifact could consist of.",
                )
                .on("files"),
            );
        }
        for pattern in &config.files {
            if let Err(error) = glob::Pattern::new(pattern) {
                let detail = format!("`{pattern}`: {error}.");
                problems.push(Diagnostic::error("Invalid pattern", detail).on("files"));
            }
        }
        problems.into()
    }

    /// # Source
    ///
    /// Packer's `artifice`: the texts, the identity of the artifact, and that a pattern without
    /// matches is fine. Differs: that is said.
    async fn post_process(
        &self,
        cx: RunContext,
        config: ArtificeConfig,
        input: Artifact,
        _generated: Value,
    ) -> Result<PostProcessed, Failure> {
        if !input.files.is_empty() {
            let text = format!("Discarding files from artifact: {}", listed(&input.files));
            cx.say(text).await;
        }
        let patterns = config.files;
        let work = tokio::task::spawn_blocking(move || matches(&patterns));
        let (files, in_vain) = work.await.map_err(|error| Failure::from_error(&error))??;
        for pattern in in_vain {
            cx.error(format!("Warning: no file matches {pattern}"))
                .await;
        }
        let text = format!("Using these artifact files: {}", listed(&files));
        cx.say(text).await;
        Ok(PostProcessed {
            artifact: Some(Artifact {
                builder_id: "packer.post-processor.artifice".to_owned(),
                description: format!("Created artifact from files: {}", listed(&files)),
                destroy: files.clone(),
                files,
                state: Value::null(),
                ..Artifact::default()
            }),
            keep_input: true,
            force_keep_input: false,
        })
    }
}

/// The files that match, in the order of the patterns, each once; and the patterns that match none.
fn matches(patterns: &[String]) -> Result<(Vec<PathBuf>, Vec<String>), Failure> {
    let (mut files, mut in_vain): (Vec<PathBuf>, _) = (Vec::new(), Vec::new());
    for pattern in patterns {
        let found = glob::glob(pattern).map_err(|error| Failure::from_error(&error))?;
        let found = found.collect::<Result<Vec<_>, _>>();
        let found = found.map_err(|error| Failure::from_error(&error))?;
        if found.is_empty() {
            in_vain.push(pattern.clone());
        }
        for path in found {
            if !files.contains(&path) {
                files.push(path);
            }
        }
    }
    Ok((files, in_vain))
}

fn listed(files: &[PathBuf]) -> String {
    let names = files.iter().map(|file| file.display().to_string());
    names.collect::<Vec<_>>().join(", ")
}
