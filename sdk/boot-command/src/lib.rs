//! The boot command language and key drivers.
//!
//! Here are the language ([`parse`] gives [`Action`]s), the option groups ([`BootConfig`],
//! [`VncBootConfig`]), the drivers that turn actions into what a machine understands
//! ([`KeysymDriver`], [`ScanCodeDriver`], [`UsbDriver`]) and the typist that paces them
//! ([`type_actions`]). Not here: connections to machines; they implement [`KeySink`],
//! [`ScanCodeSink`] or [`UsbSink`].
//!
//! Start with [`VncBootConfig`], then [`type_actions`].

mod action;
mod clock;
mod config;
mod driver;
mod error;
mod keysym;
mod pacing;
mod parser;
mod scan_code;
mod special;
mod starvation;
mod typist;
mod usb;

pub use action::{Action, Key, Stroke};
pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{BootConfig, VncBootConfig};
pub use driver::{Driver, SinkError};
pub use error::{BootCommandError, ParseError, TypeError};
pub use keysym::{KeySink, KeysymDriver, keysym};
pub use pacing::Pacing;
pub use parser::parse;
pub use scan_code::{ScanCodeDriver, ScanCodeSink, scan_codes};
pub use special::Special;
pub use typist::type_actions;
pub use usb::{UsbDriver, UsbEvent, UsbSink, modifier};
