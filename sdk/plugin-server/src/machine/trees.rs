//! Trees as streams of messages.

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use plugin_wire::stream::CHUNK_BYTES;
use plugin_wire::v1::tree_chunk::Part;
use plugin_wire::v1::tree_entry::Kind;
use plugin_wire::v1::{TreeChunk, TreeEntry};
use sdk_communicator::CommunicatorError;
use sdk_communicator::tree::{Entries, Entry};
use tonic::Status;

use super::fault::from_status;

/// The messages of one entry: one, or several for a long piece of a file.
pub(super) fn to_chunks(entry: Entry) -> BoxStream<'static, TreeChunk> {
    let head = |path, kind: Kind, mode, size, target| {
        let entry = TreeEntry {
            path,
            kind: kind.into(),
            mode,
            size,
            target,
        };
        stream::iter([TreeChunk {
            part: Some(Part::Entry(entry)),
        }])
        .boxed()
    };
    match entry {
        Entry::Directory { path, mode } => head(path, Kind::Directory, mode, 0, String::new()),
        Entry::File { path, mode, size } => head(path, Kind::File, mode, size, String::new()),
        Entry::Symlink { path, target } => head(path, Kind::Symlink, 0, 0, target),
        Entry::Data(data) => stream::iter(pieces(data))
            .map(|piece| TreeChunk {
                part: Some(Part::Data(piece)),
            })
            .boxed(),
    }
}

/// `data` in pieces that fit into one message each.
pub(super) fn pieces(mut data: Bytes) -> impl Iterator<Item = Bytes> + Send {
    std::iter::from_fn(move || {
        let size = data.len().min(CHUNK_BYTES);
        (size > 0).then(|| data.split_to(size))
    })
}

/// The entries of messages that follow a header.
pub(super) fn to_entries(
    chunks: impl Stream<Item = Result<TreeChunk, Status>> + Send + 'static,
    operation: String,
) -> Entries {
    chunks
        .map(move |chunk| {
            let part = chunk
                .map_err(|status| from_status(&status, &operation))?
                .part;
            part.and_then(to_entry)
                .ok_or_else(|| CommunicatorError::Broken {
                    operation: operation.clone(),
                    seen: "a message that is no part of a tree".to_owned(),
                })
        })
        .boxed()
}

fn to_entry(part: Part) -> Option<Entry> {
    match part {
        Part::Header(_) => None,
        Part::Data(data) => Some(Entry::Data(data)),
        Part::Entry(entry) => {
            let kind = entry.kind();
            let TreeEntry {
                path,
                mode,
                size,
                target,
                ..
            } = entry;
            match kind {
                Kind::Directory => Some(Entry::Directory { path, mode }),
                Kind::File => Some(Entry::File { path, mode, size }),
                Kind::Symlink => Some(Entry::Symlink { path, target }),
                Kind::Unspecified => None,
            }
        }
    }
}
