//! Blocks: their headers, and what is between their braces.

use std::collections::HashMap;

use host_diag::Diagnostic;

use super::super::outline;
use super::{BodyReader, Ending, Failure, missing_newline};
use crate::ast::{Block, Body, Ident, NativeBody};
use crate::scanner::{Token, TokenKind};

impl BodyReader<'_> {
    pub(super) fn block(&mut self, kind: Ident, first: Token) -> Result<Block, Failure> {
        let mut labels = Vec::new();
        while !matches!(self.kind(), TokenKind::OpenBrace | TokenKind::Newline) {
            labels.push(self.label(&kind.name)?);
        }
        if self.kind() == TokenKind::Newline {
            self.brace_missing(&kind, &labels, first)?;
        }
        let (open, open_at) = (self.peek(), self.at);
        if open.kind == TokenKind::OpenBrace {
            self.at += 1;
        }
        let header = kind
            .span
            .to(labels.last().map_or(kind.span, |label: &Ident| label.span));
        let mut body = self.empty_body(open.end, open.end);
        let closed = self.block_body(&mut body);
        let close = self.peek();
        if closed.is_ok() && close.kind == TokenKind::End {
            self.unclosed(open_at);
            return Err(Failure::Structure);
        }
        closed?;
        self.at += 1;
        if !matches!(self.kind(), TokenKind::Newline | TokenKind::End) {
            self.report(missing_newline("block definition"), self.peek());
            return Err(Failure::Item);
        }
        let origin = self.expressions.origin;
        body.span = origin.span(open.end, close.start);
        let span = origin.span(first.start, close.end);
        Ok(Block {
            kind,
            labels,
            body: Body::Native(body),
            header,
            span,
        })
    }

    /// Behind a header stands a line break instead of a brace. Goes on where the body seems to begin,
    /// with the token that stands for the brace; fails when there seems to be none.
    fn brace_missing(
        &mut self,
        kind: &Ident,
        labels: &[Ident],
        first: Token,
    ) -> Result<(), Failure> {
        let place = self.peek();
        let tokens = self.expressions.tokens;
        let ahead = tokens[self.at..].iter();
        let breaks = ahead.take_while(|token| token.kind == TokenKind::Newline);
        let next_at = self.at + breaks.count();
        let next = tokens[next_at];
        let text = self.expressions.text;
        let problem = Diagnostic::error("Invalid block definition")
            .detail("A block's body begins with `{` on the same line as its header.");
        if next.kind == TokenKind::OpenBrace {
            self.report(
                problem.hint("move this brace up to the end of the header".to_owned()),
                next,
            );
            self.at = next_at;
            return Ok(());
        }
        let goes_on = outline::indent(text, next) > outline::indent(text, first);
        if goes_on && next.kind == TokenKind::Ident {
            self.report(problem.hint("write `{` here".to_owned()), place);
            return Ok(());
        }
        let hint = match labels {
            [value] => {
                let start = (value.span.start - kind.span.start) as usize + first.start;
                let value = text.get(start..place.start).unwrap_or_default();
                format!("to set an argument, write `{} = {value}`", kind.name)
            }
            _ => "write `{` here, and `}` behind what is in the block".to_owned(),
        };
        self.report(problem.hint(hint), place);
        Err(Failure::Item)
    }

    /// The text ends within the block whose brace is token `open`. Reading goes on at the next header
    /// at the margin, if there is one.
    fn unclosed(&mut self, open: usize) {
        let tokens = self.expressions.tokens;
        let broken = tokens[open..].iter().any(|token| {
            let text = &self.expressions.text[token.start..token.end];
            token.kind == TokenKind::Broken && text.contains('\n')
        });
        // What was swallowed with a string, heredoc or comment without end may hold the brace.
        if broken || self.expressions.text_ends_early {
            return;
        }
        let text = self.expressions.text;
        let suspect = outline::unclosed_brace(text, tokens, open);
        let (brace, next) = suspect.unwrap_or((open, tokens.len() - 1));
        let header = outline::first_of_line(text, tokens, brace);
        let mut problem = Diagnostic::error("Unclosed configuration block").detail(
            "There is no closing brace for this block before the end of the file. The brace may be missing here or in a block inside.",
        );
        if suspect.is_some() {
            problem = Diagnostic::error("Unclosed configuration block")
                .detail("This brace is not closed.")
                .related(
                    self.expressions
                        .origin
                        .span(tokens[next].start, tokens[next].end),
                    "by its indent, this is no longer within it: `}` is missing before",
                );
        }
        let place = Token {
            end: tokens[brace].end,
            ..header
        };
        self.report(problem, place);
        let mut at = open + 1;
        while tokens[at].kind != TokenKind::End {
            if outline::is_header_at_margin(text, tokens, at) {
                // The margin reader steps over the token it starts at.
                self.at = at - 1;
                return;
            }
            at += 1;
        }
    }

    /// Reads what is between the braces; the closing brace stays.
    fn block_body(&mut self, body: &mut NativeBody) -> Result<(), Failure> {
        match self.kind() {
            TokenKind::Newline | TokenKind::End | TokenKind::CloseBrace => self.items(body),
            _ => {
                let first = self.at;
                match self.item(body, &mut HashMap::new(), Ending::Brace) {
                    Err(Failure::Item) => self.skip_block(first),
                    result => result,
                }
            }
        }
    }

    fn label(&mut self, kind: &str) -> Result<Ident, Failure> {
        let token = self.peek();
        match token.kind {
            TokenKind::Ident => {
                self.at += 1;
                Ok(self.ident(token))
            }
            TokenKind::OpenQuote => {
                let close = outline::template_end(self.expressions.tokens, self.at);
                let inside = self.at + 1..close;
                self.at = close + 1;
                let end = self.expressions.tokens[close].end;
                let span = self.expressions.origin.span(token.start, end);
                self.expressions
                    .plain_string(inside, span)
                    .map(|name| Ident { name, span })
                    .ok_or(Failure::Item)
            }
            TokenKind::Broken => Err(Failure::Item),
            other => {
                let detail = if other == TokenKind::Equal {
                    format!(
                        "A name followed by `=` sets an argument; between `{kind}` and `=` nothing may stand."
                    )
                } else {
                    "A block's body begins with `{` on the same line as its header.".to_owned()
                };
                let hint = (other == TokenKind::Equal)
                    .then(|| "remove the `=` in front of a block's brace".to_owned());
                self.report(
                    Diagnostic::error("Invalid block definition")
                        .detail(detail)
                        .hint(hint),
                    token,
                );
                Err(Failure::Item)
            }
        }
    }
}
