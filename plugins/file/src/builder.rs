//! The `file` builder: its artifact is one local file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiln_sdk::{
    Artifact, BuildInfo, Builder, Config, Diagnostic, Diagnostics, Failure, OnError, Prepared,
    Ready, Resource, RunContext, Value,
};

use crate::nowhere::Nowhere;

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
        let part = part_of(&absolute);
        let held = cx.announce(Resource::file(&part)).await?;
        let written = write(&cx, &config, &part, &target).await;
        if written.is_err() && part.exists() {
            std::fs::remove_file(&part).map_err(|error| failed(&part, &error))?;
        }
        held.release().await;
        written?;
        let machine = Arc::new(Nowhere);
        let generated = Value::empty_map();
        let provisioned = cx
            .provision(Ready {
                communicator: Some(machine),
                generated,
            })
            .await;
        if let Err(failure) = provisioned {
            if cx.build().on_error == OnError::Abort {
                return Err(failure);
            }
            std::fs::remove_file(&target).map_err(|error| failed(&target, &error))?;
            return Err(failure);
        }
        Ok(Some(Artifact {
            builder_id: "packer.file".to_owned(),
            id: "File".to_owned(),
            description: format!("Stored file: {}", config.target),
            files: vec![target],
            destroy: vec![absolute],
            state: Value::null(),
        }))
    }
}

/// Where the file is written first: beside its place, under a name nothing else has.
fn part_of(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.part-{}", std::process::id()))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot write `{}`: {error}", path.display())).on("target")
}

/// Writes the file beside its place first, so that a half file never has its name.
async fn write(
    cx: &RunContext,
    config: &FileConfig,
    part: &Path,
    target: &Path,
) -> Result<(), Failure> {
    if let Some(parent) = part.parent() {
        tokio::fs::create_dir_all(parent)
            .await
            .map_err(|error| failed(target, &error))?;
    }
    if config.source.is_empty() {
        tokio::fs::write(part, &config.content)
            .await
            .map_err(|error| failed(target, &error))?;
    } else {
        cx.say(format!("Copying {} to {}", config.source, config.target))
            .await;
        let copy = cx
            .until_cancelled(tokio::fs::copy(&config.source, part))
            .await?;
        let bytes = copy.map_err(|error| {
            Failure::new(format!(
                "cannot copy `{}` to `{}`: {error}",
                config.source, config.target
            ))
            .on("source")
        })?;
        cx.say(format!("Copied {bytes} bytes")).await;
    }
    tokio::fs::rename(part, target)
        .await
        .map_err(|error| failed(target, &error))
}
