//! What `validate` says of wrong templates, word for word, and what `build` says of options that turn
//! out to be wrong only when it runs.
//!
//! Each case is a template in `tests/fixtures/diagnostics` with what is printed of it beside it, in
//! the file of the same name that ends in `.out`. With `KILN_EXPECT=write` in the environment the
//! test writes these files instead, to be read before they are committed.

use std::path::PathBuf;

use anyhow::{Context, Result};
use kiln_tests::sshd::Sshd;
use kiln_tests::{Finished, Kiln, project, tools};

/// Parts of the secrets in the templates; none of them may be told, not even a part.
const SECRETS: [&str; 8] = [
    "correct horse",
    "horse",
    "battery",
    "staple",
    "swordfish",
    "tigertiger",
    "lionlion",
    "hunter2hunter2",
];

/// A wrong template.
struct Case {
    name: String,
    file: PathBuf,
    /// The name it is checked under: what it is depends on the end of it.
    template: String,
}

fn folder() -> PathBuf {
    project().join("tests/fixtures/diagnostics")
}

/// The cases by name, sorted.
fn cases() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder())? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let (name, form) = file.split_once('.').context("a file without a form")?;
        if form != "out" {
            cases.push(Case {
                name: name.to_owned(),
                file: entry.path(),
                template: format!("t.{form}"),
            });
        }
    }
    cases.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(cases)
}

impl Case {
    /// Runs `validate` with some flags on it.
    fn check(&self, kiln: &Kiln, flags: &[&str]) -> Result<Finished> {
        let path = kiln.work().join(&self.template);
        std::fs::write(&path, std::fs::read(&self.file)?)?;
        let words = [&["validate"], flags, &[self.template.as_str()]].concat();
        let finished = kiln.run(&words)?;
        std::fs::remove_file(&path)?;
        assert_eq!(finished.stderr, "", "{}", self.name);
        Ok(finished)
    }
}

/// What is the same wherever the test runs.
fn normal(finished: &Finished, kiln: &Kiln) -> String {
    let work = kiln.work().to_string_lossy().into_owned();
    let text = finished.stdout.replace(&work, "WORK");
    format!("{text}exit status {}\n", finished.code())
}

