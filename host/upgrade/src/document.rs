//! A legacy template as plain JSON, its sections known to have the right shape.

use host_diag::{Diagnostic, Diagnostics, FileId};
use host_syntax::{json, yaml};
use serde_json::{Map, Number, Value};

/// A JSON object; the order of its keys means nothing here.
pub(crate) type Object = Map<String, Value>;

/// The sections that fixers look into.
const SECTIONS: [&str; 3] = ["builders", "provisioners", "post-processors"];

/// A legacy template. `builders`, `provisioners` and `post-processors` are lists, `null` or not
/// there; builders and provisioners are objects.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub(crate) root: Object,
}

impl Document {
    /// Reads a template. Of a repeated key the last value counts. The keys of sections may be
    /// written in either case.
    ///
    /// # Errors
    ///
    /// All mistakes of syntax, or all sections that have a wrong shape.
    pub fn read(file: FileId, text: &str) -> Result<Self, Diagnostics> {
        Self::of(json::parse(file, text))
    }

    /// The same for a template in YAML.
    ///
    /// # Errors
    ///
    /// Those of [`Document::read`]; repeated keys are errors here.
    pub fn read_yaml(file: FileId, text: &str) -> Result<Self, Diagnostics> {
        Self::of(yaml::parse(file, text))
    }

    fn of((root, found): (Option<json::Value>, Diagnostics)) -> Result<Self, Diagnostics> {
        let Some(root) = root.filter(|_| !found.iter().any(Diagnostic::is_error)) else {
            return Err(found);
        };
        let problems = shape_problems(&root);
        if !problems.is_empty() {
            return Err(problems);
        }
        let Value::Object(all) = plain(root) else {
            return Ok(Self {
                root: Object::new(),
            });
        };
        let mut root = Object::new();
        for (key, value) in all {
            match SECTIONS
                .into_iter()
                .find(|section| section.eq_ignore_ascii_case(&key))
            {
                Some(section) => root.insert(section.to_owned(), as_list(section, value)),
                None => root.insert(key, value),
            };
        }
        Ok(Self { root })
    }

    /// All builders.
    pub(crate) fn builders(&mut self) -> impl Iterator<Item = &mut Object> {
        objects(self.root.get_mut("builders"))
    }

    /// All builders of a type.
    pub(crate) fn builders_of<'a>(
        &'a mut self,
        is_of: impl Fn(&str) -> bool + 'a,
    ) -> impl Iterator<Item = &'a mut Object> {
        self.builders()
            .filter(move |builder| is_of(type_of(builder)))
    }

    /// All provisioners.
    pub(crate) fn provisioners(&mut self) -> impl Iterator<Item = &mut Object> {
        objects(self.root.get_mut("provisioners"))
    }

    /// All post-processors that are objects, those in chains too.
    pub(crate) fn post_processors(&mut self) -> impl Iterator<Item = &mut Object> {
        list(self.root.get_mut("post-processors"))
            .iter_mut()
            .flat_map(|entry| match entry {
                Value::Array(chain) => chain.iter_mut(),
                single => std::slice::from_mut(single).iter_mut(),
            })
            .filter_map(Value::as_object_mut)
    }

    /// All post-processors of a type.
    pub(crate) fn post_processors_of(
        &mut self,
        kind: &'static str,
    ) -> impl Iterator<Item = &mut Object> {
        self.post_processors()
            .filter(move |one| type_of(one) == kind)
    }
}

