//! `kiln plugins installed`.

use host_plugin_client::Shelf;
use host_ui::Ui;

use super::tree;
use crate::arguments::InstalledArguments;
use crate::commands::build::usage;
use crate::exit;
use crate::world::World;

/// Prints the path of every installed plugin that is sound, in the order in which they are
/// preferred.
pub async fn run(world: &World, ui: &Ui, arguments: &InstalledArguments) -> u8 {
    if let Some(word) = arguments.words.first() {
        let message = format!("Nothing is expected behind it, and there is `{word}`.");
        return usage(ui, &message, "plugins installed");
    }
    let tree = match tree(world, ui) {
        Ok(tree) => tree,
        Err(status) => return status,
    };
    let shelf = Shelf::read(&world.settings(), &tree, "").await;
    for rejected in &shelf.rejected {
        let (path, reason) = (rejected.path.display(), rejected.report());
        tracing::warn!(%path, reason, "not a plugin that can be used");
    }
    for plugin in &shelf.sound {
        ui.say(&plugin.path.display().to_string());
    }
    exit::DONE
}
