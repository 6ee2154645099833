//! Where file systems begin in a raw disk.
//!
//! # Source
//!
//! UEFI 2.10, chapter 5 (GPT and the protective MBR); the ext4 documentation of Linux, "Super
//! block". Sectors have 512 bytes, as in every disk image a builder makes.

use std::io::{Read, Result, Seek, SeekFrom};

const SECTOR_BYTES: u64 = 512;
/// Where the super block's magic number is in an ext2, ext3 or ext4 file system.
const EXT_MAGIC_AT: u64 = 1024 + 56;
const EXT_MAGIC: [u8; 2] = [0x53, 0xef];
/// Entries of a GPT that are looked at; the standard has 128.
const MOST_ENTRIES: u32 = 256;

/// Byte offsets of all ext2, ext3 and ext4 file systems on the disk.
pub(super) fn ext_file_systems(disk: &mut (impl Read + Seek)) -> Result<Vec<u64>> {
    let mut starts = vec![0];
    let mbr = read_at::<512>(disk, 0)?.unwrap_or([0; 512]);
    if mbr[510..] == [0x55, 0xaa] {
        for entry in mbr[446..510].chunks_exact(16) {
            match entry[4] {
                0 => {}
                0xee => starts.extend(gpt(disk)?),
                _ => starts.push(u64::from(number(&entry[8..12])) * SECTOR_BYTES),
            }
        }
    }
    starts.sort_unstable();
    starts.dedup();
    let mut found = Vec::new();
    for start in starts {
        let at = start.saturating_add(EXT_MAGIC_AT);
        if read_at::<2>(disk, at)? == Some(EXT_MAGIC) {
            found.push(start);
        }
    }
    Ok(found)
}

/// First bytes of the partitions in a GPT.
fn gpt(disk: &mut (impl Read + Seek)) -> Result<Vec<u64>> {
    let Some(header) = read_at::<512>(disk, SECTOR_BYTES)? else {
        return Ok(Vec::new());
    };
    if &header[..8] != b"EFI PART" {
        return Ok(Vec::new());
    }
    let table = long(&header[72..80]).saturating_mul(SECTOR_BYTES);
    let (count, size) = (number(&header[80..84]), number(&header[84..88]));
    let mut starts = Vec::new();
    for index in 0..count.min(MOST_ENTRIES) {
        let at = table.saturating_add(u64::from(index) * u64::from(size));
        let Some(entry) = read_at::<40>(disk, at)? else {
            break;
        };
        if entry[..16] != [0; 16] {
            starts.push(long(&entry[32..40]).saturating_mul(SECTOR_BYTES));
        }
    }
    Ok(starts)
}

/// Bytes at an offset; `None` when the disk ends before that.
fn read_at<const N: usize>(disk: &mut (impl Read + Seek), at: u64) -> Result<Option<[u8; N]>> {
    let mut bytes = [0; N];
    // Offsets beyond what a file can have are not on the disk.
    if i64::try_from(at).is_err() {
        return Ok(None);
    }
    disk.seek(SeekFrom::Start(at))?;
    match disk.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn number(bytes: &[u8]) -> u32 {
    let little = bytes.iter().rev();
    little.fold(0, |number, &byte| (number << 8) | u32::from(byte))
}

fn long(bytes: &[u8]) -> u64 {
    let little = bytes.iter().rev();
    little.fold(0, |number, &byte| (number << 8) | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn disk(sectors: usize) -> Vec<u8> {
        vec![0; sectors * 512]
    }

    fn magic(disk: &mut [u8], start: usize) {
        disk[start + 1080..start + 1082].copy_from_slice(&EXT_MAGIC);
    }

    fn check(disk: Vec<u8>, expected: &[u64]) {
        assert_eq!(ext_file_systems(&mut Cursor::new(disk)).unwrap(), expected);
    }

    #[test]
    fn file_systems_are_found_with_and_without_partitions() {
        check(Vec::new(), &[]);
        check(disk(1), &[]);
        let mut whole = disk(8);
        magic(&mut whole, 0);
        check(whole, &[0]);

        let mut mbr = disk(64);
        mbr[510..512].copy_from_slice(&[0x55, 0xaa]);
        for (index, start) in [(0, 8_u32), (1, 32), (2, 4_000_000_000)] {
            let entry = 446 + index * 16;
            mbr[entry + 4] = 0x83;
            mbr[entry + 8..entry + 12].copy_from_slice(&start.to_le_bytes());
        }
        magic(&mut mbr, 32 * 512);
        check(mbr, &[32 * 512]);

        let mut gpt = disk(64);
        gpt[510..512].copy_from_slice(&[0x55, 0xaa]);
        gpt[450] = 0xee;
        gpt[512..520].copy_from_slice(b"EFI PART");
        gpt[512 + 72] = 2;
        gpt[512 + 80..512 + 84].copy_from_slice(&u32::MAX.to_le_bytes());
        gpt[512 + 84] = 128;
        for (index, start) in [(0, 20_u64), (3, 40), (4, u64::MAX)] {
            let entry = 1024 + index * 128;
            gpt[entry] = 1;
            gpt[entry + 32..entry + 40].copy_from_slice(&start.to_le_bytes());
        }
        magic(&mut gpt, 40 * 512);
        check(gpt, &[40 * 512]);
    }
}
