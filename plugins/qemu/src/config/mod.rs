//! The options of the `qemu` builder.
//!
//! Here are the options with their types, defaults and docs; `prepare` holds the rules. The option
//! groups that other builders have too (ISO, floppy, CD, HTTP server, boot command, communicator)
//! come from the SDK. Not here: anything that touches the world; paths of firmware and the best
//! accelerator are found when the build runs.

mod accelerator;
mod disk_size;
mod options;
mod prepare;
#[cfg(test)]
mod tests;

pub(crate) use accelerator::Accelerator;
pub(crate) use disk_size::DiskSize;
pub(crate) use options::QemuConfig;
