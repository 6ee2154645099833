//! From build blocks to the plan: which source runs with which provisioners and post-processors.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Span, nearest};
use host_eval::Scope;

use crate::hcl::build::{
    BuildBlock, SourceUse, build_name, module_source_changed, nothing_to_build,
};
use crate::hcl::chosen::Filters;
use crate::hcl::component::{ComponentBody, HclComponent};
use crate::hcl::instances::{ARGUMENTS, Reading};
use crate::hcl::members::{Step, Steps};
use crate::hcl::module_sources::{Found, ModuleSources, SourcesOf};
use crate::hcl::post_processor::PostProcessorBlock;
use crate::hcl::provisioner::{Overrides, ProvisionerBlock};
use crate::hcl::scope::{add_new, extended};
use crate::hcl::source::{Source, SourceKey, Sources, unknown_source};
use crate::hcl::surroundings::{SourceNames, Surroundings};
use crate::hcl::template::HclTemplate;
use crate::model::{
    Build, Component, ComponentKind, ComponentSource, Components, PostProcessor, ProvisionerPlan,
};

/// Most components of a plan.
const STEP_LIMIT: usize = 1_000_000;

/// The plan of `template` and its modules. Builds with something wrong are left out; problems say
/// what it is.
pub(crate) fn plan(
    template: &HclTemplate,
    components: &dyn Components,
) -> (Vec<Build>, Diagnostics) {
    let mut problems = Diagnostics::new();
    let mut plan = Collected {
        components,
        filters: Filters::new(&template.options, &mut problems),
        names: Vec::new(),
        builds: Vec::new(),
        blocks: 0,
        steps: 0,
        problems,
    };
    plan.template(template, "");
    if plan.blocks == 0 && !plan.problems.iter().any(Diagnostic::is_error) {
        plan.problems.push(
            Diagnostic::error("Missing build block")
                .detail("A template needs a build block that says which sources to run.")
                .hint("Add `build { sources = [\"source.TYPE.NAME\"] }`.".to_owned()),
        );
    }
    let (names, mut problems) = (plan.names, plan.problems);
    plan.filters.warn(&names, &mut problems);
    (plan.builds, problems)
}

/// The plan as far as it is made.
struct Collected<'a> {
    components: &'a dyn Components,
    filters: Filters,
    /// All builds there could be.
    names: Vec<String>,
    builds: Vec<Build>,
    /// Build blocks seen.
    blocks: usize,
    /// Components of all builds.
    steps: usize,
    problems: Diagnostics,
}

impl Collected<'_> {
    /// Adds the builds of a template and of its modules, with `prefix` before their names.
    fn template(&mut self, template: &HclTemplate, prefix: &str) {
        if self.steps > STEP_LIMIT {
            return;
        }
        let (blocks, problems) = template.blocks(Some(self.components));
        self.blocks += blocks.builds.len() + blocks.empty.len();
        self.problems.extend(problems);
        let failed = self.problems.iter().any(Diagnostic::is_error);
        if !failed {
            let nothing = blocks.empty.iter();
            let nothing = nothing.map(|(place, header)| no_instance(*place, header));
            self.problems.extend(nothing);
        }
        let mut planner = Planner {
            template,
            prefix,
            components: self.components,
            sources: &blocks.sources,
            modules: ModuleSources::new(template, Some(self.components)),
            reading: Reading::new(Some(self.components)),
            scope: template.scope(),
            checked: HashSet::new(),
            names: Vec::new(),
            problems: Diagnostics::new(),
        };
        for block in &blocks.builds {
            planner.check_components(block);
            let mut runs = false;
            for used in &block.uses {
                for found in planner.targets(used, block) {
                    runs = true;
                    let filters = &mut self.filters;
                    let build = planner.build(block, (used, found), filters);
                    self.steps += build.as_ref().map_or(1, steps);
                    if self.steps > STEP_LIMIT {
                        self.problems.push(too_large(block));
                        self.builds.clear();
                        return;
                    }
                    self.builds.extend(build);
                }
            }
            let mut explained = self.problems.iter().chain(&planner.problems);
            let names_some = !block.uses.is_empty() || block.has_empty_use;
            if !runs && names_some && !explained.any(Diagnostic::is_error) {
                planner.problems.push(nothing_to_build(block));
            }
        }
        self.names.append(&mut planner.names);
        self.problems.append(&mut planner.problems);
        let modules = template.modules.iter();
        for module in modules.filter(|module| module.template.scope.is_some()) {
            let prefix = format!("{prefix}{}.", module.block.name);
            self.template(&module.template, &prefix);
        }
    }
}

