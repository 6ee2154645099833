//! Post-processors whose results the ordinary tools have to accept.

mod archives;
pub mod docker;
mod docker_secrets;
mod killed;
mod vagrant;
mod vsphere;

use anyhow::Result;
use kiln_tests::{Finished, Kiln};

/// Builds nothing and runs the chain `body` on it.
fn chain(kiln: &Kiln, body: &str) -> Result<Finished> {
    write_chain(kiln, body);
    kiln.run(&["build", "-color=false", "t.pkr.hcl"])
}

fn write_chain(kiln: &Kiln, body: &str) {
    let template = format!(
        "source \"null\" \"a\" {{\n  communicator = \"none\"\n}}\nbuild {{\n  \
         sources = [\"null.a\"]\n{body}\n}}\n"
    );
    kiln.write("t.pkr.hcl", &template);
}

/// A path in the working folder as text.
fn path(kiln: &Kiln, name: &str) -> String {
    kiln.work().join(name).display().to_string()
}
