//! The `docker-tag` post-processor: more names for an image.

use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostic, Failure, PostProcessed, PostProcessor, Prepared,
    RunContext, Value,
};

use crate::cli::{ByForce, Docker};
use crate::identity::{IMPORTED, TAGGED, generated, image};

/// Gives an image names.
#[derive(Debug, Clone, Config)]
pub(crate) struct TagConfig {
    /// Name of the image without a tag.
    #[config(required)]
    pub(crate) repository: String,
    /// Its tags; without any the engine uses `latest`.
    pub(crate) tags: Vec<String>,
    /// Tags, by the option's older name; added to `tags`.
    #[config(deprecated = "use `tags`; `kiln fix` renames it in a JSON template")]
    pub(crate) tag: Vec<String>,
    /// Whether to take names from other images, where the engine (before Docker 1.12) does not do
    /// that anyway.
    pub(crate) force: bool,
    /// The program to use, `podman` for example.
    #[config(default = "docker")]
    pub(crate) docker_path: String,
}

/// The post-processor.
pub(crate) struct DockerTag;

impl PostProcessor for DockerTag {
    type Config = TagConfig;

    fn prepare(&self, config: &mut TagConfig, _build: &BuildInfo) -> Prepared {
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
        config: TagConfig,
        input: Artifact,
        _generated: Value,
    ) -> Result<PostProcessed, Failure> {
        if input.builder_id != TAGGED && input.builder_id != IMPORTED {
            return Err(Failure::new(format!(
                "an artifact of `{}` cannot be used here\nOnly images that docker-import or docker-tag named can \
                 be tagged.",
                input.builder_id
            )));
        }
        let repository = &config.repository;
        let tags = config.tags.iter().chain(&config.tag);
        let names: Vec<String> = tags.map(|tag| format!("{repository}:{tag}")).collect();
        let last = names.last().unwrap_or(repository).clone();
        let by_force = if config.force {
            ByForce::Yes
        } else {
            ByForce::No
        };
        let docker = Docker::new(&config.docker_path);
        let all = if names.is_empty() {
            std::slice::from_ref(repository)
        } else {
            &names
        };
        for name in all {
            cx.say(format!("Tagging image: {}", input.id)).await;
            cx.say(format!("Repository: {name}")).await;
            docker.tag(&cx, &input.id, name, by_force).await?;
        }
        Ok(PostProcessed {
            artifact: Some(image(&docker, TAGGED, last, &names, generated(&input))),
            keep_input: true,
            force_keep_input: true,
        })
    }
}
