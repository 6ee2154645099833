//! Provisioner blocks and their meta-arguments.

use std::sync::Arc;
use std::time::Duration;

use host_diag::{Diagnostic, Diagnostics, Span};
use host_eval::{Scope, Type, Value, evaluate};
use host_syntax::ast::Attribute;
use host_syntax::{AttributeRule, ContentSchema};

use crate::hcl::bound::{BoundBlock, BoundBody, Contents};
use crate::hcl::literal;
use crate::hcl::members::Step;
use crate::hcl::scope::in_block;
use crate::model::ComponentKind;

/// The arguments that belong to the block, not to the component.
pub(crate) const META_ARGUMENTS: [&str; 8] = [
    "name",
    "only",
    "except",
    "override",
    "pause_before",
    "timeout",
    "max_retries",
    "continue_on_error",
];

/// What [`META_ARGUMENTS`] is for an instance of `for_each` or `count`.
const INSTANCE_ARGUMENTS: [&str; 10] = [
    "name",
    "only",
    "except",
    "override",
    "pause_before",
    "timeout",
    "max_retries",
    "continue_on_error",
    "for_each",
    "count",
];

/// Which builds a block is for.
#[derive(Clone, Debug, Default)]
pub(crate) struct OnlyExcept {
    only: Vec<String>,
    except: Vec<String>,
}

/// A provisioner block.
#[derive(Clone, Debug)]
pub(crate) struct ProvisionerBlock {
    pub(crate) type_name: String,
    pub(crate) name: String,
    pub(crate) body: Arc<BoundBody>,
    pub(crate) header: String,
    pub(crate) span: Span,
    /// Place of the type's label.
    pub(crate) type_span: Span,
    pub(crate) filter: OnlyExcept,
    pub(crate) overrides: Option<Overrides>,
    pub(crate) pause_before: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_retries: u32,
    pub(crate) continue_on_error: bool,
    /// Key of the instance.
    pub(crate) instance: Option<String>,
}

impl ProvisionerBlock {
    /// Arguments that are not the component's.
    pub(crate) fn ignored(&self) -> &'static [&'static str] {
        match self.instance {
            Some(_) => &INSTANCE_ARGUMENTS,
            None => &META_ARGUMENTS,
        }
    }
}

impl Step for ProvisionerBlock {
    const KIND: ComponentKind = ComponentKind::Provisioner;

    fn read(block: BoundBlock, scope: &Scope, problems: &mut Diagnostics) -> Self {
        read_provisioner(block, scope, problems)
    }

