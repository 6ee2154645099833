//! `kiln plugins required`.

use host_diag::SourceMap;
use host_plugin_client::Shelf;
use host_template::RequiredPlugin;
use host_ui::Ui;

use super::tree;
use crate::arguments::RequiredArguments;
use crate::commands::build::usage;
use crate::commands::fix::is_json;
use crate::commands::init::NOTHING_REQUIRED;
use crate::needed::{VENDORED, template_folder};
use crate::world::World;
use crate::{exit, template};

/// Prints a line for each plugin that a template asks for, with the installed versions that will
/// do; the last one is used.
pub async fn run(world: &World, ui: &Ui, arguments: &RequiredArguments) -> u8 {
    let mut options = match template::options(world, &arguments.template, false) {
        Ok(options) => options,
        Err(message) => return usage(ui, &message, "plugins required"),
    };
    if is_json(&options) {
        ui.error("Templates in JSON cannot say which plugins they need; this is for HCL2.");
        return exit::FAILED;
    }
    options.unset_variables_allowed = true;
    let mut sources = SourceMap::default();
    let Some(template) = template::load(ui, &options, &mut sources) else {
        return exit::FAILED;
    };
    if template.required_plugins().is_empty() {
        ui.say(NOTHING_REQUIRED);
        return exit::DONE;
    }
    let tree = match tree(world, ui) {
        Ok(tree) => tree,
        Err(status) => return status,
    };
    let own = template_folder(&options).join(VENDORED);
    for required in template.required_plugins() {
        let mut line = format!(
            "{} {} {:?}",
            required.name,
            required.source,
            required.version.to_string()
        );
        // What is used first comes last.
        for place in [&tree, &own] {
            for path in installed(world, place, required).await {
                line.push_str(&format!(" {path}"));
            }
        }
        ui.say(&line);
    }
    exit::DONE
}

async fn installed(
    world: &World,
    place: &std::path::Path,
    required: &RequiredPlugin,
) -> Vec<String> {
    let limits = Some(&required.version);
    let shelf = Shelf::of_source(&world.settings(), place, &required.source, limits).await;
    let usable = shelf
        .sound
        .iter()
        .filter(|one| one.name.check_api().is_ok());
    usable.map(|one| one.path.display().to_string()).collect()
}
