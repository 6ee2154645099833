//! `kiln inspect`.

use host_diag::SourceMap;
use host_plugin_client::Prereleases;
use host_ui::Ui;

use crate::arguments::InspectArguments;
use crate::commands::build::usage;
use crate::world::World;
use crate::{exit, needed, template};

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
    // Unset variables and the like are no reason not to show the rest.
    drop(template.initialize(&registry, true).await);
    template::hide_secrets(ui, &template);
    let (text, lines) = template.inspect();
    for (kind, arguments) in &lines {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        ui.machine("", kind, &arguments);
    }
    ui.say(&text);
    exit::DONE
}
