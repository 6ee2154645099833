//! Trees as tar archives, which every guest with a `tar` can take and give.
//!
//! Written: GNU format with `././@LongLink` records for long names, which GNU, BSD and BusyBox tar
//! read alike; owner, group and time are zero. Read: whatever the `tar` crate reads, that is ustar,
//! GNU and pax.

use std::io::Read;

use bytes::{Bytes, BytesMut};
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use tar::{EntryType, Header};
use tokio_util::io::SyncIoBridge;

use super::batch::{Abandoned, channel};
use super::entry::{CHUNK_BYTES, Entries, Entry};
use super::path::{is_excluded, relative_path};
use crate::{CommunicatorError, Reader};

/// Size of a record of the format, in bytes.
const RECORD_BYTES: usize = 512;
/// The longest name or link target a header has room for, in bytes.
const HEADER_NAME_BYTES: usize = 100;

/// Packs `entries`; small entries are joined to pieces of about [`CHUNK_BYTES`].
#[must_use]
pub fn to_tar(entries: Entries) -> BoxStream<'static, Result<Bytes, CommunicatorError>> {
    let packer = Packer {
        buffer: BytesMut::with_capacity(CHUNK_BYTES),
        left: 0,
        size: 0,
    };
    stream::unfold(Some((entries, packer)), |state| async move {
        let (mut entries, mut packer) = state?;
        while packer.buffer.len() < CHUNK_BYTES {
            match entries.next().await {
                Some(Ok(entry)) => {
                    if let Err(error) = packer.add(entry) {
                        return Some((Err(error), None));
                    }
                }
                Some(Err(error)) => return Some((Err(error), None)),
                None => return Some((packer.finish(), None)),
            }
        }
        let piece = packer.buffer.split().freeze();
        packer.buffer.reserve(CHUNK_BYTES);
        Some((Ok(piece), Some((entries, packer))))
    })
    .boxed()
}

struct Packer {
    buffer: BytesMut,
    /// Bytes of the present file still to come.
    left: u64,
    /// Size of the present file.
    size: u64,
}

impl Packer {
    fn add(&mut self, entry: Entry) -> Result<(), CommunicatorError> {
        let Entry::Data(data) = entry else {
            self.end_of_file()?;
            return self.header(entry);
        };
        let size = data.len() as u64;
        self.left = self
            .left
            .checked_sub(size)
            .ok_or_else(|| refused("more data than its size"))?;
        self.buffer.extend_from_slice(&data);
        Ok(())
    }

    fn header(&mut self, entry: Entry) -> Result<(), CommunicatorError> {
        let (path, kind, mode, size, target) = match entry {
            Entry::Directory { path, mode } => (path, EntryType::Directory, mode, 0, None),
            Entry::File { path, mode, size } => (path, EntryType::Regular, mode, size, None),
            Entry::Symlink { path, target } => (path, EntryType::Symlink, 0o777, 0, Some(target)),
            Entry::Data(_) => return Ok(()),
        };
        let Some(mut name) = relative_path(&path)? else {
            return Ok(());
        };
        if kind == EntryType::Directory {
            name.push('/');
        }
        if let Some(target) = target
            .as_ref()
            .filter(|target| target.len() > HEADER_NAME_BYTES)
        {
            self.long(EntryType::GNULongLink, target);
        }
        if name.len() > HEADER_NAME_BYTES {
            self.long(EntryType::GNULongName, &name);
        }
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode & 0o7777);
        header.set_size(size);
        fill(&mut header.as_old_mut().name, &name);
        fill(
            &mut header.as_old_mut().linkname,
            target.as_deref().unwrap_or_default(),
        );
        self.record(header);
        (self.left, self.size) = (size, size);
        Ok(())
    }

    /// A record that gives the next one a name or link target its header has no room for.
    fn long(&mut self, kind: EntryType, text: &str) {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(text.len() as u64 + 1);
        fill(&mut header.as_old_mut().name, "././@LongLink");
        self.record(header);
        self.buffer.extend_from_slice(text.as_bytes());
        self.buffer.extend_from_slice(&[0]);
        self.pad(text.len() as u64 + 1);
    }

    fn record(&mut self, mut header: Header) {
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_cksum();
        self.buffer.extend_from_slice(header.as_bytes());
    }

    fn end_of_file(&mut self) -> Result<(), CommunicatorError> {
        if self.left > 0 {
            return Err(refused(&format!("{} bytes of it are missing", self.left)));
        }
        let size = std::mem::take(&mut self.size);
        self.pad(size);
        Ok(())
    }

    fn pad(&mut self, size: u64) {
        let over = usize::try_from(size % RECORD_BYTES as u64).unwrap_or_default();
        if over > 0 {
            let length = self.buffer.len() + RECORD_BYTES - over;
            self.buffer.resize(length, 0);
        }
    }

    fn finish(mut self) -> Result<Bytes, CommunicatorError> {
        self.end_of_file()?;
        let length = self.buffer.len() + 2 * RECORD_BYTES;
        self.buffer.resize(length, 0);
        Ok(self.buffer.freeze())
    }
}

