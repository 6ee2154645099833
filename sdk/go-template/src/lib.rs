//! Go `text/template` and the engine functions of legacy templates.
//!
//! Here are the template language ([`render`], [`check`]), the values it works on ([`Data`]), what
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

/// Reads `text` without rendering it: syntax only, so unknown functions pass.
///
/// # Errors
///
/// The first problem of syntax, with its place in `text`.
pub fn check(text: &str) -> Result<(), TemplateError> {
    parser::parse(text).map(drop)
}

#[cfg(test)]
mod tests;
