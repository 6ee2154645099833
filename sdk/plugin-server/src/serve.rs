//! The life of a plugin process: handshake, serving, the end.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use plugin_wire::feature;
use plugin_wire::handshake::{
    CLEANUP_LIMIT, COOKIE, COOKIE_VARIABLE, DIRECTORY_VARIABLE, HANDSHAKE_VERSION, LOG_VARIABLE,
    PROTOCOL_MAJORS, TOKEN_VARIABLE,
};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::error::ServeError;
use crate::plugin::Plugin;
use crate::service::{Life, Service};
use crate::{log, packer, panic, socket};

/// Environment variables that the host sets for the plugin alone. Programs that a plugin starts
/// for its users must not see them: remove them with `Command::env_remove`.
pub const HOST_VARIABLES: [&str; 5] = [
    sdk_packer_protocol::transport::COOKIE_VARIABLE,
    COOKIE_VARIABLE,
    TOKEN_VARIABLE,
    DIRECTORY_VARIABLE,
    LOG_VARIABLE,
];

/// How long connections may take to close once every run is over.
const CLOSE_LIMIT: Duration = Duration::from_millis(500);
/// Stack of a thread, in bytes. A builder is one deep future; without optimisation it outgrows the
/// usual two MiB. Only what is used takes memory.
const STACK_BYTES: usize = 8 << 20;
/// Threads that carry out work; more would only cost memory.
const WORKERS: usize = 4;

/// The one line on standard output.
#[derive(Serialize)]
struct Handshake<'a> {
    kiln_plugin: u32,
    protocol_majors: &'a [u32],
    features: &'a [&'a str],
    socket: &'a Path,
}

/// What the host gave.
struct FromHost {
    token: String,
    directory: PathBuf,
}

/// Serves `plugin` until the host is done.
pub(crate) fn serve(plugin: Plugin) -> ExitCode {
    if std::env::var_os(COOKIE_VARIABLE).is_none_or(|cookie| cookie != COOKIE) {
        let words = std::env::args_os().skip(1);
        let words = words.map(|word| word.to_string_lossy().into_owned());
        if let Some(command) = packer::command(words) {
            return packer::run(plugin, command);
        }
        explain(&format!(
            "This is the kiln plugin `{}` {}. It is not run by hand: kiln starts it when a \
             template needs it.\nTo see what it offers, put it into kiln's plugin directory and \
             run `kiln plugins installed`.",
            plugin.family, plugin.version
        ));
        return ExitCode::FAILURE;
    }
    log::start();
    panic::log_panics();
    end(FromHost::read().and_then(|host| on_runtime(served(plugin, host))))
}

/// Carries out everything that a plugin does.
pub(crate) fn on_runtime(
    work: impl Future<Output = Result<(), ServeError>>,
) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(
            std::thread::available_parallelism().map_or(WORKERS, |count| count.get().min(WORKERS)),
        )
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map_err(|source| ServeError::Setup {
            what: "the runtime",
            source,
        })?;
    let done = runtime.block_on(work);
    // Threads that are stuck in a blocking call must not keep the process.
    runtime.shutdown_background();
    done
}

/// The exit status, after telling the log why a plugin cannot serve.
pub(crate) fn end(served: Result<(), ServeError>) -> ExitCode {
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let failure = sdk_component::Failure::from_error(&error);
            tracing::error!(error = failure.message, "the plugin cannot serve");
            ExitCode::FAILURE
        }
    }
}

/// Tells a person who started the plugin by hand.
pub(crate) fn explain(text: &str) {
    // Nobody can be told when standard error is closed.
    drop(writeln!(std::io::stderr(), "{text}"));
}

impl FromHost {
    fn read() -> Result<Self, ServeError> {
        let text = |name| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            value.ok_or(ServeError::MissingVariable { name })
        };
        let directory = PathBuf::from(text(DIRECTORY_VARIABLE)?);
        let token = text(TOKEN_VARIABLE)?.to_string_lossy().into_owned();
        Ok(Self { token, directory })
    }
}

async fn served(plugin: Plugin, host: FromHost) -> Result<(), ServeError> {
    let (listener, socket) = socket::bind(&host.directory)?;
    let life = Life::default();
    let Life { shutdown, runs } = life.clone();
    watch_signals(&shutdown)?;
    greet(socket.path())?;
    watch_stdin(shutdown.clone());

    let stop = CancellationToken::new();
    let service = Service::new(plugin, host.directory, life);
    let server = service.serve(listener, &host.token, stop.clone());
    let end = async {
        shutdown.cancelled().await;
        runs.close();
        if tokio::time::timeout(CLEANUP_LIMIT, runs.wait())
            .await
            .is_err()
        {
            tracing::warn!("a run did not end within its limit");
        }
        stop.cancel();
        tokio::time::sleep(CLOSE_LIMIT).await;
    };
    tokio::select! {
        served = server => served,
        () = end => Ok(()),
    }
}

/// Prints the handshake. Nothing else is ever written to standard output.
fn greet(socket: &Path) -> Result<(), ServeError> {
    let handshake = Handshake {
        kiln_plugin: HANDSHAKE_VERSION,
        protocol_majors: PROTOCOL_MAJORS,
        features: feature::ALL,
        socket,
    };
    let mut line = serde_json::to_vec(&handshake)
        .map_err(|error| ServeError::Handshake(std::io::Error::other(error)))?;
    line.push(b'\n');
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(&line)
        .and_then(|()| stdout.flush())
        .map_err(ServeError::Handshake)
}

/// Ends every run when the host is gone: it holds the other end of standard input.
fn watch_stdin(shutdown: CancellationToken) {
    // A thread of its own, because a read of standard input cannot be cancelled.
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut ignored = [0_u8; 512];
        loop {
            match input.read(&mut ignored) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        tracing::debug!("standard input ended");
        shutdown.cancel();
    });
}

/// Ctrl-C is the host's to handle; a request to terminate ends every run. Handlers, unlike ignored
/// signals, are not inherited by the programs a plugin starts.
fn watch_signals(shutdown: &CancellationToken) -> Result<(), ServeError> {
    let listen = |kind| {
        signal(kind).map_err(|source| ServeError::Setup {
            what: "a signal handler",
            source,
        })
    };
    let mut interrupts = listen(SignalKind::interrupt())?;
    let mut terminations = listen(SignalKind::terminate())?;
    let shutdown = shutdown.clone();
    drop(tokio::spawn(async move {
        loop {
            tokio::select! {
                Some(()) = interrupts.recv() => tracing::debug!("an interrupt was left to the host"),
                Some(()) = terminations.recv() => shutdown.cancel(),
                else => return,
            }
        }
    }));
    Ok(())
}
