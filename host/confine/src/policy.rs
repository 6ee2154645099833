//! What a confined process may do, as the host tells it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a confined process may do. Paths are absolute; what does not exist when the process starts
/// is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Files and folders, with everything below, that it may read and change.
    pub write: Vec<PathBuf>,
    /// Files and folders, with everything below, whose contents it may not read, unless they are in
    /// `write` or `read`.
    pub hidden: Vec<PathBuf>,
    /// Exceptions from `hidden`.
    pub read: Vec<PathBuf>,
    /// Whom it may talk to.
    pub network: Network,
    /// Whom it may send signals.
    pub signals: Signals,
}

/// Whom a process may talk to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Everybody.
    #[default]
    Full,
    /// Processes of this machine by Unix sockets, nobody else.
    UnixSockets,
}

/// Whom a process may send signals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signals {
    /// What it started.
    #[default]
    Own,
    /// Whomever its user may; needed to end what an earlier process left.
    Any,
}
