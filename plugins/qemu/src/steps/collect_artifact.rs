//! Describes what the build leaves.

use std::path::{Path, PathBuf};

use kiln_sdk::Value;
use kiln_sdk::{Artifact, Failure};

use super::copy_efi::VARIABLES;
use crate::config::{Accelerator, QemuConfig};

/// What the builder's artifacts are known by.
pub(crate) const BUILDER_ID: &str = "transcend.qemu";

/// The artifact: every file below the output directory.
pub(crate) fn collect_artifact(
    config: &QemuConfig,
    output: &Path,
    disks: &[PathBuf],
    accelerator: Accelerator,
    generated: Value,
) -> Result<Artifact, Failure> {
    let mut files = Vec::new();
    collect(output, &mut files).map_err(|error| {
        Failure::new(format!(
            "cannot list the output directory `{}`: {error}",
            output.display()
        ))
    })?;
    if config.efi_drop_efivars {
        files.retain(|file| *file != output.join(VARIABLES));
    }
    let paths: Vec<Value> = disks
        .iter()
        .map(|disk| Value::from(disk.display().to_string()))
        .collect();
    let mut state = Value::empty_map();
    state.insert("generated_data", generated);
    state.insert("diskName", config.vm_name.as_str());
    state.insert("diskPaths", paths);
    state.insert("diskType", config.format.as_str());
    state.insert("diskSize", config.disk_size.as_str());
    state.insert("domainType", accelerator.name());
    Ok(Artifact {
        builder_id: BUILDER_ID.to_owned(),
        id: "VM".to_owned(),
        files,
        description: format!("VM files in directory: {}", output.display()),
        state,
        destroy: vec![output.to_owned()],
        resources: Vec::new(),
    })
}

/// Adds the regular files below `folder`, in order of their names.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}
