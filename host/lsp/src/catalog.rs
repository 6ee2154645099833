//! What plugins offer.

use std::sync::Arc;

use async_trait::async_trait;
use host_diag::Diagnostics;
use host_eval::Value;
use host_plugin_client::{Registry, unknown_outputs};
use host_template::{ComponentKind, Components, Configured, RequiredPlugin, Schema};

use crate::language::Entry;
use crate::language::{self, legacy};
use crate::outline::Block;

/// The components of installed plugins, as their cached descriptions have them. Data sources are
/// never read: what they return is unknown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalog {
    registry: Arc<Registry>,
}

#[async_trait]
impl Components for Catalog {
    fn schema(&self, kind: ComponentKind, name: &str) -> Option<&Schema> {
        self.registry.schema(kind, name)
    }

    fn names(&self, kind: ComponentKind) -> Vec<String> {
        self.registry.names(kind)
    }

    fn missing_plugin(&self, required: &RequiredPlugin) -> Option<Vec<String>> {
        self.registry.missing_plugin(required)
    }

    async fn read_data(&self, name: &str, _: &Configured, _: bool) -> (Value, Diagnostics) {
        let schema = self.schema(ComponentKind::DataSource, name);
        let result = schema.map(|schema| unknown_outputs(&schema.outputs));
        (result.unwrap_or_else(Value::dynamic), Diagnostics::new())
    }
}

/// What can stand in a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contents<'a> {
    /// Arguments of the language.
    pub(crate) arguments: &'static [Entry],
    /// Arguments that repeat the block.
    pub(crate) instances: &'static [Entry],
    /// Blocks of the language.
    pub(crate) blocks: &'static [Entry],
    /// Options and blocks of the component.
    pub(crate) schema: Option<&'a Schema>,
}

impl Catalog {
    pub(crate) fn new(registry: Registry) -> Self {
        Self {
            registry: Arc::new(registry),
        }
    }

    /// What can stand at the top of a legacy template.
    pub(crate) fn legacy_root() -> Contents<'static> {
        Contents {
            arguments: legacy::ROOT,
            instances: &[],
            blocks: &[],
            schema: None,
        }
    }

    /// What can stand in the innermost block of `path`.
    pub(crate) fn contents<'a>(&'a self, path: &[&Block]) -> Option<Contents<'a>> {
        let Some((block, outer)) = path.split_last() else {
            return Some(Contents {
                arguments: &[],
                instances: &[],
                blocks: language::TOP_LEVEL,
                schema: None,
            });
        };
        if block.kind == "content" && outer.last().is_some_and(|block| block.kind == "dynamic") {
            return self.dynamic_contents(outer);
        }
        let outer_kind = outer.last().map_or("", |block| &block.kind);
        if outer_kind == "override" {
            let around = &outer[..outer.len() - 1];
            return Some(Contents {
                arguments: &[],
                instances: &[],
                blocks: &[],
                schema: self.contents(around)?.schema,
            });
        }
        let fixed = language::fixed(&block.kind, outer_kind);
        if let Some((arguments, blocks)) = fixed {
            let instances = match &*block.kind {
                "build" => language::INSTANCES,
                _ => &[],
            };
            return Some(Contents {
                arguments,
                instances,
                blocks,
                schema: None,
            });
        }
        self.component_contents(block, outer)
    }

    /// The blocks that a `dynamic` block makes.
    fn dynamic_contents<'a>(&'a self, outer: &[&Block]) -> Option<Contents<'a>> {
        let (dynamic, around) = outer.split_last()?;
        let kind = dynamic.label(0);
        if let Some((arguments, blocks)) =
            language::fixed(kind, around.last().map_or("", |b| &b.kind))
        {
            return Some(Contents {
                arguments,
                instances: &[],
                blocks,
                schema: None,
            });
        }
        if component_of(kind, around).is_some() {
            // Which component it is, an expression says.
            return None;
        }
        let schema = self.contents(around)?.schema?;
        let nested = schema.blocks.iter().find(|block| block.name == kind)?;
        Some(Contents {
            arguments: &[],
            instances: &[],
            blocks: &[],
            schema: Some(&nested.schema),
        })
    }

    fn component_contents<'a>(&'a self, block: &Block, outer: &[&Block]) -> Option<Contents<'a>> {
        let Some(kind) = component_of(&block.kind, outer) else {
            let schema = self.contents(outer)?.schema?;
            let nested = schema.blocks.iter().find(|one| one.name == block.kind)?;
            return Some(Contents {
                arguments: &[],
                instances: &[],
                blocks: &[],
                schema: Some(&nested.schema),
            });
        };
        let in_build = kind == ComponentKind::Builder && !outer.is_empty();
        let name = match in_build {
            true => {
                let label = block.label(0);
                let bare = label.strip_prefix("source.").unwrap_or(label);
                bare.split('.').next().unwrap_or_default()
            }
            false => block.label(0),
        };
        let (arguments, instances): (&'static [Entry], &'static [Entry]) = match kind {
            _ if legacy::of_section(&block.kind).is_some() => (legacy::arguments(kind), &[]),
            ComponentKind::Builder if in_build => (SOURCE_IN_BUILD, &[]),
            ComponentKind::Builder => (&[], language::INSTANCES),
            ComponentKind::Provisioner => (language::PROVISIONER, language::INSTANCES),
            ComponentKind::PostProcessor => (language::POST_PROCESSOR, language::INSTANCES),
            ComponentKind::DataSource => (&[], &[]),
        };
        Some(Contents {
            arguments,
            instances,
            blocks: &[],
            schema: self.schema(kind, name),
        })
    }
}

const SOURCE_IN_BUILD: &[Entry] = &[Entry {
    name: "name",
    form: "string",
    doc: "The source's name in this build.",
}];

/// The kind of component that a block describes; `outer` are the blocks around it.
pub(crate) fn component_of(kind: &str, outer: &[&Block]) -> Option<ComponentKind> {
    let around = outer.last().map_or("", |block| &block.kind);
    if let Some(section) = legacy::of_section(kind).filter(|_| outer.is_empty()) {
        return Some(section);
    }
    Some(match (kind, around) {
        ("source", "" | "build") => ComponentKind::Builder,
        ("data", "") => ComponentKind::DataSource,
        ("provisioner" | "error-cleanup-provisioner", "build") => ComponentKind::Provisioner,
        ("post-processor", "build" | "post-processors") => ComponentKind::PostProcessor,
        _ => return None,
    })
}
