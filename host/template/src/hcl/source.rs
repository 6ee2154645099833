//! `source` blocks, and how builds refer to them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Span};

use crate::hcl::bound::{BoundBlock, BoundBody};
use crate::hcl::build::SourceUse;

/// A source as the template's top level has it.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) body: Arc<BoundBody>,
    pub(crate) header: String,
    pub(crate) span: Span,
    /// Place of the type's label.
    pub(crate) type_span: Span,
    /// Whether `for_each` or `count` made it.
    pub(crate) instance: bool,
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

/// All sources. One with `for_each` or `count` stands here once for each instance, as `NAME.KEY`.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    by_key: HashMap<SourceKey, Source>,
    /// Type and label of blocks with `for_each` or `count`, with the keys of their instances.
    groups: BTreeMap<SourceKey, Vec<String>>,
}

/// A source that runs in a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) key: SourceKey,
    /// The name in the build.
    pub(crate) local_name: String,
    /// What all instances of the block are called together.
    pub(crate) group: Option<String>,
}

impl Sources {
    pub(crate) fn get(&self, key: &SourceKey) -> Option<&Source> {
        self.by_key.get(key)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &SourceKey> {
        self.by_key.keys()
    }

    /// The block of this type and name was seen, with `count` instances or more to come.
    pub(crate) fn declare_group(&mut self, key: SourceKey) {
        self.groups.entry(key).or_default();
    }

    /// What a build's reference stands for: one source, or every instance of one.
    pub(crate) fn targets(&self, used: &SourceUse) -> Vec<Target> {
        let text = used.text.strip_prefix("source.").unwrap_or(&used.text);
        for (group, keys) in &self.groups {
            let Some(rest) = text.strip_prefix(&group.to_string()) else {
                continue;
            };
            let asked = match rest.strip_prefix('.') {
                Some(key) => vec![key.to_owned()],
                None if rest.is_empty() => keys.clone(),
                None => continue,
            };
            let one = !rest.is_empty();
            return asked
                .into_iter()
                .map(|key| instance_target(group, &key, used, one))
                .collect();
        }
        let key = used.key.clone();
        let local_name = used.name.clone().unwrap_or_else(|| key.name.clone());
        vec![Target {
            key,
            local_name,
            group: None,
        }]
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
        group: Some(used.name.clone().unwrap_or_else(|| group.name.clone())),
    }
}

/// Adds the source that `block` describes; a second one of its name is an error.
pub(crate) fn declare(block: BoundBlock, sources: &mut Sources, problems: &mut Diagnostics) {
    let header = block.header_text();
    let mut key = SourceKey {
        type_name: block.label(0).to_owned(),
        name: block.label(1).to_owned(),
    };
    if let Some(instance) = &block.instance {
        let keys = sources.groups.entry(key.clone()).or_default();
        keys.push(instance.clone());
        key.name = format!("{}.{instance}", key.name);
    }
    if let Some(first) = sources.by_key.get(&key) {
        problems.push(
            Diagnostic::error("Duplicate source block")
                .detail(format!("There is already a {header} block."))
                .at(block.header)
                .related(first.span, "the first one is here"),
        );
        return;
    }
    let type_span = block
        .labels
        .first()
        .map_or(block.header, |label| label.span);
    let instance = block.instance.is_some();
    let (body, span) = (Arc::new(block.body), block.header);
    sources.by_key.insert(
        key,
        Source {
            body,
            header,
            span,
            type_span,
            instance,
        },
    );
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

/// A reference to a source that does not exist.
pub(crate) fn unknown_source(key: &SourceKey, span: Span, sources: &Sources) -> Diagnostic {
    let mut known: Vec<String> = sources.keys().map(SourceKey::to_string).collect();
    known.sort();
    let near = host_diag::nearest(&key.to_string(), known.iter().map(String::as_str));
    Diagnostic::error(format!("Unknown source {key}"))
        .detail(format!(
            "Known: {}",
            if known.is_empty() {
                "none".into()
            } else {
                known.join(", ")
            }
        ))
        .at(span)
        .hint(near.map(|near| format!("Did you mean `{near}`?")))
}
