//! What is on record of a thing, until it is gone.

use std::sync::{Mutex, PoisonError};

use kiln_sdk::Held;

/// Resources that are released together, once, in the order they were added.
#[derive(Debug, Default)]
pub(crate) struct Record(Mutex<Vec<Held>>);

impl Record {
    /// Adds one.
    pub(crate) fn add(&self, held: Held) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(held);
    }

    /// Takes all of them off the record.
    pub(crate) async fn release(&self) {
        let held = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for held in held {
            held.release().await;
        }
    }
}

impl From<Held> for Record {
    fn from(held: Held) -> Self {
        Self(Mutex::new(vec![held]))
    }
}
