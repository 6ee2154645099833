//! What is in an OVA, without unpacking it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use kiln_sdk::archive::{Content, Entry};

use super::base_name;

/// The longest OVF that is read, in bytes. Real ones have some kilobytes.
pub(crate) const OVF_LIMIT: u64 = 16 << 20;

/// The files in the OVA at `path`, by their base names, as parts of it.
///
/// # Errors
///
/// When it cannot be read or is no tar.
pub(crate) fn members(path: &Path) -> io::Result<Vec<Entry>> {
    let mut archive = tar::Archive::new(File::open(path)?);
    let mut members = Vec::new();
    for member in archive.entries_with_seek()? {
        let member = member?;
        if !member.header().entry_type().is_file() {
            continue;
        }
        // Only the base name counts: an OVA is flat, and a hostile one must not leave the box.
        let name = base_name(&member.path()?);
        if name.is_empty() {
            continue;
        }
        members.push(Entry {
            name,
            content: Content::Part {
                path: path.to_owned(),
                offset: member.raw_file_position(),
                bytes: member.size(),
            },
        });
    }
    Ok(members)
}

/// The text of an entry.
///
/// # Errors
///
/// When it cannot be read, is too long or not text.
pub(crate) fn text(entry: &Entry) -> io::Result<String> {
    let mut text = String::new();
    let reader: Box<dyn Read> = match &entry.content {
        Content::File(path) => Box::new(File::open(path)?),
        Content::Part {
            path,
            offset,
            bytes,
        } => {
            let mut file = File::open(path)?;
            io::Seek::seek(&mut file, io::SeekFrom::Start(*offset))?;
            Box::new(file.take(*bytes))
        }
        Content::Memory(data) => Box::new(io::Cursor::new(data.clone())),
    };
    reader.take(OVF_LIMIT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > OVF_LIMIT {
        return Err(io::Error::other("it is too long to be an OVF"));
    }
    Ok(text)
}
