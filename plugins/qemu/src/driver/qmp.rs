//! QEMU's control protocol, as far as it is needed.
//!
//! # Source
//!
//! QEMU Machine Protocol specification: JSON objects, one per line; a greeting, then commands with
//! `return` or `error` answers, and events in between.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::Instant;

/// Time for each answer.
const LIMIT: Duration = Duration::from_secs(10);
/// Time for QEMU to listen after it has started.
const START_LIMIT: Duration = Duration::from_secs(5);
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// The control protocol failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum QmpError {
    /// There is no connection.
    #[error("cannot connect to QEMU's control socket `{}`", socket.display())]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The connection broke.
    #[error("the connection to QEMU's control socket broke during `{command}`")]
    Broken {
        /// What was under way.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// QEMU refused a command.
    #[error("QEMU refused `{command}`: {description}")]
    Refused {
        /// The command.
        command: String,
        /// Class of the error, for example `CommandNotFound`.
        class: String,
        /// In QEMU's words.
        description: String,
    },
}

/// A connection to QEMU's control socket.
#[derive(Debug)]
pub(crate) struct Qmp {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

impl Qmp {
    /// Connects and agrees on the protocol; tries again while QEMU is not listening yet.
    ///
    /// # Errors
    ///
    /// When nobody listens or it is not QEMU.
    pub(crate) async fn connect(socket: &Path) -> Result<Self, QmpError> {
        let failed = |source| QmpError::Connect {
            socket: socket.to_owned(),
            source,
        };
        let deadline = Instant::now() + START_LIMIT;
        let stream = loop {
            match UnixStream::connect(socket).await {
                Ok(stream) => break stream,
                Err(error) if Instant::now() >= deadline => return Err(failed(error)),
                Err(_) => tokio::time::sleep(RETRY_PAUSE).await,
            }
        };
        let (reader, writer) = stream.into_split();
        let mut qmp = Self {
            reader: BufReader::new(reader),
            writer,
        };
        let greeting = qmp.message("greeting").await?;
        if greeting.get("QMP").is_none() {
            return Err(failed(io::ErrorKind::InvalidData.into()));
        }
        qmp.execute("qmp_capabilities", json!({})).await?;
        Ok(qmp)
    }

    /// Runs a command and returns its answer.
    ///
    /// # Errors
    ///
    /// [`QmpError::Refused`] in QEMU's words, [`QmpError::Broken`] when there is no answer in time.
    pub(crate) async fn execute(
        &mut self,
        command: &str,
        arguments: Value,
    ) -> Result<Value, QmpError> {
        let broken = |source| QmpError::Broken {
            command: command.to_owned(),
            source,
        };
        let mut line = json!({ "execute": command, "arguments": arguments }).to_string();
        line.push('\n');
        self.writer
            .write_all(line.as_bytes())
            .await
            .map_err(broken)?;
        loop {
            let mut message = self.message(command).await?;
            if let Some(answer) = message.get_mut("return") {
                return Ok(answer.take());
            }
            if let Some(error) = message.get("error") {
                let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
                return Err(QmpError::Refused {
                    command: command.to_owned(),
                    class: text("class"),
                    description: text("desc"),
                });
            }
            tracing::debug!(event = message["event"].as_str(), "an event of the machine");
        }
    }

    /// Protects the screen with a password.
    ///
    /// # Errors
    ///
    /// As for [`Qmp::execute`].
    pub(crate) async fn set_vnc_password(&mut self, password: &str) -> Result<(), QmpError> {
        let old = self
            .execute("change-vnc-password", json!({ "password": password }))
            .await;
        match old {
            Err(QmpError::Refused { class, .. }) if class == "CommandNotFound" => {
                let arguments = json!({ "protocol": "vnc", "password": password });
                self.execute("set_password", arguments).await.map(drop)
            }
            other => other.map(drop),
        }
    }

