//! Tokens of HCL2, with template awareness.
//!
//! The scanner turns text into tokens with exact byte ranges; only blanks between tokens are left
//! out, so text and tokens together give back every byte. It guards what comes behind it: quoted
//! strings that run over a line, templates and heredocs that do not end, characters that mean
//! nothing and nesting deeper than [`MOST_NESTING`] are reported here, and the region concerned
//! becomes one [`TokenKind::Broken`] token, so that the rest of the file can still be read.
//! Not here: whether brackets match and tokens make sense in their order.

mod plain;
mod recover;
mod template;
#[cfg(test)]
mod tests;
mod token;

use host_diag::{Diagnostic, Diagnostics, FileId};

use crate::origin::Origin;

pub use token::{Token, TokenKind};

/// Brackets and templates that may be open at once.
pub(crate) const MOST_NESTING: usize = 100;
/// Words and signs a text may have; what is made of them takes some hundred bytes for each.
const MOST_TOKENS: usize = 1_000_000;

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// A configuration file or an expression.
    Plain,
    /// A template, as between quotes but without escapes.
    Template,
}

/// The tokens of a text.
#[derive(Debug)]
pub(crate) struct Scan {
    /// In order, closed by one [`TokenKind::End`].
    pub tokens: Vec<Token>,
    /// Everything that is not a token.
    pub diagnostics: Diagnostics,
    /// Whether the scanner gave up, so that the tokens are of no use.
    pub gave_up: bool,
}

/// Splits `text` into tokens. Takes time in proportion to its length.
pub(crate) fn scan(text: &str, start: Start, origin: Origin) -> Scan {
    let mut scanner = Scanner {
        text,
        origin,
        at: 0,
        tokens: Vec::with_capacity(text.len() / 5 + 1),
        modes: vec![match start {
            Start::Plain => Mode::Plain {
                braces: 0,
                opened_by: 0,
            },
            Start::Template => Mode::Bare,
        }],
        depths: Vec::new(),
        brackets: Vec::new(),
        restarts: 0,
        broken_line_end: None,
        diagnostics: Diagnostics::new(),
        gave_up: false,
    };
    scanner.run();
    scanner.push(TokenKind::End, text.len(), text.len());
    Scan {
        tokens: scanner.tokens,
        diagnostics: scanner.diagnostics,
        gave_up: scanner.gave_up,
    }
}

/// The tokens of a configuration file, comments included, closed by one [`TokenKind::End`].
///
/// For programs that look at the text itself, such as the formatter. What is wrong with the text is
/// for [`crate::parse_hcl`] to say; here it is a [`TokenKind::Broken`] token, and after nesting that
/// is too deep there are no more tokens.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    scan(text, Start::Plain, Origin::verbatim(FileId(0), 0)).tokens
}

/// What the text at hand is part of.
#[derive(Clone, Copy, Debug)]
enum Mode<'t> {
    /// Code: a file, an expression or what is inside `${…}` and `%{…}`.
    Plain {
        /// Braces open since the mode began.
        braces: usize,
        /// The token that opened the sequence.
        opened_by: usize,
    },
    /// Between quotes.
    Quoted {
        /// The opening quote's token.
        opened_by: usize,
    },
    /// In a heredoc.
    Heredoc {
        /// The word that ends it.
        marker: &'t str,
        /// Whether a line begins here.
        line_start: bool,
        /// The heredoc's first token.
        opened_by: usize,
    },
    /// In a template that is the whole text.
    Bare,
}

struct Scanner<'t> {
    text: &'t str,
    origin: Origin,
    at: usize,
    tokens: Vec<Token>,
    modes: Vec<Mode<'t>>,
    /// Brackets open when each mode but the first was entered.
    depths: Vec<usize>,
    /// The closing brackets that are due, the innermost last.
    brackets: Vec<char>,
    restarts: usize,
    /// Where the last line that broke a string ended.
    broken_line_end: Option<usize>,
    diagnostics: Diagnostics,
    gave_up: bool,
}

impl<'t> Scanner<'t> {
    fn run(&mut self) {
        if u32::try_from(self.text.len()).is_err() {
            self.give_up(
                Diagnostic::error("File too large")
                    .detail("A file of 4 GiB or more cannot be read."),
            );
        }
        while !self.gave_up {
            if self.tokens.len() > MOST_TOKENS {
                self.give_up(Diagnostic::error("File too large").detail(format!(
                    "A file may have {MOST_TOKENS} words, signs and lines; here they are exceeded."
                )));
                return;
            }
            if self.at >= self.text.len() {
                if self.modes.len() == 1 {
                    return;
                }
                self.end_of_text();
                continue;
            }
            match *self.modes.last().expect("the first mode is never left") {
                Mode::Plain { .. } => self.plain(),
                Mode::Quoted { opened_by } => self.quoted(opened_by),
                Mode::Heredoc {
                    marker, line_start, ..
                } => self.heredoc(marker, line_start),
                Mode::Bare => self.template_text(TokenKind::TemplateText),
            }
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn push(&mut self, kind: TokenKind, start: usize, end: usize) {
        self.tokens.push(Token { kind, start, end });
    }

    /// A token of `length` bytes that begins here.
    fn take(&mut self, kind: TokenKind, length: usize) {
        self.push(kind, self.at, self.at + length);
        self.at += length;
    }

    fn report(&mut self, diagnostic: Diagnostic, start: usize, end: usize) {
        self.diagnostics
            .push(diagnostic.at(self.origin.span(start, end)));
    }

    fn give_up(&mut self, diagnostic: Diagnostic) {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        self.report(diagnostic, self.at, self.at + length);
        self.gave_up = true;
    }

    /// Gives up when too much is open.
    fn check_depth(&mut self) {
        if self.brackets.len() + self.modes.len() > MOST_NESTING {
            self.give_up(Diagnostic::error("Nesting too deep").detail(format!(
                "About {MOST_NESTING} brackets and templates are open here."
            )));
        }
    }

    fn enter(&mut self, mode: Mode<'t>) {
        self.depths.push(self.brackets.len());
        self.modes.push(mode);
        self.check_depth();
    }

    fn leave(&mut self) {
        self.leave_to(self.modes.len() - 1);
    }

    /// Leaves modes until `count` are left.
    fn leave_to(&mut self, count: usize) {
        self.modes.truncate(count);
        if let Some(depth) = self.depths.get(count - 1) {
            self.brackets.truncate(*depth);
        }
        self.depths.truncate(count - 1);
    }
}
