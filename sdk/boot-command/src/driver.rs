//! What turns actions into what a machine understands.

use async_trait::async_trait;

use crate::action::{Key, Stroke};
use crate::clock::Clock;
use crate::error::TypeError;

/// Why a machine did not take a key: the error of whatever connects to it.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Turns key strokes into what a machine understands.
#[async_trait]
pub trait Driver: Send {
    /// Works one key, or remembers it until the next flush.
    ///
    /// # Errors
    ///
    /// [`TypeError`] when the key does not exist or did not reach the machine.
    async fn key(&mut self, key: Key, stroke: Stroke, clock: &dyn Clock) -> Result<(), TypeError>;

    /// Sends what was remembered; called before each wait and at the end.
    ///
    /// # Errors
    ///
    /// [`TypeError::Flush`] when the machine did not take it.
    async fn flush(&mut self, clock: &dyn Clock) -> Result<(), TypeError>;
}
