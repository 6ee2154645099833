//! From build blocks to the plan: which source runs with which provisioners and post-processors.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Span, nearest};
use host_eval::Scope;

use crate::filter::Patterns;
use crate::hcl::build::{BuildBlock, SourceUse};
use crate::hcl::component::{ComponentBody, HclComponent};
use crate::hcl::instances::ARGUMENTS;
use crate::hcl::post_processor::PostProcessorBlock;
use crate::hcl::provisioner::{Overrides, ProvisionerBlock};
use crate::hcl::source::{Source, SourceKey, Sources, Target, unknown_source};
use crate::hcl::surroundings::{SourceNames, Surroundings};
use crate::hcl::template::HclTemplate;
use crate::model::{
    Build, Component, ComponentKind, ComponentSource, Components, PostProcessor, ProvisionerPlan,
};

/// The plan of `template` and its modules. Builds with something wrong are left out; problems say
/// what it is.
pub(crate) fn plan(
    template: &HclTemplate,
    components: &dyn Components,
) -> (Vec<Build>, Diagnostics) {
    let mut problems = Diagnostics::new();
    let mut plan = Collected {
        components,
        filters: Filters::new(template, &mut problems),
        names: Vec::new(),
        builds: Vec::new(),
        blocks: 0,
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
    problems: Diagnostics,
}

impl Collected<'_> {
    /// Adds the builds of a template and of its modules, with `prefix` before their names.
    fn template(&mut self, template: &HclTemplate, prefix: &str) {
        let (blocks, problems) = template.blocks(Some(self.components));
        self.blocks += blocks.builds.len();
        self.problems.extend(problems);
        let mut planner = Planner {
            template,
            prefix,
            components: self.components,
            sources: &blocks.sources,
            modules: HashMap::new(),
            scope: template.scope(),
            checked: HashSet::new(),
            names: Vec::new(),
            problems: Diagnostics::new(),
        };
        for block in &blocks.builds {
            let usable = planner.check_components(block);
            let mut runs = false;
            for used in &block.uses {
                for (target, from) in planner.targets(used) {
                    runs = true;
                    let filters = &mut self.filters;
                    let build = planner.build(block, (used, &target, from), usable, filters);
                    self.builds.extend(build);
                }
            }
            let explained = self.problems.iter().chain(&planner.problems);
            if !runs && !block.uses.is_empty() && !explained.into_iter().any(Diagnostic::is_error) {
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

/// The patterns of the command line, and how often they were of use.
struct Filters {
    only: Patterns,
    except: Patterns,
    only_matches: usize,
    except_matches: usize,
}

impl Filters {
    fn new(template: &HclTemplate, problems: &mut Diagnostics) -> Self {
        Self {
            only: Patterns::compile("only", &template.options.only, problems),
            except: Patterns::compile("except", &template.options.except, problems),
            only_matches: 0,
            except_matches: 0,
        }
    }

    /// Whether the build called `name` is wanted.
    fn wants(&mut self, name: &str) -> bool {
        if !self.only.is_empty() {
            if !self.only.matches(name) {
                return false;
            }
            self.only_matches += 1;
        }
        let excepted = self.except.matches(name);
        self.except_matches += usize::from(excepted);
        !excepted
    }

    /// Whether `-except` cuts a chain at the post-processor called `name`.
    fn cuts(&mut self, name: &str) -> bool {
        let cut = self.except.matches(name);
        self.except_matches += usize::from(cut);
        cut
    }

    /// Says when there are more patterns than matches, as Packer counts them.
    fn warn(&self, names: &[String], problems: &mut Diagnostics) {
        let possible = format!("Possible build names: {}", names.join(", "));
        if self.only.count() > self.only_matches {
            problems.push(
                Diagnostic::warning(
                    "an 'only' option was passed, but not all matches were found for the given \
                     build.",
                )
                .detail(possible.clone()),
            );
        }
        if self.except.count() > self.except_matches {
            problems.push(
                Diagnostic::warning("an 'except' option was passed, but did not match any build.")
                    .detail(possible),
            );
        }
    }
}

fn nothing_to_build(block: &BuildBlock) -> Diagnostic {
    Diagnostic::warning("Build block without sources")
        .detail("None of the sources it names has an instance: their for_each or count is empty.")
        .at(block.span)
        .context(block.header.clone())
}

struct Planner<'a> {
    template: &'a HclTemplate,
    /// What stands before the names of its builds.
    prefix: &'a str,
    components: &'a dyn Components,
    sources: &'a Sources,
    /// The sources of modules that builds refer to, by the module's name.
    modules: HashMap<String, Arc<ModuleSources<'a>>>,
    scope: Scope,
    /// Sources whose type was found unknown; said once.
    checked: HashSet<String>,
    names: Vec<String>,
    problems: Diagnostics,
}

fn module_source_changed(used: &SourceUse, block: &BuildBlock) -> Diagnostic {
    Diagnostic::error("Unsupported argument")
        .detail("A build can give a module's source another name, but no options.")
        .at(used.span)
        .context(block.header.clone())
        .hint(
            "Make the option a variable of the module, and set it in the module block.".to_owned(),
        )
}

/// Where a source comes from, when it is a module's.
struct ModuleSources<'a> {
    template: &'a HclTemplate,
    sources: Sources,
}

/// What a reference stands for, with the module it is in.
type Found<'a> = (Target, Option<Arc<ModuleSources<'a>>>);

impl<'a> Planner<'a> {
    /// What a reference stands for. `module.NAME.TYPE.SOURCE` is a source of a module.
    fn targets(&mut self, used: &SourceUse) -> Vec<Found<'a>> {
        let own = |target| (target, None);
        let parts = used.text.strip_prefix("module.");
        let Some((name, rest)) = parts.and_then(|text| text.split_once('.')) else {
            return self.sources.targets(used).into_iter().map(own).collect();
        };
        let modules = &self.template.modules;
        let Some(module) = modules.iter().find(|module| module.block.name == name) else {
            return self.sources.targets(used).into_iter().map(own).collect();
        };
        let components = self.components;
        let from = self.modules.entry(name.to_owned()).or_insert_with(|| {
            // The problems of the module's blocks are reported with its own builds.
            let (blocks, _) = module.template.blocks(Some(components));
            Arc::new(ModuleSources {
                template: &module.template,
                sources: blocks.sources,
            })
        });
        let within = SourceUse::within(rest, used);
        let targets = from.sources.targets(&within).into_iter();
        targets
            .map(|target| (target, Some(Arc::clone(from))))
            .collect()
    }

    /// Whether plugins offer every provisioner and post-processor of a block.
    fn check_components(&mut self, block: &BuildBlock) -> bool {
        let before = self.problems.len();
        for provisioner in &block.provisioners {
            self.check_type(
                ComponentKind::Provisioner,
                &provisioner.type_name,
                "provisioner",
                (provisioner.type_span, &provisioner.header),
            );
        }
        if let Some(cleanup) = &block.error_cleanup {
            self.check_type(
                ComponentKind::Provisioner,
                &cleanup.type_name,
                "error-cleanup-provisioner",
                (cleanup.type_span, &cleanup.header),
            );
        }
        for post_processor in block.post_processors.iter().flatten() {
            self.check_type(
                ComponentKind::PostProcessor,
                &post_processor.type_name,
                "post-processor",
                (post_processor.type_span, &post_processor.header),
            );
        }
        self.problems.len() == before
    }

    fn check_type(
        &mut self,
        kind: ComponentKind,
        name: &str,
        block: &str,
        (span, header): (Span, &str),
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
        (used, target, from): (&SourceUse, &Target, Option<Arc<ModuleSources<'a>>>),
        usable: bool,
        filters: &mut Filters,
    ) -> Option<Build> {
        let sources = from.as_ref().map_or(self.sources, |from| &from.sources);
        let Some(source) = sources.get(&target.key) else {
            let problem = unknown_source(&target.key, used.span, sources);
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
        if !known || !usable {
            return None;
        }
        let names = SourceNames {
            type_name: target.key.type_name.clone(),
            label: target.key.name.clone(),
            local_name: target.local_name.clone(),
            group: target.group.clone(),
        };
        let mut locals = vec![local];
        let group = names.group.as_ref();
        locals.extend(group.map(|group| format!("{}.{group}", names.type_name)));
        let surroundings = self.surroundings(&names, Some(block.name.clone()));
        let provisioner = |block: &ProvisionerBlock| plan_provisioner(block, &names, &surroundings);
        let wanted = |block: &&ProvisionerBlock| !block.filter.skips(&locals);
        let provisioners = block
            .provisioners
            .iter()
            .filter(wanted)
            .map(provisioner)
            .collect();
        let error_cleanup = block.error_cleanup.as_ref().filter(wanted).map(provisioner);
        let chains = block.post_processors.iter();
        let post_processors = chains
            .map(|chain| plan_chain(chain, &locals, &surroundings, filters))
            .filter(|chain| !chain.is_empty())
            .collect();
        Some(Build {
            name,
            block_name: block.name.clone(),
            builder_type: target.key.type_name.clone(),
            source_name: target.key.name.clone(),
            source: self.plan_source(used, source, &names, from.as_deref()),
            provisioners,
            error_cleanup,
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
        from: Option<&ModuleSources<'_>>,
    ) -> Component {
        let mut bodies = vec![ComponentBody {
            body: Arc::clone(&source.body),
            ignored: match source.instance {
                true => &ARGUMENTS,
                false => &[],
            },
        }];
        let addition = used.addition.clone();
        bodies.extend(addition.map(|body| ComponentBody {
            body,
            ignored: &["name"],
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
            source: ComponentSource::Hcl(Arc::new(source_body)),
        }
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
        let group = || overrides.value.get(names.group.as_ref()?);
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
            ignored: block.ignored,
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
    chain: &[PostProcessorBlock],
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
                ignored: block.ignored,
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
                source: ComponentSource::Hcl(Arc::new(source)),
            },
            name: block.name.clone(),
            keep_input_artifact: block.keep_input_artifact,
        });
    }
    planned
}
