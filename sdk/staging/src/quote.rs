//! Text as one word of a command line.

/// `text` as one word of a POSIX shell: within single quotes, whatever is in it.
///
/// ```
/// assert_eq!(sdk_staging::quote::posix("it's"), r"'it'\''s'");
/// ```
#[must_use]
pub fn posix(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `text` as one word of a POSIX shell; words that mean only themselves stay as they are.
#[must_use]
pub fn posix_when_needed(text: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "/._-+:@%,=".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        posix(text)
    }
}

/// `text` as a literal of PowerShell: within single quotes, those inside doubled.
#[must_use]
pub fn powershell(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether `text` has a character that ends or splits a line: such text cannot stand in a file or a
/// command that is read by lines.
#[must_use]
pub fn breaks_lines(text: &str) -> bool {
    text.chars().any(char::is_control)
}
