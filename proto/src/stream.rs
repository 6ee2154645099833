//! Sizes of streams, the same on both sides.

/// Bytes that may be under way in one stream and in one connection (HTTP/2 windows).
///
/// # Source
///
/// Measured with tonic 0.14 over Unix sockets: 4 MiB with chunks of 256 KiB to 1 MiB is fastest.
pub const WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// Bytes in one chunk of a file or of a command's output.
pub const CHUNK_BYTES: usize = 512 * 1024;

/// Largest message, in bytes.
pub const MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// The largest frame of HTTP/2, in bytes. The usual 16 KiB would wake both sides for each of them.
pub const FRAME_BYTES: u32 = 1024 * 1024;
