//! What plugins made for Packer say when they are asked by `PLUGIN describe`.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::isolation::Isolation;
use crate::open_files::restore_open_files;
use host_template::ComponentKind;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest answer, in bytes.
const ANSWER_LIMIT: u64 = 1 << 20;
/// How much of what it writes to standard error is told.
const STDERR_LIMIT: u64 = 2000;
/// The component that is called as its plugin is.
const DEFAULT_NAME: &str = "-packer-default-plugin-name-";

/// What a plugin made for Packer says about itself.
///
/// # Source
///
/// `PLUGIN describe` of packer-plugin-sdk 0.2.0 to 0.6.10; keys that are not here are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackerDescription {
    /// Semantic version, as a rule without `v`.
    pub version: String,
    /// Version of the SDK it was built with.
    #[serde(default)]
    pub sdk_version: String,
    /// Version of the protocol: `x5.0`.
    pub api_version: String,
    /// Names of its builders.
    #[serde(default, deserialize_with = "or_nothing")]
    pub builders: Vec<String>,
    /// Names of its post-processors.
    #[serde(default, deserialize_with = "or_nothing")]
    pub post_processors: Vec<String>,
    /// Names of its provisioners.
    #[serde(default, deserialize_with = "or_nothing")]
    pub provisioners: Vec<String>,
    /// Names of its data sources.
    #[serde(default, deserialize_with = "or_nothing")]
    pub datasources: Vec<String>,
    /// `v2` when it can send schemas as protobuf messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<String>,
}

