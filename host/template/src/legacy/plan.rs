//! From sections to the plan of builds.

use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Span, nearest};
use sdk_go_template::Context;

use crate::legacy::component::{LegacyComponent, Surroundings};
use crate::legacy::sections::{BuilderEntry, Options, PostProcessorEntry, ProvisionerEntry};
use crate::legacy::template::LegacyTemplate;
use crate::model::{
    Build, Component, ComponentKind, ComponentSource, Components, PostProcessor, ProvisionerPlan,
};

/// The plan of `template`, sorted by name. Builds with something wrong are left out; problems say
/// what it is.
pub(crate) fn plan(
    template: &LegacyTemplate,
    components: &dyn Components,
) -> (Vec<Build>, Diagnostics) {
    let mut planner = Planner {
        template,
        components,
        problems: Diagnostics::new(),
    };
    let only = planner.rendered_names(&template.options.only);
    let except = planner.rendered_names(&template.options.except);
    let mut named = Vec::new();
    for builder in &template.document.sections.builders {
        match template.render(&builder.name) {
            Ok(name) => named.push((name, builder)),
            Err(error) => {
                let summary = format!("Failed to initialize build \"{}\"", builder.name);
                let problem = Diagnostic::error(summary)
                    .detail(format!("The name cannot be rendered: {}.", error.message));
                planner.problems.push(problem.at(builder.span));
            }
        }
    }
    named.sort_by(|left, right| left.0.cmp(&right.0));
    let mut builds = Vec::new();
    for (name, builder) in named {
        let wanted = (only.is_empty() || only.contains(&name)) && !except.contains(&name);
        if wanted {
            builds.extend(planner.build(&name, builder, &except));
        }
    }
    (builds, planner.problems)
}

struct Planner<'a> {
    template: &'a LegacyTemplate,
    components: &'a dyn Components,
    problems: Diagnostics,
}

impl Planner<'_> {
    /// Names on the command line may hold template calls too.
    fn rendered_names(&mut self, names: &[String]) -> Vec<String> {
        let mut rendered = Vec::new();
        for name in names {
            match self.template.render(name) {
                Ok(name) => rendered.push(name),
                Err(error) => self.problems.push(
                    Diagnostic::error(format!("Invalid build name {name}"))
                        .detail(format!("It cannot be rendered: {}.", error.message)),
                ),
            }
        }
        rendered
    }

    fn build(&mut self, name: &str, builder: &BuilderEntry, except: &[String]) -> Option<Build> {
        let before = self.problems.len();
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
        if self.problems.len() > before {
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

    fn surroundings(&self, name: &str, builder: &BuilderEntry) -> Arc<Surroundings> {
        let context = Context {
            build_name: Some(name.to_owned()),
            build_type: Some(builder.type_name.clone()),
            ..self.template.context()
        };
        Arc::new(Surroundings {
            context,
            user: Arc::clone(&self.template.user),
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
        Some(Component {
            kind: entry.kind,
            type_name: entry.type_name.to_owned(),
            span: Some(entry.span),
            header: format!("{} {:?}", entry.word(), entry.type_name),
            source: ComponentSource::Legacy(Arc::new(source)),
        })
    }

    fn unknown(&mut self, entry: &Entry<'_>, build: &str) {
        let known = self.components.names(entry.kind);
        let near = nearest(entry.type_name, known.iter().map(String::as_str));
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
        self.problems.push(
            Diagnostic::error(format!("Failed to initialize build \"{build}\""))
                .detail(detail)
                .at(entry.span)
                .context(format!("{} {:?}", entry.word(), entry.type_name)),
        );
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
            overrides: entry.overrides.get(raw_name),
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
        let rendered = self.template.render(text);
        let count = match &rendered {
            Ok(text) if text.trim().is_empty() => Ok(0),
            Ok(text) => text
                .trim()
                .parse()
                .map_err(|_| format!("`{text}` is not a whole number")),
            Err(error) => Err(error.message.clone()),
        };
        match count {
            Ok(count) => Some(count),
            Err(reason) => {
                self.problems.push(
                    Diagnostic::error(format!("Failed to initialize build \"{build}\""))
                        .detail(format!("'max_retries' cannot be used: {reason}."))
                        .at(span),
                );
                None
            }
        }
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
