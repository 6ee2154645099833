//! What is wrong with a template, from the code that `validate` uses. No plugin is started but those
//! that the template needs and that nobody has asked yet what they offer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use host_diag::{Diagnostic, Diagnostics, Label, Severity, SourceMap, Span};
use host_plugin_client::{Registry, Settings};
use host_syntax::parse_hcl;
use host_template::{Components, ConfigType, LoadOptions, Overlay, Template, load};
use lsp_types::{
    Diagnostic as Shown, DiagnosticRelatedInformation, DiagnosticSeverity, Location, Range,
};

use crate::catalog::Catalog;
use crate::components;
use crate::navigation::url_of;
use crate::position::{Encoding, Lines};
use crate::server::NeedsOf;

/// A template to check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// All files of a folder.
    Folder(PathBuf),
    /// A legacy JSON template.
    Legacy(PathBuf),
}

/// A check to make.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) subject: Subject,
    /// The open files.
    pub(crate) overlay: BTreeMap<PathBuf, Arc<str>>,
    /// The open files of the template.
    pub(crate) own: Vec<PathBuf>,
    /// Those with values that are not used by themselves.
    pub(crate) values: Vec<PathBuf>,
    /// What came with kiln.
    pub(crate) bundled: Catalog,
    pub(crate) settings: Settings,
    pub(crate) needs: NeedsOf,
    pub(crate) core_version: String,
    pub(crate) started_at_unix_nanos: i64,
    pub(crate) encoding: Encoding,
    pub(crate) related: bool,
    /// Set when nobody wants the result any more.
    pub(crate) stale: Arc<AtomicBool>,
}

/// Problems by file.
pub(crate) type Report = BTreeMap<PathBuf, Vec<Shown>>;

/// What a check found.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) subject: Subject,
    /// Everything that is wrong; nothing when it has become stale.
    pub(crate) report: Report,
    /// The components there are for the template; `None` when it could not be read.
    pub(crate) catalog: Option<Catalog>,
}

impl Job {
    pub(crate) async fn run(self) -> Outcome {
        let mut sources = SourceMap::default();
        let mut catalog = None;
        let problems = self.problems(&mut sources, &mut catalog).await;
        let report = match self.stale.load(Ordering::Relaxed) {
            true => Report::new(),
            false => Rendering::new(&self, &sources).report(&problems),
        };
        Outcome {
            subject: self.subject,
            report,
            catalog,
        }
    }

    /// The components there are for the template: what came with kiln, and what it needs besides.
    async fn catalog(
        &self,
        template: &Template,
        options: &LoadOptions,
        problems: &mut Diagnostics,
    ) -> Catalog {
        let used = template.used_components();
        let mut used = used.iter();
        let is_enough = template.required_plugins().is_empty()
            && used.all(|(kind, name)| self.bundled.schema(*kind, name).is_some());
        if is_enough {
            return self.bundled.clone();
        }
        match self.needs.ask(template, options) {
            Ok(needs) => Catalog::new(Registry::scan_for(self.settings.clone(), &needs).await),
            Err(problem) => {
                problems.push(*problem);
                self.bundled.clone()
            }
        }
    }

    async fn problems(&self, sources: &mut SourceMap, known: &mut Option<Catalog>) -> Diagnostics {
        let options = self.options();
        let folder = &options.working_dir;
        let whole = folder.is_dir() && self.has_template(folder);
        if matches!(self.subject, Subject::Folder(_)) && !whole {
            return self.syntax_alone(sources);
        }
        let (template, mut problems) = load(&options, sources);
        let Some(mut template) = template.filter(|_| !self.stale.load(Ordering::Relaxed)) else {
            return problems;
        };
        let catalog = self.catalog(&template, &options, &mut problems).await;
        let catalog = known.insert(catalog);
        problems.extend(template.missing_plugins(catalog));
        problems.extend(template.initialize(catalog, false).await);
        if self.stale.load(Ordering::Relaxed) {
            return problems;
        }
        let (builds, found) = template.builds(catalog);
        // That the folder has no build block, and the like, is no news to who is writing one; and a
        // module needs none.
        problems.extend(
            found
                .into_iter()
                .filter(|problem| problem.subject.is_some()),
        );
        if self.stale.load(Ordering::Relaxed) {
            return problems;
        }
        problems.extend(components::check(&builds, catalog));
        problems
    }