/// A component's type; empty when it has none.
pub(crate) fn type_of(component: &Object) -> &str {
    component
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn list(section: Option<&mut Value>) -> &mut [Value] {
    section
        .and_then(Value::as_array_mut)
        .map(Vec::as_mut_slice)
        .unwrap_or_default()
}

fn objects(section: Option<&mut Value>) -> impl Iterator<Item = &mut Object> {
    list(section).iter_mut().filter_map(Value::as_object_mut)
}

/// A single provisioner may stand without a list around it.
fn as_list(section: &str, value: Value) -> Value {
    if section == "provisioners" && value.is_object() {
        Value::Array(vec![value])
    } else {
        value
    }
}

fn plain(value: json::Value) -> Value {
    match value.kind {
        json::Kind::Null => Value::Null,
        json::Kind::Bool(value) => Value::Bool(value),
        json::Kind::Number(text) => number(&text),
        json::Kind::String(text) => Value::String(text),
        json::Kind::Array(items) => items.into_iter().map(plain).collect(),
        json::Kind::Object(members) => members
            .into_iter()
            .map(|member| (member.key, plain(member.value)))
            .collect(),
    }
}

/// Whole numbers as such while they fit; a number too large for any is kept as its text.
fn number(text: &str) -> Value {
    if let Ok(whole) = text.parse::<i64>() {
        return Value::Number(whole.into());
    }
    let float = text.parse().ok().and_then(Number::from_f64);
    float.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

fn shape_problems(root: &json::Value) -> Diagnostics {
    let json::Kind::Object(members) = &root.kind else {
        return vec![wrong_shape("The template", "an object, `{ … }`", root)];
    };
    let mut problems = Diagnostics::new();
    for member in members {
        let key = member.key.to_ascii_lowercase();
        if !SECTIONS.contains(&key.as_str()) {
            continue;
        }
        let single = key == "provisioners";
        let items = match &member.value.kind {
            json::Kind::Array(items) => items.as_slice(),
            json::Kind::Object(_) if single => std::slice::from_ref(&member.value),
            json::Kind::Null => &[],
            _ => {
                let what = format!("Section `{key}`");
                problems.push(wrong_shape(&what, "a list, `[ … ]`", &member.value));
                &[]
            }
        };
        let wrong = items
            .iter()
            .filter(|item| key != "post-processors" && !matches!(item.kind, json::Kind::Object(_)));
        problems.extend(
            wrong.map(|item| {
                wrong_shape(&format!("Each item of `{key}`"), "an object, `{ … }`", item)
            }),
        );
    }
    problems
}

fn wrong_shape(what: &str, expected: &str, value: &json::Value) -> Diagnostic {
    Diagnostic::error("Wrong shape of the template")
        .detail(format!("{what} must be {expected}."))
        .at(value.span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let read = match Document::read(FileId(0), text) {
            Ok(document) => Value::Object(document.root).to_string(),
            Err(problems) => problems
                .iter()
                .map(|problem| problem.detail.as_str())
                .collect(),
        };
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn the_last_of_repeated_keys_counts() {
        check(r#"{"a": 1, "a": 2.5}"#, r#"{"a":2.5}"#);
    }

    #[test]
    fn sections_are_found_in_either_case_and_a_single_provisioner_is_a_list() {
        check(
            r#"{"Builders": [], "PROVISIONERS": {}}"#,
            r#"{"builders":[],"provisioners":[{}]}"#,
        );
    }

    #[test]
    fn yaml_gives_the_same_document() {
        let yaml = "a: 1\nbuilders:\n- &one {type: x}\n- <<: *one\n  name: y # z\n";
        let json = r#"{"a": 1, "builders": [{"type": "x"}, {"type": "x", "name": "y"}]}"#;
        let (yaml, json) = (
            Document::read_yaml(FileId(0), yaml).unwrap(),
            Document::read(FileId(0), json).unwrap(),
        );
        assert_eq!(yaml, json);
        assert!(Document::read_yaml(FileId(0), "a: 1\na: 2").is_err());
    }

    #[test]
    fn wrong_shapes_are_told() {
        check("[]", "The template must be an object, `{ … }`.");
        check(
            r#"{"builders": {}}"#,
            "Section `builders` must be a list, `[ … ]`.",
        );
        check(
            r#"{"builders": [1]}"#,
            "Each item of `builders` must be an object, `{ … }`.",
        );
    }
}
