//! Post-processor blocks and their meta-arguments.

use std::sync::Arc;

use host_diag::{Diagnostics, Span};
use host_eval::Scope;
use host_syntax::{BlockRule, ContentSchema};

use crate::hcl::bound::{BoundBlock, BoundBody};
use crate::hcl::instances::Reading;
use crate::hcl::literal;
use crate::hcl::members::{Member, Step, members};
use crate::hcl::provisioner::{OnlyExcept, meta_schema};
use crate::hcl::scope::in_block;
use crate::model::ComponentKind;

/// The arguments that belong to the block, not to the component.
pub(crate) const META_ARGUMENTS: [&str; 4] = ["name", "only", "except", "keep_input_artifact"];

/// A post-processor block.
#[derive(Clone, Debug)]
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
    /// Key of the instance.
    pub(crate) instance: Option<String>,
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

impl PostProcessorBlock {
    /// Arguments that are not the component's.
    pub(crate) fn ignored(&self) -> &'static [&'static str] {
        match self.instance {
            Some(_) => &INSTANCE_ARGUMENTS,
            None => &META_ARGUMENTS,
        }
    }
}

impl Step for PostProcessorBlock {
    const KIND: ComponentKind = ComponentKind::PostProcessor;

    fn read(block: BoundBlock, scope: &Scope, problems: &mut Diagnostics) -> Self {
        read_post_processor(block, scope, problems)
    }

    fn label(&self) -> (&str, Span, &str) {
        (&self.type_name, self.type_span, &self.header)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// Reads a `post-processor` block.
fn read_post_processor(
    block: BoundBlock,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> PostProcessorBlock {
    let header = block.header_text();
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
        instance: block.instance,
    }
}

/// Reads a `post-processors` block: one chain. `base` is what dynamic blocks can see, `scope` what
/// the others can.
pub(crate) fn read_chain(
    block: &BoundBlock,
    (base, scope): (&Scope, &Scope),
    reading: &mut Reading<'_>,
    problems: &mut Diagnostics,
) -> Vec<Member<PostProcessorBlock>> {
    let schema = ContentSchema {
        attributes: Vec::new(),
        blocks: vec![BlockRule {
            kind: "post-processor".into(),
            labels: vec!["type".into()],
        }],
    };
    let content = block.body.content(&schema, base, problems);
    let blocks = content.blocks.into_iter();
    blocks
        .flat_map(|block| members(block, scope, reading, problems))
        .collect()
}
