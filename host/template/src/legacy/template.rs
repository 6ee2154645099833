//! A legacy template from text to rendered variables.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, SourceMap};
use host_syntax::json;
use sdk_go_template::{Context, TemplateError};

use crate::legacy::check::check;
use crate::legacy::parse::{Document, read_document, syntax_error};
use crate::legacy::variable_files::given_values;
use crate::legacy::variables::render_variables;
use crate::model::Generated;
use crate::options::LoadOptions;
use crate::render::{Renderer, UserVariables};

/// A legacy JSON template.
#[derive(Debug)]
pub(crate) struct LegacyTemplate {
    pub(crate) options: LoadOptions,
    /// Absolute; empty for standard input.
    pub(crate) path: PathBuf,
    pub(crate) document: Document,
    /// Values from files and the command line, not rendered.
    pub(crate) given: BTreeMap<String, String>,
    /// Rendered when the template is initialised.
    pub(crate) user: Arc<UserVariables>,
}

/// Reads a template and its variable files.
pub(crate) fn load(
    options: &LoadOptions,
    sources: &mut SourceMap,
) -> (Option<LegacyTemplate>, Diagnostics) {
    let mut problems = Diagnostics::new();
    let (name, text) = match read(options) {
        Ok(read) => read,
        Err(error) => {
            let summary = format!("\"{}\": {error}", options.path);
            return (None, vec![Diagnostic::error(summary)]);
        }
    };
    let file = sources.add(name, text);
    let (root, found) = json::parse(file, sources.text(file));
    let Some(root) = root.filter(|_| !found.iter().any(Diagnostic::is_error)) else {
        problems.extend(found.iter().map(|problem| syntax_error(problem, sources)));
        return (None, problems);
    };
    let document = read_document(&root, &mut problems);
    let given = given_values(options, sources, &mut problems);
    if problems.iter().any(Diagnostic::is_error) {
        return (None, problems);
    }
    let template = LegacyTemplate {
        options: options.clone(),
        path: absolute_path(options),
        document,
        given,
        user: Arc::default(),
    };
    (Some(template), problems)
}

/// Name and text of the document.
fn read(options: &LoadOptions) -> io::Result<(String, String)> {
    match options.path.as_str() {
        "" => Ok((String::new(), "{}".to_owned())),
        "-" => {
            let text = host_syntax::read_text(io::stdin().lock())?;
            Ok(("<stdin>".to_owned(), text))
        }
        path => Ok((
            path.to_owned(),
            host_syntax::read_file(&options.working_dir.join(path))?,
        )),
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
    /// Checks what can only be checked as a whole and renders user variables.
    pub(crate) fn initialize(&mut self) -> Diagnostics {
        let problems = check(self);
        let (user, errors) = render_variables(self);
        self.user = Arc::new(user);
        if problems.is_empty() {
            return crate::legacy::check::list(&errors, Vec::new());
        }
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
        let nothing = Generated::Names(Vec::new());
        let renderer = Renderer::legacy(self.context(), Arc::clone(&self.user), &nothing);
        renderer.text(text).map(|rendered| rendered.text)
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

    /// The plain text of the sensitive variables.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut found = Vec::new();
        for name in &self.user.sensitive {
            if let Some(text) = self.user.values.get(name) {
                crate::values::push_secret(text, &mut found);
            }
        }
        found
    }
}
