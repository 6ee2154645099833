//! Post-processor blocks and their meta-arguments.

use std::sync::Arc;

use host_diag::{Diagnostics, Span};
use host_eval::Scope;
use host_syntax::{BlockRule, ContentSchema};

use crate::hcl::bound::{BoundBlock, BoundBody};
use crate::hcl::build::made;
use crate::hcl::literal;
use crate::hcl::provisioner::{OnlyExcept, meta_schema};
use crate::hcl::scope::in_block;
use crate::model::Components;

/// The arguments that belong to the block, not to the component.
pub(crate) const META_ARGUMENTS: [&str; 4] = ["name", "only", "except", "keep_input_artifact"];

/// A post-processor block.
#[derive(Debug)]
pub(crate) struct PostProcessorBlock {
    pub(crate) type_name: String,
    pub(crate) name: String,
    pub(crate) body: Arc<BoundBody>,
    pub(crate) header: String,
    pub(crate) span: Span,
    /// Place of the type's label.
    pub(crate) type_span: Span,
    pub(crate) filter: OnlyExcept,
    pub(crate) keep_input_artifact: Option<bool>,
    /// Arguments that are not the component's.
    pub(crate) ignored: &'static [&'static str],
}

/// What [`META_ARGUMENTS`] is for an instance of `for_each` or `count`.
const INSTANCE_ARGUMENTS: [&str; 6] = [
    "name",
    "only",
    "except",
    "keep_input_artifact",
    "for_each",
    "count",
];

/// Reads a `post-processor` block.
pub(crate) fn read_post_processor(
    block: BoundBlock,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> PostProcessorBlock {
    let header = block.header_text();
    let instance = block.instance.is_some();
    let scope = block.body.scope(scope);
    let mut found = Diagnostics::new();
    let content = block
        .body
        .partial_content(&meta_schema(&META_ARGUMENTS), &mut found);
    let name = content
        .attribute("name")
        .and_then(|attribute| literal::text(attribute, &scope, &mut found))
        .unwrap_or_default();
    let filter = OnlyExcept::read(&content, &scope, &mut found);
    let keep_input_artifact = content
        .attribute("keep_input_artifact")
        .and_then(|attribute| literal::boolean(attribute, &scope, &mut found));
    problems.extend(in_block(found, &header));
    PostProcessorBlock {
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
        keep_input_artifact,
        ignored: match instance {
            true => &INSTANCE_ARGUMENTS,
            false => &META_ARGUMENTS,
        },
    }
}

/// Reads a `post-processors` block: one chain.
pub(crate) fn read_chain(
    block: &BoundBlock,
    base: &Scope,
    scope: &Scope,
    components: Option<&dyn Components>,
    problems: &mut Diagnostics,
) -> Vec<PostProcessorBlock> {
    let schema = ContentSchema {
        attributes: Vec::new(),
        blocks: vec![BlockRule {
            kind: "post-processor".into(),
            labels: vec!["type".into()],
        }],
    };
    let content = block.body.content(&schema, base, problems);
    let mut chain = Vec::new();
    for block in content.blocks {
        for block in made(block, scope, components, problems) {
            chain.push(read_post_processor(block, scope, problems));
        }
    }
    chain
}
