//! What can go wrong besides the template's own mistakes.

use std::path::PathBuf;

use host_diag::{Diagnostics, Fault};

/// Why a template was not made new.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// An option has a value of which it is not clear what it means.
    #[error("option `{option}` must be true or false, not `{found}`")]
    NotBoolean {
        /// The option.
        option: &'static str,
        /// Its value as JSON.
        found: String,
    },
    /// The HCL2 text has mistakes; a bug.
    #[error("the HCL2 text that was made is not valid")]
    Layout {
        /// The mistakes.
        problems: Diagnostics,
    },
    /// The file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl UpgradeError {
    /// Who can do something about it.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::NotBoolean { .. } => Fault::User,
            Self::Layout { .. } => Fault::Bug,
            Self::Write { .. } => Fault::Environment,
        }
    }
}
