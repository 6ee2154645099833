//! Nesting.

use super::legacy::go;
use super::{Case, DEEP, Files, everywhere, everywhere_json, hcl, json, local};

pub(super) fn deep(cases: &mut Vec<Case>) {
    for open in [
        "[",
        "(",
        "{ a = ",
        "\"${",
        "f(",
        "a[",
        "!",
        "-",
        "true ? 1 : ",
        "1 + ",
    ] {
        let name = format!("{DEEP} times {open:?}");
        let text = format!("locals {{\n  x = {}\n}}\n", open.repeat(DEEP));
        cases.push(everywhere(hcl(&name, text, &["t.pkr.hcl line 2"])));
    }
    let text = "a {\n".repeat(DEEP);
    cases.push(everywhere(hcl(
        "nested blocks",
        text,
        &["Nesting too deep", "t.pkr.hcl line 100"],
    )));
    for open in ["[", "{\"a\":"] {
        let text = format!("{{\"variables\": {}", open.repeat(DEEP));
        let name = format!("{DEEP} times {open:?} in JSON");
        cases.push(everywhere_json(json(&name, text, &["t.json line 1"])));
    }
    let text = format!("{{\"locals\": {{\"a\": {}", "[".repeat(DEEP));
    cases.push(Case {
        files: Files::One("t.pkr.json", text),
        commands: vec![vec!["validate", "t.pkr.json"]],
        ..hcl(
            "nested lists in HCL's JSON",
            String::new(),
            &["t.pkr.json line 1"],
        )
    });
    let text = format!(
        "jsondecode(join(\"\", [for i in range(1000) : \"{}\"]))",
        "[".repeat(100)
    );
    cases.push(local(
        "nested lists in jsondecode",
        text,
        &["t.pkr.hcl line 2"],
    ));
    let text = format!(
        "yamldecode(join(\"\", [for i in range(1000) : \"{}\"]))",
        "[".repeat(100)
    );
    cases.push(local(
        "nested lists in yamldecode",
        text,
        &["t.pkr.hcl line 2"],
    ));
    cases.push(go(
        "nested Go template",
        &"{{if 1}}".repeat(DEEP / 10),
        &["`a`", "nesting"],
    ));
    cases.push(go(
        "nested Go parentheses",
        &format!("{{{{{}}}}}", "(".repeat(DEEP)),
        &["`a`", "left parenthesis"],
    ));
}
