//! What Packer only checks when a legacy template is initialised.

use host_diag::{Diagnostic, Diagnostics, Span, nearest};

use crate::constraint::{Constraints, Version};
use crate::legacy::parse::Document;
use crate::legacy::sections::OnlyExcept;
use crate::legacy::template::LegacyTemplate;

/// Everything wrong with the template as a whole, each with its place. The messages are Packer's,
/// which it prints as one list without places.
pub(crate) fn check(template: &LegacyTemplate) -> Diagnostics {
    let mut problems = core_version(template);
    let mut checker = Checker {
        document: &template.document,
        problems: Diagnostics::new(),
    };
    checker.builder_names();
    checker.sensitive_names();
    problems.append(&mut checker.problems);
    for (name, declared) in &template.document.variables {
        if declared.default.is_none() && !template.given.contains_key(name) {
            let problem = Diagnostic::error(format!("required variable not set: {name}"))
                .detail("Its default is null, so a value has to be given.")
                .at(declared.span);
            problems.push(problem.hint(format!(
                "Give it with `-var '{name}=…'` or in a file with `-var-file`."
            )));
        }
    }
    problems
}

fn core_version(template: &LegacyTemplate) -> Diagnostics {
    let Some((wanted, span)) = &template.document.min_version else {
        return Diagnostics::new();
    };
    if wanted.is_empty() {
        return Diagnostics::new();
    }
    let running = &template.options.core_version;
    let problem = match Constraints::parse(&format!(">= {wanted}")) {
        Err(error) => Diagnostic::error(format!("min_version is invalid: {error}"))
            .hint("Write a version such as `1.7.0`.".to_owned()),
        Ok(constraints) => match Version::parse(running) {
            Ok(version) if !constraints.allow(&version.core()) => Diagnostic::error(format!(
                "This template requires Packer version {wanted} or higher; using {running}"
            )),
            _ => return Diagnostics::new(),
        },
    };
    vec![problem.at(*span)]
}

struct Checker<'a> {
    document: &'a Document,
    problems: Diagnostics,
}

impl Checker<'_> {
    /// Whether there are builders, and every builder that is named somewhere exists. Where some
    /// could not be read, their names are not known either.
    fn builder_names(&mut self) {
        let sections = &self.document.sections;
        if sections.has_unread_builders {
            return;
        }
        if sections.builders.is_empty() {
            let problem = Diagnostic::error("at least one builder must be defined")
                .detail("A template without builders makes nothing.")
                .at(sections.builders_key.unwrap_or(self.document.start));
            let example = "Add a root key such as \"builders\": [{\"type\": \"null\"}].";
            self.problems.push(problem.hint(example.to_owned()));
            return;
        }
        for provisioner in &sections.provisioners {
            let what = &provisioner.what;
            self.filter(what, &provisioner.filter);
            for (name, over) in &provisioner.overrides {
                if !self.has_builder(name) {
                    let message = format!("{what}: override '{name}' doesn't exist");
                    self.unknown_builder(message, name, over.span);
                }
            }
        }
        for member in sections.post_processors.iter().flatten() {
            self.filter(&member.what, &member.filter);
        }
    }

    fn filter(&mut self, what: &str, filter: &OnlyExcept) {
        if let (Some(only), Some(except)) = (filter.only.first(), filter.except.first()) {
            let message = format!("{what}: only one of 'only' or 'except' may be specified");
            let problem = Diagnostic::error(message)
                .detail("`only` names the builders it is for, `except` those it is not for.")
                .at(except.span)
                .related(only.span, "`only` is here");
            self.problems
                .push(problem.hint("Remove one of them.".to_owned()));
        }
        for (word, names) in [("only", &filter.only), ("except", &filter.except)] {
            for name in names {
                if !self.has_builder(&name.text) {
                    let text = &name.text;
                    let message = format!("{what}: '{word}' specified builder '{text}' not found");
                    self.unknown_builder(message, text, name.span);
                }
            }
        }
    }

    fn unknown_builder(&mut self, message: String, name: &str, span: Span) {
        let builders = &self.document.sections.builders;
        let names: Vec<&str> = builders.iter().map(|one| one.name.as_str()).collect();
        // A common mistake is to name it as it is printed.
        let short = name.split_once('.').map(|(_, short)| short);
        let near = short
            .filter(|short| names.contains(short))
            .or_else(|| nearest(name, names.iter().copied()));
        let hint = match near {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("The builders here are `{}`.", names.join("`, `")),
        };
        let problem = Diagnostic::error(message)
            .detail("A builder is named by its \"name\", or by its \"type\" when it has none.");
        self.problems.push(problem.at(span).hint(hint));
    }

    /// Whether what is called sensitive is a variable; else a secret may be printed.
    fn sensitive_names(&mut self) {
        let variables = &self.document.variables;
        for name in &self.document.sensitive {
            if variables.contains_key(&name.text) {
                continue;
            }
            let near = nearest(&name.text, variables.keys().map(String::as_str));
            let problem =
                Diagnostic::warning(format!("undefined sensitive variable: {}", name.text)).detail(
                    "No variable of this name is declared, so nothing is kept out of outputs.",
                );
            let hint = near.map(|near| format!("Did you mean `{near}`?"));
            self.problems.push(problem.at(name.span).hint(hint));
        }
    }

    fn has_builder(&self, name: &str) -> bool {
        let builders = &self.document.sections.builders;
        builders.iter().any(|builder| builder.name == name)
    }
}
