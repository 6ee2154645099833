//! Values as JSON and back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kiln_sdk::{Artifact, BuildInfo, PostProcessed, Value, ValueKind};
use serde_json::{Map, Value as Json, json};

/// The value as JSON; what is unknown is null. A number that JSON's readers would round stays text.
pub(crate) fn to_json(value: &Value) -> Json {
    match &value.kind {
        ValueKind::Null | ValueKind::Unknown => Json::Null,
        ValueKind::Bool(value) => Json::Bool(*value),
        ValueKind::Number(text) => number(text),
        ValueKind::String(text) => Json::String(text.clone()),
        ValueKind::List(items) => items.iter().map(to_json).collect(),
        ValueKind::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (key.clone(), to_json(value)));
            Json::Object(entries.collect())
        }
    }
}

fn number(text: &str) -> Json {
    let whole = text.parse::<i64>().ok().map(Json::from);
    let exact = || {
        let number = text
            .parse::<f64>()
            .ok()
            .filter(|number| number.to_string() == text);
        number.map(Json::from)
    };
    whole
        .or_else(exact)
        .unwrap_or_else(|| Json::String(text.to_owned()))
}

/// The value of JSON.
pub(crate) fn from_json(json: Json) -> Value {
    Value::new(match json {
        Json::Null => ValueKind::Null,
        Json::Bool(value) => ValueKind::Bool(value),
        Json::Number(number) => ValueKind::Number(number.to_string()),
        Json::String(text) => ValueKind::String(text),
        Json::Array(items) => ValueKind::List(items.into_iter().map(from_json).collect()),
        Json::Object(entries) => {
            let entries = entries.into_iter();
            let entries = entries.map(|(key, value)| (key, from_json(value)));
            ValueKind::Map(entries.collect::<BTreeMap<_, _>>())
        }
    })
}

/// Facts about a build.
pub(crate) fn build(build: &BuildInfo) -> Json {
    json!({
        "name": build.name,
        "source_name": build.source_name,
        "builder_type": build.builder_type,
        "core_version": build.core_version,
        "debug": build.debug,
        "force": build.force,
        "template_dir": build.template_dir,
        "cache_dir": build.cache_dir,
        "run_dir": build.run_dir,
        "run_uuid": build.run_uuid,
    })
}

/// An artifact as libraries are given it.
pub(crate) fn artifact(artifact: &Artifact) -> Json {
    json!({
        "builder_id": artifact.builder_id,
        "id": artifact.id,
        "files": artifact.files,
        "description": artifact.description,
        "state": to_json(&artifact.state),
        "destroy": artifact.destroy,
    })
}

/// The artifact that a library made; what is in another form is told.
pub(crate) fn made(mut result: Map<String, Json>) -> Result<PostProcessed, String> {
    let mut text = |key: &str| match result.remove(key) {
        None | Some(Json::Null) => Ok(String::new()),
        Some(Json::String(text)) => Ok(text),
        Some(_) => Err(format!("`{key}` of the result is no text")),
    };
    let (builder_id, id) = (text("builder_id")?, text("id")?);
    let description = text("description")?;
    let mut paths = |key: &str| -> Result<Vec<PathBuf>, String> {
        let wrong = || format!("`{key}` of the result is no list of paths");
        let items = match result.remove(key) {
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Array(items)) => items,
            Some(_) => return Err(wrong()),
        };
        let path = |item: Json| item.as_str().map(PathBuf::from).ok_or_else(wrong);
        items.into_iter().map(path).collect()
    };
    let (files, destroy) = (paths("files")?, paths("destroy")?);
    let mut flag = |key: &str| result.remove(key).and_then(|flag| flag.as_bool());
    let (keep_input, force_keep_input) = (flag("keep_input"), flag("force_keep_input"));
    let state = result.remove("state").map(from_json).unwrap_or_default();
    if let Some(key) = result.keys().next() {
        return Err(format!("`{key}` is no part of a result"));
    }
    Ok(PostProcessed {
        artifact: Some(Artifact {
            builder_id,
            id,
            files,
            description,
            state,
            destroy,
            resources: Vec::new(),
        }),
        keep_input: keep_input.unwrap_or(false),
        force_keep_input: force_keep_input.unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were() {
        for text in [r#"{"a":[true,null,"x"],"b":{"c":12}}"#, r#"{"n":-0.5}"#] {
            let json: Json = serde_json::from_str(text).unwrap();
            assert_eq!(to_json(&from_json(json.clone())), json);
        }
        let exact = Value::new(ValueKind::Number("0.10000000000000000000001".to_owned()));
        assert_eq!(to_json(&exact), json!("0.10000000000000000000001"));
    }

    #[test]
    fn results_in_another_form_are_told() {
        let read = |json: Json| made(json.as_object().unwrap().clone());
        let good = read(json!({"id": "x", "files": ["a"], "keep_input": true})).unwrap();
        assert!(good.keep_input && good.artifact.is_some_and(|made| made.files.len() == 1));
        for (json, part) in [
            (json!({"id": 1}), "`id` of the result is no text"),
            (json!({"files": [1]}), "`files` of the result is no list"),
            (json!({"flies": []}), "`flies` is no part"),
        ] {
            let problem = read(json).unwrap_err();
            assert!(problem.contains(part), "{problem}");
        }
    }
}
