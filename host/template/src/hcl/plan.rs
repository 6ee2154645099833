//! From build blocks to the plan: which source runs with which provisioners and post-processors.

use std::collections::HashSet;
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Span, nearest};
use host_eval::Scope;

use crate::filter::Patterns;
use crate::hcl::build::{BuildBlock, SourceUse};
use crate::hcl::component::{ComponentBody, HclComponent};
use crate::hcl::post_processor::{self, PostProcessorBlock};
use crate::hcl::provisioner::{self, Overrides, ProvisionerBlock};
use crate::hcl::source::{Source, Sources, unknown_source};
use crate::hcl::surroundings::{SourceNames, Surroundings};
use crate::hcl::template::HclTemplate;
use crate::model::{
    Build, Component, ComponentKind, ComponentSource, Components, PostProcessor, ProvisionerPlan,
};

/// The plan of `template`. Builds with something wrong are left out; problems say what it is.
pub(crate) fn plan(
    template: &HclTemplate,
    components: &dyn Components,
) -> (Vec<Build>, Diagnostics) {
    let (blocks, mut problems) = template.blocks();
    if blocks.builds.is_empty() && !problems.iter().any(Diagnostic::is_error) {
        problems.push(
            Diagnostic::error("Missing build block")
                .detail("A template needs a build block that says which sources to run.")
                .hint("Add `build { sources = [\"source.TYPE.NAME\"] }`.".to_owned()),
        );
    }
    let mut filters = Filters::new(template, &mut problems);
    let mut planner = Planner {
        template,
        components,
        sources: &blocks.sources,
        scope: template.scope(),
        checked: HashSet::new(),
        names: Vec::new(),
        problems,
    };
    let mut builds = Vec::new();
    for block in &blocks.builds {
        let usable = planner.check_components(block);
        for used in &block.uses {
            builds.extend(planner.build(block, used, usable, &mut filters));
        }
    }
    let (names, mut problems) = (planner.names, planner.problems);
    filters.warn(&names, &mut problems);
    (builds, problems)
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

struct Planner<'a> {
    template: &'a HclTemplate,
    components: &'a dyn Components,
    sources: &'a Sources,
    scope: Scope,
    /// Sources whose type was found unknown; said once.
    checked: HashSet<String>,
    names: Vec<String>,
    problems: Diagnostics,
}

impl Planner<'_> {
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
        used: &SourceUse,
        usable: bool,
        filters: &mut Filters,
    ) -> Option<Build> {
        let Some(source) = self.sources.get(&used.key) else {
            let problem = unknown_source(&used.key, used.span, self.sources);
            self.problems.push(problem.context(block.header.clone()));
            return None;
        };
        let local = format!("{}.{}", used.key.type_name, used.local_name);
        let name = match block.name.as_str() {
            "" => local.clone(),
            prefix => format!("{prefix}.{local}"),
        };
        self.names.push(name.clone());
        if !filters.wants(&name) {
            return None;
        }
        let known = self.check_source_type(used, source);
        if !known || !usable {
            return None;
        }
        let names = SourceNames {
            type_name: used.key.type_name.clone(),
            label: used.key.name.clone(),
            local_name: used.local_name.clone(),
        };
        let surroundings = self.surroundings(&names, Some(block.name.clone()));
        let provisioner = |block: &ProvisionerBlock| plan_provisioner(block, &names, &surroundings);
        let wanted = |block: &&ProvisionerBlock| !block.filter.skips(&local);
        let provisioners = block
            .provisioners
            .iter()
            .filter(wanted)
            .map(provisioner)
            .collect();
        let error_cleanup = block.error_cleanup.as_ref().filter(wanted).map(provisioner);
        let chains = block.post_processors.iter();
        let post_processors = chains
            .map(|chain| plan_chain(chain, &local, &surroundings, filters))
            .filter(|chain| !chain.is_empty())
            .collect();
        Some(Build {
            name,
            block_name: block.name.clone(),
            builder_type: used.key.type_name.clone(),
            source_name: used.key.name.clone(),
            source: self.plan_source(used, source, &names),
            provisioners,
            error_cleanup,
            post_processors,
            template_dir: self.template.folder(),
            template_path: std::path::PathBuf::new(),
            user_variables: std::collections::BTreeMap::new(),
        })
    }

    fn surroundings(&self, names: &SourceNames, build_name: Option<String>) -> Arc<Surroundings> {
        let (scope, names) = (self.scope.clone(), Some(names.clone()));
        Arc::new(Surroundings::new(
            scope,
            names,
            build_name,
            &self.template.options,
        ))
    }

    fn check_source_type(&mut self, used: &SourceUse, source: &Source) -> bool {
        let name = &used.key.type_name;
        if self
            .components
            .schema(ComponentKind::Builder, name)
            .is_some()
        {
            return true;
        }
        if self.checked.insert(used.key.to_string()) {
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

    fn plan_source(&self, used: &SourceUse, source: &Source, names: &SourceNames) -> Component {
        let mut bodies = vec![ComponentBody {
            body: Arc::clone(&source.body),
            ignored: &[],
        }];
        let addition = used.addition.clone();
        bodies.extend(addition.map(|body| ComponentBody {
            body,
            ignored: &["name"],
        }));
        let source_body = HclComponent {
            bodies,
            overrides: None,
            surroundings: self.surroundings(names, None),
        };
        Component {
            kind: ComponentKind::Builder,
            type_name: used.key.type_name.clone(),
            span: Some(source.span),
            header: source.header.clone(),
            source: ComponentSource::Hcl(Arc::new(source_body)),
        }
    }
}

fn plan_provisioner(
    block: &ProvisionerBlock,
    names: &SourceNames,
    surroundings: &Arc<Surroundings>,
) -> ProvisionerPlan {
    let overrides = block.overrides.as_ref().and_then(|overrides| {
        let value = overrides.value.get(&names.local_name)?.clone();
        Some(Overrides {
            value,
            span: overrides.span,
        })
    });
    let source = HclComponent {
        bodies: vec![ComponentBody {
            body: Arc::clone(&block.body),
            ignored: &provisioner::META_ARGUMENTS,
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

/// The members of a chain that run for the source `local`; `-except` cuts the rest off.
fn plan_chain(
    chain: &[PostProcessorBlock],
    local: &str,
    surroundings: &Arc<Surroundings>,
    filters: &mut Filters,
) -> Vec<PostProcessor> {
    let mut planned = Vec::new();
    for block in chain.iter().filter(|block| !block.filter.skips(local)) {
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
                ignored: &post_processor::META_ARGUMENTS,
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
