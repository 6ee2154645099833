//! A legacy template from text to rendered variables.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, SourceMap};
use sdk_go_template::{Context, TemplateError};

use crate::legacy::check::check;
use crate::legacy::parse::{Document, read_document};
use crate::legacy::plan::all_problems;
use crate::legacy::problems::{concealed, in_form, loses_nothing, syntax_errors};
use crate::legacy::texts::{Form, Texts};
use crate::legacy::uses::undefined_variables;
use crate::legacy::variable_files::given_values;
use crate::legacy::variables::{Text, render_variables};
use crate::model::{ComponentKind, Components, Generated};
use crate::options::LoadOptions;
use crate::render::{RenderedText, Renderer, UserVariables};

/// A legacy template.
#[derive(Debug)]
pub(crate) struct LegacyTemplate {
    pub(crate) options: LoadOptions,
    /// Absolute; empty for standard input.
    pub(crate) path: PathBuf,
    pub(crate) document: Document,
    pub(crate) texts: Arc<Texts>,
    /// Values from files and the command line, not rendered.
    pub(crate) given: BTreeMap<String, Text>,
    /// Rendered when the template is initialised.
    pub(crate) user: Arc<UserVariables>,
    /// Whether initialising it found errors; all others have been told then too.
    pub(crate) is_broken: bool,
    /// Whether its shape is wrong; what is wrong with it as a whole has been told then.
    pub(crate) is_misshapen: bool,
}

/// Reads a template and its variable files. Where something is wrong with them, what can be said
/// about the template as a whole is said too, and there is no template.
pub(crate) fn load(
    options: &LoadOptions,
    sources: &mut SourceMap,
) -> (Option<LegacyTemplate>, Diagnostics) {
    let (template, problems) = load_for_check(options, sources);
    (template.filter(|template| !template.is_misshapen), problems)
}

/// As [`load`]; where the text is sound, there is a template, and initialising it tells the rest.
pub(crate) fn load_for_check(
    options: &LoadOptions,
    sources: &mut SourceMap,
) -> (Option<LegacyTemplate>, Diagnostics) {
    let form = Form::of_template(&options.path);
    let (name, text) = match read(options) {
        Ok(read) => read,
        Err(error) => {
            let summary = format!("\"{}\": {error}", options.path);
            return (None, vec![Diagnostic::error(summary)]);
        }
    };
    let file = sources.add(name, Arc::clone(&text));
    let mut texts = Texts::default();
    let (root, found) = form.parse(file, &text);
    texts.add(file, form, text);
    let Some(root) = root.filter(|_| found.iter().all(loses_nothing)) else {
        return (None, syntax_errors(found, form, sources));
    };
    let mut shape = Diagnostics::new();
    let document = read_document(&root, form, &mut shape);
    let mut problems: Diagnostics = syntax_errors(found, form, sources)
        .into_iter()
        .chain(shape)
        .map(|problem| concealed(in_form(problem, form), &document.secrets, sources))
        .collect();
    let named = document.sensitive.iter();
    let sensitive: BTreeSet<String> = named.map(|name| name.text.clone()).collect();
    let given = given_values(options, &sensitive, sources, &mut texts, &mut problems);
    let mut template = LegacyTemplate {
        options: options.clone(),
        path: absolute_path(options),
        document,
        texts: Arc::new(texts),
        given,
        user: Arc::default(),
        is_broken: false,
        is_misshapen: false,
    };
    if problems.iter().any(Diagnostic::is_error) {
        let whole = template.problems_of_the_whole().into_iter();
        let secrets = &template.document.secrets;
        problems.extend(whole.map(|problem| concealed(problem, secrets, sources)));
        template.is_misshapen = true;
    }
    (Some(template), problems)
}

/// Name and text of the document.
fn read(options: &LoadOptions) -> io::Result<(String, Arc<str>)> {
    match options.path.as_str() {
        "" => Ok((String::new(), "{}".into())),
        "-" => {
            let text = host_syntax::read_text(io::stdin().lock())?;
            Ok(("<stdin>".to_owned(), text.into()))
        }
        path => Ok((path.to_owned(), options.read_file(path)?.into())),
    }
}

