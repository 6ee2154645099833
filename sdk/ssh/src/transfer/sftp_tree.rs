//! Trees by SFTP, several small files at a time.

use futures::stream::FuturesUnordered;
use futures::{StreamExt, TryStreamExt};
use russh_sftp::client::SftpSession;
use russh_sftp::protocol::FileType;
use sdk_communicator::CommunicatorError;
use sdk_communicator::tree::{self, Entry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Outcome;
use super::quote::{join, without_home};
use super::sftp::{NoSftp, Sftp, create, mode_only, refused, remote};
use crate::communicator::SshCommunicator;

/// Files written at the same time.
const FILES: usize = 16;
/// Files up to this size are written next to others, in bytes.
const SMALL_BYTES: u64 = tree::CHUNK_BYTES as u64;

/// See `Communicator::upload_tree`.
pub(super) async fn upload(
    machine: &SshCommunicator,
    path: &str,
    mut entries: tree::Entries,
) -> Outcome<u64, tree::Entries> {
    let sftp = match Sftp::open(machine).await {
        Ok(sftp) => sftp,
        Err(NoSftp::Missing(seen)) => return Outcome::Missing(entries, seen),
        Err(NoSftp::Failed(error)) => return Outcome::Done(Err(error)),
    };
    let operation = format!("upload of the tree {path}");
    let root = without_home(path);
    let work = async {
        make_folders(&sftp.session, root, &operation).await?;
        send(&sftp.session, root, &mut entries, &operation).await
    };
    Outcome::Done(sftp.run(&operation, work).await)
}

async fn send(
    session: &SftpSession,
    root: &str,
    entries: &mut tree::Entries,
    operation: &str,
) -> Result<u64, CommunicatorError> {
    let mut writing = FuturesUnordered::new();
    let mut bytes = 0;
    while let Some(entry) = entries.next().await.transpose()? {
        let (Entry::Directory { path, .. }
        | Entry::File { path, .. }
        | Entry::Symlink { path, .. }) = &entry
        else {
            return Err(wrong(operation, "data without a file"));
        };
        let Some(plain) = tree::relative_path(path)? else {
            continue;
        };
        let whole = join(root, &plain);
        match entry {
            Entry::Directory { mode, .. } => {
                make_folder(session, &whole, mode, operation).await?;
            }
            Entry::Symlink { target, .. } => {
                link(session, &whole, &target, operation).await?;
            }
            Entry::File { mode, size, .. } if size <= SMALL_BYTES => {
                let content = collect(entries, size, operation).await?;
                writing.push(write_small(session, whole, mode, content, operation));
                bytes += size;
            }
            Entry::File { mode, size, .. } => {
                write_big(session, &whole, mode, size, entries, operation).await?;
                bytes += size;
            }
            Entry::Data(_) => {}
        }
        while writing.len() >= FILES {
            writing.next().await.transpose()?;
        }
    }
    writing.try_collect::<()>().await?;
    Ok(bytes)
}

fn wrong(operation: &str, message: &str) -> CommunicatorError {
    CommunicatorError::Refused {
        operation: operation.to_owned(),
        message: message.to_owned(),
    }
}

/// The next piece of a file with `left` bytes to come.
async fn piece(
    entries: &mut tree::Entries,
    left: u64,
    operation: &str,
) -> Result<bytes::Bytes, CommunicatorError> {
    match entries.next().await.transpose()? {
        Some(Entry::Data(data)) if data.len() as u64 <= left => Ok(data),
        Some(Entry::Data(_)) => Err(wrong(operation, "a file is longer than its size")),
        _ => Err(wrong(operation, "a file is shorter than its size")),
    }
}

async fn collect(
    entries: &mut tree::Entries,
    size: u64,
    operation: &str,
) -> Result<Vec<u8>, CommunicatorError> {
    let mut content = Vec::new();
    while (content.len() as u64) < size {
        let left = size - content.len() as u64;
        content.extend_from_slice(&piece(entries, left, operation).await?);
    }
    Ok(content)
}

async fn write_small(
    session: &SftpSession,
    path: String,
    mode: u32,
    content: Vec<u8>,
    operation: &str,
) -> Result<(), CommunicatorError> {
    let mut file = create(session, &path, mode, operation).await?;
    let written = async {
        file.write_all(&content).await?;
        file.shutdown().await
    };
    written
        .await
        .map_err(|error| remote(&format!("{operation}: writing {path}"), &error))
}

async fn write_big(
    session: &SftpSession,
    path: &str,
    mode: u32,
    size: u64,
    entries: &mut tree::Entries,
    operation: &str,
) -> Result<(), CommunicatorError> {
    let fail = |error| remote(&format!("{operation}: writing {path}"), &error);
    let mut file = create(session, path, mode, operation).await?;
    let mut left = size;
    while left > 0 {
        let data = piece(entries, left, operation).await?;
        left -= data.len() as u64;
        file.write_all(&data).await.map_err(fail)?;
    }
    file.shutdown().await.map_err(fail)
}

/// A folder that is there already, also by a link, stays as it is.
async fn make_folder(
    session: &SftpSession,
    path: &str,
    mode: u32,
    operation: &str,
) -> Result<(), CommunicatorError> {
    match session.create_dir(path).await {
        Ok(()) => {
            let setting = session.set_metadata(path, mode_only(mode)).await;
            setting.map_err(|error| refused(operation, error))
        }
        Err(error) => match session.metadata(path).await {
            Ok(found) if found.is_dir() => Ok(()),
            _ => Err(refused(operation, error)),
        },
    }
}

/// Makes `path` and what is missing above it.
async fn make_folders(
    session: &SftpSession,
    path: &str,
    operation: &str,
) -> Result<(), CommunicatorError> {
    let plain = path.trim_end_matches('/');
    let ends = plain
        .match_indices('/')
        .map(|(at, _)| at)
        .chain([plain.len()]);
    for end in ends.filter(|end| *end > 0) {
        let upper = &plain[..end];
        if session
            .metadata(upper)
            .await
            .is_ok_and(|found| found.is_dir())
        {
            continue;
        }
        make_folder(session, upper, 0o755, operation).await?;
    }
    Ok(())
}

async fn link(
    session: &SftpSession,
    path: &str,
    target: &str,
    operation: &str,
) -> Result<(), CommunicatorError> {
    if session
        .symlink_metadata(path)
        .await
        .is_ok_and(|found| !found.is_dir())
    {
        session
            .remove_file(path)
            .await
            .map_err(|error| refused(operation, error))?;
    }
    // OpenSSH takes the two names the other way round than the standard, and every server follows
    // OpenSSH.
    session
        .symlink(target, path)
        .await
        .map_err(|error| refused(operation, error))
}

/// See `Communicator::download_tree`.
pub(super) async fn download(
    machine: &SshCommunicator,
    path: &str,
    exclude: &[String],
) -> Outcome<tree::Entries, ()> {
    let sftp = match Sftp::open(machine).await {
        Ok(sftp) => sftp,
        Err(NoSftp::Missing(seen)) => return Outcome::Missing((), seen),
        Err(NoSftp::Failed(error)) => return Outcome::Done(Err(error)),
    };
    let operation = format!("download of the tree {path}");
    let root = without_home(path).to_owned();
    let looked = sftp
        .run(&operation, async {
            let found = sftp.session.metadata(root.as_str()).await;
            match found.map_err(|error| refused(&operation, error))?.is_dir() {
                true => Ok(()),
                false => Err(wrong(&operation, "it is not a folder")),
            }
        })
        .await;
    if let Err(error) = looked {
        return Outcome::Done(Err(error));
    }
    let (mut producer, entries) = tree::channel();
    let exclude = exclude.to_vec();
    let work = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
        let walking = walk(&sftp.session, &root, &exclude, &mut producer, &operation);
        let result = sftp.run(&operation, walking).await;
        producer.finish(result).await;
    }));
    // The work ends with the stream.
    let entries = entries.inspect(move |_| {
        let _owned = &work;
    });
    Outcome::Done(Ok(entries.boxed()))
}

