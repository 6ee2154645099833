//! The `vagrant-cloud` and `vagrant-registry` post-processors: a box on the internet.
//!
//! `cloud` speaks the API of Vagrant Cloud, `registry` that of HCP's Vagrant Box Registry; both use
//! `service` for calls, `upload` for the box and `subject` for what is published.
//!
//! Both were tried against stand-ins that answer as the services' published clients expect, not
//! against the services themselves.

mod account;
mod cloud;
mod registry;
mod service;
mod subject;
mod upload;

pub(crate) use cloud::VagrantCloud;
pub(crate) use registry::VagrantRegistry;

/// What stands for a value that only the build will know.
const UNKNOWN: &str = "<unknown>";

#[cfg(test)]
mod tests;
