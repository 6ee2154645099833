//! Values of a plan, as text. Secrets read `<sensitive>`, what is not known says until when.

use host_eval::{Value, ValueKind, console_text};
use host_template::PathStep;

use crate::planned::PlannedComponent;

/// Longest line a list or object may fill before its parts get lines of their own.
const WIDTH: usize = 96;

/// The option `name` as text, continued lines indented by `indent` spaces.
pub(crate) fn option_text(component: &PlannedComponent, name: &str, indent: usize) -> String {
    let path = vec![PathStep::Attribute(name.to_owned())];
    match component.options.get(name) {
        Some(value) => Printer { component }.value(value, path, indent),
        None => String::new(),
    }
}

/// When what waits for `names` will be known, in words.
pub(crate) fn known_when(names: &[String]) -> String {
    let machine = names.iter().any(|name| name.starts_with("build."));
    let when = if machine {
        "when the machine runs"
    } else {
        "when data sources have been read"
    };
    if names.is_empty() {
        "(not known yet)".to_owned()
    } else {
        format!("(known {when}: {})", names.join(", "))
    }
}

struct Printer<'a> {
    component: &'a PlannedComponent,
}

impl Printer<'_> {
    fn value(&self, value: &Value, path: Vec<PathStep>, indent: usize) -> String {
        if value.sensitive {
            return "<sensitive>".to_owned();
        }
        match &value.kind {
            ValueKind::Unknown => known_when(self.waits_for(&path)),
            ValueKind::Null => "null".to_owned(),
            ValueKind::String(text) => format!("{text:?}"),
            ValueKind::Bool(_) | ValueKind::Number(_) => console_text(value),
            ValueKind::Sequence(items) => {
                let parts = items.iter().enumerate().map(|(index, item)| {
                    let mut path = path.clone();
                    path.push(PathStep::Index(index));
                    self.value(item, path, indent + 2)
                });
                bracketed(("[", "]"), parts.collect(), indent)
            }
            ValueKind::Mapping(entries) => {
                let parts = entries.iter().map(|(key, entry)| {
                    let mut path = path.clone();
                    path.push(PathStep::Attribute(key.clone()));
                    format!(
                        "{} = {}",
                        name_text(key),
                        self.value(entry, path, indent + 2)
                    )
                });
                bracketed(("{ ", " }"), parts.collect(), indent)
            }
        }
    }

    /// What the value at `path`, or the nearest one around it, waits for.
    fn waits_for(&self, path: &[PathStep]) -> &[String] {
        (1..=path.len())
            .rev()
            .find_map(|length| self.component.waits_for.get(&path[..length]))
            .map_or(&[], Vec::as_slice)
    }
}

/// A key as HCL writes it: bare when it is a name.
fn name_text(key: &str) -> String {
    let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if key.starts_with(|c: char| c.is_alphabetic() || c == '_') && key.chars().all(name) {
        key.to_owned()
    } else {
        format!("{key:?}")
    }
}

/// On one line when that is short, else a line for each part.
fn bracketed((open, close): (&str, &str), parts: Vec<String>, indent: usize) -> String {
    if parts.is_empty() {
        return format!("{}{}", open.trim_end(), close.trim_start());
    }
    let width: usize = parts.iter().map(|part| part.len() + 2).sum();
    if indent + width <= WIDTH && !parts.iter().any(|part| part.contains('\n')) {
        return format!("{open}{}{close}", parts.join(", "));
    }
    let inner = " ".repeat(indent + 2);
    let lines: String = parts
        .iter()
        .map(|part| format!("{inner}{part},\n"))
        .collect();
    let (open, close) = (open.trim_end(), close.trim_start());
    format!("{open}\n{lines}{}{close}", " ".repeat(indent))
}
