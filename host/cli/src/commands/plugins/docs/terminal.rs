//! The reference of a component as text for a terminal.

use host_template::{AttributeSchema, Schema};

use super::{Subject, described, how_often, type_name};

/// Columns that text is wrapped to.
const WIDTH: usize = 80;

/// What it is, how it is used, its options, its blocks, what it gives back.
pub(super) fn page(subject: &Subject<'_>) -> String {
    let mut text = format!(
        "{} \"{}\" (plugin {} {})\n\n",
        subject.word, subject.name, subject.plugin.0, subject.plugin.1
    );
    wrap(&mut text, &subject.schema.doc, 2);
    text.push('\n');
    for line in subject.example().lines() {
        text.push_str(&format!("  {line}\n"));
    }
    if !subject.schema.attributes.is_empty() || !subject.schema.blocks.is_empty() {
        text.push_str("\nOptions:\n\n");
        body(&mut text, subject.schema, 2);
    }
    if !subject.schema.outputs.is_empty() {
        text.push_str("\nOutputs:\n\n");
        for output in &subject.schema.outputs {
            option(&mut text, output, 2);
        }
    }
    text
}

fn body(text: &mut String, schema: &Schema, indent: usize) {
    for attribute in &schema.attributes {
        option(text, attribute, indent);
    }
    if schema.open {
        let open = "Options that are not named here are handed over as they are.";
        wrap(text, open, indent);
    }
    for block in &schema.blocks {
        let margin = " ".repeat(indent);
        let often = how_often(block);
        text.push_str(&format!("{margin}{} {{ … }} ({often})\n", block.name));
        wrap(text, &block.doc, indent + 4);
        body(text, &block.schema, indent + 4);
    }
}

fn option(text: &mut String, option: &AttributeSchema, indent: usize) {
    let default = match (option.required, option.default_text.as_str()) {
        (true, _) => ", required".to_owned(),
        (false, "") => String::new(),
        (false, default) => format!(", default {default}"),
    };
    let (margin, ty) = (" ".repeat(indent), type_name(&option.ty));
    text.push_str(&format!("{margin}{} ({ty}{default})\n", option.name));
    wrap(text, &described(option), indent + 4);
}

/// Appends `paragraphs` in lines of at most [`WIDTH`] columns, words kept whole.
fn wrap(text: &mut String, paragraphs: &str, indent: usize) {
    let margin = " ".repeat(indent);
    for paragraph in paragraphs.split("\n\n") {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let columns = indent + line.chars().count() + 1 + word.chars().count();
            if columns > WIDTH && !line.is_empty() {
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