#[test]
fn messages_change_only_on_purpose() -> Result<()> {
    let write = std::env::var_os("KILN_EXPECT").is_some_and(|value| value == "write");
    let cases = cases()?;
    assert!(cases.len() > 40, "only {} cases", cases.len());
    let kiln = Kiln::new();
    let mut differences = Vec::new();
    for case in cases {
        let found = normal(&case.check(&kiln, &[])?, &kiln);
        let path = folder().join(format!("{}.out", case.name));
        if write {
            std::fs::write(path, found)?;
            continue;
        }
        let name = &case.name;
        let expected = std::fs::read_to_string(&path).with_context(|| name.clone())?;
        if found != expected {
            differences.push(format!(
                "== {name}, expected\n{expected}\n== found\n{found}"
            ));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}

#[test]
fn no_message_tells_a_secret() -> Result<()> {
    let kiln = Kiln::new();
    let mut holds_secrets = 0;
    for case in cases()? {
        let template = std::fs::read(&case.file)?;
        let template = String::from_utf8_lossy(&template);
        if !SECRETS.iter().any(|secret| template.contains(secret)) {
            continue;
        }
        holds_secrets += 1;
        for flags in [&[][..], &["-json"], &["-syntax-only"]] {
            let finished = case.check(&kiln, flags)?;
            for secret in SECRETS {
                assert!(
                    !finished.stdout.contains(secret),
                    "{}: {finished}",
                    case.name
                );
            }
        }
    }
    assert!(
        holds_secrets >= 3,
        "only {holds_secrets} templates have secrets"
    );
    Ok(())
}

#[test]
fn every_problem_has_a_remedy_and_follows_the_schema() -> Result<()> {
    let text = std::fs::read_to_string(project().join("host/cli/validate.schema.json"))?;
    let schema = jsonschema::validator_for(&serde_json::from_str(&text)?)?;
    let kiln = Kiln::new();
    let (mut without, mut values) = (Vec::new(), 0);
    for case in cases()? {
        let name = &case.name;
        for flags in [&["-json"][..], &["-json", "-syntax-only"]] {
            let finished = case.check(&kiln, flags)?;
            let document: serde_json::Value = serde_json::from_str(&finished.stdout)
                .with_context(|| format!("{name}: {finished}"))?;
            let wrong: Vec<String> = schema
                .iter_errors(&document)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(wrong.is_empty(), "{name}: {wrong:?}\n{finished}");
            assert_eq!(document["valid"], finished.code() == 0, "{name}");
            for one in document["diagnostics"].as_array().into_iter().flatten() {
                let placed = one["range"].is_object() || one["summary"] == "Missing build block";
                let helps = one["hints"]
                    .as_array()
                    .is_some_and(|hints| !hints.is_empty());
                // Where Packer's own words ask what was meant, nothing needs to be added.
                let asks = one["detail"]
                    .as_str()
                    .is_some_and(|text| text.contains("id you mean "));
                if !placed || !(helps || asks) {
                    without.push(format!("{name}: {one}"));
                }
                values += one["values"].as_array().map_or(0, Vec::len);
                assert_marked(one, name);
            }
        }
    }
    assert!(without.is_empty(), "{}", without.join("\n"));
    assert!(values > 20, "only {values} values are told");
    Ok(())
}

/// The marked part of the snippet is within it, at characters.
fn assert_marked(one: &serde_json::Value, case: &str) {
    let snippet = &one["snippet"];
    let Some(code) = snippet["code"].as_str() else {
        return;
    };
    let at = |name: &str| usize::try_from(snippet[name].as_u64().unwrap_or(u64::MAX));
    let (start, end) = (at("highlight_start_offset"), at("highlight_end_offset"));
    let range = start.unwrap_or(usize::MAX)..end.unwrap_or(0);
    assert!(code.get(range).is_some(), "{case}: {one}");
}

/// `body` is a template whose build fails; the message has the lines of `expected`.
fn check_build(kiln: &Kiln, body: &str, expected: &[&str]) -> Result<()> {
    kiln.write("t.pkr.hcl", body);
    let mut finished = kiln.run(&["build", "t.pkr.hcl"])?.failure();
    for text in expected {
        finished = finished.says(text);
    }
    let told = finished
        .stdout
        .matches("Error: The run failed because of")
        .count();
    assert_eq!(told, 1, "{finished}");
    Ok(())
}

const NULL: &str = "source \"null\" \"a\" {\n  communicator = \"none\"\n}\n";

#[test]
fn options_that_fail_at_run_time_are_shown_where_they_stand() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("image.iso", "no image");
    let qemu = |url: &str, checksum: &str| {
        format!(
            "variable \"url\" {{\n  default = \"{url}\"\n}}\nsource \"qemu\" \"a\" {{\n  iso_url = var.url\n  \
             iso_checksum = \"{checksum}\"\n  ssh_username = \"x\"\n}}\nbuild {{\n  sources = [\"qemu.a\"]\n}}\n"
        )
    };
    check_build(
        &kiln,
        &qemu("image.iso", &format!("sha256:{:064}", 0)),
        &[
            "Error: The run failed because of `iso_checksum`",
            "  on t.pkr.hcl line 6, in source \"qemu\" \"a\":",
            "checksums did not match for",
            "Hint: Make sure that the source is the image you want",
        ],
    )?;
    check_build(
        &kiln,
        &qemu("missing.iso", "none"),
        &[
            "Error: The run failed because of `iso_url`",
            "  on t.pkr.hcl line 5, in source \"qemu\" \"a\":",
            "   5:   iso_url = var.url",
            "Here `var.url` is \"missing.iso\".",
            "Hint: Check that it can be had from here",
        ],
    )?;
    let build = |block: &str| format!("{NULL}build {{\n  sources = [\"null.a\"]\n{block}\n}}\n");
    check_build(
        &kiln,
        &build(
            "  provisioner \"shell-local\" {\n    inline = [\"true\"]\n    execute_command = \
             [\"./nothing\", \"{{.Script}}\"]\n  }",
        ),
        &[
            "Error: The run failed because of `execute_command`",
            "  on t.pkr.hcl line 8, in provisioner \"shell-local\":",
            "cannot start `./nothing`",
        ],
    )?;
    check_build(
        &kiln,
        &build(
            "  provisioner \"shell-local\" {\n    inline = [\"true\"]\n  }\n  post-processor \"manifest\" {\n    \
             output = \"image.iso/manifest.json\"\n  }",
        ),
        &[
            "Error: The run failed because of `output`",
            "  on t.pkr.hcl line 10, in post-processor \"manifest\":",
        ],
    )?;
    Ok(())
}

/// A template that logs in, as the user of the variable `user`, on lines 1 to 4.
fn login(port: u16, key: &str, user: &str, option: &str) -> String {
    format!(
        "variable \"user\" {{\n  default   = \"{user}\"\n  sensitive = false\n}}\nsource \"null\" \"a\" {{\n  \
         ssh_host             = \"127.0.0.1\"\n  ssh_port             = {port}\n  \
         ssh_private_key_file = \"{key}\"\n  ssh_username         = var.user\n  {option}\n}}\nbuild {{\n  \
         sources = [\"null.a\"]\n}}\n"
    )
}

#[test]
fn a_machine_that_cannot_be_reached_is_told_at_the_option_for_it() -> Result<()> {
    if !tools::installed(&["sshd", "ssh-keygen"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    let folder = kiln.root().join("sshd");
    std::fs::create_dir(&folder)?;
    let server = Sshd::start(&folder)?;
    let key = server.key.display().to_string();
    let once = "ssh_handshake_attempts = 1";
    let wrong = login(server.port, &key, "nobody-here", once);
    check_build(
        &kiln,
        &wrong,
        &[
            "Error: The run failed because of `ssh_username`",
            "  on t.pkr.hcl line 9, in source \"null\" \"a\":",
            "   9:   ssh_username         = var.user",
            "`var.user` is \"nobody-here\".",
        ],
    )?;
    // The name of a sensitive user is told nowhere, wherever it would be of use.
    let secret = wrong.replace("sensitive = false", "sensitive = true");
    kiln.write("t.pkr.hcl", &secret);
    let finished = kiln.run(&["build", "t.pkr.hcl"])?.failure();
    let finished = finished.says("The run failed because of `ssh_username`");
    let _finished = finished.says("a sensitive value").lacks("nobody-here");
    // Nobody listens where a server was.
    let port = server.port;
    drop(server);
    check_build(
        &kiln,
        &login(port, &key, "nobody-here", "ssh_timeout = \"1s\""),
        &[
            "Error: The run failed because of `ssh_timeout`",
            "  on t.pkr.hcl line 10, in source \"null\" \"a\":",
        ],
    )
}

#[test]
fn scripts_that_vanish_are_shown_where_they_are_named() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("first.sh", "rm second.sh\n");
    kiln.write("second.sh", "true\n");
    // The builder `file` has a place for files, and no shell.
    kiln.write(
        "t.pkr.hcl",
        "source \"file\" \"a\" {\n  content = \"x\"\n  target = \"out\"\n}\nbuild {\n  sources = [\"file.a\"]\n  \
         provisioner \"file\" {\n    sources = [\n      \"first.sh\",\n      \"never.sh\",\n    ]\n    destination = \
         \"there/\"\n    generated = true\n  }\n}\n",
    );
    let _finished = kiln
        .run(&["build", "t.pkr.hcl"])?
        .failure()
        .says("Error: The run failed because of `sources[1]`")
        .says("  on t.pkr.hcl line 10, in provisioner \"file\":")
        .says("  10:       \"never.sh\",");
    Ok(())
}

#[test]
fn a_filter_that_leaves_nothing_says_what_there_is() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.hcl",
        &format!("{NULL}build {{\n  sources = [\"null.a\"]\n}}\n"),
    );
    let _finished = kiln
        .run(&["build", "-only=nul.*", "t.pkr.hcl"])?
        .failure()
        .says("an 'only' option was passed")
        .says("No builds to run");
    Ok(())
}

