//! What clients of SFTP have open.

use std::io::{Read, Seek, SeekFrom, Write};

use russh_sftp::protocol::FileAttributes;

/// Something that is open.
pub enum Open {
    /// A file, spooled here.
    File(OpenFile),
    /// What is left of a folder's entries.
    Folder(Vec<(String, FileAttributes)>),
}

/// A file that is open.
pub struct OpenFile {
    /// Its path in the guest.
    pub path: String,
    /// Its content so far.
    pub spool: std::fs::File,
    /// Whether it goes to the guest when it is closed.
    pub changed: bool,
    /// Permission bits it gets then.
    pub mode: u32,
    /// What is set after that, if anything.
    pub wanted: FileAttributes,
}

impl OpenFile {
    /// Up to `length` bytes at `offset`; none at the end.
    ///
    /// # Errors
    ///
    /// When the spool cannot be read.
    pub fn read(&mut self, offset: u64, length: usize) -> std::io::Result<Vec<u8>> {
        self.spool.seek(SeekFrom::Start(offset))?;
        let mut data = Vec::with_capacity(length);
        (&self.spool).take(length as u64).read_to_end(&mut data)?;
        Ok(data)
    }

    /// Writes `data` at `offset`.
    ///
    /// # Errors
    ///
    /// When the spool cannot be written: no space, say.
    pub fn write(&mut self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.changed = true;
        self.spool.seek(SeekFrom::Start(offset))?;
        self.spool.write_all(data)
    }

    /// Bytes it has.
    ///
    /// # Errors
    ///
    /// When the spool cannot be asked.
    pub fn size(&self) -> std::io::Result<u64> {
        Ok(self.spool.metadata()?.len())
    }
}
