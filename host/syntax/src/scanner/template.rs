//! Text of templates: between quotes, in heredocs, and bare.

use super::{Mode, Scanner, TokenKind};

impl<'t> Scanner<'t> {
    /// Takes what is between quotes up to the next sequence, the closing quote or the line's end.
    pub(super) fn quoted(&mut self, opened_by: usize) {
        let rest = self.rest().as_bytes();
        let mut length = 0;
        while let Some(&byte) = rest.get(length) {
            match byte {
                b'"' | b'\n' | b'\r' => break,
                b'\\' if matches!(rest.get(length + 1), Some(b'\n' | b'\r')) => length += 1,
                b'\\' => length += 2,
                b'$' | b'%' => match sequence(&rest[length..]) {
                    Sequence::Open => break,
                    Sequence::Escaped => length += 3,
                    Sequence::None => length += 1,
                },
                _ => length += 1,
            }
        }
        // A backslash may have skipped the first byte of a longer character or the last byte.
        let mut length = length.min(rest.len());
        while !self.text.is_char_boundary(self.at + length) {
            length += 1;
        }
        if length > 0 {
            self.take(TokenKind::QuotedText, length);
        }
        match self.rest().as_bytes().first() {
            Some(b'"') => {
                self.take(TokenKind::CloseQuote, 1);
                self.leave();
            }
            Some(b'\n' | b'\r') => self.line_break_in_quotes(opened_by),
            Some(_) => self.open_sequence(),
            None => {}
        }
    }

    /// Takes the closing line of a heredoc, or text up to the next sequence or line break.
    pub(super) fn heredoc(&mut self, marker: &'t str, line_start: bool) {
        if line_start && self.close_heredoc(marker) {
            return;
        }
        let before = self.modes.len();
        self.template_text(TokenKind::HeredocText);
        let at_line_start = self.modes.len() == before;
        if let Some(Mode::Heredoc { line_start, .. }) = self.modes.get_mut(before - 1) {
            *line_start = at_line_start;
        }
    }

    /// Ends the heredoc when this line holds its closing word alone.
    fn close_heredoc(&mut self, marker: &str) -> bool {
        let rest = self.rest();
        let Some(end) = rest.find('\n') else {
            return false;
        };
        let line = &rest[..end];
        if line.trim() != marker {
            return false;
        }
        self.take(
            TokenKind::CloseHeredoc,
            line.strip_suffix('\r').unwrap_or(line).len(),
        );
        self.leave();
        true
    }

    /// Takes text up to the next sequence, which it opens, or to the end of the line.
    pub(super) fn template_text(&mut self, kind: TokenKind) {
        let bytes = self.rest().as_bytes();
        let mut length = 0;
        let mut open = false;
        while let Some(&byte) = bytes.get(length) {
            match byte {
                b'$' | b'%' => match sequence(&bytes[length..]) {
                    Sequence::Open => {
                        open = true;
                        break;
                    }
                    Sequence::Escaped => length += 3,
                    Sequence::None => length += 1,
                },
                b'\n' => {
                    length += 1;
                    break;
                }
                _ => length += 1,
            }
        }
        if length > 0 {
            self.take(kind, length);
        }
        if open {
            self.open_sequence();
        }
    }

    /// Begins the `${` or `%{` that stands here.
    fn open_sequence(&mut self) {
        let rest = self.rest();
        let kind = match rest.as_bytes()[0] {
            b'$' => TokenKind::OpenInterpolation,
            _ => TokenKind::OpenDirective,
        };
        let length = if rest[2..].starts_with('~') { 3 } else { 2 };
        self.enter(Mode::Plain {
            braces: 0,
            opened_by: self.tokens.len(),
        });
        self.take(kind, length);
    }
}

enum Sequence {
    Open,
    Escaped,
    None,
}

/// What a text that starts with `$` or `%` begins.
fn sequence(bytes: &[u8]) -> Sequence {
    match bytes {
        [_, b'{', ..] => Sequence::Open,
        [first, second, b'{', ..] if first == second => Sequence::Escaped,
        _ => Sequence::None,
    }
}
