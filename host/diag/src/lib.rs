//! Diagnostics: what is wrong, where, and what to do about it.
//!
//! Here are source positions ([`Span`], [`SourceMap`]), the [`Diagnostic`] every part of the host
//! reports problems with, its rendering as text and as JSON, and the nearest-name search. Not here:
//! any decision about which problem ends a run.

mod diagnostic;
mod fault;
mod nearest;
mod render;
mod source;

pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity, Shown};
pub use fault::Fault;
pub use nearest::nearest;
pub use render::{render_clean_text, render_json, render_text};
pub use source::{FileId, SourceMap, Span};
