//! `kiln plan`.

use host_diag::{Diagnostic, Diagnostics, SourceMap, render_json};
use host_plan::{BuildJson, BuildText, Form, Offered, Plan};
use host_plugin_client::Prereleases;
use host_template::LoadOptions;
use host_ui::Ui;
use tokio_util::sync::CancellationToken;

use crate::arguments::PlanArguments;
use crate::commands::build::usage;
use crate::world::World;
use crate::{exit, needed, signals, template};

/// Prints what a template would run. No plugin is started except for data sources, and these only
/// when asked to.
pub async fn run(world: &World, ui: &Ui, arguments: PlanArguments) -> u8 {
    let options = match template::options(world, &arguments.template, true) {
        Ok(options) => options,
        Err(message) => return usage(ui, &message, "plan"),
    };
    let mut sources = SourceMap::default();
    let usable = if arguments.json {
        let (plan, problems) =
            make::<BuildJson>(world, &options, &arguments, ui, &mut sources).await;
        ui.document(&plan.to_json(&render_json(&problems, &sources)));
        !problems.iter().any(Diagnostic::is_error)
    } else {
        let (plan, problems) =
            make::<BuildText>(world, &options, &arguments, ui, &mut sources).await;
        let usable = !problems.iter().any(Diagnostic::is_error);
        template::report(ui, &problems, &sources);
        if usable {
            ui.say(&plan.to_text());
        }
        usable
    };
    if usable { exit::DONE } else { exit::FAILED }
}

/// The plan, as far as the template allows, and everything wrong with it.
async fn make<B: Form>(
    world: &World,
    options: &LoadOptions,
    arguments: &PlanArguments,
    ui: &Ui,
    sources: &mut SourceMap,
) -> (Plan<B>, Diagnostics) {
    let mut plan = Plan {
        template: options.path.clone(),
        data_read: arguments.evaluate_datasources,
        data_sources: Vec::new(),
        builds: Vec::new(),
    };
    let (template, mut problems) = host_template::load(options, sources);
    let Some(mut template) = template else {
        return (plan, problems);
    };
    if problems.iter().any(Diagnostic::is_error) {
        return (plan, problems);
    }
    template::hide_secrets(ui, &template);
    let found = needed::registry(world, &template, options, Prereleases::Used).await;
    let registry = match found {
        Ok(registry) => registry,
        Err(problem) => {
            problems.push(*problem);
            return (plan, problems);
        }
    };
    let offered = Offered::new(&registry);
    let cancel = CancellationToken::new();
    signals::watch(ui, &cancel);
    let initialize = template.initialize(&offered, arguments.evaluate_datasources);
    if let Some(found) = cancel.run_until_cancelled(initialize).await {
        problems.extend(found);
        template::hide_secrets(ui, &template);
        plan.data_sources = template.data_sources();
        let (builds, found) = template.builds(&offered);
        problems.extend(found);
        let (builds, found) = host_plan::plan(&builds, &offered, sources);
        problems.extend(found);
        problems.extend(offered.warnings());
        plan.builds = builds;
    } else {
        let detail = "The data sources were not read to their end.".to_owned();
        problems.push(Diagnostic::error("Interrupted").detail(detail));
    }
    if let Some(directory) = registry.made_run_directory() {
        for leftover in directory.finish(&registry).await {
            crate::commands::build::report_leftover(ui, &leftover);
        }
    }
    (plan, problems)
}
