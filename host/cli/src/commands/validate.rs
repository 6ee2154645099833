//! `kiln validate`.

use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Severity, SourceMap, render_json};
use host_engine::Options;
use host_plugin_client::{Registry, RunDirectory};
use host_template::{Build, Components, Examined, LoadOptions, Template, without_consequences};
use host_ui::Ui;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

use crate::arguments::ValidateArguments;
use crate::commands::build::{failure_text, report_leftover, usage};
use crate::world::World;
use crate::{exit, needed, signals, template, version};

/// Grows with every incompatible change of what `-json` prints.
const FORMAT_VERSION: u32 = 1;

/// Checks a template without running anything but its data sources, and these only when asked to.
pub async fn run(world: &World, ui: &Ui, arguments: ValidateArguments) -> u8 {
    let mut report = Report {
        ui,
        json: arguments.json,
        sources: SourceMap::default(),
        problems: Diagnostics::new(),
    };
    let warn = !arguments.no_warn_undeclared_var;
    let cancel = CancellationToken::new();
    match template::options(world, &arguments.template, warn) {
        Ok(options) => {
            signals::watch(ui, &cancel);
            check(world, &options, &arguments, (&mut report, &cancel)).await;
        }
        Err(message) if arguments.json => {
            let problem = Diagnostic::error("Invalid command line").detail(message);
            let hint = "Run `kiln validate -help` for what it takes.".to_owned();
            report.problems.push(problem.hint(hint));
        }
        Err(message) => return usage(ui, &message, "validate"),
    }
    if cancel.is_cancelled() {
        exit::FAILED
    } else if arguments.json {
        report.document()
    } else {
        report.text(arguments.syntax_only)
    }
}

/// Finds everything wrong with a template, in one go: a part that is wrong stops nothing but what
/// needs it.
async fn check(
    world: &World,
    options: &LoadOptions,
    arguments: &ValidateArguments,
    (report, cancel): (&mut Report<'_>, &CancellationToken),
) {
    let ui = report.ui;
    let Examined {
        template,
        problems,
        incomplete,
    } = host_template::load_for_check(options, &mut report.sources);
    report.problems = problems;
    if let Some(template) = &template {
        template::hide_secrets(ui, template);
    }
    let Some(mut template) = template.filter(|_| !arguments.syntax_only) else {
        return;
    };
    let prereleases = needed::prereleases(arguments.ignore_prerelease_plugins);
    let registry = match needed::registry(world, &template, options, prereleases).await {
        Ok(registry) => registry,
        Err(problem) => return report.problems.push(*problem),
    };
    report
        .problems
        .extend(needed::refused(world, &template, &registry));
    let missing = template.missing_plugins(&registry);
    report.problems.extend(missing);
    let known = (&mut template, &registry);
    let work = examine(world, known, arguments.evaluate_datasources, report);
    let done = cancel.run_until_cancelled(work).await;
    if let Some(directory) = registry.made_run_directory() {
        end(&directory, &registry, report).await;
    }
    if done.is_some() {
        let found = std::mem::take(&mut report.problems);
        let known: (_, Option<&dyn Components>) = (Some(&template), Some(&registry));
        report.problems = without_consequences(found, incomplete, known, &report.sources);
    }
}

/// Evaluates a template and has its plugins check what is meant for them.
async fn examine(
    world: &World,
    (template, registry): (&mut Template, &Registry),
    evaluate_datasources: bool,
    report: &mut Report<'_>,
) {
    let execute = evaluate_datasources && report.usable();
    let problems = template.initialize(registry, execute).await;
    let secrets = template::hide_secrets(report.ui, template);
    report.problems.extend(problems);
    let (builds, problems) = template.builds(registry);
    report.problems.extend(problems);
    if !template.is_damaged() {
        let options = Options {
            core_version: version::PACKER.to_owned(),
            run_uuid: world.run_uuid.clone(),
            started_at_unix_nanos: world.started_at_unix_nanos,
            secrets,
            ..Options::default()
        };
        prepare(builds, registry, &options, report).await;
    }
}

/// Has the plugins check the configurations of their components.
async fn prepare(
    builds: Vec<Build>,
    registry: &Registry,
    options: &Options,
    report: &mut Report<'_>,
) {
    let directory = match registry.run_directory().await {
        Ok(directory) => directory,
        Err(error) => {
            let detail = failure_text(&error);
            let problem = Diagnostic::error("Cannot check the options of components");
            report.problems.push(problem.detail(detail));
            return;
        }
    };
    let (prepared, problems) = host_engine::prepare(builds, registry, &directory, options).await;
    drop(prepared);
    report.problems.extend(problems);
}

/// Removes the run's folder, and what a plugin left behind.
async fn end(directory: &Arc<RunDirectory>, registry: &Registry, report: &Report<'_>) {
    for leftover in directory.finish(registry).await {
        if report.json {
            tracing::warn!(
                kind = leftover.kind,
                id = leftover.id,
                "a plugin left this behind"
            );
        } else {
            report_leftover(report.ui, &leftover);
        }
    }
}

/// What was found.
struct Report<'a> {
    ui: &'a Ui,
    /// Whether nothing but the document is printed.
    json: bool,
    sources: SourceMap,
    problems: Diagnostics,
}

/// What `-json` prints; `validate.schema.json` beside this program's manifest describes it.
#[derive(Serialize)]
struct Document {
    format_version: u32,
    valid: bool,
    error_count: usize,
    warning_count: usize,
    diagnostics: Box<RawValue>,
}

impl Report<'_> {
    /// Whether nothing found so far is an error.
    fn usable(&self) -> bool {
        !self.problems.iter().any(Diagnostic::is_error)
    }

    fn status(&self) -> u8 {
        if self.usable() {
            exit::DONE
        } else {
            exit::FAILED
        }
    }

    /// Prints what was found for people.
    fn text(&self, syntax_only: bool) -> u8 {
        if template::report(self.ui, &self.problems, &self.sources) {
            self.ui.say(match syntax_only {
                true => "Syntax-only check passed. Everything looks okay.",
                false => "The configuration is valid.",
            });
        }
        self.status()
    }

    /// Prints what was found for programs.
    fn document(&self) -> u8 {
        let count = |severity: Severity| {
            let all = self.problems.iter();
            all.filter(|one| one.severity == severity).count()
        };
        let diagnostics = RawValue::from_string(render_json(&self.problems, &self.sources));
        let document = Document {
            format_version: FORMAT_VERSION,
            valid: self.usable(),
            error_count: count(Severity::Error),
            warning_count: count(Severity::Warning),
            diagnostics: diagnostics.expect("diagnostics are rendered as JSON"),
        };
        let text = serde_json::to_string_pretty(&document)
            .expect("text and numbers can always be written as JSON");
        self.ui.document(&text);
        self.status()
    }
}
