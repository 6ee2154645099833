//! One expression: checked, masked, read by hcl-edit, converted.

use std::collections::HashSet;
use std::ops::Range;

use host_diag::{Diagnostic, Diagnostics, Span};

use super::check::check;
use super::complaint::Complaint;
use super::convert::Conversion;
use super::mask::mask;
use super::outline::template_end;
use super::pieces::{ItemOutline, ObjectOutline, Piece, pieces};
use super::template::Form;
use crate::ast::Expr;
use crate::origin::Origin;
use crate::scanner::{Token, TokenKind};

/// Levels an expression tree may have. Whoever walks the tree may recurse that deep.
const MOST_LEVELS: usize = 250;
/// Different names an object may have when it is written out. Reading takes the square of their number.
const MOST_ITEMS: usize = 5000;
/// Words, signs and texts an expression may have. Its tree takes up to 2 KiB for each while it is read.
const MOST_TOKENS: usize = 200_000;

/// What an expression is part of; errors behind it are worded accordingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The value of an argument: ends with its line.
    Attribute,
    /// The value of the only argument of a block on one line.
    OnlyArgument,
    /// The whole text.
    Alone,
    /// Inside `${…}`.
    Interpolation,
    /// Inside `%{…}`.
    Directive,
}

/// Reads expressions and templates of one text.
pub(super) struct ExpressionReader<'t> {
    pub text: &'t str,
    /// Without comments, closed by [`TokenKind::End`].
    pub tokens: &'t [Token],
    pub origin: Origin,
    pub diagnostics: Diagnostics,
    /// Whether something that does not end, a comment say, took the rest of the text.
    pub text_ends_early: bool,
    levels: usize,
}

