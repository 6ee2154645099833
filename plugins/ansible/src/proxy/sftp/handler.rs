//! The requests of SFTP, version 3.

use std::collections::HashMap;
use std::io::Seek;
use std::path::PathBuf;
use std::sync::Arc;

use kiln_sdk::Communicator;
use kiln_sdk::communicator::FileTarget;
use russh_sftp::protocol::{
    Attrs, Data, File, FileAttributes, Handle, Name, OpenFlags, Status, StatusCode,
};
use russh_sftp::server::{Handler, StatusReply};

use super::failure;
use super::guest::{Guest, Links};
use super::handle::{Open, OpenFile};

/// The most that one request reads, in bytes.
const READ_BYTES: usize = 256 << 10;
/// Entries of a folder in one answer.
const ENTRIES: usize = 100;
/// Things that may be open at once.
const OPEN_LIMIT: usize = 256;

/// One client.
pub struct Sftp {
    guest: Guest,
    spool: PathBuf,
    open: HashMap<String, Open>,
    next: u64,
}

impl Sftp {
    pub fn new(machine: Arc<dyn Communicator>, spool: PathBuf) -> Self {
        Self {
            guest: Guest { machine },
            spool,
            open: HashMap::new(),
            next: 0,
        }
    }

    fn keep(&mut self, id: u32, open: Open) -> Result<Handle, StatusReply> {
        if self.open.len() >= OPEN_LIMIT {
            return Err(failure(StatusCode::Failure, "too many files are open"));
        }
        self.next += 1;
        let handle = self.next.to_string();
        self.open.insert(handle.clone(), open);
        Ok(Handle { id, handle })
    }

    fn file(&mut self, handle: &str) -> Result<&mut OpenFile, StatusReply> {
        match self.open.get_mut(handle) {
            Some(Open::File(file)) => Ok(file),
            _ => Err(failure(StatusCode::Failure, "this is no open file")),
        }
    }

    /// A spool with the file's content in it.
    async fn fetch(&self, path: &str) -> Result<std::fs::File, StatusReply> {
        let spool = tempfile::tempfile_in(&self.spool).map_err(local)?;
        let sink = tokio::fs::File::from_std(spool.try_clone().map_err(local)?);
        let machine = &self.guest.machine;
        let downloaded = machine.download(path, Box::new(sink)).await;
        downloaded.map_err(|error| failure(StatusCode::Failure, error.to_string()))?;
        Ok(spool)
    }

    async fn send(&self, mut file: OpenFile) -> Result<(), StatusReply> {
        let size = file.size().map_err(local)?;
        file.spool.rewind().map_err(local)?;
        let target = FileTarget {
            path: file.path.clone(),
            mode: file.mode & 0o7777,
            size: Some(size),
        };
        let source = tokio::fs::File::from_std(file.spool);
        let machine = &self.guest.machine;
        let uploaded = machine.upload(target, Box::new(source)).await;
        uploaded.map_err(|error| failure(StatusCode::Failure, error.to_string()))?;
        self.guest.change(&file.path, &file.wanted).await
    }
}

/// The folder a file is in.
fn parent(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => ".",
    }
}

/// A failure of this machine's files.
fn local(error: std::io::Error) -> StatusReply {
    failure(
        StatusCode::Failure,
        format!("the proxy's own disk: {error}"),
    )
}

fn done(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: "Ok".to_owned(),
        language_tag: "en".to_owned(),
    }
}

impl Handler for Sftp {
    type Error = StatusReply;

    fn unimplemented(&self) -> Self::Error {
        StatusCode::OpUnsupported.into()
    }

