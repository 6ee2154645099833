//! Reading a file of a template: with a limit, and with a message that says where it is no text.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Largest file that is read as a template or as values for one, in bytes.
///
/// The largest templates people use have some 100 KB. A file that is larger than this is most
/// likely none at all (an image, a device that never ends), and reading it as one would take more
/// memory than a small machine has. Data of this size belongs into a file of its own that the
/// template reads with `file`.
pub const LARGEST_FILE_BYTES: usize = 16 << 20;

/// Reads a file, a pipe or a device to its end.
///
/// # Errors
///
/// What the system says; [`ErrorKind::FileTooLarge`] beyond [`LARGEST_FILE_BYTES`], and
/// [`ErrorKind::InvalidData`] when it is not UTF-8, both with a text that says so.
pub fn read_file(path: &Path) -> io::Result<String> {
    read_text(File::open(path)?)
}

/// Reads text to its end, with the limits of [`read_file`].
///
/// # Errors
///
/// Those of [`read_file`].
pub fn read_text(reader: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    reader
        .take(LARGEST_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > LARGEST_FILE_BYTES {
        let message = format!(
            "it is larger than {} MiB, which no template is",
            LARGEST_FILE_BYTES >> 20
        );
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..at];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let message =
            format!("it is not UTF-8 text: on line {line}, byte {at} begins no character");
        io::Error::new(ErrorKind::InvalidData, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        let read = read_text(bytes);
        let said = read.unwrap_or_else(|error| error.to_string());
        assert_eq!(said, expected);
    }

    #[test]
    fn what_is_no_text_is_told_with_its_line() {
        check("é\n".as_bytes(), "é\n");
        check(
            b"a\nb\nc\xff",
            "it is not UTF-8 text: on line 3, byte 5 begins no character",
        );
    }

    #[test]
    fn what_never_ends_is_too_large() {
        let error = read_text(io::repeat(b'a')).expect_err("it has no end");
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        let just = "a".repeat(LARGEST_FILE_BYTES);
        assert_eq!(
            read_text(just.as_bytes()).expect("just not too large"),
            just
        );
    }
}
