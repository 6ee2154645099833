//! `hcp_packer_registry` blocks: checked, and otherwise ignored, as there is no registry here.

use host_diag::{Diagnostic, Diagnostics};
use host_eval::{Scope, Type};

use crate::hcl::bound::BoundBlock;
use crate::hcl::literal;
use crate::hcl::provisioner::meta_schema;
use crate::hcl::scope::in_block;

/// Checks what a registry block says.
pub(crate) fn check_registry(block: &BoundBlock, scope: &Scope, problems: &mut Diagnostics) {
    let names = [
        "bucket_name",
        "description",
        "bucket_labels",
        "build_labels",
        "labels",
        "channels",
    ];
    let mut found = Diagnostics::new();
    let scope = block.body.scope(scope);
    let content = block.body.content(&meta_schema(&names), &scope, &mut found);
    for attribute in &content.attributes {
        let ty = match attribute.name.name.as_str() {
            "bucket_name" | "description" => Type::String,
            "channels" => Type::list(Type::String),
            _ => Type::map(Type::String),
        };
        let Some(value) = literal::converted(attribute, &ty, &scope, &mut found) else {
            continue;
        };
        let (problem, hint) = match (attribute.name.name.as_str(), value.as_str()) {
            ("bucket_name", Some(name)) if !is_bucket_name(name) => (
                "it has to be 3 to 36 letters, digits, dashes and underscores",
                "Write a name such as `debian-12`.",
            ),
            ("description", Some(text)) if text.chars().count() > 255 => {
                ("it can have at most 255 characters", "Shorten it.")
            }
            _ => continue,
        };
        let problem = literal::unsuitable(&attribute.name.name, problem, attribute.expr.span)
            .values(&host_eval::values_in(&attribute.expr, &scope));
        found.push(problem.hint(hint.to_owned()));
    }
    if let (Some(new), Some(old)) = (
        content.attribute("bucket_labels"),
        content.attribute("labels"),
    ) {
        found.push(
            Diagnostic::error("Conflicting registry labels")
                .detail("`labels` is the old name of `bucket_labels`; only one can be set.")
                .at(old.name.span)
                .related(new.name.span, "the new one is here"),
        );
    }
    problems.extend(in_block(found, &block.header_text()));
}

fn is_bucket_name(name: &str) -> bool {
    (3..=36).contains(&name.chars().count())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}
