//! Writers that compress, each on as many cores as its format allows.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::num::NonZero;

use gzp::deflate::{Bgzf, Gzip};
use gzp::par::compress::{ParCompress, ParCompressBuilder};
use gzp::{FormatSpec, ZWriter};

/// A gzip-like encoder on all cores.
type Parallel = Box<dyn ZWriter<BufWriter<File>> + Send>;

use super::format::Compression;

/// Bytes collected before they go to the file.
const BUFFER_BYTES: usize = 1 << 20;

/// A writer that compresses and can be finished.
pub enum Encoder {
    /// As it comes.
    Plain(BufWriter<File>),
    /// Gzip and blocked gzip.
    Parallel(Parallel),
    /// LZ4 frames.
    Lz4(Box<lz4_flex::frame::FrameEncoder<BufWriter<File>>>),
    /// XZ.
    Xz(liblzma::write::XzEncoder<BufWriter<File>>),
    /// Bzip2.
    Bzip2(bzip2::write::BzEncoder<BufWriter<File>>),
    /// Zstandard.
    Zstd(zstd::stream::write::Encoder<'static, BufWriter<File>>),
}

/// How many cores a format uses here.
pub fn workers(compression: Compression) -> usize {
    match compression {
        Compression::None | Compression::Lz4 | Compression::Bzip2 => 1,
        _ => std::thread::available_parallelism().map_or(1, NonZero::get),
    }
}

impl Encoder {
    /// A writer into `file`. `level` is 1 to 9; anything below is the format's default.
    pub fn new(compression: Compression, level: i64, file: File) -> io::Result<Self> {
        let sink = BufWriter::with_capacity(BUFFER_BYTES, file);
        let level = u32::try_from(level).ok().filter(|&level| level > 0);
        let threads = workers(compression);
        Ok(match compression {
            Compression::None => Self::Plain(sink),
            Compression::Gzip => Self::Parallel(parallel::<Gzip>(sink, level, threads)?),
            Compression::Bgzf => Self::Parallel(parallel::<Bgzf>(sink, level, threads)?),
            Compression::Lz4 => {
                let frame = lz4_flex::frame::FrameInfo::new()
                    .block_size(lz4_flex::frame::BlockSize::Max4MB)
                    .content_checksum(true);
                Self::Lz4(Box::new(lz4_flex::frame::FrameEncoder::with_frame_info(
                    frame, sink,
                )))
            }
            Compression::Xz => {
                let stream = liblzma::stream::MtStreamBuilder::new()
                    .threads(u32::try_from(threads).unwrap_or(1))
                    .preset(level.unwrap_or(6))
                    .check(liblzma::stream::Check::Crc64)
                    .encoder()?;
                Self::Xz(liblzma::write::XzEncoder::new_stream(sink, stream))
            }
            Compression::Bzip2 => Self::Bzip2(bzip2::write::BzEncoder::new(
                sink,
                bzip2::Compression::new(level.unwrap_or(9)),
            )),
            Compression::Zstd => {
                // One level of ours is two of zstd's, so that 9 comes near its best.
                let level = level.map_or(zstd::DEFAULT_COMPRESSION_LEVEL, |level| {
                    i32::try_from(level * 2).unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL)
                });
                let mut encoder = zstd::stream::write::Encoder::new(sink, level)?;
                encoder.include_checksum(true)?;
                encoder.multithread(u32::try_from(threads).unwrap_or(1))?;
                Self::Zstd(encoder)
            }
        })
    }

    /// Writes what is left, and the format's end; the file is complete and on disk afterwards.
    pub fn finish(self) -> io::Result<()> {
        let mut sink = match self {
            Self::Plain(sink) => sink,
            Self::Parallel(mut encoder) => encoder.finish().map_err(io::Error::other)?,
            Self::Lz4(encoder) => encoder.finish().map_err(io::Error::other)?,
            Self::Xz(encoder) => encoder.finish()?,
            Self::Bzip2(encoder) => encoder.finish()?,
            Self::Zstd(encoder) => encoder.finish()?,
        };
        sink.flush()
    }
}

fn parallel<F>(sink: BufWriter<File>, level: Option<u32>, threads: usize) -> io::Result<Parallel>
where
    F: FormatSpec,
    ParCompress<'static, F, BufWriter<File>>: ZWriter<BufWriter<File>> + Send,
{
    let builder = ParCompressBuilder::<F>::new()
        .num_threads(threads)
        .map_err(io::Error::other)?
        .compression_level(gzp::Compression::new(level.unwrap_or(6)));
    Ok(Box::new(builder.from_writer(sink)))
}

impl Write for Encoder {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(sink) => sink.write(data),
            Self::Parallel(encoder) => encoder.write(data),
            Self::Lz4(encoder) => encoder.write(data),
            Self::Xz(encoder) => encoder.write(data),
            Self::Bzip2(encoder) => encoder.write(data),
            Self::Zstd(encoder) => encoder.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(sink) => sink.flush(),
            Self::Parallel(encoder) => encoder.flush(),
            Self::Lz4(encoder) => encoder.flush(),
            Self::Xz(encoder) => encoder.flush(),
            Self::Bzip2(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}
