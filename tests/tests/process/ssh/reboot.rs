//! Connections that end because the machine does.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kiln_tests::sshd::Sshd;
use kiln_tests::{Finished, tools};

use super::{GREETED, LIMIT, Place, greeting, inline};

/// A guest that reboots: its provisioner asks for that, and the test does it.
fn reboot(
    place: &Place,
    blocks: &str,
    answer: impl FnOnce(&mut Sshd) -> Result<()>,
) -> Result<Finished> {
    // How long a lost connection is tried again, too.
    reboot_with(place, &[("ssh_timeout", "\"20s\"")], blocks, answer)
}

/// The same with options of one's own.
fn reboot_with(
    place: &Place,
    options: &[(&str, &str)],
    blocks: &str,
    answer: impl FnOnce(&mut Sshd) -> Result<()>,
) -> Result<Finished> {
    let mut server = place.sshd("")?;
    let mark = place.kiln.work().join("asked");
    place.kiln.write(
        "asking.sh",
        &format!("echo going down; touch {}; sleep 60\n", mark.display()),
    );
    place.write((&server).into(), options, blocks);
    let running = place.kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
    let begun = Instant::now();
    while !mark.exists() {
        if begun.elapsed() > LIMIT {
            bail!("the script did not start: {}", server.log());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    answer(&mut server).context("cannot reboot")?;
    running.finish(LIMIT)
}

fn asking(options: &str) -> String {
    format!(
        "  provisioner \"shell\" {{\n    script = \"asking.sh\"\n    {options}\n  }}\n{}",
        greeting()
    )
}

#[test]
fn a_reboot_that_is_expected_is_waited_for() -> Result<()> {
    if !tools::installed(&["sshd", "ssh-keygen", "bash"]) {
        return Ok(());
    }
    let place = Place::new();
    let blocks = asking("expect_disconnect = true");
    let finished = reboot(&place, &blocks, |server| {
        server.stop();
        // The machine is away for longer than one attempt takes.
        std::thread::sleep(Duration::from_secs(2));
        server.run()
    })?;
    drop(finished.success().says("going down").says(GREETED));
    Ok(())
}

#[test]
fn a_reboot_that_is_not_expected_is_never_success() -> Result<()> {
    if !tools::installed(&["sshd", "ssh-keygen", "bash"]) {
        return Ok(());
    }
    let place = Place::new();
    let finished = reboot(&place, &asking(""), |server| {
        server.stop();
        server.run()
    })?;
    drop(
        finished
            .failure()
            .says("Script disconnected unexpectedly")
            .says("expect_disconnect = true")
            .lacks(GREETED),
    );
    Ok(())
}

#[test]
fn a_machine_that_does_not_come_back_is_given_up_in_time() -> Result<()> {
    if !tools::installed(&["sshd", "ssh-keygen", "bash"]) {
        return Ok(());
    }
    let place = Place::new();
    let blocks = asking("expect_disconnect = true\n    start_retry_timeout = \"3s\"").replace(
        "script = \"asking.sh\"",
        "script = \"asking.sh\"\n    skip_clean = true",
    );
    // Only the attempts are limited, and one at a port that is closed is none.
    let mut gone = Instant::now();
    let finished = reboot_with(&place, &[("ssh_timeout", "")], &blocks, |server| {
        server.stop();
        gone = Instant::now();
        Ok(())
    })?;
    let waited = gone.elapsed();
    assert!(waited < Duration::from_secs(30), "{waited:?}");
    let failed = finished.failure().says("start_retry_timeout");
    drop(failed.says("connection refused").lacks(GREETED));
    Ok(())
}

#[test]
fn a_server_that_restarts_while_its_sessions_live_is_not_noticed() -> Result<()> {
    if !tools::installed(&["sshd", "ssh-keygen", "bash"]) {
        return Ok(());
    }
    let place = Place::new();
    place.kiln.write("t.sh", "true\n");
    let done = place.kiln.work().join("done");
    let script = format!(
        "while ! test -e {}; do sleep 0.1; done; echo lived on",
        done.display()
    );
    let blocks = format!("{}{}", inline(&script), greeting());
    let mut server = place.sshd("")?;
    place.write((&server).into(), &[], &blocks);
    let mut running = place.kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
    running.wait_for("Provisioning with shell script", LIMIT)?;
    server.stop_listening();
    server.run()?;
    std::fs::write(done, "")?;
    let finished = running.finish(LIMIT)?.success();
    drop(finished.says("lived on").says(GREETED));
    Ok(())
}
