//! Problems of a configuration, with the path of the option they are about.

/// How bad a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can be used, but something deserves a look.
    Warning,
}

/// One step from a configuration to a value in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// An option or block by name.
    Attribute(String),
    /// An item of a list or the n-th block of a name, from zero.
    Index(usize),
    /// A key of a map.
    Key(String),
}

/// Where in a configuration something is; empty for the whole of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Path(pub Vec<PathStep>);

impl Path {
    /// The path of an option at the top.
    #[must_use]
    pub fn attribute(name: impl Into<String>) -> Self {
        Self(vec![PathStep::Attribute(name.into())])
    }

    /// This path and one more step.
    #[must_use]
    pub fn then(&self, step: PathStep) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Attribute(name) if index == 0 => f.write_str(name)?,
                PathStep::Attribute(name) => write!(f, ".{name}")?,
                PathStep::Index(number) => write!(f, "[{number}]")?,
                PathStep::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

/// A problem and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// One line, sentence case, no final period, no values.
    pub summary: String,
    /// Whole sentences, values in backticks.
    pub detail: String,
    /// The option it is about.
    pub path: Path,
    /// What to try; empty when there is nothing to say.
    pub hint: String,
}

impl Diagnostic {
    /// An error about the whole configuration.
    #[must_use]
    pub fn error(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            summary: summary.into(),
            detail: detail.into(),
            path: Path::default(),
            hint: String::new(),
        }
    }

    /// A warning about the whole configuration.
    #[must_use]
    pub fn warning(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(summary, detail)
        }
    }

    /// The same, about one option.
    #[must_use]
    pub fn at(mut self, path: Path) -> Self {
        self.path = path;
        self
    }

    /// The same, about the top-level option `name`.
    #[must_use]
    pub fn on(self, name: &str) -> Self {
        self.at(Path::attribute(name))
    }

    /// The same, with something to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// Problems in the order they were found.
pub type Diagnostics = Vec<Diagnostic>;
