//! Private Unix sockets.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rand::RngCore;
use tokio::net::UnixListener;

use crate::error::ServeError;

/// A socket that only its owner can use; its file goes when this is dropped.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
}

impl SocketFile {
    /// Path of the socket.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "cannot remove a socket");
        }
    }
}

/// Makes a socket with a name of its own in `directory`, which must be private.
///
/// # Errors
///
/// When the folder is open to others or the socket cannot be made there.
pub(crate) fn bind(directory: &Path) -> Result<(UnixListener, SocketFile), ServeError> {
    require_private(directory)?;
    let name = format!("k{:08x}.sock", rand::rng().next_u32());
    let path = directory.join(name);
    let fail = |source| ServeError::Socket {
        path: path.clone(),
        source,
    };
    let listener = UnixListener::bind(&path).map_err(fail)?;
    let socket = SocketFile { path: path.clone() };
    // Nobody else could get at it in between: the folder is private.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(fail)?;
    Ok((listener, socket))
}

fn require_private(directory: &Path) -> Result<(), ServeError> {
    let metadata = std::fs::metadata(directory).map_err(|source| ServeError::Directory {
        path: directory.to_owned(),
        source,
    })?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 || metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(ServeError::OpenDirectory {
            path: directory.to_owned(),
            mode,
        });
    }
    Ok(())
}
