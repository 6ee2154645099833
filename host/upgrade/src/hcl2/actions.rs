//! Template text, taken apart into plain text and actions.

use std::iter::Peekable;
use std::str::CharIndices;

/// A piece of template text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text that is printed as it is.
    Text(&'a str),
    /// `{{ … }}`.
    Action(Action<'a>),
}

/// An action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Action<'a> {
    /// All of it, braces included.
    pub(super) source: &'a str,
    /// `{{-`: blanks before it go.
    pub(super) trims_before: bool,
    /// `-}}`: blanks behind it go.
    pub(super) trims_behind: bool,
    /// The words in it; `None` when there is something else, such as a pipe.
    pub(super) words: Option<Vec<Word>>,
}

/// A word of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A function.
    Name(String),
    /// Text, quotes removed.
    Text(String),
    /// A number or another constant.
    Constant(String),
}

/// Takes text apart; it must be known to have no mistakes of syntax.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(length) = action_length(&rest[start..]) else {
            break;
        };
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        pieces.push(Piece::Action(action(&rest[start..start + length])));
        rest = &rest[start + length..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// Bytes from `{{` to behind the `}}` that belongs to it: not one in quotes or a comment.
fn action_length(text: &str) -> Option<usize> {
    let inner = text[2..].trim_start_matches("- ").trim_start();
    if inner.starts_with("/*") {
        let comment = text.find("*/")?;
        return Some(comment + text[comment..].find("}}")? + 2);
    }
    let mut characters = text.char_indices();
    characters.nth(1);
    let mut characters = characters.peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' | '`' | '\'' => drop(quoted(&mut characters, character)?),
            '}' if text[at..].starts_with("}}") => return Some(at + 2),
            _ => {}
        }
    }
    None
}

/// The text up to the closing quote, escapes kept; `None` when there is no closing quote.
fn quoted(characters: &mut Peekable<CharIndices<'_>>, quote: char) -> Option<String> {
    let mut text = String::new();
    loop {
        let (_, character) = characters.next()?;
        if character == quote {
            return Some(text);
        }
        text.push(character);
        if character == '\\' && quote != '`' {
            text.push(characters.next()?.1);
        }
    }
}

fn action(source: &str) -> Action<'_> {
    let inner = &source[2..source.len() - 2];
    let (trims_before, inner) = match inner.strip_prefix('-') {
        Some(rest) if rest.starts_with(char::is_whitespace) => (true, rest),
        _ => (false, inner),
    };
    let (trims_behind, inner) = match inner.strip_suffix('-') {
        Some(rest) if rest.ends_with(char::is_whitespace) => (true, rest),
        _ => (false, inner),
    };
    Action {
        source,
        trims_before,
        trims_behind,
        words: words(inner),
    }
}

fn words(text: &str) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            _ if character.is_whitespace() => {}
            '`' => words.push(Word::Text(quoted(&mut characters, '`')?)),
            '"' => words.push(Word::Text(unescaped(&quoted(&mut characters, '"')?)?)),
            _ if character.is_alphanumeric() || matches!(character, '_' | '-' | '+') => {
                let mut end = at + character.len_utf8();
                while let Some((next, more)) = characters
                    .next_if(|(_, next)| next.is_alphanumeric() || matches!(next, '_' | '.'))
                {
                    end = next + more.len_utf8();
                }
                words.push(bare(&text[at..end]));
            }
            _ => return None,
        }
    }
    Some(words)
}

fn bare(word: &str) -> Word {
    let is_name = word.starts_with(|first: char| first.is_alphabetic() || first == '_');
    if is_name && !matches!(word, "true" | "false" | "nil") {
        Word::Name(word.to_owned())
    } else {
        Word::Constant(word.to_owned())
    }
}

/// Text with simple escapes resolved; `None` when there are others.
fn unescaped(text: &str) -> Option<String> {
    let mut result = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            result.push(character);
            continue;
        }
        result.push(match characters.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            same @ ('"' | '\\' | '\'') => same,
            _ => return None,
        });
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = pieces(text)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Action(action) => match action.words {
                    Some(words) => format!("{words:?}"),
                    None => format!("kept {}", action.source),
                },
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn calls_are_words() {
        check(
            "a{{user `x`}}b{{ split \"}}\" '' }}",
            &[
                "a",
                r#"[Name("user"), Text("x")]"#,
                "b",
                "kept {{ split \"}}\" '' }}",
            ],
        );
        check(
            "{{replace \"\\n\" `b` -1 `c`}}",
            &[r#"[Name("replace"), Text("\n"), Text("b"), Constant("-1"), Text("c")]"#],
        );
        check("{{- uuid -}}", &[r#"[Name("uuid")]"#]);
    }

    #[test]
    fn pipes_fields_and_comments_are_not() {
        for text in [
            "{{user `x` | upper}}",
            "{{ .Path }}",
            "{{/* }} */}}",
            "{{(uuid)}}",
        ] {
            check(text, &[&format!("kept {text}")]);
        }
    }
}
