//! What a node is told: the JSON file of attributes and its run list.

use kiln_sdk::{Value, ValueKind};
use serde_json::{Map, Value as Json};

/// The file's text: the attributes with the run list, keys sorted, indented by two blanks.
///
/// A run list that is not empty replaces the one among the attributes.
///
/// # Errors
///
/// What is wrong with the attributes, for people.
pub fn text(json: &Value, json_string: &str, run_list: &[String]) -> Result<String, String> {
    let mut attributes = read(json, json_string)?;
    if !run_list.is_empty() {
        attributes.insert("run_list".to_owned(), run_list.into());
    }
    let sorted = sorted(Json::Object(attributes));
    serde_json::to_string_pretty(&sorted).map_err(|error| error.to_string())
}

/// The attributes without a run list.
///
/// # Errors
///
/// When they are no object.
pub fn read(json: &Value, json_string: &str) -> Result<Map<String, Json>, String> {
    let value = if json_string.is_empty() {
        convert(json)
    } else {
        serde_json::from_str(json_string).map_err(|error| error.to_string())?
    };
    match value {
        Json::Object(attributes) => Ok(attributes),
        Json::Null => Ok(Map::new()),
        _ => Err("the attributes of a node are an object".to_owned()),
    }
}

fn convert(value: &Value) -> Json {
    match &value.kind {
        ValueKind::Null => Json::Null,
        ValueKind::Unknown => Json::String(kiln_sdk::config::PLACEHOLDER.to_owned()),
        ValueKind::Bool(value) => Json::Bool(*value),
        ValueKind::Number(text) => {
            serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone()))
        }
        ValueKind::String(text) => Json::String(text.clone()),
        ValueKind::List(items) => items.iter().map(convert).collect(),
        ValueKind::Map(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), convert(value)))
            .collect(),
    }
}

fn sorted(value: Json) -> Json {
    match value {
        Json::Array(items) => items.into_iter().map(sorted).collect(),
        Json::Object(entries) => {
            let mut entries: Vec<(String, Json)> = entries.into_iter().collect();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            entries
                .into_iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_the_run_list_of_the_option_wins() {
        let run_list = ["recipe[a]".to_owned()];
        let text = text(
            &Value::null(),
            r#"{"z":{"b":1,"a":[true]},"run_list":["recipe[x]"]}"#,
            &run_list,
        );
        let expected = r#"{
  "run_list": [
    "recipe[a]"
  ],
  "z": {
    "a": [
      true
    ],
    "b": 1
  }
}"#;
        assert_eq!(text.expect("it is an object"), expected);
    }

    #[test]
    fn attributes_may_be_missing_but_nothing_else_than_an_object() {
        assert_eq!(text(&Value::null(), "", &[]).expect("none"), "{}");
        assert!(text(&Value::null(), "[1]", &[]).is_err());
        assert!(text(&Value::null(), "{", &[]).is_err());
    }

    #[test]
    fn a_map_of_the_template_keeps_its_types() {
        let mut map = Value::empty_map();
        map.insert("port", 80_u16);
        map.insert("on", true);
        map.insert("name", "it's \"x\"");
        let text = text(&map, "", &[]).expect("it is a map");
        let expected = "{\n  \"name\": \"it's \\\"x\\\"\",\n  \"on\": true,\n  \"port\": 80\n}";
        assert_eq!(text, expected);
    }
}
