//! Writing the archive, with progress.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use kiln_sdk::{Event, Failure, Progress, ProgressUnit, RunContext};

use super::encoder::Encoder;
use super::format::{Container, Format};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// Counts the bytes that went in and reports them.
pub struct Meter {
    cx: RunContext,
    number: u64,
    label: String,
    total: u64,
    done: AtomicU64,
}

impl Meter {
    /// A meter for `total` bytes of work called `label`.
    pub fn new(cx: RunContext, label: String, total: u64) -> Self {
        let number = cx.link().number();
        Self {
            cx,
            number,
            label,
            total,
            done: AtomicU64::new(0),
        }
    }

    fn add(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.report(done, false);
    }

    fn report(&self, done: u64, ended: bool) {
        self.cx.link().offer(Event::Progress(Progress {
            number: self.number,
            label: self.label.clone(),
            done,
            total: Some(self.total),
            unit: ProgressUnit::Bytes,
            ended,
        }));
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.report(self.done.load(Ordering::Relaxed), true);
    }
}

/// A reader that stops when told to, and counts.
struct Metered<'a> {
    file: File,
    meter: &'a Meter,
    stopped: &'a dyn Fn() -> bool,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if (self.stopped)() {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "cancelled",
            ));
        }
        let count = self.file.read(buffer)?;
        self.meter.add(count as u64);
        Ok(count)
    }
}

/// Writes `files` to `part`, which is complete when this returns without an error.
///
/// # Errors
///
/// With the file that could not be read or written; cancelled when `stopped` said so.
pub fn write(
    format: Format,
    level: i64,
    files: &[PathBuf],
    part: &Path,
    meter: &Meter,
    stopped: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    let failed = |path: &Path, error: io::Error| {
        if stopped() {
            Failure::cancelled()
        } else {
            Failure::new(format!(
                "cannot write `{}` to the archive: {error}",
                path.display()
            ))
        }
    };
    if let Some(parent) = part.parent() {
        std::fs::create_dir_all(parent).map_err(|error| {
            Failure::new(format!(
                "cannot create folder `{}`: {error}",
                parent.display()
            ))
        })?;
    }
    let sink = File::create(part).map_err(|error| {
        Failure::new(format!(
            "cannot create archive `{}`: {error}",
            part.display()
        ))
    })?;
    let result = match format.container {
        Container::Zip => write_zip(sink, level, files, meter, stopped),
        Container::Tar => Encoder::new(format.compression, level, sink)
            .map_err(|error| (part.to_owned(), error))
            .and_then(|encoder| write_tar(encoder, files, part, meter, stopped)),
        Container::None => Encoder::new(format.compression, level, sink)
            .map_err(|error| (part.to_owned(), error))
            .and_then(|encoder| write_single(encoder, files, part, meter, stopped)),
    };
    result.map_err(|(path, error)| failed(&path, error))
}

type Written = Result<(), (PathBuf, io::Error)>;

fn open<'a>(
    path: &Path,
    meter: &'a Meter,
    stopped: &'a dyn Fn() -> bool,
) -> Result<Metered<'a>, (PathBuf, io::Error)> {
    let file = File::open(path).map_err(|error| (path.to_owned(), error))?;
    Ok(Metered {
        file,
        meter,
        stopped,
    })
}

fn base_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn write_tar(
    encoder: Encoder,
    files: &[PathBuf],
    part: &Path,
    meter: &Meter,
    stopped: &dyn Fn() -> bool,
) -> Written {
    let mut archive = tar::Builder::new(encoder);
    for path in files {
        let at = |error: io::Error| (path.clone(), error);
        let reader = open(path, meter, stopped)?;
        let metadata = reader.file.metadata().map_err(at)?;
        let mut header = tar::Header::new_gnu();
        header.set_metadata(&metadata);
        header.set_size(metadata.len());
        let mut exact = reader.take(metadata.len());
        archive
            .append_data(&mut header, base_name(path), &mut exact)
            .map_err(at)?;
        if exact.limit() > 0 {
            let shrunk = io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter");
            return Err(at(shrunk));
        }
    }
    let end = |error: io::Error| (part.to_owned(), error);
    archive.into_inner().and_then(Encoder::finish).map_err(end)
}

fn write_single(
    mut encoder: Encoder,
    files: &[PathBuf],
    part: &Path,
    meter: &Meter,
    stopped: &dyn Fn() -> bool,
) -> Written {
    for path in files {
        let mut reader = open(path, meter, stopped)?;
        copy(&mut reader, &mut encoder).map_err(|error| (path.clone(), error))?;
    }
    encoder.finish().map_err(|error| (part.to_owned(), error))
}

fn write_zip(
    sink: File,
    level: i64,
    files: &[PathBuf],
    meter: &Meter,
    stopped: &dyn Fn() -> bool,
) -> Written {
    let mut archive = zip::ZipWriter::new(io::BufWriter::with_capacity(CHUNK_BYTES, sink));
    let mut last = PathBuf::new();
    for path in files {
        let at = |error: io::Error| (path.clone(), error);
        let mut reader = open(path, meter, stopped)?;
        let metadata = reader.file.metadata().map_err(at)?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .compression_level((level > 0).then_some(level))
            .large_file(metadata.len() >= u64::from(u32::MAX))
            .unix_permissions(mode);
        archive
            .start_file(base_name(path), options)
            .map_err(|e| at(io::Error::other(e)))?;
        copy(&mut reader, &mut archive).map_err(at)?;
        last.clone_from(path);
    }
    archive
        .finish()
        .map_err(io::Error::other)
        .and_then(|mut sink| sink.flush())
        .map_err(|error| (last, error))
}

fn copy(reader: &mut impl Read, writer: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        writer.write_all(&buffer[..count])?;
    }
}
