//! The commands, one module each.

pub mod build;
pub mod console;
pub mod fix;
pub mod fmt;
pub mod gc;
pub mod hcl2_upgrade;
pub mod init;
pub mod inspect;
pub mod lsp;
pub mod plan;
pub mod plugins;
pub mod validate;
pub mod verify_attestation;
pub mod version;
