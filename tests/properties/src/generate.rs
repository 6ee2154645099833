//! Texts with a meaning, made from bytes.
//!
//! Random bytes are hardly ever a template that gets as far as evaluation. These are: each choice a
//! generator makes is read from the bytes, so that a fuzzer that changes bytes changes choices.

use arbitrary::{Result, Unstructured};

use Part::{Expression, Function, Literal, Name, Operator, Several, Text};

/// How deep generated expressions and blocks are nested.
const DEEPEST: usize = 5;

const NAMES: [&str; 14] = [
    "s", "n", "b", "none", "later", "texts", "secret", "list", "set", "map", "object", "missing",
    "k", "v",
];
const LITERALS: [&str; 22] = [
    "0",
    "1",
    "-1",
    "2.5",
    "1e3",
    "1e-9",
    "99999999999999999999",
    "1e400",
    "true",
    "false",
    "null",
    "\"\"",
    "\"a\"",
    "\"é\\n\\u00e9\"",
    "\"$${x} %%{y}\"",
    "\"1\"",
    "\"true\"",
    "\"a,b\"",
    "\"{{user `a`}}\"",
    "\"{{build `Host`}}\"",
    "\"2024-01-02T03:04:05Z\"",
    "\"10.0.0.0/8\"",
];
const OPERATORS: [&str; 13] = [
    "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||",
];

/// An expression.
///
/// # Errors
///
/// When the bytes cannot be read, which does not happen: where there are no more, zeros are read.
pub fn expression(bytes: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::new();
    write_expression(bytes, 0, &mut text)?;
    Ok(text)
}

fn write_expression(bytes: &mut Unstructured<'_>, depth: usize, text: &mut String) -> Result<()> {
    let is_simple = depth >= DEEPEST || bytes.is_empty();
    let shapes = if is_simple { &SHAPES[..2] } else { SHAPES };
    let shape = *bytes.choose(shapes)?;
    write_parts(shape, bytes, depth, text)
}

fn write_parts(
    parts: &[Part],
    bytes: &mut Unstructured<'_>,
    depth: usize,
    text: &mut String,
) -> Result<()> {
    for part in parts {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Literal => text.push_str(bytes.choose(&LITERALS)?),
            Part::Expression => write_expression(bytes, depth + 1, text)?,
            Part::Name => text.push_str(bytes.choose(&NAMES)?),
            Part::Operator => text.push_str(bytes.choose(&OPERATORS)?),
            Part::Function => text.push_str(bytes.choose(&functions())?),
            Part::Several(parts) => {
                for index in 0..bytes.int_in_range(0..=4)? {
                    text.push_str(if index > 0 { ", " } else { "" });
                    write_parts(parts, bytes, depth, text)?;
                }
            }
        }
    }
    Ok(())
}

