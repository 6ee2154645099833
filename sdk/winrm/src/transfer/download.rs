//! Files and trees from the guest.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sdk_communicator::tree::{self, Entries, Entry, Producer, is_excluded, relative_path};
use sdk_communicator::{CommunicatorError, Exit, Output, Writer};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::lane::Said;
use crate::shell::{Shell, exit};
use crate::wsman::Input;

/// The longest line that is read, in bytes: a path, or 192 KiB in base64.
const LINE_BYTES: usize = 1024 * 1024;
/// Permission bits of what comes from Windows, which has none.
const FOLDER_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;

/// One thing the guest says.
#[derive(Debug, PartialEq, Eq)]
enum Item {
    Folder(String),
    File { path: String, size: u64 },
    Data(Bytes),
    Done(String),
}

/// What the guest prints, put together and checked.
struct Incoming {
    shell: Shell,
    operation: String,
    partial: Vec<u8>,
    items: std::collections::VecDeque<Item>,
    said: Said,
    hash: Sha256,
    exit: Option<Exit>,
    /// Whether the last line was the one that ends a complete transfer.
    complete: bool,
}

impl Incoming {
    async fn start(
        mut shell: Shell,
        line: &str,
        operation: String,
    ) -> Result<Self, CommunicatorError> {
        let started = shell.start(line, Input::Console).await;
        started.map_err(|error| CommunicatorError::Refused {
            operation: operation.clone(),
            message: error.to_string(),
        })?;
        Ok(Self {
            shell,
            operation,
            partial: Vec::new(),
            items: std::collections::VecDeque::new(),
            said: Said::default(),
            hash: Sha256::new(),
            exit: None,
            complete: false,
        })
    }

    fn refused(&self, message: &str) -> CommunicatorError {
        CommunicatorError::Refused {
            operation: self.operation.clone(),
            message: message.to_owned(),
        }
    }

    /// The next item; nothing when all has come and is what the guest sent.
    async fn next(&mut self) -> Result<Option<Item>, CommunicatorError> {
        loop {
            match self.items.pop_front() {
                Some(Item::Done(hash)) => {
                    let hasher = std::mem::take(&mut self.hash);
                    if hex::encode(hasher.finalize()) != hash {
                        return Err(self.refused("the bytes changed on the way (SHA-256 differs)"));
                    }
                    self.complete = true;
                }
                Some(item) => {
                    if let Item::Data(data) = &item {
                        self.hash.update(data);
                    }
                    return Ok(Some(item));
                }
                None => match &self.exit {
                    Some(exit) => {
                        self.said.judge(exit, &self.operation)?;
                        return match self.complete {
                            true => Ok(None),
                            false => Err(self.refused("its end is missing")),
                        };
                    }
                    None => self.receive().await?,
                },
            }
        }
    }

    async fn receive(&mut self) -> Result<(), CommunicatorError> {
        let received = match self.shell.receive().await {
            Ok(received) => received,
            Err(disconnected) => {
                self.exit = Some(disconnected);
                return Ok(());
            }
        };
        for piece in received.output {
            match piece {
                Output::Stdout(bytes) => self.lines(&bytes)?,
                stderr @ Output::Stderr(_) => self.said.keep(vec![stderr]),
            }
        }
        self.exit = exit(received.state);
        if self.exit.is_some() {
            self.shell.ended();
        }
        Ok(())
    }

    fn lines(&mut self, mut bytes: &[u8]) -> Result<(), CommunicatorError> {
        while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
            self.partial.extend_from_slice(&bytes[..end]);
            let line = std::mem::take(&mut self.partial);
            let line = String::from_utf8_lossy(&line);
            match item(line.trim_end_matches('\r')) {
                Some(item) => self.items.push_back(item),
                None => return Err(self.refused("the guest's answer is not understood")),
            }
            bytes = &bytes[end + 1..];
        }
        self.partial.extend_from_slice(bytes);
        if self.partial.len() > LINE_BYTES {
            return Err(self.refused("a line of the guest's answer does not end"));
        }
        Ok(())
    }
}

