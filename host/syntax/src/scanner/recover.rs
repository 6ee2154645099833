//! Going on behind strings and templates that do not end.

use host_diag::Diagnostic;

use super::{Mode, Scanner, Token, TokenKind};

/// Times the scanner starts again behind an open template before it gives up.
const MOST_RESTARTS: usize = 20;

impl Scanner<'_> {
    /// A line ends within quotes: what was opened on the way to here cannot be trusted.
    pub(super) fn line_break_in_quotes(&mut self, opened_by: usize) {
        let quote = self.tokens[opened_by].start;
        let outer = self.outermost(|mode| matches!(mode, Mode::Quoted { .. }));
        if !self.is_behind_broken_line(quote) {
            let interpolation = self.modes.get(outer + 1).and_then(opener);
            match interpolation.map(|at| self.tokens[at]) {
                // The quote at hand is most likely the one that should close the outer text.
                Some(opened) if quote > opened.start => self.report(
                    Diagnostic::error("Unclosed template interpolation")
                        .detail("This sequence has no closing `}` before the end of the line.")
                        .hint(
                            "write `}` behind the expression, before the closing quote".to_owned(),
                        ),
                    opened.start,
                    opened.end,
                ),
                _ => self.report_multi_line(quote),
            }
        }
        self.broken_line_end = Some(self.at);
        let end = self.at;
        self.break_off(outer, end);
    }

    fn report_multi_line(&mut self, quote: usize) {
        let problem = Diagnostic::error("Invalid multi-line string");
        let problem = match self.text[quote..self.at].contains('\n') {
            false => problem
                .detail("A quoted string ends on the line it begins on; this one has no closing quote before the end of the line.")
                .hint("write `\"` at the end of the text; a line break in it is `\\n`, and text of many lines is a heredoc (`<<EOT`)".to_owned()),
            true => problem
                .detail("A `${…}` in this string goes on behind the end of the line, and the string does not end where it is closed.")
                .hint("write the missing `}` and the closing quote on the first line".to_owned()),
        };
        self.report(problem, quote, self.at);
    }

    /// Whether the line before the one that byte `at` is on broke too: then the quote here is most
    /// likely the missing one, and has been told of.
    fn is_behind_broken_line(&self, at: usize) -> bool {
        let Some(end) = self.broken_line_end else {
            return false;
        };
        self.text
            .get(end..at)
            .is_some_and(|between| between.matches('\n').count() == 1)
    }

    /// The text ends within a string or template.
    pub(super) fn end_of_text(&mut self) {
        let outer = self
            .modes
            .iter()
            .position(|mode| opener(mode).is_some_and(|_| is_text(mode)));
        let innermost = self.modes.last().and_then(opener).map(|at| self.tokens[at]);
        if let Some(token) = innermost {
            self.unterminated(token);
        }
        self.restarts += 1;
        if self.restarts > MOST_RESTARTS {
            self.gave_up = true;
            return;
        }
        match outer {
            Some(outer) => {
                let end = self.end_of_broken(outer);
                self.break_off(outer, end);
            }
            // A bare template: nothing behind the open sequence can be read.
            None => self.break_off(1, self.text.len()),
        }
    }

    fn unterminated(&mut self, token: Token) {
        let diagnostic = match token.kind {
            TokenKind::OpenHeredoc => Diagnostic::error("Unterminated template string")
                .detail("This heredoc does not end: no later line holds its closing word alone, followed by a line break."),
            TokenKind::OpenQuote => Diagnostic::error("Unterminated template string")
                .detail("This string has no closing quote."),
            TokenKind::OpenDirective => Diagnostic::error("Unclosed template directive")
                .detail("This directive has no closing `}`."),
            _ => Diagnostic::error("Unclosed template interpolation")
                .detail("This interpolation has no closing `}`."),
        };
        let line = token.text(self.text).trim_end_matches(['\r', '\n']).len();
        self.report(diagnostic, token.start, token.start + line);
    }

    /// Where to go on behind the string or heredoc that mode number `outer` is.
    fn end_of_broken(&self, outer: usize) -> usize {
        let start = opener(&self.modes[outer]).map_or(0, |token| self.tokens[token].start);
        let mut lines = self.text[start..].split_inclusive('\n');
        let first = lines.next().unwrap_or_default();
        let end = start + first.trim_end_matches(['\r', '\n']).len();
        let Mode::Heredoc { marker, .. } = self.modes[outer] else {
            return end;
        };
        let mut at = start + first.len();
        for line in lines {
            at += line.len();
            if line.trim() == marker {
                return at - (line.len() - line.trim_end_matches(['\r', '\n']).len());
            }
        }
        self.text.len()
    }

    /// The first open string or template above which nothing but code is open.
    fn outermost(&self, wanted: impl Fn(&Mode) -> bool) -> usize {
        let mut found = self.modes.len() - 1;
        for at in (1..self.modes.len()).rev() {
            match &self.modes[at] {
                mode if wanted(mode) => found = at,
                Mode::Heredoc { .. } | Mode::Bare => break,
                _ => {}
            }
        }
        found
    }

    /// Turns everything since mode number `outer` began into one broken token that ends at `end`.
    fn break_off(&mut self, outer: usize, end: usize) {
        let first = self.modes.get(outer).and_then(opener).unwrap_or(0);
        let start = self.tokens.get(first).map_or(end, |token| token.start);
        self.tokens.truncate(first);
        self.leave_to(outer);
        self.push(TokenKind::Broken, start, end);
        self.at = end;
    }
}

fn is_text(mode: &Mode) -> bool {
    matches!(mode, Mode::Quoted { .. } | Mode::Heredoc { .. })
}

/// The token that began a mode; `None` for what the text itself is.
fn opener(mode: &Mode) -> Option<usize> {
    match *mode {
        Mode::Quoted { opened_by } | Mode::Heredoc { opened_by, .. } => Some(opened_by),
        Mode::Plain { opened_by, .. } => Some(opened_by),
        Mode::Bare => None,
    }
}
