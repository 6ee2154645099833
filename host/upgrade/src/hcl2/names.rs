//! Names that HCL2 accepts.

use super::actions::{Piece, Word, pieces};

/// Whether HCL2 accepts the name as it is.
pub(super) fn is_identifier(name: &str) -> bool {
    let starts = |first: char| first.is_alphabetic() || first == '_';
    name.starts_with(starts) && name.chars().all(is_inside)
}

fn is_inside(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-')
}

/// The name with everything that HCL2 does not accept as an underscore. A template call leaves
/// what it is about: `sig-{{user "x"}}` is `sig-x`.
pub(super) fn identifier(name: &str) -> String {
    let without_calls: String = pieces(name)
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Action(action) => match action.words.unwrap_or_default().pop() {
                Some(Word::Name(word) | Word::Text(word) | Word::Constant(word)) => word,
                None => String::new(),
            },
        })
        .collect();
    let mut result: String = without_calls
        .chars()
        .map(|found| if is_inside(found) { found } else { '_' })
        .collect();
    if !is_identifier(&result) {
        result.insert(0, '_');
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_identifiers() {
        for (name, expected) in [
            ("ubuntu-18.04", "ubuntu-18_04"),
            ("my name", "my_name"),
            ("sig-{{user `x`}}", "sig-x"),
            ("{{ .Name }}", "_"),
            ("2019", "_2019"),
            ("", "_"),
        ] {
            assert_eq!(identifier(name), expected);
            assert!(is_identifier(expected));
        }
    }
}