fn item(line: &str) -> Option<Item> {
    let path = |text: &str| {
        let bytes = STANDARD.decode(text).ok()?;
        Some(String::from_utf8(bytes).ok()?.replace('\\', "/"))
    };
    if let Some(data) = line.strip_prefix('=') {
        return Some(Item::Data(STANDARD.decode(data).ok()?.into()));
    }
    if let Some(hash) = line.strip_prefix("done ") {
        return Some(Item::Done(hash.replace('-', "").to_ascii_lowercase()));
    }
    if let Some(rest) = line.strip_prefix('f') {
        let (size, name) = rest.split_once(' ')?;
        return Some(Item::File {
            path: path(name)?,
            size: size.parse().ok()?,
        });
    }
    line.strip_prefix('d').and_then(path).map(Item::Folder)
}

/// Reads one file into `sink`; returns its length.
pub(super) async fn file(
    shell: Shell,
    line: &str,
    operation: String,
    mut sink: Writer,
) -> Result<u64, CommunicatorError> {
    let failed = |source| CommunicatorError::Io {
        operation: format!("writing the {operation}"),
        source,
    };
    let mut incoming = Incoming::start(shell, line, operation.clone()).await?;
    let (mut bytes, mut expected) = (0, 0);
    while let Some(item) = incoming.next().await? {
        match item {
            Item::File { size, .. } => expected = size,
            Item::Data(data) => {
                bytes += data.len() as u64;
                sink.write_all(&data).await.map_err(failed)?;
            }
            Item::Folder(_) | Item::Done(_) => {}
        }
    }
    if bytes != expected {
        return Err(incoming.refused(&format!("{bytes} of {expected} bytes came")));
    }
    sink.shutdown().await.map_err(failed)?;
    incoming.shell.close().await;
    Ok(bytes)
}

/// Reads a tree, without what is in `exclude`.
pub(super) fn tree(shell: Shell, line: String, operation: String, exclude: Vec<String>) -> Entries {
    let (mut producer, entries) = tree::channel();
    // It ends when the stream is dropped, because its next push fails.
    drop(tokio::spawn(async move {
        let result = match Incoming::start(shell, &line, operation).await {
            Ok(mut incoming) => {
                let result = pass_on(&mut incoming, &mut producer, &exclude).await;
                incoming.shell.close().await;
                result
            }
            Err(error) => Err(error),
        };
        producer.finish(result).await;
    }));
    entries
}

async fn pass_on(
    incoming: &mut Incoming,
    producer: &mut Producer,
    exclude: &[String],
) -> Result<(), CommunicatorError> {
    let mut excluded = false;
    let mut left = 0;
    while let Some(item) = incoming.next().await? {
        let entry = match item {
            Item::Folder(path) => {
                let Some(path) = relative_path(&path)?.filter(|path| !is_excluded(path, exclude))
                else {
                    continue;
                };
                Entry::Directory {
                    path,
                    mode: FOLDER_MODE,
                }
            }
            Item::File { path, size } => {
                let path = relative_path(&path)?.filter(|path| !is_excluded(path, exclude));
                excluded = path.is_none();
                left = size;
                let Some(path) = path else { continue };
                Entry::File {
                    path,
                    mode: FILE_MODE,
                    size,
                }
            }
            Item::Data(data) => {
                let enough = incoming.refused("a file has more bytes than its size");
                left = left.checked_sub(data.len() as u64).ok_or(enough)?;
                if excluded {
                    continue;
                }
                Entry::Data(data)
            }
            Item::Done(_) => continue,
        };
        if producer.push(entry).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Item, item};

    #[test]
    fn lines_become_items() {
        assert_eq!(item("=aGk="), Some(Item::Data(Bytes::from_static(b"hi"))));
        assert_eq!(item("dYVxi"), Some(Item::Folder("a/b".to_owned())));
        let file = Item::File {
            path: "a".to_owned(),
            size: 7,
        };
        assert_eq!(item("f7 YQ=="), Some(file));
        // What was asked for itself has no name.
        let only = Item::File {
            path: String::new(),
            size: 0,
        };
        assert_eq!(item("f0 "), Some(only));
        assert_eq!(item("done AB-0C"), Some(Item::Done("ab0c".to_owned())));
        for line in ["", "x", "=!", "f7", "fx YQ==", "d!"] {
            assert_eq!(item(line), None, "{line}");
        }
    }
}
