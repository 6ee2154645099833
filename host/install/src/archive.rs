//! Archives of plugins: one executable in a zip file, and perhaps a licence.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zip::ZipArchive;
use zip::read::ZipFile;

use crate::error::InstallError;
use crate::place::Draft;

/// Largest executable, in bytes; the largest that is known has some 250 MiB.
pub(crate) const EXECUTABLE_LIMIT: u64 = 2 << 30;
/// Most members.
const MEMBER_LIMIT: usize = 1000;

/// Writes the member `wanted` of the archive into `draft`; its SHA-256 in hexadecimal. Other
/// members are not written anywhere, but an archive whose names lead out of it is refused.
///
/// # Errors
///
/// [`InstallError::Archive`] for everything that is wrong with it.
pub(crate) fn extract(
    archive: &Path,
    shown: &str,
    wanted: &str,
    draft: &mut Draft,
) -> Result<String, InstallError> {
    let refused = |problem: String| InstallError::Archive {
        archive: shown.to_owned(),
        problem,
    };
    let broken =
        |error: zip::result::ZipError| refused(format!("it is no sound zip file ({error})"));
    let file = File::open(archive).map_err(|error| InstallError::file("read", archive, error))?;
    let mut zip = ZipArchive::new(file).map_err(broken)?;
    if zip.len() > MEMBER_LIMIT {
        return Err(refused(format!("it has {} members", zip.len())));
    }
    let mut found = None;
    for index in 0..zip.len() {
        let member = zip.by_index_raw(index).map_err(broken)?;
        check_member(&member).map_err(refused)?;
        if member.name() == wanted && found.replace(index).is_some() {
            return Err(refused(format!("it has `{wanted}` twice")));
        }
    }
    let Some(index) = found else {
        return Err(refused(format!("it does not have `{wanted}`")));
    };
    let mut member = zip.by_index(index).map_err(broken)?;
    if !member.is_file() {
        return Err(refused(format!("`{wanted}` in it is no file")));
    }
    let (declared, path) = (member.size(), draft.path().to_path_buf());
    if declared > EXECUTABLE_LIMIT {
        return Err(refused(format!("`{wanted}` in it has {declared} bytes")));
    }
    // The length in the directory is a claim: what comes out may not be longer.
    let filled = draft
        .fill(member.by_ref(), declared)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData
            | std::io::ErrorKind::UnexpectedEof
            | std::io::ErrorKind::InvalidInput => {
                refused(format!("`{wanted}` in it is damaged ({error})"))
            }
            _ => InstallError::file("write", &path, error),
        })?;
    filled.ok_or_else(|| refused(format!("`{wanted}` in it is longer than it says")))
}

fn check_member(member: &ZipFile<'_, File>) -> Result<(), String> {
    let name = member.name();
    if member.enclosed_name().is_none() || name.contains('\\') {
        return Err(format!("the name {name:?} in it leads out of the archive"));
    }
    if member.is_symlink() {
        return Err(format!("{name:?} in it is a link"));
    }
    match member.encrypted() {
        true => Err(format!("{name:?} in it is encrypted")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use host_template::SourceAddress;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn check(members: &[(&str, &str)], expected: Result<&str, &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        for (name, text) in members {
            match text.strip_prefix("-> ") {
                Some(target) => zip
                    .add_symlink(*name, target, SimpleFileOptions::default())
                    .unwrap(),
                None => {
                    zip.start_file(*name, SimpleFileOptions::default()).unwrap();
                    zip.write_all(text.as_bytes()).unwrap();
                }
            }
        }
        zip.finish().unwrap();
        assert_extract(&path, expected);
    }

    fn assert_extract(path: &Path, expected: Result<&str, &str>) {
        let tree = tempfile::tempdir().unwrap();
        let source = SourceAddress::parse("github.com/a/x").unwrap();
        let mut draft = Draft::new(tree.path(), &source).unwrap();
        let found = extract(path, "a.zip", "plugin", &mut draft);
        match (found, expected) {
            (Ok(_), Ok(text)) => {
                assert_eq!(std::fs::read_to_string(draft.path()).unwrap(), text);
            }
            (Err(error), Err(problem)) => {
                let text = error.report();
                assert!(text.contains(problem), "{text}");
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_one_member_is_taken() {
        check(&[("LICENSE", "x"), ("plugin", "hello")], Ok("hello"));
        check(&[("LICENSE", "x")], Err("does not have `plugin`"));
        check(&[("a/plugin", "x")], Err("does not have `plugin`"));
        check(&[("plugin/", "")], Err("does not have `plugin`"));
    }

    #[test]
    fn hostile_members_are_refused() {
        check(&[("plugin", "x"), ("../../evil", "x")], Err("leads out of"));
        check(&[("plugin", "x"), ("/etc/evil", "x")], Err("leads out of"));
        check(&[("plugin", "x"), ("..\\evil", "x")], Err("leads out of"));
        check(&[("plugin", "-> /bin/sh")], Err("is a link"));
    }

    #[test]
    fn damaged_archives_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        std::fs::write(&path, "<html>not here</html>").unwrap();
        assert_extract(&path, Err("no sound zip file"));
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        zip.start_file("plugin", SimpleFileOptions::default())
            .unwrap();
        zip.write_all("hello ".repeat(100).as_bytes()).unwrap();
        zip.finish().unwrap();
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 30]).unwrap();
        assert_extract(&path, Err("no sound zip file"));
        let mut broken = whole.clone();
        broken[40] ^= 0xff;
        std::fs::write(&path, &broken).unwrap();
        assert_extract(&path, Err("is damaged"));
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        // The directory says ten bytes, and a million come out.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        zip.start_file("plugin", SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&vec![0; 1_000_000]).unwrap();
        zip.finish().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let length = 1_000_000_u32.to_le_bytes();
        let mut at = 0;
        while at + 4 <= bytes.len() {
            if bytes[at..at + 4] == length {
                bytes[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
            }
            at += 1;
        }
        std::fs::write(&path, &bytes).unwrap();
        assert_extract(&path, Err("is longer than it says"));
    }
}
