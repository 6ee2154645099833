//! Trying again, for machines that are just coming back.

use std::time::Duration;

use kiln_sdk::Failure;
use kiln_sdk::communicator::CommunicatorError;
use tokio::time::Instant;

/// Time between two tries.
const PAUSE: Duration = Duration::from_secs(2);

/// Why a try failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The next try would fail as well.
    Lasting(Failure),
    /// The machine may not be there yet.
    Passing(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        if failure.cancelled {
            Self::Lasting(failure)
        } else {
            Self::Passing(failure)
        }
    }
}

impl From<CommunicatorError> for Trouble {
    /// Differs: Packer tries for the whole time what a communicator can never do.
    fn from(error: CommunicatorError) -> Self {
        let failure = Failure::from_error(&error);
        match error {
            CommunicatorError::Unsupported { .. } => Self::Lasting(failure),
            _ => Self::Passing(failure),
        }
    }
}

/// Does `work` again until it succeeds or `limit` is over; the last failure counts. `what` is for the
/// log.
pub(super) async fn retry<T, W>(
    limit: Duration,
    what: &str,
    mut work: impl FnMut() -> W,
) -> Result<T, Failure>
where
    W: Future<Output = Result<T, Trouble>>,
{
    let begun = Instant::now();
    loop {
        let failure = match work().await {
            Ok(value) => return Ok(value),
            Err(Trouble::Lasting(failure)) => return Err(failure),
            Err(Trouble::Passing(failure)) => failure,
        };
        if begun.elapsed() + PAUSE >= limit {
            return Err(failure);
        }
        tracing::warn!(what, error = %failure, "trying again");
        tokio::time::sleep(PAUSE).await;
    }
}
