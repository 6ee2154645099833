//! Older templates made new.
//!
//! Here are the repair of outdated options in legacy JSON templates ([`fix()`], one [`Fixer`] per
//! outdated thing), the translation of such templates into HCL2 ([`upgrade()`]), and writing its
//! result as one step ([`write()`]). Not here: the commands' flags and messages, and whether a component
//! accepts what comes out. Start with [`Document::read`].

mod document;
mod error;
mod files;
mod fix;
mod hcl2;
mod json_text;
mod validate;

pub use document::Document;
pub use error::UpgradeError;
pub use files::write;
pub use fix::{FIXERS, Fixer, fix};
pub use hcl2::{Annotations, Upgraded, upgrade};
pub use json_text::print;
pub use validate::validate;
