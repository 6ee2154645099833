//! From sections to the plan of builds.

use std::collections::HashSet;
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Span, nearest};
use sdk_go_template::{Context, TemplateError};

use crate::legacy::component::{LegacyComponent, Surroundings};
use crate::legacy::sections::{BuilderEntry, Options, PostProcessorEntry, ProvisionerEntry};
use crate::legacy::template::LegacyTemplate;
use crate::model::{
    Build, Component, ComponentKind, ComponentSource, Components, Generated, PostProcessor,
    ProvisionerPlan,
};

/// Most builds that a problem of all of them names.
const MOST_NAMES: usize = 5;

/// The plan of `template`, sorted by name. Builds with something wrong are left out; problems say
/// what it is. A template in which initialising found errors has no plan.
pub(crate) fn plan(
    template: &LegacyTemplate,
    components: &dyn Components,
) -> (Vec<Build>, Diagnostics) {
    match template.is_broken {
        true => (Vec::new(), Diagnostics::new()),
        false => {
            let (builds, dropped, mut problems) = builds(template, components);
            problems.extend(option_problems(&dropped, components));
            (builds, problems)
        }
    }
}

/// What else is wrong with a template that has errors: unknown components and options, calls that
/// cannot be rendered. Variables without value count as not known.
pub(crate) fn all_problems(template: &LegacyTemplate, components: &dyn Components) -> Diagnostics {
    let (builds, dropped, mut problems) = builds(template, components);
    let mut all = dropped;
    for build in builds {
        let provisioners = build.provisioners.into_iter().chain(build.error_cleanup);
        let post_processors = build.post_processors.into_iter().flatten();
        all.push(build.source);
        all.extend(provisioners.map(|one| one.component));
        all.extend(post_processors.map(|one| one.component));
    }
    problems.extend(option_problems(&all, components));
    problems
}

/// What is wrong with the options of some components.
fn option_problems(all: &[Component], components: &dyn Components) -> Diagnostics {
    let mut problems = Diagnostics::new();
    let mut known = HashSet::new();
    for component in all {
        let Some(schema) = components.schema(component.kind, &component.type_name) else {
            continue;
        };
        let (_, found) = component.configure(schema, &Generated::Later);
        // What is shared by builds is wrong in each of them.
        let found = found.into_iter();
        problems.extend(found.filter(|one| known.insert((one.subject, one.summary.clone()))));
    }
    problems
}

/// The builds, and the known components of those that cannot be.
fn builds(
    template: &LegacyTemplate,
    components: &dyn Components,
) -> (Vec<Build>, Vec<Component>, Diagnostics) {
    let mut planner = Planner {
        template,
        components,
        problems: Diagnostics::new(),
        affected: Vec::new(),
        parts: Vec::new(),
        dropped: Vec::new(),
    };
    let only = planner.rendered_names(&template.options.only);
    let except = planner.rendered_names(&template.options.except);
    let mut builds = Vec::new();
    for (name, builder) in planner.named_builders() {
        let wanted = (only.is_empty() || only.contains(&name)) && !except.contains(&name);
        if wanted {
            builds.extend(planner.build(&name, builder, &except));
        }
    }
    let dropped = std::mem::take(&mut planner.dropped);
    (builds, dropped, planner.finish())
}

struct Planner<'a> {
    template: &'a LegacyTemplate,
    components: &'a dyn Components,
    problems: Diagnostics,
    /// The builds that each problem with an entry is about, by its place.
    affected: Vec<(Span, Vec<String>)>,
    /// The components of the build at hand.
    parts: Vec<Component>,
    /// Those of builds that cannot be, because something about them is wrong.
    dropped: Vec<Component>,
}

impl<'a> Planner<'a> {
    /// All builders by their rendered names, sorted.
    fn named_builders(&mut self) -> Vec<(String, &'a BuilderEntry)> {
        let template = self.template;
        let mut named: Vec<(String, &BuilderEntry)> = Vec::new();
        for builder in &template.document.sections.builders {
            let rendered = match template.rendered(&builder.name) {
                Ok(rendered) => rendered,
                Err(error) => {
                    let place = &template.texts;
                    let place = place.action(builder.name_span, &builder.name, error.offset);
                    let summary = format!("Failed to initialize build \"{}\"", builder.name);
                    let detail = format!("The name cannot be rendered: {}", sentence(&error));
                    let problem = Diagnostic::error(summary).detail(detail);
                    self.problems.push(problem.at(place));
                    continue;
                }
            };
            let is_certain = rendered.waits_for.is_empty();
            let first = named.iter().find(|(name, _)| *name == rendered.text);
            if let Some((name, first)) = first.filter(|_| is_certain) {
                let summary = format!("builder with name '{name}' already exists");
                let problem = Diagnostic::error(summary)
                    .detail("The names of two builders are the same when they are rendered.")
                    .at(builder.name_span)
                    .related(first.name_span, "the first one is here");
                let hint = "Give each of them a \"name\" of its own.";
                self.problems.push(problem.hint(hint.to_owned()));
                continue;
            }
            named.push((rendered.text, builder));
        }
        named.sort_by(|left, right| left.0.cmp(&right.0));
        named
    }

