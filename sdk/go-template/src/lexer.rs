//! From template text to tokens.

use crate::data::Data;
use crate::error::TemplateError;
use crate::literal::{read_character, read_interpreted, read_number};

/// A token and where it starts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) offset: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TokenKind {
    /// Text between actions, already trimmed.
    Text(String),
    Open,
    Close,
    Space,
    Pipe,
    Comma,
    Declare,
    Assign,
    LeftParen,
    RightParen,
    Literal(Data),
    Nil,
    Dot,
    /// Without its dot.
    Field(String),
    /// With its dollar sign.
    Variable(String),
    Identifier(String),
    Keyword(Keyword),
}

impl TokenKind {
    /// In the words of error messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Text(_) => "text".to_owned(),
            Self::Open => "`{{`".to_owned(),
            Self::Close => "`}}`".to_owned(),
            Self::Space => "a space".to_owned(),
            Self::Pipe => "`|`".to_owned(),
            Self::Comma => "`,`".to_owned(),
            Self::Declare => "`:=`".to_owned(),
            Self::Assign => "`=`".to_owned(),
            Self::LeftParen => "`(`".to_owned(),
            Self::RightParen => "`)`".to_owned(),
            Self::Literal(_) => "a constant".to_owned(),
            Self::Nil => "`nil`".to_owned(),
            Self::Dot => "`.`".to_owned(),
            Self::Field(name) => format!("`.{name}`"),
            Self::Variable(name) | Self::Identifier(name) => format!("`{name}`"),
            Self::Keyword(keyword) => format!("{{{{{}}}}}", keyword.text()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Range,
    Template,
    With,
}

impl Keyword {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Break => "break",
            Self::Continue => "continue",
            Self::Define => "define",
            Self::Else => "else",
            Self::End => "end",
            Self::If => "if",
            Self::Range => "range",
            Self::Template => "template",
            Self::With => "with",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        const ALL: [Keyword; 10] = [
            Keyword::Block,
            Keyword::Break,
            Keyword::Continue,
            Keyword::Define,
            Keyword::Else,
            Keyword::End,
            Keyword::If,
            Keyword::Range,
            Keyword::Template,
            Keyword::With,
        ];
        ALL.into_iter().find(|keyword| keyword.text() == word)
    }
}

/// Words and signs a template may have; each takes some hundred bytes.
const MOST_TOKENS: usize = 200_000;

