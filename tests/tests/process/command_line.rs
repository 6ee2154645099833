//! Exit codes, usage, version.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use kiln_tests::Kiln;
use kiln_tests::kiln::program_folder;

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
    check(
        &["build", "-forse", "x"],
        1,
        "flag provided but not defined: -forse\nDid you mean -force?\n\nUsage: kiln build ",
    )?;
    check(
        &["validate", "-syntax-only=maybe", "x"],
        1,
        "invalid boolean value \"maybe\" for -syntax-only: parse error\nIt takes true or false.",
    )?;
    for name in ["fix", "hcl2_upgrade", "plan", "validate"] {
        let text = format!("The template is missing.\n\nUsage: kiln {name} ");
        check(&[name], 1, &text)?;
    }
    check(&["fmt"], 1, "Usage: kiln fmt [options] PATH...")?;
    check(&["console", "-var"], 1, "flag needs an argument: -var")?;
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
    for words in [["version"], ["-v"], ["--version"], ["-version"]] {
        check(&words, 0, "Packer v1.16.0")?;
    }
    check(&["-v", "build"], 0, "Packer v1.16.0")?;
    check(&["version", "-x"], 0, "Packer v1.16.0")?;
    check(&["version", "-machine-readable"], 0, ",,version,1.16.0")
}

#[test]
fn every_command_has_help_and_refuses_flags_it_does_not_have() -> Result<()> {
    let root = Kiln::new().run(&["-help"])?.success().stdout;
    let listed = root.lines().filter(|line| line.starts_with("    "));
    let names: Vec<&str> = listed
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted, "commands are in alphabetical order");
    assert!(names.contains(&"console"), "{names:?}");
    for name in names {
        for help in ["-h", "-help", "--help"] {
            check(&[name, help], 0, &format!("Usage: kiln {name}"))?;
        }
        if name == "plugins" {
            check(
                &[name, "-no-such-flag"],
                1,
                "Usage: kiln plugins <subcommand>",
            )?;
        } else if name != "version" {
            let wrong = check(
                &[name, "-no-such-flag"],
                1,
                "flag provided but not defined: -no-such-flag\n",
            );
            wrong?;
        }
    }
    Ok(())
}

#[test]
fn flags_about_templates_are_known_to_every_command_with_one() -> Result<()> {
    for name in [
        "build",
        "console",
        "fix",
        "hcl2_upgrade",
        "inspect",
        "plan",
        "validate",
    ] {
        let words = [
            name,
            "-only=a,b",
            "-except",
            "c",
            "-var=d=e",
            "--var-file=none.json",
            "-config-type=json",
            "-use-sequential-evaluation",
            "no-such-template",
        ];
        let finished = Kiln::new().run(&words)?.failure();
        assert!(
            finished.stdout.contains("no-such-template"),
            "{name}: {finished}"
        );
        assert!(!finished.stdout.contains("Usage:"), "{name}: {finished}");
    }
    Ok(())
}

#[test]
fn inspect_needs_no_template() -> Result<()> {
    check(
        &["inspect"],
        0,
        "Packer Inspect: JSON mode\nVariables:\n\n  <No variables>\n",
    )?;
    check(
        &["inspect", "-config-type=hcl2"],
        0,
        "Packer Inspect: HCL2 mode\n\n> input-variables:\n\n\n> local-variables:\n\n\n> builds:\n",
    )?;
    check(
        &["inspect", "a", "b"],
        1,
        "Exactly one template is expected, not 2.",
    )
}

#[test]
fn a_working_folder_that_is_gone_matters_only_where_it_is_used() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("gone/x", "");
    let template = kiln.write(
        "t.json",
        r#"{"builders": [{"type": "null", "communicator": "none"}]}"#,
    );
    let run = |words: &[&str]| {
        let mut command = Command::new("sh");
        let script = r#"cd gone && rm -r ../gone && "$0" "$@"; code=$?; mkdir ../gone; exit $code"#;
        command
            .args(["-c", script])
            .arg(program_folder().join("kiln"));
        command.args(words);
        kiln.write("gone/x", "");
        kiln.start_command(command)?.finish(Duration::from_secs(60))
    };
    drop(run(&["version"])?.success().says("Packer v1.16.0"));
    drop(run(&["-autocomplete-uninstall"])?.success());
    let template = template.display().to_string();
    drop(run(&["validate", &template])?.success());
    drop(run(&["validate", "t.json"])?.failure().says("t.json"));
    Ok(())
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
