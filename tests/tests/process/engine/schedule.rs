//! Order and parallelism, retries, timeouts, and the values a machine has.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

use anyhow::Result;
use kiln_tests::trial::Trial;
use rustix::fs::OFlags;

use super::{LIMIT, nothing_is_left, order};

/// Four null builds with one `shell-local` each.
fn four(script: &str) -> Trial {
    let mut template = String::new();
    for name in ["a", "b", "c", "d"] {
        template.push_str(&format!(
            "source \"null\" \"{name}\" {{ communicator = \"none\" }}\n"
        ));
    }
    template.push_str(&format!(
        "build {{\n  sources = [\"null.a\", \"null.b\", \"null.c\", \"null.d\"]\n  \
         provisioner \"shell-local\" {{ inline = [{script:?}] }}\n}}\n"
    ));
    Trial::new(&template)
}

#[test]
fn without_a_limit_all_builds_run_at_the_same_time() -> Result<()> {
    // Each build goes on only when all four are there.
    let trial =
        four("mkdir -p in/$PACKER_BUILD_NAME; until [ $(ls in | wc -l) = 4 ]; do sleep 0.05; done");
    drop(trial.build(&[])?.success());
    let trial =
        four("mkdir -p in/$PACKER_BUILD_NAME; until [ $(ls in | wc -l) = 4 ]; do sleep 0.05; done");
    drop(trial.build(&["-parallel-builds=-1"])?.success());
    Ok(())
}

#[test]
fn parallel_builds_is_the_most_that_run_at_the_same_time() -> Result<()> {
    let script = "mkdir -p in/$PACKER_BUILD_NAME; echo now $(ls in | wc -l); sleep 0.3; \
                  echo then $(ls in | wc -l); rmdir in/$PACKER_BUILD_NAME";
    let finished = four(script).build(&["-parallel-builds=2"])?.success();
    for count in [": now 3", ": now 4", ": then 3", ": then 4"] {
        assert!(!finished.stdout.contains(count), "{finished}");
    }
    // Two ran side by side at some time, and the limit is no limit of one.
    assert!(finished.stdout.contains(": then 2"), "{finished}");
    Ok(())
}

#[test]
fn provisioners_run_in_the_order_of_the_template() -> Result<()> {
    let trial = Trial::with(
        "",
        r#"
  provisioner "trial" { actions = ["say:first"] }
  provisioner "trial" {
    only    = ["trial.other"]
    actions = ["say:not here"]
  }
  provisioner "shell-local" { inline = ["echo second"] }
  provisioner "trial" {
    except  = ["trial.other"]
    actions = ["say:third"]
  }"#,
    );
    let finished = trial.build(&[])?.success().lacks("not here");
    let found = order(&finished, &[": first", ": second", ": third"]);
    assert_eq!(found, [": first", ": second", ": third"], "{finished}");
    Ok(())
}

#[test]
fn a_provisioner_is_heard_while_the_process_of_the_one_before_it_is_slow_to_end() -> Result<()> {
    // A process that was started before its turn waits two seconds for it.
    let trial = Trial::with(
        "",
        r#"
  provisioner "trial" { actions = ["linger:gate"] }
  provisioner "trial" { actions = ["pause:3000", "say:still heard", "pause:100"] }
  provisioner "trial" { actions = ["say:at the end"] }"#,
    );
    let gate = trial.kiln.work().join("gate");
    let made = Command::new("mkfifo").arg(&gate).status()?;
    assert!(made.success());
    let mut running = trial.start(&["build", "-color=false", "t.pkr.hcl"])?;
    running.wait_for("==> trial.t: still heard", LIMIT)?;
    // Only a pipe that somebody reads can be opened like this.
    let open = OpenOptions::new()
        .write(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(&gate);
    assert!(open.is_ok(), "the first process has ended: {open:?}");
    drop(open);
    let finished = running.finish(LIMIT)?.success();
    drop(finished.says("==> trial.t: at the end"));
    nothing_is_left(&trial);
    Ok(())
}

#[test]
fn retries_pauses_timeouts_and_forgiveness_say_what_they_do() -> Result<()> {
    let trial = Trial::with(
        "",
        r#"
  provisioner "trial" {
    pause_before = "1s"
    max_retries  = 2
    actions      = ["say:try", "fail_once:marker"]
  }
  provisioner "trial" {
    timeout           = "1s"
    continue_on_error = true
    actions           = ["wait"]
  }
  provisioner "trial" { actions = ["say:at the end"] }"#,
    );
    let finished = trial.build(&[])?.success();
    let wanted = [
        ": Pausing 1s before the next provisioner...",
        ": try",
        ": Provisioner failed with \"the first try\", retrying with 2 trie(s) left",
        ": Setting a 1s timeout for the next provisioner...",
        ": Cancelling provisioner after a timeout...",
        "but continue_on_error is set; continuing the build.",
        ": at the end",
    ];
    let mut expected = wanted.to_vec();
    expected.splice(3..3, [wanted[0], wanted[1]]);
    assert_eq!(order(&finished, &wanted), expected, "{finished}");
    nothing_is_left(&trial);
    Ok(())
}

#[test]
fn sequential_evaluation_gives_the_same_build() -> Result<()> {
    let template = r#"
locals {
  text = "from ${data.null.one.output}"
}
data "null" "one" { input = upper(local.word) }
local "word" { expression = "data" }
source "null" "n" { communicator = "none" }
build {
  sources = ["null.n"]
  provisioner "shell-local" { inline = ["echo ${local.text}"] }
}
"#;
    for words in [&[] as &[&str], &["-use-sequential-evaluation"]] {
        drop(
            Trial::new(template)
                .build(words)?
                .success()
                .says(": from DATA"),
        );
    }
    Ok(())
}

#[test]
fn a_machines_values_reach_provisioners_and_post_processors() -> Result<()> {
    let trial = Trial::with(
        "",
        r#"
  provisioner "trial" {
    actions = ["say:${build.ID} ${build.Host}:${build.Port} ${build.User} ${build.PackerHTTPAddr}"]
  }
  provisioner "trial" { actions = ["say:is {{build `ID`}}"] }
  post-processors {
    post-processor "trial" { actions = ["say:post ${build.ID} ${build.Host}", "artifact:out/a"] }
    post-processor "trial" { actions = ["say:later ${build.ID}"] }
  }"#,
    );
    let finished = trial.build(&[])?.success();
    let finished = finished
        .says(": machine-1 192.0.2.1:22 me ERR_HTTP_ADDR_NOT_IMPLEMENTED_BY_BUILDER")
        .says(": is machine-1")
        .says("==> trial.t (trial): post machine-1 192.0.2.1")
        .says("==> trial.t (trial): later <unknown>");
    drop(finished);
    let trial = Trial::with(
        "",
        "provisioner \"trial\" { actions = [\"say:${build.NoSuch}\"] }",
    );
    drop(trial.build(&[])?.failure().says("NoSuch"));
    Ok(())
}

#[test]
fn a_build_that_cannot_be_prepared_stops_no_other_and_fails_the_run() -> Result<()> {
    let trial = Trial::new(
        r#"
source "trial" "bad" { actions = ["refuse:not like this"] }
source "trial" "good" { actions = ["say:fine"] }
build { sources = ["trial.bad", "trial.good"] }
"#,
    );
    let finished = trial
        .build(&[])?
        .failure()
        .says("not like this")
        .says("t.pkr.hcl line 2");
    drop(
        finished
            .says(": fine")
            .says("Build 'trial.good' finished after ")
            .lacks("'trial.bad'"),
    );
    Ok(())
}
