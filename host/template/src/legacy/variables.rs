//! User variables: defaults and given values are templates that may use each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use sdk_go_template::{Context, CustomFunctions, Data, render};

use crate::legacy::template::LegacyTemplate;
use crate::render::UserVariables;

/// How often everything is tried again before what is left counts as a cycle.
const PASSES: usize = 100;

/// `{{user}}` while not all variables are known.
#[derive(Debug)]
struct Lookup {
    rendered: BTreeMap<String, String>,
    pending: BTreeSet<String>,
    /// Set when a variable was asked for that is not known yet.
    waits: Mutex<bool>,
}

impl CustomFunctions for Lookup {
    fn call(&self, name: &str, args: &[Data]) -> Option<Result<Data, String>> {
        if name != "user" {
            return None;
        }
        let [Data::String(wanted)] = args else {
            return Some(Err("user takes the name of one variable".to_owned()));
        };
        Some(match self.rendered.get(wanted) {
            Some(text) => Ok(Data::String(text.clone())),
            None if self.pending.contains(wanted) => {
                *self.waits.lock().unwrap_or_else(PoisonError::into_inner) = true;
                Err(format!("variable {wanted} is not known yet"))
            }
            None => Err(format!("undefined user variable: {wanted}")),
        })
    }
}

/// Renders all variables; errors are in Packer's words, one line each.
pub(crate) fn render_variables(template: &LegacyTemplate) -> (UserVariables, Vec<String>) {
    let mut pending: BTreeMap<String, String> = BTreeMap::new();
    for (name, declared) in &template.document.variables {
        if let Some(default) = &declared.default {
            pending.insert(name.clone(), default.clone());
        }
    }
    pending.extend(template.given.clone());
    let mut rendered = BTreeMap::new();
    let mut errors = Vec::new();
    for _ in 0..PASSES {
        let before = pending.len();
        pending = pass(template, pending, &mut rendered, &mut errors);
        if pending.is_empty() || pending.len() == before || !errors.is_empty() {
            break;
        }
    }
    if errors.is_empty() {
        errors.extend(pending.keys().map(|name| {
            format!("error interpolating default value for '{name}': it needs its own value")
        }));
    }
    let sensitive = template.document.sensitive.iter().cloned().collect();
    let sensitive = with_dependents(template, sensitive);
    (
        UserVariables {
            values: rendered,
            sensitive,
        },
        errors,
    )
}

/// Renders what can be rendered; what has to wait comes back.
fn pass(
    template: &LegacyTemplate,
    texts: BTreeMap<String, String>,
    rendered: &mut BTreeMap<String, String>,
    errors: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let lookup = Arc::new(Lookup {
        rendered: rendered.clone(),
        pending: texts.keys().cloned().collect(),
        waits: Mutex::new(false),
    });
    let custom: Arc<dyn CustomFunctions> = Arc::<Lookup>::clone(&lookup);
    let context = Context {
        env: Some(template.options.environment.clone()),
        custom: Some(custom),
        ..template.context()
    };
    let mut waiting = BTreeMap::new();
    for (name, text) in texts {
        let data = Data::Map(BTreeMap::new());
        match render(&protect_fields(&text), &data, &context) {
            Ok(text) => {
                rendered.insert(name, text);
            }
            Err(error) => {
                let mut waits = lookup.waits.lock().unwrap_or_else(PoisonError::into_inner);
                if std::mem::take(&mut *waits) {
                    waiting.insert(name, text);
                } else {
                    errors.push(format!(
                        "error interpolating default value for '{name}': {}",
                        error.message
                    ));
                }
            }
        }
    }
    waiting
}

/// Names that are sensitive themselves, or made of a variable that is.
fn with_dependents(template: &LegacyTemplate, mut sensitive: BTreeSet<String>) -> BTreeSet<String> {
    loop {
        let before = sensitive.len();
        for (name, declared) in &template.document.variables {
            let text = template.given.get(name).or(declared.default.as_ref());
            let uses = text.is_some_and(|text| sensitive.iter().any(|name| mentions(text, name)));
            if uses {
                sensitive.insert(name.clone());
            }
        }
        if sensitive.len() == before {
            return sensitive;
        }
    }
}

fn mentions(text: &str, name: &str) -> bool {
    text.contains("user")
        && (text.contains(&format!("`{name}`")) || text.contains(&format!("\"{name}\"")))
}

/// Turns `{{ .Field }}` into a call that renders as itself: such fields are for the component that
/// uses the variable, not for the variable.
fn protect_fields(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let (before, call) = rest.split_at(start);
        result.push_str(before);
        let Some(end) = call.find("}}").map(|end| end + 2) else {
            rest = call;
            break;
        };
        let (call, after) = call.split_at(end);
        let inner = call[2..end - 2].trim_matches('-').trim();
        let is_field = inner.strip_prefix('.').is_some_and(|field| {
            !field.is_empty()
                && field
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
        });
        if is_field {
            result.push_str("{{`");
            result.push_str(call);
            result.push_str("`}}");
        } else {
            result.push_str(call);
        }
        rest = after;
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::protect_fields;

    #[test]
    fn only_plain_fields_are_protected() {
        assert_eq!(protect_fields("a {{ .Vars }} b"), "a {{`{{ .Vars }}`}} b");
        assert_eq!(
            protect_fields("{{.A}}{{user `x`}}"),
            "{{`{{.A}}`}}{{user `x`}}"
        );
        assert_eq!(protect_fields("{{ . }} {{"), "{{ . }} {{");
    }
}
