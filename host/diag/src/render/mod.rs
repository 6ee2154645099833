//! Diagnostics as text for people and as JSON for programs.

mod json;
mod snippet;
#[cfg(test)]
mod tests;
mod text;
mod wrap;

pub use json::render_json;
pub use text::{render_clean_text, render_text};
