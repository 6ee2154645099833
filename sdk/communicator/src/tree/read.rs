//! From a local file or folder to a stream of entries.

use std::collections::HashSet;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};

use super::batch::{Abandoned, Producer, channel};
use super::entry::{CHUNK_BYTES, Entries, Entry};
use super::path::is_excluded;
use crate::CommunicatorError;

/// What becomes of symbolic links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Symlinks {
    /// They stay links, as stored.
    #[default]
    Keep,
    /// What they point to takes their place; a link that points nowhere, or to a folder it is in,
    /// is an error.
    Follow,
}

/// How a local tree is read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Relative paths or names to leave out, with everything below them.
    pub exclude: Vec<String>,
    /// What becomes of symbolic links.
    pub symlinks: Symlinks,
}

/// Why a walk ended early.
enum Stop {
    Abandoned,
    Failed(CommunicatorError),
}

impl From<Abandoned> for Stop {
    fn from(_: Abandoned) -> Self {
        Self::Abandoned
    }
}

/// Streams what is in the folder `root`, or `root` itself when it is a file.
///
/// The order is that of the names' bytes, the same on every machine. The folder itself gives no
/// entry. A file that shrinks while it is read is an error of the stream; one that grows is cut
/// where it ended when its turn came. Sockets, pipes and devices are left out with a warning in
/// the log. Must be called inside a tokio runtime.
#[must_use]
pub fn read_local(root: impl Into<PathBuf>, options: ReadOptions) -> Entries {
    let root = root.into();
    let (producer, entries) = channel();
    // The walk ends by itself when the stream is dropped, because its next push fails.
    drop(tokio::task::spawn_blocking(move || {
        let mut walk = Walk {
            producer,
            options,
            above: HashSet::new(),
            buffer: BytesMut::new(),
        };
        let result = match walk.root(&root) {
            Ok(()) | Err(Stop::Abandoned) => Ok(()),
            Err(Stop::Failed(error)) => Err(error),
        };
        walk.producer.finish_blocking(result);
    }));
    entries
}

struct Walk {
    producer: Producer,
    options: ReadOptions,
    /// Canonical folders we are inside of, to notice links that lead back.
    above: HashSet<PathBuf>,
    buffer: BytesMut,
}

impl Walk {
    fn root(&mut self, root: &Path) -> Result<(), Stop> {
        let metadata = std::fs::metadata(root).map_err(|source| failed("reading", root, source))?;
        if metadata.is_dir() {
            return self.folder(root, "");
        }
        let name = root
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("file")
            .to_owned();
        self.file(root, name)
    }

    /// The content of the folder `path`, which is `relative` inside the tree.
    fn folder(&mut self, path: &Path, relative: &str) -> Result<(), Stop> {
        let canonical = path
            .canonicalize()
            .map_err(|source| failed("reading folder", path, source))?;
        if !self.above.insert(canonical.clone()) {
            let source = std::io::Error::other("a symbolic link leads back to a folder it is in");
            return Err(failed("reading folder", path, source));
        }
        for name in sorted_names(path)? {
            let inner = if relative.is_empty() {
                name.clone()
            } else {
                format!("{relative}/{name}")
            };
            if !is_excluded(&inner, &self.options.exclude) {
                self.entry(&path.join(&name), inner)?;
            }
        }
        self.above.remove(&canonical);
        Ok(())
    }

    fn entry(&mut self, path: &Path, relative: String) -> Result<(), Stop> {
        let metadata = self.metadata(path)?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            let mode = mode_of(&metadata);
            self.producer.push_blocking(Entry::Directory {
                path: relative.clone(),
                mode,
            })?;
            self.folder(path, &relative)
        } else if kind.is_file() {
            self.file(path, relative)
        } else if kind.is_symlink() {
            let target =
                std::fs::read_link(path).map_err(|source| failed("reading link", path, source))?;
            let target = text(target.into_os_string(), path)?;
            Ok(self.producer.push_blocking(Entry::Symlink {
                path: relative,
                target,
            })?)
        } else {
            tracing::warn!(path = %path.display(), "left out of the tree: neither file nor folder");
            Ok(())
        }
    }

    fn metadata(&self, path: &Path) -> Result<Metadata, Stop> {
        match self.options.symlinks {
            Symlinks::Keep => std::fs::symlink_metadata(path),
            Symlinks::Follow => std::fs::metadata(path),
        }
        .map_err(|source| match std::fs::read_link(path) {
            Ok(target) if source.kind() == std::io::ErrorKind::NotFound => {
                let text = format!("it leads to `{}`, which is not there", target.display());
                failed(
                    "reading link",
                    path,
                    std::io::Error::new(source.kind(), text),
                )
            }
            _ => failed("reading", path, source),
        })
    }

    fn file(&mut self, path: &Path, relative: String) -> Result<(), Stop> {
        let fail = |source| failed("reading", path, source);
        let mut file = File::open(path).map_err(fail)?;
        let metadata = file.metadata().map_err(fail)?;
        let size = metadata.len();
        let mode = mode_of(&metadata);
        self.producer.push_blocking(Entry::File {
            path: relative,
            mode,
            size,
        })?;
        let mut left = size;
        while left > 0 {
            let want = usize::try_from(left)
                .unwrap_or(CHUNK_BYTES)
                .min(CHUNK_BYTES);
            let piece = self.read_piece(&mut file, want).map_err(fail)?;
            left -= piece.len() as u64;
            self.producer.push_blocking(Entry::Data(piece))?;
        }
        Ok(())
    }

    /// Reads `want` bytes. Small files share one allocation of [`CHUNK_BYTES`].
    fn read_piece(&mut self, file: &mut File, want: usize) -> std::io::Result<Bytes> {
        if self.buffer.len() < want {
            self.buffer = BytesMut::zeroed(CHUNK_BYTES);
        }
        let mut piece = self.buffer.split_to(want);
        match file.read_exact(&mut piece) {
            Ok(()) => Ok(piece.freeze()),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(
                std::io::Error::new(error.kind(), "the file became shorter while it was read"),
            ),
            Err(error) => Err(error),
        }
    }
}

fn sorted_names(path: &Path) -> Result<Vec<String>, Stop> {
    let fail = |source| failed("reading folder", path, source);
    let mut names = Vec::new();
    for item in std::fs::read_dir(path).map_err(fail)? {
        let name = item.map_err(fail)?.file_name();
        names.push(text(name, path)?);
    }
    names.sort_unstable();
    Ok(names)
}

fn text(name: std::ffi::OsString, path: &Path) -> Result<String, Stop> {
    name.into_string().map_err(|name| {
        let message = format!("the name `{}` is not valid UTF-8", name.display());
        failed(
            "reading",
            path,
            std::io::Error::new(std::io::ErrorKind::InvalidData, message),
        )
    })
}

fn mode_of(metadata: &Metadata) -> u32 {
    metadata.permissions().mode() & 0o7777
}

fn failed(operation: &str, path: &Path, source: std::io::Error) -> Stop {
    Stop::Failed(CommunicatorError::Io {
        operation: format!("{operation} {}", path.display()),
        source,
    })
}
