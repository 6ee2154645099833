//! The `docker-import` post-processor: an exported container as an image.

use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostic, Failure, PostProcessed, PostProcessor, Prepared,
    RunContext, Value,
};

use crate::cli::Docker;
use crate::identity::{ARTIFICE, EXPORTED, IMPORTED, generated, image};

/// Imports a tar that the `docker` builder exported, or any other tar of a root file system, into
/// the engine.
#[derive(Debug, Clone, Config)]
pub(crate) struct ImportConfig {
    /// Name of the image, for example `registry.example.com/team/app`.
    #[config(required)]
    pub(crate) repository: String,
    /// Its tag; `latest` when it is not set.
    pub(crate) tag: String,
    /// Instructions of a Dockerfile to apply: `CMD`, `ENTRYPOINT`, `ENV`, `EXPOSE`, `USER`, ….
    pub(crate) changes: Vec<String>,
    /// Platform of the image, for example `linux/arm64`.
    pub(crate) platform: String,
    /// The program to use, `podman` for example.
    #[config(default = "docker")]
    pub(crate) docker_path: String,
}

/// The post-processor.
pub(crate) struct DockerImport;

impl PostProcessor for DockerImport {
    type Config = ImportConfig;

    fn prepare(&self, config: &mut ImportConfig, _build: &BuildInfo) -> Prepared {
        let mut problems = Vec::new();
        if config.repository.is_empty() {
            let detail = "repository must be set.";
            problems.push(Diagnostic::error("Missing value", detail).on("repository"));
        }
        problems.into()
    }

    async fn post_process(
        &self,
        cx: RunContext,
        config: ImportConfig,
        input: Artifact,
        _generated: Value,
    ) -> Result<PostProcessed, Failure> {
        if input.builder_id != EXPORTED && input.builder_id != ARTIFICE {
            return Err(Failure::new(format!(
                "an artifact of `{}` cannot be used here\nThere is no file system to import in it: only the \
                 docker builder with `export_path` and artifice hand one over. What the docker \
                 builder commits is an image already, and needs no import.",
                input.builder_id
            )));
        }
        let Some(file) = input.files.first() else {
            return Err(Failure::new(
                "the artifact has no file: there is nothing to import",
            ));
        };
        let mut name = config.repository.clone();
        if !config.tag.is_empty() {
            name = format!("{name}:{}", config.tag);
        }
        cx.say(format!("Importing image: {}", input.id)).await;
        cx.say(format!("Repository: {name}")).await;
        let docker = Docker::new(&config.docker_path);
        let id = docker
            .import(&cx, file, &config.changes, &config.platform, &name)
            .await?;
        cx.say(format!("Imported ID: {id}")).await;
        Ok(PostProcessed {
            artifact: Some(image(&docker, IMPORTED, name, &[], generated(&input))),
            keep_input: false,
            force_keep_input: false,
        })
    }
}
