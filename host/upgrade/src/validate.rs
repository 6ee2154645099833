//! Whether names in a template refer to something.

use serde_json::Value;

use crate::document::{Document, Object, type_of};

/// What is wrong with a template whose sections have been read without errors: no builders, or
/// `only`, `except` and `override` with names of builders that do not exist.
///
/// # Source
///
/// The texts are Packer's.
#[must_use]
pub fn validate(document: &Document) -> Vec<String> {
    let builders: Vec<&str> = items(&document.root, "builders")
        .filter_map(Value::as_object)
        .map(name_of)
        .collect();
    if builders.is_empty() {
        return vec!["at least one builder must be defined".to_owned()];
    }
    let mut problems = Vec::new();
    let provisioners = items(&document.root, "provisioners").filter_map(Value::as_object);
    for (index, provisioner) in provisioners.enumerate() {
        let what = format!("provisioner {}", index + 1);
        check_filters(&what, provisioner, &builders, &mut problems);
        let overrides = provisioner.get("override").and_then(Value::as_object);
        let unknown = overrides
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str());
        for name in unknown.filter(|name| !builders.contains(name)) {
            problems.push(format!("{what}: override '{name}' doesn't exist"));
        }
    }
    for (number, entry) in items(&document.root, "post-processors").enumerate() {
        let chain = entry
            .as_array()
            .map_or(std::slice::from_ref(entry), Vec::as_slice);
        for (index, member) in chain.iter().enumerate() {
            let Some(member) = member.as_object() else {
                continue;
            };
            let what = format!("post-processor {}.{}", number + 1, index + 1);
            check_filters(&what, member, &builders, &mut problems);
        }
    }
    problems
}

/// A builder's name: its type unless it says otherwise.
fn name_of(builder: &Object) -> &str {
    builder
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_else(|| type_of(builder))
}

fn items<'a>(object: &'a Object, key: &str) -> impl Iterator<Item = &'a Value> {
    object
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn check_filters(what: &str, component: &Object, builders: &[&str], problems: &mut Vec<String>) {
    let [only, except] = ["only", "except"].map(|word| names(component, word));
    if !only.is_empty() && !except.is_empty() {
        problems.push(format!(
            "{what}: only one of 'only' or 'except' may be specified"
        ));
        return;
    }
    for (word, names) in [("only", only), ("except", except)] {
        for name in names.into_iter().filter(|name| !builders.contains(name)) {
            problems.push(format!(
                "{what}: '{word}' specified builder '{name}' not found"
            ));
        }
    }
}

/// A list of names; a single one may stand without a list.
fn names<'a>(component: &'a Object, word: &str) -> Vec<&'a str> {
    match component.get(word) {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use host_diag::FileId;

    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let document = Document::read(FileId(0), text).unwrap();
        assert_eq!(validate(&document), expected, "{text}");
    }

    #[test]
    fn a_template_needs_a_builder() {
        check("{}", &["at least one builder must be defined"]);
    }

    #[test]
    fn names_of_builders_must_exist() {
        check(
            r#"{"builders": [{"type": "null"}, {"type": "qemu", "name": "vm"}],
                "provisioners": [{"type": "a", "only": ["vm"], "override": {"qemu": {}}},
                                 {"type": "b", "only": ["x"], "except": ["y"]}],
                "post-processors": ["c", [{"type": "d"}, {"type": "e", "except": ["null", "qemu"]}]]}"#,
            &[
                "provisioner 1: override 'qemu' doesn't exist",
                "provisioner 2: only one of 'only' or 'except' may be specified",
                "post-processor 2.2: 'except' specified builder 'qemu' not found",
            ],
        );
    }
}
