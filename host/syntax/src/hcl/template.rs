//! Quoted strings, heredocs and bare templates.

use std::ops::Range;

use host_diag::{Diagnostic, Span};

use super::expression::{ExpressionReader, Place};
use super::literal::{BadEscape, unescape_quoted, unescape_sequences};
use super::outline::template_end;
use super::trim::{apply_trim_markers, remove_indent};
use crate::ast::{Expr, ExprKind, Ident, TemplatePart};
use crate::scanner::{Token, TokenKind};

/// How a template is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Between quotes.
    Quoted,
    /// `<<WORD`.
    Heredoc,
    /// `<<-WORD`.
    IndentedHeredoc,
    /// The whole text.
    Bare,
}

/// A piece of a template before directives are paired.
#[derive(Debug)]
pub(super) enum Element {
    /// Text, escapes resolved, with its bytes in the source.
    Text {
        text: String,
        start: usize,
        end: usize,
    },
    /// `${…}` or `%{…}`.
    Sequence(Sequence),
}

/// `${…}` or `%{…}`, as tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sequence {
    open: usize,
    close: usize,
    trims_before: bool,
    trims_behind: bool,
}

impl Element {
    pub(super) fn trims_before(&self) -> bool {
        matches!(
            self,
            Self::Sequence(Sequence {
                trims_before: true,
                ..
            })
        )
    }

    pub(super) fn trims_behind(&self) -> bool {
        matches!(
            self,
            Self::Sequence(Sequence {
                trims_behind: true,
                ..
            })
        )
    }
}

/// The elements still to be read of a template.
struct Rest {
    elements: std::vec::IntoIter<Element>,
    /// Behind the template's last byte.
    end: usize,
}

/// What ended a run of parts.
enum Ended {
    AtEnd,
    Else(Sequence),
    EndIf,
    EndFor,
}

