//! Against an independent program: Debian's `packer` 1.6.6, for everything that existed then.
//!
//! Every difference is in a table here with its reason; one that is not there fails the test, and
//! so does one that does not occur any more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kiln_tests::kiln::program_folder;
use kiln_tests::tools::installed;
use serde_json::{Value, json};

use crate::corpus;
use crate::expressions::{HCL, TEMPLATES, generated};

/// Prints a count; tests show it with `--nocapture`.
#[expect(
    clippy::print_stdout,
    reason = "counts are part of what the tests show"
)]
fn count(text: &str) {
    println!("{text}");
}

/// What a program printed, and its exit status.
struct Ran {
    code: i32,
    text: String,
}

fn run(program: &Path, folder: &Path, words: &[&str]) -> Result<Ran> {
    let home = tempfile::tempdir()?;
    let output = Command::new(program)
        .args(words)
        .current_dir(folder)
        .env("HOME", home.path())
        .env("XDG_STATE_HOME", home.path())
        .env("PACKER_NO_COLOR", "1")
        .env("CHECKPOINT_DISABLE", "1")
        .env("TZ", "UTC")
        .output()
        .with_context(|| program.display().to_string())?;
    Ok(Ran {
        code: output.status.code().unwrap_or(-1),
        text: String::from_utf8_lossy(&output.stdout).into_owned(),
    })
}

fn kiln(folder: &Path, words: &[&str]) -> Result<Ran> {
    run(&program_folder().join("kiln"), folder, words)
}

fn packer(folder: &Path, words: &[&str]) -> Result<Ran> {
    run(Path::new("packer"), folder, words)
}

/// All legacy templates of the corpus, each once: folder and path.
fn templates() -> Result<Vec<(PathBuf, String)>> {
    let Some(folder) = corpus::folder() else {
        return Ok(Vec::new());
    };
    let all = corpus::variants(&folder)?.into_iter();
    let legacy = all.filter(|variant| variant.project == "image-builder");
    let all: BTreeSet<_> = legacy
        .map(|variant| (variant.folder, variant.template))
        .collect();
    Ok(all.into_iter().collect())
}

/// The lines of `inspect` that say something. Required variables come in any order there, and the
/// note at the end is worded differently.
fn inspected(text: &str) -> Vec<String> {
    let lines = text.lines().take_while(|line| !line.starts_with("Note:"));
    let lines = lines.filter(|line| !line.trim().is_empty());
    let mut required = Vec::new();
    let mut others = Vec::new();
    let mut in_required = false;
    for line in lines {
        if !line.starts_with(' ') {
            in_required = line.starts_with("Required");
        }
        let list = if in_required {
            &mut required
        } else {
            &mut others
        };
        list.push(line.trim_end().to_owned());
    }
    required.sort();
    required.extend(others);
    required
}

#[test]
fn inspect_fix_and_syntax_checks_agree_on_the_corpus() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let templates = templates()?;
    for (folder, path) in &templates {
        let ours = kiln(folder, &["inspect", path])?;
        let theirs = packer(folder, &["inspect", path])?;
        assert_eq!(ours.code, theirs.code, "inspect {path}");
        assert_eq!(
            inspected(&ours.text),
            inspected(&theirs.text),
            "inspect {path}"
        );
        for words in [
            &["fix", "-validate=false", path][..],
            &["validate", "-syntax-only", path],
        ] {
            let (ours, theirs) = (kiln(folder, words)?, packer(folder, words)?);
            assert_eq!(
                (ours.code, ours.text),
                (theirs.code, theirs.text),
                "{words:?}"
            );
        }
    }
    count(&format!(
        "oracle: inspect, fix and validate agree on {} templates",
        templates.len()
    ));
    Ok(())
}

