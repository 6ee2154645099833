//! Go `text/template` and the engine functions of legacy templates.
//!
//! Here are the template language ([`render`], [`check`], [`calls`]), the values it works on
//! ([`Data`]), what
//! its engine functions need to know ([`Context`]), and the two time formats templates use
//! ([`format_go_layout`], [`strftime`]). Not here: which option is rendered when (the host and the
//! components decide) and any file or network access.
//!
//! Start with [`render`].
//!
//! ```
//! use sdk_go_template::{Context, Data, render};
//!
//! let data: Data = [("Path", "/tmp/script.sh")].into_iter().collect();
//! let text = render("sh -e '{{ .Path }}'", &data, &Context::default()).unwrap();
//! assert_eq!(text, "sh -e '/tmp/script.sh'");
//! ```

mod context;
mod data;
mod error;
mod execute;
mod function;
mod lexer;
mod literal;
mod number;
mod parser;
mod time;
mod tree;

pub use context::{BuildValues, Context, CustomFunctions};
pub use data::Data;
pub use error::TemplateError;
pub use time::{format_go_layout, strftime};

/// Renders `text` with `data` as its dot.
///
/// A missing map key renders as `<no value>`. Output, iterations and nesting are limited to 16 MiB,
/// one million and 200.
///
/// # Errors
///
/// The first problem of syntax or execution, with its place in `text`.
pub fn render(text: &str, data: &Data, context: &Context) -> Result<String, TemplateError> {
    if !text.contains("{{") {
        return Ok(text.to_owned());
    }
    let tree = parser::parse(text)?;
    execute::execute(&tree, data, context)
}

/// Reads `text` without rendering it: its syntax, and that the functions it calls exist.
///
/// # Errors
///
/// The first problem, with its place in `text`.
pub fn check(text: &str) -> Result<(), TemplateError> {
    if !text.contains("{{") {
        return Ok(());
    }
    let tree = parser::parse(text)?;
    execute::check_names(&tree, &|name| function::NAMES.contains(&name))
}

/// Reads `text` without rendering it: syntax only, so unknown functions pass.
///
/// # Errors
///
/// The first problem of syntax, with its place in `text`.
pub fn check_syntax(text: &str) -> Result<(), TemplateError> {
    parser::parse(text).map(drop)
}

/// A function that a template names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The function.
    pub name: String,
    /// Its arguments as far as they are text written in place; others are `None`.
    pub arguments: Vec<Option<String>>,
    /// Where the name stands, in bytes from the start of the text.
    pub offset: usize,
}

/// All calls in `text` in the order of their places, whether rendering would come to them or not.
///
/// # Errors
///
/// The first problem of syntax, with its place in `text`.
pub fn calls(text: &str) -> Result<Vec<Call>, TemplateError> {
    if !text.contains("{{") {
        return Ok(Vec::new());
    }
    let mut calls = parser::parse(text)?.calls;
    calls.sort_by_key(|call| call.offset);
    Ok(calls)
}

/// The names of all functions that a template can call, sorted.
#[must_use]
pub fn function_names() -> &'static [&'static str] {
    &function::NAMES
}

/// The action `{{ … }}` around byte `offset` of `text`, which is where an error says it is; the rest
/// of the text when the action has no end.
#[must_use]
pub fn action_at(text: &str, offset: usize) -> std::ops::Range<usize> {
    let mut end = offset.saturating_add(2).min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let start = text[..end].rfind("{{").unwrap_or(offset.min(text.len()));
    let length = text[start..].find("}}").map(|length| length + 2);
    start..length.map_or(text.len(), |length| start + length)
}

#[cfg(test)]
mod tests;
