//! The texts that a legacy template is read from: their form, and places inside of strings.

use std::path::Path;
use std::sync::Arc;

use host_diag::{Diagnostics, FileId, Span};
use host_syntax::json::{self, Value};
use host_syntax::yaml;

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Yaml,
}

/// Whether a path names a template in YAML: it ends in `.pkr.yaml` or `.pkr.yml`.
#[must_use]
pub fn is_yaml(path: &str) -> bool {
    path.ends_with(".pkr.yaml") || path.ends_with(".pkr.yml")
}

impl Form {
    /// Of a template; whatever is not YAML by its name is JSON.
    pub(crate) fn of_template(path: &str) -> Self {
        if is_yaml(path) {
            Self::Yaml
        } else {
            Self::Json
        }
    }

    /// Of a file of variables.
    pub(crate) fn of_values(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml" | "yml") => Self::Yaml,
            _ => Self::Json,
        }
    }

    pub(crate) fn parse(self, file: FileId, text: &str) -> (Option<Value>, Diagnostics) {
        match self {
            Self::Json => json::parse(file, text),
            Self::Yaml => yaml::parse(file, text),
        }
    }
}

/// The texts of a template and its files of variables.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    files: Vec<(FileId, Form, Arc<str>)>,
}

impl Texts {
    pub(crate) fn add(&mut self, file: FileId, form: Form, text: Arc<str>) {
        self.files.push((file, form, text));
    }

    /// The place of the template action around byte `offset` of `text`, which was read from what
    /// stands at `span`; the whole place when the action cannot be found in it.
    pub(crate) fn action(&self, span: Span, text: &str, offset: usize) -> Span {
        let part = sdk_go_template::action_at(text, offset);
        let found = self.files.iter().find(|(file, ..)| *file == span.file);
        let Some((file, form, source)) = found else {
            return span;
        };
        let start = span.start as usize;
        let Some(literal) = source.get(start..span.end as usize) else {
            return span;
        };
        let place = match form {
            Form::Json => json::place_in_text(literal, part),
            Form::Yaml => yaml::place_in_text(literal, text, part),
        };
        place.map_or(span, |range| {
            Span::new(*file, start + range.start, start + range.end)
        })
    }

    /// What to do about a mapping at `span` that was probably meant as text: in YAML, one line with
    /// a colon in it.
    pub(crate) fn mapping_as_text(&self, span: Span) -> Option<String> {
        let is_yaml =
            |(file, form, _): &&(FileId, Form, Arc<str>)| *file == span.file && *form == Form::Yaml;
        let (_, _, source) = self.files.iter().find(is_yaml)?;
        let written = source.get(span.start as usize..span.end as usize)?;
        if written.starts_with('{') || written.contains('\n') || !written.contains(':') {
            return None;
        }
        let quoted = written.replace('\'', "''");
        Some(format!(
            "To YAML, a colon with a blank behind it makes a mapping; put the text in quotes: \
             '{quoted}'."
        ))
    }
}
