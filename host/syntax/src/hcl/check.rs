//! Whether the tokens of an expression make sense in their order.
//!
//! One pass, no recursion. Besides the verdict it finds the items of objects and the line breaks
//! that matter, which masking needs.

use host_diag::Diagnostic;

use super::complaint::{Checked, Complaint, complain};
use super::pieces::{Enclosure, Findings, ForPart, ItemOutline, ObjectOutline, Piece};
use crate::scanner::{Token, TokenKind};

struct Level {
    enclosure: Enclosure,
    open: usize,
    questions: usize,
    items: Vec<ItemOutline>,
    item_start: usize,
}

/// Walks the pieces of one expression; the complaint names the first thing that makes no sense.
pub(super) fn check(text: &str, tokens: &[Token], pieces: &[Piece]) -> Checked<Findings> {
    let mut checker = Checker {
        text,
        tokens,
        pieces,
        at: 0,
        levels: vec![Level::new(Enclosure::Root, 0)],
        findings: Findings::default(),
    };
    let mut operand = true;
    loop {
        checker.skip_line_breaks(operand);
        if checker.at >= pieces.len() {
            return checker.finish(operand);
        }
        operand = if operand {
            checker.operand()?
        } else {
            checker.operator()?
        };
    }
}

struct Checker<'t> {
    text: &'t str,
    tokens: &'t [Token],
    pieces: &'t [Piece],
    at: usize,
    levels: Vec<Level>,
    findings: Findings,
}

impl Level {
    fn new(enclosure: Enclosure, open: usize) -> Self {
        Self {
            enclosure,
            open,
            questions: 0,
            items: Vec::new(),
            item_start: open + 1,
        }
    }
}