fn absolute_path(options: &LoadOptions) -> PathBuf {
    match options.path.as_str() {
        "" | "-" => PathBuf::new(),
        path => {
            let path = options.working_dir.join(path);
            std::path::absolute(&path).unwrap_or(path)
        }
    }
}

impl LegacyTemplate {
    /// Kind and type of every component it names, sorted.
    pub(crate) fn used_components(&self) -> Vec<(ComponentKind, String)> {
        let sections = &self.document.sections;
        let builders = sections.builders.iter();
        let builders = builders.map(|one| (ComponentKind::Builder, &one.type_name));
        let provisioners = sections.provisioners.iter().chain(&sections.error_cleanup);
        let provisioners = provisioners.map(|one| (ComponentKind::Provisioner, &one.type_name));
        let processors = sections.post_processors.iter().flatten();
        let processors = processors.map(|one| (ComponentKind::PostProcessor, &one.type_name));
        let used = builders.chain(provisioners).chain(processors);
        let mut used: Vec<_> = used.map(|(kind, name)| (kind, name.clone())).collect();
        used.sort();
        used.dedup();
        used
    }

    /// Checks what can only be checked as a whole and renders user variables. Where that finds
    /// errors, everything else that is wrong is told as well, and there will be no plan.
    pub(crate) fn initialize(&mut self, components: &dyn Components) -> Diagnostics {
        let mut problems = match self.is_misshapen {
            true => Diagnostics::new(),
            false => self.problems_of_the_whole(),
        };
        problems.extend(undefined_variables(self));
        self.is_broken = self.is_misshapen || problems.iter().any(Diagnostic::is_error);
        if self.is_broken {
            problems.extend(all_problems(self, components));
        }
        problems
    }

    fn problems_of_the_whole(&mut self) -> Diagnostics {
        let mut problems = check(self);
        let (user, found) = render_variables(self);
        self.user = Arc::new(user);
        problems.extend(found);
        problems
    }

    /// Absolute folder of the template; empty for standard input.
    pub(crate) fn folder(&self) -> PathBuf {
        self.path
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default()
    }

    /// What template calls see outside of builds.
    pub(crate) fn context(&self) -> Context {
        let folder = self.folder();
        Context {
            template_dir: (!folder.as_os_str().is_empty())
                .then(|| folder.to_string_lossy().into_owned()),
            working_dir: self.options.working_dir.to_string_lossy().into_owned(),
            core_version: self.options.core_version.clone(),
            started_at_unix_nanos: self.options.started_at_unix_nanos,
            ..Context::default()
        }
    }

    /// Renders `text` with the user variables, as the console does.
    pub(crate) fn render(&self, text: &str) -> Result<String, TemplateError> {
        self.rendered(text).map(|rendered| rendered.text)
    }

    /// The same, with what it waits for: variables that have no value.
    pub(crate) fn rendered(&self, text: &str) -> Result<RenderedText, TemplateError> {
        let nothing = Generated::Names(Vec::new());
        let renderer = Renderer::legacy(self.context(), Arc::clone(&self.user), &nothing);
        renderer.text(text)
    }

    /// Name and value of every user variable, sorted.
    pub(crate) fn console_variables(&self) -> Vec<(String, String)> {
        let shown = |name: &String, text: &String| match self.user.sensitive.contains(name) {
            true => "<sensitive>".to_owned(),
            false => text.clone(),
        };
        self.user
            .values
            .iter()
            .map(|(name, text)| (name.clone(), shown(name, text)))
            .collect()
    }

    /// Every user variable that is not sensitive.
    pub(crate) fn public_variables(&self) -> BTreeMap<String, String> {
        let values = self.user.values.iter();
        values
            .filter(|(name, _)| !self.user.sensitive.contains(*name))
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect()
    }

    /// The plain text of the sensitive variables. Of one that has no value yet or cannot be
    /// rendered, the text as it is written, which messages may be about.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut found = Vec::new();
        let variables = &self.document.variables;
        let named = self.document.sensitive.iter().map(|name| &name.text);
        let names: BTreeSet<&String> = named.chain(&self.user.sensitive).collect();
        for name in names {
            let written = || {
                let default = variables.get(name)?.default.as_ref();
                self.given.get(name).or(default).map(|text| &text.text)
            };
            if let Some(text) = self.user.values.get(name).or_else(written) {
                crate::values::push_secret(text, &mut found);
            }
        }
        found
    }
}