    /// Reports a problem with an entry that several builds may share; it is told once.
    fn report(&mut self, problem: Diagnostic, place: Span, build: &str) {
        match self.affected.iter_mut().find(|(known, _)| *known == place) {
            Some((_, builds)) => builds.push(build.to_owned()),
            None => {
                self.affected.push((place, vec![build.to_owned()]));
                self.problems.push(problem);
            }
        }
    }

    /// All problems, each with the builds that it is about.
    fn finish(self) -> Diagnostics {
        let mut problems = self.problems;
        for (place, builds) in self.affected {
            let Some((_, others)) = builds.split_first().filter(|(_, more)| !more.is_empty())
            else {
                continue;
            };
            let count = others.len();
            let shown: Vec<String> = others
                .iter()
                .take(MOST_NAMES)
                .map(|name| format!("`{name}`"))
                .collect();
            let rest = match count.saturating_sub(MOST_NAMES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let text = format!("The same holds for build {}{rest}.", shown.join(", "));
            for problem in &mut problems {
                if problem.subject == Some(place) {
                    let detail = [problem.detail.as_str(), &text].join(" ");
                    detail.trim_start().clone_into(&mut problem.detail);
                }
            }
        }
        problems
    }

    /// Names on the command line may hold template calls too.
    fn rendered_names(&mut self, names: &[String]) -> Vec<String> {
        let mut rendered = Vec::new();
        for name in names {
            match self.template.render(name) {
                Ok(name) => rendered.push(name),
                Err(error) => self.problems.push(
                    Diagnostic::error(format!("Invalid build name {name}"))
                        .detail(format!("It cannot be rendered: {}", sentence(&error))),
                ),
            }
        }
        rendered
    }

    fn build(&mut self, name: &str, builder: &BuilderEntry, except: &[String]) -> Option<Build> {
        let before = self.reported();
        let surroundings = self.surroundings(name, builder);
        let raw_name = builder.name.as_str();
        let sections = &self.template.document.sections;
        let source = self.component(
            Entry::new(
                ComponentKind::Builder,
                &builder.type_name,
                &builder.options,
                builder.span,
            ),
            name,
            &surroundings,
        );
        let mut provisioners = Vec::new();
        for entry in sections
            .provisioners
            .iter()
            .filter(|entry| !entry.filter.skips(raw_name))
        {
            provisioners.extend(self.provisioner(entry, name, raw_name, &surroundings));
        }
        let cleanup = sections.error_cleanup.as_ref();
        let error_cleanup =
            cleanup.and_then(|entry| self.provisioner(entry, name, raw_name, &surroundings));
        let mut chains = Vec::new();
        for chain in &sections.post_processors {
            let planned = self.chain(chain, name, raw_name, except, &surroundings);
            chains.extend((!planned.is_empty()).then_some(planned));
        }
        let mut parts = std::mem::take(&mut self.parts);
        if self.reported() > before {
            self.dropped.append(&mut parts);
            return None;
        }
        Some(Build {
            name: match name == builder.type_name {
                true => name.to_owned(),
                false => format!("{}.{name}", builder.type_name),
            },
            block_name: String::new(),
            builder_type: builder.type_name.clone(),
            source_name: name.to_owned(),
            source: source?,
            provisioners,
            error_cleanup,
            post_processors: chains,
            template_dir: self.template.folder(),
            template_path: self.template.path.clone(),
            user_variables: self.template.user.values.clone(),
        })
    }

    /// How much has been found wrong, what was told already included.
    fn reported(&self) -> usize {
        let repeated: usize = self.affected.iter().map(|(_, builds)| builds.len()).sum();
        self.problems.len() + repeated
    }

    fn surroundings(&self, name: &str, builder: &BuilderEntry) -> Arc<Surroundings> {
        let context = Context {
            build_name: Some(name.to_owned()),
            build_type: Some(builder.type_name.clone()),
            ..self.template.context()
        };
        Arc::new(Surroundings {
            context,
            user: Arc::clone(&self.template.user),
            texts: Arc::clone(&self.template.texts),
        })
    }

    /// The component, if a plugin offers it.
    fn component(
        &mut self,
        entry: Entry<'_>,
        build: &str,
        surroundings: &Arc<Surroundings>,
    ) -> Option<Component> {
        if self
            .components
            .schema(entry.kind, entry.type_name)
            .is_none()
        {
            self.unknown(&entry, build);
            return None;
        }
        let source = LegacyComponent {
            options: Arc::clone(entry.options),
            overrides: entry.overrides.cloned(),
            surroundings: Arc::clone(surroundings),
        };
        let component = Component {
            kind: entry.kind,
            type_name: entry.type_name.to_owned(),
            span: Some(entry.span),
            header: format!("{} {:?}", entry.word(), entry.type_name),
            instance: None,
            source: ComponentSource::Legacy(Arc::new(source)),
        };
        self.parts.push(component.clone());
        Some(component)
    }

    fn unknown(&mut self, entry: &Entry<'_>, build: &str) {
        let known = self.components.names(entry.kind);
        let near = nearest(entry.type_name, known.iter().map(String::as_str));
        let place = entry.span;
        let detail = match near {
            Some(near) => format!("Did you mean to use \"{near}\"?"),
            None => format!(
                "The {} {} is unknown: no installed plugin offers it. Plugins and what they offer \
                 are listed at https://developer.hashicorp.com/packer/integrations. Known here: {}",
                entry.word(),
                entry.type_name,
                known.join(", ")
            ),
        };
        let problem = Diagnostic::error(format!("Failed to initialize build \"{build}\""))
            .detail(detail)
            .at(place)
            .context(format!("{} {:?}", entry.word(), entry.type_name));
        self.report(problem, place, build);
    }

    fn provisioner(
        &mut self,
        entry: &ProvisionerEntry,
        name: &str,
        raw_name: &str,
        surroundings: &Arc<Surroundings>,
    ) -> Option<ProvisionerPlan> {
        let (kind, type_name) = (ComponentKind::Provisioner, entry.type_name.as_str());
        let source = Entry {
            overrides: entry.overrides.get(raw_name).map(|over| &over.options),
            ..Entry::new(kind, type_name, &entry.options, entry.span)
        };
        let component = self.component(source, name, surroundings)?;
        let max_retries = match &entry.max_retries {
            None => 0,
            Some((text, span)) => self.count(text, *span, name)?,
        };
        Some(ProvisionerPlan {
            component,
            pause_before: entry.pause_before,
            timeout: entry.timeout,
            max_retries,
            continue_on_error: false,
        })
    }

    fn count(&mut self, text: &str, span: Span, build: &str) -> Option<u32> {
        let (reason, place) = match self.template.rendered(text) {
            // Without its variables it can be anything.
            Ok(rendered) if !rendered.waits_for.is_empty() => return Some(0),
            Ok(rendered) => match rendered.text.trim() {
                "" => return Some(0),
                text => match text.parse() {
                    Ok(count) => return Some(count),
                    Err(_) => (format!("`{text}` is not a whole number."), span),
                },
            },
            Err(error) => {
                let place = self.template.texts.action(span, text, error.offset);
                (sentence(&error), place)
            }
        };
        let problem = Diagnostic::error(format!("Failed to initialize build \"{build}\""))
            .detail(format!("'max_retries' cannot be used: {reason}"))
            .at(place);
        self.report(problem, place, build);
        None
    }

    /// The members of a chain that run for this build; `-except` cuts the rest off.
    fn chain(
        &mut self,
        chain: &[PostProcessorEntry],
        name: &str,
        raw_name: &str,
        except: &[String],
        surroundings: &Arc<Surroundings>,
    ) -> Vec<PostProcessor> {
        let mut planned = Vec::new();
        for entry in chain {
            if entry.filter.skips(raw_name) {
                continue;
            }
            if except.contains(&entry.name) {
                break;
            }
            let kind = ComponentKind::PostProcessor;
            let source = Entry::new(kind, &entry.type_name, &entry.options, entry.span);
            if let Some(component) = self.component(source, name, surroundings) {
                let (name, keep_input_artifact) = (entry.name.clone(), entry.keep_input_artifact);
                planned.push(PostProcessor {
                    component,
                    name,
                    keep_input_artifact,
                });
            }
        }
        planned
    }
}

/// What went wrong with a call, as the end of a sentence.
fn sentence(error: &TemplateError) -> String {
    let end = if error.message.ends_with('?') {
        ""
    } else {
        "."
    };
    format!("{}{end}", error.message)
}

/// What a component is made of.
struct Entry<'a> {
    kind: ComponentKind,
    type_name: &'a str,
    options: &'a Options,
    overrides: Option<&'a Options>,
    span: Span,
}

impl<'a> Entry<'a> {
    fn new(kind: ComponentKind, type_name: &'a str, options: &'a Options, span: Span) -> Self {
        Self {
            kind,
            type_name,
            options,
            overrides: None,
            span,
        }
    }

    fn word(&self) -> &'static str {
        match self.kind {
            ComponentKind::Builder => "builder",
            ComponentKind::Provisioner => "provisioner",
            ComponentKind::PostProcessor => "post-processor",
            ComponentKind::DataSource => "data source",
        }
    }
}
