//! Trees through the guest's `tar`: one command, no round trip per file.

use bytes::Bytes;
use futures::{StreamExt, stream};
use sdk_communicator::tree;
use sdk_communicator::{Command, CommunicatorError, Exit, capture};
use tokio_util::io::StreamReader;

use super::quote::{expand, is_windows, literal, quote};
use super::start;
use crate::communicator::SshCommunicator;
use crate::process::{Gone, Process};

/// Which `tar` a guest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tar {
    /// GNU's from 1.27: it can leave folders that are there as they are.
    Gnu,
    /// Another one: good for reading. Unpacking could change the modes of folders that are there,
    /// or put folders where links are, so it is not used for that.
    Other,
    /// None.
    Missing,
}

/// Asks the guest.
pub(super) async fn probe(machine: &SshCommunicator) -> Result<Tar, CommunicatorError> {
    // Without a shell of Unix the command fails, which is answer enough.
    let command = "command -v tar >/dev/null 2>&1 && tar --version 2>/dev/null; \
                   tar --keep-directory-symlink --version >/dev/null 2>&1 && echo keeps-links; \
                   test $? -ne 127";
    let run = capture(machine, Command::new(command)).await?;
    match run.exit {
        Exit::Disconnected(seen) => {
            let operation = "asking the guest for tar".to_owned();
            Err(CommunicatorError::Broken { operation, seen })
        }
        _ if run.stdout.contains("GNU tar") && run.stdout.contains("keeps-links") => Ok(Tar::Gnu),
        _ if run.stdout.contains("tar") => Ok(Tar::Other),
        _ => Ok(Tar::Missing),
    }
}

/// See `Communicator::upload_tree`.
pub(super) async fn upload(
    machine: &SshCommunicator,
    path: &str,
    entries: tree::Entries,
) -> Result<u64, CommunicatorError> {
    let operation = format!("upload of the tree {path}");
    let target = expand(path);
    // Owner and times are the guest's own, as if its user had made the files; folders and links to
    // folders that are there stay as they are.
    let command = format!(
        "mkdir -p {target} && tar -x -p -m -o --keep-directory-symlink --no-overwrite-dir \
         -f - -C {target}"
    );
    let mut process = start(machine, &command, &operation).await?;
    let bytes = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counter = std::sync::Arc::clone(&bytes);
    let counted = entries.inspect(move |entry| {
        if let Ok(tree::Entry::Data(data)) = entry {
            counter.fetch_add(data.len() as u64, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let mut pieces = tree::to_tar(counted.boxed());
    while let Some(piece) = pieces.next().await {
        if let Err(Gone) = process.send(piece?).await {
            break;
        }
    }
    process.end_input().await;
    let exit = process.wait().await;
    check(&process, exit, operation)?;
    Ok(bytes.load(std::sync::atomic::Ordering::Relaxed))
}

/// See `Communicator::download_tree`.
pub(super) async fn download(
    machine: &SshCommunicator,
    path: &str,
    exclude: &[String],
    known: Tar,
) -> Result<tree::Entries, CommunicatorError> {
    let operation = format!("download of the tree {path}");
    let source = quote(path);
    let patterns = if known == Tar::Gnu && !is_windows(path) {
        patterns(exclude)
    } else {
        String::new()
    };
    let command = format!("cd {source} && tar -c -f - {patterns}.");
    let mut process = start(machine, &command, &operation).await?;
    process.end_input().await;
    // The first piece tells whether there is such a folder at all.
    let Some(first) = process.output().await else {
        let exit = process.wait().await;
        check(&process, exit, operation.clone())?;
        let message = "tar gave nothing".to_owned();
        return Err(CommunicatorError::Refused { operation, message });
    };
    process.put_back(first);
    let pieces = stream::unfold(Some((process, operation)), |state| async move {
        let (mut process, operation) = state?;
        if let Some(piece) = process.joined_output(tree::CHUNK_BYTES).await {
            return Some((
                Ok::<Bytes, std::io::Error>(piece),
                Some((process, operation)),
            ));
        }
        let exit = process.wait().await;
        let error = check(&process, exit, operation).err()?;
        Some((Err(std::io::Error::other(error)), None))
    });
    Ok(tree::from_tar(
        Box::new(StreamReader::new(Box::pin(pieces))),
        exclude.to_vec(),
    ))
}

/// What GNU tar need not send; the rest is filtered here as well.
fn patterns(exclude: &[String]) -> String {
    let options = exclude.iter().map(|excluded| {
        let plain = excluded.trim_start_matches("./").trim_end_matches('/');
        let anchored = literal(&format!("--exclude=./{plain}"));
        if plain.contains('/') {
            return format!("--anchored {} ", protect(&anchored));
        }
        let by_name = literal(&format!("--exclude={plain}"));
        format!("--no-anchored {} ", protect(&by_name))
    });
    let options: String = options.collect();
    if options.is_empty() {
        options
    } else {
        format!("--no-wildcards {options}")
    }
}

/// Options begin with a dash on purpose.
fn protect(option: &str) -> String {
    option.replacen("./--exclude", "--exclude", 1)
}

/// Whether the guest's tar did its work.
fn check(process: &Process, exit: Exit, operation: String) -> Result<(), CommunicatorError> {
    let complaint = process.complaint();
    let message = match exit {
        Exit::Code(0) => return Ok(()),
        // "Some files differ": a file changed while it was read, as on any machine that runs.
        Exit::Code(1) if complaint.contains("changed as we read it") => {
            tracing::warn!(complaint, "files changed while the guest's tar read them");
            return Ok(());
        }
        Exit::Disconnected(seen) => return Err(CommunicatorError::Broken { operation, seen }),
        Exit::Code(_) if !complaint.is_empty() => complaint,
        Exit::Code(code) => format!("the guest's tar ended with status {code}"),
        Exit::Signal(name) => format!("the guest's tar was ended by signal {name}"),
    };
    Err(CommunicatorError::Refused { operation, message })
}
