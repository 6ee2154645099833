//! CD and floppy images made from files and text.
//!
//! Here are the option groups [`FloppyConfig`] and [`CdConfig`] that virtual machine builders mix
//! into theirs, and the writers behind them: a 1.44 MB FAT12 floppy and an ISO 9660 disc with
//! Joliet and Rock Ridge names. Images are written by this process, no external tool is needed,
//! and the same input gives the same bytes. Not here: attaching an image to a machine, and where
//! the image lies; the builder decides both.
//!
//! Start with [`FloppyConfig::write`] and [`CdConfig::write`].

mod cd;
mod collect;
mod error;
mod floppy;
mod pattern;

pub use cd::CdConfig;
pub use collect::Image;
pub use error::MediaError;
pub use floppy::FloppyConfig;
