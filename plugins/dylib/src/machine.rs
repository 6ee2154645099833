//! A machine that a library made, for provisioners in other processes.

use std::ffi::{c_char, c_int, c_void};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kiln_sdk::communicator::{
    Command, Communicator, CommunicatorError, Exit, FileTarget, Output, Reader, Writer, tree,
};
use tokio::sync::{RwLock, mpsc};

use crate::abi::{self, FAULT_BYTES, Machine};
use crate::library::{c_text, text};

/// What messages call it.
const NAME: &str = "library";

/// The library's functions and their data.
#[derive(Clone, Copy)]
struct Functions(Machine);

// SAFETY: the header says that the functions may be called from several threads, with this data.
unsafe impl Send for Functions {}
// SAFETY: the same.
unsafe impl Sync for Functions {}

/// A machine that a library made. Its functions block, so each call has a thread; one that its caller
/// has left is waited for by [`Foreign::close`].
pub(crate) struct Foreign {
    /// `None` when the library has taken the machine back.
    functions: Arc<RwLock<Option<Functions>>>,
}

impl Foreign {
    /// The machine at an address; `None` for no address.
    ///
    /// # Safety
    ///
    /// `machine` is null, or its first `size` bytes can be read, and its functions can be called until
    /// [`Foreign::close`] has returned.
    pub(crate) unsafe fn of(machine: *const Machine) -> Option<Self> {
        if machine.is_null() {
            return None;
        }
        let mut own = Machine {
            size: 0,
            data: std::ptr::null_mut(),
            execute: None,
            upload: None,
            download: None,
            upload_tree: None,
            download_tree: None,
        };
        // SAFETY: as promised by the caller. A library made for an earlier header has fewer functions;
        // absent ones stay `None`, which is what null is.
        unsafe {
            let size = (*machine).size.min(size_of::<Machine>());
            std::ptr::copy_nonoverlapping(machine.cast::<u8>(), (&raw mut own).cast(), size);
        }
        Some(Self {
            functions: Arc::new(RwLock::new(Some(Functions(own)))),
        })
    }

    /// Takes the functions back, when every call of them has returned.
    pub(crate) async fn close(&self) {
        *self.functions.write().await = None;
    }

    /// Calls a function of the library on a thread of its own. It gets a buffer for the reason of a
    /// failure.
    async fn call<T: Send + 'static>(
        &self,
        operation: String,
        work: impl FnOnce(&Machine, *mut c_char) -> Option<(c_int, T)> + Send + 'static,
    ) -> Result<T, CommunicatorError> {
        let functions = Arc::clone(&self.functions).read_owned().await;
        let asked = operation.clone();
        let done = tokio::task::spawn_blocking(move || {
            let Some(Functions(machine)) = functions.as_ref() else {
                return Err(CommunicatorError::Unreachable {
                    seen: "the library has taken its machine back".to_owned(),
                });
            };
            let mut fault: [c_char; FAULT_BYTES] = [0; FAULT_BYTES];
            match work(machine, fault.as_mut_ptr()) {
                None => Err(unsupported(&operation)),
                Some((abi::OK, value)) => Ok(value),
                Some(_) => {
                    fault[FAULT_BYTES - 1] = 0;
                    // SAFETY: the buffer ends with a zero byte.
                    let message = unsafe { text(fault.as_ptr()) }.unwrap_or_default();
                    Err(CommunicatorError::Refused { operation, message })
                }
            }
        });
        done.await.unwrap_or_else(|error| {
            Err(CommunicatorError::Broken {
                operation: asked,
                seen: error.to_string(),
            })
        })
    }
}

fn unsupported(operation: &str) -> CommunicatorError {
    CommunicatorError::Unsupported {
        operation: operation.to_owned(),
        communicator: NAME.to_owned(),
    }
}

fn spool(operation: &str) -> Result<tempfile::TempDir, CommunicatorError> {
    tempfile::tempdir().map_err(|source| CommunicatorError::Io {
        operation: operation.to_owned(),
        source,
    })
}

/// Puts what `source` has into a file, because libraries take files.
async fn fill(path: &Path, mut source: Reader, operation: &str) -> Result<u64, CommunicatorError> {
    let copied = async {
        let mut file = tokio::fs::File::create(path).await?;
        let count = tokio::io::copy(&mut source, &mut file).await?;
        tokio::io::AsyncWriteExt::flush(&mut file).await?;
        Ok(count)
    };
    copied.await.map_err(|source| CommunicatorError::Io {
        operation: operation.to_owned(),
        source,
    })
}

/// Passes on what a command prints.
unsafe extern "C" fn pass(data: *mut c_void, error: c_int, bytes: *const c_char, length: usize) {
    // SAFETY: `data` is the sender that `exec` handed over, which waits for the command; the bytes are
    // good until this returns.
    let (sender, bytes) = unsafe {
        (
            &*data.cast_const().cast::<mpsc::Sender<Output>>(),
            match bytes.is_null() {
                true => &[][..],
                false => std::slice::from_raw_parts(bytes.cast::<u8>(), length),
            },
        )
    };
    let bytes = bytes.to_vec().into();
    let output = match error {
        0 => Output::Stdout(bytes),
        _ => Output::Stderr(bytes),
    };
    // Nobody listens any more when the caller has left.
    drop(sender.blocking_send(output));
}

