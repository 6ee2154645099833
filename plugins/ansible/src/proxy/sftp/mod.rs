//! SFTP, served with the communicator and the guest's own commands, for guests without a server.
//!
//! A file that is opened is copied into a private file here; it goes to the guest when it is closed
//! after writing. Not here: links that are made, extensions.

mod guest;
mod handle;
mod handler;

use std::path::Path;
use std::sync::Arc;

use kiln_sdk::Communicator;
use russh_sftp::protocol::StatusCode;
use russh_sftp::server::StatusReply;
use tokio::io::{AsyncWriteExt, copy, duplex, join, split};

use super::channel::{Ending, Streams};
use handler::Sftp;

/// Bytes that may be on their way in each direction.
const BUFFER: usize = 256 << 10;

/// Serves one client until it leaves.
pub async fn serve(machine: &Arc<dyn Communicator>, spool: &Path, streams: Streams) -> Ending {
    let Streams {
        mut input,
        mut output,
        errors: _errors,
    } = streams;
    let (near, far) = duplex(BUFFER);
    let (mut answers, mut requests) = split(near);
    let sftp = Sftp::new(Arc::clone(machine), spool.to_owned());
    let (reading, writing) = split(far);
    russh_sftp::server::run(join(reading, writing), sftp).await;
    let ask = async {
        let copied = copy(&mut input, &mut requests).await;
        copied.and(requests.shutdown().await)
    };
    let answer = copy(&mut answers, &mut output);
    let (asked, answered) = tokio::join!(ask, answer);
    match asked.and(answered.map(drop)) {
        Ok(()) => Ending::Status(0),
        Err(error) => {
            tracing::debug!(%error, "an sftp client of the ssh proxy broke off");
            Ending::Status(1)
        }
    }
}

/// An answer that is no success, with the reason for the log of the client.
fn failure(code: StatusCode, message: impl Into<String>) -> StatusReply {
    code.with_message(message)
}