/// A piece of an expression.
enum Part {
    Text(&'static str),
    Literal,
    Expression,
    Name,
    Operator,
    Function,
    /// A few of the same, with commas between them.
    Several(&'static [Part]),
}

/// What an expression can be; the first two are all there is at the deepest level.
const SHAPES: &[&[Part]] = &[
    &[Literal],
    &[Text("var."), Name],
    &[Function, Text("("), Several(&[Expression]), Text(")")],
    &[Function, Text("("), Several(&[Expression]), Text("...)")],
    &[
        Text("("),
        Expression,
        Text(" "),
        Operator,
        Text(" "),
        Expression,
        Text(")"),
    ],
    &[Text("["), Several(&[Expression]), Text("]")],
    &[
        Text("{"),
        Several(&[Name, Text(" = "), Expression]),
        Text("}"),
    ],
    &[
        Text("[for k, v in "),
        Expression,
        Text(" : "),
        Expression,
        Text("]"),
    ],
    &[
        Text("{for k, v in "),
        Expression,
        Text(" : "),
        Expression,
        Text(" => "),
        Expression,
        Text(" if "),
        Expression,
        Text("}"),
    ],
    &[
        Text("("),
        Expression,
        Text(" ? "),
        Expression,
        Text(" : "),
        Expression,
        Text(")"),
    ],
    &[
        Text("\"a${"),
        Expression,
        Text("}b${~ "),
        Expression,
        Text(" ~}\""),
    ],
    &[
        Text("\"%{ if "),
        Expression,
        Text(" }x%{ else }y${"),
        Expression,
        Text("}%{ endif }%{ for v in "),
        Expression,
        Text(" }${v}%{ endfor }\""),
    ],
    &[Expression, Text("["), Expression, Text("]")],
    &[Expression, Text("[*]."), Name],
    &[Text("!("), Expression, Text(")")],
];

/// All functions but those that are slow on purpose.
fn functions() -> Vec<&'static str> {
    let all = host_eval::function_names();
    let quick = all
        .into_iter()
        .filter(|name| !crate::samples::is_slow_on_purpose(name));
    quick.collect()
}

/// An HCL2 template whose blocks are in order and whose values are [`expression`]s.
///
/// # Errors
///
/// As of [`expression`].
pub fn template(bytes: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::new();
    for name in NAMES {
        match bytes.int_in_range(0..=3)? {
            0 => {}
            1 => text.push_str(&format!(
                "variable \"{name}\" {{\n default = {}\n}}\n",
                literal(bytes)?
            )),
            2 => text.push_str(&format!(
                "variable \"{name}\" {{\n type = {}\n default = {}\n sensitive = {}\n}}\n",
                variable_type(bytes)?,
                literal(bytes)?,
                bytes.arbitrary::<bool>()?
            )),
            _ => text.push_str(&format!(
                "locals {{\n {name} = {}\n}}\n",
                expression(bytes)?
            )),
        }
    }
    let source = ["open", "machine"];
    let kind = bytes.choose(&source)?;
    text.push_str(&format!("source \"{kind}\" \"one\" {{\n"));
    body(bytes, 0, &mut text)?;
    text.push_str("}\nbuild {\n");
    text.push_str(&format!(" sources = [\"source.{kind}.one\"]\n"));
    for _ in 0..bytes.int_in_range(0..=2)? {
        let kind = bytes.choose(&[
            "provisioner \"open\"",
            "post-processor \"machine\"",
            "provisioner \"machine\"",
        ])?;
        text.push_str(&format!(" {kind} {{\n"));
        body(bytes, 1, &mut text)?;
        text.push_str(" }\n");
    }
    text.push_str("}\n");
    Ok(text)
}

fn literal(bytes: &mut Unstructured<'_>) -> Result<&'static str> {
    bytes.choose(&LITERALS).copied()
}

fn variable_type(bytes: &mut Unstructured<'_>) -> Result<&'static str> {
    let types = [
        "string",
        "number",
        "bool",
        "any",
        "list(string)",
        "set(number)",
        "map(any)",
        "object({ a = string, b = optional(number, 3) })",
        "tuple([string, bool])",
        "list(any)",
    ];
    bytes.choose(&types).copied()
}

fn body(bytes: &mut Unstructured<'_>, depth: usize, text: &mut String) -> Result<()> {
    let options = [
        "text", "number", "flag", "time", "any", "texts", "rows", "tags", "pair", "late", "wrong",
    ];
    for option in options {
        if bytes.int_in_range(0..=3)? == 0 {
            text.push_str(&format!("  {option} = {}\n", expression(bytes)?));
        }
    }
    if depth >= DEEPEST || bytes.is_empty() {
        return Ok(());
    }
    match bytes.int_in_range(0..=4)? {
        0 => {
            text.push_str("  disk {\n");
            body(bytes, depth + 1, text)?;
            text.push_str("  }\n");
        }
        1 => {
            let each = expression(bytes)?;
            text.push_str(&format!(
                "  dynamic \"disk\" {{\n  for_each = {each}\n  content {{\n"
            ));
            body(bytes, depth + 1, text)?;
            text.push_str("  }\n  }\n");
        }
        _ => {}
    }
    Ok(())
}
