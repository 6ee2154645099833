//! Kills and interrupts: what dies, what goes on, and that nothing is left.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kiln_tests::{Kiln, Running, fixture, leftovers, tools};

/// How long cleanup after the end of the host may take.
const CLEANUP_LIMIT: Duration = Duration::from_secs(20);
/// How long until a machine waits for SSH.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A template whose machine stays at its boot prompt, waiting for SSH that never comes.
fn waiting(name: &str, fixture: &std::path::Path) -> String {
    format!(
        r#"
source "qemu" "{name}" {{
  iso_url          = "{}/mini-debian.iso"
  iso_checksum     = "none"
  accelerator      = "tcg"
  headless         = true
  memory           = 256
  disk_size        = "64M"
  http_content     = {{ "/x" = "y" }}
  floppy_content   = {{ "a.txt" = "a" }}
  cd_content       = {{ "b.txt" = "b" }}
  boot_wait        = "1s"
  boot_command     = ["hello"]
  ssh_username     = "packer"
  ssh_password     = "packer"
  ssh_timeout      = "20m"
  output_directory = "out-{name}"
}}
build {{ sources = ["source.qemu.{name}"] }}
"#,
        fixture.display()
    )
}

fn start_waiting(kiln: &Kiln) -> Result<Option<Running>> {
    let Some(fixture) = fixture::mini_debian() else {
        return Ok(None);
    };
    kiln.write("t.pkr.hcl", &waiting("held", &fixture));
    let mut running = kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
    running.wait_for("Waiting for SSH to become available...", START_LIMIT)?;
    let processes = leftovers::processes(kiln.root());
    assert!(
        processes.iter().any(|line| line.contains("qemu-system")),
        "{processes:?}"
    );
    Ok(Some(running))
}

fn nothing_is_left(kiln: &Kiln) {
    assert_eq!(leftovers::of(kiln, CLEANUP_LIMIT), Vec::<String>::new());
    assert!(
        !kiln.work().join("out-held").exists(),
        "the output directory is removed"
    );
}

#[test]
fn an_interrupt_ends_a_build_cleanly() -> Result<()> {
    let kiln = Kiln::new();
    let Some(running) = start_waiting(&kiln)? else {
        return Ok(());
    };
    running.signal("INT")?;
    let finished = running
        .finish(CLEANUP_LIMIT)?
        .failure()
        .says("Cancelling build after receiving interrupt")
        .says("Cleanly cancelled builds after being interrupted.");
    drop(finished);
    nothing_is_left(&kiln);
    Ok(())
}

#[test]
fn sigterm_ends_a_build_cleanly() -> Result<()> {
    let kiln = Kiln::new();
    let Some(running) = start_waiting(&kiln)? else {
        return Ok(());
    };
    running.signal("TERM")?;
    let finished = running.finish(CLEANUP_LIMIT)?.failure();
    drop(finished.says("Cleanly cancelled builds after being interrupted."));
    nothing_is_left(&kiln);
    Ok(())
}

#[test]
fn plugins_clean_up_when_the_host_is_killed() -> Result<()> {
    let kiln = Kiln::new();
    let Some(running) = start_waiting(&kiln)? else {
        return Ok(());
    };
    running.signal("KILL")?;
    drop(running.finish(CLEANUP_LIMIT)?);
    let begun = Instant::now();
    while !leftovers::processes(kiln.root()).is_empty() && begun.elapsed() < CLEANUP_LIMIT {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(leftovers::processes(kiln.root()), Vec::<String>::new());
    // What the host itself had on disk is removed by the next run, or by gc.
    drop(kiln.run(&["gc"])?.success());
    nothing_is_left(&kiln);
    Ok(())
}

#[test]
fn gc_reclaims_what_host_and_plugin_left_when_both_were_killed() -> Result<()> {
    let kiln = Kiln::new();
    let Some(running) = start_waiting(&kiln)? else {
        return Ok(());
    };
    let plugin = plugin_of(&kiln, "kiln-plugin-qemu")?;
    running.signal("STOP")?;
    tools::output("kill", &["-KILL", &plugin])?;
    running.signal("KILL")?;
    drop(running.finish(CLEANUP_LIMIT)?);
    let processes = leftovers::processes(kiln.root());
    assert!(
        processes.iter().any(|line| line.contains("qemu-system")),
        "{processes:?}"
    );
    drop(kiln.run(&["gc"])?.success().says("Removed "));
    nothing_is_left(&kiln);
    Ok(())
}

#[test]
fn the_machine_stays_with_on_error_abort() -> Result<()> {
    let Some(fixture) = fixture::mini_debian() else {
        return Ok(());
    };
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.hcl",
        &waiting("held", &fixture).replace("\"20m\"", "\"2s\""),
    );
    let finished = kiln
        .run(&["build", "-color=false", "-on-error=abort", "t.pkr.hcl"])?
        .failure()
        .says("aborted: skipping cleanup of step \"start machine\"");
    let machine = leftovers::processes(kiln.root())
        .into_iter()
        .find(|line| line.contains("qemu-system"))
        .with_context(|| format!("the machine is gone:\n{finished}"))?;
    let pid = machine
        .split(' ')
        .next()
        .context("a process has a number")?;
    tools::output("kill", &["-KILL", pid])?;
    assert!(
        kiln.work().join("out-held/packer-held").exists(),
        "the disk stays"
    );
    Ok(())
}

#[test]
fn a_killed_plugin_fails_its_own_build_only() -> Result<()> {
    let Some(fixture) = fixture::mini_debian() else {
        return Ok(());
    };
    let kiln = Kiln::new();
    kiln.write("a.pkr.hcl", &waiting("held", &fixture));
    kiln.write(
        "b.pkr.hcl",
        r#"
source "file" "other" {
  target  = "other.txt"
  content = "whole"
}
build {
  sources = ["source.file.other"]
  provisioner "shell-local" {
    inline = ["while [ ! -e go ]; do sleep 0.1; done", "echo other goes on"]
  }
}
"#,
    );
    let mut running = kiln.start(&["build", "-color=false", "."])?;
    running.wait_for("Waiting for SSH to become available...", START_LIMIT)?;
    tools::output("kill", &["-KILL", &plugin_of(&kiln, "kiln-plugin-qemu")?])?;
    running.wait_for("Build 'qemu.held' errored after", CLEANUP_LIMIT)?;
    kiln.write("go", "");
    let finished = running
        .finish(CLEANUP_LIMIT)?
        .failure()
        .says("==> file.other: other goes on")
        .says("Build 'file.other' finished after ");
    let error = finished
        .stdout
        .lines()
        .skip_while(|line| !line.starts_with("Build 'qemu.held' errored after"))
        .collect::<Vec<_>>()
        .join("\n");
    for text in [
        "plugin `qemu`",
        "SIGKILL",
        "Its last log lines:",
        "step begins step=connect",
    ] {
        assert!(
            error.contains(text),
            "the error lacks {text:?}:\n{finished}"
        );
    }
    assert_eq!(
        std::fs::read_to_string(kiln.work().join("other.txt"))?,
        "whole"
    );
    nothing_is_left(&kiln);
    Ok(())
}

fn plugin_of(kiln: &Kiln, name: &str) -> Result<String> {
    leftovers::processes(kiln.root())
        .into_iter()
        .find(|line| line.contains(name) && !line.contains("qemu-system"))
        .and_then(|line| line.split(' ').next().map(str::to_owned))
        .with_context(|| format!("no process {name}"))
}