/// Components of a build.
fn steps(build: &Build) -> usize {
    let chains = build.post_processors.iter().map(Vec::len);
    1 + build.provisioners.len() + chains.sum::<usize>()
}

fn too_large(block: &BuildBlock) -> Diagnostic {
    Diagnostic::error("Too many builds")
        .detail(format!(
            "A template plans at most {STEP_LIMIT} components: each source counts, and each \
             provisioner and post-processor that runs for it. This block has {} sources, {} \
             provisioners and {} post-processor chains.",
            block.uses.len(),
            block.provisioners.len(),
            block.post_processors.len()
        ))
        .at(block.span)
        .context(block.header.clone())
}

fn no_instance(place: Span, header: &str) -> Diagnostic {
    Diagnostic::warning("Build block without instances")
        .detail("Its for_each or count is empty, so it builds nothing.")
        .at(place)
        .context(header)
}

struct Planner<'a> {
    template: &'a HclTemplate,
    /// What stands before the names of its builds.
    prefix: &'a str,
    components: &'a dyn Components,
    sources: &'a Sources,
    modules: ModuleSources<'a>,
    /// For steps whose instances follow from the source.
    reading: Reading<'a>,
    scope: Scope,
    /// Sources whose type was found unknown; said once.
    checked: HashSet<String>,
    names: Vec<String>,
    problems: Diagnostics,
}

