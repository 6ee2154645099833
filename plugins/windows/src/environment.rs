//! Environment variables of scripts.

use std::collections::BTreeMap;

use kiln_sdk::go_template::{self, Context, Data};
use kiln_sdk::{BuildInfo, Failure, Value};

/// How values become part of a script's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    /// For PowerShell's double quotes.
    PowerShell,
    /// As they are.
    None,
}

impl Escape {
    /// # Source
    ///
    /// Packer: a backtick before each of `` ` ``, `$`, `"` and `'`.
    fn apply(self, value: &str) -> String {
        match self {
            Self::None => value.to_owned(),
            Self::PowerShell => {
                let mut escaped = String::with_capacity(value.len());
                for character in value.chars() {
                    if matches!(character, '`' | '$' | '"' | '\'') {
                        escaped.push('`');
                    }
                    escaped.push(character);
                }
                escaped
            }
        }
    }
}

/// All variables of a script as text, sorted by name: what every script gets, then `list`
/// (`NAME=value`), then `map`; each through the printf-like `format` with its name and its value.
///
/// # Errors
///
/// When `format` is not one for two texts.
pub(crate) fn text(
    list: &[String],
    map: &BTreeMap<String, String>,
    (build, generated): (&BuildInfo, &Value),
    format: &str,
    escape: Escape,
) -> Result<String, Failure> {
    let mut variables = BTreeMap::from([
        ("PACKER_BUILD_NAME", build.source_name.clone()),
        ("PACKER_BUILDER_TYPE", build.builder_type.clone()),
    ]);
    for (name, key) in [
        ("PACKER_HTTP_ADDR", "PackerHTTPAddr"),
        ("PACKER_HTTP_IP", "PackerHTTPIP"),
        ("PACKER_HTTP_PORT", "PackerHTTPPort"),
    ] {
        let value = generated.get(key).and_then(Value::as_str);
        let value = value.unwrap_or_default();
        if !value.is_empty() && !value.starts_with("ERR_") && value != "0" {
            variables.insert(name, value.to_owned());
        }
    }
    for entry in list {
        if let Some((name, value)) = entry.split_once('=') {
            variables.insert(name, escape.apply(value));
        }
    }
    for (name, value) in map {
        variables.insert(name, escape.apply(value));
    }
    let pieces = variables
        .iter()
        .map(|(name, value)| one(format, name, value));
    pieces.collect()
}

fn one(format: &str, name: &str, value: &str) -> Result<String, Failure> {
    let data: Data = [("Format", format), ("Name", name), ("Value", value)]
        .into_iter()
        .collect();
    let template = "{{printf .Format .Name .Value}}";
    let piece = go_template::render(template, &data, &Context::default())
        .map_err(|error| Failure::new(format!("cannot use the format `{format}`: {error}")))?;
    // The format alone decides; a value may hold anything.
    let marks = |text: &str| text.matches("%!").count();
    if marks(&piece) > marks(name) + marks(value) {
        return Err(Failure::new(format!(
            "cannot use the format `{format}` of variables: it must have two `%s`, for name and \
             value"
        )));
    }
    Ok(piece)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kiln_sdk::{BuildInfo, Value};

    use super::{Escape, text};

    fn check(format: &str, escape: Escape, expected: Option<&str>) {
        let build = BuildInfo {
            source_name: "n".into(),
            builder_type: "null".into(),
            ..BuildInfo::default()
        };
        let generated: Value = [("PackerHTTPAddr", "h:1"), ("PackerHTTPIP", "ERR_HTTP_IP")]
            .into_iter()
            .collect();
        let list = ["B=$x=\"1\"".to_owned(), "A=x".to_owned()];
        let map = BTreeMap::from([("A".to_owned(), "100%!s it's".to_owned())]);
        let found = text(&list, &map, (&build, &generated), format, escape);
        assert_eq!(found.ok().as_deref(), expected, "{format}");
    }

    #[test]
    fn later_sources_win_names_are_sorted_and_values_escaped() {
        check(
            "$env:%s=\"%s\"; ",
            Escape::PowerShell,
            Some(
                "$env:A=\"100%!s it`'s\"; $env:B=\"`$x=`\"1`\"\"; $env:PACKER_BUILDER_TYPE=\"null\"; \
                 $env:PACKER_BUILD_NAME=\"n\"; $env:PACKER_HTTP_ADDR=\"h:1\"; ",
            ),
        );
        check(
            "%s=%s|",
            Escape::None,
            Some(
                "A=100%!s it's|B=$x=\"1\"|PACKER_BUILDER_TYPE=null|PACKER_BUILD_NAME=n|\
                 PACKER_HTTP_ADDR=h:1|",
            ),
        );
        check("%s", Escape::None, None);
        check("%s %s %s", Escape::None, None);
    }
}
