//! Lists of checksums: `SHA-256  FILE` in each line.

use std::collections::BTreeMap;

use crate::lock::is_sha256;

/// SHA-256 in hexadecimal by file name.
pub(crate) type Sums = BTreeMap<String, String>;

/// What no file of a release is called, and what would mean something in the lock file.
const UNUSUAL: [char; 6] = ['"', '\\', '$', '%', '{', '\0'];

/// Reads a list. Lines in another form are an error, because nothing can be told from a list that
/// was cut off.
///
/// # Source
///
/// `sha256sum`; a mark for binary files before the name is left out. Differs: Packer loses a last
/// line without a line end.
pub(crate) fn parse(text: &str) -> Result<Sums, String> {
    let mut sums = Sums::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let mut words = line.split_whitespace();
        let (hash, name) = (words.next().unwrap_or_default(), words.next());
        let hash = hash.to_ascii_lowercase();
        let name = name.map(|name| name.trim_start_matches('*'));
        let name = name.filter(|name| !name.contains(UNUSUAL));
        let (Some(name), None, true) = (name, words.next(), is_sha256(&hash)) else {
            let number = number + 1;
            return Err(format!(
                "line {number} is not a SHA-256 and a plain file name"
            ));
        };
        if sums
            .insert(name.to_owned(), hash.clone())
            .is_some_and(|old| old != hash)
        {
            return Err(format!("`{name}` is there twice, with different checksums"));
        }
    }
    match sums.is_empty() {
        true => Err("it is empty".to_owned()),
        false => Ok(sums),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn lists_are_read() {
        let hash = "0a".repeat(32);
        let text = format!("{hash}  a.zip\n{}  *b.zip\n\n", hash.to_uppercase());
        let sums = parse(&text).unwrap();
        assert_eq!(sums["a.zip"], hash);
        assert_eq!(sums["b.zip"], hash);
    }

    #[test]
    fn broken_lists_are_refused() {
        let hash = "0a".repeat(32);
        for (text, problem) in [
            ("", "empty"),
            ("<html>\n", "line 1"),
            (&format!("{hash}  a.zip\n{hash}"), "line 2"),
            (&format!("{}  a.zip\n", &hash[1..]), "line 1"),
            (&format!("{hash} a.zip b\n"), "line 1"),
            (&format!("{hash} a\n{} a\n", "0b".repeat(32)), "twice"),
        ] {
            let found = parse(text).unwrap_err();
            assert!(found.contains(problem), "{text}: {found}");
        }
    }
}
