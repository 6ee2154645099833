//! `kiln plugins docs`: the reference of components, from what their plugins say.

mod markdown;
mod terminal;

use host_plugin_client::{Installed, Needs, Registry};
use host_template::{ComponentKind, Schema};
use host_ui::Ui;

use crate::arguments::DocsArguments;
use crate::commands::build::usage;
use crate::exit;
use crate::world::World;

/// The kinds, with the word for each in templates and on command lines.
const KINDS: [(ComponentKind, &str); 4] = [
    (ComponentKind::Builder, "builder"),
    (ComponentKind::Provisioner, "provisioner"),
    (ComponentKind::PostProcessor, "post-processor"),
    (ComponentKind::DataSource, "data-source"),
];

/// One component to be explained.
#[derive(Clone, Copy, Debug)]
struct Subject<'a> {
    /// What it is called in templates.
    name: &'a str,
    kind: ComponentKind,
    /// The name of the kind.
    word: &'static str,
    /// The plugin it belongs to, and that plugin's version.
    plugin: (&'a str, &'a str),
    schema: &'a Schema,
}

impl Subject<'_> {
    /// A block of a template that uses it, with the options that have to be set.
    fn example(&self) -> String {
        let head = match self.kind {
            ComponentKind::Builder => format!("source \"{}\" \"example\"", self.name),
            ComponentKind::DataSource => format!("data \"{}\" \"example\"", self.name),
            ComponentKind::Provisioner | ComponentKind::PostProcessor => {
                format!("{} \"{}\"", self.word, self.name)
            }
        };
        let needed: Vec<_> = self
            .schema
            .attributes
            .iter()
            .filter(|option| option.required)
            .collect();
        let width = needed.iter().map(|option| option.name.len()).max();
        let lines: String = needed
            .iter()
            .map(|option| {
                let value = example_value(&option.ty);
                format!("  {:<1$} = {value}\n", option.name, width.unwrap_or(0))
            })
            .collect();
        match lines.is_empty() {
            true => format!("{head} {{}}\n"),
            false => format!("{head} {{\n{lines}}}\n"),
        }
    }
}

fn example_value(ty: &host_template::Type) -> &'static str {
    use host_template::{Primitive, Type};
    match ty {
        Type::Primitive(Primitive::Bool) => "true",
        Type::Primitive(Primitive::Number) => "1",
        Type::Primitive(Primitive::Duration) => "\"30s\"",
        Type::Primitive(Primitive::String | Primitive::Any) => "\"…\"",
        Type::List(_) => "[]",
        Type::Map(_) | Type::Object(_) => "{}",
    }
}

/// Prints the reference of a plugin's components.
pub async fn run(world: &World, ui: &Ui, arguments: &DocsArguments) -> u8 {
    let (name, component) = match arguments.words.as_slice() {
        [name] => (name.as_str(), None),
        [name, component] => (name.as_str(), Some(component.as_str())),
        [] => return usage(ui, "The plugin's name is missing.", "plugins docs"),
        [_, _, more, ..] => {
            let message = format!("`{more}` is too much: a plugin and a component are expected.");
            return usage(ui, &message, "plugins docs");
        }
    };
    let wanted = component.unwrap_or(name).to_owned();
    let kinds = KINDS.iter().filter(|(_, word)| {
        let asked = arguments.kind.as_deref();
        asked.is_none_or(|asked| asked == *word)
    });
    let needs = Needs {
        components: kinds
            .clone()
            .map(|(kind, _)| (*kind, wanted.clone()))
            .collect(),
        ..Needs::default()
    };
    let registry = Registry::scan_for(world.settings(), &needs).await;
    let kinds: Vec<_> = kinds.copied().collect();
    let subjects = subjects(&registry, name, component, &kinds);
    if subjects.is_empty() {
        ui.error(&nothing(&registry, name, component));
        return exit::FAILED;
    }
    let pages: Vec<String> = subjects
        .iter()
        .map(|subject| match arguments.format.as_str() {
            "markdown" => markdown::page(subject),
            _ => terminal::page(subject),
        })
        .collect();
    ui.say(pages.join("\n").trim_end());
    exit::DONE
}

