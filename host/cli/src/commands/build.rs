//! `kiln build`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use host_diag::SourceMap;
use host_engine::{OnError, Options};
use host_plugin_client::{
    ClientError, Leftover, Prereleases, Registry, RunDirectory, reclaim_leftovers,
};
use host_template::{LoadOptions, Template};
use host_ui::{BuildUi, Color, EventLine, Mode, RunStatus, Ui, summarize};
use tokio_util::sync::CancellationToken;

use crate::arguments::{self, BuildArguments};
use crate::logging::Log;
use crate::world::World;
use crate::{exit, needed, signals, template, template_files, version};

/// Builds what a template asks for.
pub async fn run(world: &World, ui: &Ui, arguments: BuildArguments, log: &Log) -> u8 {
    if arguments.json && ui.mode() == Mode::Machine {
        return usage(
            ui,
            "-json and -machine-readable exclude each other.",
            "build",
        );
    }
    let begun = Instant::now();
    let json;
    let ui = if arguments.json {
        json = ui.with_mode(Mode::Json);
        &json
    } else {
        ui
    };
    let versions = (version::KILN, version::PACKER);
    let template = arguments.template.template.first().map(String::as_str);
    let template = template.unwrap_or_default();
    ui.event(&EventLine::run_begun(versions, &world.run_uuid, template));
    let cancel = CancellationToken::new();
    let mut kept = Kept::default();
    let status = build(world, ui, arguments, (log, &cancel), &mut kept).await;
    let outcome = match status {
        exit::DONE => RunStatus::Succeeded,
        _ if cancel.is_cancelled() => RunStatus::Cancelled,
        _ => RunStatus::Failed,
    };
    let elapsed = begun.elapsed();
    ui.event(&EventLine::run_ended(
        outcome,
        elapsed,
        kept.log,
        kept.evidence,
    ));
    status
}

/// Reports a command line that asks for events and cannot be read: in events, too.
pub fn refused(world: &World, ui: &Ui, text: &str) -> u8 {
    let ui = ui.with_mode(Mode::Json);
    let versions = (version::KILN, version::PACKER);
    ui.event(&EventLine::run_begun(versions, &world.run_uuid, ""));
    ui.error(text);
    let (failed, elapsed) = (RunStatus::Failed, Duration::ZERO);
    ui.event(&EventLine::run_ended(failed, elapsed, None, None));
    exit::FAILED
}

/// Paths of what is kept of a run.
#[derive(Default)]
struct Kept {
    log: Option<String>,
    evidence: Option<String>,
}

async fn build(
    world: &World,
    ui: &Ui,
    arguments: BuildArguments,
    (log, cancel): (&Log, &CancellationToken),
    kept: &mut Kept,
) -> u8 {
    let options = match run_options(world, &arguments) {
        Ok(options) => options,
        Err(message) => return usage(ui, &message, "build"),
    };
    let warn = arguments.warn_on_undeclared_var;
    let load = match template::options(world, &arguments.template, warn) {
        Ok(load) => load,
        Err(message) => return usage(ui, &message, "build"),
    };
    signals::watch(ui, cancel);
    let mut sources = SourceMap::default();
    let Some(template) = template::load(ui, &load, &mut sources) else {
        return exit::FAILED;
    };
    if arguments.debug {
        ui.say("Debug mode enabled. Builds will not be parallelized.");
    }
    let files = template_files::digests(&load.working_dir, &sources, &load.variable_files);
    let options = Options {
        template_files: files,
        ..options
    };
    let run = BuildRun {
        world,
        ui,
        log,
        options,
        prereleases: needed::prereleases(arguments.ignore_prerelease_plugins),
        color: arguments.color,
        timestamps: arguments.timestamp_ui,
        load,
        ran: false,
    };
    run.all(template, sources, cancel.clone(), kept).await
}

fn run_options(world: &World, arguments: &BuildArguments) -> Result<Options, String> {
    let on_error = match arguments.on_error.as_str() {
        "" | "cleanup" => OnError::Cleanup,
        "abort" => OnError::Abort,
        "ask" => OnError::Ask,
        "run-cleanup-provisioner" => OnError::RunCleanupProvisioner,
        other => {
            return Err(format!(
                "`{other}` is no value of -on-error; it takes cleanup, abort, ask and \
                 run-cleanup-provisioner."
            ));
        }
    };
    Ok(Options {
        parallel: usize::try_from(arguments.parallel_builds)
            .ok()
            .filter(|&count| count > 0),
        debug: arguments.debug,
        force: arguments.force,
        on_error,
        core_version: version::PACKER.to_owned(),
        run_uuid: world.run_uuid.clone(),
        started_at_unix_nanos: world.started_at_unix_nanos,
        ..Options::default()
    })
}

/// Everything one `build` needs besides the template.
struct BuildRun<'a> {
    world: &'a World,
    ui: &'a Ui,
    log: &'a Log,
    load: LoadOptions,
    options: Options,
    prereleases: Prereleases,
    color: bool,
    timestamps: bool,
    /// Whether builds were started.
    ran: bool,
}

