//! Code: everything outside of template text.

use host_diag::Diagnostic;
use unicode_ident::{is_xid_continue, is_xid_start};

use super::{Mode, Scanner, TokenKind};

impl Scanner<'_> {
    /// Takes one token of code.
    pub(super) fn plain(&mut self) {
        let rest = self.rest();
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        self.at += blanks;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return;
        };
        match first {
            '\n' => self.take(TokenKind::Newline, 1),
            '\r' if rest.starts_with("\r\n") => self.take(TokenKind::Newline, 2),
            '#' => self.line_comment(),
            '/' if rest.starts_with("//") => self.line_comment(),
            '/' if rest.starts_with("/*") => self.block_comment(),
            '"' => self.open_quote(),
            '<' if rest.starts_with("<<") && self.open_heredoc() => {}
            '{' | '[' | '(' => self.open_bracket(first),
            '}' | ']' | ')' => self.close_bracket(first),
            '~' if rest.starts_with("~}") && self.ends_template() => self.close_template(2),
            '0'..='9' => self.number(),
            _ if is_word_start(first) => self.word(),
            _ => self.operator(first),
        }
    }

    fn line_comment(&mut self) {
        let rest = self.rest();
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        self.take(
            TokenKind::Comment,
            line.strip_suffix('\r').unwrap_or(line).len(),
        );
    }

    fn block_comment(&mut self) {
        let rest = self.rest();
        if let Some(length) = rest[2..].find("*/") {
            self.take(TokenKind::Comment, length + 4);
            return;
        }
        self.report(
            Diagnostic::error("Unterminated comment")
                .detail("This comment has no closing `*/` before the end of the file."),
            self.at,
            self.at + 2,
        );
        self.take(TokenKind::Comment, rest.len());
    }

    fn open_quote(&mut self) {
        self.enter(Mode::Quoted {
            opened_by: self.tokens.len(),
        });
        self.take(TokenKind::OpenQuote, 1);
    }

    /// Begins a heredoc when `<<` is followed by a word and the end of the line.
    fn open_heredoc(&mut self) -> bool {
        let rest = self.rest();
        let word = rest[2..].strip_prefix('-').unwrap_or(&rest[2..]);
        let marker = &word[..word_length(word)];
        let behind = &word[marker.len()..];
        let line_break = match behind {
            _ if behind.starts_with('\n') => 1,
            _ if behind.starts_with("\r\n") => 2,
            _ => return false,
        };
        if !marker.starts_with(is_word_start) {
            return false;
        }
        self.enter(Mode::Heredoc {
            marker,
            line_start: true,
            opened_by: self.tokens.len(),
        });
        self.take(
            TokenKind::OpenHeredoc,
            rest.len() - behind.len() + line_break,
        );
        true
    }

    fn open_bracket(&mut self, bracket: char) {
        if let (Some(Mode::Plain { braces, .. }), '{') = (self.modes.last_mut(), bracket) {
            *braces += 1;
        }
        let (kind, close) = match bracket {
            '{' => (TokenKind::OpenBrace, '}'),
            '[' => (TokenKind::OpenBracket, ']'),
            _ => (TokenKind::OpenParen, ')'),
        };
        self.brackets.push(close);
        self.check_depth();
        self.take(kind, 1);
    }

    fn close_bracket(&mut self, bracket: char) {
        if bracket == '}' && self.ends_template() {
            self.close_template(1);
            return;
        }
        // A bracket that nothing inside is waiting for closes nothing.
        let outside = self.depths.last().copied().unwrap_or(0);
        let due = self.brackets[outside..]
            .iter()
            .rposition(|close| *close == bracket);
        if let Some(due) = due {
            self.brackets.truncate(outside + due);
        }
        if let (Some(Mode::Plain { braces, .. }), '}') = (self.modes.last_mut(), bracket) {
            *braces = braces.saturating_sub(1);
        }
        self.take(
            match bracket {
                '}' => TokenKind::CloseBrace,
                ']' => TokenKind::CloseBracket,
                _ => TokenKind::CloseParen,
            },
            1,
        );
    }

    /// Whether a closing brace here would end an interpolation or directive.
    fn ends_template(&self) -> bool {
        self.modes.len() > 1 && matches!(self.modes.last(), Some(Mode::Plain { braces: 0, .. }))
    }

    fn close_template(&mut self, length: usize) {
        self.take(TokenKind::CloseTemplate, length);
        self.leave();
    }

    fn number(&mut self) {
        let rest = self.rest().as_bytes();
        let digits = |from: usize| {
            rest[from..]
                .iter()
                .take_while(|b| b.is_ascii_digit())
                .count()
        };
        let mut length = digits(0);
        let mut points = 0;
        while rest.get(length) == Some(&b'.') && digits(length + 1) > 0 {
            length += 1 + digits(length + 1);
            points += 1;
        }
        if matches!(rest.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(rest.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits(length + 1 + sign);
            length += if exponent > 0 { 1 + sign + exponent } else { 0 };
        }
        if points < 2 {
            self.take(TokenKind::Number, length);
            return;
        }
        self.report(
            Diagnostic::error("Invalid number literal")
                .detail("A number has at most one decimal point.")
                .hint("put text such as a version in quotes".to_owned()),
            self.at,
            self.at + length,
        );
        self.take(TokenKind::Broken, length);
    }

    fn word(&mut self) {
        let length = word_length(self.rest());
        self.take(TokenKind::Ident, length);
    }

    fn operator(&mut self, first: char) {
        let rest = self.rest();
        let table = [
            ("...", TokenKind::Ellipsis),
            ("=>", TokenKind::FatArrow),
            ("::", TokenKind::DoubleColon),
            ("==", TokenKind::Operator),
            ("!=", TokenKind::Operator),
            ("<=", TokenKind::Operator),
            (">=", TokenKind::Operator),
            ("&&", TokenKind::Operator),
            ("||", TokenKind::Operator),
            ("=", TokenKind::Equal),
            ("-", TokenKind::Minus),
            ("*", TokenKind::Star),
            ("!", TokenKind::Bang),
            ("?", TokenKind::Question),
            (":", TokenKind::Colon),
            (",", TokenKind::Comma),
            (".", TokenKind::Dot),
            ("+", TokenKind::Operator),
            ("/", TokenKind::Operator),
            ("%", TokenKind::Operator),
            ("<", TokenKind::Operator),
            (">", TokenKind::Operator),
        ];
        match table.iter().find(|(text, _)| rest.starts_with(text)) {
            Some((text, kind)) => self.take(*kind, text.len()),
            None => self.not_a_token(first),
        }
    }

    /// Reports a run of one character that has no meaning, or text in quotes that are none.
    fn not_a_token(&mut self, character: char) {
        let rest = self.rest();
        let length = quoted_length(rest, character)
            .unwrap_or_else(|| rest.len() - rest.trim_start_matches(character).len());
        let diagnostic = match character {
            '\'' => invalid("Single quotes do not enclose text; use double quotes (`\"`)."),
            '`' => invalid(
                "Backquotes do not enclose text; use double quotes, or a heredoc for text of many lines.",
            ),
            ';' => invalid(
                "Semicolons separate nothing; use a line break between arguments and a comma between items.",
            ),
            '\u{201C}' | '\u{201D}' | '\u{2018}' | '\u{2019}' => {
                invalid("Curly quotes do not enclose text; use straight double quotes (`\"`).")
            }
            '&' => unsupported("&", "&&"),
            '|' => unsupported("|", "||"),
            '^' | '~' => Diagnostic::error("Unsupported operator").detail(format!(
                "There is no operator `{character}`; bits cannot be combined."
            )),
            '\u{FEFF}' => invalid("A byte-order mark may only be at the start of a file."),
            '$' | '%' if rest[length..].starts_with('{') => invalid(&format!(
                "`{character}{{` begins an expression within text; here is an expression already."
            ))
            .hint(format!("write what is in `{character}{{…}}` without it")),
            _ => invalid(&format!("The character {character:?} has no meaning here.")),
        };
        self.report(diagnostic, self.at, self.at + length);
        self.take(TokenKind::Broken, length);
    }
}

