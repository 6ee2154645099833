//! Which operating system it is.
//!
//! # Source
//!
//! os-release(5).

use super::tidy;

/// What identifies an operating system. Empty texts are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsRelease {
    /// `debian`, `alpine`, ….
    pub id: String,
    /// `12`, `3.18.4`, ….
    pub version_id: String,
    /// For people.
    pub pretty_name: String,
}

impl OsRelease {
    /// Reads the file; lines that are no assignments are left out.
    pub fn read(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            let Some((name, value)) = line.trim().split_once('=') else {
                continue;
            };
            let value = tidy(&unquoted(value));
            match name {
                "ID" => found.id = identifier(&value),
                "VERSION_ID" => found.version_id = identifier(&value),
                "PRETTY_NAME" => found.pretty_name = value,
                _ => {}
            }
        }
        found
    }
}

/// The characters such values may have; others are left out.
fn identifier(text: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    text.to_ascii_lowercase().chars().filter(allowed).collect()
}

/// A value as a shell reads it.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inner = ['"', '\''].into_iter().find_map(|quote| {
        let inner = value.strip_prefix(quote)?.strip_suffix(quote)?;
        Some((quote, inner))
    });
    let Some((quote, inner)) = inner else {
        return value.to_owned();
    };
    if quote == '\'' {
        return inner.to_owned();
    }
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}