    fn label(&self) -> (&str, Span, &str) {
        (&self.type_name, self.type_span, &self.header)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Options by the local name of the source they are for.
#[derive(Clone, Debug)]
pub(crate) struct Overrides {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

impl OnlyExcept {
    /// Whether the block is not for the source with these names: its own (`type.name`) and, of an
    /// instance, that of its block.
    pub(crate) fn skips(&self, names: &[String]) -> bool {
        if self.only.is_empty() {
            return self.except.iter().any(|except| names.contains(except));
        }
        !self.only.iter().any(|only| names.contains(only))
    }

    /// Reads `only` and `except`, of which one at most may be set.
    pub(crate) fn read(content: &Contents, scope: &Scope, problems: &mut Diagnostics) -> Self {
        let mut list = |name: &str| {
            let attribute = content.attribute(name);
            attribute
                .map(|a| literal::text_list(a, scope, problems))
                .unwrap_or_default()
        };
        let read = Self {
            only: list("only"),
            except: list("except"),
        };
        if !read.only.is_empty() && !read.except.is_empty() {
            let place = content.attribute("except").map(|attribute| attribute.span);
            let problem = Diagnostic::error("only one of 'only' or 'except' may be specified");
            problems.push(match place {
                Some(span) => problem.at(span),
                None => problem,
            });
        }
        read
    }
}

/// The schema under which a block's own arguments are read.
pub(crate) fn meta_schema(names: &[&str]) -> ContentSchema {
    let rule = |name: &&str| AttributeRule {
        name: (*name).into(),
        required: false,
    };
    ContentSchema {
        attributes: names.iter().map(rule).collect(),
        blocks: Vec::new(),
    }
}

/// Reads a `provisioner` or `error-cleanup-provisioner` block.
fn read_provisioner(
    block: BoundBlock,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> ProvisionerBlock {
    let header = block.header_text();
    let scope = block.body.scope(scope);
    let mut found = Diagnostics::new();
    let content = block
        .body
        .partial_content(&meta_schema(&META_ARGUMENTS), &mut found);
    let text = |name: &str, found: &mut Diagnostics| {
        content
            .attribute(name)
            .and_then(|attribute| literal::text(attribute, &scope, found))
    };
    let name = text("name", &mut found).unwrap_or_default();
    let filter = OnlyExcept::read(&content, &scope, &mut found);
    let duration = |name: &str, found: &mut Diagnostics| {
        content
            .attribute(name)
            .and_then(|attribute| read_duration(attribute, &scope, found))
    };
    let pause_before = duration("pause_before", &mut found);
    let timeout = duration("timeout", &mut found);
    let max_retries = content
        .attribute("max_retries")
        .and_then(|attribute| read_count(attribute, &scope, &mut found))
        .unwrap_or(0);
    let continue_on_error = content
        .attribute("continue_on_error")
        .and_then(|attribute| literal::boolean(attribute, &scope, &mut found))
        .unwrap_or(false);
    let overrides = content
        .attribute("override")
        .and_then(|attribute| read_overrides(attribute, &scope, &mut found));
    problems.extend(in_block(found, &header));
    ProvisionerBlock {
        type_name: block.label(0).to_owned(),
        name,
        type_span: block
            .labels
            .first()
            .map_or(block.header, |label| label.span),
        body: Arc::new(block.body),
        header,
        span: block.header,
        filter,
        overrides,
        pause_before,
        timeout,
        max_retries,
        continue_on_error,
        instance: block.instance,
    }
}

fn read_duration(
    attribute: &Attribute,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> Option<Duration> {
    let value = literal::converted(attribute, &Type::String, scope, problems)?;
    let text = value.as_str()?;
    let duration = crate::duration::parse(text);
    if duration.is_none() {
        problems.push(
            Diagnostic::error(format!("Failed to parse {} duration", attribute.name.name))
                .detail(match value.sensitive {
                    true => "The sensitive value is not a duration.".to_owned(),
                    false => format!("`{text}` is not a duration."),
                })
                .at(attribute.expr.span)
                .values(&host_eval::values_in(&attribute.expr, scope))
                .hint("Write numbers with units, such as `10s`, `5m` or `1h30m`.".to_owned()),
        );
    }
    duration
}

fn read_count(attribute: &Attribute, scope: &Scope, problems: &mut Diagnostics) -> Option<u32> {
    let value = literal::converted(attribute, &Type::Number, scope, problems)?;
    if value.is_null() || value.is_unknown() {
        return None;
    }
    let count = value.as_i64().and_then(|count| u32::try_from(count).ok());
    if count.is_none() {
        problems.push(literal::unsuitable(
            &attribute.name.name,
            "a whole number that is not negative is required",
            attribute.expr.span,
        ));
    }
    count
}

fn read_overrides(
    attribute: &Attribute,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> Option<Overrides> {
    let (value, found) = evaluate(&attribute.expr, scope);
    let failed = found.iter().any(Diagnostic::is_error);
    problems.extend(found);
    if failed || value.is_null() || value.is_unknown() {
        return None;
    }
    let entries = value.as_mapping();
    let fits = entries.is_some_and(|entries| {
        entries
            .values()
            .all(|entry| entry.as_mapping().is_some() || entry.is_null())
    });
    if !fits {
        problems.push(
            Diagnostic::error("provisioner's override block must be an HCL object")
                .detail("Its keys are names of sources, and each value is an object of options.")
                .at(attribute.expr.span),
        );
        return None;
    }
    Some(Overrides {
        value,
        span: attribute.expr.span,
    })
}
