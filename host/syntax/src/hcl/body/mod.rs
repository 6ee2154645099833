//! Attributes, and how reading goes on behind errors.

mod block;

use std::collections::HashMap;

use host_diag::{Diagnostic, Diagnostics};

use super::expression::{ExpressionReader, Place, only_argument};
use super::outline::{self, Extent};
use crate::ast::{Attribute, Ident, NativeBody};
use crate::scanner::{Token, TokenKind};

/// Reads bodies, recovering behind errors.
pub(super) struct BodyReader<'t> {
    expressions: ExpressionReader<'t>,
    at: usize,
    /// Whether keys of YAML were found, and told of.
    is_yaml: bool,
}

/// How far an error reaches.
enum Failure {
    /// To the end of the item's last line: brackets match, so it is known where that is.
    Item,
    /// Nobody knows: brackets do not match. Reading goes on at the next block at the margin.
    Structure,
}

/// What follows an item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// A line break.
    Line,
    /// The closing brace of a block on one line.
    Brace,
}

impl<'t> BodyReader<'t> {
    pub(super) fn new(expressions: ExpressionReader<'t>) -> Self {
        Self {
            expressions,
            at: 0,
            is_yaml: false,
        }
    }

    pub(super) fn into_diagnostics(self) -> Diagnostics {
        self.expressions.diagnostics
    }

    /// Reads a whole file.
    pub(super) fn file(&mut self) -> NativeBody {
        let length = self.expressions.text.len();
        let mut body = self.empty_body(0, length);
        loop {
            let result = self.items(&mut body);
            match result {
                Ok(()) if self.kind() == TokenKind::End => return body,
                Ok(()) => {
                    self.stray_brace();
                    self.at += 1;
                }
                Err(_) => self.skip_to_margin(),
            }
        }
    }

    /// A closing brace outside of all blocks, unless it has been reported for what it follows.
    fn stray_brace(&mut self) {
        let brace = self.peek();
        let span = self.expressions.origin.span(brace.start, brace.end);
        let last = self.expressions.diagnostics.last();
        if last.and_then(|diagnostic| diagnostic.subject) != Some(span) {
            self.report(
                item_required()
                    .hint("remove this brace, or look for one too many before it".to_owned()),
                brace,
            );
        }
    }

    fn empty_body(&self, start: usize, end: usize) -> NativeBody {
        let span = self.expressions.origin.span(start, end);
        NativeBody {
            attributes: Vec::new(),
            blocks: Vec::new(),
            span,
        }
    }

    /// Reads items up to a closing brace or the end.
    fn items(&mut self, body: &mut NativeBody) -> Result<(), Failure> {
        let mut names: HashMap<String, usize> = body
            .attributes
            .iter()
            .enumerate()
            .map(|(at, attribute)| (attribute.name.name.clone(), at))
            .collect();
        loop {
            match self.kind() {
                TokenKind::Newline => self.at += 1,
                TokenKind::CloseBrace | TokenKind::End => return Ok(()),
                _ => match self.item(body, &mut names, Ending::Line) {
                    Ok(()) => {}
                    Err(Failure::Item) => self.skip_line()?,
                    Err(Failure::Structure) => return Err(Failure::Structure),
                },
            }
        }
    }