/// Templates with one thing changed each, whether or not they are still right.
fn mutations() -> Vec<(String, Value)> {
    let base = json!({
        "min_packer_version": "1.0.0",
        "variables": {"a": "1", "b": "{{user `a`}}"},
        "sensitive-variables": ["a"],
        "builders": [
            {"type": "null", "communicator": "none"},
            {"type": "file", "name": "f", "content": "{{user `b`}}", "target": "out.txt"}
        ],
        "provisioners": [
            {"type": "shell-local", "inline": ["true"], "only": ["null"], "pause_before": "1s"}
        ],
        "post-processors": [
            [{"type": "checksum", "checksum_types": ["md5"]}, {"type": "manifest"}],
            {"type": "manifest", "keep_input_artifact": true}
        ]
    });
    let mut all = vec![("nothing".to_owned(), base.clone())];
    let values = [
        json!(null),
        json!(""),
        json!("x"),
        json!(true),
        json!([]),
        json!({}),
    ];
    let places = [
        "/min_packer_version",
        "/variables",
        "/variables/a",
        "/variables/b",
        "/sensitive-variables",
        "/builders",
        "/builders/0",
        "/builders/0/type",
        "/builders/0/communicator",
        "/builders/1/name",
        "/builders/1/target",
        "/provisioners",
        "/provisioners/0",
        "/provisioners/0/type",
        "/provisioners/0/inline",
        "/provisioners/0/only",
        "/provisioners/0/pause_before",
        "/post-processors",
        "/post-processors/0",
        "/post-processors/0/0",
        "/post-processors/0/0/checksum_types",
        "/post-processors/1/keep_input_artifact",
    ];
    for place in places {
        for value in &values {
            let mut changed = base.clone();
            if let Some(part) = changed.pointer_mut(place) {
                *part = value.clone();
            }
            all.push((format!("{place} = {value}"), changed));
        }
    }
    for (key, value) in [
        ("buildrs", json!([])),
        ("_comment", json!("x")),
        ("push", json!({})),
    ] {
        let mut changed = base.clone();
        changed[key] = value;
        all.push((format!("/{key}"), changed));
    }
    all
}

/// Changes that kiln and Packer 1.6.6 judge differently, with the reason.
const JUDGEMENTS: &[(&str, &str)] = &[
    ("/builders/0 = null", "1.6.6 crashes"),
    (
        "/provisioners/0/pause_before = true",
        "a bool is no duration; 1.6.6 takes it for a nanosecond",
    ),
    (
        "/sensitive-variables = \"\"",
        "one text counts as a list of it, as in every other list of a legacy template",
    ),
    (
        "/sensitive-variables = {}",
        "an empty object counts as an empty list, as in every other list of a legacy template",
    ),
    (
        "/sensitive-variables = \"x\"",
        "one text counts as a list of it, as in every other list of a legacy template",
    ),
];

#[test]
fn validate_judges_changed_templates_alike() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let mut differences = BTreeMap::new();
    let all = mutations();
    for (change, template) in &all {
        std::fs::write(folder.path().join("t.json"), template.to_string())?;
        let ours = kiln(folder.path(), &["validate", "t.json"])?;
        let theirs = packer(folder.path(), &["validate", "t.json"])?;
        if ours.code != theirs.code {
            let both = format!(
                "kiln {}: {}\npacker {}: {}",
                ours.code, ours.text, theirs.code, theirs.text
            );
            differences.insert(change.clone(), both);
        }
    }
    count(&format!(
        "oracle: {} changed templates, {} judged differently",
        all.len(),
        differences.len()
    ));
    listed(&differences, JUDGEMENTS)
}

/// Fails when a difference is in no table, or one in the table does not occur.
#[expect(
    clippy::print_stdout,
    reason = "what differs is said, also when all is well"
)]
fn listed(differences: &BTreeMap<String, String>, table: &[(&str, &str)]) -> Result<()> {
    let mut unlisted = String::new();
    for (what, both) in differences {
        if !table.iter().any(|(known, _)| known == what) {
            writeln!(unlisted, "{what}\n{both}")?;
        }
    }
    ensure!(unlisted.is_empty(), "not listed:\n{unlisted}");
    for (known, reason) in table {
        println!("differs: {known}: {reason}");
        ensure!(
            differences.contains_key(*known),
            "`{known}` does not differ any more"
        );
    }
    Ok(())
}

