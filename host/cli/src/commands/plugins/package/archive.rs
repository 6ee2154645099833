//! The files of a release, written whole or not at all.

use std::io::{Cursor, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Files of a crate that go with the executable, when they are there.
const COMPANIONS: [&str; 4] = ["LICENSE", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// A zip file with `executable` under the name `inner`, and what tells people about it. The same
/// input gives the same bytes.
pub(super) fn archive(executable: &Path, inner: &str, folder: &Path) -> Result<Vec<u8>, String> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |path: &Path, name: &str, mode: u32| -> Result<(), String> {
        let content = std::fs::read(path)
            .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .large_file(u32::try_from(content.len()).is_err())
            .unix_permissions(mode);
        let wrong = |error: &dyn std::fmt::Display| format!("cannot pack `{name}`: {error}");
        writer
            .start_file(name, options)
            .map_err(|error| wrong(&error))?;
        writer.write_all(&content).map_err(|error| wrong(&error))
    };
    add(executable, inner, 0o755)?;
    for name in COMPANIONS {
        let path = folder.join(name);
        if path.is_file() {
            add(&path, name, 0o644)?;
        }
    }
    let packed = writer
        .finish()
        .map_err(|error| format!("cannot pack `{inner}`: {error}"))?;
    Ok(packed.into_inner())
}

/// The list of checksums of every file in `folder` whose name begins with `stem`, itself excepted.
pub(super) fn sums(folder: &Path, stem: &str) -> std::io::Result<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let listed = name.ends_with(".zip") || name.ends_with(".json");
        if listed && name.starts_with(stem) {
            names.push(name);
        }
    }
    names.sort();
    let mut text = String::new();
    for name in names {
        let digest = Sha256::digest(std::fs::read(folder.join(&name))?);
        text.push_str(&format!("{}  {name}\n", hex::encode(digest)));
    }
    Ok(text)
}

/// Writes `path`, or leaves it as it was.
pub(super) fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut draft = tempfile::Builder::new()
        .prefix(".kiln-")
        .tempfile_in(folder)?;
    draft.write_all(content)?;
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    draft.as_file().set_permissions(readable)?;
    draft.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_the_executable_and_the_licence_and_is_the_same_again() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("program"), "x".repeat(10_000)).unwrap();
        std::fs::write(folder.path().join("LICENSE"), "free").unwrap();
        let make = || archive(&folder.path().join("program"), "inner", folder.path()).unwrap();
        let bytes = make();
        assert_eq!(bytes, make());
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let names: Vec<String> = zip.file_names().map(str::to_owned).collect();
        assert_eq!(names, ["inner", "LICENSE"]);
        assert_eq!(zip.by_name("inner").unwrap().unix_mode(), Some(0o100_755));
    }

    #[test]
    fn all_archives_of_a_version_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "a_v1_linux.zip",
            "a_v1_darwin.zip",
            "a_v10_linux.zip",
            "a_v1_SHA256SUMS",
        ] {
            replace(&folder.path().join(name), b"").unwrap();
        }
        let list = sums(folder.path(), "a_v1_").unwrap();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let expected = format!("{empty}  a_v1_darwin.zip\n{empty}  a_v1_linux.zip\n");
        assert_eq!(list, expected);
    }
}
