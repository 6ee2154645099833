//! What stands before, between and behind the packed blocks of a stream.

use std::hash::Hasher;
use std::io;
use std::sync::Arc;

use flate2::Crc;
use twox_hash::XxHash32;

use crate::blocks::{Pack, Packed};
use crate::deflate;

/// Bytes of an LZ4 block: the most the format has.
const LZ4_BLOCK: usize = 4 << 20;
/// Version 1, independent blocks, a checksum of the content.
///
/// # Source
///
/// LZ4 frame format 1.6.4, "Frame Descriptor".
const LZ4_FLAGS: u8 = 0b0110_0100;
/// Blocks of at most 4 MiB.
const LZ4_SIZES: u8 = 7 << 4;
const LZ4_MAGIC: u32 = 0x184d_2204;
/// Marks a block that is stored as it is.
const LZ4_STORED: u32 = 1 << 31;
/// From this level on LZ4's slow, strong mode is used, as its own tool does.
const LZ4_STRONG: u32 = 3;

/// A format whose blocks can be packed independently.
pub(crate) enum Frames {
    /// Gzip.
    Gzip {
        /// Of everything so far.
        crc: Crc,
    },
    /// Blocked gzip.
    Bgzf,
    /// An LZ4 frame.
    Lz4 {
        /// Of everything so far.
        hash: Box<XxHash32>,
    },
}

impl Frames {
    pub(crate) fn gzip() -> Self {
        Self::Gzip { crc: Crc::new() }
    }

    pub(crate) fn lz4() -> Self {
        Self::Lz4 {
            hash: Box::new(XxHash32::with_seed(0)),
        }
    }

    /// Bytes of a block, and what packs one at `level`, from 1 to 9.
    pub(crate) fn pack(&self, level: Option<u32>) -> (usize, Arc<Pack>) {
        match self {
            Self::Gzip { .. } => {
                let level = level.unwrap_or(6);
                let pack = move |block: &[u8], before: &[u8]| deflate::pack(level, block, before);
                (deflate::BLOCK_BYTES, Arc::new(pack))
            }
            Self::Bgzf => {
                let level = level.unwrap_or(6);
                let pack = move |block: &[u8], _: &[u8]| deflate::pack_bgzf(level, block);
                (deflate::BLOCK_BYTES, Arc::new(pack))
            }
            Self::Lz4 { .. } => {
                let pack = move |block: &[u8], _: &[u8]| Ok((lz4_block(level, block)?, Crc::new()));
                (LZ4_BLOCK, Arc::new(pack))
            }
        }
    }

    /// What stands before the first block.
    pub(crate) fn head(&self) -> Vec<u8> {
        match self {
            Self::Gzip { .. } => deflate::GZIP_HEAD.to_vec(),
            Self::Lz4 { .. } => {
                let descriptor = [LZ4_FLAGS, LZ4_SIZES];
                let check = XxHash32::oneshot(0, &descriptor).to_le_bytes()[1];
                let mut head = LZ4_MAGIC.to_le_bytes().to_vec();
                head.extend([LZ4_FLAGS, LZ4_SIZES, check]);
                head
            }
            Self::Bgzf => Vec::new(),
        }
    }

    /// Takes note of a block that is being written.
    pub(crate) fn note(&mut self, packed: &Packed) {
        match self {
            Self::Gzip { crc } => crc.combine(&packed.crc),
            Self::Lz4 { hash } => hash.write(&packed.block),
            Self::Bgzf => {}
        }
    }

    /// What stands behind the last block.
    pub(crate) fn tail(&self) -> Vec<u8> {
        match self {
            Self::Gzip { crc } => {
                let mut tail = deflate::END.to_vec();
                tail.extend(crc.sum().to_le_bytes());
                tail.extend(crc.amount().to_le_bytes());
                tail
            }
            Self::Bgzf => deflate::bgzf_end(),
            Self::Lz4 { hash } => {
                let mut tail = 0_u32.to_le_bytes().to_vec();
                tail.extend(hash.finish_32().to_le_bytes());
                tail
            }
        }
    }
}

/// A block with its length before it.
fn lz4_block(level: Option<u32>, block: &[u8]) -> io::Result<Vec<u8>> {
    use lz4::block::{CompressionMode, compress};
    let mode = match level {
        Some(level) if level >= LZ4_STRONG => {
            CompressionMode::HIGHCOMPRESSION(i32::try_from(level).unwrap_or(9))
        }
        _ => CompressionMode::DEFAULT,
    };
    let packed = compress(block, Some(mode), false)?;
    let (marker, data) = if packed.len() < block.len() {
        (0, packed.as_slice())
    } else {
        (LZ4_STORED, block)
    };
    let size = u32::try_from(data.len()).map_err(io::Error::other)?;
    let mut framed = (size | marker).to_le_bytes().to_vec();
    framed.extend_from_slice(data);
    Ok(framed)
}
