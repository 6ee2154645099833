//! Files and trees to the guest.

use futures::StreamExt;
use sdk_communicator::tree::{Entries, Entry, relative_path};
use sdk_communicator::{CommunicatorError, FileTarget, Reader};
use tokio::io::AsyncReadExt;
use tokio::sync::Mutex;

use super::lane::{FeedError, Lines, room, send};
use super::receiver;
use crate::communicator::WinRmCommunicator;

/// From this size on, in bytes, a file goes to several shells at once.
pub(super) const LANES_FROM: u64 = 8 * 1024 * 1024;
/// How many shells share a large file. Windows allows a user 30 of them, older ones 5.
const LANES: usize = 4;

/// A file that is read once, by whoever is free.
struct Source {
    reader: Reader,
    offset: u64,
}

impl Source {
    /// The next piece and where it belongs; nothing at the end.
    async fn next(
        &mut self,
        bytes: usize,
        path: &str,
    ) -> Result<Option<(u64, Vec<u8>)>, CommunicatorError> {
        let mut piece = Vec::with_capacity(bytes);
        let mut part = (&mut self.reader).take(bytes as u64);
        let read = part.read_to_end(&mut piece).await;
        read.map_err(|source| CommunicatorError::Io {
            operation: format!("reading what becomes {path}"),
            source,
        })?;
        let offset = self.offset;
        self.offset += piece.len() as u64;
        Ok((!piece.is_empty()).then_some((offset, piece)))
    }
}

/// Writes one file; returns its length.
pub(super) async fn file(
    machine: &WinRmCommunicator,
    target: FileTarget,
    reader: Reader,
) -> Result<u64, CommunicatorError> {
    let room = room(machine.envelope().await);
    let path = target.path.as_str();
    let operation = format!("upload of {path}");
    let source = Mutex::new(Source { reader, offset: 0 });
    let size = target.size.filter(|&size| size >= LANES_FROM);
    let lanes = if size.is_some() { LANES } else { 1 };
    let line = receiver();
    let lane = |_: usize| async {
        let shell = machine.shell().await?;
        let feed = async |lines: &mut Lines<'_>| {
            match size {
                // The others may have begun, so it must not be emptied.
                Some(size) => {
                    lines.path('o', path).await?;
                    lines.add('l', &size.to_string()).await?;
                }
                None => lines.path('f', path).await?,
            }
            pieces(&source, lines, room, path).await
        };
        send(shell, &line, room, &operation, feed).await
    };
    let lengths = futures::future::try_join_all((0..lanes).map(lane)).await?;
    let sent = source.into_inner().offset;
    match lengths.iter().find(|&&length| length != sent) {
        None => Ok(sent),
        Some(length) => Err(CommunicatorError::Refused {
            operation,
            message: format!("{sent} bytes were sent, but the file has {length}"),
        }),
    }
}

async fn pieces(
    source: &Mutex<Source>,
    lines: &mut Lines<'_>,
    room: usize,
    path: &str,
) -> Result<(), FeedError> {
    let bytes = Lines::data_bytes(room);
    loop {
        let next = source.lock().await.next(bytes, path).await?;
        let Some((offset, piece)) = next else {
            return Ok(());
        };
        lines.add('@', &offset.to_string()).await?;
        lines.data(&piece).await?;
    }
}

/// Writes a tree; returns the bytes of all files.
pub(super) async fn tree(
    machine: &WinRmCommunicator,
    path: &str,
    mut entries: Entries,
) -> Result<u64, CommunicatorError> {
    let room = room(machine.envelope().await);
    let operation = format!("upload to {path}");
    let shell = machine.shell().await?;
    let root = path.trim_end_matches(['/', '\\']);
    let mut bytes = 0;
    let feed = async |lines: &mut Lines<'_>| {
        lines.path('d', path).await?;
        while let Some(entry) = entries.next().await {
            bytes += add(lines, root, entry?, room).await?;
        }
        Ok(())
    };
    send(shell, &receiver(), room, &operation, feed).await?;
    Ok(bytes)
}

/// Adds one entry; returns how many bytes of a file it is.
async fn add(
    lines: &mut Lines<'_>,
    root: &str,
    entry: Entry,
    room: usize,
) -> Result<u64, FeedError> {
    let below = |path: &str| -> Result<String, CommunicatorError> {
        let path = relative_path(path)?.unwrap_or_default();
        Ok(format!("{root}\\{}", windows_name(&path)?))
    };
    match entry {
        Entry::Directory { path, .. } => lines.path('d', &below(&path)?).await?,
        Entry::File { path, .. } => lines.path('f', &below(&path)?).await?,
        Entry::Symlink { path, .. } => {
            return Err(FeedError::Local(CommunicatorError::Unsupported {
                operation: format!("symbolic link `{path}`"),
                communicator: "winrm".to_owned(),
            }));
        }
        Entry::Data(data) => {
            for piece in data.chunks(Lines::data_bytes(room)) {
                lines.data(piece).await?;
            }
            return Ok(data.len() as u64);
        }
    }
    Ok(0)
}

/// A relative path as Windows writes it.
///
/// # Errors
///
/// [`CommunicatorError::Refused`] for a name Windows cannot have, which it would cut off, take for
/// a stream of another file, or lead elsewhere.
fn windows_name(path: &str) -> Result<String, CommunicatorError> {
    let forbidden = |character: char| {
        matches!(
            character,
            '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '\0'..='\u{1f}'
        )
    };
    if path.contains(forbidden) || path.split('/').any(|step| step.ends_with([' ', '.'])) {
        return Err(CommunicatorError::Refused {
            operation: format!("upload of `{}`", path.escape_debug()),
            message: "Windows has no such names".to_owned(),
        });
    }
    Ok(path.replace('/', "\\"))
}

#[cfg(test)]
mod tests {
    use super::windows_name;

    #[test]
    fn names_windows_cannot_have_are_refused() {
        assert_eq!(windows_name("a/b c/.d").unwrap(), "a\\b c\\.d");
        for name in ["a:b", "a\\..\\b", "a?", "a/b.", "a /b", "x\u{7}"] {
            assert!(windows_name(name).is_err(), "{name:?}");
        }
    }
}
