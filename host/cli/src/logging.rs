//! The log: `PACKER_LOG` prints it, `PACKER_LOG_PATH` names its file; a build has one in any case.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use host_ui::{Outlet, Patience, Redactor};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

/// Name of the log in the folder of a run.
const FILE_NAME: &str = "kiln.log";
/// So much of the log is kept until it is known where it lies.
const WAITING_BYTES: usize = 1 << 20;
/// The log of a run ends when it is this long; what floods it must not fill the disk.
const RUN_LOG_BYTES: u64 = 64 << 20;
/// Libraries that say too much.
const QUIET: &str = "h2=warn,hyper=warn,tower=warn,tonic=warn,hyper_util=warn";

/// A log could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the log `{}` that PACKER_LOG_PATH names", path.display())]
pub struct LogError {
    path: PathBuf,
    source: io::Error,
}

/// What the environment says about the log.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// `PACKER_LOG`: print the log to standard error, unless there is a path.
    pub on: bool,
    /// Whether standard error is a terminal that shows the output as well.
    pub beside_output: bool,
    /// `PACKER_LOG_PATH`: write the log to this file; a path alone turns the log on, too.
    pub path: Option<&'a str>,
    /// Whether the command is one whose runs have a log of their own.
    pub has_runs: bool,
}

/// Where the log goes. Clones are the same log.
#[derive(Clone, Debug, Default)]
pub struct Log {
    sinks: Arc<Mutex<Sinks>>,
}

#[derive(Debug, Default)]
struct Sinks {
    /// What the environment asks for.
    asked: Option<Asked>,
    run: RunLog,
}

#[derive(Debug)]
enum Asked {
    Stderr {
        outlet: Outlet<io::Stderr>,
        /// Whether the output is seen there as well, and need not be repeated.
        beside_output: bool,
    },
    File(PathBuf, File),
}

/// The log in the folder of the run.
#[derive(Debug, Default)]
enum RunLog {
    /// There is none.
    #[default]
    Off,
    /// There is no folder yet.
    Waiting(Vec<u8>),
    /// The file, its path, and how much of it may still be written.
    File(PathBuf, File, u64),
}

impl Log {
    /// Starts logging when the environment or the command asks for it.
    ///
    /// # Errors
    ///
    /// When the file that the environment names cannot be created.
    pub fn start(
        wish: Wish<'_>,
        redactor: &Redactor,
        patience: &Patience,
    ) -> Result<Self, LogError> {
        let path = wish.path.filter(|path| !path.is_empty());
        let asked = match path {
            Some(path) => {
                let file = private_file(Path::new(path)).map_err(|source| LogError {
                    path: PathBuf::from(path),
                    source,
                })?;
                Some(Asked::File(PathBuf::from(path), file))
            }
            None => wish.on.then(|| Asked::Stderr {
                outlet: Outlet::new(io::stderr(), patience.clone()),
                beside_output: wish.beside_output,
            }),
        };
        let run = if wish.has_runs && path.is_none() {
            RunLog::Waiting(Vec::new())
        } else {
            RunLog::Off
        };
        let level = if asked.is_some() { "debug" } else { "info" };
        let is_needed = asked.is_some() || wish.has_runs;
        let log = Self {
            sinks: Arc::new(Mutex::new(Sinks { asked, run })),
        };
        if is_needed {
            let subscriber = tracing_subscriber::fmt()
                .with_env_filter(EnvFilter::new(format!("{level},{QUIET}")))
                .with_writer(Cleaned {
                    log: log.clone(),
                    redactor: redactor.clone(),
                })
                .with_ansi(false)
                .event_format(GoFormat)
                .finish();
            // Only a second start could fail, and there is none.
            drop(tracing::subscriber::set_global_default(subscriber));
        }
        Ok(log)
    }

    /// From now on the run's own log is in this folder; what was said before comes first.
    pub fn settle(&self, folder: &Path) {
        let path = folder.join(FILE_NAME);
        let opened = private_file(&path);
        let mut sinks = self.lock();
        let RunLog::Waiting(said) = std::mem::take(&mut sinks.run) else {
            return;
        };
        match opened {
            Ok(file) => {
                sinks.run = RunLog::File(path, file, RUN_LOG_BYTES);
                sinks.run.write(&said);
            }
            Err(error) => {
                drop(sinks);
                tracing::warn!(path = %path.display(), %error, "cannot keep a log of the run");
            }
        }
    }

    /// The file that has the log of this run.
    pub fn path(&self) -> Option<PathBuf> {
        let sinks = self.lock();
        match (&sinks.run, &sinks.asked) {
            (RunLog::File(path, ..), _) | (_, Some(Asked::File(path, _))) => Some(path.clone()),
            _ => None,
        }
    }

