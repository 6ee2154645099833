//! How a name is written with a value behind it: in HCL, JSON and YAML.

use std::ops::Range;

use host_template::{Primitive, Type};

use super::{Insert, Place};
use crate::documents::Kind;
use crate::language::Entry;

/// What is written behind a name.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Text,
    /// One of these words.
    Choice(Vec<String>),
    Bool,
    Any,
    List,
    /// A list of objects.
    Objects,
    Object,
    /// A block with so many labels; its snippet in HCL.
    Block(usize, &'static str),
}

impl Shape {
    /// What an argument of the language takes.
    pub(super) fn of_entry(entry: &Entry) -> Self {
        match entry.form {
            "string" | "duration" => Self::Text,
            "bool" => Self::Bool,
            "list of objects" => Self::Objects,
            form if form.starts_with("list") => Self::List,
            form if form.starts_with("object") || form.starts_with("map of") => Self::Object,
            _ => Self::Any,
        }
    }

    /// A block of the language.
    pub(super) fn of_block(entry: &Entry) -> Self {
        let header = entry.form.split('{').next().unwrap_or_default();
        let header = match header.contains("\"$") {
            // The brace of the first placeholder, not that of the body.
            true => entry.form.split(" {\n").next().unwrap_or_default(),
            false => header,
        };
        Self::Block(header.matches('"').count() / 2, entry.form)
    }

    /// What an option of a component takes.
    pub(super) fn of_option(ty: &Type, choices: &[String]) -> Self {
        if !choices.is_empty() && matches!(ty, Type::Primitive(_)) {
            let plain = choices
                .iter()
                .all(|one| !one.contains([',', '|', '}', '$', '\\', '"']));
            return match plain {
                true => Self::Choice(choices.to_vec()),
                false => Self::Text,
            };
        }
        match ty {
            Type::Primitive(Primitive::Bool) => Self::Bool,
            Type::Primitive(Primitive::String | Primitive::Duration) => Self::Text,
            Type::Primitive(_) => Self::Any,
            Type::List(_) => Self::List,
            Type::Map(_) | Type::Object(_) => Self::Object,
        }
    }

    fn hcl(&self) -> String {
        match self {
            Self::Block(_, "") => " {\n\t$0\n}".to_owned(),
            Self::Block(_, form) => (*form).to_owned(),
            Self::Objects => " = [{\n\t$0\n}]".to_owned(),
            Self::Object => " = {\n\t$0\n}".to_owned(),
            other => format!(" = {}", other.value()),
        }
    }

    fn json(&self) -> String {
        match self {
            Self::Block(labels, _) => format!(": {}", nested(*labels)),
            Self::Objects => ": [\n\t{\n\t\t$0\n\t}\n]".to_owned(),
            Self::Object => ": {\n\t$0\n}".to_owned(),
            other => format!(": {}", other.value()),
        }
    }

    fn yaml(&self) -> String {
        match self {
            Self::Choice(words) => format!(": ${{1|{}|}}", words.join(",")),
            Self::Text | Self::Any => ": $0".to_owned(),
            Self::Bool => ": ${1|true,false|}".to_owned(),
            Self::List | Self::Objects => ":\n\t- $0".to_owned(),
            Self::Object | Self::Block(..) => ":\n\t$0".to_owned(),
        }
    }

    /// A value on one line, in HCL and JSON.
    fn value(&self) -> String {
        match self {
            Self::Choice(words) => format!("\"${{1|{}|}}\"", words.join(",")),
            Self::Text => "\"$0\"".to_owned(),
            Self::Bool => "${1|true,false|}".to_owned(),
            Self::List | Self::Objects => "[$0]".to_owned(),
            Self::Any | Self::Object | Self::Block(..) => "$0".to_owned(),
        }
    }
}

/// An object in as many others as there are labels.
fn nested(labels: usize) -> String {
    let mut text = String::from("{\n");
    for label in 1..=labels {
        let indent = "\t".repeat(label);
        text.push_str(&format!("{indent}\"${{{label}:name}}\": {{\n"));
    }
    text.push_str(&format!("{}$0\n", "\t".repeat(labels + 1)));
    for label in (1..=labels).rev() {
        text.push_str(&format!("{}}}\n", "\t".repeat(label)));
    }
    text.push('}');
    text
}

/// How names are written here.
#[derive(Debug)]
pub(super) struct Writing {
    kind: Kind,
    /// Whether a value, label or body stands behind the name.
    named: bool,
    /// Whether another key follows, which a comma has to stand before.
    comma: bool,
}

impl Writing {
    /// For the name at `word`.
    pub(super) fn at(place: &Place<'_>, word: &Range<usize>) -> Self {
        let behind = &place.text()[word.end..];
        let near = behind.trim_start_matches([' ', '\t']);
        let named = match place.kind.is_data() {
            true => near.starts_with(':'),
            false => near.starts_with(['=', '{', '"']),
        };
        Self {
            kind: place.kind,
            named,
            comma: behind.trim_start().starts_with('"'),
        }
    }

    /// The name with a value or body, or alone when it has them.
    pub(super) fn insert(&self, name: &str, shape: &Shape) -> Insert {
        let is_json = self.kind.is_data() && !self.kind.is_yaml();
        let name = match is_json {
            true => format!("\"{name}\""),
            false => name.to_owned(),
        };
        if self.named {
            return Insert::Plain(name);
        }
        let comma = if is_json && self.comma { "," } else { "" };
        let (snippet, plain) = match (self.kind.is_yaml(), is_json) {
            (true, _) => (shape.yaml(), ": "),
            (_, true) => (shape.json(), ": "),
            _ if matches!(shape, Shape::Block(..)) => (shape.hcl(), " "),
            _ => (shape.hcl(), " = "),
        };
        Insert::Snippet(format!("{name}{snippet}{comma}"), format!("{name}{plain}"))
    }
}
