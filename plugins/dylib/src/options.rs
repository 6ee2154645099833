//! Checking options against what a library says that it takes.

use std::collections::BTreeMap;

use kiln_sdk::config::{Primitive, Schema, Type};
use kiln_sdk::{Diagnostic, Diagnostics, Severity, Value, ValueKind};
use serde_json::{Map, Value as Json};

use crate::json::to_json;

/// The options that are set, in the types that the library wants, and every problem.
pub(crate) fn read(schema: &Schema, config: &Value) -> (Map<String, Json>, Diagnostics) {
    let (mut found, mut problems) = (Map::new(), Diagnostics::new());
    let mut given: BTreeMap<String, Value> = match &config.kind {
        ValueKind::Map(entries) => entries.clone(),
        _ => BTreeMap::new(),
    };
    for option in &schema.attributes {
        let name = &option.name;
        let value = given.remove(name).filter(|value| !value.is_null());
        let Some(value) = value else {
            if option.required {
                let detail = format!("`{name}` is required.");
                problems.push(Diagnostic::error("Missing option", detail).on(name));
            }
            continue;
        };
        // A value that only a build can know is not there yet.
        if value.has_unknown() {
            continue;
        }
        match convert(&option.ty, &value) {
            Some(Json::String(word))
                if !option.choices.is_empty() && !option.choices.contains(&word) =>
            {
                let detail = format!("`{name}` has to be one of {}.", option.choices.join(", "));
                problems.push(Diagnostic::error("Unknown word", detail).on(name));
            }
            Some(json) => {
                found.insert(name.clone(), json);
            }
            None => {
                let detail = format!("`{name}` has to be {}.", option.ty);
                problems.push(Diagnostic::error("Wrong type", detail).on(name));
            }
        }
    }
    for name in given.into_keys() {
        let names = schema
            .attributes
            .iter()
            .map(|option| format!("`{}`", option.name));
        let hint = format!("the options are {}", names.collect::<Vec<_>>().join(", "));
        let detail = format!("There is no option `{name}`.");
        let problem = Diagnostic::error("Unknown configuration key", detail);
        problems.push(problem.on(&name).hint(hint));
    }
    (found, problems)
}

/// Whether nothing keeps the component from running.
pub(crate) fn is_good(problems: &Diagnostics) -> bool {
    problems
        .iter()
        .all(|problem| problem.severity != Severity::Error)
}

/// The value in the type that is wanted, when it can be one.
fn convert(ty: &Type, value: &Value) -> Option<Json> {
    match (ty, &value.kind) {
        (Type::Primitive(Primitive::Any), _) => Some(to_json(value)),
        (Type::Primitive(Primitive::Bool), ValueKind::Bool(value)) => Some(Json::Bool(*value)),
        (Type::Primitive(Primitive::Bool), ValueKind::String(word)) => {
            word.parse().ok().map(Json::Bool)
        }
        (Type::Primitive(Primitive::Number), ValueKind::Number(_)) => Some(to_json(value)),
        (Type::Primitive(Primitive::Number), ValueKind::String(text)) => {
            text.parse::<f64>().ok()?;
            Some(to_json(&Value::new(ValueKind::Number(text.clone()))))
        }
        (Type::Primitive(Primitive::Duration), ValueKind::String(text)) => {
            kiln_sdk::parse_duration(text)?;
            Some(Json::String(text.clone()))
        }
        (Type::Primitive(Primitive::String), ValueKind::String(text) | ValueKind::Number(text)) => {
            Some(Json::String(text.clone()))
        }
        (Type::Primitive(Primitive::String), ValueKind::Bool(value)) => {
            Some(Json::String(value.to_string()))
        }
        (Type::List(item), ValueKind::List(items)) => {
            items.iter().map(|value| convert(item, value)).collect()
        }
        (Type::Map(item), ValueKind::Map(entries)) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, value)| Some((key.clone(), convert(item, value)?)));
            entries.collect::<Option<Map<_, _>>>().map(Json::Object)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kiln_sdk::Value;
    use serde_json::json;

    use super::*;
    use crate::description::Description;
    use crate::json::from_json;

    fn check(given: Json, expected: Json, wrong: &[&str]) {
        let options = json!([
            {"name": "name", "type": "string", "doc": "N.", "required": true, "choices": ["a", "1"]},
            {"name": "count", "type": "number", "doc": "C."},
            {"name": "on", "type": "bool", "doc": "O."},
            {"name": "wait", "type": "duration", "doc": "W."},
            {"name": "list", "type": {"list": "string"}, "doc": "L."},
        ]);
        let component = json!({"kind": "builder", "name": "x", "doc": "X.", "options": options});
        let text = json!({"name": "x", "version": "1.0.0", "components": [component]});
        let described = Description::parse(&text.to_string()).unwrap();
        let (found, problems) = read(&described.components[0].schema, &from_json(given));
        let names: Vec<String> = problems
            .iter()
            .map(|problem| problem.path.to_string())
            .collect();
        assert_eq!(
            (Json::Object(found), names),
            (expected, wrong.iter().map(ToString::to_string).collect())
        );
    }

    #[test]
    fn options_are_converted_or_refused_by_name() {
        check(
            json!({"name": 1, "count": "2", "on": "true", "wait": "5s", "list": ["a", 3]}),
            json!({"name": "1", "count": 2, "on": true, "wait": "5s", "list": ["a", "3"]}),
            &[],
        );
        check(json!({"name": null}), json!({}), &["name"]);
        let all_wrong =
            json!({"name": "b", "count": "x", "on": 1, "wait": "soon", "list": "a", "lost": 1});
        check(
            all_wrong,
            json!({}),
            &["name", "count", "on", "wait", "list", "lost"],
        );
    }

    #[test]
    fn what_only_a_build_can_know_is_left_out() {
        let given: Value = [("name", Value::unknown())].into_iter().collect();
        let schema = Schema {
            attributes: Description::parse(
                r#"{"name":"x","version":"1.0.0","components":[{"kind":"builder","name":"x","doc":"X.",
                "options":[{"name":"name","type":"string","doc":"N.","required":true}]}]}"#,
            )
            .unwrap()
            .components[0]
                .schema
                .attributes
                .clone(),
            ..Schema::default()
        };
        let (found, problems) = read(&schema, &given);
        assert!(found.is_empty() && problems.is_empty(), "{problems:?}");
    }
}
