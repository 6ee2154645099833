//! The journal of resources: on disk before they are created.
//!
//! A journal is a file of JSON lines. A resource is written and synced before the plugin may create
//! it, and crossed out once it is gone. What is not crossed out when its run is dead has been left
//! behind.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::error::ClientError;

/// Something that would outlive a crash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What it is, for example `process`, `directory`, or a word of the plugin's own.
    pub kind: String,
    /// Which one.
    pub id: String,
    /// What the plugin needs to remove it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reclaim: BTreeMap<String, String>,
}

/// The plugin that can remove a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// Its name, for example `qemu`.
    pub name: String,
    /// Where it comes from, for example `github.com/acme/rocket`; empty when it came with kiln.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The executable that is started.
    pub path: PathBuf,
    /// The plugin of another kind that the executable runs, when it is a bridge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Behind>,
    /// What it declares that it needs, when it is confined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confined: Option<Vec<String>>,
}

/// A plugin that does not speak kiln's protocol and is run through a bridge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Behind {
    /// Its executable.
    pub executable: PathBuf,
    /// What its components are named after.
    pub name: String,
}

impl Owner {
    /// Whether everything it consists of is still there.
    pub(crate) fn is_present(&self) -> bool {
        let behind = self.behind.as_ref();
        self.path.exists() && behind.is_none_or(|behind| behind.executable.exists())
    }
}

/// A resource that is part of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    /// Who can remove it.
    pub owner: Owner,
    /// What it is.
    pub resource: Resource,
}

/// A resource on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Unique in the journal, ascending.
    pub number: u64,
    /// Who can remove it.
    pub owner: Owner,
    /// What it is.
    pub resource: Resource,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Created(Box<Entry>),
    Released(u64),
}

/// The resources that are in existence, on disk before they are created. Clones are the same
/// journal.
#[derive(Clone, Debug)]
pub struct Journal {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Made when there is something to write.
    file: Option<File>,
    last: u64,
    entries: BTreeMap<u64, Entry>,
}

impl Journal {
    /// An empty journal; the file is made with the first entry.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            inner: Arc::new(Inner {
                path,
                state: Mutex::default(),
            }),
        }
    }

    /// Reads the journal of a dead run, for crossing out what is removed now. A missing file is an
    /// empty journal. Lines that cannot be read are skipped: the last one may be torn, and its
    /// resource was never created.
    pub(crate) fn read(path: PathBuf) -> io::Result<Self> {
        let text = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut state = State::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            match serde_json::from_str(line) {
                Ok(Line::Created(entry)) => {
                    state.last = state.last.max(entry.number);
                    state.entries.insert(entry.number, *entry);
                }
                Ok(Line::Released(number)) => drop(state.entries.remove(&number)),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "unreadable journal line")
                }
            }
        }
        Ok(Self {
            inner: Arc::new(Inner {
                path,
                state: Mutex::new(state),
            }),
        })
    }

    /// What is on record and not crossed out, oldest first.
    #[must_use]
    pub fn unreleased(&self) -> Vec<Entry> {
        let state = self
            .inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        state.entries.values().cloned().collect()
    }

    /// Puts a resource on record. It is on disk when this returns.
    pub(crate) async fn record(
        &self,
        owner: Owner,
        resource: Resource,
    ) -> Result<u64, ClientError> {
        self.blocking(move |inner| inner.record(owner, resource))
            .await
    }

    /// Crosses a resource out.
    pub(crate) async fn release(&self, number: u64) -> Result<(), ClientError> {
        self.blocking(move |inner| inner.release(number)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> io::Result<T> + Send + 'static,
    ) -> Result<T, ClientError> {
        let inner = Arc::clone(&self.inner);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        // Joining fails only when the runtime is shutting down.
        done.unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|source| ClientError::Journal {
                path: self.inner.path.clone(),
                source,
            })
    }
}

impl Inner {
    fn record(&self, owner: Owner, resource: Resource) -> io::Result<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = Entry {
            number: state.last + 1,
            owner,
            resource,
        };
        let line = Line::Created(Box::new(entry.clone()));
        append(&mut state.file, &self.path, &line)?;
        state.last = entry.number;
        state.entries.insert(entry.number, entry);
        Ok(state.last)
    }

    fn release(&self, number: u64) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.entries.contains_key(&number) {
            return Ok(());
        }
        // Synced as well: what has become an artifact must not be taken for a leftover.
        append(&mut state.file, &self.path, &Line::Released(number))?;
        state.entries.remove(&number);
        Ok(())
    }
}

fn append(file: &mut Option<File>, path: &Path, line: &Line) -> io::Result<()> {
    let handle = match file {
        Some(handle) => handle,
        None => file.insert(open(path)?),
    };
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    let written = handle.write_all(&bytes).and_then(|()| handle.sync_data());
    if written.is_err() {
        // The line may be torn; opening the file again ends it.
        *file = None;
    }
    written
}

fn open(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    // A torn line at the end must not swallow the next one.
    file.write_all(b"\n")?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            behind: None,
            confined: None,
            name: "qemu".into(),
            source: String::new(),
            path: "/p/kiln-plugin-qemu".into(),
        }
    }

    fn resource(id: &str) -> Resource {
        Resource {
            kind: "file".into(),
            id: id.into(),
            reclaim: BTreeMap::new(),
        }
    }

    fn ids(journal: &Journal) -> Vec<String> {
        journal
            .unreleased()
            .into_iter()
            .map(|entry| entry.resource.id)
            .collect()
    }

    #[tokio::test]
    async fn keeps_what_was_not_released() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = Journal::new(path.clone());
        assert!(!path.exists());
        let first = journal.record(owner(), resource("/a")).await.unwrap();
        journal.record(owner(), resource("/b")).await.unwrap();
        journal.release(first).await.unwrap();
        assert_eq!(ids(&journal), ["/b"]);
        assert_eq!(ids(&Journal::read(path).unwrap()), ["/b"]);
    }

    #[tokio::test]
    async fn a_torn_line_hides_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let journal = Journal::new(path.clone());
        journal.record(owner(), resource("/a")).await.unwrap();
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"created\":{\"numb");
        std::fs::write(&path, text).unwrap();
        let again = Journal::read(path.clone()).unwrap();
        assert_eq!(ids(&again), ["/a"]);
        again.record(owner(), resource("/c")).await.unwrap();
        assert_eq!(ids(&Journal::read(path).unwrap()), ["/a", "/c"]);
    }

    #[test]
    fn a_missing_journal_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ids(&Journal::read(folder.path().join("none")).unwrap()).is_empty());
    }

    #[tokio::test]
    async fn a_resource_that_cannot_be_recorded_is_an_error() {
        let journal = Journal::new("/nonexistent/journal.jsonl".into());
        let error = journal.record(owner(), resource("/a")).await.unwrap_err();
        assert!(error.to_string().contains("/nonexistent/journal.jsonl"));
        assert!(ids(&journal).is_empty());
    }
}
