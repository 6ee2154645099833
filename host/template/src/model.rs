//! The plan a template amounts to.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use host_diag::{Diagnostics, Shown, Span};
use host_eval::{Scope, Value};
use sdk_go_template::TemplateError;

use crate::remedies::with_remedies;
use crate::schema::Schema;
use crate::written::Origins;

/// The kinds of components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ComponentKind {
    /// Makes machines.
    Builder,
    /// Changes machines.
    Provisioner,
    /// Works on artifacts.
    PostProcessor,
    /// Looks things up.
    DataSource,
}

/// What a template needs to know of the plugins. Implemented by the plugin registry.
#[async_trait]
pub trait Components: Send + Sync {
    /// The schema of a component; `None` when no plugin offers it.
    fn schema(&self, kind: ComponentKind, name: &str) -> Option<&Schema>;

    /// All names of a kind, sorted.
    fn names(&self, kind: ComponentKind) -> Vec<String>;

    /// What there is instead of a plugin that a template asks for, a line for each; `None` when the
    /// plugin is there. Unless something better is known, it is there when a component is called
    /// after it.
    fn missing_plugin(&self, required: &crate::RequiredPlugin) -> Option<Vec<String>> {
        let there = crate::hcl::stands_for(self, required);
        (!there).then(Vec::new)
    }

    /// Runs a data source; with `execute` false only its configuration is checked and the result is
    /// unknown.
    async fn read_data(
        &self,
        name: &str,
        config: &Configured,
        execute: bool,
    ) -> (Value, Diagnostics);
}

/// A loaded template.
#[derive(Debug)]
pub struct Template {
    pub(crate) inner: TemplateKind,
}

#[derive(Debug)]
pub(crate) enum TemplateKind {
    Hcl(Box<crate::hcl::HclTemplate>),
    Legacy(Box<crate::legacy::LegacyTemplate>),
}

impl Template {
    /// Evaluates variables, data sources and locals. `execute_data` false leaves data unknown.
    pub async fn initialize(
        &mut self,
        components: &dyn Components,
        execute_data: bool,
    ) -> Diagnostics {
        let problems = match &mut self.inner {
            TemplateKind::Hcl(template) => {
                crate::hcl::initialize(template, components, execute_data).await
            }
            TemplateKind::Legacy(template) => template.initialize(components),
        };
        with_remedies(problems)
    }

    /// The plan: what `-only` and `-except` leave, in the order builds start. Builds with something
    /// wrong are not in it.
    #[must_use]
    pub fn builds(&self, components: &dyn Components) -> (Vec<Build>, Diagnostics) {
        let (builds, problems) = match &self.inner {
            TemplateKind::Hcl(template) => crate::hcl::plan(template, components),
            TemplateKind::Legacy(template) => crate::legacy::plan(template, components),
        };
        (builds, with_remedies(problems))
    }