impl<'a> Planner<'a> {
    /// What a reference stands for; nothing (reported) when it is to a module that is not there.
    fn targets(&mut self, used: &SourceUse, block: &BuildBlock) -> Vec<Found<'a>> {
        self.modules
            .targets(used, self.sources)
            .unwrap_or_else(|problem| {
                self.problems.push(problem.context(block.header.clone()));
                Vec::new()
            })
    }

    /// Says which provisioners and post-processors of a block no plugin offers. Its builds go
    /// without them, so that what is wrong with the others is found, too.
    fn check_components(&mut self, block: &BuildBlock) {
        for provisioner in &block.provisioners {
            self.check_type(
                ComponentKind::Provisioner,
                "provisioner",
                provisioner.label(),
            );
        }
        if let Some(cleanup) = &block.error_cleanup {
            let word = "error-cleanup-provisioner";
            self.check_type(ComponentKind::Provisioner, word, cleanup.label());
        }
        for post_processor in block.post_processors.iter().flatten() {
            let label = post_processor.label();
            self.check_type(ComponentKind::PostProcessor, "post-processor", label);
        }
    }

    fn check_type(
        &mut self,
        kind: ComponentKind,
        block: &str,
        (name, span, header): (&str, Span, &str),
    ) {
        if self.components.schema(kind, name).is_some() {
            return;
        }
        let known = self.components.names(kind);
        let near = nearest(name, known.iter().map(String::as_str));
        self.problems.push(
            Diagnostic::error(format!("Unknown {block} type \"{name}\""))
                .detail(format!("known {block}s: {}", known.join(", ")))
                .at(span)
                .context(header)
                .hint(near.map(|near| format!("Did you mean `{near}`?"))),
        );
    }

    /// The build of one source, if it is wanted and nothing is wrong with it.
    fn build(
        &mut self,
        block: &BuildBlock,
        (used, (target, from)): (&SourceUse, Found<'a>),
        filters: &mut Filters,
    ) -> Option<Build> {
        let (sources, path) = match &from {
            Some(from) => (&from.sources, from.path.as_str()),
            None => (self.sources, ""),
        };
        let Some(source) = sources.get(&target.key) else {
            let problem = unknown_source(&target.key, used, (sources, path));
            self.problems.push(problem.context(block.header.clone()));
            return None;
        };
        if from.is_some() && used.adds_options() {
            self.problems.push(module_source_changed(used, block));
            return None;
        }
        let local = format!("{}.{}", target.key.type_name, target.local_name);
        let name = match block.name.as_str() {
            "" => local.clone(),
            block => format!("{block}.{local}"),
        };
        let name = format!("{}{name}", self.prefix);
        self.names.push(name.clone());
        if !filters.wants(&name) {
            return None;
        }
        let known = self.check_source_type(&target.key, source);
        if !known {
            return None;
        }
        let names = SourceNames {
            type_name: target.key.type_name.clone(),
            label: target.key.name.clone(),
            local_name: target.local_name.clone(),
            groups: target.groups.clone(),
        };
        let mut locals = vec![local];
        let groups = names.groups.iter();
        locals.extend(groups.map(|group| format!("{}.{group}", names.type_name)));
        let surroundings = self.surroundings(&names, Some(block.name.clone()));
        let scope = || {
            let known = [
                ("source", names.value()),
                ("build", build_name(&block.name)),
            ];
            extended(&self.scope, known)
        };
        let mut steps = Steps {
            scope: OnceCell::new(),
            make_scope: &scope,
            reading: &mut self.reading,
            problems: Diagnostics::new(),
        };
        let components = self.components;
        let offered = |kind, name: &str| components.schema(kind, name).is_some();
        let wanted = |block: &ProvisionerBlock| {
            !block.filter.skips(&locals) && offered(ComponentKind::Provisioner, block.label().0)
        };
        let provisioner = |block: &ProvisionerBlock| plan_provisioner(block, &names, &surroundings);
        let provisioners = steps.of(&block.provisioners);
        let provisioners = provisioners.iter().map(AsRef::as_ref);
        let provisioners = provisioners
            .filter(|b| wanted(b))
            .map(provisioner)
            .collect();
        let error_cleanup = block.error_cleanup.as_ref().filter(|b| wanted(b));
        let mut post_processors = Vec::new();
        for chain in &block.post_processors {
            let members = steps.of(chain);
            let planned = plan_chain(&members, &locals, &surroundings, filters);
            let planned: Vec<PostProcessor> = planned
                .into_iter()
                .filter(|one| offered(ComponentKind::PostProcessor, &one.component.type_name))
                .collect();
            post_processors.extend(Some(planned).filter(|planned| !planned.is_empty()));
        }
        let found = steps.problems;
        let failed = found.iter().any(Diagnostic::is_error);
        add_new(found, &mut self.problems);
        if failed {
            return None;
        }
        Some(Build {
            name,
            block_name: block.name.clone(),
            builder_type: target.key.type_name.clone(),
            source_name: target.key.name.clone(),
            source: self.plan_source(used, source, &names, from.as_deref()),
            provisioners,
            error_cleanup: error_cleanup.map(provisioner),
            post_processors,
            template_dir: self.template.folder(),
            template_path: std::path::PathBuf::new(),
            user_variables: std::collections::BTreeMap::new(),
        })
    }

    fn surroundings(&self, names: &SourceNames, build_name: Option<String>) -> Arc<Surroundings> {
        surroundings(self.template, self.scope.clone(), names, build_name)
    }

    fn check_source_type(&mut self, key: &SourceKey, source: &Source) -> bool {
        let name = &key.type_name;
        if self
            .components
            .schema(ComponentKind::Builder, name)
            .is_some()
        {
            return true;
        }
        if self.checked.insert(key.to_string()) {
            let known = self.components.names(ComponentKind::Builder);
            let near = nearest(name, known.iter().map(String::as_str));
            let detail = match near {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!(
                    "No installed plugin offers the source type \"{name}\". Known: {}",
                    known.join(", ")
                ),
            };
            self.problems.push(
                Diagnostic::error(format!("Unknown source type {name}"))
                    .detail(detail)
                    .at(source.type_span)
                    .context(source.header.clone()),
            );
        }
        false
    }

    fn plan_source(
        &self,
        used: &SourceUse,
        source: &Source,
        names: &SourceNames,
        from: Option<&SourcesOf<'_>>,
    ) -> Component {
        let mut bodies = vec![ComponentBody {
            body: Arc::clone(&source.body),
            ignored: match source.instance {
                Some(_) => &ARGUMENTS,
                None => &[],
            },
        }];
        let addition = used.addition.clone();
        bodies.extend(addition.map(|body| ComponentBody {
            body,
            ignored: used.ignored(),
        }));
        let source_body = HclComponent {
            bodies,
            overrides: None,
            surroundings: match from {
                Some(from) => surroundings(from.template, from.template.scope(), names, None),
                None => self.surroundings(names, None),
            },
        };
        Component {
            kind: ComponentKind::Builder,
            type_name: names.type_name.clone(),
            span: Some(source.span),
            header: source.header.clone(),
            instance: instance_of(used, source),
            source: ComponentSource::Hcl(Arc::new(source_body)),
        }
    }
}