    fn item(
        &mut self,
        body: &mut NativeBody,
        names: &mut HashMap<String, usize>,
        ending: Ending,
    ) -> Result<(), Failure> {
        let name = self.peek();
        match name.kind {
            TokenKind::Ident => self.at += 1,
            TokenKind::Broken => return Err(Failure::Item),
            TokenKind::OpenQuote => return self.quoted_name(name),
            _ => {
                let sign = name.text(self.expressions.text);
                let hint = match name.kind {
                    TokenKind::OpenBrace if name.start == 0 => Some(
                        "a template in JSON is a file that ends in `.pkr.json`, or in `.json` for the legacy form"
                            .to_owned(),
                    ),
                    TokenKind::Minus => Some("a comment begins with `#` or `//`".to_owned()),
                    TokenKind::CloseBracket | TokenKind::CloseParen => {
                        Some(format!("remove this `{sign}`, or look for one too many before it"))
                    }
                    _ => None,
                };
                self.report(item_required().hint(hint), name);
                return Err(Failure::Item);
            }
        }
        let ident = self.ident(name);
        match self.kind() {
            TokenKind::Equal => {
                self.at += 1;
                let attribute = self.attribute(ident, ending)?;
                self.keep(attribute, body, names);
                Ok(())
            }
            TokenKind::OpenBrace | TokenKind::OpenQuote | TokenKind::Ident => {
                if ending == Ending::Brace {
                    self.report(
                        Diagnostic::error("Argument definition required").detail(
                            "A block on one line holds one argument; a block inside needs lines of its own.",
                        ),
                        name,
                    );
                    return Err(Failure::Item);
                }
                let block = self.block(ident, name)?;
                body.blocks.push(block);
                Ok(())
            }
            TokenKind::Broken => Err(Failure::Item),
            // A whole file of YAML is one mistake.
            TokenKind::Colon if self.is_yaml => Err(Failure::Item),
            other => {
                let sign = self.peek().text(self.expressions.text);
                self.is_yaml = other == TokenKind::Colon && self.is_line_end(self.at + 1);
                let hint = match other {
                    TokenKind::Colon if self.is_yaml => Some(
                        "a template in YAML is a file that ends in `.pkr.yaml`; here a block begins with `{`"
                            .to_owned(),
                    ),
                    TokenKind::Colon => Some("write `=` instead of `:`".to_owned()),
                    TokenKind::Operator if sign.starts_with('=') => {
                        Some(format!("write `=` instead of `{sign}`"))
                    }
                    TokenKind::Newline | TokenKind::End => Some(format!(
                        "to set an argument, write `{} = …`",
                        name.text(self.expressions.text)
                    )),
                    _ => None,
                };
                self.report(item_required().hint(hint), name);
                Err(Failure::Item)
            }
        }
    }

    fn is_line_end(&self, at: usize) -> bool {
        let token = self.expressions.tokens.get(at);
        token.is_none_or(|token| matches!(token.kind, TokenKind::Newline | TokenKind::End))
    }

    fn quoted_name(&mut self, quote: Token) -> Result<(), Failure> {
        let close = outline::template_end(self.expressions.tokens, self.at);
        let end = self.expressions.tokens[close].end;
        self.report(
            Diagnostic::error("Invalid argument name")
                .detail("The name of an argument or block is written without quotes."),
            Token { end, ..quote },
        );
        Err(Failure::Item)
    }

    fn attribute(&mut self, name: Ident, ending: Ending) -> Result<Attribute, Failure> {
        let start = self.at;
        let tokens = self.expressions.tokens;
        let (end, failure) = match outline::next_argument(self.expressions.text, tokens, start) {
            Some(end) => (end, Failure::Item),
            None => match outline::extent(tokens, start) {
                Extent::Sound(end) => (end, Failure::Item),
                Extent::Mismatch(end) => (end, Failure::Structure),
            },
        };
        let place = match ending {
            Ending::Line => Place::Attribute,
            Ending::Brace => Place::OnlyArgument,
        };
        let expr = self.expressions.whole(start..end, place);
        self.at = end;
        let expr = expr.ok_or(failure)?;
        let followed = match ending {
            Ending::Line => matches!(self.kind(), TokenKind::Newline | TokenKind::End),
            Ending::Brace => self.kind() == TokenKind::CloseBrace,
        };
        if !followed {
            let problem = match ending {
                Ending::Line if self.kind().is_closer() => {
                    let closer = self.peek().text(self.expressions.text);
                    missing_newline("argument").hint(format!(
                        "remove this `{closer}`, or look for one too many before it"
                    ))
                }
                Ending::Line => missing_newline("argument"),
                Ending::Brace => only_argument(),
            };
            self.report(problem, self.peek());
            return Err(Failure::Item);
        }
        let span = name.span.to(expr.span);
        Ok(Attribute { name, expr, span })
    }

