//! Log lines for the host.

use plugin_wire::handshake::LOG_VARIABLE;
use tracing_subscriber::EnvFilter;

/// Libraries whose frames and handshakes nobody asks for, or, with `sspi`, whose traces hold what
/// is secret.
const QUIET: [&str; 7] = ["h2", "hyper", "hyper_util", "sspi", "tonic", "tower", "vnc"];

/// Sends everything that is traced to standard error, one JSON object a line.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = QUIET.iter().fold(filter, |filter, library| {
        let directive = format!("{library}=warn").parse();
        directive.map_or_else(
            |_| EnvFilter::new("info"),
            |directive| filter.add_directive(directive),
        )
    });
    let started = tracing_subscriber::fmt()
        .json()
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(std::io::stderr)
        // When the host is gone nobody reads it, and a complaint about that would end the cleanup.
        .log_internal_errors(false)
        .with_env_filter(filter)
        .try_init();
    if started.is_err() {
        // The author has set up a subscriber of their own.
        tracing::debug!("logging was set up already");
    }
}
