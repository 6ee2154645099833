//! Build events to human, machine-readable and progress output.
//!
//! Here are the one door all output goes through ([`Ui`]), the filter that keeps secrets out of it
//! ([`Redactor`]), the descriptors it is written to ([`Outlet`]), and the observer of a run ([`BuildUi`])
//! with its summary. Not here: the log (the program sets that up, with the same [`Redactor`]) and any
//! decision about a run.
//!
//! Start with [`Ui`], then [`BuildUi`]; `events.schema.json` beside this crate's manifest describes
//! the lines of [`Mode::Json`].

mod ask;
mod build;
mod color;
mod control;
mod document;
mod dress;
mod duration;
mod event_line;
mod live;
mod machine;
mod outlet;
mod record;
mod redact;
mod screen;
mod summary;
mod timings;
mod ui;

pub use build::BuildUi;
pub use color::Color;
pub use duration::human_duration;
pub use event_line::{EVENT_FORMAT_VERSION, EventLine, RunStatus};
pub use outlet::{Outlet, Patience};
pub use redact::Redactor;
pub use screen::is_foreground;
pub use summary::summarize;
pub use ui::{Mode, Ui};