async fn walk(
    session: &SftpSession,
    root: &str,
    exclude: &[String],
    producer: &mut tree::Producer,
    operation: &str,
) -> Result<(), CommunicatorError> {
    // Folders still to be read, the next one last.
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let whole = if folder.is_empty() {
            root.to_owned()
        } else {
            join(root, &folder)
        };
        let reading = session.read_dir(whole.as_str()).await;
        let mut items: Vec<_> = reading
            .map_err(|error| refused(operation, error))?
            .collect();
        items.sort_by_key(russh_sftp::client::fs::DirEntry::file_name);
        let mut inner = Vec::new();
        for item in items {
            let name = item.file_name();
            if name.contains('/') {
                return Err(wrong(operation, "the guest gave a name with a slash"));
            }
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            if tree::is_excluded(&path, exclude) {
                continue;
            }
            let mode = item.metadata().permissions.unwrap_or(0o644) & 0o7777;
            let pushed = match item.file_type() {
                FileType::Dir => {
                    inner.push(path.clone());
                    producer.push(Entry::Directory { path, mode }).await
                }
                FileType::Symlink => {
                    let reading = session.read_link(join(root, &path)).await;
                    let target = reading.map_err(|error| refused(operation, error))?;
                    producer.push(Entry::Symlink { path, target }).await
                }
                FileType::File => read_file(session, root, path, mode, producer, operation).await?,
                FileType::Other => {
                    tracing::warn!(path, "left out of the tree: neither file nor folder");
                    Ok(())
                }
            };
            if pushed.is_err() {
                return Ok(());
            }
        }
        folders.extend(inner.into_iter().rev());
    }
    Ok(())
}

async fn read_file(
    session: &SftpSession,
    root: &str,
    path: String,
    mode: u32,
    producer: &mut tree::Producer,
    operation: &str,
) -> Result<Result<(), tree::Abandoned>, CommunicatorError> {
    let opening = session.open(join(root, &path)).await;
    let mut file = opening.map_err(|error| refused(operation, error))?;
    let found = file
        .metadata()
        .await
        .map_err(|error| refused(operation, error))?;
    let size = found.size.unwrap_or_default();
    if producer
        .push(Entry::File {
            path: path.clone(),
            mode,
            size,
        })
        .await
        .is_err()
    {
        return Ok(Err(tree::Abandoned));
    }
    let mut left = size;
    while left > 0 {
        let room = usize::try_from(left)
            .unwrap_or(tree::CHUNK_BYTES)
            .min(tree::CHUNK_BYTES);
        let mut data = bytes::BytesMut::zeroed(room);
        let reading = file.read_exact(&mut data).await;
        reading.map_err(|error| remote(&format!("{operation}: reading {path}"), &error))?;
        left -= room as u64;
        if producer.push(Entry::Data(data.freeze())).await.is_err() {
            return Ok(Err(tree::Abandoned));
        }
    }
    Ok(Ok(()))
}
