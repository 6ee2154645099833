//! The blocks that the sections of legacy templates stand for. They have the names of the sections
//! as their kinds, and the types of their components as labels.

use super::super::{Block, Body, Item, Label};
use super::native::component_item;
use super::{Entry, Node};

/// The items of a file.
pub(super) fn items(text: &str, root: &Node) -> Vec<Item> {
    let mut found = Vec::new();
    for entry in root.entries() {
        match (entry.key.as_str(), &entry.value) {
            ("builders" | "provisioners" | "post-processors", Some(Node::List { items, .. })) => {
                section(text, entry, items, &mut found);
            }
            ("error-cleanup-provisioner", Some(value @ Node::Map { .. })) => {
                found.push(component(text, entry, value));
            }
            ("variables", Some(value @ Node::Map { .. })) => {
                let items = value.entries().iter().map(Entry::item).collect();
                found.push(block(entry, value, items, Vec::new()));
            }
            _ => found.push(entry.item()),
        }
    }
    found
}

/// The entries of a section, and those of chains in it.
fn section(text: &str, entry: &Entry, items: &[Node], found: &mut Vec<Item>) {
    if items.is_empty() {
        found.push(entry.item());
    }
    for item in items {
        match item {
            Node::List { items, .. } => section(text, entry, items, found),
            Node::Map { .. } => found.push(component(text, entry, item)),
            // A key that has no colon yet.
            Node::Scalar { range } if entry.key != "post-processors" => {
                let key = Block {
                    kind: text[range.clone()].to_owned(),
                    kind_range: range.clone(),
                    range: range.clone(),
                    ..entry.bare()
                };
                found.push(block(entry, item, vec![Item::Block(key)], Vec::new()));
            }
            // The name of a post-processor alone.
            Node::Scalar { range } => {
                found.push(Item::Attribute(entry.attribute(range.clone())));
            }
            Node::Missing { at } => {
                let rest = &text[*at..];
                let end = at + rest.len() - rest.trim_start_matches([' ', '\t']).len();
                let here = Node::Scalar { range: *at..end };
                found.push(block(entry, &here, Vec::new(), Vec::new()));
            }
        }
    }
}

fn component(text: &str, entry: &Entry, value: &Node) -> Item {
    let mut items = Vec::new();
    for inner in value.entries() {
        match &inner.value {
            None => items.push(inner.item()),
            Some(value) => component_item(inner, value, true, &mut items),
        }
    }
    let kind = value.entries().iter().find(|inner| inner.key == "type");
    let label = kind.and_then(|kind| match &kind.value {
        Some(Node::Scalar { range }) => Some(Label {
            text: text[range.clone()].to_owned(),
            range: range.clone(),
        }),
        _ => None,
    });
    block(entry, value, items, label.into_iter().collect())
}

fn block(entry: &Entry, value: &Node, items: Vec<Item>, labels: Vec<Label>) -> Item {
    let range = value.range();
    let column = match value {
        Node::Map { column, .. } => *column,
        _ => 0,
    };
    Item::Block(Block {
        labels,
        body: Some(Body {
            items,
            range: range.clone(),
            column,
        }),
        range,
        ..entry.bare()
    })
}