/// Splits `text` into tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, TemplateError> {
    let mut lexer = Lexer {
        text,
        at: 0,
        tokens: Vec::new(),
    };
    let mut trim_start = false;
    loop {
        if lexer.tokens.len() > MOST_TOKENS {
            let message = format!("more than {MOST_TOKENS} words and signs");
            return Err(TemplateError::new(lexer.at, message));
        }
        trim_start = match lexer.text_until_action(trim_start) {
            None => return Ok(lexer.tokens),
            Some(open) => lexer.action(open)?,
        };
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// What trim markers remove.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

fn is_word(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn push(&mut self, kind: TokenKind, offset: usize) {
        self.tokens.push(Token { kind, offset });
    }

    /// Takes the text before the next action; the offset of that action, if there is one.
    fn text_until_action(&mut self, trim_start: bool) -> Option<usize> {
        let start = self.at;
        let rest = self.rest();
        let found = rest.find("{{");
        let mut part = &rest[..found.unwrap_or(rest.len())];
        self.at += part.len();
        if let Some(length) = found {
            let after = &rest.as_bytes()[length + 2..];
            if after.first() == Some(&b'-') && after.get(1).copied().is_some_and(is_space) {
                part = part.trim_end_matches(BLANKS);
            }
        }
        if trim_start {
            part = part.trim_start_matches(BLANKS);
        }
        if !part.is_empty() {
            self.push(TokenKind::Text(part.to_owned()), start);
        }
        found.map(|_| self.at)
    }

    /// Takes one action; whether the text after it loses its leading blanks.
    fn action(&mut self, open: usize) -> Result<bool, TemplateError> {
        self.at += 2;
        let bytes = self.rest().as_bytes();
        if bytes.first() == Some(&b'-') && bytes.get(1).copied().is_some_and(is_space) {
            self.at += 2;
            // The blanks after a trim marker belong to it, so that a comment may follow them.
            if self.rest().trim_start_matches(BLANKS).starts_with("/*") {
                self.at += self.rest().len() - self.rest().trim_start_matches(BLANKS).len();
            }
        }
        if self.rest().starts_with("/*") {
            return self.comment(open);
        }
        self.push(TokenKind::Open, open);
        let mut depth = 0_usize;
        loop {
            if let Some((length, trims)) = self.close() {
                if depth > 0 {
                    return Err(TemplateError::new(self.at, "unclosed left parenthesis"));
                }
                self.push(TokenKind::Close, self.at);
                self.at += length;
                return Ok(trims);
            }
            self.token(open, &mut depth)?;
        }
    }

    /// The length of a closing delimiter that starts here, and whether it trims.
    fn close(&self) -> Option<(usize, bool)> {
        let rest = self.rest();
        if rest.starts_with("}}") {
            return Some((2, false));
        }
        let bytes = rest.as_bytes();
        let trims = bytes.first().copied().is_some_and(is_space) && rest[1..].starts_with("-}}");
        trims.then_some((4, true))
    }

    fn comment(&mut self, open: usize) -> Result<bool, TemplateError> {
        let end = self
            .rest()
            .find("*/")
            .ok_or_else(|| TemplateError::new(open, "unclosed comment"))?;
        self.at += end + 2;
        let (length, trims) = self.close().ok_or_else(|| {
            TemplateError::new(self.at, "comment ends before the closing delimiter `}}`")
        })?;
        self.at += length;
        Ok(trims)
    }

    fn token(&mut self, open: usize, depth: &mut usize) -> Result<(), TemplateError> {
        let start = self.at;
        let Some(letter) = self.rest().chars().next() else {
            return Err(TemplateError::new(
                open,
                "unclosed action: no `}}` follows this `{{`",
            ));
        };
        let second = self.rest().as_bytes().get(1).copied();
        let (kind, length) = match letter {
            ' ' | '\t' | '\r' | '\n' => {
                self.spaces(start);
                return Ok(());
            }
            '|' => (TokenKind::Pipe, 1),
            ',' => (TokenKind::Comma, 1),
            '=' => (TokenKind::Assign, 1),
            ':' if second == Some(b'=') => (TokenKind::Declare, 2),
            '(' => {
                *depth += 1;
                (TokenKind::LeftParen, 1)
            }
            ')' => {
                *depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| TemplateError::new(start, "unexpected right parenthesis"))?;
                (TokenKind::RightParen, 1)
            }
            '"' => {
                let (text, length) = read_interpreted(self.rest(), start)?;
                (TokenKind::Literal(Data::String(text)), length)
            }
            '`' => self.raw_string(start)?,
            '\'' => {
                let (code, length) = read_character(self.rest(), start)?;
                (TokenKind::Literal(Data::Int(code)), length)
            }
            '.' if !second.is_some_and(|byte| byte.is_ascii_digit()) => return self.field(start),
            '+' | '-' | '.' | '0'..='9' => {
                let (number, length) = read_number(self.rest(), start)?;
                (TokenKind::Literal(number), length)
            }
            '$' => {
                let name = self.word(1);
                let length = name.len() + 1;
                (TokenKind::Variable(format!("${name}")), length)
            }
            letter if is_word(letter) => return self.identifier(start),
            other => {
                let message = format!("unexpected character `{}` in action", other.escape_debug());
                return Err(TemplateError::new(start, message));
            }
        };
        self.push(kind, start);
        self.at += length;
        Ok(())
    }

    /// Takes blanks, but leaves the one that starts a trimming close.
    fn spaces(&mut self, start: usize) {
        while self
            .rest()
            .as_bytes()
            .first()
            .copied()
            .is_some_and(is_space)
            && (self.close().is_none())
        {
            self.at += 1;
        }
        if self.at > start {
            self.push(TokenKind::Space, start);
        }
    }

    fn raw_string(&self, start: usize) -> Result<(TokenKind, usize), TemplateError> {
        let inner = &self.rest()[1..];
        let end = inner
            .find('`')
            .ok_or_else(|| TemplateError::new(start, "unterminated back-quoted string"))?;
        Ok((TokenKind::Literal(Data::from(&inner[..end])), end + 2))
    }

    /// The letters and digits from `skip` bytes on.
    fn word(&self, skip: usize) -> &'a str {
        let rest = &self.rest()[skip..];
        &rest[..rest.find(|letter| !is_word(letter)).unwrap_or(rest.len())]
    }

    fn field(&mut self, start: usize) -> Result<(), TemplateError> {
        let name = self.word(1);
        self.at += 1 + name.len();
        let kind = if name.is_empty() {
            TokenKind::Dot
        } else {
            TokenKind::Field(name.to_owned())
        };
        self.push(kind, start);
        self.expect_end_of_word()
    }

    fn identifier(&mut self, start: usize) -> Result<(), TemplateError> {
        let word = self.word(0);
        self.at += word.len();
        let kind = match word {
            "true" => TokenKind::Literal(Data::Bool(true)),
            "false" => TokenKind::Literal(Data::Bool(false)),
            "nil" => TokenKind::Nil,
            _ => match Keyword::parse(word) {
                Some(keyword) => TokenKind::Keyword(keyword),
                None => TokenKind::Identifier(word.to_owned()),
            },
        };
        self.push(kind, start);
        self.expect_end_of_word()
    }

    /// Refuses what cannot follow a name, so that `a-b` is not read as two things.
    fn expect_end_of_word(&self) -> Result<(), TemplateError> {
        match self.rest().chars().next() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | '=' | '(' | ')') => {
                Ok(())
            }
            Some('}') if self.rest().starts_with("}}") => Ok(()),
            Some(other) => {
                let message = format!(
                    "unexpected character `{}` after a name",
                    other.escape_debug()
                );
                Err(TemplateError::new(self.at, message))
            }
        }
    }
}
