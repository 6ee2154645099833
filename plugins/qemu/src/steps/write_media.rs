//! Writes the floppy disk and the CD that the template fills.

use std::path::PathBuf;

use kiln_sdk::{Failure, RunContext};

use super::make_workspace::Workspace;
use crate::config::QemuConfig;

/// Writes the floppy disk; none when the template has no files for one.
pub(crate) async fn write_floppy(
    cx: &RunContext,
    config: &QemuConfig,
    workspace: &Workspace,
) -> Result<Option<PathBuf>, Failure> {
    let floppy = &config.floppy;
    if floppy.is_empty() {
        return Ok(None);
    }
    cx.say("Creating floppy disk...").await;
    let image = cx
        .until_cancelled(floppy.write(&workspace.file("floppy.img")))
        .await?
        .map_err(|error| Failure::from_error(&error))?;
    for line in [
        "Copying files flatly from floppy_files".to_owned(),
        "Done copying files from floppy_files".to_owned(),
        "Collecting paths from floppy_dirs".to_owned(),
        format!(
            "Resulting paths from floppy_dirs : [{}]",
            floppy.floppy_dirs.join(" ")
        ),
        "Done copying paths from floppy_dirs".to_owned(),
        "Copying files from floppy_content".to_owned(),
        "Done copying files from floppy_content".to_owned(),
    ] {
        cx.say(line).await;
    }
    Ok(image.map(|image| image.path))
}

/// Writes the CD; none when the template has no files for one.
pub(crate) async fn write_cd(
    cx: &RunContext,
    config: &QemuConfig,
    workspace: &Workspace,
) -> Result<Option<PathBuf>, Failure> {
    if config.cd.is_empty() {
        return Ok(None);
    }
    cx.say("Creating CD disk...").await;
    let image = cx
        .until_cancelled(config.cd.write(&workspace.file("cd.iso")))
        .await?
        .map_err(|error| Failure::from_error(&error))?;
    cx.say("Done copying paths from CD_dirs").await;
    Ok(image.map(|image| image.path))
}
