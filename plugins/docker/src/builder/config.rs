//! The builder's options.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kiln_sdk::ssh::{CommunicatorConfig, Prepare};
use kiln_sdk::{Config, Diagnostic, Diagnostics, Template};

use crate::access::Access;

/// Name of the communicator that needs no network.
pub(crate) const EXEC: &str = "docker";
/// What stands for a value that only the build will know.
const UNKNOWN: &str = "<unknown>";

/// Starts a container, has it provisioned, and commits or exports it.
#[derive(Debug, Clone, Default, Config)]
pub(crate) struct DockerConfig {
    #[config(flatten)]
    pub(crate) communicator: CommunicatorConfig,
    #[config(flatten)]
    pub(crate) access: Access,
    /// The image to start from. Either this or `build`.
    pub(crate) image: String,
    /// The image to start from, built from a Dockerfile.
    #[config(block)]
    pub(crate) build: Option<DockerfileConfig>,
    /// Whether the result is an image. One of this, `discard` and `export_path`.
    pub(crate) commit: bool,
    /// Whether there is no result: the container is thrown away.
    pub(crate) discard: bool,
    /// The file that the container is exported to, as a tar.
    pub(crate) export_path: PathBuf,
    /// Whether to pull `image` first; true when it is not set.
    pub(crate) pull: Option<bool>,
    /// Author of the committed image.
    pub(crate) author: String,
    /// Message of the committed image.
    pub(crate) message: String,
    /// Instructions of a Dockerfile for the committed image: `CMD`, `ENTRYPOINT`, `ENV`, ….
    pub(crate) changes: Vec<String>,
    /// Folder in the container where a folder of the build is mounted.
    #[config(default = "/packer-files")]
    pub(crate) container_dir: String,
    /// Devices of this machine for the container.
    pub(crate) device: Vec<String>,
    /// Capabilities to add.
    pub(crate) cap_add: Vec<String>,
    /// Capabilities to drop.
    pub(crate) cap_drop: Vec<String>,
    /// Folders in memory to mount.
    pub(crate) tmpfs: Vec<String>,
    /// Whether the container may do everything.
    pub(crate) privileged: bool,
    /// The engine's runtime to use.
    pub(crate) runtime: String,
    /// Platform of the image, for example `linux/arm64`.
    pub(crate) platform: String,
    /// Folders of this machine to mount, with their places in the container.
    pub(crate) volumes: BTreeMap<String, String>,
    /// Whether commands get a terminal.
    pub(crate) pty: bool,
    /// Who runs commands; the image's user when it is not set.
    pub(crate) exec_user: String,
    /// Whether what is uploaded is given to the container's user.
    #[config(default = true)]
    pub(crate) fix_upload_owner: bool,
    /// The program to use, `podman` for example.
    #[config(default = "docker")]
    pub(crate) docker_path: String,
    /// Arguments of `docker run`, templates that can use `{{.Image}}`.
    #[config(default = ["-d", "-i", "-t", "--entrypoint=/bin/sh", "--", "{{.Image}}"])]
    pub(crate) run_command: Vec<Template>,
    /// Whether it is a Windows container. Those are not supported.
    pub(crate) windows_container: bool,
}

/// An image that is built first.
#[derive(Debug, Clone, Default, Config)]
pub(crate) struct DockerfileConfig {
    /// The Dockerfile.
    #[config(required)]
    pub(crate) path: PathBuf,
    /// Folder that the Dockerfile may copy from.
    #[config(default = ".")]
    pub(crate) build_dir: PathBuf,
    /// Values for the Dockerfile's `ARG`s.
    pub(crate) arguments: BTreeMap<String, String>,
    /// Whether to look for newer images that it starts from; true when it is not set.
    pub(crate) pull: Option<bool>,
    /// Whether to send `build_dir` to the engine compressed.
    pub(crate) compress: bool,
}

impl DockerConfig {
    /// Checks the options and completes them.
    pub(crate) fn prepare(&mut self) -> Diagnostics {
        if self.communicator.communicator.is_empty() {
            EXEC.clone_into(&mut self.communicator.communicator);
        }
        let mut problems = self.communicator.prepare(&Prepare {
            extra_communicators: &[EXEC],
            ..Prepare::from_environment()
        });
        problems.extend(self.access.check());
        problems.extend(self.check_image());
        problems.extend(self.check_result());
        if self.windows_container {
            let detail = "kiln does not build Windows containers.";
            let problem = Diagnostic::error("Windows containers are not supported", detail);
            problems.push(problem.on("windows_container"));
        }
        problems
    }

    fn check_image(&self) -> Diagnostics {
        let Some(build) = &self.build else {
            let missing = self.image.is_empty().then(|| {
                let detail = "A container starts from an image: name one with `image`, or \
                              describe how to make it in `build`.";
                Diagnostic::error("Missing image", detail).on("image")
            });
            return missing.into_iter().collect();
        };
        let mut problems = Diagnostics::new();
        if !self.image.is_empty() {
            let detail = "`image` names an image and `build` makes one; use one of them.";
            problems.push(Diagnostic::error("Two images", detail).on("image"));
        }
        if self.pull == Some(true) {
            let detail = "`pull` has no effect beside `build`, whose own `pull` (true unless \
                          set) decides.";
            problems.push(Diagnostic::warning("Option without effect", detail).on("pull"));
        }
        let known = |path: &PathBuf| path.as_os_str() != UNKNOWN;
        if known(&build.path) && !build.path.is_file() {
            let detail = format!("`{}` is not a file.", build.path.display());
            problems.push(Diagnostic::error("Missing Dockerfile", detail).on("build"));
        }
        if known(&build.build_dir) && !build.build_dir.is_dir() {
            let detail = format!("`{}` is not a folder.", build.build_dir.display());
            problems.push(Diagnostic::error("Missing build folder", detail).on("build"));
        }
        problems
    }

    fn check_result(&self) -> Option<Diagnostic> {
        let exported = !self.export_path.as_os_str().is_empty();
        let wanted = [
            ("commit", self.commit),
            ("discard", self.discard),
            ("export_path", exported),
        ];
        let wanted: Vec<&str> = wanted
            .into_iter()
            .filter_map(|(name, wanted)| wanted.then_some(name))
            .collect();
        match wanted.as_slice() {
            [] => {
                let detail = "Nothing is done with the container: set one of commit, discard and \
                              export_path.";
                Some(Diagnostic::error("No result", detail).on("commit"))
            }
            ["export_path"] if self.export_path.is_dir() => {
                let detail = "export_path must be a file, not a directory.";
                Some(Diagnostic::error("Not a file", detail).on("export_path"))
            }
            [_] => None,
            [_, second, ..] => {
                let detail = "Set only one of commit, discard and export_path.";
                Some(Diagnostic::error("Several results", detail).on(second))
            }
        }
    }
}
