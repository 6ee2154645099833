//! Wildcards in path options, with the rules of Go's `filepath.Glob`.
//!
//! `*` and `?` stay within one path component and match leading dots; `[a-z]` and `[^a-z]` are
//! sets; `\` escapes. Braces have no meaning.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::error::MediaError;

/// Whether `text` is a wildcard rather than a path.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The existing paths that `pattern` matches, in order of their names; none is fine.
///
/// # Errors
///
/// [`MediaError::Pattern`] when the wildcard has a syntax error.
pub(crate) fn expand(pattern: &str) -> Result<Vec<PathBuf>, MediaError> {
    let mut found = vec![if pattern.starts_with('/') {
        PathBuf::from("/")
    } else {
        PathBuf::new()
    }];
    for component in pattern.split('/').filter(|component| !component.is_empty()) {
        found = if is_pattern(component) {
            let matcher = matcher(pattern, component)?;
            found
                .iter()
                .flat_map(|folder| matching(folder, &matcher))
                .collect()
        } else {
            found
                .iter()
                .map(|folder| folder.join(component))
                .filter(|path| path.exists())
                .collect()
        };
    }
    Ok(found)
}

fn matcher(pattern: &str, component: &str) -> Result<GlobMatcher, MediaError> {
    let literal_braces = component.replace('{', "[{]").replace('}', "[}]");
    GlobBuilder::new(&literal_braces)
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|source| MediaError::Pattern {
            pattern: pattern.to_owned(),
            source,
        })
}

/// The entries of `folder` that match; a folder that cannot be listed has none, as in Go.
fn matching(folder: &Path, matcher: &GlobMatcher) -> Vec<PathBuf> {
    let listed = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let mut names: Vec<PathBuf> = fs::read_dir(listed)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.file_name()))
                .collect::<io::Result<Vec<_>>>()
        })
        .unwrap_or_default()
        .into_iter()
        .map(PathBuf::from)
        .filter(|name| matcher.is_match(name))
        .collect();
    names.sort();
    names.into_iter().map(|name| folder.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[&str], pattern: &str, expected: &[&str]) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folder is made");
            fs::write(path, "").expect("file is made");
        }
        let root = folder.path().display().to_string();
        let found = expand(&format!("{root}/{pattern}")).expect("a good pattern");
        let found: Vec<String> = found
            .iter()
            .map(|path| {
                path.strip_prefix(&root)
                    .expect("below the root")
                    .display()
                    .to_string()
            })
            .collect();
        assert_eq!(found, expected, "{pattern}");
    }

    #[test]
    fn star_stays_in_its_folder() {
        check(
            &["a.txt", "b.txt", "sub/c.txt", "d.bin"],
            "*.txt",
            &["a.txt", "b.txt"],
        );
        check(&["a.txt", "sub/c.txt"], "*/*.txt", &["sub/c.txt"]);
    }

    #[test]
    fn sets_question_marks_and_leading_dots_match() {
        check(&["a1", "a2", "a3"], "a[12]", &["a1", "a2"]);
        check(&["a1", "a2", "a3"], "a[^12]", &["a3"]);
        check(&["ab", "abc"], "a?", &["ab"]);
        check(&[".hidden"], "*", &[".hidden"]);
    }

    #[test]
    fn braces_are_ordinary_characters() {
        check(&["{a,b}1", "a1"], "{a,b}*", &["{a,b}1"]);
    }

    #[test]
    fn nothing_found_is_no_error() {
        check(&["a"], "*.iso", &[]);
    }

    #[test]
    fn an_open_set_is_refused() {
        assert!(expand("/tmp/[a").is_err());
    }
}
