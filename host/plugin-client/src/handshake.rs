//! The one line a plugin prints first.

use std::path::{Component, Path, PathBuf};

use plugin_wire::handshake::{HANDSHAKE_VERSION, PROTOCOL_MAJOR};
use serde::Deserialize;

/// The newest and only major version of the protocol this host speaks.
const MAJOR: u32 = PROTOCOL_MAJOR;

/// What the first line of a plugin is: where it listens and what it speaks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Handshake {
    /// Version of the line itself.
    kiln_plugin: u32,
    /// Majors of the protocol.
    protocol_majors: Vec<u32>,
    /// Path of the Unix socket.
    pub(crate) socket: PathBuf,
}

/// What is wrong with a handshake.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// It is not the expected JSON object.
    #[error("`{line}` is not a handshake")]
    NotJson {
        /// What was printed, cut.
        line: String,
        /// Why it cannot be read.
        source: serde_json::Error,
    },
    /// The line is of another version.
    #[error("its handshake has version {0}, this kiln reads version {HANDSHAKE_VERSION}")]
    OtherVersion(u32),
    /// Standard output was closed before a line was there.
    #[error("it closed its standard output without a word")]
    Nothing,
    /// Standard output cannot be read.
    #[error("its standard output cannot be read")]
    Unreadable(#[source] std::io::Error),
    /// The plugin is newer than this host.
    #[error("it speaks protocol {spoken}, this kiln speaks {MAJOR}; use a newer kiln")]
    PluginTooNew {
        /// The majors it speaks.
        spoken: String,
    },
    /// The plugin is older than this host.
    #[error("it speaks protocol {spoken}, this kiln speaks {MAJOR}; use a newer plugin")]
    PluginTooOld {
        /// The majors it speaks.
        spoken: String,
    },
    /// The socket is not where it has to be.
    #[error("its socket `{}` is not in the folder it was given", .0.display())]
    StraySocket(PathBuf),
}

impl Handshake {
    /// Reads the line. `folder` is the one the socket has to be in; a relative path starts there.
    pub(crate) fn parse(line: &str, folder: &Path) -> Result<Self, HandshakeError> {
        let mut read: Self = serde_json::from_str(line).map_err(|source| {
            let line = line.chars().take(200).collect();
            HandshakeError::NotJson { line, source }
        })?;
        if read.kiln_plugin != HANDSHAKE_VERSION {
            return Err(HandshakeError::OtherVersion(read.kiln_plugin));
        }
        check_majors(&read.protocol_majors)?;
        read.socket = folder.join(&read.socket);
        let inside = read.socket.strip_prefix(folder).is_ok_and(|rest| {
            rest.components().next().is_some()
                && rest
                    .components()
                    .all(|part| matches!(part, Component::Normal(_)))
        });
        if inside {
            Ok(read)
        } else {
            Err(HandshakeError::StraySocket(read.socket))
        }
    }
}

/// Whether this host can talk to a plugin that speaks `majors`.
pub(crate) fn check_majors(majors: &[u32]) -> Result<(), HandshakeError> {
    if majors.contains(&MAJOR) {
        return Ok(());
    }
    let spoken = match majors {
        [] => "nothing".to_owned(),
        majors => majors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
    };
    if majors.iter().all(|&major| major < MAJOR) {
        Err(HandshakeError::PluginTooOld { spoken })
    } else {
        Err(HandshakeError::PluginTooNew { spoken })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let text = match Handshake::parse(line, Path::new("/run/k/1")) {
            Ok(handshake) => handshake.socket.display().to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(text, expected);
    }

    #[test]
    fn reads_a_handshake() {
        check(
            r#"{"kiln_plugin":1,"protocol_majors":[1],"features":["x"],"socket":"/run/k/1/p.sock"}"#,
            "/run/k/1/p.sock",
        );
        check(
            r#"{"kiln_plugin":1,"protocol_majors":[1,2],"socket":"p.sock","more":true}"#,
            "/run/k/1/p.sock",
        );
    }

    #[test]
    fn refuses_other_lines() {
        check("hello", "`hello` is not a handshake");
        check(
            r#"{"kiln_plugin":2,"protocol_majors":[1],"socket":"p"}"#,
            "its handshake has version 2, this kiln reads version 1",
        );
        check(
            r#"{"kiln_plugin":1,"protocol_majors":[1]}"#,
            r#"`{"kiln_plugin":1,"protocol_majors":[1]}` is not a handshake"#,
        );
    }

    #[test]
    fn says_who_must_move() {
        check(
            r#"{"kiln_plugin":1,"protocol_majors":[2],"socket":"p"}"#,
            "it speaks protocol 2, this kiln speaks 1; use a newer kiln",
        );
        check(
            r#"{"kiln_plugin":1,"protocol_majors":[0],"socket":"p"}"#,
            "it speaks protocol 0, this kiln speaks 1; use a newer plugin",
        );
    }

    #[test]
    fn refuses_sockets_elsewhere() {
        check(
            r#"{"kiln_plugin":1,"protocol_majors":[1],"socket":"/tmp/p"}"#,
            "its socket `/tmp/p` is not in the folder it was given",
        );
        check(
            r#"{"kiln_plugin":1,"protocol_majors":[1],"socket":"../2/p"}"#,
            "its socket `/run/k/1/../2/p` is not in the folder it was given",
        );
    }
}
