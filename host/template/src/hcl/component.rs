//! Components of HCL2 templates: from bodies to a configuration.

use std::sync::Arc;

use host_diag::{Diagnostics, Span};
use host_eval::Value;

use crate::assemble::{Assembly, Draft, DraftBlock, DraftOption};
use crate::fit::Typing;
use crate::hcl::bound::{BoundBody, DynamicBlocks};
use crate::hcl::provisioner::Overrides;
use crate::hcl::reader::Reader;
use crate::hcl::scope::in_block;
use crate::hcl::surroundings::Surroundings;
use crate::model::{Component, ComponentKind, Configured, Generated};
use crate::schema::Schema;

/// The configuration of a component, not yet evaluated.
#[derive(Debug)]
pub(crate) struct HclComponent {
    /// The bodies it is written in; what a build adds to a source comes second.
    pub(crate) bodies: Vec<ComponentBody>,
    /// Options that replace those of the bodies.
    pub(crate) overrides: Option<Overrides>,
    pub(crate) surroundings: Arc<Surroundings>,
}

/// A body, with the arguments in it that are not the component's.
#[derive(Debug)]
pub(crate) struct ComponentBody {
    pub(crate) body: Arc<BoundBody>,
    pub(crate) ignored: &'static [&'static str],
}

impl HclComponent {
    /// Evaluates the bodies and compares them with `schema`.
    pub(crate) fn configure(
        &self,
        component: &Component,
        schema: &Schema,
        generated: &Generated,
    ) -> (Configured, Diagnostics) {
        let view = self.surroundings.view(generated);
        let (base, scope) = (&self.surroundings.base, &view.scope);
        let dynamic = match component.kind {
            ComponentKind::DataSource => DynamicBlocks::Refused,
            _ => DynamicBlocks::Expanded,
        };
        let mut reader = Reader {
            base,
            scope,
            dynamic,
            unknowns: view.renderer.unknowns(),
            problems: Diagnostics::new(),
        };
        let mut draft = Draft::default();
        for body in &self.bodies {
            let more = reader.body(&body.body, schema, body.ignored);
            reader.merge(&mut draft, more);
        }
        draft.place = component.span.or(draft.place);
        if let Some(overrides) = &self.overrides {
            override_options(&mut draft, overrides, schema);
        }
        let mut problems = in_block(reader.problems, &component.header);
        let assembly = Assembly::new(&view.renderer, Typing::Strict, &component.header);
        let (configured, found) = assembly.configure(draft, schema, component.span);
        problems.extend(found);
        (configured, problems)
    }
}

/// Replaces options and blocks of `draft` by those of `overrides`.
fn override_options(draft: &mut Draft, overrides: &Overrides, schema: &Schema) {
    let more = draft_of(&overrides.value, overrides.span, schema);
    draft
        .options
        .retain(|known| !more.options.iter().any(|option| option.name == known.name));
    draft
        .blocks
        .retain(|known| !more.blocks.iter().any(|block| block.kind == known.kind));
    draft.options.extend(more.options);
    draft.blocks.extend(more.blocks);
}

/// An object as a body; which of its entries are blocks is up to the schema.
fn draft_of(value: &Value, span: Span, schema: &Schema) -> Draft {
    let mut draft = Draft {
        place: Some(span),
        ..Draft::default()
    };
    for (name, entry) in value.as_mapping().into_iter().flatten() {
        let entry = entry.clone().marked_like(value.sensitive);
        match schema.blocks.iter().find(|block| &block.name == name) {
            Some(block) => draft
                .blocks
                .extend(blocks_of(name, &entry, span, &block.schema)),
            None => draft.options.push(DraftOption {
                name: name.clone(),
                value: entry,
                name_span: Some(span),
                spans: vec![(Vec::new(), span)],
                waits_for: Vec::new(),
                written: None,
            }),
        }
    }
    draft
}

/// Blocks given as a value: an object is one, a list of objects several.
fn blocks_of(kind: &str, value: &Value, span: Span, schema: &Schema) -> Vec<DraftBlock> {
    match value.as_sequence() {
        Some(items) => items
            .iter()
            .flat_map(|item| blocks_of(kind, item, span, schema))
            .collect(),
        None if value.as_mapping().is_some() => {
            let draft = draft_of(value, span, schema);
            vec![DraftBlock {
                kind: kind.to_owned(),
                span: Some(span),
                draft,
            }]
        }
        None => Vec::new(),
    }
}
