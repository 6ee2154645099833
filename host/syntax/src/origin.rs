//! Where a piece of text comes from.

use host_diag::{FileId, Span};

/// Turns positions in a text into places in a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    file: FileId,
    offset: usize,
    whole: Option<Span>,
}

impl Origin {
    /// The text stands as it is in `file`, from byte `offset` on.
    pub(crate) fn verbatim(file: FileId, offset: usize) -> Self {
        Self {
            file,
            offset,
            whole: None,
        }
    }

    /// The text was computed from what stands at `span`, so every position is that whole place.
    pub(crate) fn computed(span: Span) -> Self {
        Self {
            file: span.file,
            offset: 0,
            whole: Some(span),
        }
    }

    /// The place of a range of bytes of the text.
    pub(crate) fn span(self, start: usize, end: usize) -> Span {
        self.whole
            .unwrap_or_else(|| Span::new(self.file, self.offset + start, self.offset + end))
    }
}