    /// The plain text of everything marked sensitive so far: whole values, and each line of those
    /// with several.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        match &self.inner {
            TemplateKind::Hcl(template) => template.secrets(),
            TemplateKind::Legacy(template) => template.secrets(),
        }
    }

    /// What `inspect` prints, in Packer's form and without the last line break; machine-readable
    /// lines as (type, arguments).
    #[must_use]
    pub fn inspect(&self) -> (String, Vec<(String, Vec<String>)>) {
        match &self.inner {
            TemplateKind::Hcl(template) => (crate::hcl::inspect(template), Vec::new()),
            TemplateKind::Legacy(template) => crate::legacy::inspect(template),
        }
    }

    /// Data sources as expressions name them (`data.http.page`), in the order of the template.
    #[must_use]
    pub fn data_sources(&self) -> Vec<String> {
        match &self.inner {
            TemplateKind::Hcl(template) => template.data_sources(),
            TemplateKind::Legacy(_) => Vec::new(),
        }
    }

    /// The plugins the template asks for; none in legacy JSON.
    #[must_use]
    pub fn required_plugins(&self) -> &[crate::RequiredPlugin] {
        match &self.inner {
            TemplateKind::Hcl(template) => &template.required_plugins,
            TemplateKind::Legacy(_) => &[],
        }
    }

    /// Kind and type of every component it names, sorted; known without evaluating anything.
    #[must_use]
    pub fn used_components(&self) -> Vec<(ComponentKind, String)> {
        match &self.inner {
            TemplateKind::Hcl(template) => crate::hcl::used_components(template),
            TemplateKind::Legacy(template) => template.used_components(),
        }
    }

    /// Whether some of its text could not be read, so that options may be missing.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        match &self.inner {
            TemplateKind::Hcl(template) => template.damaged,
            TemplateKind::Legacy(_) => false,
        }
    }

    /// The required plugins that nothing in `components` stands for, in one problem.
    #[must_use]
    pub fn missing_plugins(&self, components: &dyn Components) -> Option<host_diag::Diagnostic> {
        crate::hcl::missing_plugins(self.required_plugins(), components)
    }

    /// What expressions in the console can see: variables, locals, `path`, `packer` and all
    /// functions, but not `data`. `None` for legacy JSON, where [`Template::render`] takes its place.
    #[must_use]
    pub fn console_scope(&self) -> Option<Scope> {
        match &self.inner {
            TemplateKind::Hcl(template) => Some(template.console_scope()),
            TemplateKind::Legacy(_) => None,
        }
    }

    /// Renders a line of the console of a legacy JSON template; `None` for HCL2.
    #[must_use]
    pub fn render(&self, text: &str) -> Option<Result<String, TemplateError>> {
        match &self.inner {
            TemplateKind::Hcl(_) => None,
            TemplateKind::Legacy(template) => Some(template.render(text)),
        }
    }

    /// Every variable that is not sensitive and has a value, by name: text as it is, other values
    /// as the console prints them.
    #[must_use]
    pub fn public_variables(&self) -> BTreeMap<String, String> {
        match &self.inner {
            TemplateKind::Hcl(template) => template.public_variables(),
            TemplateKind::Legacy(template) => template.public_variables(),
        }
    }

    /// Name and printed value of every variable and local of HCL2, or of every user variable,
    /// sorted: what the console lists. Sensitive ones read `<sensitive>`.
    #[must_use]
    pub fn console_variables(&self) -> Vec<(String, String)> {
        match &self.inner {
            TemplateKind::Hcl(template) => template.console_variables(),
            TemplateKind::Legacy(template) => template.console_variables(),
        }
    }
}

/// One build of the plan: a source with everything that runs for it. Filters inside the template
/// (`only`, `except`) and `override` are already applied.
#[derive(Debug)]
pub struct Build {
    /// Name in all output: `[block.]type.name` in HCL2; in JSON the name, or `type.name` when the
    /// two differ.
    pub name: String,
    /// `build.name`; empty when the block has none.
    pub block_name: String,
    /// Builder type.
    pub builder_type: String,
    /// `PACKER_BUILD_NAME`: label of the source block, or the JSON builder's name.
    pub source_name: String,
    /// The builder.
    pub source: Component,
    /// In order.
    pub provisioners: Vec<ProvisionerPlan>,
    /// Runs when the build failed.
    pub error_cleanup: Option<ProvisionerPlan>,
    /// Chains, in order.
    pub post_processors: Vec<Vec<PostProcessor>>,
    /// Absolute folder of the template; empty when it came from standard input.
    pub template_dir: std::path::PathBuf,
    /// Path of a legacy JSON template; empty for HCL2.
    pub template_path: std::path::PathBuf,
    /// User variables of a legacy JSON template, rendered.
    pub user_variables: std::collections::BTreeMap<String, String>,
}

/// A provisioner of a build.
#[derive(Debug)]
pub struct ProvisionerPlan {
    /// The component.
    pub component: Component,
    /// Wait before it; `timeout` is ignored then, as in Packer.
    pub pause_before: Option<Duration>,
    /// Limit of one try.
    pub timeout: Option<Duration>,
    /// Further tries after a failure.
    pub max_retries: u32,
    /// Whether a failure is only a warning.
    pub continue_on_error: bool,
}

/// A post-processor of a chain.
#[derive(Debug)]
pub struct PostProcessor {
    /// The component.
    pub component: Component,
    /// As the template names it; empty in HCL2 when it does not, the type in JSON.
    pub name: String,
    /// What the template says about the input.
    pub keep_input_artifact: Option<bool>,
}

/// The values of a machine that expressions can use as `build.NAME`.
#[derive(Clone, Debug)]
pub enum Generated {
    /// Before the run: the names that will be there, each a placeholder (`<unknown>`), so that a
    /// component can check what is made of them.
    Names(Vec<String>),
    /// Before the run, to show a plan: nothing is known of the machine, and values that are not
    /// known stay so ([`Configured::waits_for`] tells until when).
    Later,
    /// During the run.
    Values(std::collections::BTreeMap<String, Value>),
}

