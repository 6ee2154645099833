//! `kiln plugins`: one module for each command below it.

mod docs;
mod doctor;
mod install;
mod installed;
mod new;
mod package;
mod remove;
mod required;

use std::path::PathBuf;

use host_ui::Ui;

use crate::arguments::{PluginsArguments, PluginsRequest};
use crate::exit;
use crate::world::World;

/// Does what stands behind `plugins`.
pub async fn run(world: &World, ui: &Ui, arguments: PluginsArguments) -> u8 {
    match arguments.command {
        PluginsRequest::Docs(arguments) => docs::run(world, ui, &arguments).await,
        PluginsRequest::Doctor(arguments) => doctor::run(world, ui, &arguments).await,
        PluginsRequest::Install(arguments) => install::run(world, ui, &arguments).await,
        PluginsRequest::Installed(arguments) => installed::run(world, ui, &arguments).await,
        PluginsRequest::New(arguments) => new::run(world, ui, &arguments),
        PluginsRequest::Package(arguments) => package::run(world, ui, &arguments).await,
        PluginsRequest::Remove(arguments) => remove::run(world, ui, &arguments),
        PluginsRequest::Required(arguments) => required::run(world, ui, &arguments).await,
    }
}

/// The folder that plugins are installed in; a failure has been told.
fn tree(world: &World, ui: &Ui) -> Result<PathBuf, u8> {
    world.plugin_tree().map_err(|error| {
        ui.error(&format!("{error}."));
        exit::FAILED
    })
}
