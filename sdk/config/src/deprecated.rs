//! Options that are set and should not be any more.

use crate::field::is_empty;
use crate::{BlockSchema, Diagnostic, Diagnostics, Path, PathStep, Schema, Value, ValueKind};

/// Warns of every option in `config` that `schema` says should not be used any more.
///
/// kiln's host does that by itself, for plugins in every language, so a plugin warns only where the
/// host is another one.
#[must_use]
pub fn deprecated(schema: &Schema, config: &Value) -> Diagnostics {
    let mut warnings = Diagnostics::new();
    body(schema, config, &Path::default(), &mut warnings);
    warnings
}

fn body(schema: &Schema, config: &Value, path: &Path, warnings: &mut Diagnostics) {
    let is_set = |value: &&Value| !value.is_null() && !is_empty(value);
    for attribute in schema
        .attributes
        .iter()
        .filter(|it| !it.deprecated.is_empty())
    {
        if config.get(&attribute.name).filter(is_set).is_some() {
            let path = path.then(PathStep::Attribute(attribute.name.clone()));
            let detail = format!("`{path}` still works but is going away.");
            let warning = Diagnostic::warning("Deprecated option", detail).at(path);
            warnings.push(warning.hint(&attribute.deprecated));
        }
    }
    for block in &schema.blocks {
        let path = path.then(PathStep::Attribute(block.name.clone()));
        if let Some(given) = config.get(&block.name) {
            blocks(block, given, &path, warnings);
        }
    }
}

fn blocks(block: &BlockSchema, given: &Value, path: &Path, warnings: &mut Diagnostics) {
    match &given.kind {
        ValueKind::List(items) if block.repeated => {
            for (index, item) in items.iter().enumerate() {
                body(
                    &block.schema,
                    item,
                    &path.then(PathStep::Index(index)),
                    warnings,
                );
            }
        }
        ValueKind::List(items) => {
            for item in items {
                body(&block.schema, item, path, warnings);
            }
        }
        _ => body(&block.schema, given, path, warnings),
    }
}
