//! The part of vSphere's web service that the post-processors need.
//!
//! Here are a session (`session`), its calls and what they answer (`envelope`), finding things by
//! path or kind (`inventory`), and work that takes time (`task`). Not here: anything that creates
//! machines.
//!
//! # Source
//!
//! VMware's vSphere Web Services API 6.7: the names of methods, types and properties.

mod envelope;
mod error;
mod inventory;
mod session;
mod task;

pub(crate) use envelope::{Argument, Reference};
pub(crate) use error::SoapError;
pub(crate) use session::{Access, Session, Trust};
