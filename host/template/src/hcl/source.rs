//! `source` blocks, and how builds refer to them.

use std::collections::HashMap;
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Span};

use crate::hcl::bound::{BoundBlock, BoundBody};
use crate::hcl::build::{SourceUse, UseInstance};

/// A source as the template's top level has it.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) body: Arc<BoundBody>,
    pub(crate) header: String,
    pub(crate) span: Span,
    /// Place of the type's label.
    pub(crate) type_span: Span,
    /// Its key, when `for_each` or `count` made it.
    pub(crate) instance: Option<String>,
}

/// Type and name of a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SourceKey {
    pub(crate) type_name: String,
    pub(crate) name: String,
}

impl std::fmt::Display for SourceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.type_name, self.name)
    }
}

impl SourceKey {
    /// Type and label of a block.
    fn of(block: &BoundBlock) -> Self {
        Self {
            type_name: block.label(0).to_owned(),
            name: block.label(1).to_owned(),
        }
    }
}

/// All sources. One with `for_each` or `count` stands here once for each instance, as `NAME.KEY`.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    by_key: HashMap<SourceKey, Source>,
    /// Type and label of blocks with `for_each` or `count`.
    groups: HashMap<SourceKey, Group>,
}

/// The instances of one block.
#[derive(Debug)]
struct Group {
    /// In order.
    keys: Vec<String>,
    /// Place of the block.
    span: Span,
}

/// A source that runs in a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) key: SourceKey,
    /// The name in the build.
    pub(crate) local_name: String,
    /// What it is called together with other instances, the fewest first.
    pub(crate) groups: Vec<String>,
}

impl Target {
    /// The same as one of several that a source block in a build stands for. All together have the
    /// name they would have without, or that of the source when each has a name of its own.
    fn repeated(mut self, instance: &UseInstance) -> Self {
        if instance.is_named {
            self.groups.push(self.key.name.clone());
            return self;
        }
        let name = format!("{}.{}", self.local_name, instance.key);
        let together = std::mem::replace(&mut self.local_name, name);
        self.groups.insert(0, together);
        self
    }
}

