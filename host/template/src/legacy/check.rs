//! What Packer only checks when a legacy template is initialised.

use host_diag::{Diagnostic, Diagnostics, Label, Span};

use crate::constraint::{Constraints, Version};
use crate::legacy::sections::OnlyExcept;
use crate::legacy::template::LegacyTemplate;

/// Everything wrong with the template as a whole, as one diagnostic with a list.
pub(crate) fn check(template: &LegacyTemplate) -> Diagnostics {
    let mut checker = Checker {
        template,
        errors: Vec::new(),
        labels: Vec::new(),
    };
    checker.builder_names();
    checker.required_variables();
    let mut problems = checker.core_version();
    problems.extend(list(&checker.errors, checker.labels));
    problems
}

/// Errors in the form Packer gives them: no summary, and a list with bullets. The places come as
/// labels, since one diagnostic has them all.
pub(crate) fn list(errors: &[String], labels: Vec<Label>) -> Diagnostics {
    if errors.is_empty() {
        return Diagnostics::new();
    }
    let count = match errors.len() {
        1 => "1 error occurred:".to_owned(),
        count => format!("{count} errors occurred:"),
    };
    let bullets: String = errors
        .iter()
        .map(|error| format!("\t* {error}\n"))
        .collect();
    let problem = Diagnostic::error("").detail(format!("{count}\n{bullets}\n"));
    vec![Diagnostic {
        related: labels,
        ..problem
    }]
}

struct Checker<'a> {
    template: &'a LegacyTemplate,
    errors: Vec<String>,
    labels: Vec<Label>,
}

impl Checker<'_> {
    fn report(&mut self, error: String, place: Option<(Span, String)>) {
        self.errors.push(error);
        self.labels
            .extend(place.map(|(span, text)| Label { span, text }));
    }

    fn core_version(&mut self) -> Diagnostics {
        let Some((wanted, span)) = &self.template.document.min_version else {
            return Diagnostics::new();
        };
        let running = &self.template.options.core_version;
        let summary = match Constraints::parse(&format!(">= {wanted}")) {
            Err(error) => format!("min_version is invalid: {error}"),
            Ok(constraints) => match Version::parse(running) {
                Ok(version) if !constraints.allow(&version.core()) => format!(
                    "This template requires Packer version {wanted} or higher; using {running}"
                ),
                _ => return Diagnostics::new(),
            },
        };
        vec![
            Diagnostic::error("")
                .detail(format!("{summary}\n"))
                .at(*span),
        ]
    }

    fn required_variables(&mut self) {
        let template = self.template;
        for (name, declared) in &template.document.variables {
            if declared.default.is_none() && !template.given.contains_key(name) {
                let place = Some((
                    declared.span,
                    format!("`{name}` is declared without a value"),
                ));
                self.report(format!("required variable not set: {name}"), place);
            }
        }
    }

    /// Whether every builder that is named somewhere exists.
    fn builder_names(&mut self) {
        let sections = &self.template.document.sections;
        if sections.builders.is_empty() {
            self.report("at least one builder must be defined".to_owned(), None);
            return;
        }
        for (index, provisioner) in sections.provisioners.iter().enumerate() {
            let what = format!("provisioner {}", index + 1);
            self.filter(&what, &provisioner.filter);
            for name in provisioner.overrides.keys() {
                if !self.has_builder(name) {
                    let place = Some((provisioner.span, format!("`{name}` is no builder")));
                    self.report(format!("{what}: override '{name}' doesn't exist"), place);
                }
            }
        }
        for (number, chain) in sections.post_processors.iter().enumerate() {
            for (index, member) in chain.iter().enumerate() {
                let what = format!("post-processor {}.{}", number + 1, index + 1);
                self.filter(&what, &member.filter);
            }
        }
    }

    fn filter(&mut self, what: &str, filter: &OnlyExcept) {
        if !filter.only.is_empty() && !filter.except.is_empty() {
            let place = filter
                .span
                .map(|span| (span, "one of them is here".to_owned()));
            let error = format!("{what}: only one of 'only' or 'except' may be specified");
            self.report(error, place);
        }
        for (word, names) in [("only", &filter.only), ("except", &filter.except)] {
            for name in names {
                if !self.has_builder(name) {
                    let place = filter
                        .span
                        .map(|span| (span, format!("`{name}` is no builder")));
                    let error = format!("{what}: '{word}' specified builder '{name}' not found");
                    self.report(error, place);
                }
            }
        }
    }

    fn has_builder(&self, name: &str) -> bool {
        self.template
            .document
            .sections
            .builders
            .iter()
            .any(|builder| builder.name == name)
    }
}
