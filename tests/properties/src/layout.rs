//! What `fmt` does.

use host_diag::{FileId, SourceMap};
use host_syntax::{Token, TokenKind, tokens};

use crate::places;

/// Formatting moves blanks only, and formatting twice is formatting once.
///
/// # Panics
///
/// When that is not so.
pub fn check(text: &str) {
    let mut sources = SourceMap::default();
    let file = sources.add("a.pkr.hcl", text);
    match host_format::format(file, text) {
        Err(problems) => places::check_problems(&problems, &sources),
        Ok(formatted) => {
            let before = text.strip_prefix('\u{FEFF}').unwrap_or(text);
            let words_before = words(before);
            if !has_split_number(&words_before) {
                assert_eq!(words(&formatted), words_before, "{formatted:?}");
            }
            let again = host_format::format(FileId(0), &formatted);
            assert_eq!(again.as_ref(), Ok(&formatted));
        }
    }
}

/// Whether a number stands before a dot, as in `2 .1`. The reference formatter takes the blank away,
/// which makes another number of it; no such expression has a value.
fn has_split_number(words: &[(TokenKind, &str)]) -> bool {
    let kinds = words.windows(2).map(|pair| (pair[0].0, pair[1].0));
    kinds
        .into_iter()
        .any(|pair| pair == (TokenKind::Number, TokenKind::Dot))
}

/// Kinds and texts of all tokens. The indent of the line that ends a heredoc is a blank, too.
fn words(text: &str) -> Vec<(TokenKind, &str)> {
    let word = |token: &Token| match token.kind {
        TokenKind::CloseHeredoc => (token.kind, token.text(text).trim()),
        kind => (kind, token.text(text)),
    };
    tokens(text).iter().map(word).collect()
}
