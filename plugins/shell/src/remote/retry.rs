//! Trying again, for machines that are just coming back.

use std::time::Duration;

use kiln_sdk::communicator::CommunicatorError;
use kiln_sdk::{Communicator, Failure};
use tokio::time::Instant;

/// Time between two tries.
const PAUSE: Duration = Duration::from_secs(2);
/// What a try has at least, because a short limit is meant for machines that are away, not for slow
/// ones.
const SHORTEST_TRY: Duration = Duration::from_secs(10);
/// How long a machine that was given up is looked at once more, to say what is wrong with it.
const LAST_LOOK: Duration = Duration::from_secs(2);
/// The pace every line to a machine keeps, in bytes per second.
const SLOWEST_LINE: u64 = 16 * 1024;

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

/// How long one try may wait for the machine.
#[derive(Clone, Copy)]
pub(super) struct Patience<'a> {
    machine: &'a dyn Communicator,
    begun: Instant,
    until: Instant,
}

impl Patience<'_> {
    /// Does `work`, which sends `bytes`, unless the machine is away for too long.
    ///
    /// The communicator waits on its own for a machine that is away, and for as long as its own
    /// options say.
    pub(super) async fn bound<T>(
        self,
        bytes: u64,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        let until = self.until + Duration::from_secs(bytes / SLOWEST_LINE);
        match tokio::time::timeout_at(until, work).await {
            Ok(result) => result,
            Err(_) => Err(Trouble::Passing(self.look().await)),
        }
    }

    /// What is wrong with the machine.
    async fn look(self) -> Failure {
        let time = self.begun.elapsed().as_secs();
        let looking = self.machine.reconnect(Some(LAST_LOOK));
        let seen = match tokio::time::timeout(LAST_LOOK * 2, looking).await {
            Ok(Err(error)) => Failure::from_error(&error).message,
            Ok(Ok(())) => "it answers, but does not do what it is asked".to_owned(),
            Err(_) => "it does not answer".to_owned(),
        };
        let text = format!("the machine was away for {time} s (`start_retry_timeout`): {seen}");
        Failure::new(text).on("start_retry_timeout")
    }
}

/// Does `work` again until it succeeds or `limit` is over; the last failure counts. `what` is for the
/// log.
pub(super) async fn retry<'a, T, W>(
    machine: &'a dyn Communicator,
    limit: Duration,
    what: &str,
    mut work: impl FnMut(Patience<'a>) -> W,
) -> Result<T, Failure>
where
    W: Future<Output = Result<T, Trouble>>,
{
    let begun = Instant::now();
    loop {
        let until = (begun + limit).max(Instant::now() + SHORTEST_TRY);
        let patience = Patience {
            machine,
            begun,
            until,
        };
        let failure = match work(patience).await {
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
