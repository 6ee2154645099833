//! Work that takes time.

use std::time::Duration;

use roxmltree::Node;

use super::envelope::{Argument, Reference, child, child_text};
use super::error::SoapError;
use super::session::Session;

const POLL: Duration = Duration::from_millis(500);
/// How often in a row the server may be out of reach before a task is given up: the task goes on
/// meanwhile.
const MISSES: u32 = 5;
/// No task may take longer.
const LIMIT: Duration = Duration::from_secs(60 * 60);

impl Session {
    /// Calls a method that answers at once.
    pub(crate) async fn invoke(
        &self,
        this: &Reference,
        method: &str,
        arguments: &[(&str, Argument)],
    ) -> Result<Option<Reference>, SoapError> {
        let take = |answer: Node<'_, '_>| child(answer, "returnval").and_then(Reference::of);
        self.call(this, method, arguments, take).await
    }

    /// Calls a method that answers with a task, and waits for the task's end.
    pub(crate) async fn work(
        &self,
        this: &Reference,
        method: &str,
        arguments: &[(&str, Argument)],
    ) -> Result<(), SoapError> {
        let task = self.invoke(this, method, arguments).await?;
        let task = task.ok_or_else(|| SoapError::Answer {
            method: method.to_owned(),
            problem: "it names no task".to_owned(),
        })?;
        let waited = tokio::time::timeout(LIMIT, self.end_of(&task, method)).await;
        waited.unwrap_or_else(|_| {
            Err(SoapError::TooLong {
                what: method.to_owned(),
                limit: LIMIT,
            })
        })
    }

    async fn end_of(&self, task: &Reference, method: &str) -> Result<(), SoapError> {
        let mut misses = 0;
        loop {
            let read = |info: Node<'_, '_>| {
                let error = child(info, "error");
                let message = error.map(|error| child_text(error, "localizedMessage"));
                (child_text(info, "state"), message.unwrap_or_default())
            };
            let info = match self.property(task, "info", read).await {
                Err(SoapError::Transport { .. }) if misses < MISSES => {
                    misses += 1;
                    None
                }
                other => {
                    misses = 0;
                    other?
                }
            };
            match info {
                Some((state, _)) if state == "success" => return Ok(()),
                Some((state, message)) if state == "error" => {
                    return Err(SoapError::Fault {
                        method: method.to_owned(),
                        kind: String::new(),
                        message,
                    });
                }
                _ => {}
            }
            let pause = self.cx().until_cancelled(tokio::time::sleep(POLL));
            pause.await.map_err(|_| SoapError::Cancelled)?;
        }
    }
}
