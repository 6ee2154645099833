//! Variables, and those that have to be local values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::actions::{Piece, Word, pieces};
use super::calls::{Calls, Names, Place, Used, environment_name, timestamp_name};
use super::names::identifier;
use super::section;
use super::write::expression;
use crate::document::Object;

/// The variables of a template.
#[derive(Debug)]
pub(super) struct Variables {
    /// Defaults by name; `None` when a value is required.
    defaults: BTreeMap<String, Option<Value>>,
    sensitive: BTreeSet<String>,
    /// Variables of the environment that get a variable of their own.
    environment: BTreeSet<String>,
    names: Names,
}

impl Variables {
    pub(super) fn read(root: &Object) -> Self {
        let declared = section(root, "variables").and_then(Value::as_object);
        let defaults: BTreeMap<String, Option<Value>> = declared
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                // A default that uses the variable itself has never worked: a value must be given.
                let has_default = !value.is_null() && !uses(value, name);
                (name.clone(), Some(value.clone()).filter(|_| has_default))
            })
            .collect();
        let sensitive = section(root, "sensitive-variables").and_then(Value::as_array);
        let sensitive = sensitive
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned);
        let locals = defaults
            .iter()
            .filter(|(_, value)| {
                value
                    .as_ref()
                    .and_then(Value::as_str)
                    .is_some_and(is_computed)
            })
            .map(|(name, _)| name.clone())
            .collect();
        Self {
            sensitive: sensitive.collect(),
            environment: BTreeSet::new(),
            names: Names { locals },
            defaults,
        }
    }

    /// What calls have to know.
    pub(super) fn names(&self) -> Names {
        self.names.clone()
    }

    /// Adds what calls ask for and nobody has declared.
    pub(super) fn add_used(&mut self, used: &Used) {
        for name in &used.variables {
            self.defaults.entry(name.clone()).or_insert(None);
        }
        self.environment.extend(used.environment.iter().cloned());
    }

    /// The blocks of all that are variables, sorted.
    pub(super) fn blocks(&self, calls: &mut Calls) -> String {
        calls.place = Place::Default;
        let mut blocks = BTreeMap::new();
        for (name, value) in &self.defaults {
            if self.names.locals.contains(name) {
                continue;
            }
            let label = identifier(name);
            if label != *name {
                calls
                    .used
                    .notes
                    .push(format!("The variable `{name}` is now called `{label}`."));
            }
            let default = value.as_ref().map(|value| expression(calls, value));
            let block = self.block(&calls.comments(), &label, name, default);
            blocks.insert(label, block);
        }
        for name in &self.environment {
            let label = environment_name(name);
            let call = format!("{{{{env `{name}`}}}}");
            let default = Some(calls.text(&call));
            let block = self.block(&calls.comments(), &label, name, default);
            blocks.insert(label, block);
        }
        blocks.into_values().collect::<Vec<_>>().join("\n")
    }

    fn block(&self, comments: &str, label: &str, name: &str, default: Option<String>) -> String {
        let mut text = format!("{comments}variable \"{label}\" {{\ntype = string\n");
        if let Some(default) = default {
            text.push_str(&format!("default = {default}\n"));
        }
        if self.sensitive.contains(name) {
            text.push_str("sensitive = true\n");
        }
        text + "}\n"
    }

    /// The blocks of all that are local values.
    pub(super) fn locals(&self, calls: &mut Calls) -> String {
        calls.place = Place::Local;
        let (mut plain, mut sensitive) = (String::new(), String::new());
        for name in &self.names.locals {
            let Some(Some(value)) = self.defaults.get(name) else {
                continue;
            };
            let value = expression(calls, value);
            let (comments, label) = (calls.comments(), identifier(name));
            if self.sensitive.contains(name) {
                sensitive.push_str(&format!(
                    "\n{comments}local \"{label}\" {{\nsensitive = true\nexpression = {value}\n}}\n"
                ));
            } else {
                plain.push_str(&format!("{comments}{label} = {value}\n"));
            }
        }
        if plain.is_empty() {
            sensitive
        } else {
            format!("locals {{\n{plain}}}\n{sensitive}")
        }
    }

    /// The local that holds the build's time, when something asks for it.
    pub(super) fn timestamp_helper(&self, used: &Used) -> String {
        if !used.timestamp {
            return String::new();
        }
        let name = timestamp_name(&self.names);
        format!(
            "# \"timestamp\" template function replacement\n\
             locals {{ {name} = regex_replace(timestamp(), \"[- TZ:]\", \"\") }}\n\n"
        )
    }
}

/// Whether a default asks for the variable `name`.
fn uses(default: &Value, name: &str) -> bool {
    let calls = sdk_go_template::calls(default.as_str().unwrap_or_default());
    calls
        .unwrap_or_default()
        .iter()
        .any(|call| call.name == "user" && call.arguments.first() == Some(&Some(name.to_owned())))
}

/// Whether the text calls something that a variable's default may not: all but `env`.
fn is_computed(text: &str) -> bool {
    if sdk_go_template::check_syntax(text).is_err() {
        return false;
    }
    pieces(text).iter().any(|piece| match piece {
        Piece::Text(_) => false,
        Piece::Action(action) => match action.words.as_deref() {
            Some([Word::Name(function), arguments @ ..]) => {
                function != "env" || !matches!(arguments, [Word::Text(_)])
            }
            Some(_) => false,
            None => action.source.contains("user") || action.source.contains("env"),
        },
    })
}