    async fn open(
        &mut self,
        id: u32,
        filename: String,
        pflags: OpenFlags,
        attrs: FileAttributes,
    ) -> Result<Handle, Self::Error> {
        let there = match self.guest.stat(&filename, Links::Follow).await {
            Ok(found) => Some(found),
            Err(reply) if reply.status_code == StatusCode::NoSuchFile => None,
            Err(reply) => return Err(reply),
        };
        let creates = pflags.contains(OpenFlags::CREATE);
        match &there {
            Some(found) if found.is_dir() => {
                return Err(failure(StatusCode::Failure, "it is a folder"));
            }
            Some(_) if creates && pflags.contains(OpenFlags::EXCLUDE) => {
                return Err(failure(StatusCode::Failure, "the file exists"));
            }
            None if !creates => return Err(failure(StatusCode::NoSuchFile, "no such file")),
            // A missing folder is said now: at the end, clients do not say what failed.
            None => drop(self.guest.stat(parent(&filename), Links::Follow).await?),
            Some(_) => {}
        }
        let empty = there.is_none() || pflags.contains(OpenFlags::TRUNCATE);
        let spool = if empty {
            tempfile::tempfile_in(&self.spool).map_err(local)?
        } else {
            self.fetch(&filename).await?
        };
        let mode = there.and_then(|found| found.permissions);
        let file = OpenFile {
            path: filename,
            spool,
            changed: pflags.contains(OpenFlags::WRITE) && empty,
            mode: mode.or(attrs.permissions).unwrap_or(0o644),
            wanted: FileAttributes::empty(),
        };
        self.keep(id, Open::File(file))
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, Self::Error> {
        match self.open.remove(&handle) {
            Some(Open::File(file)) if file.changed => self.send(file).await?,
            Some(_) => {}
            None => return Err(failure(StatusCode::Failure, "this is not open")),
        }
        Ok(done(id))
    }

    async fn read(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        len: u32,
    ) -> Result<Data, Self::Error> {
        let length = usize::try_from(len).unwrap_or(READ_BYTES).min(READ_BYTES);
        let data = self.file(&handle)?.read(offset, length).map_err(local)?;
        if data.is_empty() {
            return Err(StatusCode::Eof.into());
        }
        Ok(Data { id, data })
    }

    async fn write(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        data: Vec<u8>,
    ) -> Result<Status, Self::Error> {
        let file = self.file(&handle)?;
        file.write(offset, &data).map_err(local)?;
        Ok(done(id))
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, Self::Error> {
        let attrs = self.guest.stat(&path, Links::Keep).await?;
        Ok(Attrs { id, attrs })
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, Self::Error> {
        let attrs = self.guest.stat(&path, Links::Follow).await?;
        Ok(Attrs { id, attrs })
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, Self::Error> {
        let file = self.file(&handle)?;
        let attrs = FileAttributes {
            size: Some(file.size().map_err(local)?),
            permissions: Some(0o100_000 | (file.mode & 0o7777)),
            ..FileAttributes::empty()
        };
        Ok(Attrs { id, attrs })
    }

    async fn setstat(
        &mut self,
        id: u32,
        path: String,
        attrs: FileAttributes,
    ) -> Result<Status, Self::Error> {
        self.guest.change(&path, &attrs).await?;
        Ok(done(id))
    }

    async fn fsetstat(
        &mut self,
        id: u32,
        handle: String,
        attrs: FileAttributes,
    ) -> Result<Status, Self::Error> {
        let file = self.file(&handle)?;
        if let Some(size) = attrs.size {
            file.changed = true;
            file.spool.set_len(size).map_err(local)?;
        }
        let rest = FileAttributes {
            size: None,
            ..attrs
        };
        if file.changed {
            file.mode = rest.permissions.unwrap_or(file.mode);
            file.wanted = rest;
        } else {
            let path = file.path.clone();
            self.guest.change(&path, &rest).await?;
        }
        Ok(done(id))
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, Self::Error> {
        let mut entries = self.guest.list(&path).await?;
        // They are handed out from the end.
        entries.reverse();
        self.keep(id, Open::Folder(entries))
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, Self::Error> {
        let Some(Open::Folder(entries)) = self.open.get_mut(&handle) else {
            return Err(failure(StatusCode::Failure, "this is no open folder"));
        };
        let first = entries.len().saturating_sub(ENTRIES);
        let files: Vec<File> = entries
            .drain(first..)
            .rev()
            .map(|(name, attrs)| File::new(name, attrs))
            .collect();
        if files.is_empty() {
            return Err(StatusCode::Eof.into());
        }
        Ok(Name { id, files })
    }

    async fn remove(&mut self, id: u32, filename: String) -> Result<Status, Self::Error> {
        self.guest.remove_file(&filename).await?;
        Ok(done(id))
    }

    async fn mkdir(
        &mut self,
        id: u32,
        path: String,
        attrs: FileAttributes,
    ) -> Result<Status, Self::Error> {
        self.guest.make_folder(&path, attrs.permissions).await?;
        Ok(done(id))
    }

    async fn rmdir(&mut self, id: u32, path: String) -> Result<Status, Self::Error> {
        self.guest.remove_folder(&path).await?;
        Ok(done(id))
    }

    async fn realpath(&mut self, id: u32, path: String) -> Result<Name, Self::Error> {
        let path = self.guest.absolute(&path).await?;
        Ok(Name {
            id,
            files: vec![File::dummy(path)],
        })
    }

    async fn rename(
        &mut self,
        id: u32,
        oldpath: String,
        newpath: String,
    ) -> Result<Status, Self::Error> {
        self.guest.rename(&oldpath, &newpath).await?;
        Ok(done(id))
    }

    async fn readlink(&mut self, id: u32, path: String) -> Result<Name, Self::Error> {
        let target = self.guest.target(&path).await?;
        Ok(Name {
            id,
            files: vec![File::dummy(target)],
        })
    }
}
