//! `kiln gc`.

use host_plugin_client::{Registry, reclaim_leftovers};
use host_ui::Ui;

use crate::commands::build::{failed, report_leftover};
use crate::exit;
use crate::world::World;

/// Removes what crashed runs left behind, and tells what it was.
pub async fn run(world: &World, ui: &Ui) -> u8 {
    let registry = Registry::scan(world.settings()).await;
    let directory = match registry.run_directory().await {
        Ok(directory) => directory,
        Err(error) => return failed(ui, &error),
    };
    let mut leftovers = reclaim_leftovers(&registry, &directory).await;
    leftovers.extend(directory.finish(&registry).await);
    for leftover in &leftovers {
        report_leftover(ui, leftover);
    }
    if leftovers.is_empty() {
        ui.say("Nothing was left behind.");
    }
    let all_gone = leftovers.iter().all(|leftover| leftover.error.is_none());
    if all_gone { exit::DONE } else { exit::FAILED }
}
