//! Checksum files as projects publish them beside their images.

use crate::checksum::{Algorithm, Checksum, ChecksumError};

/// One line of a checksum file.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    checksum: Checksum,
    /// The file it is about; `None` for a line that is only a checksum.
    name: Option<String>,
}

/// The checksum that `text` has for one of `names`, which are tried in order. Understood are GNU
/// lines (`HASH  name`, `HASH *name`), BSD lines (`SHA256 (name) = HASH`) and a lone hash; other
/// lines, such as signatures, are passed over.
///
/// # Errors
///
/// [`ChecksumError::NotListed`] when no line is about any of them.
pub(crate) fn find(text: &str, names: &[String], file: &str) -> Result<Checksum, ChecksumError> {
    let lines: Vec<Line> = text.lines().filter_map(read).collect();
    let named = names.iter().find_map(|name| {
        lines.iter().find(|line| {
            line.name
                .as_deref()
                .is_some_and(|listed| same(listed, name))
        })
    });
    let lone = || lines.iter().find(|line| line.name.is_none());
    named
        .or_else(lone)
        .map(|line| line.checksum.clone())
        .ok_or_else(|| {
            let mut listed: Vec<&str> = lines
                .iter()
                .filter_map(|line| line.name.as_deref())
                .collect();
            listed.truncate(10);
            ChecksumError::NotListed {
                file: file.to_owned(),
                wanted: quoted(&names.iter().map(String::as_str).collect::<Vec<_>>()),
                listed: if listed.is_empty() {
                    "no checksums at all".to_owned()
                } else {
                    quoted(&listed)
                },
            }
        })
}

fn quoted(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Whether a listed name, which may have folders in front, is the wanted one.
fn same(listed: &str, wanted: &str) -> bool {
    let listed = listed.strip_prefix("./").unwrap_or(listed);
    listed == wanted || listed.rsplit('/').next().is_some_and(|base| base == wanted)
}

fn read(line: &str) -> Option<Line> {
    let line = line.trim();
    bsd(line).or_else(|| gnu(line))
}

fn bsd(line: &str) -> Option<Line> {
    let (algorithm, rest) = line.split_once(" (")?;
    let (name, digits) = rest.rsplit_once(") = ")?;
    let checksum = Checksum::new(Algorithm::named(algorithm)?, digits.trim()).ok()?;
    Some(Line {
        checksum,
        name: Some(name.to_owned()),
    })
}

fn gnu(line: &str) -> Option<Line> {
    let (digits, name) = match line.split_once(char::is_whitespace) {
        Some((digits, rest)) => {
            let name = rest.trim_start();
            (
                digits,
                Some(name.strip_prefix('*').unwrap_or(name).to_owned()),
            )
        }
        None => (line, None),
    };
    Some(Line {
        checksum: Checksum::parse(digits).ok()?,
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";
    const SHA1: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";

    fn check(text: &str, name: &str, expected: &str) {
        let found = match find(text, &[name.to_owned()], "SUMS") {
            Ok(checksum) => checksum.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn finds_gnu_and_bsd_lines_by_name() {
        let sums = format!("# comment\n{MD5}  other.iso\n{SHA1} *debian.iso\n");
        check(&sums, "debian.iso", &format!("sha1:{SHA1}"));
        check(
            &format!("MD5 (debian (1).iso) = {MD5}\n"),
            "debian (1).iso",
            &format!("md5:{MD5}"),
        );
        check(
            &format!("{MD5}  ./amd64/debian.iso\n"),
            "debian.iso",
            &format!("md5:{MD5}"),
        );
    }

    #[test]
    fn a_lone_hash_is_about_any_file() {
        check(&format!("{SHA1}\n"), "debian.iso", &format!("sha1:{SHA1}"));
    }

    #[test]
    fn signatures_around_the_lines_are_passed_over() {
        let sums = format!(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{MD5}  a.iso\n-----BEGIN PGP SIGNATURE-----\niQIz\n"
        );
        check(&sums, "a.iso", &format!("md5:{MD5}"));
    }

    #[test]
    fn a_missing_name_is_told_with_what_is_there() {
        check(
            &format!("{MD5}  a.iso\n"),
            "b.iso",
            "`SUMS` has no checksum for `b.iso`; it lists `a.iso`",
        );
        check(
            "nothing here",
            "b.iso",
            "`SUMS` has no checksum for `b.iso`; it lists no checksums at all",
        );
    }
}
