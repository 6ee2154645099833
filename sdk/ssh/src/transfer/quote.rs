//! Paths in commands.

/// What of a path the guest's shell shall replace.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    /// `~`, `~user` or `$NAME` where the path starts.
    Start,
    /// That and all variables.
    All,
}

/// `path` as one word of a command for the guest's shell.
///
/// Plain paths stay as they are, so that shells that know no single quotes (Windows) read them too,
/// and so does what a path may start with for the shell to replace: `~`, `~user`, `$NAME`,
/// `${NAME}`.
pub(super) fn quote(path: &str) -> String {
    word(path, Left::Start)
}

/// The same for a folder to write to, where all variables are left to the shell.
///
/// # Source
///
/// Packer's `scp -vt DIR` does not quote. Differs: nothing else is left to the shell.
pub(super) fn expand(path: &str) -> String {
    word(path, Left::All)
}

/// `path` as one word that means itself.
pub(super) fn literal(path: &str) -> String {
    word(path, Left::Nothing)
}

fn word(path: &str, left: Left) -> String {
    if is_windows(path) {
        return if path.contains(' ') {
            format!("\"{path}\"")
        } else {
            path.to_owned()
        };
    }
    if path.is_empty() {
        return "''".to_owned();
    }
    let (home, mut rest) = match left {
        Left::Nothing => ("", path),
        Left::Start | Left::All => path.split_at(home_length(path)),
    };
    let mut word = home.to_owned();
    while !rest.is_empty() {
        let is_start = rest.len() == path.len();
        let length = variable_length(rest);
        let ends_step = rest[length..].is_empty() || rest[length..].starts_with('/');
        if length > 0 && (left == Left::All || (left == Left::Start && is_start && ends_step)) {
            // Its value may hold spaces.
            word.push_str(&format!("\"{}\"", &rest[..length]));
            rest = &rest[length..];
            continue;
        }
        // Up to the next variable, which may be none.
        let mut later = rest.match_indices('$').map(|(at, _)| at);
        let next = later.find(|at| *at > 0 && left == Left::All);
        let (text, after) = rest.split_at(next.unwrap_or(rest.len()));
        let text = if is_start {
            protect_dash(text)
        } else {
            text.to_owned()
        };
        word.push_str(&quoted(&text));
        rest = after;
    }
    word
}

/// How much of `path` is `~` or `~user`, with the slash behind it.
fn home_length(path: &str) -> usize {
    let Some(after) = path.strip_prefix('~') else {
        return 0;
    };
    let name = after.split('/').next().unwrap_or_default();
    let plain = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    if name.chars().all(plain) {
        (1 + name.len() + 1).min(path.len())
    } else {
        0
    }
}

/// How much of `text` is the `$NAME` or `${NAME}` it begins with.
fn variable_length(text: &str) -> usize {
    let Some(after) = text.strip_prefix('$') else {
        return 0;
    };
    let inner = after.strip_prefix('{');
    let name: &str = inner.unwrap_or(after);
    let end = name
        .find(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .unwrap_or(name.len());
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    match (starts, inner) {
        (false, _) => 0,
        (true, None) => 1 + end,
        (true, Some(_)) if name[end..].starts_with('}') => 2 + end + 1,
        (true, Some(_)) => 0,
    }
}

/// `text` with quotes around it if it needs them.
fn quoted(text: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "/._-+:@%,=".contains(character);
    if text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A path that begins with a dash would be read as an option.
fn protect_dash(path: &str) -> String {
    if path.starts_with('-') {
        format!("./{path}")
    } else {
        path.to_owned()
    }
}

/// The place `relative` in the folder `base`, as one word, for writing.
pub(super) fn place(base: &str, relative: &str) -> String {
    match base.trim_end_matches('/') {
        "" if base.starts_with('/') => format!("/{}", literal(relative)),
        "" => literal(relative),
        base => format!("{}/{}", expand(base), literal(relative)),
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
        // Without the slash, a drive stands for the folder one was last in there.
        Some(2) if path[1..].starts_with(':') && is_windows(path) => {
            (path[..3].to_owned(), path[3..].to_owned())
        }
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
    use super::{expand, join, literal, place, quote, split, without_home};

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
    fn what_the_shell_shall_replace_is_left_to_it() {
        for (path, start, all) in [
            ("$HOME/x", "\"$HOME\"/x", "\"$HOME\"/x"),
            ("${A}/a b", "\"${A}\"'/a b'", "\"${A}\"'/a b'"),
            ("~bob/x", "~bob/x", "~bob/x"),
            ("~bob/a b", "~bob/'a b'", "~bob/'a b'"),
            ("~b ob/x", "'~b ob/x'", "'~b ob/x'"),
            ("/a/$B_1/c", "'/a/$B_1/c'", "/a/\"$B_1\"/c"),
            ("$A$B", "'$A$B'", "\"$A\"\"$B\""),
            ("/A$B.class", "'/A$B.class'", "/A\"$B\".class"),
            ("$(x)/$", "'$(x)/$'", "'$(x)/''$'"),
            ("${A-`x`}", "'${A-`x`}'", "'${A-`x`}'"),
            ("ä$1/€", "'ä$1/€'", "'ä''$1/€'"),
        ] {
            let left = (quote(path), expand(path));
            assert_eq!(left, (start.to_owned(), all.to_owned()), "{path}");
            let meant = literal(path);
            assert!(!meant.contains('"') && !meant.starts_with('~'), "{meant}");
        }
        assert_eq!(place("$A/", "$b"), "\"$A\"/'$b'");
        assert_eq!((place("/", "b"), place("", "b")), ("/b".into(), "b".into()));
    }

    #[test]
    fn paths_are_split_and_joined() {
        for (path, folder, name) in [
            ("/tmp/x", "/tmp", "x"),
            ("/x", "/", "x"),
            ("x", ".", "x"),
            ("/tmp/d/", "/tmp", "d"),
            (r"C:\Temp\x", r"C:\Temp", "x"),
            ("C:/x", "C:/", "x"),
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
