//! `kiln build`.

use std::sync::Arc;
use std::time::Instant;

use host_diag::SourceMap;
use host_engine::{OnError, Options};
use host_plugin_client::{ClientError, Leftover, Registry, RunDirectory, reclaim_leftovers};
use host_template::Template;
use host_ui::{BuildUi, Color, Mode, Ui, summarize};
use tokio_util::sync::CancellationToken;

use crate::arguments::{self, BuildArguments};
use crate::world::World;
use crate::{exit, signals, template, version};

/// Builds what a template asks for.
pub async fn run(world: &World, ui: &Ui, arguments: BuildArguments) -> u8 {
    let options = match run_options(world, &arguments) {
        Ok(options) => options,
        Err(message) => return usage(ui, &message, "build"),
    };
    let warn = arguments.warn_on_undeclared_var;
    let load = match template::options(world, &arguments.template, warn) {
        Ok(load) => load,
        Err(message) => return usage(ui, &message, "build"),
    };
    let cancel = CancellationToken::new();
    signals::watch(ui, &cancel);
    let mut sources = SourceMap::default();
    let Some(template) = template::load(ui, &load, &mut sources) else {
        return exit::FAILED;
    };
    if arguments.debug {
        ui.say("Debug mode enabled. Builds will not be parallelized.");
    }
    let run = BuildRun {
        world,
        ui,
        options,
        color: arguments.color,
        timestamps: arguments.timestamp_ui,
    };
    run.all(template, sources, cancel).await
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
    options: Options,
    color: bool,
    timestamps: bool,
}

impl BuildRun<'_> {
    async fn all(
        mut self,
        mut template: Template,
        sources: SourceMap,
        cancel: CancellationToken,
    ) -> u8 {
        let registry = Registry::scan(self.world.settings()).await;
        if let Some(problem) = template.missing_plugins(&registry) {
            template::report(self.ui, &vec![problem], &sources);
            return exit::FAILED;
        }
        let directory = match registry.run_directory().await {
            Ok(directory) => directory,
            Err(error) => return failed(self.ui, &error),
        };
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
        for leftover in directory.finish(&registry).await {
            report_leftover(self.ui, &leftover);
        }
        if let Some(folder) = directory.evidence() {
            let text = "What was seen of the failed machine (screen, serial port) is kept in";
            self.ui.say(&format!("{text} {}", folder.display()));
        }
        status
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
        if self.color && self.ui.mode() != Mode::Machine {
            self.announce(&names, color);
        }
        let observer = BuildUi::new(self.ui.clone(), &names, color, self.timestamps, sources);
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
            self.ui,
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
