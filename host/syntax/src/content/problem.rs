//! Words for what a schema does not allow.

use host_diag::{Diagnostic, nearest};

use super::{BlockRule, ContentSchema};

pub(super) fn missing_argument(name: &str) -> Diagnostic {
    Diagnostic::error("Missing required argument").detail(format!(
        "The argument \"{name}\" is required, but no definition was found."
    ))
}

pub(super) fn unsupported_argument(name: &str, schema: &ContentSchema) -> Diagnostic {
    let diagnostic = Diagnostic::error("Unsupported argument").detail(format!(
        "An argument named \"{name}\" is not expected here."
    ));
    if let Some(block) = schema.blocks.iter().find(|block| block.kind == name) {
        let names = schema.attributes.iter().map(|rule| rule.name.as_str());
        if let Some(near) = nearest(name, names) {
            return diagnostic.hint(format!(
                "did you mean `{near}`? a block is written `{} {{ … }}`, without `=`",
                example(block)
            ));
        }
        return diagnostic.hint(format!(
            "`{name}` is a block: write `{} {{ … }}` without `=`",
            example(block)
        ));
    }
    let names = schema.attributes.iter().map(|rule| rule.name.as_str());
    let kinds = schema.blocks.iter().map(|rule| rule.kind.as_str());
    diagnostic.hint(
        nearest(name, names)
            .map(|name| format!("did you mean `{name}`?"))
            .or_else(|| {
                nearest(name, kinds).map(|kind| format!("did you mean a block `{kind} {{ … }}`?"))
            })
            .or_else(|| {
                let is_file = schema.blocks.iter().any(|rule| rule.kind == "locals");
                is_file.then(|| {
                    format!("to give it a name, declare it: `locals {{ … }}`, then `local.{name}`")
                })
            }),
    )
}

pub(super) fn unsupported_block(kind: &str, schema: &ContentSchema) -> Diagnostic {
    let diagnostic = Diagnostic::error("Unsupported block type")
        .detail(format!("Blocks of type \"{kind}\" are not expected here."));
    if schema.attributes.iter().any(|rule| rule.name == kind) {
        return diagnostic.hint(format!(
            "`{kind}` is an argument: write `{kind} = …` with `=`"
        ));
    }
    if let Some(hint) = elsewhere(kind, schema) {
        return diagnostic.hint(hint);
    }
    let kinds = schema.blocks.iter().map(|rule| rule.kind.as_str());
    let names = schema.attributes.iter().map(|rule| rule.name.as_str());
    diagnostic.hint(
        nearest(kind, kinds)
            .map(|kind| format!("did you mean `{kind}`?"))
            .or_else(|| {
                nearest(kind, names).map(|name| format!("did you mean the argument `{name} = …`?"))
            }),
    )
}

/// Where a block of a template that stands in the wrong place belongs.
fn elsewhere(kind: &str, schema: &ContentSchema) -> Option<String> {
    let allowed = |kind: &str| schema.blocks.iter().any(|rule| rule.kind == kind);
    let text = match kind {
        "provisioner" | "error-cleanup-provisioner" | "post-processor" | "post-processors"
            if allowed("build") =>
        {
            format!("`{kind}` blocks stand in a `build` block")
        }
        "build" | "variable" | "variables" | "locals" | "local" | "data" | "packer"
            if !allowed("build") =>
        {
            format!("`{kind}` blocks stand by themselves, outside of other blocks")
        }
        "required_plugins" if allowed("build") => {
            "`required_plugins` stands in a `packer` block".to_owned()
        }
        "terraform" | "resource" | "provider" if allowed("build") => {
            format!("`{kind}` is a block of Terraform; templates for images have none")
        }
        _ => return None,
    };
    Some(text)
}

pub(super) fn unsupported_property(name: &str, schema: &ContentSchema) -> Diagnostic {
    let names = schema.attributes.iter().map(|rule| rule.name.as_str());
    let kinds = schema.blocks.iter().map(|rule| rule.kind.as_str());
    Diagnostic::error("Extraneous JSON object property")
        .detail(format!("No argument or block type is named \"{name}\"."))
        .hint(nearest(name, names.chain(kinds)).map(|name| format!("did you mean `{name}`?")))
}

pub(super) fn missing_label(rule: &BlockRule, present: usize) -> Diagnostic {
    let (kind, count) = (&rule.kind, rule.labels.len());
    let label = rule.labels.get(present).map_or("label", String::as_str);
    let noun = if count == 1 { "label" } else { "labels" };
    Diagnostic::error(format!("Missing {label} for {kind}"))
        .detail(format!(
            "All {kind} blocks must have {count} {noun} ({}).",
            rule.labels.join(", ")
        ))
        .hint(format!("write `{} {{ … }}`", example(rule)))
}

pub(super) fn extraneous_label(rule: &BlockRule) -> Diagnostic {
    let (kind, count) = (&rule.kind, rule.labels.len());
    let noun = if count == 1 { "label" } else { "labels" };
    let detail = if count == 0 {
        format!("No labels are expected for {kind} blocks.")
    } else {
        format!(
            "Only {count} {noun} ({}) are expected for {kind} blocks.",
            rule.labels.join(", ")
        )
    };
    Diagnostic::error(format!("Extraneous label for {kind}")).detail(detail)
}

/// How the header of a block reads: `source "type" "name"`.
fn example(rule: &BlockRule) -> String {
    rule.labels.iter().fold(rule.kind.clone(), |text, label| {
        format!("{text} \"{label}\"")
    })
}