/// Which instance a build's source is: of its block, of the block in the build, or of both.
fn instance_of(used: &SourceUse, source: &Source) -> Option<String> {
    let own = used.instance.as_ref().map(|instance| &instance.key);
    match (&source.instance, own) {
        (Some(outer), Some(own)) => Some(format!("{outer}.{own}")),
        (outer, own) => own.or(outer.as_ref()).cloned(),
    }
}

fn surroundings(
    template: &HclTemplate,
    scope: Scope,
    names: &SourceNames,
    build_name: Option<String>,
) -> Arc<Surroundings> {
    let names = Some(names.clone());
    Arc::new(Surroundings::new(
        scope,
        names,
        build_name,
        &template.options,
    ))
}

fn plan_provisioner(
    block: &ProvisionerBlock,
    names: &SourceNames,
    surroundings: &Arc<Surroundings>,
) -> ProvisionerPlan {
    let overrides = block.overrides.as_ref().and_then(|overrides| {
        let mut groups = names.groups.iter();
        let group = || groups.find_map(|group| overrides.value.get(group));
        let value = overrides.value.get(&names.local_name).or_else(group)?;
        let value = value.clone();
        Some(Overrides {
            value,
            span: overrides.span,
        })
    });
    let source = HclComponent {
        bodies: vec![ComponentBody {
            body: Arc::clone(&block.body),
            ignored: block.ignored(),
        }],
        overrides,
        surroundings: Arc::clone(surroundings),
    };
    ProvisionerPlan {
        component: Component {
            kind: ComponentKind::Provisioner,
            type_name: block.type_name.clone(),
            span: Some(block.span),
            header: block.header.clone(),
            instance: block.instance.clone(),
            source: ComponentSource::Hcl(Arc::new(source)),
        },
        pause_before: block.pause_before.filter(|pause| !pause.is_zero()),
        timeout: block.timeout.filter(|timeout| !timeout.is_zero()),
        max_retries: block.max_retries,
        continue_on_error: block.continue_on_error,
    }
}

/// The members of a chain that run for the source with these names; `-except` cuts the rest off.
fn plan_chain(
    chain: &[Cow<'_, PostProcessorBlock>],
    names: &[String],
    surroundings: &Arc<Surroundings>,
    filters: &mut Filters,
) -> Vec<PostProcessor> {
    let mut planned = Vec::new();
    for block in chain.iter().filter(|block| !block.filter.skips(names)) {
        let name = if block.name.is_empty() {
            &block.type_name
        } else {
            &block.name
        };
        if filters.cuts(name) {
            break;
        }
        let source = HclComponent {
            bodies: vec![ComponentBody {
                body: Arc::clone(&block.body),
                ignored: block.ignored(),
            }],
            overrides: None,
            surroundings: Arc::clone(surroundings),
        };
        planned.push(PostProcessor {
            component: Component {
                kind: ComponentKind::PostProcessor,
                type_name: block.type_name.clone(),
                span: Some(block.span),
                header: block.header.clone(),
                instance: block.instance.clone(),
                source: ComponentSource::Hcl(Arc::new(source)),
            },
            name: block.name.clone(),
            keep_input_artifact: block.keep_input_artifact,
        });
    }
    planned
}
