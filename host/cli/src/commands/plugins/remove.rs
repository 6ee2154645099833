//! `kiln plugins remove`.
//!
//! What is removed is told by its name: nothing is executed that somebody wants to be rid of, and
//! what is damaged can be removed, too.

use std::path::{Path, PathBuf};

use host_plugin_client::tree::{FileName, Platform, Seen, checksum_file, is_plugin_name, walk};
use host_template::{Constraints, SourceAddress};
use host_ui::Ui;

use super::tree;
use crate::arguments::RemoveArguments;
use crate::commands::build::usage;
use crate::exit;
use crate::world::World;

/// Removes every installed version that is meant, and prints their paths.
pub fn run(world: &World, ui: &Ui, arguments: &RemoveArguments) -> u8 {
    let wrong = |message: &str| usage(ui, message, "plugins remove");
    let (subject, constraint) = match arguments.words.as_slice() {
        [subject] => (subject, None),
        [subject, constraint] => (subject, Some(constraint)),
        words => {
            let count = words.len();
            return wrong(&format!(
                "Invalid arguments, expected either 1 or 2 positional arguments, got {count}"
            ));
        }
    };
    let tree = match tree(world, ui) {
        Ok(tree) => tree,
        Err(status) => return status,
    };
    if Path::new(subject).is_absolute() {
        return match constraint {
            Some(_) => wrong("A path is one version already; no constraint can stand behind it."),
            None => remove_all(ui, &tree, by_path(&tree, Path::new(subject))),
        };
    }
    let source = match SourceAddress::parse(subject) {
        Ok(source) => source,
        Err(error) => return wrong(&format!("Invalid plugin source: {error}.")),
    };
    let constraints = match constraint.map(|text| Constraints::parse(text)).transpose() {
        Ok(constraints) => constraints,
        Err(error) => return wrong(&format!("Invalid version constraint: {error}.")),
    };
    let found = by_source(&tree, &source, constraints.as_ref());
    let found = match found.is_empty() {
        false => Ok(found),
        true => {
            let words = arguments.words.join(" ");
            Err(format!(
                "No installed plugin found matching the plugin constraints {words}"
            ))
        }
    };
    remove_all(ui, &tree, found)
}

fn by_source(
    tree: &Path,
    source: &SourceAddress,
    constraints: Option<&Constraints>,
) -> Vec<PathBuf> {
    let mut trouble = Vec::new();
    let mut seen = walk(tree, source.as_str(), &Platform::current(), &mut trouble);
    for (path, error) in trouble {
        tracing::warn!(path = %path.display(), %error, "cannot look for plugins here");
    }
    let named = |seen: &Seen| -> Option<FileName> { seen.name.clone().ok() };
    seen.retain(|one| {
        one.source == source.as_str()
            && named(one).is_some_and(|name| {
                let allowed = |limits: &Constraints| limits.allow(&name.version.core());
                name.name == source.name() && constraints.is_none_or(allowed)
            })
    });
    seen.sort_by(|one, other| match (&one.name, &other.name) {
        (Ok(one), Ok(other)) => one.compare(other),
        _ => one.path.cmp(&other.path),
    });
    seen.into_iter().map(|one| one.path).collect()
}

/// The executable with this path, which has to be one of a plugin below `tree`.
fn by_path(tree: &Path, path: &Path) -> Result<Vec<PathBuf>, String> {
    let shown = path.display();
    let outside = path.components().any(|part| part.as_os_str() == "..");
    if outside || !path.starts_with(tree) {
        let tree = tree.display();
        return Err(format!(
            "Invalid plugin location: {shown} is not below the folder of plugins, {tree}"
        ));
    }
    let name = path.file_name().and_then(|name| name.to_str());
    if !name.is_some_and(is_plugin_name) {
        return Err(format!("Invalid plugin location: {shown} is not a plugin"));
    }
    match path.is_file() || checksum_file(path).is_file() {
        true => Ok(vec![path.to_path_buf()]),
        false => Err(format!("There is no plugin {shown}")),
    }
}

fn remove_all(ui: &Ui, tree: &Path, found: Result<Vec<PathBuf>, String>) -> u8 {
    let found = match found {
        Ok(found) => found,
        Err(message) => {
            ui.error(&message);
            return exit::FAILED;
        }
    };
    let mut status = exit::DONE;
    for path in found {
        match host_install::remove(&path, tree) {
            Ok(()) => ui.say(&path.display().to_string()),
            Err(error) => {
                ui.error(&error.report());
                status = exit::FAILED;
            }
        }
    }
    status
}
