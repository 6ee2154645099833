//! Options for one provider only.

use kiln_sdk::config::{Decoder, Field, Path, PathStep};
use kiln_sdk::{Diagnostic, Diagnostics, Failure, Template, Value, ValueKind};

use super::config::VagrantConfig;
use super::provider::Provider;

/// Options that can be overridden.
const NAMES: [&str; 6] = [
    "architecture",
    "compression_level",
    "include",
    "output",
    "vagrantfile_template",
    "vagrantfile_template_generated",
];

impl VagrantConfig {
    /// The options with those for `provider` on top.
    ///
    /// # Errors
    ///
    /// What is wrong with the latter; [`VagrantConfig::check_override`] found it before.
    pub(super) fn for_provider(mut self, provider: Provider) -> Result<Self, Failure> {
        let name = provider.name();
        let Some(settings) = self.per_provider.remove(name) else {
            return Ok(self);
        };
        let mut problems = self.apply(name, &settings);
        problems.extend(self.check(&format!(" in override.{name}")));
        match problems.first() {
            None => Ok(self),
            Some(problem) => Err(Failure::new(format!(
                "Error overriding config for {name}: {}",
                problem.detail
            ))),
        }
    }

    /// What is wrong with the options for the provider `name`.
    pub(super) fn check_override(&self, name: &str, settings: &Value) -> Diagnostics {
        if Provider::parse(name).is_none() {
            let detail = format!("`{name}` is no provider, so these options are never used.");
            let names = Provider::names().join(", ");
            let problem = Diagnostic::warning("Unknown Vagrant provider", detail);
            let problem = problem
                .at(place(name, None))
                .hint(format!("Choose one of {names}."));
            return vec![problem];
        }
        let mut merged = self.clone();
        let mut problems = merged.apply(name, settings);
        for mut problem in merged.check(&format!(" in override.{name}")) {
            // A problem of the outer options has been told there.
            if settings.get(&problem.path.to_string()).is_some() {
                problem.path = place(name, Some(&problem.path.to_string()));
                problems.push(problem);
            }
        }
        problems
    }

    /// Puts `settings` on top.
    fn apply(&mut self, provider: &str, settings: &Value) -> Diagnostics {
        let mut problems = Diagnostics::new();
        let entries = match &settings.kind {
            ValueKind::Map(entries) => entries.clone(),
            ValueKind::Null | ValueKind::Unknown => return problems,
            _ => {
                let detail = format!("`override.{provider}` takes a map of options.");
                let problem = Diagnostic::error("Wrong type of value", detail);
                return vec![problem.at(place(provider, None))];
            }
        };
        for name in entries
            .keys()
            .filter(|name| !NAMES.contains(&name.as_str()))
        {
            let detail = format!("`{name}` cannot be set for one provider.");
            let problem = Diagnostic::error("Unsupported argument", detail);
            let hint = format!("Use {}.", NAMES.join(", "));
            problems.push(problem.at(place(provider, Some(name))).hint(hint));
        }
        let mut decoder = Decoder {
            entries,
            path: place(provider, None),
            diagnostics: &mut problems,
        };
        take(&mut decoder, "architecture", &mut self.architecture);
        take(
            &mut decoder,
            "compression_level",
            &mut self.compression_level,
        );
        take(&mut decoder, "include", &mut self.include);
        take::<Template>(&mut decoder, "output", &mut self.output);
        take(
            &mut decoder,
            "vagrantfile_template",
            &mut self.vagrantfile_template,
        );
        take(
            &mut decoder,
            "vagrantfile_template_generated",
            &mut self.vagrantfile_template_generated,
        );
        problems
    }
}

fn take<T: Field>(decoder: &mut Decoder<'_>, name: &str, option: &mut T) {
    if let Some(Some(value)) = decoder.optional(name) {
        *option = value;
    }
}

fn place(provider: &str, option: Option<&str>) -> Path {
    let path = Path::attribute("override").then(PathStep::Key(provider.to_owned()));
    match option {
        Some(option) => path.then(PathStep::Key(option.to_owned())),
        None => path,
    }
}
