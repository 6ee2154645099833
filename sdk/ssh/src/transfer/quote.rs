//! Paths in commands.

/// `path` as one word of a command for the guest's shell.
///
/// Plain paths stay as they are, so that shells that know no single quotes (Windows) read them too,
/// and so does a leading `~/`, which the shell shall expand.
pub(super) fn quote(path: &str) -> String {
    if is_windows(path) {
        return if path.contains(' ') {
            format!("\"{path}\"")
        } else {
            path.to_owned()
        };
    }
    let (home, rest) = match path.strip_prefix("~/") {
        Some(rest) => ("~/", rest),
        None if path == "~" => ("~", ""),
        None => ("", path),
    };
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "/._-+:@%,=".contains(character);
    if rest.chars().all(plain) && !(home.is_empty() && rest.is_empty()) {
        return format!("{home}{}", protect_dash(home, rest));
    }
    let quoted = protect_dash(home, rest).replace('\'', r"'\''");
    format!("{home}'{quoted}'")
}

/// A path that begins with a dash would be read as an option.
fn protect_dash(home: &str, path: &str) -> String {
    if home.is_empty() && path.starts_with('-') {
        format!("./{path}")
    } else {
        path.to_owned()
    }
}

/// Whether `path` is one of Windows: a drive letter, or backslashes only.
pub(super) fn is_windows(path: &str) -> bool {
    let bytes = path.as_bytes();
    let drive = bytes.len() > 2
        && bytes[0].is_ascii_alphabetic()
        && bytes[1] == b':'
        && matches!(bytes[2], b'\\' | b'/');
    drive || (path.contains('\\') && !path.contains('/'))
}

/// The folder of `path` and the name in it.
pub(super) fn split(path: &str) -> (String, String) {
    let separators: &[char] = if is_windows(path) {
        &['/', '\\']
    } else {
        &['/']
    };
    let path = path.trim_end_matches(separators);
    match path.rfind(separators) {
        Some(0) => ("/".to_owned(), path[1..].to_owned()),
        Some(at) => (path[..at].to_owned(), path[at + 1..].to_owned()),
        None => (".".to_owned(), path.to_owned()),
    }
}

/// The path of `relative` in the folder `base`.
pub(super) fn join(base: &str, relative: &str) -> String {
    match base.trim_end_matches('/') {
        "" if base.starts_with('/') => format!("/{relative}"),
        "" => relative.to_owned(),
        base => format!("{base}/{relative}"),
    }
}

/// The path SFTP understands: it has no shell, so `~/` is taken off, because sessions start at home.
pub(super) fn without_home(path: &str) -> &str {
    match path.strip_prefix("~/") {
        Some("") => ".",
        Some(rest) => rest,
        None if path == "~" => ".",
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::{join, quote, split, without_home};

    #[test]
    fn only_what_needs_it_is_quoted() {
        for (path, expected) in [
            ("/tmp/script_1.sh", "/tmp/script_1.sh"),
            ("/tmp/a b", "'/tmp/a b'"),
            ("it's", r"'it'\''s'"),
            ("$(reboot)", "'$(reboot)'"),
            ("~/a b", "~/'a b'"),
            ("~/.ssh/x", "~/.ssh/x"),
            ("~", "~"),
            ("-rf", "./-rf"),
            ("-r f", "'./-r f'"),
            ("", "''"),
            (r"C:\Windows\Temp\x", r"C:\Windows\Temp\x"),
            ("C:/Program Files/x", "\"C:/Program Files/x\""),
        ] {
            assert_eq!(quote(path), expected, "{path}");
        }
    }

    #[test]
    fn paths_are_split_and_joined() {
        for (path, folder, name) in [
            ("/tmp/x", "/tmp", "x"),
            ("/x", "/", "x"),
            ("x", ".", "x"),
            ("/tmp/d/", "/tmp", "d"),
            (r"C:\Temp\x", r"C:\Temp", "x"),
        ] {
            assert_eq!(split(path), (folder.to_owned(), name.to_owned()), "{path}");
        }
        assert_eq!(join("/a/", "b"), "/a/b");
        assert_eq!(join("/", "b"), "/b");
        assert_eq!(join(".", "b"), "./b");
        assert_eq!(
            (without_home("~/a"), without_home("~"), without_home("/~/a")),
            ("a", ".", "/~/a")
        );
    }
}