/// A component with the configuration the template gives it, not yet evaluated.
#[derive(Debug, Clone)]
pub struct Component {
    /// What it is.
    pub kind: ComponentKind,
    /// Its type, as templates name it.
    pub type_name: String,
    /// The block's header, for diagnostics.
    pub span: Option<Span>,
    /// The header as it reads: `provisioner "shell"`; that of an instance has its key behind it,
    /// `provisioner "shell" ["key"]`.
    pub header: String,
    /// Key or number of the instance, when `for_each` or `count` made its block.
    pub instance: Option<String>,
    pub(crate) source: ComponentSource,
}

/// Where the configuration comes from and what it can see. Owned by `hcl` and `legacy`.
#[derive(Debug, Clone)]
pub(crate) enum ComponentSource {
    Hcl(std::sync::Arc<crate::hcl::HclComponent>),
    Legacy(std::sync::Arc<crate::legacy::LegacyComponent>),
}

impl Component {
    /// Evaluates the configuration against `schema`: unknown options (with the nearest name), wrong
    /// types and missing required options are errors. Go template calls are rendered, except in
    /// attributes the schema calls late.
    #[must_use]
    pub fn configure(&self, schema: &Schema, generated: &Generated) -> (Configured, Diagnostics) {
        let (configured, mut problems) = match &self.source {
            ComponentSource::Hcl(source) => source.configure(self, schema, generated),
            ComponentSource::Legacy(source) => source.configure(self, schema, generated),
        };
        problems.sort_by_key(|problem| problem.subject.map(|span| (span.file, span.start)));
        (configured, with_remedies(problems))
    }
}

/// One step from a configuration to a value in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathStep {
    /// An option or block by name.
    Attribute(String),
    /// An item of a list or the n-th block of a name, from zero.
    Index(usize),
    /// A key of a map.
    Key(String),
}

/// An evaluated configuration. `value` is an object: options by name, blocks as lists of objects
/// (repeated) or objects; what the template does not set is not there.
#[derive(Clone, Debug)]
pub struct Configured {
    /// The configuration.
    pub value: Value,
    /// Where each part stands in the template, for diagnostics of the plugin. Keys of maps are
    /// attributes here; [`Configured::span`] finds both.
    pub spans: std::collections::HashMap<Vec<PathStep>, Span>,
    /// The block's header, used when a path has no span.
    pub header_span: Option<Span>,
    /// The header as it reads.
    pub header: String,
    /// With [`Generated::Later`]: what the options that are not wholly known wait for, such as
    /// `build.Host` or `data.http.page`, by the option's path.
    pub waits_for: std::collections::BTreeMap<Vec<PathStep>, Vec<String>>,
    /// What the options are made of, for [`Configured::values`].
    pub origins: Origins,
}

impl Default for Configured {
    fn default() -> Self {
        Self {
            value: Value::object(std::collections::BTreeMap::new()),
            spans: std::collections::HashMap::new(),
            header_span: None,
            header: String::new(),
            waits_for: std::collections::BTreeMap::new(),
            origins: Origins::default(),
        }
    }
}

impl Configured {
    /// The place of the longest known prefix of `path`, else the header.
    #[must_use]
    pub fn span(&self, path: &[PathStep]) -> Option<Span> {
        nearest_span(&self.spans, path).or(self.header_span)
    }

    /// What the names in the option at `path` come to, or in the part of it that `path` leads to;
    /// nothing for what is written out. Sensitive values, and those of options for secrets, are
    /// only called so.
    #[must_use]
    pub fn values(&self, path: &[PathStep]) -> Vec<Shown> {
        self.origins.values(path, nearest_span(&self.spans, path))
    }
}

/// The place of the longest known prefix of `path`. Places are kept by attribute, as syntax does
/// not tell a key of a map from an attribute of an object.
pub(crate) fn nearest_span(
    spans: &std::collections::HashMap<Vec<PathStep>, Span>,
    path: &[PathStep],
) -> Option<Span> {
    let step = |step: &PathStep| match step {
        PathStep::Key(key) => PathStep::Attribute(key.clone()),
        other => other.clone(),
    };
    let path: Vec<PathStep> = path.iter().map(step).collect();
    (0..=path.len())
        .rev()
        .find_map(|length| spans.get(&path[..length]).copied())
}
