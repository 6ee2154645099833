//! Command lines for Windows: PowerShell scripts as arguments, and quoting.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest line `cmd.exe` takes, in characters.
///
/// # Source
///
/// Microsoft's note on the command prompt's limit, 8191 characters.
pub const LINE_CHARACTERS: usize = 8191;

/// The argument of PowerShell's `-EncodedCommand` for `script`: base64 of UTF-16LE.
#[must_use]
pub fn encoded(script: &str) -> String {
    let bytes: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
    STANDARD.encode(bytes)
}

/// A line that runs `script` with Windows PowerShell, whatever the execution policy.
#[must_use]
pub fn command(script: &str) -> String {
    format!(
        "powershell -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand {}",
        encoded(script)
    )
}

/// `text` as a PowerShell string that is taken literally.
#[must_use]
pub fn literal(text: &str) -> String {
    // PowerShell takes typographic quotes for plain ones.
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for character in text.chars() {
        if matches!(character, '\'' | '\u{2018}'..='\u{201b}') {
            quoted.push(character);
        }
        quoted.push(character);
    }
    quoted.push('\'');
    quoted
}

/// A script without comments on lines of their own, indentation and empty lines.
///
/// Lines `cmd.exe` takes are short, and encoding makes a script nearly three times as long.
#[must_use]
pub(crate) fn compact(script: &str) -> String {
    let lines = script.lines().map(str::trim);
    let lines: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{command, compact, encoded, literal};

    #[test]
    fn scripts_are_encoded_as_powershell_reads_them() {
        assert_eq!(encoded("é"), "6QA=");
        assert!(command("dir").ends_with(" -EncodedCommand ZABpAHIA"));
    }

    #[test]
    fn quotes_of_all_kinds_are_doubled() {
        assert_eq!(literal("it's $env:X"), "'it''s $env:X'");
        assert_eq!(literal("a\u{2019}b"), "'a\u{2019}\u{2019}b'");
    }

    #[test]
    fn comments_do_not_travel() {
        assert_eq!(compact("# why\n  a\n\n  b # not this\n"), "a\nb # not this");
    }
}
