//! Legacy JSON of a few lines that is a lot of work.

use super::{Case, MIB, json};

/// A legacy template whose only variable has the default `text`.
pub(super) fn go(name: &str, text: &str, says: &[&str]) -> Case {
    let text = format!(
        "{{\"variables\":{{\"a\":\"{text}\"}},\"builders\":[{{\"type\":\"null\",\"communicator\":\"none\"}}]}}"
    );
    let says: Vec<&str> = says.iter().map(|text| text.trim_matches('`')).collect();
    json(name, text, &says)
}

pub(super) fn legacy(cases: &mut Vec<Case>) {
    let templates = |first: &str| {
        let more: String = (0..60)
            .map(|at| format!("{{{{define `t{}`}}}}{{{{template `t{at}`}}}}{{{{template `t{at}`}}}}{{{{end}}}}", at + 1))
            .collect();
        format!("{more}{{{{define `t0`}}}}{first}{{{{end}}}}{{{{template `t60`}}}}")
    };
    cases.push(go(
        "Go templates that double",
        &templates("xxxxxxxx"),
        &["'a'", "steps"],
    ));
    cases.push(go(
        "empty Go templates that double",
        &templates(""),
        &["'a'", "steps"],
    ));
    cases.push(go(
        "a Go template in itself",
        "{{define `t`}}{{template `t`}}{{end}}{{template `t`}}",
        &["'a'", "nesting"],
    ));
    let text = format!(
        "{{{{$x := `0123456789abcdef`}}}}{}",
        "{{$x = print $x $x}}".repeat(60)
    );
    cases.push(go("a Go variable that doubles", &text, &["'a'", "16 MiB"]));
    cases.push(go(
        "many Go actions",
        &"{{`x`}}".repeat(MIB),
        &["'a'", "words and signs"],
    ));
    cases.push(go(
        "a wide printf",
        "{{printf `%1000000000d` 1}}{{printf `%*d` 1000000000 1}}",
        &[],
    ));
    let variables = |first: &str, next: fn(usize) -> String| {
        let more: String = (0..60)
            .map(|at| format!(",\"x{}\":\"{}\"", at + 1, next(at)))
            .collect();
        format!(
            "{{\"variables\":{{\"x0\":\"{first}\"{more}}},\"builders\":[{{\"type\":\"null\",\"communicator\":\"none\"}}]}}"
        )
    };
    let text = variables("0123456789abcdef", |at| {
        format!("{{{{user `x{at}`}}}}{{{{user `x{at}`}}}}")
    });
    cases.push(json("variables that double", text, &["larger than 16 MiB"]));
    cases.push(json(
        "variables that need each other",
        variables("{{user `x60`}}", |at| format!("{{{{user `x{at}`}}}}")),
        &["needs its own value"],
    ));
}
