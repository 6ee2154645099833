//! From a stream of entries to a local folder, trusting none of them.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use futures::StreamExt;
use tokio::sync::mpsc;

use super::entry::{Entries, Entry};
use super::path::relative_path;
use crate::CommunicatorError;

/// Entries handed to the writing thread at once.
const BATCH_ENTRIES: usize = 16;
/// Permission bits a guest may choose; never those that change who a program runs as.
const MODE_MASK: u32 = 0o777;

/// Writes the tree into the folder `destination`, which is made when missing; returns the bytes of
/// all files.
///
/// Files that exist are replaced. Permission bits are kept, except set-user-id, set-group-id and
/// sticky. A link is written as stored, wherever it points, but nothing is ever written through a
/// link below `destination`, be it from the tree or older than it.
///
/// # Errors
///
/// [`CommunicatorError::Refused`] for an entry whose path is absolute, has a `..` step or passes
/// through a link or a file, and for data that does not fit its file; [`CommunicatorError::Io`]
/// when the local file system refuses; and every error of the stream. What was written until then
/// stays.
pub async fn write_local(entries: Entries, destination: &Path) -> Result<u64, CommunicatorError> {
    let (sender, mut receiver) = mpsc::channel::<Vec<Entry>>(2);
    let root = destination.to_owned();
    let writing = tokio::task::spawn_blocking(move || {
        let mut writer = TreeWriter::new(root)?;
        while let Some(batch) = receiver.blocking_recv() {
            for entry in batch {
                writer.write(entry)?;
            }
        }
        writer.finish()
    });
    let mut batches = entries.ready_chunks(BATCH_ENTRIES);
    let mut failure = None;
    while let Some(batch) = batches.next().await {
        match batch.into_iter().collect::<Result<Vec<_>, _>>() {
            Ok(batch) => {
                if sender.send(batch).await.is_err() {
                    // The writer stopped early; its own error says why.
                    break;
                }
            }
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }
    drop(sender);
    let written = writing.await.map_err(|source| CommunicatorError::Io {
        operation: format!("writing {}", destination.display()),
        source: std::io::Error::other(source),
    })?;
    match failure {
        Some(error) => Err(error),
        None => written,
    }
}

struct Open {
    file: File,
    path: PathBuf,
    mode: u32,
    left: u64,
}

struct TreeWriter {
    root: PathBuf,
    /// Folders below the root known to be real ones.
    real: HashSet<PathBuf>,
    /// Modes for the end, because a folder may have to be filled first.
    modes: Vec<(PathBuf, u32)>,
    open: Option<Open>,
    bytes: u64,
}

impl TreeWriter {
    fn new(root: PathBuf) -> Result<Self, CommunicatorError> {
        std::fs::create_dir_all(&root).map_err(|source| failed("making folder", &root, source))?;
        let real = HashSet::from([root.clone()]);
        Ok(Self {
            root,
            real,
            modes: Vec::new(),
            open: None,
            bytes: 0,
        })
    }

    fn write(&mut self, entry: Entry) -> Result<(), CommunicatorError> {
        if let Entry::Data(data) = entry {
            return self.data(&data);
        }
        self.close()?;
        match entry {
            Entry::Directory { path, mode } => self.directory(&path, mode),
            Entry::File { path, mode, size } => self.file(&path, mode, size),
            Entry::Symlink { path, target } => self.symlink(&path, &target),
            Entry::Data(_) => Ok(()),
        }
    }

    fn directory(&mut self, path: &str, mode: u32) -> Result<(), CommunicatorError> {
        let Some(path) = relative_path(path)? else {
            return Ok(());
        };
        let whole = self.root.join(&path);
        self.ensure_real(&whole)?;
        self.modes.push((whole, mode & MODE_MASK));
        Ok(())
    }

    fn file(&mut self, path: &str, mode: u32, size: u64) -> Result<(), CommunicatorError> {
        let path = self.place(path)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|source| failed("making", &path, source))?;
        self.open = Some(Open {
            file,
            path,
            mode: mode & MODE_MASK,
            left: size,
        });
        Ok(())
    }

    fn symlink(&mut self, path: &str, target: &str) -> Result<(), CommunicatorError> {
        let path = self.place(path)?;
        std::os::unix::fs::symlink(target, &path)
            .map_err(|source| failed("making link", &path, source))
    }

    fn data(&mut self, data: &[u8]) -> Result<(), CommunicatorError> {
        let Some(open) = &mut self.open else {
            return Err(refused(&self.root, "data without a file"));
        };
        let size = data.len() as u64;
        if size > open.left {
            return Err(refused(&open.path, "more data than the file's size"));
        }
        open.file
            .write_all(data)
            .map_err(|source| failed("writing", &open.path, source))?;
        open.left -= size;
        self.bytes += size;
        Ok(())
    }

    fn close(&mut self) -> Result<(), CommunicatorError> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        if open.left > 0 {
            return Err(refused(
                &open.path,
                &format!("{} bytes of it are missing", open.left),
            ));
        }
        open.file
            .set_permissions(Permissions::from_mode(open.mode))
            .map_err(|source| failed("setting the mode of", &open.path, source))
    }

    fn finish(mut self) -> Result<u64, CommunicatorError> {
        self.close()?;
        for (path, mode) in self.modes.iter().rev() {
            std::fs::set_permissions(path, Permissions::from_mode(*mode))
                .map_err(|source| failed("setting the mode of", path, source))?;
        }
        Ok(self.bytes)
    }

    /// Where a file or link goes: its folder is real, and nothing but a folder stands there.
    fn place(&mut self, path: &str) -> Result<PathBuf, CommunicatorError> {
        let Some(plain) = relative_path(path)? else {
            return Err(refused(
                &self.root,
                "a file or link stands for the tree itself",
            ));
        };
        let whole = self.root.join(&plain);
        if let Some(folder) = whole.parent() {
            self.ensure_real(&folder.to_owned())?;
        }
        match std::fs::symlink_metadata(&whole) {
            Ok(metadata) if metadata.is_dir() => Err(refused(&whole, "a folder stands there")),
            Ok(_) => std::fs::remove_file(&whole)
                .map(|()| whole.clone())
                .map_err(|source| failed("replacing", &whole, source)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(whole),
            Err(source) => Err(failed("looking at", &whole, source)),
        }
    }

    /// Makes `folder` and those above it, up to the root, and sees that none is a link.
    fn ensure_real(&mut self, folder: &PathBuf) -> Result<(), CommunicatorError> {
        if self.real.contains(folder) {
            return Ok(());
        }
        if let Some(above) = folder.parent() {
            self.ensure_real(&above.to_owned())?;
        }
        match std::fs::symlink_metadata(folder) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(metadata) if metadata.file_type().is_symlink() => {
                return Err(refused(folder, "its path passes through a symbolic link"));
            }
            Ok(_) => return Err(refused(folder, "a file stands where a folder is needed")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                std::fs::create_dir(folder)
                    .map_err(|source| failed("making folder", folder, source))?;
            }
            Err(source) => return Err(failed("looking at", folder, source)),
        }
        self.real.insert(folder.clone());
        Ok(())
    }
}

fn refused(path: &Path, message: &str) -> CommunicatorError {
    CommunicatorError::Refused {
        operation: format!("writing {}", path.display()),
        message: message.to_owned(),
    }
}

fn failed(operation: &str, path: &Path, source: std::io::Error) -> CommunicatorError {
    CommunicatorError::Io {
        operation: format!("{operation} {}", path.display()),
        source,
    }
}
