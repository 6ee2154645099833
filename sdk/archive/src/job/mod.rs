//! One archive from plan to file.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use sdk_component::{Draft, Meter, RunContext};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::compression::Compression;
use crate::encoder::Encoder;
use crate::entry::Entry;
use crate::error::ArchiveError;
use crate::tape::{write_single, write_tar};
use crate::zip::write_zip;

/// Bytes collected before they go to the file.
const BUFFER_BYTES: usize = 1 << 20;
/// Permission bits of an archive, before the user's mask.
const MODE: u32 = 0o666;

/// How several files become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// They do not: there is exactly one.
    Single,
    /// Tar.
    Tar,
    /// Zip, which compresses by itself.
    Zip,
}

/// What to write.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How several files become one.
    pub container: Container,
    /// How bytes become fewer; zip has its own way and ignores it.
    pub compression: Compression,
    /// From 1 (fast) to 9 (small); `None` for the format's own default.
    pub level: Option<u32>,
    /// What is in it, in this order.
    pub entries: Vec<Entry>,
}

/// Writes the archive `target`, whose folder is made when it is missing. It has its name only when
/// it is complete; a file of that name is replaced then.
///
/// # Errors
///
/// [`ArchiveError::Read`] and [`ArchiveError::Write`] with the file, [`ArchiveError::Cancelled`]
/// at once when the run is cancelled. Nothing of the archive is left then.
pub async fn write(cx: &RunContext, plan: Plan, target: &Path) -> Result<(), ArchiveError> {
    let failed = |source| ArchiveError::Write {
        path: target.to_owned(),
        source,
    };
    refuse_overlap(&plan, target)?;
    let target = std::path::absolute(target).map_err(failed)?;
    let folders = missing_folders(&target);
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let draft = Draft::of(cx, &target).await;
    let draft = draft.map_err(|_| ArchiveError::Cancelled)?;
    let result = match draft.create(MODE) {
        Ok(file) => in_thread(cx, plan, file, &target).await,
        Err(source) => Err(failed(source)),
    };
    let result = result.and_then(|()| draft.persist().map_err(failed));
    draft.end().await;
    if result.is_err() {
        remove_folders(&folders);
    }
    result
}

/// An archive must not replace what it is made of.
fn refuse_overlap(plan: &Plan, target: &Path) -> Result<(), ArchiveError> {
    let Ok(real) = target.canonicalize() else {
        return Ok(());
    };
    let same = |entry: &Entry| entry.path().and_then(|path| path.canonicalize().ok());
    if plan.entries.iter().any(|e| same(e).as_ref() == Some(&real)) {
        let path = target.to_owned();
        return Err(ArchiveError::OutputIsInput { path });
    }
    Ok(())
}

/// The folders that have to be made for `target`, the innermost first.
fn missing_folders(target: &Path) -> Vec<PathBuf> {
    let folders = target.ancestors().skip(1);
    folders
        .take_while(|folder| !folder.exists())
        .map(Path::to_owned)
        .collect()
}

/// Removes folders that were made for an archive that is not.
fn remove_folders(folders: &[PathBuf]) {
    for folder in folders {
        // Somebody else may have put something there meanwhile.
        if std::fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// Writes on a thread of its own. When the run is cancelled, the thread is not waited for: an
/// encoder may be far from the next place where it can stop.
async fn in_thread(
    cx: &RunContext,
    plan: Plan,
    file: File,
    target: &Path,
) -> Result<(), ArchiveError> {
    let total = plan.entries.iter().map(Entry::bytes).sum();
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let meter = Meter::bytes(cx, format!("packing {name}"), Some(total));
    let cancel = cx.cancel().clone();
    let shown = target.to_owned();
    let (done, written) = oneshot::channel();
    let thread = std::thread::Builder::new().name("archive".to_owned());
    let work = move || {
        let result = run(&plan, file, &shown, &meter, &cancel);
        drop(meter);
        // Nobody waits for it when the run was cancelled.
        drop(done.send(result));
    };
    thread.spawn(work).map_err(|source| ArchiveError::Write {
        path: target.to_owned(),
        source,
    })?;
    tokio::select! {
        biased;
        () = cx.cancel().cancelled() => Err(ArchiveError::Cancelled),
        written = written => written.unwrap_or_else(|_| {
            Err(ArchiveError::Write {
                path: target.to_owned(),
                source: io::Error::other("the thread that writes it ended"),
            })
        }),
    }
}

fn run(
    plan: &Plan,
    file: File,
    target: &Path,
    meter: &Meter,
    cancel: &CancellationToken,
) -> Result<(), ArchiveError> {
    let failed = |source| ArchiveError::Write {
        path: target.to_owned(),
        source,
    };
    let mut sink = BufWriter::with_capacity(BUFFER_BYTES, file);
    if plan.container == Container::Zip {
        return write_zip(&mut sink, plan.level, &plan.entries, target, meter, cancel);
    }
    let mut encoder = Encoder::new(plan.compression, plan.level, sink).map_err(failed)?;
    match plan.container {
        Container::Tar => {
            encoder = write_tar(encoder, &plan.entries, target, meter, cancel)?;
        }
        _ => write_single(&mut encoder, &plan.entries, target, meter, cancel)?,
    }
    encoder.finish().map(drop).map_err(failed)
}

#[cfg(test)]
mod tests;
