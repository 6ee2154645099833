//! A writer that compresses, on as many cores as there are.

use std::io::{self, Write};

use crate::blocks::Blocks;
use crate::compression::Compression;
use crate::frames::Frames;

/// A writer that compresses into `W` and has to be finished.
pub(crate) enum Encoder<W: Write> {
    /// As it comes.
    Plain(W),
    /// Formats made of independent blocks.
    Blocks {
        sink: W,
        blocks: Blocks,
        frames: Frames,
    },
    /// Bzip2.
    Bzip2(pbz2::ParallelEncoder<W>),
    /// XZ.
    Xz(liblzma::write::XzEncoder<W>),
    /// Zstandard.
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

impl<W: Write> Encoder<W> {
    /// A writer into `sink`. `level` is from 1 to 9; without one it is the format's own default.
    pub(crate) fn new(compression: Compression, level: Option<u32>, sink: W) -> io::Result<Self> {
        let threads = compression.threads();
        let count = u32::try_from(threads).unwrap_or(1);
        let frames = match compression {
            Compression::None => return Ok(Self::Plain(sink)),
            Compression::Bzip2 => {
                let level = level
                    .and_then(|level| pbz2::Level::new(u8::try_from(level).ok()?))
                    .unwrap_or(pbz2::Level::BEST);
                let encoder = pbz2::ParallelEncoder::with_threads(sink, level, threads);
                return Ok(Self::Bzip2(encoder));
            }
            Compression::Xz => {
                let stream = liblzma::stream::MtStreamBuilder::new()
                    .threads(count)
                    .preset(level.unwrap_or(6))
                    .check(liblzma::stream::Check::Crc64)
                    .encoder()?;
                let encoder = liblzma::write::XzEncoder::new_stream(sink, stream);
                return Ok(Self::Xz(encoder));
            }
            Compression::Zstd => {
                // One level of ours is two of zstd's, so that 9 comes near its best.
                let level = level.map_or(zstd::DEFAULT_COMPRESSION_LEVEL, |level| {
                    i32::try_from(level * 2).unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL)
                });
                let mut encoder = zstd::stream::write::Encoder::new(sink, level)?;
                encoder.include_checksum(true)?;
                encoder.multithread(count)?;
                return Ok(Self::Zstd(encoder));
            }
            Compression::Gzip => Frames::gzip(),
            Compression::Bgzf => Frames::Bgzf,
            Compression::Lz4 => Frames::lz4(),
        };
        Self::in_blocks(frames, level, threads, sink)
    }

    fn in_blocks(
        frames: Frames,
        level: Option<u32>,
        threads: usize,
        mut sink: W,
    ) -> io::Result<Self> {
        let (block_bytes, pack) = frames.pack(level);
        let blocks = Blocks::new(threads, block_bytes, pack)?;
        sink.write_all(&frames.head())?;
        Ok(Self::Blocks {
            sink,
            blocks,
            frames,
        })
    }

    /// Writes what is left, and the format's end.
    pub(crate) fn finish(self) -> io::Result<W> {
        let mut sink = match self {
            Self::Plain(sink) => sink,
            Self::Blocks {
                mut sink,
                mut blocks,
                mut frames,
            } => {
                blocks.end(&mut |packed| {
                    frames.note(&packed);
                    sink.write_all(&packed.data)
                })?;
                sink.write_all(&frames.tail())?;
                sink
            }
            Self::Bzip2(encoder) => encoder.finish()?,
            Self::Xz(encoder) => encoder.finish()?,
            Self::Zstd(encoder) => encoder.finish()?,
        };
        sink.flush()?;
        Ok(sink)
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(sink) => sink.write(data),
            Self::Blocks {
                sink,
                blocks,
                frames,
            } => {
                blocks.push(data, &mut |packed| {
                    frames.note(&packed);
                    sink.write_all(&packed.data)
                })?;
                Ok(data.len())
            }
            Self::Bzip2(encoder) => encoder.write(data),
            Self::Xz(encoder) => encoder.write(data),
            Self::Zstd(encoder) => encoder.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(sink) | Self::Blocks { sink, .. } => sink.flush(),
            Self::Bzip2(encoder) => encoder.flush(),
            Self::Xz(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    /// Several blocks of every format, of content that packs and of content that does not.
    fn sample(bytes: usize) -> Vec<u8> {
        let mut state = 7_u32;
        (0..bytes)
            .map(|at| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = (state >> 24) as u8;
                if (at / 70_000) % 2 == 0 {
                    b'a' + noise % 4
                } else {
                    noise
                }
            })
            .collect()
    }

    fn packed(compression: Compression, level: Option<u32>, data: &[u8]) -> Vec<u8> {
        let mut encoder = Encoder::new(compression, level, Vec::new()).unwrap();
        for piece in data.chunks(100_003) {
            encoder.write_all(piece).unwrap();
        }
        encoder.finish().unwrap()
    }

    /// What an ordinary tool makes of it.
    fn unpacked(tool: &str, data: &[u8]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("packed");
        std::fs::write(&file, data).unwrap();
        let output = Command::new(tool)
            .arg("-dc")
            .stdin(std::fs::File::open(&file).unwrap())
            .stderr(Stdio::piped())
            .output()
            .unwrap_or_else(|error| panic!("{tool} is missing ({error}): run tests/setup"));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{tool}: {text}");
        output.stdout
    }

    const TOOLS: [(Compression, &str); 6] = [
        (Compression::Gzip, "gzip"),
        (Compression::Bgzf, "gzip"),
        (Compression::Lz4, "lz4"),
        (Compression::Xz, "xz"),
        (Compression::Bzip2, "bzip2"),
        (Compression::Zstd, "zstd"),
    ];

    #[test]
    fn ordinary_tools_read_every_format() {
        let data = sample(9 << 20);
        for (compression, tool) in TOOLS {
            let packed = packed(compression, None, &data);
            assert!(packed.len() < data.len(), "{compression:?}");
            assert!(unpacked(tool, &packed) == data, "{compression:?}");
        }
    }

    #[test]
    fn ordinary_tools_read_runs_and_repetitions() {
        let mut data = vec![0; 2_000_000];
        data.extend(b"ab".repeat(500_000));
        for run in [3, 4, 5, 254, 255, 256, 259] {
            data.extend(vec![b'x'; run]);
            data.push(b'y');
        }
        data.extend(sample(1_000).repeat(1_500));
        for (compression, tool) in TOOLS {
            let packed = packed(compression, None, &data);
            assert!(unpacked(tool, &packed) == data, "{compression:?}");
        }
    }

    #[test]
    fn ordinary_tools_read_nothing_and_every_level() {
        let data = sample(700_000);
        for (compression, tool) in TOOLS {
            let empty = packed(compression, None, &[]);
            assert_eq!(unpacked(tool, &empty), b"", "{compression:?}");
            for level in [1, 9] {
                let packed = packed(compression, Some(level), &data);
                assert!(unpacked(tool, &packed) == data, "{compression:?} {level}");
            }
        }
    }

    #[test]
    fn blocked_gzip_is_made_of_blocks_that_name_their_size() {
        let packed = packed(Compression::Bgzf, None, &sample(200_000));
        let mut at = 0;
        let mut blocks = 0;
        while at < packed.len() {
            assert_eq!(packed[at..at + 4], [0x1f, 0x8b, 8, 4]);
            assert_eq!(packed[at + 12..at + 16], [0x42, 0x43, 2, 0]);
            at += usize::from(u16::from_le_bytes([packed[at + 16], packed[at + 17]])) + 1;
            blocks += 1;
        }
        assert_eq!((at, blocks), (packed.len(), 5));
    }
}
