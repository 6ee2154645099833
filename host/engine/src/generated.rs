//! The values of a machine that templates can use as `build.NAME`.

use std::collections::BTreeMap;

use host_eval::Value;
use host_plugin_client::Artifact;
use host_template::Generated;

/// The names every builder's machine has.
///
/// # Source
///
/// Packer 1.16, `build` in HCL2 templates and the `build` function in JSON templates.
const NAMES: [&str; 13] = [
    "ConnType",
    "Host",
    "ID",
    "PackerHTTPAddr",
    "PackerHTTPIP",
    "PackerHTTPPort",
    "PackerRunUUID",
    "Password",
    "Port",
    "SSHPrivateKey",
    "SSHPublicKey",
    "User",
    "WinRMPassword",
];

/// Those that must stay out of every output.
const SENSITIVE: [&str; 3] = ["Password", "SSHPrivateKey", "WinRMPassword"];

/// What a name has whose value the builder does not give.
const UNKNOWN: &str = "<unknown>";

/// The names that are there before the run, with `declared` by the builder.
pub(crate) fn names(declared: &[String]) -> Vec<String> {
    let mut names: Vec<_> = NAMES.iter().map(|&name| name.to_owned()).collect();
    names.extend(declared.iter().cloned());
    names.sort();
    names.dedup();
    names
}

/// The values during the run: what the builder gave, and a placeholder for each of `names` that it
/// did not give.
pub(crate) fn complete(
    mut given: BTreeMap<String, Value>,
    names: &[String],
    run_uuid: &str,
) -> BTreeMap<String, Value> {
    given.insert("PackerRunUUID".to_owned(), Value::string(run_uuid));
    for name in names {
        let missing = given.get(name).is_none_or(Value::is_null);
        if missing {
            given.insert(name.clone(), Value::string(placeholder(name)));
        }
    }
    for name in SENSITIVE {
        if let Some(value) = given.get_mut(name) {
            value.sensitive = true;
        }
    }
    given
}

fn placeholder(name: &str) -> &'static str {
    match name {
        "PackerHTTPAddr" => "ERR_HTTP_ADDR_NOT_IMPLEMENTED_BY_BUILDER",
        "PackerHTTPIP" => "ERR_HTTP_IP_NOT_IMPLEMENTED_BY_BUILDER",
        "PackerHTTPPort" => "ERR_HTTP_PORT_NOT_IMPLEMENTED_BY_BUILDER",
        _ => UNKNOWN,
    }
}

/// The values an artifact brings along for post-processors, as they are and for templates. An
/// artifact without any leaves templates with placeholders.
pub(crate) fn of_artifact(
    artifact: &Artifact,
    names: &[String],
    run_uuid: &str,
) -> (BTreeMap<String, Value>, Generated) {
    let data = artifact
        .state
        .get("generated_data")
        .and_then(Value::as_mapping);
    match data {
        Some(data) => {
            let values = complete(data.clone(), names, run_uuid);
            (values.clone(), Generated::Values(values))
        }
        None => (BTreeMap::new(), Generated::Names(names.to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &[(&str, &str)], name: &str, expected: &str) {
        let given = given
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Value::string(*text)));
        let values = complete(given.collect(), &names(&["SourceAMI".to_owned()]), "run-1");
        assert_eq!(values[name].as_str(), Some(expected));
        assert_eq!(values[name].sensitive, SENSITIVE.contains(&name));
    }

    #[test]
    fn given_values_are_kept() {
        check(&[("Host", "10.0.0.1")], "Host", "10.0.0.1");
        check(&[("Password", "p")], "Password", "p");
        check(&[("SourceAMI", "ami-1")], "SourceAMI", "ami-1");
    }

    #[test]
    fn missing_values_have_placeholders() {
        check(
            &[],
            "PackerHTTPAddr",
            "ERR_HTTP_ADDR_NOT_IMPLEMENTED_BY_BUILDER",
        );
        check(
            &[],
            "PackerHTTPIP",
            "ERR_HTTP_IP_NOT_IMPLEMENTED_BY_BUILDER",
        );
        check(
            &[],
            "PackerHTTPPort",
            "ERR_HTTP_PORT_NOT_IMPLEMENTED_BY_BUILDER",
        );
        check(&[], "ID", "<unknown>");
        check(&[], "SourceAMI", "<unknown>");
        check(&[("PackerRunUUID", "other")], "PackerRunUUID", "run-1");
    }

    #[test]
    fn names_are_sorted_and_unique() {
        let all = names(&["Host".to_owned(), "Extra".to_owned()]);
        assert_eq!(all.len(), NAMES.len() + 1);
        assert!(all.is_sorted());
    }
}
