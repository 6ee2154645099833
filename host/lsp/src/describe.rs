//! Documentation as Markdown.

use host_eval::FunctionDoc;
use host_template::{AttributeSchema, BlockSchema, ComponentKind, Schema};

use crate::language::Entry;
use crate::symbols::{Declaration, SymbolKind};

/// An option of a component.
pub(crate) fn option(option: &AttributeSchema) -> String {
    let mut facts = vec![option.ty.name()];
    if option.required {
        facts.push("required".to_owned());
    }
    if !option.default_text.is_empty() {
        facts.push(format!("default `{}`", option.default_text));
    }
    if option.sensitive {
        facts.push("sensitive".to_owned());
    }
    let mut text = format!("**{}** ({})", option.name, facts.join(", "));
    if !option.deprecated.is_empty() {
        text.push_str(&format!("\n\n**Deprecated:** {}", option.deprecated));
    }
    paragraph(&mut text, &option.doc);
    if !option.choices.is_empty() {
        let choices: Vec<String> = option
            .choices
            .iter()
            .map(|one| format!("`{one}`"))
            .collect();
        paragraph(&mut text, &format!("One of {}.", choices.join(", ")));
    }
    text
}

/// A nested block of a component.
pub(crate) fn block(block: &BlockSchema) -> String {
    let count = match (block.required, block.repeated) {
        (true, true) => "block, at least one",
        (true, false) => "block, required",
        (false, true) => "block, any number",
        (false, false) => "block",
    };
    let mut text = format!("**{}** ({count})", block.name);
    paragraph(&mut text, &block.doc);
    text
}

/// A component.
pub(crate) fn component(kind: ComponentKind, name: &str, schema: &Schema) -> String {
    let mut text = format!("**{name}** ({})", kind_name(kind));
    paragraph(&mut text, &schema.doc);
    let required: Vec<String> = schema
        .attributes
        .iter()
        .filter(|option| option.required)
        .map(|option| format!("`{}`", option.name))
        .collect();
    if !required.is_empty() {
        paragraph(&mut text, &format!("Required: {}.", required.join(", ")));
    }
    text
}

/// The kind as people name it.
pub(crate) fn kind_name(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Builder => "builder",
        ComponentKind::Provisioner => "provisioner",
        ComponentKind::PostProcessor => "post-processor",
        ComponentKind::DataSource => "data source",
    }
}

/// An argument or name of the language.
pub(crate) fn entry(entry: &Entry) -> String {
    match entry.form.starts_with([' ', '(']) {
        true => format!("**{}**\n\n{}", entry.name, entry.doc),
        false => format!("**{}** ({})\n\n{}", entry.name, entry.form, entry.doc),
    }
}

/// A function of template calls.
pub(crate) fn call(entry: &Entry) -> String {
    format!("`{{{{ {} }}}}`\n\n{}", entry.form, entry.doc)
}

/// A function.
pub(crate) fn function(function: &FunctionDoc) -> String {
    format!("{}\n\n{}", code(&function.signature), function.doc)
}

/// A variable, local and the like. What a sensitive one has as value is not shown.
pub(crate) fn declaration(declaration: &Declaration) -> String {
    let name = &declaration.name;
    let mut text = match declaration.kind {
        SymbolKind::Variable => format!("**var.{name}**"),
        SymbolKind::Local => format!("**local.{name}**"),
        SymbolKind::Data => format!("**data.{name}**"),
        SymbolKind::Source => format!("**source.{name}**"),
        SymbolKind::Module => format!("**module.{name}**"),
        SymbolKind::Output => format!("**{name}** (output)"),
        SymbolKind::Builder => format!("**{name}** (builder)"),
    };
    if declaration.sensitive {
        text.push_str(" (sensitive)");
    }
    if let Some(description) = declaration.fact("description") {
        paragraph(&mut text, description.trim_matches('"'));
    }
    let lines: Vec<String> = ["type", "default", "value", "source"]
        .iter()
        .filter_map(|fact| Some(format!("{fact} = {}", declaration.fact(fact)?)))
        .collect();
    if !lines.is_empty() {
        paragraph(&mut text, &code(&lines.join("\n")));
    }
    if declaration.kind == SymbolKind::Variable && declaration.fact("default").is_none() {
        paragraph(&mut text, "It has no default, so it must be set.");
    }
    text
}

/// A fenced block of code; the fence is longer than any in the text.
fn code(text: &str) -> String {
    let mut fence = "```".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    format!("{fence}hcl\n{text}\n{fence}")
}

fn paragraph(text: &mut String, more: &str) {
    if !more.trim().is_empty() {
        text.push_str("\n\n");
        text.push_str(more.trim());
    }
}