impl BuildRun<'_> {
    async fn all(
        mut self,
        mut template: Template,
        sources: SourceMap,
        cancel: CancellationToken,
        kept: &mut Kept,
    ) -> u8 {
        let registry =
            match needed::registry(self.world, &template, &self.load, self.prereleases).await {
                Ok(registry) => registry,
                Err(problem) => {
                    template::report(self.ui, &vec![*problem], &sources);
                    return exit::FAILED;
                }
            };
        let mut problems = needed::refused(self.world, &template, &registry);
        problems.extend(template.missing_plugins(&registry));
        if !template::report(self.ui, &problems, &sources) {
            return exit::FAILED;
        }
        let directory = match registry.run_directory().await {
            Ok(directory) => directory,
            Err(error) => return failed(self.ui, &error),
        };
        self.log.settle(directory.path());
        let reclaim = reclaim_leftovers(&registry, &directory);
        for leftover in cancel
            .run_until_cancelled(reclaim)
            .await
            .unwrap_or_default()
        {
            tracing::warn!(
                kind = leftover.kind,
                id = leftover.id,
                "an earlier run left this"
            );
        }
        let status = self
            .in_directory(&mut template, sources, &registry, &directory, cancel)
            .await;
        if self.ran && self.log.is_in_run_folder() {
            directory.keep();
        }
        for leftover in directory.finish(&registry).await {
            report_leftover(self.ui, &leftover);
        }
        *kept = self.kept(&directory, status);
        if self.ran {
            self.log.clean(self.ui.redactor());
        }
        status
    }

    /// What is kept of the run; a person is told of it after a failure.
    fn kept(&self, directory: &RunDirectory, status: u8) -> Kept {
        let shown = |path: PathBuf| path.display().to_string();
        let evidence = directory.evidence().map(shown);
        let log = self.log.path().filter(|_| self.ran).map(shown);
        if self.ui.mode() != Mode::Json {
            if let Some(folder) = &evidence {
                let text = "What was seen of the failed machine (screen, serial port) is kept in";
                self.ui.say(&format!("{text} {folder}"));
            }
            if let Some(file) = log.as_ref().filter(|_| status != exit::DONE) {
                self.ui
                    .say(&format!("The log of this run is kept in {file}"));
            }
        }
        Kept { log, evidence }
    }

    async fn in_directory(
        &mut self,
        template: &mut Template,
        sources: SourceMap,
        registry: &Registry,
        directory: &Arc<RunDirectory>,
        cancel: CancellationToken,
    ) -> u8 {
        let initialize = template.initialize(registry, true);
        let Some(problems) = cancel.run_until_cancelled(initialize).await else {
            return self.interrupted();
        };
        self.options.secrets = template::hide_secrets(self.ui, template);
        if !template::report(self.ui, &problems, &sources) {
            return exit::FAILED;
        }
        self.options.variables = template.public_variables();
        let (builds, problems) = template.builds(registry);
        if !template::report(self.ui, &problems, &sources) {
            return exit::FAILED;
        }
        let prepare = host_engine::prepare(builds, registry, directory, &self.options);
        let Some((prepared, problems)) = cancel.run_until_cancelled(prepare).await else {
            return self.interrupted();
        };
        let usable = template::report(self.ui, &problems, &sources);
        if prepared.is_empty() {
            if usable {
                self.ui.error("No builds to run");
            }
            return exit::FAILED;
        }
        let names: Vec<String> = prepared.iter().map(|one| one.build.name.clone()).collect();
        let color = self.color && self.world.colors();
        self.ui.event(&EventLine::builds_planned(&names));
        if self.color && matches!(self.ui.mode(), Mode::Lines | Mode::Terminal) {
            self.announce(&names, color);
        }
        let observer = BuildUi::new(self.ui.clone(), &names, color, self.timestamps, sources);
        self.ran = true;
        let begun = Instant::now();
        let interrupted = cancel.clone();
        let outcomes = host_engine::run(
            prepared,
            registry,
            directory,
            &self.options,
            &observer,
            cancel,
        )
        .await;
        let good = summarize(
            &observer,
            &outcomes,
            begun.elapsed(),
            interrupted.is_cancelled(),
        );
        if good && usable {
            exit::DONE
        } else {
            exit::FAILED
        }
    }

    /// The end of a run that was cancelled before a build began.
    fn interrupted(&self) -> u8 {
        self.ui
            .say("Cleanly cancelled builds after being interrupted.");
        exit::FAILED
    }

    fn announce(&self, names: &[String], color: bool) {
        for (index, name) in names.iter().enumerate() {
            let text = format!("{name}: output will be in this color.");
            let text = if color {
                Color::of_build(index).paint(&text)
            } else {
                text
            };
            self.ui.say(&text);
        }
        self.ui.say("");
    }
}

/// Reports a wrong command line, with the command's help.
pub fn usage(ui: &Ui, message: &str, command: &str) -> u8 {
    ui.error(&format!(
        "{message}\n\n{}",
        arguments::help_of(command).trim_end()
    ));
    exit::FAILED
}

/// Reports that kiln's own folders or plugins are not usable.
pub fn failed(ui: &Ui, error: &ClientError) -> u8 {
    ui.error(&failure_text(error));
    exit::FAILED
}

/// An error with its causes.
pub fn failure_text(error: &ClientError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// Tells that something a plugin left behind is gone now, or why it is still there.
pub fn report_leftover(ui: &Ui, leftover: &Leftover) {
    let Leftover {
        plugin,
        kind,
        id,
        error,
    } = leftover;
    match error {
        None => ui.say(&format!(
            "Removed {kind} `{id}`, which plugin `{plugin}` left behind"
        )),
        Some(error) => ui.error(&format!(
            "Cannot remove {kind} `{id}`, which plugin `{plugin}` left behind: {error}"
        )),
    }
}
