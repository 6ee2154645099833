//! The components a template names, before anything is evaluated.

use host_syntax::ast::{Body, Expr, ExprKind, Ident};
use host_syntax::{AttributeRule, BlockRule, ContentSchema};

use crate::hcl::template::HclTemplate;
use crate::model::ComponentKind;

/// Kind and type of every component that blocks of the template and its modules name. A type that
/// is only known by evaluating (in the `labels` of a dynamic block) is not among them.
pub(crate) fn used_components(template: &HclTemplate) -> Vec<(ComponentKind, String)> {
    let mut used = Vec::new();
    for block in &template.data {
        used.push((ComponentKind::DataSource, block.type_name.clone()));
    }
    for block in &template.pending {
        collect(&block.kind.name, &block.labels, &block.body.body, &mut used);
    }
    for module in &template.modules {
        used.extend(used_components(&module.template));
    }
    used.sort();
    used.dedup();
    used
}

fn collect(kind: &str, labels: &[Ident], body: &Body, used: &mut Vec<(ComponentKind, String)>) {
    let label = labels.first().map(|label| label.name.as_str());
    match (component_kind(kind), label) {
        (Some(component), Some(label)) => return used.push((component, label.to_owned())),
        (None, _) if matches!(kind, "build" | "post-processors" | "dynamic" | "content") => {}
        _ => return,
    }
    let (content, _) = body.partial_content(&inner());
    if let (Some(component), "dynamic") = (label.and_then(component_kind), kind) {
        let labels = content.attributes.iter();
        let mut labels = labels.filter(|attribute| attribute.name.name == "labels");
        let first = labels.next().and_then(|labels| first_text(&labels.expr));
        used.extend(first.map(|name| (component, name)));
    }
    for block in &content.blocks {
        collect(&block.kind.name, &block.labels, &block.body, used);
    }
}

fn component_kind(block: &str) -> Option<ComponentKind> {
    Some(match block {
        "source" => ComponentKind::Builder,
        "provisioner" | "error-cleanup-provisioner" => ComponentKind::Provisioner,
        "post-processor" => ComponentKind::PostProcessor,
        "data" => ComponentKind::DataSource,
        _ => return None,
    })
}

fn first_text(labels: &Expr) -> Option<String> {
    let ExprKind::Tuple(labels) = &labels.kind else {
        return None;
    };
    match &labels.first()?.kind {
        ExprKind::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// What can name components inside of blocks.
fn inner() -> ContentSchema {
    let rule = |kind: &str, labels: &[&str]| BlockRule {
        kind: kind.into(),
        labels: labels.iter().map(|&label| label.into()).collect(),
    };
    ContentSchema {
        attributes: vec![AttributeRule {
            name: "labels".into(),
            required: false,
        }],
        blocks: vec![
            rule("provisioner", &["type"]),
            rule("error-cleanup-provisioner", &["type"]),
            rule("post-processor", &["type"]),
            rule("post-processors", &[]),
            rule("dynamic", &["type"]),
            rule("content", &[]),
        ],
    }
}
