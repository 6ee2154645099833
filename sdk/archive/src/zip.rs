//! Zip, with its content packed on all cores.
//!
//! # Source
//!
//! PKWARE's APPNOTE 6.3.9: sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.14 to
//! 4.3.16 (its ends), 4.5.3 (sizes of 64 bits).

use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use flate2::Crc;
use sdk_component::Meter;
use tokio_util::sync::CancellationToken;

use crate::blocks::Blocks;
use crate::compression::Compression;
use crate::deflate;
use crate::entry::{Entry, Source};
use crate::error::ArchiveError;
use crate::tape::copy;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const END_64_PLACE: u32 = 0x0706_4b50;
/// Stands for a number that is in the 64-bit field.
const ELSEWHERE: u32 = u32::MAX;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
const DEFLATED: u16 = 8;
/// Version 4.5, which knows sizes of 64 bits; made on Unix.
const VERSION: u16 = 45;
const UNIX: u16 = 3 << 8;
/// A regular file, in the upper half of Unix' file attributes.
const REGULAR: u32 = 0o100_000;

/// One file that was written.
struct Written {
    name: Vec<u8>,
    crc: u32,
    packed: u64,
    bytes: u64,
    offset: u64,
    time: u32,
    mode: u32,
}

/// Writes a zip of `entries` into `sink`.
pub(crate) fn write_zip(
    sink: &mut (impl Write + Seek),
    level: Option<u32>,
    entries: &[Entry],
    target: &Path,
    meter: &Meter,
    cancel: &CancellationToken,
) -> Result<(), ArchiveError> {
    let failed = |source| ArchiveError::Write {
        path: target.to_owned(),
        source,
    };
    let mut written = Vec::new();
    for entry in entries {
        let mut source = Source::open(entry, meter, cancel)?;
        let one = write_entry(sink, level, entry, &mut source);
        written.push(one.map_err(|error| source.judge(entry, target, error))?);
    }
    let begin = sink.stream_position().map_err(failed)?;
    let mut directory = Vec::new();
    for one in &written {
        directory.extend(central(one));
    }
    directory.extend(ends(written.len(), begin, directory.len() as u64));
    sink.write_all(&directory)
        .and_then(|()| sink.flush())
        .map_err(failed)
}

fn write_entry(
    sink: &mut (impl Write + Seek),
    level: Option<u32>,
    entry: &Entry,
    source: &mut Source<'_>,
) -> io::Result<Written> {
    let facts = source.facts.as_ref();
    let mut one = Written {
        name: entry.name.clone().into_bytes(),
        crc: 0,
        packed: 0,
        bytes: source.bytes,
        offset: sink.stream_position()?,
        time: facts.map_or(dos_time(0), |facts| dos_time(facts.mtime())),
        mode: facts.map_or(0o644, |facts| facts.mode() & 0o777),
    };
    sink.write_all(&local(&one)?)?;
    let begin = sink.stream_position()?;
    let level = level.unwrap_or(6);
    let pack = move |block: &[u8], before: &[u8]| deflate::pack(level, block, before);
    let mut packer = Packer {
        blocks: Blocks::new(
            Compression::Gzip.threads(),
            deflate::BLOCK_BYTES,
            Arc::new(pack),
        )?,
        sink,
        crc: Crc::new(),
    };
    copy(source, &mut packer)?;
    one.crc = packer.finish()?;
    let end = sink.stream_position()?;
    one.packed = end - begin;
    sink.seek(SeekFrom::Start(one.offset))?;
    sink.write_all(&local(&one)?)?;
    sink.seek(SeekFrom::Start(end))?;
    Ok(one)
}

/// Packs what is written to it.
struct Packer<'a, W: Write> {
    blocks: Blocks,
    sink: &'a mut W,
    crc: Crc,
}

impl<W: Write> Packer<'_, W> {
    fn finish(mut self) -> io::Result<u32> {
        let (crc, sink) = (&mut self.crc, &mut self.sink);
        self.blocks.end(&mut |packed| {
            crc.combine(&packed.crc);
            sink.write_all(&packed.data)
        })?;
        self.sink.write_all(&deflate::END)?;
        Ok(self.crc.sum())
    }
}

impl<W: Write> Write for Packer<'_, W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let (crc, sink) = (&mut self.crc, &mut self.sink);
        self.blocks.push(data, &mut |packed| {
            crc.combine(&packed.crc);
            sink.write_all(&packed.data)
        })?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// The header before a file. Sizes always have 64 bits, so that they fit whatever they become.