impl Sources {
    pub(crate) fn get(&self, key: &SourceKey) -> Option<&Source> {
        self.by_key.get(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &SourceKey> {
        self.by_key.keys()
    }

    /// Adds the instances of one block, which may be none. A second block of the name is an error.
    pub(crate) fn declare_instances(
        &mut self,
        block: &BoundBlock,
        instances: Vec<BoundBlock>,
        problems: &mut Diagnostics,
    ) {
        let key = SourceKey::of(block);
        if let Some(first) = self.place(&key) {
            problems.push(duplicate(block, first));
            return;
        }
        let group = Group {
            keys: Vec::new(),
            span: block.header,
        };
        self.groups.insert(key, group);
        for instance in instances {
            self.declare(instance, problems);
        }
    }

    /// Adds the source that `block` describes; a second one of its name is an error.
    pub(crate) fn declare(&mut self, block: BoundBlock, problems: &mut Diagnostics) {
        let header = block.header_text();
        let mut key = SourceKey::of(&block);
        if let Some(instance) = &block.instance {
            if let Some(group) = self.groups.get_mut(&key) {
                group.keys.push(instance.clone());
            }
            key.name = format!("{}.{instance}", key.name);
        }
        if let Some(first) = self.place(&key) {
            problems.push(duplicate(&block, first));
            return;
        }
        let type_label = block.labels.first();
        let source = Source {
            type_span: type_label.map_or(block.header, |label| label.span),
            body: Arc::new(block.body),
            header,
            span: block.header,
            instance: block.instance,
        };
        self.by_key.insert(key, source);
    }

    /// Where the block of this type and name is.
    fn place(&self, key: &SourceKey) -> Option<Span> {
        let group = self.groups.get(key).map(|group| group.span);
        group.or_else(|| self.by_key.get(key).map(|source| source.span))
    }

    /// What a build's reference stands for: one source, or every instance of one.
    pub(crate) fn targets(&self, used: &SourceUse) -> Vec<Target> {
        let targets = self.sources_of(used);
        match &used.instance {
            None => targets,
            Some(instance) => targets
                .into_iter()
                .map(|target| target.repeated(instance))
                .collect(),
        }
    }

    fn sources_of(&self, used: &SourceUse) -> Vec<Target> {
        let text = used.text.strip_prefix("source.").unwrap_or(&used.text);
        if let Some((group, instance)) = self.group(text) {
            let target = |key: &str| instance_target(&group, key, used, instance.is_some());
            return match instance {
                Some(key) => vec![target(key)],
                None => self.groups[&group]
                    .keys
                    .iter()
                    .map(|key| target(key))
                    .collect(),
            };
        }
        let key = used.key.clone();
        let local_name = used.name.clone().unwrap_or_else(|| key.name.clone());
        vec![Target {
            key,
            local_name,
            groups: Vec::new(),
        }]
    }

    /// The block with instances that `TYPE.NAME` or `TYPE.NAME.KEY` names, and the key.
    fn group<'t>(&self, text: &'t str) -> Option<(SourceKey, Option<&'t str>)> {
        let (type_name, rest) = text.split_once('.')?;
        // Names and keys may have dots in them, so that every one of them may be the border.
        let borders = rest.match_indices('.').map(|(border, _)| border);
        borders.chain([rest.len()]).find_map(|border| {
            let key = SourceKey {
                type_name: type_name.to_owned(),
                name: rest[..border].to_owned(),
            };
            let known = self.groups.contains_key(&key);
            known.then(|| (key, rest.get(border + 1..)))
        })
    }
}

fn instance_target(group: &SourceKey, key: &str, used: &SourceUse, one: bool) -> Target {
    let name = format!("{}.{key}", group.name);
    let local_name = match &used.name {
        Some(given) if one => given.clone(),
        Some(given) => format!("{given}.{key}"),
        None => name.clone(),
    };
    Target {
        key: SourceKey {
            type_name: group.type_name.clone(),
            name,
        },
        local_name,
        groups: vec![used.name.clone().unwrap_or_else(|| group.name.clone())],
    }
}

fn duplicate(block: &BoundBlock, first: Span) -> Diagnostic {
    Diagnostic::error("Duplicate source block")
        .detail(format!("There is already a {} block.", block.header_text()))
        .at(block.header)
        .related(first, "the first one is here")
}

/// Reads `source.TYPE.NAME` or `TYPE.NAME`.
pub(crate) fn read_reference(
    text: &str,
    span: Span,
    problems: &mut Diagnostics,
) -> Option<SourceKey> {
    let parts: Vec<&str> = text.split('.').collect();
    let key = match parts.as_slice() {
        [type_name, name] | [_, type_name, name, ..]
            if !type_name.is_empty() && !name.is_empty() =>
        {
            Some(SourceKey {
                type_name: (*type_name).to_owned(),
                name: (*name).to_owned(),
            })
        }
        _ => None,
    };
    if key.is_none() {
        problems.push(
            Diagnostic::error("Invalid source reference")
                .detail(format!("`{text}` names no source."))
                .at(span)
                .hint("Write type and name of a source: `source.null.example`.".to_owned()),
        );
    }
    key
}

/// Most names that a message lists.
const MOST_SHOWN: usize = 20;

/// A reference to a source that does not exist. `path` stands before the names of `sources` where
/// the reference is: `module.NAME.`, or nothing.
pub(crate) fn unknown_source(
    key: &SourceKey,
    used: &SourceUse,
    (sources, path): (&Sources, &str),
) -> Diagnostic {
    let mut known: Vec<String> = sources.keys().map(|key| format!("{path}{key}")).collect();
    known.sort();
    let wanted = format!("{path}{key}");
    let names = || known.iter().map(String::as_str);
    let near = host_diag::nearest(&wanted, names())
        .or_else(|| host_diag::nearest(used.text.trim_start_matches("source."), names()));
    let mut listed = known
        .iter()
        .take(MOST_SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if let Some(more @ 1..) = known.len().checked_sub(MOST_SHOWN) {
        listed = format!("{listed} and {more} more");
    }
    if known.is_empty() {
        listed = "none".to_owned();
    }
    Diagnostic::error(format!("Unknown source {wanted}"))
        .detail(format!("Known: {listed}"))
        .at(used.span)
        .hint(near.map(|near| format!("Did you mean `{near}`?")))
}
