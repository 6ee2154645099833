//! What options owe.

use sdk_config::{AttributeSchema, Config, Schema, Value, decode};

/// Checks that the options of `C` are documented, that their defaults fit, and that an option
/// which does not exist is refused by name.
///
/// # Panics
///
/// When one of that does not hold.
pub fn check_options<C: Config>() {
    let schema = C::schema();
    check_schema(&schema);
    // Defaults are read; what is missing or wrong otherwise does not matter here.
    drop(decode::<C>(&Value::empty_map()));
    if schema.open {
        return;
    }
    let wrong: Value = [(UNKNOWN, "x")].into_iter().collect();
    let problems = decode::<C>(&wrong).err().unwrap_or_default();
    assert!(
        problems
            .iter()
            .any(|problem| problem.path.to_string() == UNKNOWN),
        "the option `{UNKNOWN}` does not exist but is accepted"
    );
}

/// A name no option has.
pub(crate) const UNKNOWN: &str = "no_such_option_anywhere";

/// Words of a `provisioner` block that mean the block; no plugin gets them.
pub(crate) const PROVISIONER_WORDS: [&str; 8] = [
    "name",
    "only",
    "except",
    "override",
    "pause_before",
    "timeout",
    "max_retries",
    "continue_on_error",
];

/// The same of a `post-processor` block.
pub(crate) const POST_PROCESSOR_WORDS: [&str; 4] =
    ["name", "only", "except", "keep_input_artifact"];

/// Checks that no option has one of the `words` of the block it would stand in.
pub(crate) fn check_reserved(names: &[String], words: &[&str]) {
    for name in names {
        assert!(
            !words.contains(&name.as_str()),
            "the option `{name}` never gets a value: in a template that word belongs to the block"
        );
    }
}

/// Checks that everything in `schema` is documented and that no name occurs twice.
///
/// # Panics
///
/// When something is not.
pub fn check_schema(schema: &Schema) {
    assert!(
        !schema.doc.trim().is_empty(),
        "the component has no documentation"
    );
    check_body(schema, "");
}

fn check_body(schema: &Schema, prefix: &str) {
    let mut names: Vec<&str> = Vec::new();
    for AttributeSchema { name, doc, .. } in schema.attributes.iter().chain(&schema.outputs) {
        assert!(
            !doc.trim().is_empty(),
            "the option `{prefix}{name}` has no documentation"
        );
    }
    names.extend(
        schema
            .attributes
            .iter()
            .map(|attribute| attribute.name.as_str()),
    );
    names.extend(schema.blocks.iter().map(|block| block.name.as_str()));
    names.sort_unstable();
    for pair in names.windows(2) {
        assert!(
            pair[0] != pair[1],
            "the option `{prefix}{}` exists twice",
            pair[0]
        );
    }
    for block in &schema.blocks {
        let name = format!("{prefix}{}", block.name);
        assert!(
            !block.doc.trim().is_empty(),
            "the block `{name}` has no documentation"
        );
        check_body(&block.schema, &format!("{name}."));
    }
}
