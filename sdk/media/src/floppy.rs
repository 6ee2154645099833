//! The floppy options and the 1.44 MB FAT12 image.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hadris_fat::{FatKind, FatOptions, VolumeLabel};
use hadris_fs::{ErrorKind, PathError};
use sdk_config::{Diagnostic, Diagnostics, PathStep};
use sdk_config_derive::Config;

use crate::collect::{Collection, Folders, Image};
use crate::error::MediaError;
use crate::pattern;

const MEDIUM: &str = "floppy disk";
/// Bytes of a 1.44 MB disk: 80 cylinders, 2 heads, 18 sectors of 512 bytes.
const DISK_BYTES: u64 = 80 * 2 * 18 * 512;
/// What is left for clusters after the boot sector, two tables of 9 sectors and 224 root entries.
const CAPACITY_BYTES: u64 = 2847 * 512;
/// Where the boot sector keeps sectors per track and heads (two little-endian 16 bit numbers).
const GEOMETRY_OFFSET: usize = 24;

/// A floppy disk with files for the guest, for installers that look for answers on one.
///
/// # Source
///
/// Packer options of the same names.
#[derive(Clone, Debug, Default, PartialEq, Config)]
pub struct FloppyConfig {
    /// Files to put into the root of a 1.44 MB floppy disk. The wildcards `*`, `?` and `[]` are
    /// allowed. Files of a folder go into the root as well, whatever their depth.
    pub floppy_files: Vec<String>,
    /// Folders to put onto the floppy disk with their structure. A trailing slash leaves out the
    /// folder's own name.
    pub floppy_dirs: Vec<String>,
    /// Files to put onto the floppy disk, as path and text. They replace files of the same path.
    pub floppy_content: BTreeMap<String, String>,
    /// Volume label, at most 11 ASCII characters; stored in upper case.
    #[config(default = "packer")]
    pub floppy_label: String,
}

impl FloppyConfig {
    /// Checks and completes the options: paths that are no wildcards must exist.
    pub fn prepare(&mut self) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        missing("floppy_files", &self.floppy_files, &mut diagnostics);
        missing("floppy_dirs", &self.floppy_dirs, &mut diagnostics);
        if self.floppy_label.is_empty() {
            "packer".clone_into(&mut self.floppy_label);
        }
        if VolumeLabel::new(&self.floppy_label).is_err() {
            let label = &self.floppy_label;
            let stored = usable_label(label);
            diagnostics.push(
                Diagnostic::warning(
                    "Floppy label is shortened",
                    format!("A FAT volume label has at most 11 plain ASCII characters, so `{label}` becomes `{}`.", stored.as_str()),
                )
                .on("floppy_label"),
            );
        }
        diagnostics
    }

    /// Whether no floppy disk is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.floppy_files.is_empty()
            && self.floppy_dirs.is_empty()
            && self.floppy_content.is_empty()
    }

    /// Writes the image to `path`, which may exist; `None` when no floppy disk is asked for.
    ///
    /// # Errors
    ///
    /// [`MediaError::Full`] when the files do not fit; otherwise what could not be read or written.
    pub async fn write(&self, path: &Path) -> Result<Option<Image>, MediaError> {
        if self.is_empty() {
            return Ok(None);
        }
        let (config, path) = (self.clone(), path.to_owned());
        let failed = path.clone();
        tokio::task::spawn_blocking(move || config.write_now(path))
            .await
            .unwrap_or_else(|error| {
                Err(MediaError::Write {
                    medium: MEDIUM,
                    path: failed,
                    source: std::io::Error::other(error),
                })
            })
            .map(Some)
    }

    fn write_now(&self, path: PathBuf) -> Result<Image, MediaError> {
        let mut files = Collection::new(MEDIUM);
        for entry in &self.floppy_files {
            files.add(entry, Folders::Flattened)?;
        }
        for entry in &self.floppy_dirs {
            files.add(entry, Folders::Kept)?;
        }
        for (name, text) in &self.floppy_content {
            files.add_text(name, text)?;
        }
        let bytes = self.image(&files)?;
        std::fs::write(&path, bytes).map_err(|source| MediaError::Write {
            medium: MEDIUM,
            path: path.clone(),
            source,
        })?;
        Ok(Image {
            path,
            entries: files.paths(),
        })
    }

    fn image(&self, files: &Collection) -> Result<Vec<u8>, MediaError> {
        let (tree, needed_bytes) = files.tree()?;
        let options = FatOptions::new()
            .with_kind(FatKind::Fat12)
            .with_size(DISK_BYTES)
            .with_sector_size(512)
            .with_cluster_size(512)
            .with_root_entries(224)
            .with_media(0xF0)
            .with_label(usable_label(&self.floppy_label));
        let mut image = Vec::new();
        hadris_fat::sync::write(&mut image, &tree, &options)
            .map_err(|source| refused(source, needed_bytes))?;
        set_geometry(&mut image);
        Ok(image)
    }
}

fn refused(source: PathError, needed_bytes: u64) -> MediaError {
    match source.kind() {
        ErrorKind::NoSpace | ErrorKind::FileTooLarge => MediaError::Full {
            needed_bytes,
            capacity_bytes: CAPACITY_BYTES,
        },
        _ => MediaError::Layout {
            medium: MEDIUM,
            source: Box::new(source),
        },
    }
}

/// Writes 18 sectors per track and 2 heads: the image writer assumes a hard disk, and DOS-like
/// guests believe the boot sector.
fn set_geometry(image: &mut [u8]) {
    if let Some(field) = image.get_mut(GEOMETRY_OFFSET..GEOMETRY_OFFSET + 4) {
        field.copy_from_slice(&[18, 0, 2, 0]);
    }
}

/// `text` as a label, with what FAT does not allow replaced and cut.
fn usable_label(text: &str) -> VolumeLabel {
    let clean: String = text
        .chars()
        .take(11)
        .map(|sign| {
            if sign.is_ascii_alphanumeric() || "-_ $%!#&@".contains(sign) {
                sign
            } else {
                '_'
            }
        })
        .collect();
    VolumeLabel::new(clean.trim_start())
        .unwrap_or_else(|_| VolumeLabel::new("PACKER").expect("a constant and valid label"))
}

/// Reports each entry of `option` that is neither a wildcard nor there.
pub(crate) fn missing(option: &str, entries: &[String], diagnostics: &mut Diagnostics) {
    for (index, entry) in entries.iter().enumerate() {
        if !Path::new(entry).exists() && !pattern::is_pattern(entry) {
            diagnostics.push(
                Diagnostic::error(
                    "File not found",
                    format!("`{entry}` does not exist. Relative paths start at the folder the build was started in."),
                )
                .at(sdk_config::Path::attribute(option).then(PathStep::Index(index))),
            );
        } else if pattern::is_pattern(entry)
            && let Err(error) = pattern::expand(entry)
        {
            diagnostics.push(
                Diagnostic::error("Wildcard is not usable", format!("{error}."))
                    .at(sdk_config::Path::attribute(option).then(PathStep::Index(index))),
            );
        }
    }
}
