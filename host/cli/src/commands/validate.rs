//! `kiln validate`.

use host_diag::{Diagnostic, Diagnostics, Severity, SourceMap, render_json};
use host_engine::Options;
use host_plugin_client::Registry;
use host_template::LoadOptions;
use host_ui::Ui;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::arguments::ValidateArguments;
use crate::commands::build::{failed, report_leftover, usage};
use crate::world::World;
use crate::{exit, template, version};

/// Grows with every incompatible change of what `-json` prints.
const FORMAT_VERSION: u32 = 1;

/// Checks a template without running anything but its data sources, and these only when asked to.
pub async fn run(world: &World, ui: &Ui, arguments: ValidateArguments) -> u8 {
    let warn = !arguments.no_warn_undeclared_var;
    let options = match template::options(world, &arguments.template, warn) {
        Ok(options) => options,
        Err(message) => return usage(ui, &message, "validate"),
    };
    let mut report = Report {
        ui,
        json: arguments.json,
        sources: SourceMap::default(),
        all: Diagnostics::new(),
    };
    if check(world, &options, &arguments, &mut report)
        .await
        .is_none()
    {
        return exit::FAILED;
    }
    report.end(arguments.syntax_only)
}

/// Finds everything wrong with a template; `None` (reported) when that cannot be done.
async fn check(
    world: &World,
    options: &LoadOptions,
    arguments: &ValidateArguments,
    report: &mut Report<'_>,
) -> Option<()> {
    let ui = report.ui;
    let (template, problems) = host_template::load(options, &mut report.sources);
    if let Some(template) = &template {
        template::hide_secrets(ui, template);
    }
    report.add(problems);
    let Some(mut template) = template.filter(|_| report.usable() && !arguments.syntax_only) else {
        return Some(());
    };
    let registry = Registry::scan(world.settings()).await;
    let problems = template
        .initialize(&registry, arguments.evaluate_datasources)
        .await;
    let secrets = template::hide_secrets(ui, &template);
    report.add(problems);
    let (builds, problems) = template.builds(&registry);
    report.add(problems);
    let directory = match registry.run_directory().await {
        Ok(directory) => directory,
        Err(error) => {
            failed(ui, &error);
            return None;
        }
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
    report.add(problems);
    for leftover in directory.finish(&registry).await {
        report_leftover(ui, &leftover);
    }
    Some(())
}

/// What was found, printed as it comes or, as data, all at the end.
struct Report<'a> {
    ui: &'a Ui,
    json: bool,
    sources: SourceMap,
    all: Diagnostics,
}

/// What `-json` prints. `validate.schema.json` beside this program's manifest describes it.
#[derive(Serialize)]
struct Document {
    format_version: u32,
    valid: bool,
    error_count: usize,
    warning_count: usize,
    diagnostics: Box<RawValue>,
}

impl Report<'_> {
    fn add(&mut self, problems: Diagnostics) {
        if !self.json {
            template::report(self.ui, &problems, &self.sources);
        }
        self.all.extend(problems);
    }

    /// Whether nothing found so far is an error.
    fn usable(&self) -> bool {
        !self.all.iter().any(Diagnostic::is_error)
    }

    /// Says whether the template is valid.
    fn end(&self, syntax_only: bool) -> u8 {
        let valid = self.usable();
        if self.json {
            self.ui.say(&self.document());
        } else if valid && syntax_only {
            self.ui
                .say("Syntax-only check passed. Everything looks okay.");
        } else if valid {
            self.ui.say("The configuration is valid.");
        }
        if valid { exit::DONE } else { exit::FAILED }
    }

    fn document(&self) -> String {
        let count = |severity: Severity| {
            let all = self.all.iter();
            all.filter(|one| one.severity == severity).count()
        };
        let diagnostics = RawValue::from_string(render_json(&self.all, &self.sources));
        let document = Document {
            format_version: FORMAT_VERSION,
            valid: self.usable(),
            error_count: count(Severity::Error),
            warning_count: count(Severity::Warning),
            diagnostics: diagnostics.expect("diagnostics are rendered as JSON"),
        };
        serde_json::to_string_pretty(&document)
            .expect("text and numbers can always be written as JSON")
    }
}
