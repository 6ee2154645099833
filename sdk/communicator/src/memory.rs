//! A machine in memory, for tests: it records what is asked of it and answers from a script.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::tree::{self, Entry};
use crate::{Command, Communicator, CommunicatorError, Exit, FileTarget, Output, Reader, Writer};

/// What is stored under a path of a [`Memory`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// A folder and its permission bits.
    Directory(u32),
    /// A file, its permission bits and content.
    File(u32, Bytes),
    /// A symbolic link and its target.
    Symlink(String),
}

/// A command that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// As it was given.
    pub command: String,
    /// Whether a terminal was asked for.
    pub pty: bool,
    /// Everything it was given on standard input.
    pub stdin: Bytes,
}

/// How a command is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scripted {
    /// What it prints, in this order.
    pub output: Vec<Output>,
    /// How it ends.
    pub exit: Exit,
}

impl Scripted {
    /// Prints nothing and ends with `status`.
    #[must_use]
    pub fn status(status: u32) -> Self {
        Self {
            output: Vec::new(),
            exit: Exit::Code(status),
        }
    }

    /// Prints `text` on standard output and ends with 0.
    #[must_use]
    pub fn stdout(text: &str) -> Self {
        let output = vec![Output::Stdout(Bytes::copy_from_slice(text.as_bytes()))];
        Self {
            output,
            ..Self::status(0)
        }
    }

    /// The signal `name`, without `SIG`, ends it.
    #[must_use]
    pub fn signal(name: &str) -> Self {
        Self {
            exit: Exit::Signal(name.to_owned()),
            ..Self::status(0)
        }
    }

    /// The connection breaks.
    #[must_use]
    pub fn disconnect() -> Self {
        Self {
            exit: Exit::Disconnected("scripted".to_owned()),
            ..Self::status(0)
        }
    }

    /// The same, and prints `text` on standard error.
    #[must_use]
    pub fn stderr(mut self, text: &str) -> Self {
        self.output
            .push(Output::Stderr(Bytes::copy_from_slice(text.as_bytes())));
        self
    }
}

/// A machine in memory. Commands that no script matches print nothing and end with 0; files are
/// kept by path; `forward` echoes. Clones are the same machine.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    commands: Vec<Recorded>,
    /// Answers by a part of the command; the last of each list stays for ever.
    scripts: Vec<(String, VecDeque<Scripted>)>,
    stored: BTreeMap<String, Stored>,
    failing_uploads: usize,
    reconnects: usize,
}

impl Memory {
    /// A machine without files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers commands that contain `part` with `answers`, one after the other; the last one is
    /// repeated. Of several scripts that match, the one added last counts.
    pub fn script(&self, part: &str, answers: impl IntoIterator<Item = Scripted>) {
        let answers: VecDeque<Scripted> = answers.into_iter().collect();
        self.lock().scripts.push((part.to_owned(), answers));
    }

    /// Lets the next `count` uploads fail as a machine does that is not there yet.
    pub fn fail_uploads(&self, count: usize) {
        self.lock().failing_uploads = count;
    }

    /// Every command so far.
    #[must_use]
    pub fn commands(&self) -> Vec<Recorded> {
        self.lock().commands.clone()
    }

    /// Everything stored, by path.
    #[must_use]
    pub fn stored(&self) -> BTreeMap<String, Stored> {
        self.lock().stored.clone()
    }

    /// The content of the file `path`; `None` when there is none.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<Bytes> {
        match self.lock().stored.get(path) {
            Some(Stored::File(_, content)) => Some(content.clone()),
            _ => None,
        }
    }

    /// Puts something there.
    pub fn store(&self, path: &str, what: Stored) {
        self.lock().stored.insert(path.to_owned(), what);
    }

    /// How often a new connection was asked for.
    #[must_use]
    pub fn reconnects(&self) -> usize {
        self.lock().reconnects
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, recorded: Recorded) -> Scripted {
        let mut state = self.lock();
        let command = recorded.command.clone();
        state.commands.push(recorded);
        let script = state
            .scripts
            .iter_mut()
            .rev()
            .find(|(part, _)| command.contains(part));
        match script {
            Some((_, answers)) if answers.len() > 1 => answers.pop_front(),
            Some((_, answers)) => answers.front().cloned(),
            None => None,
        }
        .unwrap_or_else(|| Scripted::status(0))
    }

    fn refuse_upload(&self, path: &str) -> Result<(), CommunicatorError> {
        let mut state = self.lock();
        if state.failing_uploads == 0 {
            return Ok(());
        }
        state.failing_uploads -= 1;
        let seen = format!("scripted failure of the upload of {path}");
        Err(CommunicatorError::Unreachable { seen })
    }
}

fn io(operation: String) -> impl FnOnce(std::io::Error) -> CommunicatorError {
    move |source| CommunicatorError::Io { operation, source }
}

fn missing(path: &str) -> CommunicatorError {
    CommunicatorError::Refused {
        operation: format!("download of {path}"),
        message: "no such file or folder".to_owned(),
    }
}

#[async_trait]
impl Communicator for Memory {
    async fn exec(
        &self,
        command: Command,
        output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        let mut stdin = Vec::new();
        if let Some(mut input) = command.stdin {
            let fail = io("reading standard input".to_owned());
            input.read_to_end(&mut stdin).await.map_err(fail)?;
        }
        let stdin = Bytes::from(stdin);
        let answer = self.answer(Recorded {
            command: command.command,
            pty: command.pty,
            stdin,
        });
        for piece in answer.output {
            // A caller that does not listen loses the output, not the command.
            drop(output.send(piece).await);
        }
        Ok(answer.exit)
    }