/// Expressions of HCL2 whose values differ, with the reason.
const VALUES: &[(&str, &str)] = &[
    ("index([\"a\", \"b\", \"c\"], \"b\")", LATER),
    (
        "regex(\"(?P<year>\\\\d{4})-(?P<month>\\\\d\\\\d)\", \"2019-02-01\")",
        LATER,
    ),
    ("regex(\"(\\\\d+)-(\\\\d+)\", \"10-20\")", LATER),
    (
        "regex(\"[a-z]+\", \"53453453.345345aaabbbccc23454\")",
        LATER,
    ),
    ("regexall(\"[a-z]+\", \"1234abcd5678efgh9\")", LATER),
    (
        "lower(\"${lower(\"ünï\")}:${(0 * -3)}\")",
        "numbers have no negative zero here; Go's big.Float has one",
    ),
];
/// Why functions differ.
const LATER: &str = "regex came with Packer 1.7, and index took a key until then";

/// The value of each expression, by number, as `inspect` shows locals.
fn values(
    program: fn(&Path, &[&str]) -> Result<Ran>,
    expressions: &[&String],
) -> Result<BTreeMap<usize, String>> {
    let folder = tempfile::tempdir()?;
    let mut text = "locals {\n".to_owned();
    for (number, expression) in expressions.iter().enumerate() {
        writeln!(text, "  x{number} = {expression}")?;
    }
    text.push_str("}\n");
    std::fs::write(folder.path().join("t.pkr.hcl"), text)?;
    let ran = program(folder.path(), &["inspect", "t.pkr.hcl"])?;
    let lines = ran.text.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("local.x")?.split_once(": ")?;
        Some((name.parse().ok()?, value.to_owned()))
    });
    Ok(lines.collect())
}

#[test]
fn expressions_have_the_same_values() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let mut all: Vec<String> = HCL.iter().map(|text| (*text).to_owned()).collect();
    all.extend(generated(1500));
    let mut differences = BTreeMap::new();
    let mut compared = 0;
    for batch in all.chunks(250) {
        let batch: Vec<&String> = batch.iter().collect();
        let ours = values(kiln, &batch)?;
        let known = |number: &usize| {
            ours.get(number)
                .is_some_and(|value| value != "\"<unknown>\"")
        };
        let good: Vec<usize> = (0..batch.len()).filter(known).collect();
        let kept: Vec<&String> = good.iter().map(|number| batch[*number]).collect();
        let theirs = values(packer, &kept)?;
        compared += kept.len();
        for (index, number) in good.iter().enumerate() {
            let (ours, theirs) = (ours.get(number), theirs.get(&index));
            if ours != theirs {
                let both = format!("kiln {ours:?}\npacker {theirs:?}");
                differences.insert(batch[*number].clone(), both);
            }
        }
    }
    count(&format!(
        "oracle: {} expressions, {compared} with values, {} differ",
        all.len(),
        differences.len()
    ));
    listed(&differences, VALUES)
}

/// Template calls whose results differ, with the reason.
const RENDERINGS: &[(&str, &str)] = &[];

/// What a `file` builder writes for a text.
fn written(program: fn(&Path, &[&str]) -> Result<Ran>, texts: &[&str]) -> Result<Option<String>> {
    let folder = tempfile::tempdir()?;
    let template = json!({
        "variables": {"name": "Some Name", "empty": "", "list": "a,b,c", "number": "42"},
        "builders": [{"type": "file", "content": texts.join("\n"), "target": "out.txt"}],
    });
    std::fs::write(folder.path().join("t.json"), template.to_string())?;
    let ran = program(folder.path(), &["build", "t.json"])?;
    if ran.code != 0 {
        return Ok(None);
    }
    Ok(Some(std::fs::read_to_string(
        folder.path().join("out.txt"),
    )?))
}

#[test]
fn template_calls_render_alike() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let mut differences = BTreeMap::new();
    let (ours, theirs) = (written(kiln, TEMPLATES)?, written(packer, TEMPLATES)?);
    if ours != theirs || ours.is_none() {
        for text in TEMPLATES {
            let (ours, theirs) = (written(kiln, &[text])?, written(packer, &[text])?);
            if ours != theirs {
                let both = format!("kiln {ours:?}\npacker {theirs:?}");
                differences.insert((*text).to_owned(), both);
            }
        }
    }
    count(&format!(
        "oracle: {} template texts, {} differ",
        TEMPLATES.len(),
        differences.len()
    ));
    listed(&differences, RENDERINGS)
}
