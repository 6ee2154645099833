//! Where an expression of several lines ends.

use host_syntax::{Token, TokenKind, tokens};

use super::session::Language;

/// Most bytes that open brackets hold together. Every further line is looked at together with those
/// before, so there must be an end.
const LARGEST: usize = 32 * 1024;
/// Brackets that may be open; the parser refuses more.
const DEEPEST: usize = 90;

/// Lines that wait for the end of the expression they are part of.
#[derive(Debug)]
pub(super) struct Statements {
    language: Language,
    pending: Vec<String>,
}

impl Statements {
    pub(super) fn new(language: Language) -> Self {
        Self {
            language,
            pending: Vec::new(),
        }
    }

    /// Takes a line; the expression that it completes.
    pub(super) fn add(&mut self, line: &str) -> Option<String> {
        self.pending.push(line.to_owned());
        let text = self.pending.join("\n");
        if self.language == Language::Expressions && is_open(&text) {
            return None;
        }
        self.pending.clear();
        Some(text)
    }

    /// The lines that wait in vain.
    pub(super) fn rest(self) -> Vec<String> {
        self.pending
    }
}

/// Whether a bracket or heredoc of the expression is not closed yet.
pub(super) fn is_open(text: &str) -> bool {
    if text.len() > LARGEST {
        return false;
    }
    // The closing word of a heredoc has a line of its own.
    let text = format!("{text}\n");
    let mut open: Vec<TokenKind> = Vec::new();
    for token in tokens(&text) {
        if token.kind == TokenKind::Broken {
            return is_heredoc(token, &text);
        }
        if let Some(closer) = token.kind.closer() {
            open.push(closer);
        } else if token.kind.is_closer() && open.pop() != Some(token.kind) {
            return false;
        }
    }
    !open.is_empty() && open.len() <= DEEPEST
}

/// Whether a broken piece of text is a heredoc that lacks its end.
fn is_heredoc(token: Token, text: &str) -> bool {
    let Some(head) = token.text(text).strip_prefix("<<") else {
        return false;
    };
    let head = head.strip_prefix('-').unwrap_or(head);
    let word = head.lines().next().unwrap_or_default().trim_end();
    !word.is_empty()
        && !text[token.start..]
            .lines()
            .skip(1)
            .any(|line| line.trim() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: bool) {
        assert_eq!(is_open(text), expected, "{text}");
    }

    #[test]
    fn brackets_and_heredocs_go_on_in_the_next_line() {
        check("upper(", true);
        check("upper(\n\"a\"", true);
        check("upper(\n\"a\"\n)", false);
        check("{ a = [1,", true);
        check("<<EOT", true);
        check("<<EOT\ntext (\n", true);
        check("<<EOT\ntext (\nEOT", false);
        check("<<-EOT\n  text\n  EOT", false);
    }

    #[test]
    fn mistakes_do_not() {
        check("", false);
        check("upper)", false);
        check("[1, 2)", false);
        check("\"not closed", false);
        check("<<", false);
        check(&"(".repeat(200), false);
        check(&format!("({}", "x".repeat(LARGEST)), false);
    }

    #[test]
    fn lines_are_joined_until_all_is_closed() {
        let mut statements = Statements::new(Language::Expressions);
        assert_eq!(statements.add("1").as_deref(), Some("1"));
        assert_eq!(statements.add("["), None);
        assert_eq!(statements.add("2]").as_deref(), Some("[\n2]"));
        assert_eq!(statements.add("("), None);
        assert_eq!(statements.rest(), ["("]);
    }

    #[test]
    fn template_text_has_one_line() {
        let mut statements = Statements::new(Language::TemplateText);
        assert_eq!(statements.add("(").as_deref(), Some("("));
    }
}
