//! Licences as databases write them, which is rarely as SPDX wants them.

use spdx::{Expression, ParseMode};

/// A licence, understood or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum License {
    /// An SPDX expression.
    Expression(String),
    /// Anything else, as it was written.
    Text(String),
}

impl License {
    /// Reads what a database has; `None` when it has nothing.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let parsed = Expression::parse_mode(text, ParseMode::STRICT);
        // References point to texts that are not in the document.
        let references = text.contains("Ref-");
        Some(match parsed {
            Ok(_) if !references => Self::Expression(text.to_owned()),
            _ => Self::Text(text.to_owned()),
        })
    }
}
