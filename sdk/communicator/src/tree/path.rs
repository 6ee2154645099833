//! Paths inside a tree.

use crate::CommunicatorError;

/// The plain form of a relative path as tools print it: `./a//b/` is `a/b`; the tree's own root
/// (`.`, `./`, nothing) is `None`.
///
/// # Errors
///
/// [`CommunicatorError::Refused`] for a path that could lead outside its tree: an absolute one,
/// one with a `..` step, or one with a zero byte.
pub fn relative_path(path: &str) -> Result<Option<String>, CommunicatorError> {
    let refuse = |why: &str| {
        Err(CommunicatorError::Refused {
            operation: format!("entry `{}` of a tree", path.escape_debug()),
            message: format!("{why}, so it may lead outside the tree"),
        })
    };
    if path.starts_with('/') {
        return refuse("its path is absolute");
    }
    if path.contains('\0') {
        return refuse("its path holds a zero byte");
    }
    let steps: Vec<&str> = path
        .split('/')
        .filter(|step| !step.is_empty() && *step != ".")
        .collect();
    if steps.contains(&"..") {
        return refuse("its path has a `..` step");
    }
    Ok((!steps.is_empty()).then(|| steps.join("/")))
}

/// Whether `path`, relative and plain, or one of the folders above it, is in `exclude` by its
/// relative path or by its name alone.
#[must_use]
pub fn is_excluded(path: &str, exclude: &[String]) -> bool {
    if exclude.is_empty() {
        return false;
    }
    let ends = path
        .match_indices('/')
        .map(|(at, _)| at)
        .chain([path.len()]);
    ends.into_iter().any(|end| {
        let upper = &path[..end];
        let name = upper.rsplit('/').next().unwrap_or(upper);
        exclude.iter().any(|excluded| {
            let excluded = excluded.trim_start_matches("./").trim_end_matches('/');
            excluded == upper || excluded == name
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{is_excluded, relative_path};

    #[test]
    fn plain_form_drops_empty_and_dot_steps() {
        for (given, expected) in [
            ("a/b", Some("a/b")),
            ("./a//b/", Some("a/b")),
            (".", None),
            ("./", None),
            ("", None),
            ("..a/b..", Some("..a/b..")),
        ] {
            let plain = relative_path(given).expect("the path is harmless");
            assert_eq!(plain.as_deref(), expected, "{given:?}");
        }
    }

    #[test]
    fn refuses_what_leads_outside() {
        for given in ["/etc/passwd", "..", "a/../../b", "a/..", "a\0b"] {
            assert!(relative_path(given).is_err(), "{given:?}");
        }
    }

    #[test]
    fn excludes_by_relative_path_or_name_with_everything_below() {
        let exclude = [
            ".git".to_owned(),
            "build/out".to_owned(),
            "./log/".to_owned(),
        ];
        for (path, expected) in [
            (".git", true),
            (".git/config", true),
            ("sub/.git/config", true),
            ("build", false),
            ("build/out", true),
            ("build/out/x", true),
            ("other/build/out", false),
            ("log/x", true),
            (".gitignore", false),
        ] {
            assert_eq!(is_excluded(path, &exclude), expected, "{path}");
        }
    }
}
