//! The `packer` block: which core and which plugins a template needs.

use std::collections::HashMap;

use host_diag::{Diagnostic, Diagnostics, Span};
use host_eval::{Value, evaluate};
use host_syntax::ast::{Attribute, Block};
use host_syntax::{AttributeRule, BlockRule, ContentSchema};

use crate::constraint::{Constraints, Version};
use crate::hcl::scope;
use crate::source_address::SourceAddress;

/// What it is called when a template is for another version.
pub(crate) const UNSUPPORTED_VERSION: &str = "Unsupported Packer Core version";

/// A plugin that a template asks for.
#[derive(Clone, Debug)]
pub struct RequiredPlugin {
    /// The name the template gives it.
    pub name: String,
    /// Where it comes from: `github.com/hashicorp/qemu`.
    pub source: String,
    /// The versions that will do.
    pub version: Constraints,
    /// Where it is asked for.
    pub span: Span,
}

/// Checks the `required_version`s of all blocks against the version of this program.
pub(crate) fn check_core_version(blocks: &[Block], core_version: &str) -> Diagnostics {
    let mut problems = Diagnostics::new();
    let Ok(running) = Version::parse(core_version) else {
        return problems;
    };
    let schema = ContentSchema {
        attributes: vec![AttributeRule {
            name: "required_version".into(),
            required: false,
        }],
        blocks: Vec::new(),
    };
    for block in blocks {
        let (content, _) = block.body.partial_content(&schema);
        for attribute in &content.attributes {
            match read_constraints(attribute) {
                Ok(constraints) if !constraints.allow(&running.core()) => problems.push(
                    Diagnostic::error(UNSUPPORTED_VERSION)
                        .detail(format!(
                            "This template asks for version `{constraints}`; this program speaks \
                             for version `{running}`."
                        ))
                        .at(attribute.expr.span)
                        .hint(
                            "Relax `required_version`, or use a program of a version that \
                               meets it."
                                .to_owned(),
                        ),
                ),
                Ok(_) => {}
                Err(problem) => problems.push(*problem),
            }
        }
    }
    problems
}

fn read_constraints(attribute: &Attribute) -> Result<Constraints, Box<Diagnostic>> {
    let invalid = |reason: String| {
        let problem = Diagnostic::error("Invalid version constraint");
        Box::new(problem.detail(reason).at(attribute.expr.span))
    };
    let (value, found) = evaluate(&attribute.expr, &scope::empty());
    let text = match value.as_str() {
        Some(text) if !found.iter().any(Diagnostic::is_error) => text,
        _ => {
            return Err(invalid(
                "A text such as `\">= 1.8.0\"` is needed here.".to_owned(),
            ));
        }
    };
    let constraints = Constraints::parse(text).map_err(|error| invalid(format!("{error}.")))?;
    if constraints.name_prerelease() {
        return Err(invalid(format!(
            "`{text}` names a prerelease; constraints are compared with releases only."
        )));
    }
    Ok(constraints)
}

/// Reads everything in the blocks but `required_version`, which is checked before.
pub(crate) fn required_plugins(blocks: &[Block]) -> (Vec<RequiredPlugin>, Diagnostics) {
    let schema = ContentSchema {
        attributes: vec![AttributeRule {
            name: "required_version".into(),
            required: false,
        }],
        blocks: vec![BlockRule {
            kind: "required_plugins".into(),
            labels: Vec::new(),
        }],
    };
    let (mut plugins, mut problems) = (Vec::new(), Diagnostics::new());
    let mut seen: HashMap<String, Span> = HashMap::new();
    for block in blocks {
        let (content, found) = block.body.content(&schema);
        problems.extend(found);
        for list in &content.blocks {
            let (attributes, found) = list.body.just_attributes();
            problems.extend(found);
            for attribute in attributes {
                let name = &attribute.name;
                if let Some(first) = seen.insert(name.name.clone(), name.span) {
                    let summary = format!("Duplicate required_plugin.\"{}\" block", name.name);
                    problems.push(
                        Diagnostic::error(summary)
                            .detail("A plugin can be required under one name only once.")
                            .at(name.span)
                            .related(first, "the first one is here"),
                    );
                    continue;
                }
                plugins.extend(required_plugin(&attribute, &mut problems));
            }
        }
    }
    (plugins, problems)
}

fn required_plugin(attribute: &Attribute, problems: &mut Diagnostics) -> Option<RequiredPlugin> {
    let (name, span) = (&attribute.name.name, attribute.expr.span);
    if !is_label(name) {
        problems.push(
            Diagnostic::error("Invalid plugin local name")
                .detail(format!(
                    "`{name}` has to consist of lower-case letters, digits and single dashes."
                ))
                .at(attribute.name.span),
        );
        return None;
    }
    let example = "{ source = \"github.com/hashicorp/qemu\", version = \">= 1.0.0\" }";
    let (value, found) = evaluate(&attribute.expr, &scope::empty());
    let failed = found.iter().any(Diagnostic::is_error);
    let Some(entries) = value.as_mapping().filter(|_| !failed) else {
        problems.push(
            Diagnostic::error("Invalid plugin requirement")
                .detail(format!(
                    "A plugin is required as an object such as `{example}`."
                ))
                .at(span),
        );
        return None;
    };
    let mut usable = true;
    for key in entries
        .keys()
        .filter(|key| !matches!(key.as_str(), "source" | "version"))
    {
        problems.push(
            Diagnostic::error("Invalid required_plugins object")
                .detail(format!(
                    "`{key}` is not known here; only `source` and `version` are."
                ))
                .at(span),
        );
        usable = false;
    }
    let version = required_text(
        entries.get("version"),
        "No version constraint was set",
        span,
        problems,
    );
    let source = required_text(entries.get("source"), "No source was set", span, problems);
    let version = version.and_then(|text| match Constraints::parse(&text) {
        Ok(constraints) if !constraints.name_prerelease() => Some(constraints),
        _ => {
            problems.push(
                Diagnostic::error("Invalid version constraint")
                    .detail(format!(
                        "`{text}` is not a list of conditions such as `>= 1.0.0`."
                    ))
                    .at(span),
            );
            None
        }
    });
    let source = source.filter(|source| match SourceAddress::parse(source) {
        Ok(_) => true,
        Err(error) => {
            let problem = Diagnostic::error("Invalid source");
            problems.push(problem.detail(format!("{error}.")).at(span));
            false
        }
    });
    let (source, version) = (source?, version?);
    usable.then(|| RequiredPlugin {
        name: name.clone(),
        source,
        version,
        span: attribute.name.span,
    })
}

fn required_text(
    value: Option<&Value>,
    summary: &str,
    span: Span,
    problems: &mut Diagnostics,
) -> Option<String> {
    let text = value
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty());
    if text.is_none() {
        problems.push(
            Diagnostic::error(summary)
                .detail("Both `source` and `version` have to be texts.")
                .at(span),
        );
    }
    text.map(str::to_owned)
}

/// Lower-case letters, digits and single dashes, none at the ends.
fn is_label(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
        && name
            .chars()
            .all(|c| c == '-' || c.is_ascii_digit() || (c.is_alphabetic() && !c.is_uppercase()))
}