impl ExpressionReader<'_> {
    /// Reads the tokens in `range` as a template. `None` means that an error was reported.
    pub(super) fn template(&mut self, range: Range<usize>, form: Form, span: Span) -> Option<Expr> {
        let end = self.tokens[range.end].start;
        let mut elements = self.elements(range, form)?;
        apply_trim_markers(&mut elements);
        if form == Form::IndentedHeredoc {
            remove_indent(&mut elements);
        }
        let mut rest = Rest {
            elements: elements.into_iter(),
            end,
        };
        let parts = match self.parts(&mut rest, None)? {
            (parts, Ended::AtEnd) => parts,
            _ => return None,
        };
        let kind = match as_text(&parts) {
            Some(text) => ExprKind::String(text),
            None => ExprKind::Template(parts),
        };
        Some(Expr { kind, span })
    }

    /// Reads the tokens in `range` as text between quotes that may hold no sequences.
    pub(super) fn plain_string(&mut self, range: Range<usize>, span: Span) -> Option<String> {
        for at in range.clone() {
            if self.tokens[at].kind != TokenKind::QuotedText {
                let close = self.tokens[template_end(self.tokens, at)];
                let place = Token {
                    end: close.end,
                    ..self.tokens[at]
                };
                self.report(
                    Diagnostic::error("Invalid string literal").detail(
                        "A block's label is plain text; nothing can be interpolated in it.",
                    ),
                    place,
                );
                return None;
            }
        }
        match self.template(range, Form::Quoted, span)?.kind {
            ExprKind::String(text) => Some(text),
            _ => None,
        }
    }

    fn elements(&mut self, range: Range<usize>, form: Form) -> Option<Vec<Element>> {
        let mut elements = Vec::new();
        let mut at = range.start;
        let mut sound = true;
        while at < range.end {
            let token = self.tokens[at];
            match token.kind {
                TokenKind::OpenInterpolation | TokenKind::OpenDirective => {
                    let close = template_end(self.tokens, at);
                    let trims_before = token.text(self.text).ends_with('~');
                    let trims_behind = self.tokens[close].text(self.text).starts_with('~');
                    elements.push(Element::Sequence(Sequence {
                        open: at,
                        close,
                        trims_before,
                        trims_behind,
                    }));
                    at = close;
                }
                TokenKind::Broken => sound = false,
                _ => match self.literal(token, form) {
                    Some(text) => elements.push(Element::Text {
                        text,
                        start: token.start,
                        end: token.end,
                    }),
                    None => sound = false,
                },
            }
            at += 1;
        }
        sound.then_some(elements)
    }

    fn literal(&mut self, token: Token, form: Form) -> Option<String> {
        let raw = token.text(self.text);
        if form != Form::Quoted {
            return Some(unescape_sequences(raw));
        }
        match unescape_quoted(raw) {
            Ok(text) => Some(text),
            Err(BadEscape { detail, start, end }) => {
                let place = Token {
                    start: token.start + start,
                    end: token.start + end,
                    ..token
                };
                self.report(
                    Diagnostic::error("Invalid escape sequence").detail(detail),
                    place,
                );
                None
            }
        }
    }

    /// Reads parts up to the end or to a directive that ends or divides another one. `inside` is
    /// the directive that the parts belong to.
    fn parts(
        &mut self,
        rest: &mut Rest,
        inside: Option<(&str, Sequence)>,
    ) -> Option<(Vec<TemplatePart>, Ended)> {
        let mut parts = Vec::new();
        let mut sound = true;
        while let Some(element) = rest.elements.next() {
            match element {
                Element::Text { text, start, end } => self.push_text(&mut parts, text, start, end),
                Element::Sequence(sequence)
                    if self.tokens[sequence.open].kind == TokenKind::OpenInterpolation =>
                {
                    match self.whole(sequence.open + 1..sequence.close, Place::Interpolation) {
                        Some(expr) => parts.push(TemplatePart::Interpolation(expr)),
                        None => sound = false,
                    }
                }
                Element::Sequence(sequence) => match self.directive(sequence, rest, inside)? {
                    Ok(part) => parts.push(part),
                    Err(ended) => return sound.then_some((parts, ended)),
                },
            }
        }
        if let Some((word, sequence)) = inside {
            let begin = self.sequence_span(sequence);
            let end = if word == "for" { "endfor" } else { "endif" };
            self.diagnostics.push(
                Diagnostic::error("Unexpected end of template")
                    .detail(format!(
                        "The template ends before the `{end}` of this `{word}` directive."
                    ))
                    .at(self.origin.span(rest.end, rest.end))
                    .related(begin, "the directive begins here"),
            );
            return None;
        }
        sound.then_some((parts, Ended::AtEnd))
    }

    fn push_text(&self, parts: &mut Vec<TemplatePart>, text: String, start: usize, end: usize) {
        let span = self.origin.span(start, end);
        if let Some(TemplatePart::Literal(before, place)) = parts.last_mut() {
            before.push_str(&text);
            *place = place.to(span);
        } else if !text.is_empty() {
            parts.push(TemplatePart::Literal(text, span));
        }
    }

    /// Reads a directive with all that belongs to it, or tells which end it is.
    fn directive(
        &mut self,
        sequence: Sequence,
        rest: &mut Rest,
        inside: Option<(&str, Sequence)>,
    ) -> Option<Result<TemplatePart, Ended>> {
        let mut first = sequence.open + 1;
        while self.tokens[first].kind == TokenKind::Newline {
            first += 1;
        }
        let word = match self.tokens[first] {
            token if token.kind == TokenKind::Ident => token.text(self.text),
            _ => "",
        };
        let span = self.sequence_span(sequence);
        let inner = first + 1..sequence.close;
        match (word, inside.map(|(word, _)| word)) {
            ("if", _) => self
                .deeper(1, span, |reader| reader.if_directive(sequence, inner, rest))
                .map(Ok),
            ("for", _) => self
                .deeper(1, span, |reader| {
                    reader.for_directive(sequence, inner, rest)
                })
                .map(Ok),
            ("else", Some("if")) => self
                .nothing_more(inner, word)
                .map(|()| Err(Ended::Else(sequence))),
            ("endif", Some("if" | "else")) => {
                self.nothing_more(inner, word).map(|()| Err(Ended::EndIf))
            }
            ("endfor", Some("for")) => self.nothing_more(inner, word).map(|()| Err(Ended::EndFor)),
            ("else" | "endif" | "endfor", _) => {
                let diagnostic = Diagnostic::error(format!("Unexpected {word} directive")).detail(
                    format!("There is no open directive here that `{word}` could belong to."),
                );
                self.diagnostics.push(diagnostic.at(span));
                None
            }
            _ => {
                let diagnostic = Diagnostic::error("Invalid template control keyword")
                    .detail("A directive begins with `if`, `else`, `endif`, `for` or `endfor`.")
                    .hint("write `%%{` for the text `%{`".to_owned());
                self.diagnostics.push(diagnostic.at(span));
                None
            }
        }
    }

    fn sequence_span(&self, sequence: Sequence) -> Span {
        self.origin.span(
            self.tokens[sequence.open].start,
            self.tokens[sequence.close].end,
        )
    }

    /// Directives that only end or divide take no expression.
    fn nothing_more(&mut self, inner: Range<usize>, word: &str) -> Option<()> {
        let extra = inner
            .map(|at| self.tokens[at])
            .find(|token| token.kind != TokenKind::Newline);
        let Some(token) = extra else { return Some(()) };
        self.report(
            Diagnostic::error(format!("Extra characters in {word} marker"))
                .detail(format!("Nothing may stand behind `{word}`.")),
            token,
        );
        None
    }

    fn if_directive(
        &mut self,
        sequence: Sequence,
        inner: Range<usize>,
        rest: &mut Rest,
    ) -> Option<TemplatePart> {
        let condition = self.whole(inner, Place::Directive);
        let (yes, ended) = self.parts(rest, Some(("if", sequence)))?;
        let no = match ended {
            Ended::Else(divider) => self.parts(rest, Some(("else", divider)))?.0,
            _ => Vec::new(),
        };
        Some(TemplatePart::If {
            condition: condition?,
            yes,
            no,
        })
    }

    fn for_directive(
        &mut self,
        sequence: Sequence,
        inner: Range<usize>,
        rest: &mut Rest,
    ) -> Option<TemplatePart> {
        let head = self.for_head(inner);
        let (body, _) = self.parts(rest, Some(("for", sequence)))?;
        let (key, value, collection) = head?;
        Some(TemplatePart::For {
            key,
            value,
            collection,
            body,
        })
    }

    /// `key, value in collection`.
    fn for_head(&mut self, inner: Range<usize>) -> Option<(Option<Ident>, Ident, Expr)> {
        let end = inner.end;
        let mut at = inner
            .filter(|at| self.tokens[*at].kind != TokenKind::Newline)
            .peekable();
        let mut names = Vec::new();
        let is_ident = |at: usize| self.tokens[at].kind == TokenKind::Ident;
        while let Some(name) = at.next_if(|at| is_ident(*at)) {
            names.push(self.tokens[name]);
            let is_comma = |at: &usize| self.tokens[*at].kind == TokenKind::Comma;
            if names.len() == 2 || at.next_if(is_comma).is_none() {
                break;
            }
        }
        let word = at.next().map(|at| (at, self.tokens[at].text(self.text)));
        let (Some((word_at, "in")), Some(last)) = (word, names.pop()) else {
            let token = self.tokens[word.map_or(end, |(at, _)| at)];
            self.report(
                Diagnostic::error("Invalid 'for' directive")
                    .detail("`for` is followed by one name, or by two separated by a comma, then `in` and a collection."),
                token,
            );
            return None;
        };
        let ident = |token: Token| Ident {
            name: token.text(self.text).to_owned(),
            span: self.origin.span(token.start, token.end),
        };
        let (key, value) = (names.pop().map(ident), ident(last));
        let collection = self.whole(word_at + 1..end, Place::Directive)?;
        Some((key, value, collection))
    }
}

/// The text of a template that is nothing but text.
fn as_text(parts: &[TemplatePart]) -> Option<String> {
    match parts {
        [] => Some(String::new()),
        [TemplatePart::Literal(text, _)] => Some(text.clone()),
        _ => None,
    }
}
