//! The CD options and the ISO 9660 image.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use hadris_fs::PathError;
use hadris_iso::{IsoId, IsoLevel, IsoOptions};
use hadris_storage::host::FileDevice;
use sdk_config::{Diagnostic, Diagnostics};
use sdk_config_derive::Config;

use crate::collect::{Collection, Folders, Image};
use crate::error::MediaError;
use crate::floppy;

const MEDIUM: &str = "CD";
/// Bytes of the volume identifier in the descriptor, ECMA-119 8.4.7.
const LONGEST_LABEL: usize = 32;

/// A CD with files for the guest, for example cloud-init's `user-data` on one labelled `cidata`.
///
/// # Source
///
/// Packer options of the same names. Differs: the image is written without any external tool, so
/// there is nothing to install; owners are always root.
#[derive(Clone, Debug, Default, PartialEq, Config)]
pub struct CdConfig {
    /// Files and folders to put onto a CD that the machine gets as a second drive. The wildcards
    /// `*`, `?` and `[]` are allowed. A folder keeps its own name; with a trailing slash only its
    /// content goes into the root.
    pub cd_files: Vec<String>,
    /// Files to put onto the CD, as path and text. They replace files of the same path.
    pub cd_content: BTreeMap<String, String>,
    /// Volume label, at most 32 bytes. `cidata` is what cloud-init looks for.
    #[config(default = "packer")]
    pub cd_label: String,
}

impl CdConfig {
    /// Checks and completes the options: paths that are no wildcards must exist, and the label
    /// must fit.
    pub fn prepare(&mut self) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        floppy::missing("cd_files", &self.cd_files, &mut diagnostics);
        if self.cd_label.is_empty() {
            "packer".clone_into(&mut self.cd_label);
        }
        if self.cd_label.len() > LONGEST_LABEL {
            diagnostics.push(
                Diagnostic::error(
                    "CD label is too long",
                    format!(
                        "`{}` has {} bytes; the label of a CD has at most {LONGEST_LABEL}.",
                        self.cd_label,
                        self.cd_label.len()
                    ),
                )
                .on("cd_label"),
            );
        }
        diagnostics
    }

    /// Whether no CD is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cd_files.is_empty() && self.cd_content.is_empty()
    }

    /// Writes the image to `path`, which may exist; `None` when no CD is asked for.
    ///
    /// # Errors
    ///
    /// What could not be read, laid out or written.
    pub async fn write(&self, path: &Path) -> Result<Option<Image>, MediaError> {
        if self.is_empty() {
            return Ok(None);
        }
        let (config, path) = (self.clone(), path.to_owned());
        let failed = path.clone();
        tokio::task::spawn_blocking(move || config.write_now(path))
            .await
            .unwrap_or_else(|error| Err(unwritten(&failed, std::io::Error::other(error))))
            .map(Some)
    }

    fn write_now(&self, path: PathBuf) -> Result<Image, MediaError> {
        let mut files = Collection::new(MEDIUM);
        for entry in &self.cd_files {
            files.add(entry, Folders::Kept)?;
        }
        for (name, text) in &self.cd_content {
            files.add_text(name, text)?;
        }
        let (tree, _) = files.tree()?;
        let options = self.options();
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(|source| unwritten(&path, source))?;
        let device = FileDevice::new(file).map_err(|source| unwritten(&path, source))?;
        let report = hadris_iso::sync::write(device, &tree, &options)
            .map_err(|source| refused(&path, source))?;
        for warning in report.warnings() {
            tracing::debug!(%warning, "a file is stored differently on the cd");
        }
        Ok(Image {
            path,
            entries: files.paths(),
        })
    }

    fn options(&self) -> IsoOptions {
        // Level 3 is what lets a file be larger than 4 GiB; Joliet and Rock Ridge carry the names
        // that Windows and Unix guests see.
        IsoOptions::new()
            .with_id(IsoId::Volume, &self.cd_label)
            .with_level(IsoLevel::L3)
            .with_joliet()
            .with_rock_ridge()
    }
}

fn refused(path: &Path, source: PathError) -> MediaError {
    match source.raw_os_error() {
        Some(code) => unwritten(path, std::io::Error::from_raw_os_error(code)),
        None => MediaError::Layout {
            medium: MEDIUM,
            source: Box::new(source),
        },
    }
}

fn unwritten(path: &Path, source: std::io::Error) -> MediaError {
    MediaError::Write {
        medium: MEDIUM,
        path: path.to_owned(),
        source,
    }
}
