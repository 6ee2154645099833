//! What a component told, and what it came to.

use sdk_component::{Failure, Progress, Ready, Resource};
use sdk_config::Diagnostic;

/// One thing a component told its host.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// Output.
    Said(String),
    /// Output about something that went wrong.
    Complained(String),
    /// Progress.
    Progress(Progress),
    /// A step began.
    StepBegun(String),
    /// A step ended; the error when it failed.
    StepEnded(String, Option<String>),
    /// A resource was put on record.
    Created(u64, Resource),
    /// A resource was taken off the record.
    Released(u64),
    /// The machine waits for its provisioners.
    Ready,
    /// The error-cleanup provisioner is wanted because of this error.
    CleanupProvision(String),
    /// A problem of the configuration.
    Diagnostic(Diagnostic),
    /// The component waits for a person.
    Paused(String),
    /// A value that must not be shown.
    Secret(String),
}

/// A run that is over.
#[derive(Debug)]
pub struct Recording<T> {
    /// What the component came to.
    pub outcome: Result<T, Failure>,
    /// What it told, in order.
    pub told: Vec<Told>,
    /// The machines that waited for provisioners; their communicators still work.
    pub ready: Vec<Ready>,
    /// What is still on record: it would have to be reclaimed.
    pub left: Vec<Resource>,
}

impl<T> Recording<T> {
    /// Every line of output, in order, complaints as well.
    #[must_use]
    pub fn said(&self) -> Vec<&str> {
        self.told
            .iter()
            .filter_map(|told| match told {
                Told::Said(text) | Told::Complained(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The names of the steps, in the order they began.
    #[must_use]
    pub fn steps(&self) -> Vec<&str> {
        self.told
            .iter()
            .filter_map(|told| match told {
                Told::StepBegun(name) => Some(name.as_str()),
                _ => None,
            })
            .collect()
    }
}
