//! Log lines for the host.

use plugin_wire::handshake::LOG_VARIABLE;
use tracing_subscriber::EnvFilter;

/// Libraries whose frames and handshakes nobody asks for, or, with `sspi`, whose traces hold what
/// is secret.
const QUIET: [&str; 8] = [
    "h2",
    "hyper",
    "hyper_util",
    "sspi",
    "tonic",
    "tower",
    "vnc",
    "yamux",
];

/// Sends everything that is traced to standard error, one JSON object a line.
pub(crate) fn start() {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(std::io::stderr)
        // When the host is gone nobody reads it, and a complaint about that would end the cleanup.
        .log_internal_errors(false)
        .with_env_filter(filter());
    told(subscriber.try_init().is_ok());
}

/// The same as plain lines, for a host that puts its own time and name before them.
pub(crate) fn start_plain() {
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_writer(std::io::stderr)
        .log_internal_errors(false)
        .with_env_filter(filter());
    told(subscriber.try_init().is_ok());
}

fn told(started: bool) {
    if !started {
        // The author has set up a subscriber of their own.
        tracing::debug!("logging was set up already");
    }
}

fn filter() -> EnvFilter {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    QUIET.iter().fold(filter, |filter, library| {
        let directive = format!("{library}=warn").parse();
        directive.map_or_else(
            |_| EnvFilter::new("info"),
            |directive| filter.add_directive(directive),
        )
    })
}