    fn options(&self) -> LoadOptions {
        let (folder, path, config_type) = match &self.subject {
            Subject::Folder(folder) => (folder.clone(), ".".to_owned(), ConfigType::Hcl2),
            Subject::Legacy(file) => {
                let folder = file.parent().unwrap_or(file).to_owned();
                let name = file.file_name().unwrap_or_default();
                (
                    folder,
                    name.to_string_lossy().into_owned(),
                    ConfigType::Json,
                )
            }
        };
        LoadOptions {
            path,
            config_type,
            variable_files: self.values.clone(),
            working_dir: folder,
            warn_undeclared: true,
            core_version: self.core_version.clone(),
            started_at_unix_nanos: self.started_at_unix_nanos,
            overlay: Overlay::new(self.overlay.clone()),
            unset_variables_allowed: true,
            ..LoadOptions::default()
        }
    }

    /// Whether the folder has more than files of values.
    fn has_template(&self, folder: &Path) -> bool {
        let is_template = |path: &Path| {
            let name = path.to_string_lossy();
            [".pkr.hcl", ".pkr.json"]
                .iter()
                .any(|suffix| name.ends_with(suffix))
        };
        let mut open = self.overlay.keys();
        let saved = std::fs::read_dir(folder).into_iter().flatten().flatten();
        open.any(|path| path.parent() == Some(folder) && is_template(path))
            || saved
                .map(|entry| entry.path())
                .any(|path| is_template(&path))
    }

    /// The syntax of open files alone: of values without a template, and of files that are nowhere on
    /// disk yet.
    fn syntax_alone(&self, sources: &mut SourceMap) -> Diagnostics {
        let mut problems = Diagnostics::new();
        for path in &self.own {
            let name = path.to_string_lossy();
            let Some(text) = self.overlay.get(path).filter(|_| {
                ![".json", ".yaml", ".yml"]
                    .iter()
                    .any(|end| name.ends_with(end))
            }) else {
                continue;
            };
            let file = sources.add(name, Arc::clone(text));
            problems.extend(parse_hcl(file, text).1);
        }
        problems
    }
}

/// From our diagnostics to the protocol's.
struct Rendering<'a> {
    job: &'a Job,
    sources: &'a SourceMap,
    folder: PathBuf,
    lines: BTreeMap<u32, Lines>,
}

impl<'a> Rendering<'a> {
    fn new(job: &'a Job, sources: &'a SourceMap) -> Self {
        Self {
            folder: job.options().working_dir,
            job,
            sources,
            lines: BTreeMap::new(),
        }
    }

    fn report(mut self, problems: &Diagnostics) -> Report {
        let mut report = Report::new();
        for problem in problems {
            let place = problem.subject.and_then(|span| self.place(span));
            // What has no place is told at the start of a file that the user can see.
            let first = || Some((self.job.own.first()?.clone(), Range::default()));
            let Some((path, range)) = place.or_else(first) else {
                continue;
            };
            let shown = self.shown(problem, range);
            let all = report.entry(path).or_default();
            if !all.contains(&shown) {
                all.push(shown);
            }
        }
        report
    }

    /// File and range of a span; `None` when it lies in no file.
    fn place(&mut self, span: Span) -> Option<(PathBuf, Range)> {
        let name = self.sources.name(span.file);
        if name.is_empty() || name.starts_with('<') {
            return None;
        }
        let path = self.folder.join(name);
        let path: PathBuf = path.components().collect();
        let text = self.sources.text(span.file);
        let lines = self
            .lines
            .entry(span.file.0)
            .or_insert_with(|| Lines::of(text));
        let bytes = span.start as usize..span.end.max(span.start) as usize;
        Some((path, lines.range(text, &bytes, self.job.encoding)))
    }

    fn shown(&mut self, problem: &Diagnostic, range: Range) -> Shown {
        let related: Vec<_> = problem
            .related
            .iter()
            .filter_map(|label| self.related(label))
            .collect();
        Shown {
            range,
            severity: Some(match problem.severity {
                Severity::Error => DiagnosticSeverity::ERROR,
                Severity::Warning => DiagnosticSeverity::WARNING,
            }),
            source: Some("kiln".to_owned()),
            message: message(problem),
            related_information: (self.job.related && !related.is_empty()).then_some(related),
            ..Shown::default()
        }
    }

    fn related(&mut self, label: &Label) -> Option<DiagnosticRelatedInformation> {
        let (path, range) = self.place(label.span)?;
        Some(DiagnosticRelatedInformation {
            location: Location::new(url_of(&path)?, range),
            message: label.text.clone(),
        })
    }
}

/// Everything that is said of a problem.
fn message(problem: &Diagnostic) -> String {
    let values = problem.values_text();
    let parts = [&problem.summary, &problem.detail, &values].into_iter();
    let parts: Vec<&str> = parts
        .chain(&problem.hints)
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("\n")
}
