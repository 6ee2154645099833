//! The blocks that the keys of `*.pkr.json` stand for.

use std::ops::Range;

use super::super::{Block, Body, Item, Label};
use super::{Entry, Node};

/// The items of a file.
pub(super) fn items(root: &Node) -> Vec<Item> {
    body(root.elements(), "")
}

/// The items of a file of values.
pub(super) fn values(root: &Node) -> Vec<Item> {
    root.entries().iter().map(Entry::item).collect()
}

/// How many labels a block of this kind has below one of kind `outer`; `None` for what is no block
/// of the language.
fn labels(kind: &str, outer: &str) -> Option<usize> {
    Some(match (kind, outer) {
        ("packer" | "build" | "variables" | "locals", "")
        | ("hcp_packer_registry", "" | "build")
        | ("required_plugins", "packer")
        | ("validation", "variable")
        | ("post-processors", "build")
        | ("content", "dynamic") => 0,
        ("variable" | "local" | "module" | "output", "") => 1,
        ("source" | "provisioner" | "post-processor" | "error-cleanup-provisioner", "build") => 1,
        ("post-processor", "post-processors") | ("dynamic", _) => 1,
        ("source" | "data", "") => 2,
        _ => return None,
    })
}

/// Whether an object is a value in blocks of this kind.
fn has_values_only(outer: &str) -> bool {
    matches!(
        outer,
        "" | "packer"
            | "build"
            | "variable"
            | "variables"
            | "local"
            | "locals"
            | "output"
            | "module"
            | "required_plugins"
            | "hcp_packer_registry"
            | "validation"
    )
}

fn body(maps: &[Node], outer: &str) -> Vec<Item> {
    let mut found = Vec::new();
    for entry in maps.iter().flat_map(Node::entries) {
        read(entry, outer, &mut found);
    }
    found
}

fn read(entry: &Entry, outer: &str, found: &mut Vec<Item>) {
    match (&entry.value, labels(&entry.key, outer)) {
        (None | Some(Node::Missing { .. } | Node::Scalar { .. }), _) => found.push(entry.item()),
        (Some(value), Some(count)) => blocks(entry, value, (count, &mut Vec::new()), found),
        (Some(value), None) => component_item(entry, value, !has_values_only(outer), found),
    }
}

/// An entry of a component: an object is a block of it, or an option; which, its schema says.
pub(super) fn component_item(entry: &Entry, value: &Node, may_nest: bool, found: &mut Vec<Item>) {
    let nests = may_nest && value.elements().first().is_some_and(Node::is_map);
    if nests {
        blocks(entry, value, (0, &mut Vec::new()), found);
    } else {
        found.push(entry.item());
    }
}

/// The blocks below a key: a level of objects for each label, lists of several in between.
fn blocks(
    entry: &Entry,
    value: &Node,
    (count, labels): (usize, &mut Vec<Label>),
    found: &mut Vec<Item>,
) {
    for element in value.elements() {
        let Node::Map {
            entries,
            range,
            column,
        } = element
        else {
            continue;
        };
        if count == 0 {
            let whole = labels
                .first()
                .map_or(range.start, |label| label.range.start);
            found.push(Item::Block(Block {
                labels: labels.clone(),
                body: Some(Body {
                    items: body(std::slice::from_ref(element), &entry.key),
                    range: range.clone(),
                    column: *column,
                }),
                range: whole..range.end,
                ..entry.bare()
            }));
            continue;
        }
        for inner in entries {
            labels.push(Label {
                text: inner.key.clone(),
                range: inner.key_range.clone(),
            });
            match &inner.value {
                Some(value @ (Node::Map { .. } | Node::List { .. })) => {
                    blocks(entry, value, (count - 1, labels), found);
                }
                _ => found.push(half(entry, labels, None)),
            }
            labels.pop();
        }
        found.push(half(entry, labels, Some(range.clone())));
    }
}

/// A block of which no more is there than these labels; the next can stand in `gap`.
fn half(entry: &Entry, labels: &[Label], gap: Option<Range<usize>>) -> Item {
    let first = labels
        .first()
        .map_or(&entry.key_range, |label| &label.range);
    let last = labels.last().map_or(&entry.key_range, |label| &label.range);
    Item::Block(Block {
        labels: labels.to_vec(),
        gap,
        range: first.start..last.end,
        ..entry.bare()
    })
}