/// Bytes of a text in quotes that are none, when it ends on its line.
fn quoted_length(rest: &str, open: char) -> Option<usize> {
    let closers: &[char] = match open {
        '\'' => &['\''],
        '`' => &['`'],
        '\u{201C}' | '\u{201D}' => &['\u{201C}', '\u{201D}'],
        '\u{2018}' | '\u{2019}' => &['\u{2018}', '\u{2019}'],
        _ => return None,
    };
    let inside = &rest[open.len_utf8()..];
    let line = &inside[..inside.find('\n').unwrap_or(inside.len())];
    let (at, close) = line
        .char_indices()
        .find(|(_, character)| closers.contains(character))?;
    Some(open.len_utf8() + at + close.len_utf8())
}

fn invalid(detail: &str) -> Diagnostic {
    Diagnostic::error("Invalid character").detail(detail)
}

fn unsupported(written: &str, logical: &str) -> Diagnostic {
    Diagnostic::error("Unsupported operator")
        .detail(format!(
            "There is no operator `{written}`; bits cannot be combined."
        ))
        .hint(format!("did you mean `{logical}`?"))
}

fn is_word_start(character: char) -> bool {
    character == '_' || is_xid_start(character)
}

/// Bytes of the word that `text` starts with.
fn word_length(text: &str) -> usize {
    text.find(|character: char| !(character == '-' || is_xid_continue(character)))
        .unwrap_or(text.len())
}
