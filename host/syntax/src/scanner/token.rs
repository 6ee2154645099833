//! What a token is.

/// A piece of text with a meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// First byte.
    pub start: usize,
    /// Byte after the last one.
    pub end: usize,
}

impl Token {
    /// The token's bytes.
    #[must_use]
    pub fn text(self, text: &str) -> &str {
        &text[self.start..self.end]
    }
}

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A word, with `-` inside allowed.
    Ident,
    /// Digits, with fraction and exponent.
    Number,
    /// `\n` or `\r\n`, outside templates.
    Newline,
    /// `# …` and `// …` without the line break, and `/* … */`.
    Comment,
    /// `{`.
    OpenBrace,
    /// `}`.
    CloseBrace,
    /// `[`.
    OpenBracket,
    /// `]`.
    CloseBracket,
    /// `(`.
    OpenParen,
    /// `)`.
    CloseParen,
    /// `=`.
    Equal,
    /// Any operator between two operands: `+`, `==`, `&&`, … but not `-` and `*`.
    Operator,
    /// `-`, before one operand or between two.
    Minus,
    /// `*`, an operator or a splat.
    Star,
    /// `!`.
    Bang,
    /// `?`.
    Question,
    /// `:`.
    Colon,
    /// `::`.
    DoubleColon,
    /// `,`.
    Comma,
    /// `.`.
    Dot,
    /// `...`.
    Ellipsis,
    /// `=>`.
    FatArrow,
    /// The quote that opens a string.
    OpenQuote,
    /// The quote that closes a string.
    CloseQuote,
    /// Text between quotes, escapes unresolved.
    QuotedText,
    /// `<<WORD` or `<<-WORD` with its line break.
    OpenHeredoc,
    /// The line with the closing word, without its line break.
    CloseHeredoc,
    /// A line of a heredoc or a part of one, line break included.
    HeredocText,
    /// A line or a part of one, of a template that is neither quoted nor a heredoc.
    TemplateText,
    /// `${` or `${~`.
    OpenInterpolation,
    /// `%{` or `%{~`.
    OpenDirective,
    /// `}` or `~}` behind either.
    CloseTemplate,
    /// Text that the scanner has reported already.
    Broken,
    /// Behind the last byte.
    End,
}

impl TokenKind {
    /// Whether a matching token must follow.
    #[must_use]
    pub fn closer(self) -> Option<TokenKind> {
        Some(match self {
            Self::OpenBrace => Self::CloseBrace,
            Self::OpenBracket => Self::CloseBracket,
            Self::OpenParen => Self::CloseParen,
            Self::OpenQuote => Self::CloseQuote,
            Self::OpenHeredoc => Self::CloseHeredoc,
            Self::OpenInterpolation | Self::OpenDirective => Self::CloseTemplate,
            _ => return None,
        })
    }

    /// Whether a matching token must have come before.
    #[must_use]
    pub fn is_closer(self) -> bool {
        matches!(
            self,
            Self::CloseBrace
                | Self::CloseBracket
                | Self::CloseParen
                | Self::CloseQuote
                | Self::CloseHeredoc
                | Self::CloseTemplate
        )
    }
}
