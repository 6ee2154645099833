//! Packer's behaviour that surprises people, where it concerns what runs in a build: each test is
//! named after what it says. Where kiln differs on purpose, the test says so and the README why.
//!
//! Others of the kind are tested where their subject is: flags in `command_line`, templates in
//! `builds` and `diagnostics`, SSH in `ssh`. That `shell` runs no `rm -f` without a name is in the
//! tests of `plugins/shell`.

mod post_processors;
mod provisioners;
mod running;

use std::time::Duration;

use kiln_tests::Finished;
use kiln_tests::trial::Trial;

const LIMIT: Duration = Duration::from_secs(120);

const NULL: &str = "source \"null\" \"n\" {\n  communicator = \"none\"\n}\n";

/// A null build with these provisioners and post-processors.
fn null(body: &str) -> Trial {
    Trial::new(&format!(
        "{NULL}build {{\n  sources = [\"null.n\"]\n{body}\n}}\n"
    ))
}

/// A build of the file `out/o` with these post-processors.
fn file(body: &str) -> Trial {
    Trial::new(&format!(
        "source \"file\" \"f\" {{\n  content = \"x\"\n  target = \"out/o\"\n}}\nbuild {{\n  \
         sources = [\"file.f\"]\n{body}\n}}\n"
    ))
}

fn artifacts(finished: &Finished) -> Vec<&str> {
    let lines = finished.stdout.lines();
    lines.filter_map(|line| line.strip_prefix("--> ")).collect()
}
