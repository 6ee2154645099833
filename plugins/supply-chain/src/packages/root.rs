//! Databases of a root file system in a folder of this machine.

use std::io::Read;
use std::path::{Path, PathBuf};

use kiln_sdk::Failure;

use super::Databases;

/// The largest database, in bytes.
const LARGEST_BYTES: u64 = 256 << 20;
/// Folders that have RPM's own database, which only `rpm` of that system reads reliably.
const RPM: [&str; 2] = ["var/lib/rpm", "usr/lib/sysimage/rpm"];

/// Reads the databases below `root`. Links that lead out of it are not followed.
///
/// # Errors
///
/// A [`Failure`] when a database cannot be read, or there is none.
pub fn read(root: &Path) -> Result<Databases, Failure> {
    let inside = Inside::new(root)?;
    let os_release = match inside.read("etc/os-release")? {
        Some(text) => Some(text),
        None => inside.read("usr/lib/os-release")?,
    };
    let apk = match inside.read("lib/apk/db/installed")? {
        Some(text) => Some(text),
        None => inside.read("usr/lib/apk/db/installed")?,
    };
    let databases = Databases {
        os_release: os_release.unwrap_or_default(),
        dpkg: inside.read("var/lib/dpkg/status")?.unwrap_or_default(),
        apk: apk.unwrap_or_default(),
        pacman: inside.pacman()?,
        rpm: String::new(),
    };
    if databases.is_empty() {
        let shown = root.display();
        let rpm = RPM.iter().any(|path| root.join(path).exists());
        return Err(Failure::new(match rpm {
            true => format!(
                "`{shown}` has an RPM database, which can be read in the running machine only: use \
                 the provisioner `sbom`"
            ),
            false => format!(
                "`{shown}` has no package database of dpkg, apk or pacman: is it the root of a \
                 Linux system?"
            ),
        }));
    }
    Ok(databases)
}

struct Inside {
    root: PathBuf,
}

impl Inside {
    fn new(root: &Path) -> Result<Self, Failure> {
        let canonical = root.canonicalize();
        let root = canonical.map_err(|error| failed(root, &error))?;
        Ok(Self { root })
    }

    /// The text of a file; `None` when it is not there or lies outside.
    fn read(&self, path: &str) -> Result<Option<String>, Failure> {
        let path = self.root.join(path);
        let Ok(real) = path.canonicalize() else {
            return Ok(None);
        };
        if !real.starts_with(&self.root) || !real.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        std::fs::File::open(&real)
            .and_then(|file| file.take(LARGEST_BYTES).read_to_end(&mut bytes))
            .map_err(|error| failed(&real, &error))?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn pacman(&self) -> Result<String, Failure> {
        let folder = "var/lib/pacman/local";
        let Ok(entries) = std::fs::read_dir(self.root.join(folder)) else {
            return Ok(String::new());
        };
        let mut text = String::new();
        for entry in entries.flatten() {
            let name = entry.file_name();
            let desc = format!("{folder}/{}/desc", name.to_string_lossy());
            if let Some(desc) = self.read(&desc)? {
                text.push_str(&desc);
                text.push('\n');
            }
        }
        Ok(text)
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot read `{}`: {error}", path.display()))
}
