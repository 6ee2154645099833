//! Legacy JSON templates as HCL2.
//!
//! [`actions`] takes template text apart, [`calls`] says what its calls are in HCL2, [`write`] puts
//! values into blocks; [`variables`], [`data_sources`], [`sources`] and [`build`] write the blocks
//! of a template, whose order is set here. What cannot be translated stays as it was, below a
//! comment that says so.

mod actions;
mod build;
mod calls;
mod comments;
mod data_sources;
mod duration;
mod names;
mod plugins;
mod sources;
#[cfg(test)]
mod tests;
mod variables;
mod write;

use host_diag::SourceMap;
use serde_json::Value;

use crate::document::{Document, Object};
use crate::error::UpgradeError;
use calls::Calls;
use data_sources::DataSources;
use sources::Sources;
use variables::Variables;

/// Whether the sections of the result begin with an explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Annotations {
    /// They do.
    Written,
    /// They do not.
    LeftOut,
}

/// A template in HCL2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// Its text, in canonical layout.
    pub text: String,
    /// What was left out, or needs a look; one sentence each.
    pub notes: Vec<String>,
    /// The types of its builders that come from no plugin the text asks for, sorted.
    pub builder_types: Vec<String>,
}

/// Translates a template.
///
/// Differs: names in `only`, `except` and `override` are those of the new sources, and an
/// `override` stays; names that HCL2 does not accept are changed; calls are looked for text by
/// text, so that one mistake does not keep a whole block as it was.
///
/// # Errors
///
/// [`UpgradeError::Layout`] when the result is not HCL2, which is a bug.
pub fn upgrade(document: &Document, annotations: Annotations) -> Result<Upgraded, UpgradeError> {
    let root = &document.root;
    let mut variables = Variables::read(root);
    let mut data = DataSources::default();
    let mut calls = Calls::new(variables.names());
    let sources = Sources::read(root);
    let source_blocks = sources.blocks(&mut calls, &mut data);
    let build_block = build::block(root, &sources, &mut calls);
    let locals = variables.locals(&mut calls);
    variables.add_used(&calls.used);
    let variable_blocks = variables.blocks(&mut calls);
    let mut notes = sources.notes();
    notes.append(&mut calls.used.notes);
    data.add_secrets(std::mem::take(&mut calls.used.secrets));

    let mut text = String::new();
    let mut section = |comment: &str, body: String| {
        if body.is_empty() {
            return;
        }
        if annotations == Annotations::Written {
            text.push_str(comment);
        }
        text.push_str(&body);
        text.push('\n');
    };
    let plugins = plugins::needed(root, &data);
    section(comments::PACKER, plugins::block(root, &plugins));
    section(comments::VARIABLES, variable_blocks);
    section(comments::DATA, data.blocks());
    section(
        comments::LOCALS,
        variables.timestamp_helper(&calls.used) + &locals,
    );
    section(comments::SOURCES, source_blocks);
    section(comments::BUILD, build_block);
    if annotations == Annotations::Written {
        text.insert_str(0, comments::HEADER);
    }
    let unknown = sources
        .types()
        .filter(|kind| plugins::plugin_of(kind).is_none());
    let builder_types = unknown.map(str::to_owned).collect();
    Ok(Upgraded {
        text: in_layout(&text)?,
        notes,
        builder_types,
    })
}

fn in_layout(text: &str) -> Result<String, UpgradeError> {
    let mut map = SourceMap::default();
    let file = map.add("upgraded template", text);
    let trimmed = format!("{}\n", text.trim_end());
    host_format::format(file, &trimmed).map_err(|problems| UpgradeError::Layout { problems })
}

/// A section of the template; its key may be written in either case.
fn section<'a>(root: &'a Object, key: &str) -> Option<&'a Value> {
    root.iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(key))
        .map(|(_, value)| value)
}

/// The objects of a section that is a list.
fn components<'a>(root: &'a Object, key: &str) -> impl Iterator<Item = &'a Object> {
    let items = section(root, key).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_object)
}
