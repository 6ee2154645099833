//! Exit codes, usage, version.

use anyhow::Result;
use kiln_tests::Kiln;

fn check(words: &[&str], code: i32, text: &str) -> Result<()> {
    let finished = Kiln::new().run(words)?;
    assert_eq!(finished.code(), code, "{words:?}: {finished}");
    assert!(
        finished.stdout.contains(text),
        "{words:?} lacks {text:?}: {finished}"
    );
    assert_eq!(finished.stderr, "", "all text goes to standard output");
    Ok(())
}

#[test]
fn no_command_and_unknown_commands_exit_with_127() -> Result<()> {
    check(&[], 127, "Available commands are:")?;
    check(&["biuld"], 127, "Did you mean `build`?")
}

#[test]
fn help_was_asked_for_and_exits_with_0() -> Result<()> {
    check(
        &["--help"],
        0,
        "Usage: kiln [--version] [--help] <command> [<args>]",
    )?;
    check(&["build", "-h"], 0, "-parallel-builds=N")
}

#[test]
fn wrong_usage_exits_with_1() -> Result<()> {
    check(&["build"], 1, "The template is missing.")?;
    check(&["build", "-forse", "x"], 1, "did you mean -force?")?;
    check(
        &["build", "x.json", "-force"],
        1,
        "stands behind the template",
    )?;
    check(
        &["-force", "build"],
        1,
        "Invalid flags before the subcommand.",
    )?;
    check(
        &["build", "-on-error=explode", "x.json"],
        1,
        "run-cleanup-provisioner",
    )?;
    check(
        &["build", "-var", "novalue", "x.json"],
        1,
        "No '=' value in arg: novalue",
    )?;
    check(&["validate", "no-such.pkr.hcl"], 1, "no-such.pkr.hcl")
}

#[test]
fn the_version_names_the_packer_it_stands_for() -> Result<()> {
    for words in [["version"], ["-v"], ["--version"]] {
        check(&words, 0, "Packer v1.16.0")?;
    }
    check(&["version", "-machine-readable"], 0, ",,version,1.16.0")
}

#[test]
fn a_log_is_written_where_the_environment_says_and_has_no_secrets() -> Result<()> {
    let mut kiln = Kiln::new();
    kiln.env("PACKER_LOG_PATH", "kiln.log");
    kiln.write(
        "t.pkr.hcl",
        r#"
variable "token" {
  default   = "hunter2hunter2"
  sensitive = true
}
source "null" "n" { communicator = "none" }
build {
  sources = ["null.n"]
  provisioner "shell-local" {
    environment_vars = ["TOKEN=${var.token}"]
    inline           = ["echo token is $TOKEN", "echo $TOKEN | base64"]
  }
}
"#,
    );
    let finished = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.success();
    let finished = finished
        .says("==> null.n: token is <sensitive>")
        .lacks("hunter2");
    assert_eq!(finished.stderr, "");
    let log = std::fs::read_to_string(kiln.work().join("kiln.log"))?;
    assert!(log.contains("[INFO] "), "{log}");
    assert!(
        !log.contains("hunter2") && !log.contains("aHVudGVyM"),
        "{log}"
    );
    Ok(())
}
