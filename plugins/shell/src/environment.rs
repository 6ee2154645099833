//! Environment variables of scripts: collecting, quoting, writing as shell text.

use std::collections::BTreeMap;

use kiln_sdk::go_template::{self, Context, Data};
use kiln_sdk::{BuildInfo, Diagnostic, Diagnostics, Failure, Value};

/// Checks that every entry of `environment_vars` is `NAME=value`.
pub fn check(list: &[String], diagnostics: &mut Diagnostics) {
    for entry in list {
        let name = entry.split('=').next().unwrap_or_default();
        if name.is_empty() || !entry.contains('=') {
            diagnostics.push(
                Diagnostic::error(
                    format!("Environment variable not in format 'key=value': {name}"),
                    "Each entry of `environment_vars` is a name, an equals sign and a value.",
                )
                .on("environment_vars")
                .hint("Write `NAME=value`, or use `env = { NAME = \"value\" }`."),
            );
        }
    }
}

/// All variables of a script, sorted by name: what every script gets, then `list`, then `map`.
pub fn collect(
    list: &[String],
    map: &BTreeMap<String, String>,
    build: &BuildInfo,
    generated: &Value,
) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::from([
        ("PACKER_BUILD_NAME".to_owned(), build.source_name.clone()),
        ("PACKER_BUILDER_TYPE".to_owned(), build.builder_type.clone()),
    ]);
    for (name, key) in [
        ("PACKER_HTTP_ADDR", "PackerHTTPAddr"),
        ("PACKER_HTTP_IP", "PackerHTTPIP"),
        ("PACKER_HTTP_PORT", "PackerHTTPPort"),
    ] {
        let value = generated
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !value.is_empty() && !value.starts_with("ERR_") && value != "0" {
            variables.insert(name.to_owned(), value.to_owned());
        }
    }
    for entry in list {
        if let Some((name, value)) = entry.split_once('=') {
            variables.insert(name.to_owned(), value.to_owned());
        }
    }
    variables.extend(
        map.iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    variables
}

/// Whether `name` can be a variable of a shell: letters, digits and underscores, no digit first.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || one == '_')
}

/// The variables as shell text, each through the printf-like `format` with its name and its value,
/// where the value's single quotes are written as `'"'"'`.
///
/// # Errors
///
/// When `format` is not one for two strings.
pub fn text(variables: &BTreeMap<String, String>, format: &str) -> Result<String, Failure> {
    let mut text = String::new();
    for (name, value) in variables {
        let data: Data = [
            ("Format", format),
            ("Name", name.as_str()),
            ("Value", &value.replace('\'', r#"'"'"'"#)),
        ]
        .into_iter()
        .collect();
        let piece = go_template::render(
            "{{printf .Format .Name .Value}}",
            &data,
            &Context::default(),
        )
        .map_err(|error| {
            Failure::new(format!("cannot use `env_var_format`: {error}")).on("env_var_format")
        })?;
        // The format alone decides; a value may hold anything.
        let marks = |text: &str| text.matches("%!").count();
        if marks(&piece) > marks(name) + marks(value) {
            return Err(Failure::new(format!(
                "cannot use `env_var_format` `{format}`: it must have two `%s`, for name and value"
            ))
            .on("env_var_format"));
        }
        text.push_str(&piece);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_sources_win_and_names_are_sorted() {
        let build = BuildInfo {
            source_name: "debian".into(),
            builder_type: "qemu".into(),
            ..BuildInfo::default()
        };
        let generated: Value = [
            ("PackerHTTPAddr", "10.0.2.2:8000"),
            ("PackerHTTPIP", "ERR_HTTP_IP"),
        ]
        .into_iter()
        .collect();
        let list = ["B=1=2".to_owned(), "A=x".to_owned()];
        let map = BTreeMap::from([("A".to_owned(), "it's".to_owned())]);
        let variables = collect(&list, &map, &build, &generated);
        assert_eq!(
            text(&variables, "%s='%s' ").unwrap(),
            r#"A='it'"'"'s' B='1=2' PACKER_BUILDER_TYPE='qemu' PACKER_BUILD_NAME='debian' PACKER_HTTP_ADDR='10.0.2.2:8000' "#
        );
    }

    #[test]
    fn an_entry_without_equals_sign_is_refused() {
        let mut diagnostics = Diagnostics::new();
        check(
            &["GOOD=".to_owned(), "bad".to_owned(), "=x".to_owned()],
            &mut diagnostics,
        );
        assert_eq!(diagnostics.len(), 2);
        assert!(diagnostics[0].summary.ends_with("'key=value': bad"));
    }

    #[test]
    fn a_format_with_too_few_verbs_is_refused() {
        let variables = BTreeMap::from([("A".to_owned(), "b".to_owned())]);
        assert!(text(&variables, "%s ").is_err());
        let variables = BTreeMap::from([("A".to_owned(), "b%!c".to_owned())]);
        assert!(text(&variables, "%s %s %s ").is_err());
    }

    #[test]
    fn a_value_may_look_like_a_mistake_in_the_format() {
        let variables = BTreeMap::from([("PW".to_owned(), "a%!b %!s(MISSING)".to_owned())]);
        let text = text(&variables, "%s='%s' ").unwrap();
        assert_eq!(text, "PW='a%!b %!s(MISSING)' ");
    }
}
