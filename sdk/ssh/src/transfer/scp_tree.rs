//! Trees by the guest's own `scp`, for guests that have neither tar nor sftp.
//!
//! The protocol knows no symbolic links: on the way in they are made with `ln` afterwards, on the
//! way out the guest follows them.

use futures::StreamExt;
use sdk_communicator::tree::{self, Entry};
use sdk_communicator::{Command, CommunicatorError, Exit, Reader, capture};

use super::Outcome;
use super::quote::{expand, is_windows, literal, place, quote, split};
use super::scp::{Record, Scp};
use crate::communicator::SshCommunicator;

/// See `Communicator::upload_tree`.
pub(super) async fn upload(
    machine: &SshCommunicator,
    path: &str,
    mut entries: tree::Entries,
) -> Outcome<u64, tree::Entries> {
    let (command, first) = way_in(path);
    let operation = format!("upload of the tree {path}");
    let mut scp = match Scp::start(machine, &command, operation).await {
        Ok(scp) => scp,
        Err(error) => return Outcome::Done(Err(error)),
    };
    if let Err(error) = scp.acknowledged().await {
        return match scp.is_missing().await {
            Some(seen) => Outcome::Missing(entries, seen),
            None => Outcome::Done(Err(error)),
        };
    }
    let mut sending = Sending {
        scp,
        inside: Vec::new(),
        links: Vec::new(),
        bytes: 0,
    };
    let sent = async {
        if let Some(name) = &first {
            sending.begin(name, 0o755).await?;
        }
        sending.entries(&mut entries).await?;
        sending.enter(&[]).await?;
        if first.is_some() {
            sending.end().await?;
        }
        sending.scp.finish().await?;
        make_links(machine, path, &sending.links).await?;
        Ok(sending.bytes)
    };
    Outcome::Done(sent.await)
}

/// The command that takes the tree `path`, and the folder to make by the protocol first.
///
/// The shells of Windows have no `mkdir -p`, so what makes the folder there is its `scp`.
fn way_in(path: &str) -> (String, Option<String>) {
    if !is_windows(path) {
        let target = expand(path);
        let command = format!("mkdir -p {target} && scp -r -d -t {target}");
        return (command, None);
    }
    let (folder, name) = split(path);
    if name.is_empty() || name.ends_with(':') {
        return (format!("scp -r -d -t {}", expand(path)), None);
    }
    let command = format!("scp -r -d -t {}", expand(&folder));
    (command, Some(name))
}

struct Sending {
    scp: Scp,
    /// The folders we are in.
    inside: Vec<String>,
    links: Vec<(String, String)>,
    bytes: u64,
}

impl Sending {
    async fn entries(&mut self, entries: &mut tree::Entries) -> Result<(), CommunicatorError> {
        let mut next = entries.next().await.transpose()?;
        while let Some(entry) = next {
            match entry {
                Entry::Directory { path, mode } => {
                    let Some(path) = tree::relative_path(&path)? else {
                        next = entries.next().await.transpose()?;
                        continue;
                    };
                    let steps: Vec<&str> = path.split('/').collect();
                    let (name, above) = steps.split_last().expect("a plain path has a step");
                    self.enter(above).await?;
                    self.open_folder(name, mode).await?;
                }
                Entry::File { path, mode, size } => {
                    self.file(&path, mode, size, entries).await?;
                }
                Entry::Symlink { path, target } => self.links.push((path, target)),
                Entry::Data(_) => return Err(self.refused("data without a file")),
            }
            next = entries.next().await.transpose()?;
        }
        Ok(())
    }

    async fn file(
        &mut self,
        path: &str,
        mode: u32,
        size: u64,
        entries: &mut tree::Entries,
    ) -> Result<(), CommunicatorError> {
        let Some(path) = tree::relative_path(path)? else {
            return Err(self.refused("a file stands for the tree itself"));
        };
        let steps: Vec<&str> = path.split('/').collect();
        let (name, above) = steps.split_last().expect("a plain path has a step");
        self.enter(above).await?;
        self.name(name)?;
        self.scp
            .send(format!("C{:04o} {size} {name}\n", mode & 0o7777))
            .await?;
        self.scp.acknowledged().await?;
        let mut left = size;
        while left > 0 {
            let Some(Entry::Data(data)) = entries.next().await.transpose()? else {
                return Err(self.refused("a file is shorter than its size"));
            };
            left = match left.checked_sub(data.len() as u64) {
                Some(left) => left,
                None => return Err(self.refused("a file is longer than its size")),
            };
            self.scp.send(data).await?;
        }
        let mut nothing: Reader = Box::new(tokio::io::empty());
        self.scp.send_content(&mut nothing, 0).await?;
        self.bytes += size;
        Ok(())
    }

    /// Goes to the folder `steps`, leaving and entering what lies between.
    async fn enter(&mut self, steps: &[&str]) -> Result<(), CommunicatorError> {
        let shared = self
            .inside
            .iter()
            .zip(steps)
            .take_while(|(a, b)| a == *b)
            .count();
        while self.inside.len() > shared {
            self.end().await?;
            self.inside.pop();
        }
        for step in &steps[shared..] {
            self.open_folder(step, 0o755).await?;
        }
        Ok(())
    }

