//! A problem, as data.

use crate::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// What was asked for cannot be done.
    Error,
    /// It can, but something deserves a look.
    Warning,
}

/// A place and what it has to do with the problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there; may be empty.
    pub text: String,
}

/// An expression and what it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The expression as it stands: `var.size`.
    pub expression: String,
    /// Its value in a few words; never a sensitive one.
    pub value: String,
}

/// A problem: what, where, and a way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// One line, no final period. Packer's own summaries where it has one.
    pub summary: String,
    /// Whole sentences, values in backticks; may be empty.
    pub detail: String,
    /// The place it is about; `None` for problems outside any file.
    pub subject: Option<Span>,
    /// The block it is in, as its header reads: `source "qemu" "debian"`.
    pub context: Option<String>,
    /// Other places that matter.
    pub related: Vec<Label>,
    /// What expressions in it come to.
    pub values: Vec<Shown>,
    /// Things to try, each one sentence.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// An error.
    #[must_use]
    pub fn error(summary: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: String::new(),
            subject: None,
            context: None,
            related: Vec::new(),
            values: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// A warning.
    #[must_use]
    pub fn warning(summary: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(summary)
        }
    }

    /// With whole sentences.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// At a place.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.subject = Some(span);
        self
    }

    /// In a block, named as its header reads.
    #[must_use]
    pub fn context(mut self, header: impl Into<String>) -> Self {
        self.context = Some(header.into());
        self
    }

    /// With another place that matters.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// With what expressions in it come to.
    #[must_use]
    pub fn values(mut self, values: &[Shown]) -> Self {
        self.values.extend_from_slice(values);
        self
    }

    /// The values as a sentence: ``Here `var.size` is "big".``; empty when there are none.
    #[must_use]
    pub fn values_text(&self) -> String {
        let pieces = self.values.iter();
        let pieces = pieces.map(|shown| format!("`{}` is {}", shown.expression, shown.value));
        match pieces.collect::<Vec<_>>().join(" and ") {
            pieces if pieces.is_empty() => pieces,
            pieces => format!("Here {pieces}."),
        }
    }

    /// With something to try; nothing is added for `None`.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hints.extend(hint.into());
        self
    }

    /// Whether it says what `other` says of the same place. The block does not count: a block that
    /// stands for several has one mistake in it, not several.
    #[must_use]
    pub fn repeats(&self, other: &Self) -> bool {
        let same = self.subject == other.subject
            && self.severity == other.severity
            && self.summary == other.summary
            && self.detail == other.detail
            && self.related == other.related
            && self.values == other.values
            && self.hints == other.hints;
        same && (self.subject.is_some() || self.context == other.context)
    }

    /// Whether it is an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Problems in the order they were found.
pub type Diagnostics = Vec<Diagnostic>;

#[cfg(test)]
mod tests {
    use super::Diagnostic;
    use crate::{SourceMap, Span};

    #[test]
    fn a_problem_repeats_another_of_the_same_place_whatever_block_it_is_in() {
        let mut sources = SourceMap::default();
        let file = sources.add("t", "abc".to_owned());
        let place = |start| Span {
            file,
            start,
            end: 3,
        };
        let at = |start, block: &str| Diagnostic::error("Wrong").at(place(start)).context(block);
        assert!(at(0, "source [\"a\"]").repeats(&at(0, "source [\"b\"]")));
        assert!(!at(0, "source").repeats(&at(1, "source")));
        assert!(!at(0, "source").repeats(&at(0, "source").detail("More.")));
        let nowhere = |block: &str| Diagnostic::error("Wrong").context(block);
        assert!(!nowhere("source [\"a\"]").repeats(&nowhere("source [\"b\"]")));
    }
}
