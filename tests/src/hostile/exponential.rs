//! HCL2 of a few lines that is a lot of work.

use super::{Case, NOTHING, hcl, local};

pub(super) fn exponential(cases: &mut Vec<Case>) {
    let doubling = |first: &str, next: fn(usize) -> String| {
        let more: String = (0..60)
            .map(|at| format!("  x{} = {}\n", at + 1, next(at)))
            .collect();
        format!("locals {{\n  x0 = {first}\n{more}}}\n{NOTHING}")
    };
    let says = ["Result too large", "t.pkr.hcl line"];
    let text = doubling("\"0123456789abcdef\"", |at| {
        format!("\"${{local.x{at}}}${{local.x{at}}}\"")
    });
    cases.push(hcl("texts that double", text, &says));
    let text = doubling("[1]", |at| format!("[local.x{at}, local.x{at}]"));
    cases.push(hcl("lists that double", text, &says));
    let text = doubling("{ a = 1 }", |at| {
        format!("{{ a = local.x{at}, b = local.x{at} }}")
    });
    cases.push(hcl("objects that double", text, &says));
    for (name, value) in [
        (
            "setproduct",
            "setproduct(range(1000), range(1000), range(1000))",
        ),
        (
            "for in for",
            "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 1]]]",
        ),
        (
            "for in a template",
            "\"%{for a in range(1000)}%{for b in range(1000)}%{for c in range(1000)}x%{endfor}%{endfor}%{endfor}\"",
        ),
    ] {
        cases.push(local(
            name,
            value,
            &["Result too large", "t.pkr.hcl line 2"],
        ));
    }
    functions(cases);
    blocks(cases);
}

/// Functions that are asked for too much.
fn functions(cases: &mut Vec<Case>) {
    for (name, value) in [
        ("range", "range(0, 1e18)"),
        ("a wide format", "format(\"%1000000000d\", 1)"),
        ("bcrypt", "bcrypt(\"a\", 31)"),
        (
            "a regex that multiplies",
            "regex(\"((((a{1000}){1000}){1000}){1000})\", \"a\")",
        ),
        ("an endless file", "file(\"/dev/zero\")"),
        (
            "a template file in itself",
            "templatefile(\"./t.pkr.hcl\", {})",
        ),
    ] {
        let says: &[&str] = match name {
            "a template file in itself" => &[],
            _ => &["t.pkr.hcl line 2"],
        };
        cases.push(local(name, value, says));
    }
}

/// Blocks and locals that are more than they look.
fn blocks(cases: &mut Vec<Case>) {
    let letters: Vec<char> = ('a'..='l').collect();
    let laughs: String = letters
        .windows(2)
        .map(|pair| {
            format!(
                "{0}: &{0} [{1}]\n",
                pair[1],
                vec![format!("*{}", pair[0]); 10].join(",")
            )
        })
        .collect();
    let text = format!("yamldecode(<<E\na: &a [x,x,x,x,x,x,x,x,x,x]\n{laughs}E\n)");
    cases.push(local("a billion laughs", text, &["t.pkr.hcl line 2"]));
    let tangle: String = (0..200)
        .map(|at| {
            let all: Vec<String> = (0..200).map(|other| format!("local.x{other}")).collect();
            format!("  x{at} = [{}]\n", all.join(","))
        })
        .collect();
    cases.push(hcl(
        "locals that all need each other",
        format!("locals {{\n{tangle}}}\n"),
        &["cycle", "t.pkr.hcl line"],
    ));
    let nested = "build {\n  dynamic \"provisioner\" {\n    for_each = setproduct(range(1000), range(1000))\n    labels = [\"shell-local\"]\n    content {\n      inline = [\"true\"]\n    }\n  }\n}\n";
    cases.push(hcl(
        "a million dynamic blocks",
        nested.to_owned(),
        &["Result too large", "t.pkr.hcl line 3"],
    ));
}
