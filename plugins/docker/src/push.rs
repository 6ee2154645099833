//! The `docker-push` post-processor: an image in a registry.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use kiln_sdk::{
    Artifact, BuildInfo, Config, Failure, PostProcessed, PostProcessor, Prepared, Resource,
    RunContext, Value,
};
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::cli::Docker;
use crate::identity::{IMPORTED, TAGGED, generated, image, tags};

/// Pushes an image under all its names.
#[derive(Debug, Clone, Config)]
pub(crate) struct PushConfig {
    #[config(flatten)]
    pub(crate) access: Access,
    /// Platform to push of an image for several, for example `linux/arm64`.
    pub(crate) platform: String,
    /// The program to use, `podman` for example.
    #[config(default = "docker")]
    pub(crate) docker_path: String,
}

/// The post-processor.
pub(crate) struct DockerPush;

impl PostProcessor for DockerPush {
    type Config = PushConfig;

    fn prepare(&self, config: &mut PushConfig, _build: &BuildInfo) -> Prepared {
        config.access.check().into()
    }

    /// # Source
    ///
    /// Packer's `docker-push`. Differs: each name is pushed once; a configuration of its own is
    /// made only for a login, so that the user's logins count otherwise.
    async fn post_process(
        &self,
        cx: RunContext,
        config: PushConfig,
        input: Artifact,
        _generated: Value,
    ) -> Result<PostProcessed, Failure> {
        if input.builder_id != IMPORTED && input.builder_id != TAGGED {
            return Err(Failure::new(format!(
                "an artifact of `{}` cannot be used here\nOnly images that docker-import or docker-tag named can \
                 be pushed; put one of them before this post-processor.",
                input.builder_id
            )));
        }
        let mut docker = Docker::new(&config.docker_path);
        let own = config.access.is_wanted() && std::env::var_os("DOCKER_CONFIG").is_none();
        let folder = if own {
            cx.say("Creating temporary Docker configuration directory")
                .await;
            let folder = config_folder(&cx);
            let held = cx.announce(Resource::directory(&folder)).await?;
            make_private(&folder)?;
            docker.config_dir = Some(folder.clone());
            Some((folder, held))
        } else {
            None
        };
        let pushed = push_all(&cx, &config, &docker, &input).await;
        if let Some((folder, held)) = folder {
            cx.say("Removing temporary Docker configuration directory")
                .await;
            if let Err(error) = std::fs::remove_dir_all(&folder) {
                cx.error(format!(
                    "Error removing temporary Docker configuration directory: {error}"
                ))
                .await;
            }
            held.release().await;
        }
        pushed?;
        let mut values = generated(&input);
        values.insert("Digest", digest(&cx, &docker, &input.id).await);
        Ok(PostProcessed {
            artifact: Some(image(
                &docker,
                IMPORTED,
                input.id.clone(),
                &tags(&input),
                values,
            )),
            keep_input: true,
            force_keep_input: false,
        })
    }
}

/// The image's digest in the registry; empty when the engine does not tell.
async fn digest(cx: &RunContext, docker: &Docker, id: &str) -> String {
    let docker = Docker::new(&docker.path);
    let found = docker
        .inspect(cx, id, "{{ ( index .RepoDigests 0 ) }}")
        .await;
    match found {
        Ok(digest) => digest,
        Err(failure) => {
            tracing::warn!(error = failure.message, "an image has no digest");
            cx.say("the registry told no digest of the image, so Digest is not known")
                .await;
            String::new()
        }
    }
}

/// A folder for one login. Two builds that push at the same time do not share it.
fn config_folder(cx: &RunContext) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("docker-config-{:x}-{number:x}", std::process::id());
    let private = &cx.build().run_dir;
    if private.as_os_str().is_empty() {
        std::env::temp_dir().join(name)
    } else {
        private.join(name)
    }
}

/// The folder will hold a password, in a form that anybody can read.
fn make_private(folder: &Path) -> Result<(), Failure> {
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .map_err(|error| {
            Failure::new(format!(
                "Error creating temporary Docker configuration directory: {error}"
            ))
        })
}

async fn push_all(
    cx: &RunContext,
    config: &PushConfig,
    docker: &Docker,
    input: &Artifact,
) -> Result<(), Failure> {
    let access = &config.access;
    if access.is_wanted() {
        let (user, password) = access.credentials(cx).await?;
        cx.say("Logging in...").await;
        docker
            .login(cx, &access.login_server, &user, &password)
            .await?;
    }
    let mut names = vec![input.id.clone()];
    for tag in tags(input) {
        if !names.contains(&tag) {
            names.push(tag);
        }
    }
    let mut pushed = Ok(());
    for name in &names {
        cx.say(format!("Pushing: {name}")).await;
        pushed = docker.push(cx, name, &config.platform).await;
        if pushed.is_err() {
            break;
        }
    }
    if access.is_wanted() {
        cx.say("Logging out...").await;
        // Also after a cancellation: nobody should stay logged in.
        let cx = cx.with_cancel(CancellationToken::new());
        if let Err(failure) = docker.logout(&cx, &access.login_server).await {
            cx.error(format!("Error logging out: {}", failure.message))
                .await;
        }
    }
    pushed
}
