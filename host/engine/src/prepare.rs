//! Checking every component before anything runs.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::StreamExt;
use host_diag::{Diagnostic, Diagnostics, nearest};
use host_plugin_client::{BuildInfo, ClientError, Registry, RunDirectory, Session};
use host_template::{Build, Component, ComponentKind, Components, Configured, Generated};
use tokio::sync::OnceCell;

use crate::generated;
use crate::options::Options;

/// Builds that are checked at the same time.
const CHECKED_AT_ONCE: usize = 16;

/// A build all of whose components accept their configuration.
#[derive(Debug)]
pub struct PreparedBuild {
    /// The build.
    pub build: Build,
    /// The builder's configuration, evaluated.
    pub(crate) config: Configured,
    /// Names of the values its machine will have.
    pub(crate) generated: Vec<String>,
}

/// Has every component of every build check its configuration. Gives the builds without errors, in
/// order, and all problems found. Plugins are started for this, each once, and ended again.
pub async fn prepare(
    builds: Vec<Build>,
    registry: &Registry,
    directory: &Arc<RunDirectory>,
    options: &Options,
) -> (Vec<PreparedBuild>, Diagnostics) {
    let sessions = Sessions {
        registry,
        directory,
        open: Mutex::default(),
    };
    let checked: Vec<_> = futures::stream::iter(builds)
        .map(|build| check_build(build, &sessions, options))
        .buffered(CHECKED_AT_ONCE)
        .collect()
        .await;
    sessions.stop().await;
    let mut prepared = Vec::new();
    let mut problems = Diagnostics::new();
    for (build, found) in checked {
        prepared.extend(build);
        for problem in found {
            // Builds that share a block share its problems.
            if !problems.iter().any(|known| known.repeats(&problem)) {
                problems.push(problem);
            }
        }
    }
    (prepared, problems)
}

async fn check_build(
    build: Build,
    sessions: &Sessions<'_>,
    options: &Options,
) -> (Option<PreparedBuild>, Diagnostics) {
    let info = options.build_info(&build);
    let mut check = Check {
        sessions,
        info,
        problems: Diagnostics::new(),
    };
    let source = check
        .component(&build.source, &Generated::Names(Vec::new()))
        .await;
    let (config, declared) = source.unzip();
    let names = generated::names(&declared.unwrap_or_default());
    let known = Generated::Names(names.clone());
    let provisioners = build.provisioners.iter().chain(&build.error_cleanup);
    let processors = build.post_processors.iter().flatten();
    let rest = provisioners
        .map(|plan| &plan.component)
        .chain(processors.map(|processor| &processor.component));
    for component in rest {
        check.component(component, &known).await;
    }
    let Check { problems, .. } = check;
    let config = config.filter(|_| !problems.iter().any(Diagnostic::is_error));
    (
        config.map(|config| PreparedBuild {
            build,
            config,
            generated: names,
        }),
        problems,
    )
}

/// The check of one build.
struct Check<'a> {
    sessions: &'a Sessions<'a>,
    info: BuildInfo,
    problems: Diagnostics,
}

impl Check<'_> {
    /// The configuration and the names of the values it will generate; `None` after an error.
    async fn component(
        &mut self,
        component: &Component,
        known: &Generated,
    ) -> Option<(Configured, Vec<String>)> {
        let (kind, name) = (component.kind, &component.type_name);
        let registry = self.sessions.registry;
        let Some(schema) = registry.schema(kind, name) else {
            self.problems
                .push(unknown(component, &registry.names(kind)));
            return None;
        };
        let (config, found) = component.configure(schema, known);
        let refused = found.iter().any(Diagnostic::is_error);
        self.problems.extend(found);
        if refused {
            return None;
        }
        match self.sessions.check(component, &config, &self.info).await {
            Ok((found, names)) => {
                let refused = found.iter().any(Diagnostic::is_error);
                self.problems.extend(found);
                (!refused).then_some((config, names))
            }
            Err(text) => {
                let summary = format!("Failed to check {}", component.header);
                self.problems
                    .push(placed(Diagnostic::error(summary).detail(text), component));
                None
            }
        }
    }
}

fn placed(mut diagnostic: Diagnostic, component: &Component) -> Diagnostic {
    diagnostic.subject = component.span;
    diagnostic.context(&component.header)
}

fn unknown(component: &Component, names: &[String]) -> Diagnostic {
    let name = &component.type_name;
    let word = match component.kind {
        ComponentKind::Builder => "source",
        ComponentKind::Provisioner => "provisioner",
        ComponentKind::PostProcessor => "post-processor",
        ComponentKind::DataSource => "data",
    };
    let close = nearest(name, names.iter().map(String::as_str));
    let known = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    let problem = Diagnostic::error(format!("Unknown {word} type \"{name}\""))
        .detail(format!(
            "No installed plugin offers `{name}`. Known types: {known}."
        ))
        .hint(close.map(|close| format!("did you mean `{close}`?")));
    placed(problem, component)
}

type Opened = Arc<OnceCell<Result<Session, String>>>;

/// A plugin: its executable, and its name, as one executable can go by several.
type Which = (PathBuf, String);

/// One process for each plugin that has something to check.
struct Sessions<'a> {
    registry: &'a Registry,
    directory: &'a Arc<RunDirectory>,
    open: Mutex<HashMap<Which, Opened>>,
}

impl Sessions<'_> {
    async fn check(
        &self,
        component: &Component,
        config: &Configured,
        info: &BuildInfo,
    ) -> Result<(Diagnostics, Vec<String>), String> {
        let (kind, name) = (component.kind, component.type_name.as_str());
        let plugin = self
            .registry
            .installed(kind, name)
            .map(|one| (one.path.clone(), one.name.clone()));
        let opened = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(open.entry(plugin.unwrap_or_default()).or_default())
        };
        let report = |error: ClientError| error.report();
        let launch = || async {
            Session::launch(self.registry, self.directory, kind, name, None)
                .await
                .map_err(report)
        };
        let session = opened
            .get_or_init(launch)
            .await
            .as_ref()
            .map_err(Clone::clone)?;
        session
            .prepare_other((kind, name), config, info)
            .await
            .map_err(report)
    }

    async fn stop(self) {
        let open = self
            .open
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let sessions = open.into_values().filter_map(Arc::into_inner);
        let stops = sessions
            .filter_map(OnceCell::into_inner)
            .flatten()
            .map(Session::stop);
        futures::future::join_all(stops).await;
    }
}