    /// The hardware address of the network device on `netdev`; none when there is no such device.
    ///
    /// # Errors
    ///
    /// As for [`Qmp::execute`].
    pub(crate) async fn hardware_address(
        &mut self,
        netdev: &str,
    ) -> Result<Option<String>, QmpError> {
        for folder in ["/machine/peripheral", "/machine/peripheral-anon"] {
            let devices = self.execute("qom-list", json!({ "path": folder })).await?;
            for device in devices.as_array().into_iter().flatten() {
                let Some(name) = device["name"].as_str() else {
                    continue;
                };
                let path = format!("{folder}/{name}");
                if self.property(&path, "netdev").await?.as_deref() == Some(netdev) {
                    return self.property(&path, "mac").await;
                }
            }
        }
        Ok(None)
    }

    /// A text property of a device; none when it has no such property.
    async fn property(&mut self, path: &str, name: &str) -> Result<Option<String>, QmpError> {
        match self
            .execute("qom-get", json!({ "path": path, "property": name }))
            .await
        {
            Ok(value) => Ok(value.as_str().map(str::to_owned)),
            Err(QmpError::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn message(&mut self, command: &str) -> Result<Value, QmpError> {
        let broken = |source| QmpError::Broken {
            command: command.to_owned(),
            source,
        };
        let mut line = String::new();
        let read = tokio::time::timeout(LIMIT, self.reader.read_line(&mut line))
            .await
            .map_err(|_| broken(io::ErrorKind::TimedOut.into()))?
            .map_err(broken)?;
        if read == 0 {
            return Err(broken(io::ErrorKind::UnexpectedEof.into()));
        }
        serde_json::from_str(&line).map_err(|error| broken(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A QEMU that answers `answers` in turn; returns what it was asked.
    async fn check(answers: &[&str], password: &str) -> (Result<(), QmpError>, Vec<String>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("qmp");
        let listener = tokio::net::UnixListener::bind(&socket).expect("bound");
        let server = async {
            let (stream, _) = listener.accept().await.expect("accepted");
            let (reader, mut writer) = stream.into_split();
            let mut lines = BufReader::new(reader).lines();
            writer
                .write_all(b"{\"QMP\":{\"version\":{}}}\n")
                .await
                .expect("written");
            let mut asked = Vec::new();
            for answer in answers {
                let Ok(Some(line)) = lines.next_line().await else {
                    break;
                };
                asked.push(line);
                writer
                    .write_all(format!("{answer}\n").as_bytes())
                    .await
                    .expect("written");
            }
            asked
        };
        let client = async {
            let mut qmp = Qmp::connect(&socket).await?;
            qmp.set_vnc_password(password).await
        };
        tokio::join!(client, server)
    }

    #[tokio::test]
    async fn sets_the_password_and_passes_over_events() {
        let answers = ["{\"return\":{}}", "{\"event\":\"RESUME\"}\n{\"return\":{}}"];
        let (result, asked) = check(&answers, "secret").await;
        result.expect("it is set");
        assert_eq!(
            asked[1],
            r#"{"execute":"change-vnc-password","arguments":{"password":"secret"}}"#
        );
    }

    #[tokio::test]
    async fn uses_the_new_command_where_the_old_one_is_gone() {
        let gone = r#"{"error":{"class":"CommandNotFound","desc":"gone"}}"#;
        let (result, asked) = check(&["{\"return\":{}}", gone, "{\"return\":{}}"], "pw").await;
        result.expect("it is set");
        assert!(asked[2].contains("set_password"), "{asked:?}");
    }

    #[tokio::test]
    async fn a_refusal_is_told_in_the_words_of_qemu() {
        let refused = r#"{"error":{"class":"GenericError","desc":"VNC is off"}}"#;
        let (result, _) = check(&["{\"return\":{}}", refused], "pw").await;
        let error = result.expect_err("refused");
        assert_eq!(
            error.to_string(),
            "QEMU refused `change-vnc-password`: VNC is off"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_nobody_listens_on_is_named() {
        let error = Qmp::connect(Path::new("/nonexistent/qmp"))
            .await
            .expect_err("nobody");
        assert!(error.to_string().contains("/nonexistent/qmp"), "{error}");
    }
}
