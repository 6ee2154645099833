//! `kiln validate`.

use host_diag::SourceMap;
use host_engine::Options;
use host_plugin_client::Registry;
use host_ui::Ui;

use crate::arguments::ValidateArguments;
use crate::commands::build::{failed, report_leftover, usage};
use crate::world::World;
use crate::{exit, template, version};

/// Checks a template without running anything but its data sources, and these only when asked to.
pub async fn run(world: &World, ui: &Ui, arguments: ValidateArguments) -> u8 {
    let warn = !arguments.no_warn_undeclared_var;
    let options = match template::options(world, &arguments.template, warn) {
        Ok(options) => options,
        Err(message) => return usage(ui, &message, "validate"),
    };
    let mut sources = SourceMap::default();
    let Some(mut template) = template::load(ui, &options, &mut sources) else {
        return exit::FAILED;
    };
    if arguments.syntax_only {
        ui.say("Syntax-only check passed. Everything looks okay.");
        return exit::DONE;
    }
    let registry = Registry::scan(world.settings()).await;
    let problems = template
        .initialize(&registry, arguments.evaluate_datasources)
        .await;
    let secrets = template::hide_secrets(ui, &template);
    let mut usable = template::report(ui, &problems, &sources);
    let (builds, problems) = template.builds(&registry);
    usable &= template::report(ui, &problems, &sources);
    let directory = match registry.run_directory().await {
        Ok(directory) => directory,
        Err(error) => return failed(ui, &error),
    };
    let options = Options {
        core_version: version::PACKER.to_owned(),
        run_uuid: world.run_uuid.clone(),
        started_at_unix_nanos: world.started_at_unix_nanos,
        secrets,
        ..Options::default()
    };
    let (prepared, problems) = host_engine::prepare(builds, &registry, &directory, &options).await;
    drop(prepared);
    usable &= template::report(ui, &problems, &sources);
    for leftover in directory.finish(&registry).await {
        report_leftover(ui, &leftover);
    }
    if !usable {
        return exit::FAILED;
    }
    ui.say("The configuration is valid.");
    exit::DONE
}
