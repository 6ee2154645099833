//! What a plugin says about itself.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use sdk_packer_protocol::Kind;
use sdk_packer_protocol::spec::Encoding;
use serde::Deserialize;

use crate::process::keep_from_plugins;

/// How long a plugin may take; below the host's limit for this process.
const LIMIT: Duration = Duration::from_secs(8);
/// The longest description, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// What stands for the plugin's own name.
const DEFAULT_NAME: &str = "-packer-default-plugin-name-";
/// What plugins say that know protobuf.
const PROTOBUF: &str = "v2";

/// A plugin does not say what it offers.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DescribeError {
    /// It could not be started.
    #[error("cannot start `{}`", path.display())]
    Start {
        /// The executable.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It did not end.
    #[error("`{} describe` did not end within {} s", path.display(), LIMIT.as_secs())]
    Slow {
        /// The executable.
        path: PathBuf,
    },
    /// What it printed is no description.
    #[error("`{} describe` printed no description of a plugin", path.display())]
    Malformed {
        /// The executable.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// Output of `describe`; hosts are to ignore what they do not know.
#[derive(Debug, Deserialize)]
pub(crate) struct Description {
    /// Semantic version.
    pub(crate) version: String,
    #[serde(default)]
    builders: Vec<String>,
    #[serde(default)]
    provisioners: Vec<String>,
    #[serde(default)]
    post_processors: Vec<String>,
    #[serde(default)]
    datasources: Vec<String>,
    #[serde(default)]
    protocol_version: String,
}

/// One component.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Offered {
    /// Kind.
    pub(crate) kind: Kind,
    /// As the plugin calls it.
    pub(crate) raw_name: String,
    /// As templates call it.
    pub(crate) name: String,
}

impl Description {
    /// Asks the plugin at `path`.
    pub(crate) fn of(path: &Path) -> Result<Self, DescribeError> {
        let start = |source| DescribeError::Start {
            path: path.to_owned(),
            source,
        };
        let mut command = Command::new(path);
        keep_from_plugins(&mut command);
        let child = command
            .arg("describe")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(start)?;
        let output = output_of(child).map_err(start)?;
        let output = output.ok_or_else(|| DescribeError::Slow {
            path: path.to_owned(),
        })?;
        serde_json::from_slice(&output).map_err(|source| DescribeError::Malformed {
            path: path.to_owned(),
            source,
        })
    }

    /// How it encodes its descriptions when it is asked for its best.
    pub(crate) fn encoding(&self) -> Encoding {
        if self.protocol_version == PROTOBUF {
            Encoding::Protobuf
        } else {
            Encoding::Gob
        }
    }

    /// Everything it offers; templates put `family` before the names.
    pub(crate) fn components(&self, family: &str) -> Vec<Offered> {
        let kinds = [
            (Kind::Builder, &self.builders),
            (Kind::Provisioner, &self.provisioners),
            (Kind::PostProcessor, &self.post_processors),
            (Kind::Datasource, &self.datasources),
        ];
        let all = kinds
            .into_iter()
            .flat_map(|(kind, names)| names.iter().map(move |name| (kind, name)));
        all.map(|(kind, raw_name)| Offered {
            kind,
            raw_name: raw_name.clone(),
            name: if raw_name == DEFAULT_NAME {
                family.to_owned()
            } else {
                format!("{family}-{raw_name}")
            },
        })
        .collect()
    }
}

/// Standard output of `child` up to its end; `None` when that did not come in time.
fn output_of(mut child: Child) -> std::io::Result<Option<Vec<u8>>> {
    let stdout = child.stdout.take().expect("it was asked for");
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut output = Vec::new();
        let read = stdout.take(MAX_BYTES).read_to_end(&mut output);
        // Nobody waits any more after the limit.
        drop(sender.send(read.map(|_| output)));
    });
    let output = receiver.recv_timeout(LIMIT);
    crate::process::kill_group(child.id());
    child.wait()?;
    match output {
        Ok(output) => output.map(Some),
        Err(_) => Ok(None),
    }
}

/// The name in a file name `packer-plugin-NAME_v…`, or the whole of another one.
pub(crate) fn name_of(path: &Path) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let name = file.strip_prefix("packer-plugin-").unwrap_or(&file);
    name.split_once("_v")
        .map_or(name, |(name, _)| name)
        .to_owned()
}

/// Tells the host, in its form of a log line, why nothing can be offered.
pub(crate) fn complain(error: &DescribeError) {
    let message = kiln_sdk::Failure::from_error(error).message;
    let line = serde_json::json!({ "level": "ERROR", "fields": { "message": message } });
    // Nobody can be told when standard error is closed.
    drop(writeln!(std::io::stderr(), "{line}"));
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sdk_packer_protocol::Kind;
    use sdk_packer_protocol::spec::Encoding;

    use super::{Description, name_of};

    fn described(text: &str) -> Description {
        serde_json::from_str(text).expect("it is a description")
    }

    #[test]
    fn components_are_named_after_the_plugin() {
        let described = described(
            r#"{"version":"1.2.3-dev","sdk_version":"0.6.10","api_version":"x5.0","later":1,
            "builders":["-packer-default-plugin-name-","bld"],"post_processors":["pp"],
            "provisioners":[],"datasources":["ds"],"protocol_version":"v2"}"#,
        );
        assert_eq!(described.encoding(), Encoding::Protobuf);
        let components = described.components("mine");
        let names: Vec<_> = components
            .iter()
            .map(|it| (it.kind, it.name.as_str()))
            .collect();
        let expected = [
            (Kind::Builder, "mine"),
            (Kind::Builder, "mine-bld"),
            (Kind::PostProcessor, "mine-pp"),
            (Kind::Datasource, "mine-ds"),
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn older_plugins_know_gob_only() {
        let described = described(r#"{"version":"1.0.0","builders":["a"]}"#);
        assert_eq!(described.encoding(), Encoding::Gob);
    }

    #[test]
    fn the_name_is_in_the_file_name() {
        let path = Path::new("/p/packer-plugin-git-hub_v1.0.0_x5.0_linux_amd64");
        assert_eq!(name_of(path), "git-hub");
        assert_eq!(name_of(Path::new("/p/other")), "other");
    }
}
