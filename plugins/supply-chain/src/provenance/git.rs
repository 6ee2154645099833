//! What a working folder was checked out from, read without running git.
//!
//! # Source
//!
//! gitrepository-layout(5) and git-config(1). The form of the URI is SLSA's and pip's:
//! `git+URL@REF`.

use std::path::{Path, PathBuf};

/// A checked out commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// `git+https://host/path@refs/heads/main`; empty when there is no remote.
    pub uri: String,
    /// The commit, in hexadecimal digits.
    pub commit: String,
}

/// The checkout that `folder` lies in; `None` when there is none, or no commit yet.
pub fn checkout(folder: &Path) -> Option<Checkout> {
    let folder = folder.canonicalize().ok()?;
    let private = folder
        .ancestors()
        .find_map(|folder| git_folder(&folder.join(".git")))?;
    // A worktree of its own shares everything but its head.
    let shared = match std::fs::read_to_string(private.join("commondir")) {
        Ok(path) => private.join(path.trim()),
        Err(_) => private.clone(),
    };
    let head = std::fs::read_to_string(private.join("HEAD")).ok()?;
    let (reference, commit) = match head.trim().strip_prefix("ref: ") {
        Some(reference) => (reference.to_owned(), resolved(&shared, reference)?),
        None => (String::new(), head.trim().to_owned()),
    };
    let is_commit =
        matches!(commit.len(), 40 | 64) && commit.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_commit {
        return None;
    }
    let config = std::fs::read_to_string(shared.join("config")).unwrap_or_default();
    let uri = match origin(&config) {
        None => String::new(),
        Some(url) if reference.is_empty() => format!("{url}@{commit}"),
        Some(url) => format!("{url}@{reference}"),
    };
    Some(Checkout { uri, commit })
}

/// The folder with git's data: `.git` itself, or what the file of that name points to.
fn git_folder(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return Some(path.to_owned());
    }
    let text = std::fs::read_to_string(path).ok()?;
    let target = text.trim().strip_prefix("gitdir: ")?;
    Some(path.parent()?.join(target))
}

fn resolved(shared: &Path, reference: &str) -> Option<String> {
    if reference.split('/').any(|part| part == "..") {
        return None;
    }
    if let Ok(commit) = std::fs::read_to_string(shared.join(reference)) {
        return Some(commit.trim().to_owned());
    }
    let packed = std::fs::read_to_string(shared.join("packed-refs")).ok()?;
    packed.lines().find_map(|line| {
        let (commit, name) = line.split_once(' ')?;
        (name == reference).then(|| commit.to_owned())
    })
}

/// The URI of the remote `origin`.
fn origin(config: &str) -> Option<String> {
    let mut inside = false;
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[remote \"origin\"]";
        } else if inside
            && let Some((name, url)) = line.split_once('=')
            && name.trim() == "url"
        {
            return uri(url.trim());
        }
    }
    None
}

/// A remote's URL as a URI without credentials; `None` for a folder of this machine.
pub fn uri(url: &str) -> Option<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        // `user@host:path`, as for scp; a path has no colon before its first slash.
        let (host, path) = url.split_once(':')?;
        if host.is_empty() || host.contains('/') {
            return None;
        }
        return Some(format!("git+ssh://{host}/{}", path.trim_start_matches('/')));
    };
    if scheme == "file" {
        return None;
    }
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = match host.rsplit_once('@') {
        // The user is a part of the address there, a password never is.
        Some((user, host)) if scheme.contains("ssh") => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{user}@{host}")
        }
        Some((_, host)) => host.to_owned(),
        None => host.to_owned(),
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let scheme = scheme.strip_prefix("git+").unwrap_or(scheme);
    Some(format!("git+{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn credentials_are_left_out_of_uris() {
        for (url, expected) in [
            (
                "https://github.com/o/r.git",
                Some("git+https://github.com/o/r.git"),
            ),
            (
                "https://u:secret@h.example/o/r",
                Some("git+https://h.example/o/r"),
            ),
            (
                "https://token@h.example/r?token=secret#x",
                Some("git+https://h.example/r"),
            ),
            (
                "git@github.com:o/r.git",
                Some("git+ssh://git@github.com/o/r.git"),
            ),
            ("ssh://git:secret@h:22/r", Some("git+ssh://git@h:22/r")),
            ("/home/me/r", None),
            ("../r", None),
            ("file:///home/me/r", None),
        ] {
            assert_eq!(uri(url).as_deref(), expected, "{url}");
        }
    }

    fn repository(head: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let git = folder.path().join(".git");
        std::fs::create_dir_all(git.join("refs/heads")).unwrap();
        std::fs::write(git.join("HEAD"), head).unwrap();
        let config = "[core]\n\tbare = false\n[remote \"up\"]\n\turl = https://no/x\n\
                      [remote \"origin\"]\n\turl = https://h/r\n\tfetch = +refs/*\n";
        std::fs::write(git.join("config"), config).unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        folder
    }

    fn check(folder: &Path, uri: &str) {
        let expected = Checkout {
            uri: uri.to_owned(),
            commit: COMMIT.to_owned(),
        };
        assert_eq!(checkout(folder), Some(expected));
    }

    #[test]
    fn the_commit_is_found_loose_packed_and_detached() {
        let loose = repository("ref: refs/heads/main\n");
        assert_eq!(checkout(loose.path()), None, "there is no commit yet");
        std::fs::write(
            loose.path().join(".git/refs/heads/main"),
            format!("{COMMIT}\n"),
        )
        .unwrap();
        check(&loose.path().join("a/b"), "git+https://h/r@refs/heads/main");

        let packed = repository("ref: refs/heads/main\n");
        let text = format!("# pack-refs\n{COMMIT} refs/heads/main\n^{COMMIT}\n");
        std::fs::write(packed.path().join(".git/packed-refs"), text).unwrap();
        check(packed.path(), "git+https://h/r@refs/heads/main");

        let detached = repository(COMMIT);
        check(detached.path(), &format!("git+https://h/r@{COMMIT}"));
    }

    #[test]
    fn a_worktree_of_its_own_is_followed() {
        let main = repository("ref: refs/heads/main\n");
        let private = main.path().join(".git/worktrees/w");
        std::fs::create_dir_all(&private).unwrap();
        std::fs::write(private.join("HEAD"), COMMIT).unwrap();
        std::fs::write(private.join("commondir"), "../..\n").unwrap();
        let tree = tempfile::tempdir().unwrap();
        std::fs::write(
            tree.path().join(".git"),
            format!("gitdir: {}\n", private.display()),
        )
        .unwrap();
        check(tree.path(), &format!("git+https://h/r@{COMMIT}"));
    }

    #[test]
    fn what_is_no_repository_gives_nothing() {
        for head in [
            "",
            "ref: refs/heads/../../../etc/passwd",
            "deadbeef",
            "ref: ",
        ] {
            assert_eq!(checkout(repository(head).path()), None, "{head}");
        }
    }
}