impl<'t> ExpressionReader<'t> {
    pub(super) fn new(text: &'t str, tokens: &'t [Token], origin: Origin) -> Self {
        Self {
            text,
            tokens,
            origin,
            diagnostics: Diagnostics::new(),
            text_ends_early: false,
            levels: 0,
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic, token: Token) {
        self.diagnostics
            .push(diagnostic.at(self.origin.span(token.start, token.end)));
    }

    /// Reads all tokens in `range` as one expression. `None` means that an error was reported.
    pub(super) fn whole(&mut self, range: Range<usize>, place: Place) -> Option<Expr> {
        let range = self.without_outer_line_breaks(range);
        if self.tokens[range.clone()]
            .iter()
            .any(|token| token.kind == TokenKind::Broken)
        {
            return None;
        }
        let pieces = pieces(self.tokens, range.clone());
        if let [piece] = pieces[..]
            && matches!(piece.kind, TokenKind::OpenQuote | TokenKind::OpenHeredoc)
            && piece.last < range.end
        {
            return self.string(piece.first);
        }
        if pieces.len() > MOST_TOKENS {
            let first = self.tokens[range.start];
            self.report(
                too_large("words, signs and texts", MOST_TOKENS, pieces.len()),
                first,
            );
            return None;
        }
        match check(self.text, self.tokens, &pieces) {
            Ok(findings) => {
                let items = findings
                    .objects
                    .iter()
                    .map(|object| self.names_in(object, &pieces));
                let most = items.max().unwrap_or(0);
                if most > MOST_ITEMS {
                    let first = self.tokens[range.start];
                    self.report(too_large("names in one object", MOST_ITEMS, most), first);
                    return None;
                }
                let masked = mask(self.text, self.tokens, &pieces, &findings);
                let base = self.tokens[range.start].start;
                self.parse(base, &masked.text, &masked.lifted)
            }
            Err(complaint) => {
                self.complain(*complaint, &pieces, range.end, place);
                None
            }
        }
    }

    /// Different names of an object's attributes, as they are written; not counted for a small one.
    fn names_in(&self, object: &ObjectOutline, pieces: &[Piece]) -> usize {
        if object.items.len() <= MOST_ITEMS {
            return object.items.len();
        }
        let name = |item: &ItemOutline| {
            let key = pieces.get(item.key.clone())?;
            let (first, last) = (key.first()?.first, key.last()?.last);
            self.text
                .get(self.tokens[first].start..self.tokens[last].end)
        };
        let names: HashSet<Option<&str>> = object.items.iter().map(name).collect();
        names.len()
    }

    fn without_outer_line_breaks(&self, mut range: Range<usize>) -> Range<usize> {
        let is_break = |at: usize| self.tokens[at].kind == TokenKind::Newline;
        while range.start < range.end && is_break(range.start) {
            range.start += 1;
        }
        while range.start < range.end && is_break(range.end - 1) {
            range.end -= 1;
        }
        range
    }

    fn parse(&mut self, base: usize, masked: &str, lifted: &[super::mask::Lifted]) -> Option<Expr> {
        match hcl_edit::parser::parse_expr(masked) {
            Ok(expr) => Conversion {
                reader: self,
                base,
                lifted,
            }
            .expr(&expr),
            Err(error) => {
                let mut at = (base + error.location().offset()).min(self.text.len());
                // It may have stopped inside of a character.
                while !self.text.is_char_boundary(at) {
                    at -= 1;
                }
                let end = self.text[at..].chars().next().map_or(0, char::len_utf8);
                let span = self.origin.span(at, at + end);
                let message = error.message();
                self.diagnostics.push(
                    Diagnostic::error("Invalid expression")
                        .detail(format!("This cannot be read: {message}."))
                        .at(span),
                );
                None
            }
        }
    }

    fn complain(&mut self, complaint: Complaint, pieces: &[Piece], end: usize, place: Place) {
        let Complaint {
            mut diagnostic,
            piece,
            open,
        } = complaint;
        if diagnostic.summary == "Extra characters after expression" {
            match place {
                Place::Attribute => {
                    diagnostic.summary = "Missing newline after argument".to_owned()
                }
                Place::Interpolation => {
                    diagnostic.summary =
                        "Extra characters after interpolation expression".to_owned();
                }
                Place::OnlyArgument => {
                    diagnostic = only_argument();
                }
                Place::Alone | Place::Directive => {}
            }
        }
        let token = |piece: Piece| Token {
            end: self.tokens[piece.last].end,
            ..self.tokens[piece.first]
        };
        let opener = open.map(|at| token(pieces[at]));
        let found = pieces.get(piece).map(|piece| token(*piece));
        let place = match (found, opener) {
            (Some(found), _) => found,
            (None, Some(opener)) => opener,
            (None, None) => self.tokens[end],
        };
        if let Some(found) = pieces.get(piece).filter(|_| diagnostic.hints.is_empty()) {
            diagnostic = diagnostic.hint(self.advice(found.first));
        }
        if let (Some(opener), Some(_)) = (opener, found) {
            diagnostic =
                diagnostic.related(self.origin.span(opener.start, opener.end), "opened here");
        }
        self.report(diagnostic, place);
    }

    /// What somebody used to another language may have meant by token `at`.
    fn advice(&self, at: usize) -> Option<String> {
        let word = |at: Option<usize>| {
            let token = at.and_then(|at| self.tokens.get(at));
            token.map_or("", |token| token.text(self.text))
        };
        let (before, here, after) = (word(at.checked_sub(1)), word(Some(at)), word(Some(at + 1)));
        let is_name = |text: &str| text.starts_with(|c: char| c.is_alphabetic() || c == '_');
        let text = match (before, here, after) {
            ("if", ..) if word(at.checked_sub(2)) == "${" => {
                "a condition in text is `%{ if … }…%{ endif }`, or `${condition ? a : b}`"
            }
            ("for", ..) if word(at.checked_sub(2)) == "${" => {
                "a loop in text is `%{ for x in list }…%{ endfor }`"
            }
            (_, "and", _) => "write `&&` for `and`",
            (_, "or", _) => "write `||` for `or`",
            ("not", ..) => "write `!` for `not`",
            ("+", "+", _) => "text is joined in a template: `\"${a}${b}\"`",
            ("*", "*", _) => "a power is `pow(base, exponent)`",
            ("<", ">", _) => "what differs is tested with `!=`",
            ("==", "=", _) => "equality is tested with two signs: `==`",
            ("?", ":", _) => "for a value that may be null, write `coalesce(x, y)` or `try(x, y)`",
            (_, ",", "\n" | "\r\n" | "") => "arguments end with their lines; remove the comma",
            (_, "for", _) | ("for", ..) => {
                "a `for` expression stands in brackets: `[for x in list : …]`"
            }
            (name, "\"", _) if is_name(name) => {
                return Some(format!("a call needs parentheses: `{name}(…)`"));
            }
            ("\"", "\"", _) | (".", "\"", _) => "text is joined in a template: `\"${a}${b}\"`",
            (".", "[", _) => "an index has no dot: `name[0]`",
            (_, _, "=") => "begin a new line for the next argument",
            _ => return self.unquoted(at),
        };
        Some(text.to_owned())
    }

    /// The word that token `at` is the second part of, when it is one that should be text: `20GB`.
    fn unquoted(&self, at: usize) -> Option<String> {
        let before = self.tokens.get(at.checked_sub(1)?)?;
        let here = self.tokens.get(at)?;
        let is_part = matches!(
            here.kind,
            TokenKind::Ident | TokenKind::Number | TokenKind::Colon
        );
        let is_begun = matches!(before.kind, TokenKind::Ident | TokenKind::Number);
        if before.end != here.start || !is_part || !is_begun {
            return None;
        }
        let ends = |c: char| c.is_whitespace() || "\"',;()[]{}=".contains(c);
        let part = self.text[..here.start].rsplit(ends).next();
        let start = here.start - part.map_or(0, str::len);
        let rest = &self.text[here.start..];
        let end = here.start + rest.find(ends).unwrap_or(rest.len());
        let word = &self.text[start..end];
        // Numbers of other languages.
        let is_exponent = word
            .strip_suffix('e')
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        if word.starts_with("0x") || is_exponent {
            return None;
        }
        Some(format!("text stands in quotes: `\"{word}\"`"))
    }

    /// Reads the string or heredoc that token `open` opens.
    pub(super) fn string(&mut self, open: usize) -> Option<Expr> {
        let close = template_end(self.tokens, open);
        let first = self.tokens[open];
        let form = match first.kind {
            TokenKind::OpenQuote => Form::Quoted,
            _ if first.text(self.text).starts_with("<<-") => Form::IndentedHeredoc,
            _ => Form::Heredoc,
        };
        let span = self.origin.span(first.start, self.tokens[close].end);
        self.template(open + 1..close, form, span)
    }

    /// The token that begins at byte `start` of the text.
    pub(super) fn token_at(&self, start: usize) -> Option<usize> {
        self.tokens
            .binary_search_by_key(&start, |token| token.start)
            .ok()
    }

    /// Does `work` with the tree `levels` deeper, or reports that it is too deep.
    pub(super) fn deeper<T>(
        &mut self,
        levels: usize,
        span: Span,
        work: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        self.levels += levels;
        let result = if self.levels > MOST_LEVELS {
            self.diagnostics.push(
                Diagnostic::error("Nesting too deep")
                    .detail(format!(
                        "This expression has more than {MOST_LEVELS} levels."
                    ))
                    .hint("put parts of it into locals of their own".to_owned())
                    .at(span),
            );
            None
        } else {
            work(self)
        };
        self.levels -= levels;
        result
    }
}

/// A block on one line goes on behind its argument.
pub(super) fn only_argument() -> Diagnostic {
    Diagnostic::error("Invalid single-argument block definition")
        .detail("A block on one line holds one argument; for more of them use a line each.")
        .hint("begin a new line behind `{`, and before `}`".to_owned())
}

fn too_large(what: &str, most: usize, count: usize) -> Diagnostic {
    Diagnostic::error("Expression too large")
        .detail(format!(
            "An expression may have {most} {what}; this one has {count}."
        ))
        .hint(
            "Put the data into a file of its own and read it with `jsondecode(file(…))`."
                .to_owned(),
        )
}
