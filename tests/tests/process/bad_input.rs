//! Wrong templates: each gets file, line, what is wrong and a way out, and leaves nothing behind.

use std::time::Duration;

use anyhow::Result;
use kiln_tests::{Kiln, leftovers};

/// Validates `template` and expects every text in the output.
fn check(template: &str, texts: &[&str]) -> Result<()> {
    check_with(&[], template, texts)
}

fn check_with(flags: &[&str], template: &str, texts: &[&str]) -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", template);
    for command in ["validate", "build"] {
        let mut words = vec![command];
        words.extend_from_slice(flags);
        words.push("t.pkr.hcl");
        let finished = kiln.run(&words)?.failure();
        for text in texts {
            assert!(
                finished.stdout.contains(text),
                "{command} lacks {text:?}:\n{finished}"
            );
        }
        assert!(
            !finished.stdout.contains("The configuration is valid."),
            "{finished}"
        );
    }
    assert_eq!(
        leftovers::of(&kiln, Duration::from_secs(5)),
        Vec::<String>::new()
    );
    let left: Vec<_> = std::fs::read_dir(kiln.work())?
        .flatten()
        .map(|e| e.file_name())
        .collect();
    assert_eq!(left, ["t.pkr.hcl"]);
    Ok(())
}

fn qemu(options: &str) -> String {
    format!(
        "source \"qemu\" \"t\" {{\n  iso_url = \"/dev/null\"\n  iso_checksum = \"none\"\n  \
         ssh_username = \"u\"\n  ssh_password = \"p\"\n{options}\n}}\nbuild {{ sources = [\"qemu.t\"] }}\n"
    )
}

#[test]
fn an_unknown_option_has_its_nearest_name() -> Result<()> {
    check(
        &qemu("  disk_sise = \"1G\""),
        &["t.pkr.hcl line 6", "disk_sise", "disk_size"],
    )
}

#[test]
fn a_wrong_type_is_told_at_its_line() -> Result<()> {
    check(
        &qemu("  headless = [1]"),
        &["t.pkr.hcl line 6", "headless", "bool"],
    )
}

#[test]
fn a_value_that_is_no_choice_lists_the_choices() -> Result<()> {
    check(
        &qemu("  format = \"vmdk\""),
        &["t.pkr.hcl line 6", "vmdk", "qcow2", "raw"],
    )
}

#[test]
fn a_missing_required_option_is_named() -> Result<()> {
    check(
        "source \"file\" \"t\" { content = \"x\" }\nbuild { sources = [\"file.t\"] }\n",
        &["t.pkr.hcl line 1", "target"],
    )
}

#[test]
fn a_missing_variable_is_named_where_it_is_declared() -> Result<()> {
    check(
        "variable \"iso\" { type = string }\nsource \"null\" \"t\" { communicator = \"none\" }\n\
         build { sources = [\"null.t\"] }\n",
        &["Unset variable \"iso\"", "t.pkr.hcl line 1"],
    )
}

#[test]
fn an_undeclared_variable_has_its_nearest_name() -> Result<()> {
    let template = "variable \"iso_url\" { default = \"x\" }\nsource \"null\" \"t\" {\n  \
                    communicator = \"none\"\n  ssh_host = var.iso_ulr\n}\n\
                    build { sources = [\"null.t\"] }\n";
    check(template, &["t.pkr.hcl line 4", "iso_ulr", "iso_url"])?;
    check_with(
        &["-var", "typo=1"],
        template,
        &["Undefined -var variable", "typo"],
    )
}

#[test]
fn a_missing_script_is_named() -> Result<()> {
    check(
        "source \"null\" \"t\" { communicator = \"none\" }\nbuild {\n  sources = [\"null.t\"]\n  \
         provisioner \"shell\" {\n    script = \"no/such.sh\"\n  }\n}\n",
        &["Bad script 'no/such.sh'", "t.pkr.hcl line 5"],
    )
}

#[test]
fn unknown_components_have_their_nearest_name() -> Result<()> {
    check(
        "source \"qemo\" \"t\" {}\nbuild { sources = [\"qemo.t\"] }\n",
        &["Unknown source type qemo", "qemu"],
    )?;
    check(
        "source \"null\" \"t\" { communicator = \"none\" }\nbuild {\n  sources = [\"null.t\"]\n  \
         provisioner \"shel\" {}\n}\n",
        &[
            "Unknown provisioner type \"shel\"",
            "shell",
            "t.pkr.hcl line 4",
        ],
    )
}

#[test]
fn syntax_errors_are_all_told() -> Result<()> {
    check(
        "source \"null\" \"a\" {\n  x = = 1\n}\nsource \"null\" \"b\" {\n  y = \"open\n}\n",
        &["t.pkr.hcl line 2", "t.pkr.hcl line 5"],
    )
}

#[test]
fn a_wrong_checksum_tells_both_and_keeps_nothing() -> Result<()> {
    let kiln = Kiln::new();
    let iso = kiln.write("disk.iso", "content");
    let template = qemu("")
        .replace("/dev/null", &iso.display().to_string())
        .replace(
            "\"none\"",
            "\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
        );
    kiln.write("t.pkr.hcl", &template);
    let finished = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.failure();
    for text in [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73",
    ] {
        assert!(finished.stdout.contains(text), "{finished}");
    }
    assert!(iso.exists(), "a local file of the user is not removed");
    assert!(!kiln.work().join("output-t").exists());
    assert_eq!(
        leftovers::of(&kiln, Duration::from_secs(5)),
        Vec::<String>::new()
    );
    Ok(())
}

#[test]
fn an_existing_output_directory_is_kept_without_force() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("output-t/precious", "x");
    kiln.write("t.pkr.hcl", &qemu(""));
    let finished = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.failure();
    drop(finished.says("output-t").says("-force"));
    assert!(kiln.work().join("output-t/precious").exists());
    Ok(())
}

#[test]
fn legacy_json_errors_have_lines_too() -> Result<()> {
    let kiln = Kiln::new();
    let check = |text: &str, texts: &[&str]| -> Result<()> {
        kiln.write("t.json", text);
        let finished = kiln.run(&["validate", "t.json"])?.failure();
        for text in texts {
            assert!(
                finished.stdout.contains(text),
                "lacks {text:?}:\n{finished}"
            );
        }
        Ok(())
    };
    check(
        "{\n  \"builders\": [\n    {\"type\": \"null\",}\n  ]\n}",
        &["line 3"],
    )?;
    check(
        "{\n  \"builders\": [\n    {\n      \"type\": \"null\",\n      \"ssh_hots\": \"x\"\n    }\n  ]\n}",
        &["ssh_hots", "ssh_host", "line 5"],
    )?;
    check(
        "{\n  \"bilders\": []\n}",
        &["Unknown root level key in template: 'bilders'"],
    )?;
    check(
        "{\"variables\": {\"a\": null}, \"builders\": [{\"type\": \"null\", \"communicator\": \"none\"}]}",
        &["required variable not set: a"],
    )
}