    /// Takes out of the log's file what was found to be a secret after it was written. For the end
    /// of a run.
    pub fn clean(&self, redactor: &Redactor) {
        let mut sinks = self.lock();
        let Sinks { asked, run } = &mut *sinks;
        let done = match (run, asked) {
            (RunLog::File(_, file, _), _) | (_, Some(Asked::File(_, file))) => {
                clean_file(file, redactor)
            }
            _ => Ok(()),
        };
        drop(sinks);
        if let Err(error) = done {
            tracing::warn!(%error, "the log cannot be looked through for secrets");
        }
    }

    /// Whether the log is in the folder of the run.
    pub fn is_in_run_folder(&self) -> bool {
        matches!(self.lock().run, RunLog::File(..))
    }

    fn lock(&self) -> MutexGuard<'_, Sinks> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes whole lines. A log that cannot be written is no reason for a build to fail, and there
    /// is nowhere left to report it.
    fn write(&self, text: &str) {
        let mut sinks = self.lock();
        let done = match &mut sinks.asked {
            Some(Asked::Stderr {
                beside_output: true,
                ..
            }) if is_output(text) => Ok(()),
            Some(Asked::Stderr { outlet, .. }) => outlet.write_all(text.as_bytes()),
            Some(Asked::File(_, file)) => file.write_all(text.as_bytes()),
            None => Ok(()),
        };
        drop(done);
        sinks.run.write(text.as_bytes());
    }
}

/// Whether an entry of the log is what people read as output.
fn is_output(entry: &str) -> bool {
    let message = entry.split_once("] ").map_or("", |(_, message)| message);
    message.starts_with("ui: ") || message.starts_with("ui error: ")
}

impl RunLog {
    fn write(&mut self, text: &[u8]) {
        match self {
            Self::Off => {}
            Self::Waiting(said) => {
                if said.len() + text.len() <= WAITING_BYTES {
                    said.extend_from_slice(text);
                }
            }
            Self::File(_, _, 0) => {}
            Self::File(_, file, left) => {
                let length = text.len() as u64;
                let (text, now_left) = match left.checked_sub(length) {
                    Some(now_left) if now_left > 0 => (text, now_left),
                    _ => (b"The log ends here: it is too long.\n".as_slice(), 0),
                };
                *left = now_left;
                // As above: nothing follows from it.
                drop(file.write_all(text));
            }
        }
    }
}

/// Writes a file anew without secrets, unless it has none or is too long.
fn clean_file(file: &mut File, redactor: &Redactor) -> io::Result<()> {
    let facts = file.metadata()?;
    if !facts.is_file() || facts.len() > RUN_LOG_BYTES + 4096 {
        return Ok(());
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut clean = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        clean.push_str(&redactor.clean(line));
    }
    if clean != text {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(clean.as_bytes())?;
    }
    Ok(())
}

/// A new, empty file for the owner only: a log has more in it than the output.
fn private_file(path: &Path) -> io::Result<File> {
    std::fs::OpenOptions::new()
        .read(true)
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
    log: Log,
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
        self.to.log.write(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(run: RunLog) -> Log {
        let sinks = Sinks { asked: None, run };
        Log {
            sinks: Arc::new(Mutex::new(sinks)),
        }
    }

    #[test]
    fn what_was_said_before_the_folder_was_there_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(RunLog::Waiting(Vec::new()));
        log.write("one\n");
        assert_eq!(log.path(), None);
        log.settle(folder.path());
        log.write("two\n");
        let path = log.path().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_log_that_is_too_long_ends_with_a_note() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let file = private_file(&path).unwrap();
        let log = log(RunLog::File(path.clone(), file, 8));
        for _ in 0..5 {
            log.write("1234\n");
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "1234\nThe log ends here: it is too long.\n");
    }

    #[test]
    fn secrets_that_were_learned_too_late_are_taken_out() {
        let folder = tempfile::tempdir().unwrap();
        let log = log(RunLog::Waiting(Vec::new()));
        log.settle(folder.path());
        log.write("it is hunter2, really\n");
        let redactor = Redactor::default();
        redactor.add("hunter2");
        log.clean(&redactor);
        log.write("more\n");
        let text = std::fs::read_to_string(log.path().unwrap()).unwrap();
        assert_eq!(text, "it is <sensitive>, really\nmore\n");
    }

    #[test]
    fn entries_that_repeat_the_output_are_known() {
        let time = "2026/01/02 03:04:05";
        for (level, text, expected) in [
            ("INFO", "ui: ==> null.a: hello\nmore", true),
            ("INFO", "ui error: broken", true),
            ("INFO", "plugin says ui: hello", false),
            ("DEBUG", "text=\"[x] ui: \"", false),
        ] {
            assert_eq!(is_output(&format!("{time} [{level}] {text}\n")), expected);
        }
    }

    #[test]
    fn a_log_without_a_place_is_no_error() {
        let log = log(RunLog::Waiting(Vec::new()));
        log.settle(Path::new("/proc/no-such-folder"));
        log.write("one\n");
        assert_eq!(log.path(), None);
    }
}