fn local(one: &Written) -> io::Result<Vec<u8>> {
    let mut header = Vec::new();
    put32(&mut header, LOCAL);
    for part in [VERSION, UTF8, DEFLATED] {
        put16(&mut header, part);
    }
    put32(&mut header, one.time);
    put32(&mut header, one.crc);
    put32(&mut header, ELSEWHERE);
    put32(&mut header, ELSEWHERE);
    let name = u16::try_from(one.name.len()).map_err(io::Error::other)?;
    put16(&mut header, name);
    put16(&mut header, 20);
    header.extend_from_slice(&one.name);
    put16(&mut header, 1);
    put16(&mut header, 16);
    header.extend_from_slice(&one.bytes.to_le_bytes());
    header.extend_from_slice(&one.packed.to_le_bytes());
    Ok(header)
}

/// The entry of the directory at the end.
fn central(one: &Written) -> Vec<u8> {
    let mut entry = Vec::new();
    put32(&mut entry, CENTRAL);
    for part in [UNIX | VERSION, VERSION, UTF8, DEFLATED] {
        put16(&mut entry, part);
    }
    put32(&mut entry, one.time);
    put32(&mut entry, one.crc);
    put32(&mut entry, ELSEWHERE);
    put32(&mut entry, ELSEWHERE);
    // The length was checked for the header before the file; there is no comment, one disk.
    put16(
        &mut entry,
        u16::try_from(one.name.len()).unwrap_or(u16::MAX),
    );
    for part in [28, 0, 0, 0] {
        put16(&mut entry, part);
    }
    put32(&mut entry, (REGULAR | one.mode) << 16);
    put32(&mut entry, ELSEWHERE);
    entry.extend_from_slice(&one.name);
    put16(&mut entry, 1);
    put16(&mut entry, 24);
    for number in [one.bytes, one.packed, one.offset] {
        entry.extend_from_slice(&number.to_le_bytes());
    }
    entry
}

/// What stands behind the directory.
fn ends(count: usize, begin: u64, bytes: u64) -> Vec<u8> {
    let mut end = Vec::new();
    put32(&mut end, END_64);
    end.extend_from_slice(&44_u64.to_le_bytes());
    put16(&mut end, UNIX | VERSION);
    put16(&mut end, VERSION);
    put32(&mut end, 0);
    put32(&mut end, 0);
    for number in [count as u64, count as u64, bytes, begin] {
        end.extend_from_slice(&number.to_le_bytes());
    }
    put32(&mut end, END_64_PLACE);
    put32(&mut end, 0);
    end.extend_from_slice(&(begin + bytes).to_le_bytes());
    put32(&mut end, 1);
    put32(&mut end, END);
    put16(&mut end, 0);
    put16(&mut end, 0);
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    put16(&mut end, count);
    put16(&mut end, count);
    put32(&mut end, u32::try_from(bytes).unwrap_or(ELSEWHERE));
    put32(&mut end, u32::try_from(begin).unwrap_or(ELSEWHERE));
    put16(&mut end, 0);
    end
}

fn put16(to: &mut Vec<u8>, number: u16) {
    to.extend_from_slice(&number.to_le_bytes());
}

fn put32(to: &mut Vec<u8>, number: u32) {
    to.extend_from_slice(&number.to_le_bytes());
}

/// Seconds since 1970 UTC as zip has them: date above, time below, from 1980 to 2107.
fn dos_time(seconds: i64) -> u32 {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date(days);
    if !(1980..=2107).contains(&year) {
        return (1 << 21) | (1 << 16);
    }
    let number = ((year - 1980) << 25)
        | (month << 21)
        | (day << 16)
        | ((second / 3600) << 11)
        | ((second / 60 % 60) << 5)
        | (second % 60 / 2);
    u32::try_from(number).unwrap_or((1 << 21) | (1 << 16))
}

/// Year, month and day of the Gregorian calendar, `days` after 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the day that some have comes last.
    let since = days + 719_468;
    let (era, day) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{date, dos_time};

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_454, (2026, 1, 1)),
        ] {
            assert_eq!(date(days), expected, "{days}");
        }
        // 2026-01-01 12:34:56
        let time = dos_time(20_454 * 86_400 + 12 * 3600 + 34 * 60 + 56);
        assert_eq!(time >> 16, (46 << 9) | (1 << 5) | 1);
        assert_eq!(time & 0xffff, (12 << 11) | (34 << 5) | 28);
    }
}
