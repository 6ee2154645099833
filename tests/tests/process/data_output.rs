//! What `validate -json` and `plan -json` print, held against their published schemas.

use anyhow::{Context, Result};
use kiln_tests::{Kiln, project};
use serde_json::Value;

const NULL: &str = "source \"null\" \"a\" { communicator = \"none\" }\n";

fn schema(path: &str) -> Result<jsonschema::Validator> {
    let text = std::fs::read_to_string(project().join(path))?;
    Ok(jsonschema::validator_for(&serde_json::from_str(&text)?)?)
}

/// Runs `command -json` and gives what it prints, which must follow its schema.
fn document(kiln: &Kiln, command: &str, words: &[&str]) -> Result<(i32, Value)> {
    let words: Vec<&str> = [command, "-json"].iter().chain(words).copied().collect();
    let finished = kiln.run(&words)?;
    let value: Value =
        serde_json::from_str(&finished.stdout).with_context(|| finished.to_string())?;
    let path = match command {
        "plan" => "host/plan/plan.schema.json",
        _ => "host/cli/validate.schema.json",
    };
    let schema = schema(path)?;
    let problems: Vec<String> = schema
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{problems:#?}\n{finished}");
    Ok((finished.code(), value))
}

fn check(text: &str, name: &str, words: &[&str], expected: &[&str]) -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(name, text);
    let words: Vec<&str> = words.iter().chain([&name]).copied().collect();
    let (code, value) = document(&kiln, "validate", &words)?;
    let found: Vec<String> = value["diagnostics"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| {
            let start = &one["range"]["start"];
            format!("{}:{} {}", start["line"], start["column"], one["summary"])
        })
        .collect();
    assert_eq!(found, expected, "{value:#}");
    assert_eq!(value["valid"], code == 0);
    drop(document(&kiln, "plan", &words[words.len() - 1..])?);
    Ok(())
}

#[test]
fn valid_templates_give_an_empty_list() -> Result<()> {
    let text = format!("{NULL}build {{ sources = [\"null.a\"] }}\n");
    check(&text, "t.pkr.hcl", &[], &[])?;
    check(&text, "t.pkr.hcl", &["-syntax-only"], &[])
}

#[test]
fn every_problem_has_a_place_in_the_file() -> Result<()> {
    let text =
        "variable \"é\u{1F600}\" {}\nvariable \"n\" {\n  type = number\n  default = \"x\"\n}\n";
    check(
        text,
        "t.pkr.hcl",
        &[],
        &[
            "1:10 \"Invalid variable name\"",
            "4:13 \"Invalid default value for variable\"",
        ],
    )?;
    let text = format!(
        "{NULL}build {{\n  sources = [\"null.a\"]\n  provisioner \"shell-local\" {{\n    inlin = \
         [\"${{source.nam}}\"]\n  }}\n}}\n"
    );
    check(&text, "t.pkr.hcl", &[], &["5:5 \"Unsupported argument\""])
}

#[test]
fn syntax_errors_missing_files_and_legacy_templates_are_data_too() -> Result<()> {
    check(
        "build {",
        "t.pkr.hcl",
        &[],
        &["1:1 \"Unclosed configuration block\""],
    )?;
    check(
        "{\"builders\": [{\"type\": \"null\", \"comunicator\": \"none\"}]}",
        "t.json",
        &[],
        &["1:32 \"unknown configuration key: '\\\"comunicator\\\"'\""],
    )?;
    let kiln = Kiln::new();
    let (code, value) = document(&kiln, "validate", &["none.pkr.hcl"])?;
    assert_eq!((code, &value["error_count"]), (1, &Value::from(1)));
    Ok(())
}

#[test]
fn warnings_are_counted_and_leave_a_template_valid() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.hcl",
        &format!("{NULL}build {{ sources = [\"null.a\"] }}\n"),
    );
    kiln.write("v.pkrvars.hcl", "nobody = 1\n");
    let (code, value) = document(&kiln, "validate", &["-var-file=v.pkrvars.hcl", "t.pkr.hcl"])?;
    assert_eq!((code, &value["valid"]), (0, &Value::from(true)));
    assert_eq!(value["warning_count"], 1);
    assert_eq!(
        value["diagnostics"][0]["range"]["filename"],
        "v.pkrvars.hcl"
    );
    Ok(())
}

#[test]
fn secrets_do_not_appear_in_data() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.hcl",
        &format!(
            "variable \"key\" {{\n  sensitive = true\n  default = \"hush-hush\"\n}}\n{NULL}build {{\n  \
             sources = [\"null.a\", \"null.${{var.key}}\"]\n}}\n"
        ),
    );
    let (code, value) = document(&kiln, "validate", &["t.pkr.hcl"])?;
    assert_eq!(code, 1);
    assert!(!value.to_string().contains("hush-hush"), "{value:#}");
    Ok(())
}

/// A secret may be a digit or a colon: the document is one all the same.
#[test]
fn a_secret_that_is_a_part_of_the_syntax_breaks_no_document() -> Result<()> {
    for secret in ["1", ":", ",", "e", "null"] {
        let kiln = Kiln::new();
        kiln.write(
            "t.pkr.hcl",
            &format!(
                "variable \"key\" {{\n  sensitive = true\n  default = \"{secret}\"\n}}\n{NULL}build {{\n  \
                 sources = [\"null.a\"]\n}}\n"
            ),
        );
        let (code, value) = document(&kiln, "validate", &["t.pkr.hcl"])?;
        assert_eq!((code, &value["valid"]), (0, &Value::from(true)), "{secret}");
        let plan = kiln.run(&["plan", "-json", "t.pkr.hcl"])?.success();
        let plan: Value = serde_json::from_str(&plan.stdout)?;
        assert_eq!(plan["format_version"], 1, "{secret}");
    }
    Ok(())
}
