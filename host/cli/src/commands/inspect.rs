//! `kiln inspect`.

use host_diag::SourceMap;
use host_plugin_client::Prereleases;
use host_ui::Ui;
use tokio_util::sync::CancellationToken;

use crate::arguments::InspectArguments;
use crate::commands::build::{report_leftover, usage};
use crate::world::World;
use crate::{exit, needed, signals, template};

/// Prints what a template consists of.
pub async fn run(world: &World, ui: &Ui, arguments: InspectArguments) -> u8 {
    let options = match template::optional(world, &arguments.template) {
        Ok(options) => options,
        Err(message) => return usage(ui, &message, "inspect"),
    };
    let mut sources = SourceMap::default();
    let Some(mut template) = template::load(ui, &options, &mut sources) else {
        return exit::FAILED;
    };
    let found = needed::registry(world, &template, &options, Prereleases::Used).await;
    let registry = match found {
        Ok(registry) => registry,
        Err(problem) => {
            template::report(ui, &vec![*problem], &sources);
            return exit::FAILED;
        }
    };
    let cancel = CancellationToken::new();
    signals::watch(ui, &cancel);
    let initialize = template.initialize(&registry, true);
    let done = cancel.run_until_cancelled(initialize).await;
    if let Some(directory) = registry.made_run_directory() {
        for leftover in directory.finish(&registry).await {
            report_leftover(ui, &leftover);
        }
    }
    // Unset variables and the like are no reason not to show the rest.
    if done.is_none() {
        return exit::FAILED;
    }
    template::hide_secrets(ui, &template);
    let (text, lines) = template.inspect();
    for (kind, arguments) in &lines {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        ui.machine("", kind, &arguments);
    }
    ui.say(&text);
    exit::DONE
}