/// The components that are meant: all of the plugin `name`, or every component of that name; with
/// `component`, only that of the plugin.
fn subjects<'a>(
    registry: &'a Registry,
    name: &str,
    component: Option<&str>,
    kinds: &[(ComponentKind, &'static str)],
) -> Vec<Subject<'a>> {
    let own = |plugin: &Installed| plugin.name == name;
    let is_wanted = |kind: &ComponentKind| kinds.iter().any(|(wanted, _)| wanted == kind);
    let is_plugin = registry
        .usable
        .iter()
        .any(|plugin| own(plugin) && plugin.components.iter().any(|(kind, _)| is_wanted(kind)));
    let mut found = Vec::new();
    for plugin in &registry.usable {
        for (kind, offered) in &plugin.components {
            let meant = match component {
                // A component may be named in full or without the plugin's name before it.
                Some(component) => {
                    own(plugin)
                        && (offered == component || *offered == format!("{name}-{component}"))
                }
                None if is_plugin => own(plugin),
                None => offered == name,
            };
            let word = kinds.iter().find(|(known, _)| known == kind);
            if let (true, Some((_, word)), Some(schema)) =
                (meant, word, plugin.schema(*kind, offered))
            {
                found.push(Subject {
                    name: offered,
                    kind: *kind,
                    word,
                    plugin: (&plugin.name, &plugin.version),
                    schema,
                });
            }
        }
    }
    found
}

/// What to say when there is nothing to explain, with the name that was probably meant.
fn nothing(registry: &Registry, name: &str, component: Option<&str>) -> String {
    let plugin = registry.usable.iter().find(|plugin| plugin.name == name);
    if let (Some(plugin), Some(component)) = (plugin, component) {
        let names: Vec<String> = plugin
            .components
            .iter()
            .map(|(kind, name)| {
                let word = KINDS.iter().find(|(known, _)| known == kind);
                format!("`{name}` ({})", word.map_or("", |(_, word)| word))
            })
            .collect();
        return format!(
            "The plugin `{name}` has no component `{component}`; it has {}.",
            names.join(", ")
        );
    }
    let components = registry.usable.iter().flat_map(|one| {
        let names = one.components.iter().map(|(_, name)| name.as_str());
        names.chain([one.name.as_str()])
    });
    let near = host_diag::nearest(name, components);
    let hint = near.map(|near| format!(" Did you mean `{near}`?"));
    let mut text = format!(
        "There is no plugin or component `{name}`.{}",
        hint.unwrap_or_default()
    );
    for rejected in &registry.rejected {
        text.push_str(&format!(
            "\n  {} is not used: {}",
            rejected.path.display(),
            rejected.report()
        ));
    }
    text
}

/// The type of an option as HCL2 writes types.
fn type_name(ty: &host_template::Type) -> String {
    use host_template::{Primitive, Type};
    match ty {
        Type::Primitive(Primitive::Any) => "any".to_owned(),
        Type::Primitive(Primitive::Bool) => "bool".to_owned(),
        Type::Primitive(Primitive::Number) => "number".to_owned(),
        Type::Primitive(Primitive::String) => "string".to_owned(),
        Type::Primitive(Primitive::Duration) => "duration".to_owned(),
        Type::List(item) => format!("list({})", type_name(item)),
        Type::Map(item) => format!("map({})", type_name(item)),
        Type::Object(attributes) => {
            let attributes: Vec<String> = attributes
                .iter()
                .map(|(name, ty, optional)| match optional {
                    true => format!("{name} = optional({})", type_name(ty)),
                    false => format!("{name} = {}", type_name(ty)),
                })
                .collect();
            format!("object({{{}}})", attributes.join(", "))
        }
    }
}

/// How often a block may stand.
fn how_often(block: &host_template::BlockSchema) -> &'static str {
    match (block.required, block.repeated) {
        (true, true) => "one or more",
        (true, false) => "required",
        (false, true) => "any number",
        (false, false) => "optional",
    }
}

/// The text of an option, with what its marks mean.
fn described(option: &host_template::AttributeSchema) -> String {
    let mut text = option.doc.trim().to_owned();
    if !option.choices.is_empty() {
        let words: Vec<String> = option
            .choices
            .iter()
            .map(|word| format!("`{word}`"))
            .collect();
        text.push_str(&format!(" One of {}.", words.join(", ")));
    }
    if option.sensitive {
        text.push_str(" Sensitive: never shown.");
    }
    if option.late {
        text.push_str(" Template calls in it are rendered when the build runs.");
    }
    if !option.deprecated.is_empty() {
        let why = option.deprecated.trim_end_matches('.');
        text.push_str(&format!(" Deprecated: {why}."));
    }
    text.trim_start().to_owned()
}

#[cfg(test)]
mod tests;
