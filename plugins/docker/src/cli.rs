//! The `docker` program, or one that understands the same words.
//!
//! # Source
//!
//! Packer's Docker plugin: the command lines.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiln_sdk::program::{Ended, Input, Program};
use kiln_sdk::{Failure, RunContext, Secret};

/// From this version on a password can be read from standard input.
const PASSWORD_STDIN: [u64; 3] = [17, 7, 0];
/// Until this version a tag that exists has to be taken by force.
const TAG_FORCE: [u64; 3] = [1, 12, 0];
/// The longest a logout may take, which also happens after a cancellation.
const LOGOUT_LIMIT: Duration = Duration::from_secs(30);

/// The program, and the folder of its configuration.
pub(crate) struct Docker {
    /// Its path or name.
    pub(crate) path: String,
    /// A configuration of its own; `None` for the user's.
    pub(crate) config_dir: Option<PathBuf>,
}

impl Docker {
    /// The program with the user's configuration.
    pub(crate) fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            config_dir: None,
        }
    }

    fn program(&self, words: &[&str]) -> Program {
        let mut program = Program::new(self.path.as_str());
        if let Some(folder) = &self.config_dir {
            program = program.arg("--config").arg(folder.display().to_string());
        }
        program.args(words.iter().copied())
    }

    /// Major, minor and patch.
    pub(crate) async fn version(&self, cx: &RunContext) -> Result<[u64; 3], Failure> {
        let ended = Program::new(self.path.as_str())
            .arg("-v")
            .collect(cx)
            .await?;
        version_in(&ended.stdout)
            .ok_or_else(|| Failure::new(format!("unknown version: {}", ended.stdout.trim())))
    }

    /// Imports a tar as the image `name`; gives its id.
    pub(crate) async fn import(
        &self,
        cx: &RunContext,
        file: &Path,
        changes: &[String],
        platform: &str,
        name: &str,
    ) -> Result<String, Failure> {
        let mut program = self.program(&["import"]);
        for change in changes {
            program = program.arg("--change").arg(change);
        }
        if !platform.is_empty() {
            program = program.arg("--platform").arg(platform);
        }
        let program = program
            .args(["-", name])
            .input(Input::File(file.to_owned()));
        let ended = succeeded("importing container", program.collect(cx).await?)?;
        Ok(ended.stdout.trim().to_owned())
    }

    /// Gives the image `id` another name.
    pub(crate) async fn tag(
        &self,
        cx: &RunContext,
        id: &str,
        name: &str,
        by_force: ByForce,
    ) -> Result<(), Failure> {
        let mut program = self.program(&["tag"]);
        if by_force == ByForce::Yes {
            if self.version(cx).await? < TAG_FORCE {
                program = program.arg("-f");
            } else {
                tracing::warn!("`force` is not needed since Docker 1.12");
            }
        }
        let ended = program.args([id, name]).collect(cx).await?;
        succeeded("tagging image", ended).map(drop)
    }

    /// Logs in; the password is not seen by other users of this machine.
    pub(crate) async fn login(
        &self,
        cx: &RunContext,
        server: &str,
        user: &str,
        password: &Secret<String>,
    ) -> Result<(), Failure> {
        let mut program = self.program(&["login"]);
        if !user.is_empty() {
            program = program.args(["-u", user]);
        }
        if !password.is_empty() {
            let text = password.expose().as_str();
            if self.version(cx).await? >= PASSWORD_STDIN {
                let input = Input::Bytes(text.as_bytes().to_vec());
                program = program.arg("--password-stdin").input(input);
            } else {
                program = program.args(["-p", text]);
            }
        }
        if !server.is_empty() {
            program = program.arg(server);
        }
        let ended = program.show(cx).await?;
        if ended.is_success() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "Error logging in to Docker: `{} login` ended with status {}: {}",
            self.path,
            ended.code,
            ended.stderr.trim()
        )))
    }

    /// Logs out again.
    pub(crate) async fn logout(&self, cx: &RunContext, server: &str) -> Result<(), Failure> {
        let mut program = self.program(&["logout"]).limit(LOGOUT_LIMIT);
        if !server.is_empty() {
            program = program.arg(server);
        }
        succeeded("logging out", program.show(cx).await?).map(drop)
    }

    /// Uploads the image `name`.
    pub(crate) async fn push(
        &self,
        cx: &RunContext,
        name: &str,
        platform: &str,
    ) -> Result<(), Failure> {
        let mut program = self.program(&["push", name]);
        if !platform.is_empty() {
            program = program.args(["--platform", platform]);
        }
        succeeded(&format!("pushing {name}"), program.show(cx).await?).map(drop)
    }

    /// Writes the image `id` as a tar into `file`.
    pub(crate) async fn save(&self, cx: &RunContext, id: &str, file: File) -> Result<(), Failure> {
        let ended = self.program(&["save", id]).write_to(cx, file).await?;
        succeeded("exporting", ended).map(drop)
    }

    /// Builds an image; gives its id.
    pub(crate) async fn build(
        &self,
        cx: &RunContext,
        arguments: &[String],
    ) -> Result<String, Failure> {
        let file = tempfile::NamedTempFile::new()
            .map_err(|error| Failure::new(format!("failed to create image ID file: {error}")))?;
        let place = file.path().display().to_string();
        let program = self.program(&["build", "--iidfile", &place]);
        let ended = program.args(arguments.iter().cloned()).show(cx).await?;
        succeeded("building the image", ended)?;
        let id = std::fs::read_to_string(file.path()).map_err(|error| {
            Failure::new(format!(
                "failed to read image ID from file \"{place}\": {error}"
            ))
        })?;
        Ok(id.trim().to_owned())
    }

    /// Downloads the image `name`.
    pub(crate) async fn pull(
        &self,
        cx: &RunContext,
        name: &str,
        platform: &str,
    ) -> Result<(), Failure> {
        let mut program = self.program(&["pull", name]);
        if !platform.is_empty() {
            program = program.args(["--platform", platform]);
        }
        succeeded("pulling Docker image", program.show(cx).await?).map(drop)
    }

    /// Makes an image of a container; gives its id.
    pub(crate) async fn commit(
        &self,
        cx: &RunContext,
        id: &str,
        author: &str,
        changes: &[String],
        message: &str,
    ) -> Result<String, Failure> {
        let mut program = self.program(&["commit"]);
        if !author.is_empty() {
            program = program.args(["--author", author]);
        }
        for change in changes {
            program = program.args(["--change", change]);
        }
        if !message.is_empty() {
            program = program.args(["--message", message]);
        }
        let ended = succeeded("committing container", program.arg(id).collect(cx).await?)?;
        Ok(ended.stdout.trim().to_owned())
    }

    /// Writes the files of a container as a tar into `file`.
    pub(crate) async fn export(
        &self,
        cx: &RunContext,
        id: &str,
        file: File,
    ) -> Result<(), Failure> {
        let ended = self.program(&["export", id]).write_to(cx, file).await?;
        succeeded("exporting", ended).map(drop)
    }

    /// Removes an image.
    pub(crate) async fn remove_image(&self, cx: &RunContext, id: &str) -> Result<(), Failure> {
        let ended = self.program(&["rmi", id]).collect(cx).await?;
        succeeded("removing image", ended).map(drop)
    }

    /// What the engine knows of `id`, in the form of a Go template.
    pub(crate) async fn inspect(
        &self,
        cx: &RunContext,
        id: &str,
        format: &str,
    ) -> Result<String, Failure> {
        let program = self.program(&["inspect", "--format", format, id]);
        let ended = succeeded(&format!("inspecting {id}"), program.collect(cx).await?)?;
        Ok(ended.stdout.trim().to_owned())
    }
}

