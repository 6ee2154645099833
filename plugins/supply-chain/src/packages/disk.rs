//! Databases of a disk image, read without mounting it and without root.
//!
//! `qemu-img` makes the image raw when it is not, `debugfs` reads files of its ext2, ext3 and ext4
//! file systems. Other file systems, logical volumes and encryption are not read: there the
//! provisioner does it, in the running machine.

use std::io::Read;
use std::path::{Path, PathBuf};

use kiln_sdk::program::{Ended, Program};
use kiln_sdk::{Failure, RunContext};

use super::{Databases, partitions};

/// Ends of the names of disk images.
const ENDINGS: [&str; 8] = ["img", "raw", "qcow2", "qcow", "vmdk", "vdi", "vhd", "vhdx"];
/// The largest database, in bytes.
const LARGEST_BYTES: u64 = 256 << 20;
/// What to do instead.
const INSTEAD: &str = "use the provisioner `sbom`, which reads the packages in the running machine";

/// Whether a file is a disk image, by its name: an ending, or none, as the QEMU builder gives.
pub fn is_image(path: &Path) -> bool {
    match path.extension().and_then(|extension| extension.to_str()) {
        None => true,
        Some(extension) => ENDINGS.contains(&extension.to_ascii_lowercase().as_str()),
    }
}

/// Reads the databases of the first file system on `image` that has one.
///
/// # Errors
///
/// A [`Failure`] when a program is missing or fails, or nothing is found.
pub async fn read(cx: &RunContext, image: &Path) -> Result<Databases, Failure> {
    let shown = image.display();
    let work = tempfile::Builder::new()
        .prefix("sbom-")
        .tempdir_in(&cx.build().run_dir)
        .map_err(|error| Failure::new(format!("cannot make a private folder: {error}")))?;
    let raw = raw(cx, image, work.path()).await?;
    let starts = std::fs::File::open(&raw)
        .and_then(|mut disk| partitions::ext_file_systems(&mut disk))
        .map_err(|error| Failure::new(format!("cannot read `{shown}`: {error}")))?;
    for start in &starts {
        let found = FileSystem {
            cx,
            device: format!("{}?offset={start}", raw.display()),
            work: work.path(),
        };
        let databases = found.databases().await?;
        if !databases.is_empty() {
            return Ok(databases);
        }
    }
    Err(Failure::new(match starts.len() {
        0 => format!("`{shown}` has no ext2, ext3 or ext4 file system; {INSTEAD}"),
        count => format!(
            "none of the {count} file systems of `{shown}` has a package database of dpkg or apk; \
             {INSTEAD}"
        ),
    }))
}

/// A raw form of the image below `work`: itself under a name that no program reads as options, or
/// a copy.
async fn raw(cx: &RunContext, image: &Path, work: &Path) -> Result<PathBuf, Failure> {
    let absolute = std::path::absolute(image).map_err(|error| Failure::from_error(&error))?;
    let raw = work.join("disk.raw");
    let path = absolute.display().to_string();
    let information = Program::new("qemu-img").args(["info", "--output=json", "--", &path]);
    let printed = finished("qemu-img", information.collect(cx).await)?.stdout;
    let information: serde_json::Value = serde_json::from_str(&printed).unwrap_or_default();
    match information
        .get("format")
        .and_then(serde_json::Value::as_str)
    {
        Some("raw") => std::os::unix::fs::symlink(&absolute, &raw)
            .map_err(|error| Failure::new(format!("cannot link `{}`: {error}", raw.display())))?,
        Some(format) => {
            cx.say(format!(
                "Unpacking {} to read its packages",
                image.display()
            ))
            .await;
            let copy = raw.display().to_string();
            let convert = Program::new("qemu-img");
            let convert = convert.args(["convert", "-f", format, "-O", "raw", "--", &path, &copy]);
            finished("qemu-img", convert.collect(cx).await)?;
        }
        None => {
            let shown = image.display();
            return Err(Failure::new(format!(
                "qemu-img does not say what kind of disk image `{shown}` is"
            )));
        }
    }
    Ok(raw)
}

struct FileSystem<'a> {
    cx: &'a RunContext,
    device: String,
    work: &'a Path,
}

impl FileSystem<'_> {
    async fn databases(&self) -> Result<Databases, Failure> {
        let first = async |paths: [&str; 2]| -> Result<String, Failure> {
            match self.cat(paths[0]).await? {
                text if text.is_empty() => self.cat(paths[1]).await,
                text => Ok(text),
            }
        };
        Ok(Databases {
            // The first is usually a link, which is not followed.
            os_release: first(["/usr/lib/os-release", "/etc/os-release"]).await?,
            dpkg: self.cat("/var/lib/dpkg/status").await?,
            apk: first(["/lib/apk/db/installed", "/usr/lib/apk/db/installed"]).await?,
            ..Databases::default()
        })
    }

    /// The text of a file; empty when there is none.
    async fn cat(&self, path: &str) -> Result<String, Failure> {
        let failed = |error: std::io::Error| Failure::from_error(&error);
        let copy = self.work.join("file");
        let file = std::fs::File::create(&copy).map_err(failed)?;
        let search = std::env::var("PATH").unwrap_or_default();
        let debugfs = Program::new("debugfs")
            .args(["-R", &format!("cat {path}"), "--", &self.device])
            // It lies where users often do not look.
            .env("PATH", format!("{search}:/usr/sbin:/sbin"))
            .env("LC_ALL", "C")
            .env("DEBUGFS_PAGER", "cat");
        finished("debugfs", debugfs.write_to(self.cx, file).await)?;
        let mut bytes = Vec::new();
        std::fs::File::open(&copy)
            .and_then(|file| file.take(LARGEST_BYTES).read_to_end(&mut bytes))
            .map_err(failed)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The end of a program that has to succeed.
fn finished(name: &str, ended: Result<Ended, Failure>) -> Result<Ended, Failure> {
    let ended = ended.map_err(|failure| match failure.cancelled {
        true => failure,
        false => Failure::new(format!("{failure}; it reads disk images; {INSTEAD}")),
    })?;
    if ended.is_success() {
        return Ok(ended);
    }
    let seen = ended.stderr.trim();
    Err(Failure::new(format!(
        "`{name}` failed with {}: {seen}",
        ended.code
    )))
}
