//! Files one behind the other: tar, and a single file.

use std::io::{self, Write};
use std::path::Path;

use sdk_component::Meter;
use tokio_util::sync::CancellationToken;

use crate::entry::{Entry, Source};
use crate::error::ArchiveError;

/// Bytes copied at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// Writes a tar of `entries` into `sink` and gives the sink back.
pub(crate) fn write_tar<W: Write>(
    sink: W,
    entries: &[Entry],
    target: &Path,
    meter: &Meter,
    cancel: &CancellationToken,
) -> Result<W, ArchiveError> {
    let mut archive = tar::Builder::new(sink);
    for entry in entries {
        let mut source = Source::open(entry, meter, cancel)?;
        let mut header = tar::Header::new_gnu();
        match &source.facts {
            Some(facts) => header.set_metadata(facts),
            None => {
                header.set_mode(0o644);
                header.set_mtime(now());
            }
        }
        header.set_size(source.bytes);
        archive
            .append_data(&mut header, &entry.name, &mut source)
            .map_err(|error| source.judge(entry, target, error))?;
    }
    archive.into_inner().map_err(|source| ArchiveError::Write {
        path: target.to_owned(),
        source,
    })
}

/// Writes the content of the only entry into `sink`.
pub(crate) fn write_single(
    sink: &mut impl Write,
    entries: &[Entry],
    target: &Path,
    meter: &Meter,
    cancel: &CancellationToken,
) -> Result<(), ArchiveError> {
    let [entry] = entries else {
        let count = entries.len();
        return Err(ArchiveError::NotOneFile { count });
    };
    let mut source = Source::open(entry, meter, cancel)?;
    copy(&mut source, sink).map_err(|error| source.judge(entry, target, error))
}

/// Copies everything, in large pieces.
pub(crate) fn copy(source: &mut impl io::Read, sink: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => sink.write_all(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
