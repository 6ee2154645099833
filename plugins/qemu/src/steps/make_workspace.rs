//! Makes a private folder for what the build needs only while it runs.

use std::path::{Path, PathBuf};

use kiln_sdk::{Failure, Resource, RunContext};

use crate::record::Record;

/// Paths of sockets have at most this many bytes, with the names in the folder, unix(7).
const LONGEST_FOLDER: usize = 80;

/// The folder: floppy and CD images, process numbers, sockets, the serial log.
#[derive(Debug)]
pub(crate) struct Workspace {
    path: PathBuf,
    record: Record,
}

impl Workspace {
    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Removes it with everything in it.
    pub(crate) async fn undo(&self) -> Result<(), Failure> {
        remove_folder(&self.path).await?;
        self.record.release().await;
        Ok(())
    }
}

/// Makes the folder in the run's own folder, or in the temporary one when that has too long a path
/// for sockets.
pub(crate) async fn make_workspace(cx: &RunContext) -> Result<Workspace, Failure> {
    let name = format!("qemu-{:08x}", rand::random::<u32>());
    let run_dir = std::path::absolute(&cx.build().run_dir).unwrap_or_default();
    let fits = run_dir.is_absolute() && run_dir.as_os_str().len() + name.len() < LONGEST_FOLDER;
    let path = if fits {
        run_dir.join(name)
    } else {
        std::env::temp_dir().join(name)
    };
    let held = cx.announce(Resource::directory(&path)).await?;
    let made = std::fs::create_dir_all(&path).and_then(|()| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
    });
    made.map_err(|error| Failure::new(format!("cannot create `{}`: {error}", path.display())))?;
    Ok(Workspace {
        path,
        record: held.into(),
    })
}

/// Removes a folder that may be gone already.
pub(crate) async fn remove_folder(path: &Path) -> Result<(), Failure> {
    match tokio::fs::remove_dir_all(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::new(format!(
            "cannot remove `{}`: {error}",
            path.display()
        ))),
        _ => Ok(()),
    }
}
