//! Exit statuses. Scripts rely on Packer's.

/// All went well.
pub const DONE: u8 = 0;
/// Invalid template, failed build or wrong usage.
pub const FAILED: u8 = 1;
/// `fmt -check` found files that are not in canonical layout.
pub const UNFORMATTED: u8 = 3;
/// A bug in kiln.
pub const BUG: u8 = 70;
/// There is no such command.
pub const NO_COMMAND: u8 = 127;

/// Ends the program at once.
#[expect(clippy::exit, reason = "the one place that ends the program early")]
pub fn now(status: u8) -> ! {
    std::process::exit(i32::from(status))
}