    async fn upload(
        &self,
        target: FileTarget,
        mut source: Reader,
    ) -> Result<u64, CommunicatorError> {
        self.refuse_upload(&target.path)?;
        let mut content = Vec::new();
        let fail = io(format!("reading the source of {}", target.path));
        source.read_to_end(&mut content).await.map_err(fail)?;
        let size = content.len() as u64;
        self.store(&target.path, Stored::File(target.mode, content.into()));
        Ok(size)
    }

    async fn download(&self, path: &str, mut sink: Writer) -> Result<u64, CommunicatorError> {
        let content = self.file(path).ok_or_else(|| missing(path))?;
        let written = async {
            sink.write_all(&content).await?;
            sink.shutdown().await
        };
        written
            .await
            .map_err(io(format!("writing what {path} holds")))?;
        Ok(content.len() as u64)
    }

    async fn upload_tree(
        &self,
        path: &str,
        mut entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        self.refuse_upload(path)?;
        let whole = |relative: &str| format!("{}/{relative}", path.trim_end_matches('/'));
        let mut bytes = 0;
        let mut current: Option<(String, u32, Vec<u8>)> = None;
        while let Some(entry) = entries.next().await.transpose()? {
            if let (Entry::Data(data), Some((_, _, content))) = (&entry, &mut current) {
                bytes += data.len() as u64;
                content.extend_from_slice(data);
                continue;
            }
            if let Some((path, mode, content)) = current.take() {
                self.store(&path, Stored::File(mode, content.into()));
            }
            match entry {
                Entry::Directory { path, mode } => {
                    self.store(&whole(&path), Stored::Directory(mode));
                }
                Entry::Symlink { path, target } => {
                    self.store(&whole(&path), Stored::Symlink(target));
                }
                Entry::File { path, mode, .. } => {
                    current = Some((whole(&path), mode, Vec::new()));
                }
                Entry::Data(_) => {}
            }
        }
        if let Some((path, mode, content)) = current {
            self.store(&path, Stored::File(mode, content.into()));
        }
        Ok(bytes)
    }

    async fn download_tree(
        &self,
        path: &str,
        exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        let root = format!("{}/", path.trim_end_matches('/'));
        let mut entries = Vec::new();
        for (stored, what) in self.stored() {
            let Some(relative) = stored.strip_prefix(&root) else {
                continue;
            };
            if tree::is_excluded(relative, exclude) {
                continue;
            }
            let path = relative.to_owned();
            match what {
                Stored::Directory(mode) => entries.push(Ok(Entry::Directory { path, mode })),
                Stored::Symlink(target) => entries.push(Ok(Entry::Symlink { path, target })),
                Stored::File(mode, content) => {
                    let size = content.len() as u64;
                    entries.push(Ok(Entry::File { path, mode, size }));
                    entries.push(Ok(Entry::Data(content)));
                }
            }
        }
        if entries.is_empty() && !self.lock().stored.contains_key(path.trim_end_matches('/')) {
            return Err(missing(path));
        }
        Ok(futures::stream::iter(entries).boxed())
    }

    async fn reconnect(&self, _limit: Option<Duration>) -> Result<(), CommunicatorError> {
        self.lock().reconnects += 1;
        Ok(())
    }

    async fn forward(
        &self,
        _host: &str,
        _port: u16,
    ) -> Result<(Reader, Writer), CommunicatorError> {
        let (reader, writer) = tokio::io::simplex(tree::CHUNK_BYTES);
        Ok((Box::new(reader), Box::new(writer)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Memory, Scripted, Stored};
    use crate::{Command, Communicator, Exit, capture};

    #[tokio::test]
    async fn answers_from_the_script_and_records() {
        let machine = Memory::new();
        machine.script(
            "flaky",
            [
                Scripted::status(1).stderr("no\n"),
                Scripted::stdout("yes\n"),
            ],
        );
        let first = capture(&machine, Command::new("run flaky"))
            .await
            .expect("it answers");
        assert_eq!((first.exit, first.stderr.as_str()), (Exit::Code(1), "no\n"));
        let command = Command {
            stdin: Some(Box::new(&b"input"[..])),
            ..Command::new("run flaky again")
        };
        let second = capture(&machine, command).await.expect("it answers");
        assert_eq!(
            (second.exit, second.stdout.as_str()),
            (Exit::Code(0), "yes\n")
        );
        let commands = machine.commands();
        assert_eq!(commands[1].command, "run flaky again");
        assert_eq!(&commands[1].stdin[..], b"input");
    }

    #[tokio::test]
    async fn trees_go_in_and_come_out() {
        let machine = Memory::new();
        machine.store("/data/a", Stored::File(0o600, "a".into()));
        machine.store("/data/b/c", Stored::File(0o644, "cc".into()));
        let tree = machine
            .download_tree("/data", &["a".to_owned()])
            .await
            .expect("it is there");
        assert_eq!(
            machine
                .upload_tree("/copy/", tree)
                .await
                .expect("it has room"),
            2
        );
        assert_eq!(machine.file("/copy/b/c").as_deref(), Some(&b"cc"[..]));
        assert_eq!(machine.file("/copy/a"), None);
        assert!(machine.download_tree("/nowhere", &[]).await.is_err());
    }
}
