//! What playbooks learn about the build: Ansible's extra variables.

use kiln_sdk::staging::BuildFacts;

/// The value of one `-e` or `--extra-vars` for each fact, as Ansible reads it: `NAME=VALUE`, the
/// build's name in double quotes. Values that this form cannot carry are written as JSON.
///
/// # Source
///
/// Packer's variables `packer_build_name`, `packer_builder_type` and `packer_http_addr`. Differs:
/// names with quotes, backslashes or line ends arrive as they are.
pub fn extra(facts: &BuildFacts) -> Vec<String> {
    facts
        .variables()
        .into_iter()
        .map(|(name, value)| {
            let plain = value.chars().all(is_plain);
            match name {
                "packer_build_name" if plain => format!("{name}=\"{value}\""),
                _ if plain && !value.contains(' ') => format!("{name}={value}"),
                _ => serde_json::json!({ name: value }).to_string(),
            }
        })
        .collect()
}

/// Whether a character means only itself in Ansible's `NAME=VALUE` form.
fn is_plain(character: char) -> bool {
    character.is_alphanumeric() || " ._-+:/@[]".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_kind_reach_ansible_whole() {
        let check = |name: &str, expected: &str| {
            let facts = BuildFacts {
                name: name.to_owned(),
                ..BuildFacts::default()
            };
            assert_eq!(extra(&facts), [expected]);
        };
        check("debian", "packer_build_name=\"debian\"");
        check("my build", "packer_build_name=\"my build\"");
        check("a\"b", r#"{"packer_build_name":"a\"b"}"#);
        check("a\nb {{x}}", r#"{"packer_build_name":"a\nb {{x}}"}"#);
        check("it's", r#"{"packer_build_name":"it's"}"#);
    }

    #[test]
    fn facts_that_do_not_exist_are_left_out() {
        let facts = BuildFacts {
            name: "n".to_owned(),
            builder_type: "qemu".to_owned(),
            http_address: Some("10.0.2.2:8000".to_owned()),
        };
        let expected = [
            "packer_build_name=\"n\"",
            "packer_builder_type=qemu",
            "packer_http_addr=10.0.2.2:8000",
        ];
        assert_eq!(extra(&facts), expected);
        assert!(extra(&BuildFacts::default()).is_empty());
    }
}
