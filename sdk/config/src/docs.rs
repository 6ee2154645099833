//! Reference docs out of a schema: Markdown for pages, plain text for terminals.

use crate::{AttributeSchema, BlockSchema, Schema};

/// Width that plain text is wrapped to.
const WIDTH: usize = 80;

/// The options of `schema` as Markdown: one table for the options, one section for each block.
#[must_use]
pub fn reference(schema: &Schema) -> String {
    let mut text = String::new();
    markdown(&mut text, schema, "");
    if !schema.outputs.is_empty() {
        text.push_str("\n### Outputs\n\n");
        table(&mut text, &schema.outputs);
    }
    text
}

fn markdown(text: &mut String, schema: &Schema, prefix: &str) {
    if !schema.attributes.is_empty() {
        table(text, &schema.attributes);
    }
    for block in &schema.blocks {
        let name = format!("{prefix}{}", block.name);
        text.push_str(&format!("\n### Block `{name}` ({})\n\n", how_often(block)));
        if !block.doc.is_empty() {
            text.push_str(&format!("{}\n\n", block.doc));
        }
        markdown(text, &block.schema, &format!("{name}."));
    }
}

fn table(text: &mut String, attributes: &[AttributeSchema]) {
    text.push_str("| option | type | default | what it does |\n|---|---|---|---|\n");
    for attribute in attributes {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            attribute.name,
            cell(&attribute.ty.to_string()),
            cell(&markdown_default(attribute)),
            cell(&described(attribute)),
        ));
    }
}

fn markdown_default(attribute: &AttributeSchema) -> String {
    if attribute.required {
        "required".to_owned()
    } else if attribute.default_text.is_empty() {
        String::new()
    } else {
        format!("`{}`", attribute.default_text)
    }
}

/// The text of an option with what its marks mean.
fn described(attribute: &AttributeSchema) -> String {
    let mut text = attribute.doc.trim().to_owned();
    if !attribute.choices.is_empty() {
        let words: Vec<String> = attribute
            .choices
            .iter()
            .map(|it| format!("`{it}`"))
            .collect();
        text.push_str(&format!(" One of {}.", words.join(", ")));
    }
    if attribute.sensitive {
        text.push_str(" Sensitive: never shown.");
    }
    if attribute.late {
        text.push_str(" Template calls in it are rendered when the build runs.");
    }
    if !attribute.deprecated.is_empty() {
        text.push_str(&format!(
            " Deprecated: {}.",
            attribute.deprecated.trim_end_matches('.')
        ));
    }
    text.trim_start().to_owned()
}

/// Text that stays in one cell of a table.
fn cell(text: &str) -> String {
    text.replace("\n\n", "<br>")
        .replace('\n', " ")
        .replace('|', "\\|")
}

fn how_often(block: &BlockSchema) -> &'static str {
    match (block.required, block.repeated) {
        (true, true) => "one or more",
        (true, false) => "required",
        (false, true) => "any number",
        (false, false) => "optional",
    }
}

/// The options of `schema` as plain text for a terminal, wrapped to 80 columns.
#[must_use]
pub fn terminal(schema: &Schema) -> String {
    let mut text = String::new();
    plain(&mut text, schema, 0);
    if !schema.outputs.is_empty() {
        text.push_str("\nOutputs:\n\n");
        schema
            .outputs
            .iter()
            .for_each(|output| plain_attribute(&mut text, output, 2));
    }
    text
}

fn plain(text: &mut String, schema: &Schema, indent: usize) {
    if !schema.doc.is_empty() {
        wrap(text, &schema.doc, indent);
        text.push('\n');
    }
    schema
        .attributes
        .iter()
        .for_each(|attribute| plain_attribute(text, attribute, indent));
    for block in &schema.blocks {
        let margin = " ".repeat(indent);
        text.push_str(&format!(
            "{margin}{} {{ … }} ({})\n",
            block.name,
            how_often(block)
        ));
        if !block.doc.is_empty() {
            wrap(text, &block.doc, indent + 4);
        }
        let body = Schema {
            doc: String::new(),
            ..block.schema.clone()
        };
        plain(text, &body, indent + 4);
    }
}

fn plain_attribute(text: &mut String, attribute: &AttributeSchema, indent: usize) {
    let default = if attribute.required {
        ", required".to_owned()
    } else if attribute.default_text.is_empty() {
        String::new()
    } else {
        format!(", default {}", attribute.default_text)
    };
    let margin = " ".repeat(indent);
    text.push_str(&format!(
        "{margin}{} ({}{default})\n",
        attribute.name, attribute.ty
    ));
    wrap(text, &described(attribute), indent + 4);
}

/// Appends `paragraphs` in lines of at most [`WIDTH`] columns, words kept whole.
fn wrap(text: &mut String, paragraphs: &str, indent: usize) {
    let margin = " ".repeat(indent);
    for paragraph in paragraphs.split("\n\n") {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let full = indent + line.chars().count() + 1 + word.chars().count() > WIDTH;
            if full && !line.is_empty() {
                text.push_str(&format!("{margin}{line}\n"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            text.push_str(&format!("{margin}{line}\n"));
        }
    }
}
