//! The language server for templates: what editors show while one is written.
//!
//! [`serve`] speaks the Language Server Protocol on two streams. What is wrong with a template comes
//! from the code that `validate` uses ([`analysis`]), but no component is run: options are those of
//! the cached descriptions of what came with kiln and of the installed plugins that a template needs. Everything else (completion, hover, definitions, …) is made from
//! [`outline`], which reads half-typed files, and from [`folder`], which knows all files of a
//! template, open ones as the editor has them. Not here: the command's flags, its exit codes, and
//! any writing of files.

mod analysis;
mod catalog;
mod checks;
mod completion;
mod components;
mod describe;
mod documents;
mod folder;
mod formatting;
mod hover;
mod language;
mod navigation;
mod outline;
mod position;
mod requests;
mod server;
mod session;
mod signature;
mod symbols;
mod transport;

pub use server::{Ended, NeedsOf, World, serve};