#[async_trait]
impl Communicator for Foreign {
    async fn exec(
        &self,
        command: Command,
        output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        let operation = "command".to_owned();
        let folder = spool(&operation)?;
        let input = folder.path().join("input");
        let stdin = command
            .stdin
            .unwrap_or_else(|| Box::new(tokio::io::empty()));
        fill(&input, stdin, &operation).await?;
        let line = c_text(&command.command);
        let input = c_text(&input.to_string_lossy());
        let status = self.call(operation, move |machine, fault| {
            // It is there until the command has ended.
            let _folder = folder;
            let Some(execute) = machine.execute else {
                return Some((abi::OK, 0));
            };
            let mut status = 0;
            let sender = (&raw const output).cast_mut().cast();
            // SAFETY: everything that is handed over outlives the call.
            let done = unsafe {
                execute(
                    machine.data,
                    line.as_ptr(),
                    input.as_ptr(),
                    pass,
                    sender,
                    &raw mut status,
                    fault,
                )
            };
            Some((done, status))
        });
        let status = status.await?;
        Ok(Exit::Code(u32::try_from(status).unwrap_or(u32::MAX)))
    }

    async fn upload(&self, target: FileTarget, source: Reader) -> Result<u64, CommunicatorError> {
        let operation = format!("upload of {}", target.path);
        let folder = spool(&operation)?;
        let file = folder.path().join("file");
        let count = fill(&file, source, &operation).await?;
        let (local, path) = (c_text(&file.to_string_lossy()), c_text(&target.path));
        let done = self.call(operation, move |machine, fault| {
            let _folder = folder;
            let upload = machine.upload?;
            // SAFETY: everything that is handed over outlives the call.
            let done = unsafe {
                upload(
                    machine.data,
                    local.as_ptr(),
                    path.as_ptr(),
                    target.mode,
                    fault,
                )
            };
            Some((done, ()))
        });
        done.await.map(|()| count)
    }

    async fn download(&self, path: &str, mut sink: Writer) -> Result<u64, CommunicatorError> {
        let operation = format!("download of {path}");
        let folder = spool(&operation)?;
        let file = folder.path().join("file");
        let (local, path) = (c_text(&file.to_string_lossy()), c_text(path));
        let done = self.call(operation.clone(), move |machine, fault| {
            let download = machine.download?;
            // SAFETY: everything that is handed over outlives the call.
            let done = unsafe { download(machine.data, path.as_ptr(), local.as_ptr(), fault) };
            Some((done, folder))
        });
        // The folder goes when the file has been read.
        let _folder = done.await?;
        let copied = async {
            let mut file = tokio::fs::File::open(&file).await?;
            let count = tokio::io::copy(&mut file, &mut sink).await?;
            tokio::io::AsyncWriteExt::flush(&mut sink).await?;
            Ok(count)
        };
        copied
            .await
            .map_err(|source| CommunicatorError::Io { operation, source })
    }

    async fn upload_tree(
        &self,
        path: &str,
        entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        let operation = format!("upload of {path}");
        let folder = spool(&operation)?;
        let count = tree::write_local(entries, folder.path()).await?;
        let (local, path) = (c_text(&folder.path().to_string_lossy()), c_text(path));
        let done = self.call(operation, move |machine, fault| {
            let _folder = folder;
            let upload = machine.upload_tree?;
            // SAFETY: everything that is handed over outlives the call.
            let done = unsafe { upload(machine.data, local.as_ptr(), path.as_ptr(), fault) };
            Some((done, ()))
        });
        done.await.map(|()| count)
    }

    async fn download_tree(
        &self,
        path: &str,
        exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        let operation = format!("download of {path}");
        let folder = spool(&operation)?;
        let (local, path) = (c_text(&folder.path().to_string_lossy()), c_text(path));
        let done = self.call(operation, move |machine, fault| {
            let download = machine.download_tree?;
            // SAFETY: everything that is handed over outlives the call.
            let done = unsafe { download(machine.data, path.as_ptr(), local.as_ptr(), fault) };
            Some((done, folder))
        });
        let folder = done.await?;
        let options = tree::ReadOptions {
            exclude: exclude.to_vec(),
            ..tree::ReadOptions::default()
        };
        let entries = tree::read_local(folder.path(), options);
        // The folder goes when the last entry has been taken.
        let kept = futures::StreamExt::map(entries, move |entry| {
            let _folder = &folder;
            entry
        });
        Ok(Box::pin(kept))
    }

    async fn reconnect(&self, _limit: Option<Duration>) -> Result<(), CommunicatorError> {
        Ok(())
    }

    async fn forward(
        &self,
        _host: &str,
        _port: u16,
    ) -> Result<(Reader, Writer), CommunicatorError> {
        Err(unsupported("forward"))
    }
}
