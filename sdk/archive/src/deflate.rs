//! Deflate in blocks: the stuff of gzip, blocked gzip and zip.

use std::io;

use flate2::{Compress, Crc, FlushCompress, Status};

/// Bytes of a block of gzip and zip.
pub(crate) const BLOCK_BYTES: usize = 512 << 10;
/// Bytes of content in a block of blocked gzip; the whole block has to stay below 64 KiB.
///
/// # Source
///
/// The SAM/BAM format specification, section 4.1.
const BGZF_CONTENT: usize = 0xff00;
/// How far back deflate looks.
const WINDOW: usize = 32 << 10;
/// A last, empty block.
pub(crate) const END: [u8; 2] = [3, 0];
/// An empty block of blocked gzip: its end of file.
const BGZF_END: [u8; 28] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 0x42, 0x43, 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0,
    0, 0,
];
/// Header of a gzip stream: deflate, no name, no time, made on Unix.
pub(crate) const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

/// Compresses a block that continues `before`; blocks can be put one behind the other, with [`END`]
/// behind the last.
pub(crate) fn pack(level: u32, block: &[u8], before: &[u8]) -> io::Result<(Vec<u8>, Crc)> {
    let mut compress = Compress::new(flate2::Compression::new(level), false);
    let window = &before[before.len().saturating_sub(WINDOW)..];
    if !window.is_empty() {
        compress.set_dictionary(window).map_err(io::Error::other)?;
    }
    let data = run(&mut compress, block, FlushCompress::Sync)?;
    let mut crc = Crc::new();
    crc.update(block);
    Ok((data, crc))
}

/// Compresses a block into members of blocked gzip.
pub(crate) fn pack_bgzf(level: u32, block: &[u8]) -> io::Result<(Vec<u8>, Crc)> {
    let mut data = Vec::with_capacity(block.len() / 2);
    for content in block.chunks(BGZF_CONTENT) {
        let mut packed = bgzf_content(level, content)?;
        if packed.len() + 26 > usize::from(u16::MAX) {
            packed = bgzf_content(0, content)?;
        }
        let size = u16::try_from(packed.len() + 25).map_err(io::Error::other)?;
        data.extend_from_slice(&BGZF_END[..16]);
        data.extend_from_slice(&size.to_le_bytes());
        data.extend_from_slice(&packed);
        let mut crc = Crc::new();
        crc.update(content);
        data.extend_from_slice(&crc.sum().to_le_bytes());
        data.extend_from_slice(&crc.amount().to_le_bytes());
    }
    Ok((data, Crc::new()))
}

/// The end of a file of blocked gzip.
pub(crate) fn bgzf_end() -> Vec<u8> {
    BGZF_END.to_vec()
}

fn bgzf_content(level: u32, content: &[u8]) -> io::Result<Vec<u8>> {
    let mut compress = Compress::new(flate2::Compression::new(level), false);
    run(&mut compress, content, FlushCompress::Finish)
}

fn run(compress: &mut Compress, block: &[u8], flush: FlushCompress) -> io::Result<Vec<u8>> {
    let mut data = Vec::with_capacity(block.len() / 2 + 1024);
    loop {
        let used = usize::try_from(compress.total_in()).map_err(io::Error::other)?;
        let status = compress
            .compress_vec(&block[used..], &mut data, flush)
            .map_err(io::Error::other)?;
        let all = usize::try_from(compress.total_in()).map_err(io::Error::other)? == block.len();
        let room = data.len() < data.capacity();
        // A flush is complete when the output had room left.
        if status == Status::StreamEnd || (all && room && flush == FlushCompress::Sync) {
            return Ok(data);
        }
        data.reserve(data.capacity().max(4096));
    }
}