impl Checker<'_> {
    fn kind(&self, ahead: usize) -> Option<TokenKind> {
        self.pieces.get(self.at + ahead).map(|piece| piece.kind)
    }

    fn level(&mut self) -> &mut Level {
        self.levels
            .last_mut()
            .expect("the first level is left only at the end")
    }

    fn enclosure(&self) -> Enclosure {
        self.levels
            .last()
            .map_or(Enclosure::Root, |level| level.enclosure)
    }

    fn word(&self) -> Option<&str> {
        let piece = self.pieces.get(self.at)?;
        let is_word = piece.kind == TokenKind::Ident;
        is_word.then(|| self.tokens[piece.first].text(self.text))
    }

    fn complaint<T>(&self, diagnostic: Diagnostic) -> Checked<T> {
        let open = self
            .levels
            .get(1)
            .and(self.levels.last())
            .map(|level| level.open);
        Err(Box::new(Complaint {
            diagnostic,
            piece: self.at,
            open,
        }))
    }

    fn unexpected<T>(&self, operand: bool) -> Checked<T> {
        let questions = self.levels.last().map_or(0, |level| level.questions);
        let found = self.kind(0);
        self.complaint(complain(self.enclosure(), found, questions > 0, operand))
    }

    /// Line breaks mean something only between the items of an object.
    fn skip_line_breaks(&mut self, operand: bool) {
        let at_item_start = operand && self.may_close();
        let matters = match self.enclosure() {
            Enclosure::ObjectKey => !at_item_start,
            Enclosure::ObjectValue => true,
            _ => false,
        };
        while !matters && self.kind(0) == Some(TokenKind::Newline) {
            self.at += 1;
        }
        if self.enclosure() == Enclosure::ObjectKey && at_item_start {
            self.level().item_start = self.at;
        }
    }

    fn finish(self, operand: bool) -> Checked<Findings> {
        if operand || self.levels.len() > 1 || self.levels[0].questions > 0 {
            return self.unexpected(operand);
        }
        Ok(self.findings)
    }

    /// Expects the start of a value. Tells whether another one must follow.
    fn operand(&mut self) -> Checked<bool> {
        match self.kind(0) {
            Some(TokenKind::Ident | TokenKind::Number) => self.at += 1,
            Some(TokenKind::OpenQuote | TokenKind::OpenHeredoc) => self.at += 1,
            Some(TokenKind::Minus | TokenKind::Bang) => {
                self.at += 1;
                return Ok(true);
            }
            Some(TokenKind::OpenParen) => return Ok(self.open(Enclosure::Parens)),
            Some(TokenKind::OpenBracket) => return self.open_collection(Enclosure::Tuple),
            Some(TokenKind::OpenBrace) => return self.open_collection(Enclosure::ObjectKey),
            Some(TokenKind::CloseBracket | TokenKind::CloseParen | TokenKind::CloseBrace)
                if self.may_close() =>
            {
                return self.close();
            }
            _ => return self.unexpected(true),
        }
        Ok(false)
    }

    /// Whether nothing has come since the bracket opened or the last separator.
    fn may_close(&self) -> bool {
        let previous = self.at.checked_sub(1).map(|at| self.pieces[at].kind);
        match self.enclosure() {
            Enclosure::Tuple | Enclosure::Call => matches!(
                self.last_but_line_breaks(),
                Some(TokenKind::Comma | TokenKind::OpenBracket | TokenKind::OpenParen)
            ),
            Enclosure::ObjectKey => matches!(
                previous,
                Some(TokenKind::Comma | TokenKind::OpenBrace | TokenKind::Newline)
            ),
            _ => false,
        }
    }

    fn last_but_line_breaks(&self) -> Option<TokenKind> {
        let before = &self.pieces[..self.at];
        before
            .iter()
            .rev()
            .map(|piece| piece.kind)
            .find(|kind| *kind != TokenKind::Newline)
    }

    fn open(&mut self, enclosure: Enclosure) -> bool {
        self.levels.push(Level::new(enclosure, self.at));
        self.at += 1;
        true
    }

    fn open_collection(&mut self, enclosure: Enclosure) -> Checked<bool> {
        self.open(enclosure);
        let first = self.at;
        while self.kind(0) == Some(TokenKind::Newline) {
            self.at += 1;
        }
        if self.word() != Some("for") {
            self.at = first;
            return Ok(true);
        }
        self.level().enclosure = match enclosure {
            Enclosure::Tuple => Enclosure::ForTuple(ForPart::Collection),
            _ => Enclosure::ForObject(ForPart::Collection),
        };
        self.at += 1;
        self.for_names()?;
        Ok(true)
    }

    /// Behind `for`: one or two names and `in`.
    fn for_names(&mut self) -> Checked<()> {
        for last in [false, true] {
            self.skip_line_breaks(false);
            if self.kind(0) != Some(TokenKind::Ident) {
                return self.complaint(for_problem(
                    "`for` is followed by one name, or by two separated by a comma.",
                ));
            }
            self.at += 1;
            self.skip_line_breaks(false);
            if last || self.kind(0) != Some(TokenKind::Comma) {
                break;
            }
            self.at += 1;
        }
        if self.word() != Some("in") {
            return self.complaint(for_problem(
                "The names behind `for` are followed by `in` and a collection.",
            ));
        }
        self.at += 1;
        Ok(())
    }

    /// Expects what may stand behind a value. Tells whether a value must follow.
    fn operator(&mut self) -> Checked<bool> {
        let Some(kind) = self.kind(0) else {
            return self.unexpected(false);
        };
        match kind {
            TokenKind::Operator | TokenKind::Minus | TokenKind::Star => {
                self.at += 1;
                Ok(true)
            }
            TokenKind::Question => {
                self.level().questions += 1;
                self.at += 1;
                Ok(true)
            }
            TokenKind::Dot => self.attribute_step(),
            TokenKind::OpenBracket => self.index_step(),
            TokenKind::OpenParen if self.is_behind_function_name() => {
                Ok(self.open(Enclosure::Call))
            }
            TokenKind::DoubleColon if self.kind(1) == Some(TokenKind::Ident) => {
                self.at += 2;
                Ok(false)
            }
            TokenKind::Colon if self.levels.last().is_some_and(|level| level.questions > 0) => {
                self.level().questions -= 1;
                self.at += 1;
                Ok(true)
            }
            _ if self.levels.last().is_some_and(|level| level.questions > 0) => {
                self.unexpected(false)
            }
            TokenKind::CloseBracket | TokenKind::CloseParen | TokenKind::CloseBrace => self.close(),
            _ => self.separator(kind),
        }
    }

    fn is_behind_function_name(&self) -> bool {
        let mut before = self.pieces[..self.at].iter().rev().map(|piece| piece.kind);
        let name = before.find(|kind| *kind != TokenKind::Newline);
        name == Some(TokenKind::Ident) && before.next() != Some(TokenKind::Dot)
    }

    fn attribute_step(&mut self) -> Checked<bool> {
        self.at += 1;
        self.skip_line_breaks(false);
        match self.kind(0) {
            Some(TokenKind::Ident | TokenKind::Star) => self.at += 1,
            Some(TokenKind::Number) if self.is_index_number() => self.at += 1,
            Some(TokenKind::Number) => {
                return self.complaint(
                    Diagnostic::error("Invalid legacy index syntax")
                        .detail("Behind a dot there is room for one index only.")
                        .hint("write the indexes in brackets: `list[0][1]`".to_owned()),
                );
            }
            _ => {
                return self.complaint(
                    Diagnostic::error("Invalid attribute name")
                        .detail("A name must follow the dot."),
                );
            }
        }
        Ok(false)
    }

    /// Whether the number here is an index: digits only.
    fn is_index_number(&self) -> bool {
        let text = self.tokens[self.pieces[self.at].first].text(self.text);
        text.bytes().all(|byte| byte.is_ascii_digit())
    }

    fn index_step(&mut self) -> Checked<bool> {
        if self.kind(1) != Some(TokenKind::Star) {
            return Ok(self.open(Enclosure::Index));
        }
        self.at += 2;
        if self.kind(0) != Some(TokenKind::CloseBracket) {
            return self.complaint(
                Diagnostic::error("Missing close bracket on splat index")
                    .detail("The star of a splat (`[*]`) is followed by a closing bracket."),
            );
        }
        self.at += 1;
        Ok(false)
    }

    fn close(&mut self) -> Checked<bool> {
        let wanted = match self.enclosure() {
            Enclosure::Parens | Enclosure::Call => TokenKind::CloseParen,
            Enclosure::Index | Enclosure::Tuple => TokenKind::CloseBracket,
            Enclosure::ForTuple(part) if part > ForPart::Collection => TokenKind::CloseBracket,
            Enclosure::ForObject(part) if part > ForPart::Result => TokenKind::CloseBrace,
            Enclosure::ObjectValue => TokenKind::CloseBrace,
            Enclosure::ObjectKey if self.may_close() => TokenKind::CloseBrace,
            _ => return self.unexpected(false),
        };
        if self.kind(0) != Some(wanted) {
            return self.unexpected(false);
        }
        self.end_item();
        let level = self.levels.pop().expect("a closing bracket closes a level");
        if matches!(
            level.enclosure,
            Enclosure::ObjectKey | Enclosure::ObjectValue
        ) {
            self.findings.objects.push(ObjectOutline {
                open: level.open,
                items: level.items,
            });
        }
        self.at += 1;
        Ok(false)
    }

    fn end_item(&mut self) {
        let at = self.at;
        if self.enclosure() == Enclosure::ObjectValue
            && let Some(item) = self.level().items.last_mut()
        {
            item.value.end = at;
        }
    }

    fn separator(&mut self, kind: TokenKind) -> Checked<bool> {
        use Enclosure::{Call, ForObject, ForTuple, ObjectKey, ObjectValue, Tuple};
        let next = match (self.enclosure(), kind) {
            (Tuple | Call, TokenKind::Comma) => self.enclosure(),
            (Call, TokenKind::Ellipsis) => return self.expanded_argument(),
            (ObjectKey, TokenKind::Equal | TokenKind::Colon) => {
                let at = self.at;
                let level = self.level();
                level.items.push(ItemOutline {
                    key: level.item_start..at,
                    value: at + 1..at + 1,
                });
                ObjectValue
            }
            (ObjectValue, TokenKind::Comma | TokenKind::Newline) => {
                self.end_item();
                if kind == TokenKind::Newline {
                    self.findings.line_breaks.push(self.at);
                }
                ObjectKey
            }
            (ForTuple(ForPart::Collection), TokenKind::Colon) => ForTuple(ForPart::Result),
            (ForObject(ForPart::Collection), TokenKind::Colon) => ForObject(ForPart::Result),
            (ForObject(ForPart::Result), TokenKind::FatArrow) => ForObject(ForPart::Value),
            (ForObject(ForPart::Value), TokenKind::Ellipsis) => {
                self.at += 1;
                self.level().enclosure = ForObject(ForPart::Grouped);
                return Ok(false);
            }
            (ForTuple(ForPart::Result), TokenKind::Ident) if self.word() == Some("if") => {
                ForTuple(ForPart::Condition)
            }
            (ForObject(ForPart::Value | ForPart::Grouped), TokenKind::Ident)
                if self.word() == Some("if") =>
            {
                ForObject(ForPart::Condition)
            }
            _ => return self.unexpected(false),
        };
        self.level().enclosure = next;
        self.at += 1;
        Ok(true)
    }

    /// Behind `...` in a call only the closing parenthesis may come.
    fn expanded_argument(&mut self) -> Checked<bool> {
        self.at += 1;
        self.skip_line_breaks(false);
        if self.kind(0) != Some(TokenKind::CloseParen) {
            return self.complaint(
                Diagnostic::error("Missing closing parenthesis")
                    .detail("An expanded argument (`...`) is the last one of a call."),
            );
        }
        self.close()
    }
}

fn for_problem(detail: &str) -> Diagnostic {
    Diagnostic::error("Invalid 'for' expression").detail(detail)
}
