//! The reference of a component as a page.

use host_template::{AttributeSchema, Schema};

use super::{Subject, described, how_often, type_name};

/// The page: what it is, how it is used, its options, its blocks, what it gives back.
pub(super) fn page(subject: &Subject<'_>) -> String {
    let Subject {
        name, word, plugin, ..
    } = subject;
    let mut text = format!("# `{name}` ({word})\n\n");
    let doc = subject.schema.doc.trim();
    if !doc.is_empty() {
        text.push_str(&format!("{doc}\n\n"));
    }
    text.push_str(&format!("Plugin `{}`, version {}.\n\n", plugin.0, plugin.1));
    text.push_str(&format!("```hcl\n{}```\n", subject.example()));
    body(&mut text, subject.schema, "");
    if !subject.schema.outputs.is_empty() {
        text.push_str("\n## Outputs\n\n");
        table(&mut text, "output", &subject.schema.outputs);
    }
    text
}

fn body(text: &mut String, schema: &Schema, prefix: &str) {
    if !schema.attributes.is_empty() {
        if prefix.is_empty() {
            text.push_str("\n## Options\n\n");
        }
        table(text, "option", &schema.attributes);
    }
    if schema.open {
        text.push_str("\nOptions that are not named here are handed over as they are.\n");
    }
    for block in &schema.blocks {
        let name = format!("{prefix}{}", block.name);
        text.push_str(&format!("\n## Block `{name}` ({})\n\n", how_often(block)));
        if !block.doc.trim().is_empty() {
            text.push_str(&format!("{}\n\n", block.doc.trim()));
        }
        body(text, &block.schema, &format!("{name}."));
    }
}

fn table(text: &mut String, head: &str, options: &[AttributeSchema]) {
    text.push_str(&format!(
        "| {head} | type | default | what it is |\n|---|---|---|---|\n"
    ));
    for option in options {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            option.name,
            cell(&type_name(&option.ty)),
            cell(&default(option)),
            cell(&described(option)),
        ));
    }
}

fn default(option: &AttributeSchema) -> String {
    match (option.required, option.default_text.as_str()) {
        (true, _) => "required".to_owned(),
        (false, "") => String::new(),
        (false, text) => format!("`{text}`"),
    }
}

/// Text that stays in one cell of a table.
fn cell(text: &str) -> String {
    text.replace("\n\n", "<br>")
        .replace('\n', " ")
        .replace('|', "\\|")
}
