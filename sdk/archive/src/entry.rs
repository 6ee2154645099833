//! What goes into an archive.

use std::fs::{File, Metadata};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use sdk_component::Meter;
use tokio_util::sync::CancellationToken;

use crate::error::ArchiveError;

/// One file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the archive, relative, with `/` between folders.
    pub name: String,
    /// Where its content comes from.
    pub content: Content,
}

/// Where the content of an [`Entry`] comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file, with its mode, owner and time.
    File(PathBuf),
    /// A part of a file.
    Part {
        /// The file.
        path: PathBuf,
        /// Where the part begins.
        offset: u64,
        /// How many bytes it has.
        bytes: u64,
    },
    /// Bytes from memory.
    Memory(Vec<u8>),
}

impl Entry {
    /// A file under its base name.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.to_string_lossy());
        Self {
            name: name.unwrap_or_default().into_owned(),
            content: Content::File(path.to_owned()),
        }
    }

    /// Its length, as far as it is known before reading.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.content {
            Content::File(path) => path.metadata().map_or(0, |facts| facts.len()),
            Content::Part { bytes, .. } => *bytes,
            Content::Memory(data) => data.len() as u64,
        }
    }

    /// The file it comes from.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.content {
            Content::File(path) | Content::Part { path, .. } => Some(path),
            Content::Memory(_) => None,
        }
    }
}

/// An opened [`Entry`]: reads exactly the promised bytes, counts them, and stops when told to.
pub(crate) struct Source<'a> {
    reader: Box<dyn Read>,
    left: u64,
    pub(crate) bytes: u64,
    /// Facts of the file; `None` for parts and memory.
    pub(crate) facts: Option<Metadata>,
    meter: &'a Meter,
    cancel: &'a CancellationToken,
    failed: bool,
}

impl<'a> Source<'a> {
    pub(crate) fn open(
        entry: &Entry,
        meter: &'a Meter,
        cancel: &'a CancellationToken,
    ) -> Result<Self, ArchiveError> {
        let failed = |source: io::Error| ArchiveError::Read {
            path: entry.path().unwrap_or(Path::new("")).to_owned(),
            source,
        };
        let (reader, bytes, facts): (Box<dyn Read>, u64, _) = match &entry.content {
            Content::File(path) => {
                let file = File::open(path).map_err(failed)?;
                let facts = file.metadata().map_err(failed)?;
                if facts.is_dir() {
                    return Err(failed(io::ErrorKind::IsADirectory.into()));
                }
                (Box::new(file), facts.len(), Some(facts))
            }
            Content::Part {
                path,
                offset,
                bytes,
            } => {
                let mut file = File::open(path).map_err(failed)?;
                file.seek(SeekFrom::Start(*offset)).map_err(failed)?;
                (Box::new(file), *bytes, None)
            }
            Content::Memory(data) => (Box::new(Cursor::new(data.clone())), entry.bytes(), None),
        };
        Ok(Self {
            reader,
            left: bytes,
            bytes,
            facts,
            meter,
            cancel,
            failed: false,
        })
    }

    /// What an error met while copying this means: that it cannot be read, or that `target` cannot
    /// be written.
    pub(crate) fn judge(&self, entry: &Entry, target: &Path, source: io::Error) -> ArchiveError {
        if self.cancel.is_cancelled() {
            return ArchiveError::Cancelled;
        }
        match entry.path() {
            Some(path) if self.failed => ArchiveError::Read {
                path: path.to_owned(),
                source,
            },
            _ => ArchiveError::Write {
                path: target.to_owned(),
                source,
            },
        }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("cancelled"));
        }
        if self.left == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let most = most.min(buffer.len());
        let read = match self.reader.read(&mut buffer[..most]) {
            Ok(0) => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it became shorter while it was read",
            )),
            other => other,
        };
        match read {
            Ok(count) => {
                self.left -= count as u64;
                self.meter.add(count as u64);
                Ok(count)
            }
            Err(error) => {
                self.failed = error.kind() != io::ErrorKind::Interrupted;
                Err(error)
            }
        }
    }
}
