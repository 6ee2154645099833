//! The `file` builder: its artifact is one local file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_sdk::{
    Artifact, BuildInfo, Builder, Config, Diagnostic, Diagnostics, Draft, Failure, OnError,
    Prepared, Ready, Resource, RunContext, Value,
};

use crate::nowhere::Nowhere;

/// Permission bits of the file, before the user's mask.
const MODE: u32 = 0o666;

/// Writes one local file. Good for trying out post-processors.
#[derive(Debug, Clone, Config)]
pub struct FileConfig {
    /// Path of the file to write.
    #[config(required)]
    pub target: String,
    /// File to copy.
    pub source: String,
    /// Text to write.
    pub content: String,
}

/// The builder.
pub struct FileBuilder;

impl Builder for FileBuilder {
    type Config = FileConfig;

    fn prepare(&self, config: &mut FileConfig, _build: &BuildInfo) -> Prepared {
        let mut diagnostics = Diagnostics::new();
        if config.target.is_empty() {
            diagnostics.push(
                Diagnostic::error(
                    "target required",
                    "`target` is empty: there is no file to write.",
                )
                .on("target")
                .hint("Set `target` to the path of the file."),
            );
        }
        match (config.source.is_empty(), config.content.is_empty()) {
            (false, false) => diagnostics.push(
                Diagnostic::error(
                    "Both source and content are set",
                    "The file can be a copy of `source` or hold `content`, not both.",
                )
                .on("content")
                .hint("Remove one of the two."),
            ),
            (true, true) => diagnostics.push(Diagnostic::warning(
                "Neither source nor content is set",
                "The file will be empty.",
            )),
            _ => {}
        }
        diagnostics.into()
    }

    async fn run(&self, cx: RunContext, config: FileConfig) -> Result<Option<Artifact>, Failure> {
        let target = PathBuf::from(&config.target);
        let absolute = std::path::absolute(&target).map_err(|error| failed(&target, &error))?;
        if let Some(folder) = absolute.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(&target, &error))?;
        }
        let draft = Draft::of(&cx, &absolute).await?;
        let written = write(&cx, &config, &draft).await;
        draft.end().await;
        written?;
        // What is no file was there before and stays.
        let is_file = std::fs::metadata(&absolute).is_ok_and(|facts| facts.is_file());
        let held = match is_file {
            // It is no artifact before it was provisioned.
            true => Some(cx.announce(Resource::file(&absolute)).await?),
            false => None,
        };
        let machine = Arc::new(Nowhere);
        let generated = Value::empty_map();
        let provisioned = cx
            .provision(Ready {
                communicator: Some(machine),
                generated,
            })
            .await;
        let removed = match provisioned.is_err() && cx.build().on_error != OnError::Abort {
            true if is_file => std::fs::remove_file(&target),
            _ => Ok(()),
        };
        if let Some(held) = held {
            held.release().await;
        }
        removed.map_err(|error| failed(&target, &error))?;
        provisioned?;
        Ok(Some(Artifact {
            builder_id: "packer.file".to_owned(),
            id: "File".to_owned(),
            description: format!("Stored file: {}", config.target),
            files: vec![target],
            destroy: Vec::from_iter(is_file.then_some(absolute)),
            state: Value::null(),
            resources: Vec::new(),
        }))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write `{}`: {error}", path.display())).on("target")
}

/// Writes the file as a draft first, so that a half file never has its name.
async fn write(cx: &RunContext, config: &FileConfig, draft: &Draft) -> Result<(), Failure> {
    let failed = |error: std::io::Error| failed(Path::new(&config.target), &error);
    if config.source.is_empty() {
        return draft.write(MODE, config.content.as_bytes()).map_err(failed);
    }
    cx.say(format!("Copying {} to {}", config.source, config.target))
        .await;
    let file = draft.create(MODE).map_err(failed)?;
    let bytes = cx
        .until_cancelled(copy(config.source.clone().into(), file))
        .await?
        .map_err(|error| {
            Failure::new(format!(
                "cannot copy `{}` to `{}`: {error}",
                config.source, config.target
            ))
            .on("source")
        })?;
    cx.say(format!("Copied {bytes} bytes")).await;
    draft.persist().map_err(failed)
}

/// Copies a file's content and permissions, and counts the bytes.
async fn copy(from: PathBuf, mut to: File) -> std::io::Result<u64> {
    let copy = move || {
        let mut from = File::open(from)?;
        let bytes = std::io::copy(&mut from, &mut to)?;
        to.set_permissions(from.metadata()?.permissions())?;
        Ok(bytes)
    };
    match tokio::task::spawn_blocking(copy).await {
        Ok(copied) => copied,
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use kiln_sdk_test_kit::FakeHost;

    use super::*;

    async fn build(target: &Path, entries: &[(&str, String)]) -> Option<Artifact> {
        let mut options: Value = [("target", target.display().to_string())]
            .into_iter()
            .collect();
        for (name, value) in entries {
            options.insert(*name, value.clone());
        }
        let run = FakeHost::new().build(FileBuilder, options).await;
        assert_eq!(run.left, []);
        run.outcome.ok().flatten()
    }

    #[tokio::test]
    async fn the_longest_name_in_a_folder_beside_can_be_written_and_copied() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("here")).unwrap();
        let target = folder.path().join("here/../out").join("x".repeat(255));
        assert!(build(&target, &[("content", "new".into())]).await.is_some());
        assert_eq!(std::fs::read(&target).unwrap(), b"new");

        let source = folder.path().join("source");
        std::fs::write(&source, "copied").unwrap();
        std::fs::set_permissions(&source, std::fs::Permissions::from_mode(0o750)).unwrap();
        let entries = [("source", source.display().to_string())];
        assert!(build(&target, &entries).await.is_some());
        assert_eq!(std::fs::read(&target).unwrap(), b"copied");
        let mode = target.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o750, "{mode:o}");
        let files = std::fs::read_dir(folder.path().join("out")).unwrap();
        assert_eq!(files.count(), 1);
    }

    #[tokio::test]
    async fn a_source_that_is_not_there_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let entries = [("source", "/nowhere/at/all".to_owned())];
        assert!(build(&folder.path().join("out"), &entries).await.is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