    /// Adds an attribute unless its name is taken.
    fn keep(
        &mut self,
        attribute: Attribute,
        body: &mut NativeBody,
        names: &mut HashMap<String, usize>,
    ) {
        let name = &attribute.name.name;
        if let Some(first) = names.get(name) {
            let diagnostic = Diagnostic::error("Attribute redefined")
                .detail(format!(
                    "The argument `{name}` was already set. Each argument may be set only once."
                ))
                .related(body.attributes[*first].name.span, "first set here")
                .at(attribute.name.span);
            self.expressions.diagnostics.push(diagnostic);
            return;
        }
        names.insert(name.clone(), body.attributes.len());
        body.attributes.push(attribute);
    }

    fn ident(&self, token: Token) -> Ident {
        Ident {
            name: token.text(self.expressions.text).to_owned(),
            span: self.expressions.origin.span(token.start, token.end),
        }
    }

    fn peek(&self) -> Token {
        self.expressions.tokens[self.at]
    }

    fn kind(&self) -> TokenKind {
        self.peek().kind
    }

    fn report(&mut self, diagnostic: Diagnostic, token: Token) {
        self.expressions.report(diagnostic, token);
    }

    /// Goes behind the item's last line, and behind lines that cannot begin an item and so go on
    /// with it.
    fn skip_line(&mut self) -> Result<(), Failure> {
        loop {
            match outline::extent(self.expressions.tokens, self.at) {
                Extent::Sound(end) => self.at = end,
                Extent::Mismatch(_) => return Err(Failure::Structure),
            }
            match self.kind() {
                TokenKind::Newline if !self.next_line_goes_on() => return Ok(()),
                TokenKind::CloseBrace | TokenKind::End => return Ok(()),
                _ => self.at += 1,
            }
        }
    }

    fn next_line_goes_on(&self) -> bool {
        matches!(
            self.expressions
                .tokens
                .get(self.at + 1)
                .map(|token| token.kind),
            Some(
                TokenKind::OpenBrace
                    | TokenKind::OpenBracket
                    | TokenKind::CloseBracket
                    | TokenKind::OpenParen
                    | TokenKind::CloseParen
                    | TokenKind::Operator
                    | TokenKind::Minus
                    | TokenKind::Star
                    | TokenKind::Question
                    | TokenKind::Colon
                    | TokenKind::Comma
                    | TokenKind::Dot
            )
        )
    }

    /// Goes to the closing brace of a block on one line; `from` is the first token inside.
    fn skip_block(&mut self, from: usize) -> Result<(), Failure> {
        self.at = self.at.max(from);
        loop {
            match outline::extent(self.expressions.tokens, self.at) {
                Extent::Mismatch(_) => return Err(Failure::Structure),
                Extent::Sound(end) => self.at = end,
            }
            match self.kind() {
                TokenKind::CloseBrace | TokenKind::End => return Ok(()),
                _ => self.at += 1,
            }
        }
    }

    /// Goes to the next block header that stands at the margin.
    fn skip_to_margin(&mut self) {
        while self.kind() != TokenKind::End {
            self.at += 1;
            if outline::is_header_at_margin(self.expressions.text, self.expressions.tokens, self.at)
            {
                return;
            }
        }
    }
}

fn item_required() -> Diagnostic {
    Diagnostic::error("Argument or block definition required").detail(
        "An argument (`name = value`) or a block (`kind \"label\" { … }`) is expected here.",
    )
}

fn missing_newline(what: &str) -> Diagnostic {
    let article = if what == "argument" { "An" } else { "A" };
    Diagnostic::error(format!("Missing newline after {what}"))
        .detail(format!("{article} {what} must end with a newline."))
}
