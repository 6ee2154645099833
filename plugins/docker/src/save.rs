//! The `docker-save` post-processor: an image as a file.

use std::fs::File;
use std::path::{Path, PathBuf};

use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostic, Draft, Failure, PostProcessed, PostProcessor,
    Prepared, RunContext, Value,
};

use crate::cli::Docker;
use crate::identity::{IMPORTED, TAGGED};

/// Saves an image with its layers, for `docker load`.
#[derive(Debug, Clone, Config)]
pub(crate) struct SaveConfig {
    /// The file to write. Its folder has to exist; the file has its name when it is complete.
    #[config(required)]
    pub(crate) path: PathBuf,
    /// The program to use, `podman` for example.
    #[config(default = "docker")]
    pub(crate) docker_path: String,
}

/// The post-processor.
pub(crate) struct DockerSave;

impl PostProcessor for DockerSave {
    type Config = SaveConfig;

    fn prepare(&self, config: &mut SaveConfig, _build: &BuildInfo) -> Prepared {
        let mut problems = Vec::new();
        if config.path.as_os_str().is_empty() {
            let detail = "path must be set.";
            problems.push(Diagnostic::error("Missing value", detail).on("path"));
        }
        problems.into()
    }

    async fn post_process(
        &self,
        cx: RunContext,
        config: SaveConfig,
        input: Artifact,
        _generated: Value,
    ) -> Result<PostProcessed, Failure> {
        if input.builder_id != IMPORTED && input.builder_id != TAGGED {
            return Err(Failure::new(format!(
                "an artifact of `{}` cannot be used here\nOnly images of Docker can be saved.",
                input.builder_id
            )));
        }
        cx.say(format!("Saving image: {}", input.id)).await;
        let docker = Docker::new(&config.docker_path);
        write_whole(&cx, &config.path, async |file| {
            docker.save(&cx, &input.id, file).await
        })
        .await?;
        cx.say(format!("Saved to: {}", config.path.display())).await;
        Ok(PostProcessed {
            artifact: Some(input),
            keep_input: true,
            force_keep_input: false,
        })
    }
}

/// Writes a file that has its name only when it is complete; nothing of it is left otherwise.
pub(crate) async fn write_whole(
    cx: &RunContext,
    target: &Path,
    write: impl AsyncFnOnce(File) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::new(format!("Error creating output file: {error}"));
    let draft = Draft::of(cx, target).await?;
    let written = match draft.create(0o666) {
        Ok(file) => write(file).await,
        Err(error) => Err(failed(error)),
    };
    let written = written.and_then(|()| draft.persist().map_err(failed));
    draft.end().await;
    written
}
