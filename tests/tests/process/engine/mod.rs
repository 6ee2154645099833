//! What runs when: parallel builds, provisioners, failures, cancellation, artifacts.

mod artifacts;
mod interrupts;
mod on_error;
mod schedule;
mod stepping;

use std::time::Duration;

use kiln_tests::trial::Trial;
use kiln_tests::{Finished, leftovers};

/// How long a cleanup may go on behind the program's end.
const CLEANUP_LIMIT: Duration = Duration::from_secs(30);
/// What the trial builder prints when it undoes its step.
const UNDONE: &str = "==> trial.t: the first step is undone";
/// How long a line may take to come.
const LIMIT: Duration = Duration::from_secs(120);

fn nothing_is_left(trial: &Trial) {
    let left = leftovers::of(&trial.kiln, CLEANUP_LIMIT);
    assert_eq!(left, Vec::<String>::new());
}

/// Lines of the output that are in `wanted`, in their order.
fn order<'a>(finished: &Finished, wanted: &[&'a str]) -> Vec<&'a str> {
    let lines = finished.stdout.lines();
    lines
        .filter_map(|line| wanted.iter().find(|text| line.contains(**text)).copied())
        .collect()
}
