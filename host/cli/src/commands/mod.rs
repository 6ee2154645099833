//! The commands, one module each.

pub mod build;
pub mod fmt;
pub mod gc;
pub mod inspect;
pub mod validate;
pub mod version;
