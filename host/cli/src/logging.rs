//! The log: `PACKER_LOG` turns it on, `PACKER_LOG_PATH` names its file.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use host_ui::Redactor;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

/// A log could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the log `{}` that PACKER_LOG_PATH names", path.display())]
pub struct LogError {
    path: PathBuf,
    source: io::Error,
}

/// Starts logging when the environment asks for it. `on` is `PACKER_LOG`, `path` is
/// `PACKER_LOG_PATH`; a path alone turns the log on, too, and then nothing goes to standard error.
///
/// # Errors
///
/// When the file cannot be created.
pub fn start(on: Option<&str>, path: Option<&str>, redactor: &Redactor) -> Result<(), LogError> {
    let path = path.filter(|path| !path.is_empty());
    let on = on.is_some_and(|value| !value.is_empty() && value != "0");
    let sink: Box<dyn Write + Send> = match path {
        Some(path) => {
            let file = private_file(path).map_err(|source| LogError {
                path: PathBuf::from(path),
                source,
            })?;
            Box::new(file)
        }
        None if on => Box::new(io::stderr()),
        None => return Ok(()),
    };
    let writer = Cleaned {
        sink: Arc::new(Mutex::new(sink)),
        redactor: redactor.clone(),
    };
    let filter = EnvFilter::new("debug,h2=warn,hyper=warn,tower=warn,tonic=warn,hyper_util=warn");
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(false)
        .event_format(GoFormat)
        .finish();
    // Only a second start could fail, and there is none.
    drop(tracing::subscriber::set_global_default(subscriber));
    Ok(())
}

/// A new, empty file for the owner only: a log has more in it than the output.
fn private_file(path: &str) -> io::Result<File> {
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

/// `2026/01/02 03:04:05 [INFO] message field=value`, as tools that read Packer's log expect.
struct GoFormat;

impl<S, N> FormatEvent<S, N> for GoFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        cx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let now = jiff::Zoned::now();
        let level = match *event.metadata().level() {
            Level::ERROR => "ERROR",
            Level::WARN => "WARN",
            Level::INFO => "INFO",
            Level::DEBUG => "DEBUG",
            Level::TRACE => "TRACE",
        };
        write!(writer, "{} [{level}] ", now.strftime("%Y/%m/%d %H:%M:%S"))?;
        cx.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// A writer of whole lines without secrets.
#[derive(Clone)]
struct Cleaned {
    sink: Arc<Mutex<Box<dyn Write + Send>>>,
    redactor: Redactor,
}

impl<'a> MakeWriter<'a> for Cleaned {
    type Writer = LineWriter;

    fn make_writer(&'a self) -> LineWriter {
        LineWriter {
            line: Vec::new(),
            to: self.clone(),
        }
    }
}

/// Collects one event and writes it, cleaned, when dropped.
struct LineWriter {
    line: Vec<u8>,
    to: Cleaned,
}

impl Write for LineWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for LineWriter {
    fn drop(&mut self) {
        let text = self.to.redactor.clean(&String::from_utf8_lossy(&self.line));
        let mut sink = self.to.sink.lock().unwrap_or_else(PoisonError::into_inner);
        // There is nowhere left to report a log that cannot be written.
        drop(sink.write_all(text.as_bytes()).and_then(|()| sink.flush()));
    }
}
