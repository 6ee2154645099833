//! Texts, lists and templates that are long.

use super::{Case, LARGE, NOTHING, everywhere, everywhere_json, hcl, json, local};

pub(super) fn large(cases: &mut Vec<Case>) {
    cases.push(everywhere(local(
        "a long text",
        format!("\"{}\"", "x".repeat(LARGE)),
        &[],
    )));
    let text = format!("<<E\n{}E\n", "xxxxxxxxx\n".repeat(LARGE / 40));
    cases.push(everywhere(local("a long heredoc", text, &[])));
    let text = "1".repeat(LARGE);
    cases.push(everywhere(local(
        "a long number",
        text,
        &["t.pkr.hcl line 2"],
    )));
    cases.push(local(
        "a long name",
        "x".repeat(LARGE),
        &["t.pkr.hcl line 2", "bytes more"],
    ));
    cases.push(everywhere(hcl(
        "a long comment",
        format!("#{}\n{NOTHING}", "x".repeat(LARGE)),
        &[],
    )));
    let says = ["File too large", "t.pkr.hcl line 10000"];
    cases.push(everywhere(hcl("many lines", "\n".repeat(LARGE), &says)));
    let text = format!("[{}]", "1,".repeat(LARGE / 2));
    cases.push(everywhere(local(
        "a long list",
        text,
        &["File too large", "t.pkr.hcl line 2"],
    )));
    let text = format!("[{}]", "[{a=1}],".repeat(50_000));
    cases.push(everywhere(local(
        "a long list of lists",
        text,
        &["Expression too large"],
    )));
    cases.push(local(
        "a list of 90,000",
        format!("[{}]", "1,".repeat(90_000)),
        &[],
    ));
    let text = format!("{{\"variables\": {{\"a\": \"{}\"}}}}", "x".repeat(LARGE));
    cases.push(Case {
        commands: vec![vec!["validate", "t.json"]],
        ..json(
            "a long text in JSON",
            text,
            &["at least one builder must be defined"],
        )
    });
    let text = format!(
        "{{\"variables\": {{\"a\": [{}1]}}}}",
        "1,".repeat(LARGE / 2)
    );
    cases.push(everywhere_json(json(
        "a long list in JSON",
        text,
        &["File too large", "t.json line 1"],
    )));
    let options: String = (0..20_000).map(|at| format!("  a{at} = 1\n")).collect();
    let text =
        format!("source \"null\" \"n\" {{\n{options}}}\nbuild {{\n sources = [\"null.n\"]\n}}\n");
    cases.push(hcl(
        "many unknown options",
        text,
        &["t.pkr.hcl line 2", "more problems"],
    ));
    let builders: Vec<String> = (0..5_000)
        .map(|at| format!("{{\"type\":\"null\",\"name\":\"n{at}\",\"foo{at}\":1}}"))
        .collect();
    let text = format!("{{\"builders\":[{}]}}", builders.join(","));
    cases.push(json(
        "many unknown options in JSON",
        text,
        &["t.json line 1", "foo0"],
    ));
}
