//! The smallest parts of a stream.

use super::GobError;

/// A place in a stream.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    pub(super) fn malformed(&self, wanted: &'static str) -> GobError {
        GobError::Malformed {
            offset: self.offset,
            wanted,
        }
    }

    /// The next `count` bytes.
    fn take(&mut self, count: u64, wanted: &'static str) -> Result<&'a [u8], GobError> {
        let rest = &self.bytes[self.offset..];
        let taken = usize::try_from(count)
            .ok()
            .and_then(|count| rest.get(..count));
        let taken = taken.ok_or(GobError::Truncated {
            offset: self.offset,
            wanted,
        })?;
        self.offset += taken.len();
        Ok(taken)
    }

    /// One byte below 128 is the number itself; another one is minus the count of the bytes that
    /// follow, the highest first.
    pub(super) fn uint(&mut self, wanted: &'static str) -> Result<u64, GobError> {
        let first = self.take(1, wanted)?[0];
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        let count = first.wrapping_neg();
        if count > 8 {
            return Err(self.malformed(wanted));
        }
        let bytes = self.take(u64::from(count), wanted)?;
        Ok(bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// The lowest bit says that the others are inverted.
    pub(super) fn int(&mut self, wanted: &'static str) -> Result<i64, GobError> {
        let coded = self.uint(wanted)?;
        let number = (coded >> 1).cast_signed();
        Ok(if coded & 1 == 0 { number } else { !number })
    }

    pub(super) fn float(&mut self) -> Result<f64, GobError> {
        Ok(f64::from_bits(self.uint("a float")?.swap_bytes()))
    }

    pub(super) fn bytes(&mut self, wanted: &'static str) -> Result<&'a [u8], GobError> {
        let count = self.uint(wanted)?;
        self.take(count, wanted)
    }

    pub(super) fn text(&mut self, wanted: &'static str) -> Result<&'a str, GobError> {
        let bytes = self.bytes(wanted)?;
        std::str::from_utf8(bytes).map_err(|_| self.malformed(wanted))
    }

    /// How many elements follow. Each takes a byte at least, so that a count beyond the end is a
    /// lie that is seen before anything is set aside for it.
    pub(super) fn count(&mut self, wanted: &'static str) -> Result<usize, GobError> {
        let count = self.uint(wanted)?;
        let left = self.bytes.len() - self.offset;
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= left)
            .ok_or(GobError::Truncated {
                offset: self.offset,
                wanted,
            })
    }
}