#[test]
fn what_is_wrong_before_a_template_is_read_is_data_too() -> Result<()> {
    let kiln = Kiln::new();
    for words in [
        &["validate", "-json", "nowhere.pkr.hcl"][..],
        &["validate", "-json", "."],
        &["validate", "-json"],
        &["validate", "-json", "-syntax-only", "nowhere"],
        &["validate", "-json", "-var", "x", "."],
    ] {
        let finished = kiln.run(words)?.failure();
        let document: serde_json::Value =
            serde_json::from_str(&finished.stdout).with_context(|| finished.to_string())?;
        assert_eq!(document["error_count"], 1, "{words:?}");
        assert_eq!(document["valid"], false, "{words:?}");
    }
    Ok(())
}

#[test]
fn a_build_without_its_plugins_ends_before_anything_runs() -> Result<()> {
    let kiln = Kiln::new();
    let template = |plugin: &str| {
        format!(
            "packer {{\n  required_plugins {{\n    it = {{\n      source  = \"github.com/hashicorp/{plugin}\"\n      \
             version = \"~> 99.0\"\n    }}\n  }}\n}}\nsource \"null\" \"a\" {{\n  communicator = \"none\"\n}}\nbuild {{\n  \
             sources = [\"null.a\"]\n  provisioner \"shell-local\" {{\n    inline = [\"touch ran\"]\n  }}\n}}\n"
        )
    };
    kiln.write("t.pkr.hcl", &template("amazon"));
    for command in ["build", "validate"] {
        let finished = kiln.run(&[command, "t.pkr.hcl"])?.failure();
        let finished = finished.says("Error: Missing plugins").says("line 3");
        assert_eq!(finished.stdout.matches("Error:").count(), 1, "{finished}");
    }
    assert!(!kiln.work().join("ran").exists());
    // A bundled component stands for the plugin of its name, whatever version is asked for.
    kiln.write("t.pkr.hcl", &template("qemu"));
    drop(kiln.run(&["build", "t.pkr.hcl"])?.success());
    assert!(kiln.work().join("ran").exists());
    Ok(())
}
