//! What `inspect` prints of an HCL2 template.

use std::fmt::Write as _;

use host_eval::{Value, quoted_text};

use crate::hcl::build::BuildBlock;
use crate::hcl::members::{Member, Step};
use crate::hcl::module_sources::ModuleSources;
use crate::hcl::source::Sources;
use crate::hcl::template::{HclTemplate, printed};

/// Variables, locals and builds in Packer's form. Modules and outputs, which Packer does not have,
/// are only mentioned when there are some.
pub(crate) fn inspect(template: &HclTemplate) -> String {
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
    if !template.modules.is_empty() {
        text.push_str("\n> modules:\n\n");
        inspect_modules(&mut text, template, "");
    }
    if !template.outputs.is_empty() {
        text.push_str("\n> outputs:\n\n");
    }
    let mut outputs: Vec<&String> = template.outputs.iter().map(|output| &output.name).collect();
    outputs.sort();
    for name in outputs {
        let value = template.output_values.get(name);
        let value = value.map_or_else(|| quoted(&Value::dynamic()), quoted);
        line(&mut text, format_args!("output.{name}: {value}"));
    }
    text.push_str("\n> builds:\n");
    inspect_builds(&mut text, template, "");
    text
}

/// The folders of modules, and of modules in them; `path` is that of the template they are in.
fn inspect_modules(text: &mut String, template: &HclTemplate, path: &str) {
    for module in &template.modules {
        let (name, source) = (&module.block.name, &module.block.source);
        line(text, format_args!("{path}module.{name}: {source}"));
        inspect_modules(text, &module.template, &format!("{path}module.{name}."));
    }
}

/// The builds of a template and of its modules, with `prefix` before their names.
fn inspect_builds(text: &mut String, template: &HclTemplate, prefix: &str) {
    let (blocks, _) = template.blocks(None);
    let mut modules = ModuleSources::new(template, None);
    for (index, build) in blocks.builds.iter().enumerate() {
        match build.name.as_str() {
            "" => line(text, format_args!("\n  > {prefix}<unnamed build {index}>:")),
            name => line(text, format_args!("\n  > {prefix}{name}:")),
        }
        inspect_build(text, build, &mut modules, &blocks.sources);
    }
    for module in &template.modules {
        let prefix = format!("{prefix}{}.", module.block.name);
        inspect_builds(text, &module.template, &prefix);
    }
}

fn inspect_build(
    text: &mut String,
    build: &BuildBlock,
    modules: &mut ModuleSources<'_>,
    own: &Sources,
) {
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
    let uses = build.uses.iter();
    // A module that is not there is an error of the plan.
    let targets = uses.flat_map(|used| modules.targets(used, own).unwrap_or_default());
    for (target, _) in targets {
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
        line(text, format_args!("      {}", labelled(block)));
    }
    text.push_str("\n    post-processors:\n");
    if build.post_processors.is_empty() {
        text.push_str("\n      <no post-processor>\n");
    }
    for (number, chain) in build.post_processors.iter().enumerate() {
        line(text, format_args!("\n      {number}:"));
        for block in chain {
            line(text, format_args!("        {}", labelled(block)));
        }
    }
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("writing to a string does not fail");
}

fn labelled<T: Step>(member: &Member<T>) -> String {
    let ((type_name, ..), name) = (member.label(), member.name());
    if name.is_empty() {
        type_name.to_owned()
    } else {
        format!("{type_name}.{name}")
    }
}

/// A value as the console prints it, in Go's quotes.
fn quoted(value: &Value) -> String {
    quoted_text(&printed(value))
}