    async fn open_folder(&mut self, name: &str, mode: u32) -> Result<(), CommunicatorError> {
        self.begin(name, mode).await?;
        self.inside.push(name.to_owned());
        Ok(())
    }

    async fn begin(&mut self, name: &str, mode: u32) -> Result<(), CommunicatorError> {
        self.name(name)?;
        self.scp
            .send(format!("D{:04o} 0 {name}\n", mode & 0o7777))
            .await?;
        self.scp.acknowledged().await
    }

    async fn end(&mut self) -> Result<(), CommunicatorError> {
        self.scp.send("E\n").await?;
        self.scp.acknowledged().await
    }

    fn name(&self, name: &str) -> Result<(), CommunicatorError> {
        if name.contains('\n') {
            return Err(self.refused("scp cannot send a name with a line break"));
        }
        Ok(())
    }

    fn refused(&self, message: &str) -> CommunicatorError {
        let operation = self.scp.operation.clone();
        CommunicatorError::Refused {
            operation,
            message: message.to_owned(),
        }
    }
}

async fn make_links(
    machine: &SshCommunicator,
    path: &str,
    links: &[(String, String)],
) -> Result<(), CommunicatorError> {
    // One command for many links, but not so long that a shell refuses it.
    for links in links.chunks(100) {
        let commands: Vec<String> = links
            .iter()
            .map(|(link, target)| format!("ln -sfn -- {} {}", literal(target), place(path, link)))
            .collect();
        let run = capture(machine, Command::new(commands.join(" && "))).await?;
        let operation = format!("making the links of the tree {path}");
        match run.exit {
            Exit::Code(0) => {}
            Exit::Disconnected(seen) => {
                return Err(CommunicatorError::Broken { operation, seen });
            }
            _ => {
                let message = run.stderr.trim().to_owned();
                return Err(CommunicatorError::Refused { operation, message });
            }
        }
    }
    Ok(())
}

/// See `Communicator::download_tree`.
pub(super) async fn download(
    machine: &SshCommunicator,
    path: &str,
    exclude: &[String],
) -> Outcome<tree::Entries, ()> {
    let command = format!("scp -r -f {}", quote(path));
    let operation = format!("download of the tree {path}");
    let mut scp = match Scp::start(machine, &command, operation).await {
        Ok(scp) => scp,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let first = match scp.send(&[0_u8][..]).await {
        Ok(()) => scp.record().await,
        Err(error) => Err(error),
    };
    match first {
        Ok(Record::Folder { .. }) => {}
        Ok(Record::Done) => {
            return match scp.is_missing().await {
                Some(seen) => Outcome::Missing((), seen),
                None => Outcome::Done(Err(scp.gone().await)),
            };
        }
        Ok(Record::File { .. } | Record::End) => {
            let message = "it is not a folder".to_owned();
            let operation = scp.operation.clone();
            return Outcome::Done(Err(CommunicatorError::Refused { operation, message }));
        }
        Err(error) => return Outcome::Done(Err(error)),
    }
    let (producer, entries) = tree::channel();
    let exclude = exclude.to_vec();
    let work = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
        let mut producer = producer;
        let result = receive(&mut scp, &exclude, &mut producer).await;
        producer.finish(result).await;
    }));
    // The work ends with the stream.
    let entries = entries.inspect(move |_| {
        let _owned = &work;
    });
    Outcome::Done(Ok(entries.boxed()))
}

async fn receive(
    scp: &mut Scp,
    exclude: &[String],
    producer: &mut tree::Producer,
) -> Result<(), CommunicatorError> {
    let mut inside: Vec<String> = Vec::new();
    loop {
        let whole = |inside: &[String], name: &str| {
            inside
                .iter()
                .map(String::as_str)
                .chain([name])
                .collect::<Vec<_>>()
                .join("/")
        };
        match scp.record().await? {
            Record::Folder { mode, name } => {
                let path = whole(&inside, &name);
                if !tree::is_excluded(&path, exclude) {
                    let pushed = producer.push(Entry::Directory { path, mode }).await;
                    if pushed.is_err() {
                        return Ok(());
                    }
                }
                inside.push(name);
            }
            Record::File { mode, size, name } => {
                let path = whole(&inside, &name);
                let excluded = tree::is_excluded(&path, exclude);
                if !excluded
                    && producer
                        .push(Entry::File { path, mode, size })
                        .await
                        .is_err()
                {
                    return Ok(());
                }
                let mut left = size;
                while let Some(piece) = scp.content(&mut left).await? {
                    if !excluded && producer.push(Entry::Data(piece)).await.is_err() {
                        return Ok(());
                    }
                }
            }
            Record::End => {
                if inside.pop().is_none() {
                    break;
                }
            }
            Record::Done => break,
        }
    }
    scp.finish().await
}
