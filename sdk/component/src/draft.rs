//! Files that have their names only when they are complete.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::OFlags;

use crate::context::RunContext;
use crate::failure::Failure;
use crate::resource::{Held, Resource};

/// Bytes that the name of a file may have on every usual file system.
const LONGEST_NAME: usize = 255;
/// Links that are followed, as many as the kernel does.
const MOST_LINKS: usize = 40;

/// The new content of a file, under a name of its own beside it until it is complete. Where the name
/// is a link, what it leads to is replaced; where it is a device or a pipe, the content is written
/// into it. It is on record from the beginning, so that nothing of it stays when this process is killed. Call
/// [`Draft::end`] whatever happened; a draft that is dropped is removed behind the component's end.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    target: PathBuf,
    cx: RunContext,
    /// `None` when it was ended.
    held: Option<Held>,
}

impl Draft {
    /// Chooses the name and puts it on record; makes nothing yet.
    ///
    /// # Errors
    ///
    /// A cancelled [`Failure`] when the host is gone, another when there is no working folder.
    pub async fn of(cx: &RunContext, target: &Path) -> Result<Self, Failure> {
        let target = std::path::absolute(target).map_err(|error| Failure::from_error(&error))?;
        let target = behind_links(target);
        let path = match (is_special(&target), target.file_name()) {
            // Nothing belongs beside a device.
            (true, Some(name)) => beside(&cx.build().run_dir.join(name)),
            _ => beside(&target),
        };
        let held = Some(cx.announce(Resource::file(&path)).await?);
        Ok(Self {
            path,
            target,
            cx: cx.clone(),
            held,
        })
    }

    /// Makes the draft, empty, with the permission bits of the file that it replaces, or else `mode`
    /// before the user's mask.
    ///
    /// # Errors
    ///
    /// When the folder is missing or refuses it.
    pub fn create(&self, mode: u32) -> io::Result<File> {
        // An earlier process with the same number may have been killed.
        remove(&self.path)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&self.path)?;
        if let Ok(older) = std::fs::metadata(&self.target)
            && older.is_file()
        {
            file.set_permissions(older.permissions())?;
        }
        Ok(file)
    }

    /// Gives the complete draft its name; an older file of that name is replaced.
    ///
    /// # Errors
    ///
    /// When the folder refuses it, or the device the content; for a pipe that nobody reads.
    pub fn persist(&self) -> io::Result<()> {
        if !is_special(&self.target) {
            return std::fs::rename(&self.path, &self.target);
        }
        let mut target = OpenOptions::new()
            .write(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(&self.target)?;
        // Only opening must not wait.
        rustix::fs::fcntl_setfl(&target, OFlags::empty())?;
        io::copy(&mut File::open(&self.path)?, &mut target)?;
        target.flush()
    }

    /// All of it: makes the draft with this content and gives it its name.
    ///
    /// # Errors
    ///
    /// As [`Draft::create`] and [`Draft::persist`], and when the disk is full.
    pub fn write(&self, mode: u32, content: &[u8]) -> io::Result<()> {
        self.create(mode)?.write_all(content)?;
        self.persist()
    }

    /// Removes what did not get its name, and takes it off the record.
    pub async fn end(mut self) {
        if let Some(held) = self.held.take() {
            discard(&self.path, held).await;
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            let path = self.path.clone();
            self.cx.cleanup(async move { discard(&path, held).await });
        }
    }
}

/// Where a path leads at last: the name that a link has for something may be free still.
fn behind_links(path: PathBuf) -> PathBuf {
    let mut path = path;
    for _ in 0..MOST_LINKS {
        if let Ok(real) = std::fs::canonicalize(&path)
            && path.is_symlink()
        {
            return real;
        }
        match std::fs::read_link(&path) {
            Ok(next) => {
                path = path
                    .parent()
                    .map_or(next.clone(), |above| above.join(&next))
            }
            Err(_) => break,
        }
    }
    path
}

async fn discard(path: &Path, held: Held) {
    if let Err(error) = remove(path) {
        tracing::warn!(path = %path.display(), %error, "an unfinished file stays");
    }
    held.release().await;
}

/// Whether something is there that is neither a file nor a folder.
fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|facts| !facts.is_file() && !facts.is_dir())
}

