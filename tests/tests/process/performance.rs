//! Properties of speed and memory that hold on any machine: no live process per provisioner, no
//! start of plugins that are not needed. Times are measured by the benchmarks, not here.

use std::time::Duration;

use anyhow::Result;
use kiln_tests::{Kiln, leftovers};

#[test]
fn a_hundred_provisioners_are_not_a_hundred_processes() -> Result<()> {
    let kiln = Kiln::new();
    let block = "provisioner \"shell-local\" { inline = [\"sleep 0.02\"] }\n".repeat(100);
    kiln.write(
        "t.pkr.hcl",
        &format!(
            "source \"null\" \"n\" {{ communicator = \"none\" }}\n\
             build {{\n sources = [\"null.n\"]\n{block}}}\n"
        ),
    );
    let running = kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
    let mut most = 0;
    while std::path::Path::new(&format!("/proc/{}/exe", running.pid())).exists() {
        let plugins = leftovers::processes(kiln.root())
            .iter()
            .filter(|line| line.contains("kiln-plugin-"))
            .count();
        most = most.max(plugins);
        std::thread::sleep(Duration::from_millis(20));
        if std::fs::read_link(format!("/proc/{}/exe", running.pid())).is_err() {
            break;
        }
    }
    drop(running.finish(Duration::from_secs(120))?.success());
    // Four are alive at most. To look at all processes takes a moment, in which some end and others
    // begin.
    assert!((1..=8).contains(&most), "{most} plugins were alive at once");
    Ok(())
}
