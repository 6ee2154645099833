//! What `inspect` prints of a legacy template.

use crate::legacy::template::LegacyTemplate;

/// Lines for people and for machines.
#[derive(Debug, Default)]
struct Printout {
    text: String,
    machine: Vec<(String, Vec<String>)>,
}

impl Printout {
    fn say(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn machine(&mut self, kind: &str, arguments: &[&str]) {
        let arguments = arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect();
        self.machine.push((kind.to_owned(), arguments));
    }
}

/// Description, variables, builders and provisioners in Packer's form. Nothing is rendered.
pub(crate) fn inspect(template: &LegacyTemplate) -> (String, Vec<(String, Vec<String>)>) {
    let mut out = Printout::default();
    out.say("Packer Inspect: JSON mode");
    let document = &template.document;
    if !document.description.is_empty() {
        out.say("Description:\n");
        out.say(&format!("{}\n", document.description));
    }
    inspect_variables(template, &mut out);
    out.say("");
    inspect_builders(template, &mut out);
    out.say("");
    out.say("Provisioners:\n");
    if document.sections.provisioners.is_empty() {
        out.say("  <No provisioners>");
    }
    for provisioner in &document.sections.provisioners {
        out.machine("template-provisioner", &[&provisioner.type_name]);
        out.say(&format!("  {}", provisioner.type_name));
    }
    out.text.push_str(
        "\nNote: build names and values are shown as the template has them. Calls such as \
         'timestamp'\nand user variables are only rendered, and checked, by a build.",
    );
    (out.text, out.machine)
}

fn inspect_variables(template: &LegacyTemplate, out: &mut Printout) {
    let variables = &template.document.variables;
    if variables.is_empty() {
        out.say("Variables:\n");
        out.say("  <No variables>");
        return;
    }
    let secrets: Vec<&str> = template
        .document
        .sensitive
        .iter()
        .filter_map(|name| variables.get(&name.text)?.default.as_ref())
        .map(|default| default.text.as_str())
        .collect();
    let shown = |default: &str| match secrets.contains(&default) {
        true => "<sensitive>".to_owned(),
        false => default.to_owned(),
    };
    let mut required = variables
        .iter()
        .filter(|(_, declared)| declared.default.is_none())
        .peekable();
    if required.peek().is_some() {
        out.say("Required variables:\n");
        for (name, _) in required {
            out.machine("template-variable", &[name, &shown(""), "1"]);
            out.say(&format!("  {name}"));
        }
        out.say("");
    }
    out.say("Optional variables and their defaults:\n");
    let width = variables.keys().map(String::len).max().unwrap_or(0);
    let mut names: Vec<&String> = variables.keys().collect();
    names.sort();
    for name in names {
        let Some(default) = &variables[name].default else {
            continue;
        };
        let default = shown(&default.text);
        out.machine("template-variable", &[name, &default, "0"]);
        out.say(&format!("  {name:width$} = {default}"));
    }
}

fn inspect_builders(template: &LegacyTemplate, out: &mut Printout) {
    out.say("Builders:\n");
    let mut builders: Vec<_> = template.document.sections.builders.iter().collect();
    if builders.is_empty() {
        out.say("  <No builders>");
    }
    builders.sort_by(|left, right| left.name.cmp(&right.name));
    let width = builders
        .iter()
        .map(|builder| builder.name.len())
        .max()
        .unwrap_or(0);
    for builder in builders {
        let (name, type_name) = (&builder.name, &builder.type_name);
        out.machine("template-builder", &[name, type_name]);
        match name == type_name {
            true => out.say(&format!("  {name:width$}")),
            false => out.say(&format!("  {name:width$} ({type_name})")),
        }
    }
}