/// Removes a file that may not be there.
fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A name beside `target` that nobody else uses at this moment; where both would be too long, it
/// begins with less of the target's.
fn beside(target: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let own = format!(".{:x}-{number:x}.part", std::process::id());
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let kept = name.floor_char_boundary(LONGEST_NAME.saturating_sub(own.len()));
    target.with_file_name(format!("{}{own}", &name[..kept]))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Component;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::context::BuildInfo;
    use crate::link::{Event, HostLink};

    /// What `work` has on record, and whether that is there when it is announced and released.
    async fn on_record(work: impl AsyncFnOnce(RunContext)) -> Vec<(String, bool)> {
        let (link, mut events) = HostLink::new();
        let build = BuildInfo {
            run_dir: std::env::temp_dir(),
            ..BuildInfo::default()
        };
        let cx = RunContext::new(link, CancellationToken::new(), build);
        let record = tokio::spawn(async move {
            let (mut seen, mut path) = (Vec::new(), PathBuf::new());
            while let Some(event) = events.recv().await {
                match event {
                    Event::Created(_, resource, reply) => {
                        path = PathBuf::from(resource.id);
                        let named = path.components().all(|part| part != Component::ParentDir);
                        assert!(named, "{} cannot be reclaimed", path.display());
                        seen.push(("announced".to_owned(), path.exists()));
                        reply.send(()).unwrap();
                    }
                    Event::Released(_) => seen.push(("released".to_owned(), path.exists())),
                    _ => {}
                }
            }
            seen
        });
        work(cx).await;
        record.await.unwrap()
    }

    fn orderly() -> Vec<(String, bool)> {
        vec![
            ("announced".to_owned(), false),
            ("released".to_owned(), false),
        ]
    }

    #[tokio::test]
    async fn a_file_is_replaced_whole_and_only_what_is_on_record_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.json");
        std::fs::write(&target, "old").unwrap();
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o600)).unwrap();
        let seen = on_record(async |cx| {
            let draft = Draft::of(&cx, &target).await.unwrap();
            let mut file = draft.create(0o664).unwrap();
            file.write_all(b"new").unwrap();
            assert_eq!(std::fs::read(&target).unwrap(), b"old");
            draft.persist().unwrap();
            draft.end().await;
        })
        .await;
        assert_eq!(seen, orderly());
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        let mode = target.metadata().unwrap().permissions().mode();
        assert_eq!(
            mode & 0o777,
            0o600,
            "others still may not read it: {mode:o}"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn what_was_not_finished_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.json");
        let seen = on_record(async |cx| {
            let draft = Draft::of(&cx, &target).await.unwrap();
            draft.create(0o664).unwrap();
            draft.end().await;
        })
        .await;
        assert_eq!(seen, orderly());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_is_dropped_is_removed_before_the_run_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.json");
        let seen = on_record(async |cx| {
            let draft = Draft::of(&cx, &target).await.unwrap();
            draft.create(0o664).unwrap();
            drop(draft);
            cx.cleaned_up().await;
        })
        .await;
        assert_eq!(seen, orderly());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_folder_in_the_way_is_an_error_that_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a");
        std::fs::create_dir_all(target.join("b")).unwrap();
        let seen = on_record(async |cx| {
            let draft = Draft::of(&cx, &target).await.unwrap();
            draft.write(0o664, b"x").unwrap_err();
            draft.end().await;
        })
        .await;
        assert_eq!(seen, orderly());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_target_in_another_folder_is_on_record_as_what_can_be_reclaimed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        let target = folder.path().join("sub/../a.json");
        let seen = on_record(async |cx| {
            let draft = Draft::of(&cx, &target).await.unwrap();
            draft.write(0o664, b"new").unwrap();
            draft.end().await;
        })
        .await;
        assert_eq!(seen, orderly());
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
    }

    #[tokio::test]
    async fn links_and_devices_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink("real", &link).unwrap();
        let seen = on_record(async |cx| {
            let draft = Draft::of(&cx, &link).await.unwrap();
            draft.write(0o664, b"new").unwrap();
            draft.end().await;
        })
        .await;
        assert_eq!(seen, orderly());
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&real).unwrap(), b"new");

        let dangling = folder.path().join("dangling");
        std::os::unix::fs::symlink("./later", &dangling).unwrap();
        on_record(async |cx| {
            let draft = Draft::of(&cx, &dangling).await.unwrap();
            draft.write(0o664, b"new").unwrap();
            draft.end().await;
        })
        .await;
        assert!(dangling.is_symlink());
        assert_eq!(std::fs::read(folder.path().join("later")).unwrap(), b"new");

        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let write = async |cx: RunContext| {
            let draft = Draft::of(&cx, &pipe).await.unwrap();
            let written = draft.write(0o664, b"through the pipe");
            draft.end().await;
            written
        };
        on_record(async |cx| drop(write(cx).await.expect_err("nobody reads"))).await;
        let reader = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&pipe)
            .unwrap();
        on_record(async |cx| write(cx).await.unwrap()).await;
        let mut text = [0; 16];
        std::io::Read::read_exact(&mut &reader, &mut text).unwrap();
        assert_eq!(&text, b"through the pipe");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 5);
    }

    #[tokio::test]
    async fn the_longest_names_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["x".repeat(255), "é".repeat(127), "x😀".repeat(51)] {
            let target = folder.path().join(name);
            on_record(async |cx| {
                let draft = Draft::of(&cx, &target).await.unwrap();
                draft.write(0o664, b"new").unwrap();
                draft.end().await;
            })
            .await;
            assert_eq!(std::fs::read(&target).unwrap(), b"new");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
