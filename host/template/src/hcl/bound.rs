//! Bodies and blocks with the names that `dynamic` blocks bound around them.

use std::collections::BTreeMap;
use std::sync::Arc;

use host_diag::{Diagnostics, Span};
use host_eval::{Scope, Value};
use host_syntax::ast::{Attribute, Block, Body, Ident};
use host_syntax::{Content, ContentSchema};

use crate::hcl::dynamic::{dynamic_rule, expand};
use crate::hcl::scope::extended;

/// Names bound around a body by `dynamic` blocks and instances, with their values.
#[derive(Clone, Debug)]
pub(crate) struct Bindings {
    pub(crate) names: BTreeMap<String, Value>,
    /// Bodies that the `dynamic` blocks around it make of it.
    pub(crate) copies: usize,
}

impl Default for Bindings {
    fn default() -> Self {
        Self {
            names: BTreeMap::new(),
            copies: 1,
        }
    }
}

/// Whether dynamic blocks work in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DynamicBlocks {
    /// They stand for other blocks.
    Expanded,
    /// They are not known there, as in data sources.
    Refused,
}

/// A body with the names bound around it.
#[derive(Clone, Debug)]
pub(crate) struct BoundBody {
    pub(crate) body: Arc<Body>,
    pub(crate) bindings: Option<Arc<Bindings>>,
}

/// A block with the names bound around it.
#[derive(Clone, Debug)]
pub(crate) struct BoundBlock {
    pub(crate) kind: Ident,
    pub(crate) labels: Vec<Ident>,
    pub(crate) body: BoundBody,
    pub(crate) header: Span,
    /// Which of several it is, when `for_each` or `count` made it.
    pub(crate) instance: Option<String>,
}

/// What a body holds, with dynamic blocks replaced.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) blocks: Vec<BoundBlock>,
    pub(crate) missing: Option<Span>,
}

impl Contents {
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name.name == name)
    }
}

impl BoundBlock {
    /// The header as it reads; an instance says which one it is: `source "null" "a" ["key"]`.
    pub(crate) fn header_text(&self) -> String {
        let labels: String = self
            .labels
            .iter()
            .map(|label| format!(" {:?}", label.name))
            .collect();
        let instance = self.instance.as_ref();
        let instance = instance.map(|key| format!(" [{key:?}]"));
        format!("{}{labels}{}", self.kind.name, instance.unwrap_or_default())
    }

    /// The n-th label, empty when there is none.
    pub(crate) fn label(&self, index: usize) -> &str {
        self.labels.get(index).map_or("", |label| &label.name)
    }

    pub(crate) fn plain(block: Block, bindings: Option<&Arc<Bindings>>) -> Self {
        Self {
            kind: block.kind,
            labels: block.labels,
            body: BoundBody {
                body: Arc::new(block.body),
                bindings: bindings.cloned(),
            },
            header: block.header,
            instance: None,
        }
    }

    /// The same block with other names bound around it.
    pub(crate) fn rebound(mut self, bindings: Option<&Arc<Bindings>>) -> Self {
        self.body.bindings = bindings.cloned();
        self
    }
}

impl BoundBody {
    /// `scope` with the bound names.
    pub(crate) fn scope(&self, scope: &Scope) -> Scope {
        match &self.bindings {
            None => scope.clone(),
            Some(bindings) => extended(
                scope,
                bindings
                    .names
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.clone())),
            ),
        }
    }

    /// What the body holds, as [`Body::content`]; `scope` is what `for_each` can see.
    pub(crate) fn content(
        &self,
        schema: &ContentSchema,
        scope: &Scope,
        problems: &mut Diagnostics,
    ) -> Contents {
        let content = self.collapsed_content(schema, problems);
        let bindings = self.bindings.as_ref();
        Contents {
            blocks: expand(content.blocks, bindings, schema, scope, problems),
            ..content
        }
    }

    /// What the body holds, with dynamic blocks as they are; [`expand`] replaces them.
    pub(crate) fn collapsed_content(
        &self,
        schema: &ContentSchema,
        problems: &mut Diagnostics,
    ) -> Contents {
        let mut with_dynamic = schema.clone();
        if !schema.blocks.is_empty() {
            with_dynamic.blocks.push(dynamic_rule());
        }
        self.plain_content(&with_dynamic, problems)
    }

    /// What the body holds where dynamic blocks are not known.
    pub(crate) fn plain_content(
        &self,
        schema: &ContentSchema,
        problems: &mut Diagnostics,
    ) -> Contents {
        let (content, found) = self.body.content(schema);
        problems.extend(found);
        self.unexpanded(content)
    }

    /// What the schema names; the rest is left alone, dynamic blocks too.
    pub(crate) fn partial_content(
        &self,
        schema: &ContentSchema,
        problems: &mut Diagnostics,
    ) -> Contents {
        let (content, found) = self.body.partial_content(schema);
        problems.extend(found);
        self.unexpanded(content)
    }

    fn unexpanded(&self, content: Content) -> Contents {
        let blocks = content.blocks.into_iter();
        Contents {
            attributes: content.attributes,
            blocks: blocks
                .map(|block| BoundBlock::plain(block, self.bindings.as_ref()))
                .collect(),
            missing: content.missing,
        }
    }
}