/// Whether a name is taken from another image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByForce {
    Yes,
    No,
}

fn succeeded(what: &str, ended: Ended) -> Result<Ended, Failure> {
    if ended.is_success() {
        return Ok(ended);
    }
    Err(Failure::new(format!(
        "Error {what}: exit status {}\nStderr: {}",
        ended.code,
        ended.stderr.trim()
    )))
}

/// The first `1.2` or `1.2.3` in a text.
fn version_in(text: &str) -> Option<[u64; 3]> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .find_map(|word| {
            let mut numbers = word.split('.').map(str::parse);
            let major = numbers.next()?.ok()?;
            let minor = numbers.next()?.ok()?;
            let patch = numbers.next().and_then(Result::ok).unwrap_or(0);
            Some([major, minor, patch])
        })
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn versions_of_docker_and_podman_are_read() {
        for (text, version) in [
            ("Docker version 28.2.2, build e6534b4", Some([28, 2, 2])),
            (
                "Docker version 20.10.24+dfsg1, build 297e128",
                Some([20, 10, 24]),
            ),
            ("podman version 4.3", Some([4, 3, 0])),
            ("Docker version 1.9.1, build a34a1d5", Some([1, 9, 1])),
            ("something else", None),
        ] {
            assert_eq!(version_in(text), version, "{text}");
        }
    }
}
