//! Evaluating every component of every build.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZero;
use std::time::Duration;

use host_diag::{Diagnostic, Diagnostics, SourceMap, Span};
use host_eval::Value;
use host_template::{Build, Component, Components, Generated, PathStep};

/// What a template would run. `B` is what is kept of a build: [`BuildText`](crate::BuildText) for
/// people, [`BuildJson`](crate::BuildJson) for programs.
#[derive(Debug)]
pub struct Plan<B> {
    /// The template as the user named it.
    pub template: String,
    /// Data sources, such as `data.http.page`, in the order of the template.
    pub data_sources: Vec<String>,
    /// Whether the data sources were read for this plan.
    pub data_read: bool,
    /// In the order they start; they run side by side.
    pub builds: Vec<B>,
}

/// What is kept of a build. A large template has more evaluated options than anybody wants in memory
/// at the same time, so that each build is brought into its form as soon as it is evaluated.
pub trait Form: Send {
    /// What is kept of `build`.
    fn of(build: PlannedBuild) -> Self;
}

impl Form for PlannedBuild {
    fn of(build: PlannedBuild) -> Self {
        build
    }
}

/// One build.
#[derive(Debug)]
pub struct PlannedBuild {
    /// Its name in all output.
    pub name: String,
    /// The builder.
    pub source: PlannedComponent,
    /// In the order they run.
    pub provisioners: Vec<PlannedProvisioner>,
    /// Runs when the build failed.
    pub error_cleanup: Option<PlannedProvisioner>,
    /// Chains, in the order they run.
    pub post_processors: Vec<Vec<PlannedPostProcessor>>,
}

/// A component with its evaluated options.
#[derive(Debug)]
pub struct PlannedComponent {
    /// Its type, such as `shell`.
    pub type_name: String,
    /// The header of its block: `provisioner "shell"`.
    pub header: String,
    /// File and line (from one) of the block; `None` when it stands in no file.
    pub place: Option<(String, usize)>,
    /// An object: options and blocks that the template sets.
    pub options: Value,
    /// What options that are not wholly known wait for, such as `build.Host`, by path.
    pub waits_for: BTreeMap<Vec<PathStep>, Vec<String>>,
}

/// A provisioner.
#[derive(Debug)]
pub struct PlannedProvisioner {
    /// The component.
    pub component: PlannedComponent,
    /// Wait before it.
    pub pause_before: Option<Duration>,
    /// Limit of one try.
    pub timeout: Option<Duration>,
    /// Further tries after a failure.
    pub max_retries: u32,
    /// Whether a failure is only a warning.
    pub continue_on_error: bool,
}

/// A post-processor.
#[derive(Debug)]
pub struct PlannedPostProcessor {
    /// The component.
    pub component: PlannedComponent,
    /// Its name; empty when the template gives none.
    pub name: String,
    /// What the template says about the input.
    pub keep_input_artifact: Option<bool>,
}

/// Builds that one thread evaluates at least; below that a thread costs more than it saves.
const FEWEST_BUILDS: usize = 32;

/// Evaluates every component of `builds`, on all processors when there are many. Problems that
/// several builds share are listed once.
///
/// # Panics
///
/// When evaluating panics.
#[must_use]
pub fn plan<B: Form>(
    builds: &[Build],
    components: &dyn Components,
    sources: &SourceMap,
) -> (Vec<B>, Diagnostics) {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = builds.len().div_ceil(processors).max(FEWEST_BUILDS);
    let parts = std::thread::scope(|scope| {
        let threads: Vec<_> = builds
            .chunks(share)
            .map(|part| scope.spawn(move || plan_part(part, components, sources)))
            .collect();
        let parts = threads
            .into_iter()
            .map(|thread| thread.join().expect("evaluating does not panic"));
        parts.collect::<Vec<_>>()
    });
    let mut all = Vec::with_capacity(builds.len());
    let mut problems = Distinct::default();
    for (planned, found) in parts {
        all.extend(planned);
        problems.extend(found);
    }
    (all, problems.list)
}

fn plan_part<B: Form>(
    builds: &[Build],
    components: &dyn Components,
    sources: &SourceMap,
) -> (Vec<B>, Diagnostics) {
    let mut planner = Planner {
        components,
        sources,
        problems: Distinct::default(),
    };
    let planned = builds
        .iter()
        .map(|build| B::of(planner.build(build)))
        .collect();
    (planned, planner.problems.list)
}

/// Problems, each once, in the order they were found.
#[derive(Default)]
struct Distinct {
    list: Diagnostics,
    /// Where those of one place stand in `list`.
    places: HashMap<Option<Span>, Vec<usize>>,
}

impl Distinct {
    fn extend(&mut self, found: Vec<Diagnostic>) {
        for problem in found {
            let here = self.places.entry(problem.subject).or_default();
            if !here.iter().any(|at| self.list[*at].repeats(&problem)) {
                here.push(self.list.len());
                self.list.push(problem);
            }
        }
    }
}

struct Planner<'a> {
    components: &'a dyn Components,
    sources: &'a SourceMap,
    problems: Distinct,
}

impl Planner<'_> {
    fn build(&mut self, build: &Build) -> PlannedBuild {
        PlannedBuild {
            name: build.name.clone(),
            source: self.component(&build.source),
            provisioners: build
                .provisioners
                .iter()
                .map(|plan| self.provisioner(plan))
                .collect(),
            error_cleanup: build
                .error_cleanup
                .as_ref()
                .map(|plan| self.provisioner(plan)),
            post_processors: build
                .post_processors
                .iter()
                .map(|chain| chain.iter().map(|one| self.post_processor(one)).collect())
                .collect(),
        }
    }

    fn provisioner(&mut self, plan: &host_template::ProvisionerPlan) -> PlannedProvisioner {
        PlannedProvisioner {
            component: self.component(&plan.component),
            pause_before: plan.pause_before,
            timeout: plan.timeout,
            max_retries: plan.max_retries,
            continue_on_error: plan.continue_on_error,
        }
    }

    fn post_processor(&mut self, plan: &host_template::PostProcessor) -> PlannedPostProcessor {
        PlannedPostProcessor {
            component: self.component(&plan.component),
            name: plan.name.clone(),
            keep_input_artifact: plan.keep_input_artifact,
        }
    }

    fn component(&mut self, component: &Component) -> PlannedComponent {
        let mut planned = PlannedComponent {
            type_name: component.type_name.clone(),
            header: component.header.clone(),
            place: component.span.map(|span| {
                let line = self.sources.line(span.file, span.start);
                (self.sources.name(span.file).to_owned(), line)
            }),
            options: Value::object(BTreeMap::new()),
            waits_for: BTreeMap::new(),
        };
        let schema = self.components.schema(component.kind, &component.type_name);
        if let Some(schema) = schema {
            let (configured, found) = component.configure(schema, &Generated::Later);
            self.problems.extend(found);
            planned.options = configured.value;
            planned.waits_for = configured.waits_for;
        }
        planned
    }
}
