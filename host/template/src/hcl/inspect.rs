//! What `inspect` prints of an HCL2 template.

use std::fmt::Write as _;

use host_eval::Value;

use crate::hcl::build::BuildBlock;
use crate::hcl::source::Sources;
use crate::hcl::template::{HclTemplate, printed};

/// Variables, locals and builds in Packer's form.
pub(crate) fn inspect(template: &HclTemplate) -> String {
    let (blocks, _) = template.blocks(None);
    let mut text = String::from("Packer Inspect: HCL2 mode\n\n> input-variables:\n\n");
    let mut variables: Vec<_> = template.variables.values().collect();
    variables.sort_by(|left, right| left.name.cmp(&right.name));
    for variable in variables {
        line(
            &mut text,
            format_args!("var.{}: {}", variable.name, quoted(&variable.value())),
        );
    }
    text.push_str("\n> local-variables:\n\n");
    let mut locals: Vec<&String> = template.locals.iter().map(|local| &local.name).collect();
    locals.sort();
    for name in locals {
        let value = template
            .local_values
            .get(name)
            .map_or_else(|| quoted(&Value::dynamic()), quoted);
        line(&mut text, format_args!("local.{name}: {value}"));
    }
    text.push_str("\n> builds:\n");
    for (index, build) in blocks.builds.iter().enumerate() {
        inspect_build(&mut text, index, build, &blocks.sources);
    }
    text
}

fn inspect_build(text: &mut String, index: usize, build: &BuildBlock, sources: &Sources) {
    match build.name.as_str() {
        "" => line(text, format_args!("\n  > <unnamed build {index}>:")),
        name => line(text, format_args!("\n  > {name}:")),
    }
    if !build.description.is_empty() {
        line(
            text,
            format_args!("\n  > Description: {}", build.description),
        );
    }
    text.push_str("\n    sources:\n");
    if build.uses.is_empty() {
        text.push_str("\n      <no source>\n");
    }
    for target in build.uses.iter().flat_map(|used| sources.targets(used)) {
        line(
            text,
            format_args!("\n      {}.{}", target.key.type_name, target.local_name),
        );
    }
    text.push_str("\n    provisioners:\n\n");
    if build.provisioners.is_empty() {
        text.push_str("      <no provisioner>\n");
    }
    for block in &build.provisioners {
        line(
            text,
            format_args!("      {}", labelled(&block.type_name, &block.name)),
        );
    }
    text.push_str("\n    post-processors:\n");
    if build.post_processors.is_empty() {
        text.push_str("\n      <no post-processor>\n");
    }
    for (number, chain) in build.post_processors.iter().enumerate() {
        line(text, format_args!("\n      {number}:"));
        for block in chain {
            line(
                text,
                format_args!("        {}", labelled(&block.type_name, &block.name)),
            );
        }
    }
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("writing to a string does not fail");
}

fn labelled(type_name: &str, name: &str) -> String {
    if name.is_empty() {
        type_name.to_owned()
    } else {
        format!("{type_name}.{name}")
    }
}

/// A value as the console prints it, in Go's quotes.
fn quoted(value: &Value) -> String {
    go_quoted(&printed(value))
}

/// Text in double quotes with Go's escapes (`%q`).
pub(crate) fn go_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\u{b}' => quoted.push_str("\\v"),
            control if control.is_control() && u32::from(control) < 0x80 => {
                write!(quoted, "\\x{:02x}", u32::from(control))
                    .expect("writing to a string does not fail");
            }
            control if control.is_control() => {
                write!(quoted, "\\u{:04x}", u32::from(control))
                    .expect("writing to a string does not fail");
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}
