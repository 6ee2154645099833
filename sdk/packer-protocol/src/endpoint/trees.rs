//! Where trees go on a machine of the plugin SDK, whose rules are those of `scp`.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sdk_communicator::CommunicatorError;

/// The permission bits of a folder that is made.
const FOLDER_MODE: u32 = 0o755;
/// The name of a folder whose own name does not matter.
const ANY_NAME: &str = "tree";
/// How many links an error names.
const NAMED_LINKS: usize = 5;

/// A folder in the guest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// Its path, without slashes at the end.
    pub(super) path: &'a str,
    /// The folder it is in; `None` for one that cannot be made, as a root.
    pub(super) parent: Option<&'a str>,
    /// Its name, or any where it has none.
    pub(super) name: &'a str,
}

impl<'a> Place<'a> {
    /// Takes `path` apart. Guests may be Windows, whose paths are told by their backslashes.
    pub(super) fn of(path: &'a str) -> Self {
        let windows = path.contains('\\') && !path.starts_with(['/', '~']);
        let separators: &[char] = if windows { &['/', '\\'] } else { &['/'] };
        let trimmed = path.trim_end_matches(separators);
        let rootless = |path: &'a str| Self {
            path,
            parent: None,
            name: ANY_NAME,
        };
        if trimmed.is_empty() {
            return rootless(if path.is_empty() { "." } else { &path[..1] });
        }
        let at = trimmed.rfind(separators);
        let name = at.map_or(trimmed, |at| &trimmed[at + 1..]);
        if name.ends_with(':') {
            // Without its slash a drive is the folder one happens to be in there.
            return rootless(path);
        }
        if matches!(name, "." | "..") || (at.is_none() && name.starts_with('~')) {
            return rootless(trimmed);
        }
        let parent = match at {
            None => ".",
            // A root keeps its slash, also one that is a drive's.
            Some(at) if at == 0 || trimmed[..at].ends_with(':') => &trimmed[..=at],
            Some(at) => &trimmed[..at],
        };
        Self {
            path: trimmed,
            parent: Some(parent),
            name,
        }
    }
}

/// The command that ends with 0 where `path` is a folder. Where there is no such command, as on
/// Windows, it ends with something else.
pub(super) fn is_folder(path: &str) -> String {
    format!("test -d '{}'", path.replace('\'', r"'\''"))
}

/// Gives a folder the permission bits that a folder in a guest shall have.
pub(super) fn make_plain(folder: &Path) -> Result<(), CommunicatorError> {
    let plain = std::fs::Permissions::from_mode(FOLDER_MODE);
    std::fs::set_permissions(folder, plain).map_err(|source| CommunicatorError::Io {
        operation: format!("setting the mode of {}", folder.display()),
        source,
    })
}

/// The refusal of a tree, with the links that explain it. Machines of the plugin SDK follow links
/// on this side, where those that lead out of the tree lead nowhere.
pub(super) fn explained(error: CommunicatorError, folder: &Path) -> CommunicatorError {
    let CommunicatorError::Refused { operation, message } = error else {
        return error;
    };
    let mut links = Vec::new();
    collect_broken(folder, folder, &mut links);
    let message = if links.is_empty() {
        message
    } else {
        format!(
            "{message}\nThe builder's plugin follows symbolic links, and these lead out of the \
             uploaded folder: {}",
            links.join(", ")
        )
    };
    CommunicatorError::Refused { operation, message }
}

fn collect_broken(root: &Path, folder: &Path, links: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if links.len() == NAMED_LINKS {
            return;
        }
        let path = entry.path();
        if let Ok(target) = std::fs::read_link(&path) {
            if std::fs::metadata(&path).is_err() {
                let name = path.strip_prefix(root).unwrap_or(&path);
                links.push(format!("`{}` -> `{}`", name.display(), target.display()));
            }
        } else if path.is_dir() {
            collect_broken(root, &path, links);
        }
    }
}

#[cfg(test)]
mod tests {
    use sdk_communicator::CommunicatorError;

    use super::{Place, explained, is_folder};

    #[test]
    fn a_path_is_a_name_in_a_folder() {
        for (path, trimmed, parent, name) in [
            ("/tmp/up", "/tmp/up", "/tmp", "up"),
            ("/tmp/up//", "/tmp/up", "/tmp", "up"),
            ("/up", "/up", "/", "up"),
            ("up", "up", ".", "up"),
            ("~/a\\b", "~/a\\b", "~", "a\\b"),
            ("C:\\data\\up\\", "C:\\data\\up", "C:\\data", "up"),
            ("C:\\up", "C:\\up", "C:\\", "up"),
            ("C:/up", "C:/up", "C:/", "up"),
        ] {
            let parent = Some(parent);
            let path = Place::of(path);
            assert_eq!((path.path, path.parent, path.name), (trimmed, parent, name));
        }
    }

    #[test]
    fn roots_and_the_like_are_nowhere_to_be_made() {
        for (path, trimmed) in [
            ("/", "/"),
            ("//", "/"),
            ("", "."),
            (".", "."),
            ("/tmp/.", "/tmp/."),
            ("a/..", "a/.."),
            ("~/", "~"),
            ("~me", "~me"),
            ("C:\\", "C:\\"),
        ] {
            let place = Place::of(path);
            assert_eq!((place.path, place.parent), (trimmed, None), "{path}");
        }
    }

    #[test]
    fn names_are_quoted_for_the_guests_shell() {
        assert_eq!(is_folder("/it's"), r"test -d '/it'\''s'");
    }

    #[test]
    fn a_refusal_names_the_links_that_lead_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let sub = folder.path().join("sub");
        std::fs::create_dir(&sub).expect("it can be made");
        std::fs::write(sub.join("file"), "x").expect("it can be written");
        for (target, name) in [("file", "good"), ("../../shared/x", "bad")] {
            std::os::unix::fs::symlink(target, sub.join(name)).expect("links work");
        }
        let refused = CommunicatorError::Refused {
            operation: "UploadDir".to_owned(),
            message: "no".to_owned(),
        };
        let error = explained(refused, folder.path()).to_string();
        assert!(
            error.ends_with(": `sub/bad` -> `../../shared/x`"),
            "{error}"
        );
    }
}