/// Go writes an empty list as `null` where it was never made.
fn or_nothing<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// Why a plugin made for Packer did not say anything of use about itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescribeFailure {
    /// It cannot be started.
    #[error("it cannot be started")]
    Start(#[source] io::Error),
    /// What it says cannot be read.
    #[error("what it says cannot be read")]
    Read(#[source] io::Error),
    /// It takes too long.
    #[error("`describe` does not end within {} s", .0.as_secs())]
    TooSlow(Duration),
    /// It says too much.
    #[error("`describe` prints more than {ANSWER_LIMIT} bytes")]
    TooLong,
    /// It fails.
    #[error("`describe` fails with {status}: {}", or_none(stderr))]
    Status {
        /// How it ended.
        status: std::process::ExitStatus,
        /// The beginning of what it wrote to standard error.
        stderr: String,
    },
    /// What it says is no description.
    #[error("`describe` does not print a description")]
    Json(#[source] serde_json::Error),
    /// A name of a component cannot be one.
    #[error("it has a component of the name {0:?}, which no template can use")]
    Name(String),
}

fn or_none(text: &str) -> &str {
    match text.trim() {
        "" => "it gives no reason",
        text => text,
    }
}

impl PackerDescription {
    /// Asks the plugin in the file `path`, which has to be absolute. Whatever it starts is ended. It
    /// is confined unless nothing is: nobody has used it yet.
    ///
    /// # Errors
    ///
    /// [`DescribeFailure`].
    ///
    /// # Panics
    ///
    /// Never: both outputs are pipes.
    pub async fn ask(
        path: &Path,
        isolation: &Isolation,
        limit: Duration,
    ) -> Result<Self, DescribeFailure> {
        let mut child = isolation
            .describing(path)
            .arg("describe")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(DescribeFailure::Start)?;
        restore_open_files(child.id());
        let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let _end = GroupEnd(group);
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let stderr = child.stderr.take().expect("standard error is a pipe");
        let work = async {
            let (answer, stderr) = tokio::join!(
                start_of(stdout, ANSWER_LIMIT + 1),
                start_of(stderr, STDERR_LIMIT)
            );
            let answer = answer.map_err(DescribeFailure::Read)?;
            if answer.len() as u64 > ANSWER_LIMIT {
                return Err(DescribeFailure::TooLong);
            }
            let status = child.wait().await.map_err(DescribeFailure::Read)?;
            if !status.success() {
                let stderr = stderr.unwrap_or_default();
                return Err(DescribeFailure::Status {
                    status,
                    stderr: String::from_utf8_lossy(&stderr).into_owned(),
                });
            }
            Ok(answer)
        };
        let answer = tokio::time::timeout(limit, work).await;
        Self::read(&answer.map_err(|_| DescribeFailure::TooSlow(limit))??)
    }

    fn read(answer: &[u8]) -> Result<Self, DescribeFailure> {
        let read: Self = serde_json::from_slice(answer).map_err(DescribeFailure::Json)?;
        let wrong = read.raw_names().map(|(_, name)| name).find(|name| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            name.is_empty() || name.len() > 200 || !name.chars().all(allowed)
        });
        match wrong {
            Some(name) => Err(DescribeFailure::Name(name.chars().take(200).collect())),
            None => Ok(read),
        }
    }

    /// Kind and name of every component when templates call the plugin `plugin`: `amazon-ebs`.
    #[must_use]
    pub fn components(&self, plugin: &str) -> Vec<(ComponentKind, String)> {
        let named = |name: &str| match name {
            DEFAULT_NAME => plugin.to_owned(),
            name => format!("{plugin}-{name}"),
        };
        self.raw_names()
            .map(|(kind, name)| (kind, named(name)))
            .collect()
    }

    fn raw_names(&self) -> impl Iterator<Item = (ComponentKind, &String)> {
        let of = |kind: ComponentKind, names| -> Vec<_> {
            let names: &Vec<String> = names;
            names.iter().map(|name| (kind, name)).collect()
        };
        of(ComponentKind::Builder, &self.builders)
            .into_iter()
            .chain(of(ComponentKind::Provisioner, &self.provisioners))
            .chain(of(ComponentKind::PostProcessor, &self.post_processors))
            .chain(of(ComponentKind::DataSource, &self.datasources))
    }
}

async fn start_of(pipe: impl AsyncRead + Unpin, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.take(limit).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// Ends a process group when it is dropped.
struct GroupEnd(Option<Pid>);

impl Drop for GroupEnd {
    fn drop(&mut self) {
        // As a rule there is nobody left in it.
        if let Some(group) = self.0
            && let Err(error) = kill_process_group(group, Signal::KILL)
            && error != rustix::io::Errno::SRCH
        {
            tracing::debug!(%error, "cannot end what a plugin started");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    async fn ask(script: &str, limit: Duration) -> Result<PackerDescription, DescribeFailure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugin");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        PackerDescription::ask(&path, &Isolation::default(), limit).await
    }

    async fn fails(script: &str, expected: &str) {
        let error = ask(script, Duration::from_secs(20)).await.unwrap_err();
        let text = crate::error::chain(&error);
        assert!(text.contains(expected), "{script}: {text}");
    }

    #[tokio::test]
    async fn a_description_is_read() {
        let text = r#"{"version":"1.2.3-dev","sdk_version":"0.6.10","api_version":"x5.0","builders":["-packer-default-plugin-name-","bld"],"post_processors":["pp"],"provisioners":null,"datasources":[],"protocol_version":"v2"}"#;
        let script = format!("[ \"$1\" = describe ] && echo '{text}'");
        let found = ask(&script, Duration::from_secs(20)).await.unwrap();
        assert_eq!(found.version, "1.2.3-dev");
        let names = found.components("pyx");
        assert_eq!(
            names,
            [
                (ComponentKind::Builder, "pyx".to_owned()),
                (ComponentKind::Builder, "pyx-bld".to_owned()),
                (ComponentKind::PostProcessor, "pyx-pp".to_owned()),
            ]
        );
    }

    #[tokio::test]
    async fn what_is_no_description_is_refused() {
        fails("echo oops >&2; exit 3", "exit status: 3: oops").await;
        fails("exit 3", "it gives no reason").await;
        fails("echo hello", "does not print a description: expected value").await;
        fails("yes", "more than 1048576 bytes").await;
        fails(
            r#"echo '{"version":"1.0.0","api_version":"x5.0","builders":["a b"]}'"#,
            "a component of the name \"a b\"",
        )
        .await;
        let slow = ask("sleep 600", Duration::from_millis(50))
            .await
            .unwrap_err();
        assert!(matches!(slow, DescribeFailure::TooSlow(_)), "{slow:?}");
    }
}
