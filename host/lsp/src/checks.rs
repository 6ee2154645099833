//! When templates are checked: some time after the last change, one at a time, and again when a
//! change came in between.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::analysis::{Job, Report, Subject};
use crate::catalog::Catalog;
use crate::documents::{Documents, Open};
use crate::folder::template_folder;
use crate::server::World;
use crate::session::Agreed;

/// How long nothing must have changed.
const QUIET: Duration = Duration::from_millis(150);

/// The templates that are to be checked, and what was told of them.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    due: BTreeMap<Subject, Instant>,
    running: Option<(Subject, Arc<AtomicBool>)>,
    /// Files with problems that the editor shows, by template.
    shown: BTreeMap<Subject, BTreeSet<PathBuf>>,
}

impl Checks {
    /// A template has changed.
    pub(crate) fn changed(&mut self, subject: Subject) {
        if let Some((running, stale)) = &self.running
            && *running == subject
        {
            stale.store(true, Ordering::Relaxed);
        }
        self.due.insert(subject, Instant::now() + QUIET);
    }

    /// Every open template is to be checked again.
    pub(crate) fn all_changed(&mut self, documents: &Documents) {
        for open in documents.iter() {
            self.changed(subject_of(open, documents));
        }
    }

    /// When the next check is due; `None` while one runs or nothing is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        match self.running {
            Some(_) => None,
            None => self.due.values().min().copied(),
        }
    }

    /// The check that is due.
    pub(crate) fn start(
        &mut self,
        documents: &Documents,
        catalog: &Catalog,
        agreed: Agreed,
        world: &World,
    ) -> Option<Job> {
        let (subject, _) = self.due.iter().min_by_key(|(_, at)| **at)?;
        let subject = subject.clone();
        self.due.remove(&subject);
        let stale = Arc::new(AtomicBool::new(false));
        let belongs = |open: &&Open| subject_of(open, documents) == subject;
        let own: Vec<&Open> = documents.iter().filter(belongs).collect();
        own.first()?;
        let values = own.iter().filter(|open| is_given_values(open));
        let job = Job {
            values: values.map(|open| open.path.clone()).collect(),
            overlay: documents
                .iter()
                .map(|open| (open.path.clone(), Arc::clone(&open.document.text)))
                .collect(),
            own: own.iter().map(|open| open.path.clone()).collect(),
            bundled: catalog.clone(),
            settings: world.settings.clone(),
            needs: world.needs.clone(),
            core_version: world.core_version.clone(),
            started_at_unix_nanos: world.started_at_unix_nanos,
            encoding: agreed.encoding,
            related: agreed.related,
            stale: Arc::clone(&stale),
            subject: subject.clone(),
        };
        self.running = Some((subject, stale));
        Some(job)
    }

    /// A check has ended: what is to be shown now, by file; empty lists take away what was shown.
    pub(crate) fn finished(&mut self, report: Option<Report>) -> Report {
        let Some((subject, stale)) = self.running.take() else {
            return Report::new();
        };
        match report {
            Some(report) if !stale.load(Ordering::Relaxed) => self.replace(subject, report),
            _ => Report::new(),
        }
    }

    /// A file was closed. When it was the last of its template, nothing is shown any more;
    /// otherwise the template is checked with what the disk has.
    pub(crate) fn closed(&mut self, closed: &Open, documents: &Documents) -> Report {
        let subject = subject_of(closed, documents);
        let others = documents
            .iter()
            .any(|open| subject_of(open, documents) == subject);
        self.changed(subject.clone());
        if others {
            return Report::new();
        }
        self.due.remove(&subject);
        self.replace(subject, Report::new())
    }

    /// Notes what is shown of a template from now on.
    fn replace(&mut self, subject: Subject, mut report: Report) -> Report {
        let now: BTreeSet<PathBuf> = report.keys().cloned().collect();
        let before = self.shown.insert(subject, now).unwrap_or_default();
        for path in before {
            report.entry(path).or_default();
        }
        self.shown.retain(|_, files| !files.is_empty());
        report
    }
}

/// The template that an open file belongs to.
pub(crate) fn subject_of(open: &Open, documents: &Documents) -> Subject {
    match open.kind {
        kind if kind.is_legacy() => Subject::Legacy(open.path.clone()),
        kind => Subject::Folder(template_folder(&open.path, kind, documents)),
    }
}

/// Whether a file has values that are only used when the command line names it.
fn is_given_values(open: &Open) -> bool {
    let name = open.path.to_string_lossy();
    let is_values = name.ends_with(".pkrvars.hcl") || name.ends_with(".pkrvars.json");
    is_values && !name.contains(".auto.pkrvars.")
}
