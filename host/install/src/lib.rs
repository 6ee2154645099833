//! Getting plugins: releases, mirrors, checksums, signatures, the lock file.
//!
//! Here are choosing a version that will do, downloading, checking and placing it ([`Installer`]),
//! where plugins are published ([`Origin`]), and the lock file ([`LockFile`]). Nothing but an
//! [`Installer`] that is told to install touches the network. Not here: which plugins a template
//! needs, and finding those that are installed; that is `host-plugin-client`.
//!
//! Start with [`Installer`], then [`Origin`].

mod archive;
mod error;
mod fetch;
mod installer;
mod local;
mod lock;
mod origin;
mod place;
mod progress;
mod signature;
mod sums;

pub use error::InstallError;
pub use installer::{Again, Installer, Placed, Wanted, remove};
pub use lock::{LOCK_FILE, LockFile, LockedPlugin};
pub use origin::{Origin, base_url};
pub use progress::Watcher;
pub use signature::Keys;