/// Copies as much of `text` as fits, the rest stays zero.
fn fill(field: &mut [u8], text: &str) {
    let length = text.len().min(field.len());
    field[..length].copy_from_slice(&text.as_bytes()[..length]);
}

/// Unpacks an archive, without the entries whose relative path or name is in `exclude`.
///
/// Hard links, which only point back into the archive, become symbolic links; devices and pipes
/// are left out with a warning in the log. An archive that ends early, or whose entries lead
/// outside, is an error of the stream. Must be called inside a tokio runtime.
#[must_use]
pub fn from_tar(archive: Reader, exclude: Vec<String>) -> Entries {
    let (mut producer, entries) = channel();
    let bridge = SyncIoBridge::new(archive);
    // The thread ends by itself when the stream is dropped, because its next push fails.
    drop(tokio::task::spawn_blocking(move || {
        let mut archive = tar::Archive::new(bridge);
        let unpacked = unpack(&mut archive, &exclude, |entry| {
            producer.push_blocking(entry)
        });
        // What comes after the last entry matters too: there the reader may report a failure.
        let unpacked = unpacked.and_then(|()| {
            let rest = std::io::copy(&mut archive.into_inner(), &mut std::io::sink());
            rest.map(drop).map_err(Stop::Archive)
        });
        let result = match unpacked {
            Ok(()) | Err(Stop::Abandoned) => Ok(()),
            Err(Stop::Failed(error)) => Err(error),
            Err(Stop::Archive(source)) => Err(archive_error(source)),
        };
        producer.finish_blocking(result);
    }));
    entries
}

/// An error of the reader is passed on as it is when it is one of ours.
fn archive_error(source: std::io::Error) -> CommunicatorError {
    match source.downcast::<CommunicatorError>() {
        Ok(error) => error,
        Err(source) => CommunicatorError::Io {
            operation: "reading a tar archive".to_owned(),
            source,
        },
    }
}

/// Why unpacking ended early.
enum Stop {
    Abandoned,
    Failed(CommunicatorError),
    Archive(std::io::Error),
}

impl From<Abandoned> for Stop {
    fn from(_: Abandoned) -> Self {
        Self::Abandoned
    }
}

impl From<CommunicatorError> for Stop {
    fn from(error: CommunicatorError) -> Self {
        Self::Failed(error)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Archive(error)
    }
}

fn unpack<R: Read>(
    archive: &mut tar::Archive<R>,
    exclude: &[String],
    mut push: impl FnMut(Entry) -> Result<(), Abandoned>,
) -> Result<(), Stop> {
    for member in archive.entries()? {
        let mut member = member?;
        let name = utf8(&member.path_bytes())?;
        let Some(path) = relative_path(&name)? else {
            continue;
        };
        if is_excluded(&path, exclude) {
            continue;
        }
        let mode = member.header().mode()? & 0o7777;
        let target = member
            .link_name_bytes()
            .map(|target| utf8(&target))
            .transpose()?;
        match (member.header().entry_type(), target) {
            (EntryType::Directory, _) => push(Entry::Directory { path, mode })?,
            (EntryType::Symlink, Some(target)) => push(Entry::Symlink { path, target })?,
            (EntryType::Link, Some(target)) => {
                let Some(target) = relative_path(&target)? else {
                    continue;
                };
                let up = "../".repeat(path.matches('/').count());
                push(Entry::Symlink {
                    path,
                    target: format!("{up}{target}"),
                })?;
            }
            (kind, _) if kind.is_file() => {
                let size = member.size();
                push(Entry::File { path, mode, size })?;
                copy(&mut member, size, &mut push)?;
            }
            (kind, _) => {
                tracing::warn!(path, ?kind, "left out of the tree: neither file nor folder");
            }
        }
    }
    Ok(())
}

fn copy(
    member: &mut impl Read,
    size: u64,
    push: &mut impl FnMut(Entry) -> Result<(), Abandoned>,
) -> Result<(), Stop> {
    let mut left = size;
    while left > 0 {
        let want = usize::try_from(left)
            .unwrap_or(CHUNK_BYTES)
            .min(CHUNK_BYTES);
        let mut piece = BytesMut::zeroed(want);
        member.read_exact(&mut piece)?;
        left -= want as u64;
        push(Entry::Data(piece.freeze()))?;
    }
    Ok(())
}

fn utf8(bytes: &[u8]) -> Result<String, Stop> {
    String::from_utf8(bytes.to_vec()).map_err(|_| {
        let name = bytes.escape_ascii();
        Stop::Failed(refused(&format!("the name `{name}` is not valid UTF-8")))
    })
}

fn refused(message: &str) -> CommunicatorError {
    CommunicatorError::Refused {
        operation: "packing a file of a tree".to_owned(),
        message: message.to_owned(),
    }
}
