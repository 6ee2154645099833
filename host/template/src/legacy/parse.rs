//! The document: root keys, comments, variables.

use host_diag::{Diagnostic, Diagnostics, SourceMap, Span, nearest};
use host_syntax::json::{Kind, Member, Value};
use indexmap::IndexMap;

use crate::legacy::sections::{Sections, read_sections};

/// What everything wrong with a document starts with.
const FAILURE: &str = "Failed to parse file as legacy JSON template: ";

const ROOT_KEYS: [&str; 9] = [
    "min_packer_version",
    "description",
    "variables",
    "sensitive-variables",
    "builders",
    "provisioners",
    "error-cleanup-provisioner",
    "post-processors",
    "push",
];

/// What a document says.
#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) description: String,
    /// Oldest version that will do, and where it says so.
    pub(crate) min_version: Option<(String, Span)>,
    pub(crate) variables: IndexMap<String, Declared>,
    pub(crate) sensitive: Vec<String>,
    pub(crate) sections: Sections,
}

/// A user variable.
#[derive(Debug)]
pub(crate) struct Declared {
    /// `None` when it has to be given.
    pub(crate) default: Option<String>,
    pub(crate) span: Span,
}

/// A problem with the shape of the document.
pub(crate) fn shape_error(message: impl std::fmt::Display, span: Span) -> Diagnostic {
    Diagnostic::error(format!("{FAILURE}{message}")).at(span)
}

/// A document that is not JSON.
pub(crate) fn syntax_error(problem: &Diagnostic, sources: &SourceMap) -> Diagnostic {
    let reason = match problem.detail.as_str() {
        "" => problem.summary.clone(),
        detail => format!("{}: {detail}", problem.summary),
    };
    let place = problem
        .subject
        .map(|span| sources.position(span.file, span.start));
    let place = place.map_or_else(String::new, |(line, column)| {
        format!(" (line {line}, column {column})")
    });
    let error = Diagnostic::error(format!("{FAILURE}the text is not JSON")).detail(format!(
        "An HCL2 template has to end in `.pkr.hcl` or `.pkr.json` to be read as one; any other \
         name is read as legacy JSON.\nOriginal error: {reason}{place}"
    ));
    let error = error.hint("See https://developer.hashicorp.com/packer/docs/templates.".to_owned());
    match problem.subject {
        Some(span) => error.at(span),
        None => error,
    }
}

/// Reads a document whose JSON is sound.
pub(crate) fn read_document(root: &Value, problems: &mut Diagnostics) -> Document {
    let mut document = Document::default();
    report_duplicates(root, problems);
    let Kind::Object(members) = &root.kind else {
        problems.push(shape_error("the template has to be an object", root.span));
        return document;
    };
    let mut sections: Vec<(&'static str, &Value)> = Vec::new();
    for member in members {
        let key = ROOT_KEYS
            .iter()
            .copied()
            .find(|key| key.eq_ignore_ascii_case(&member.key));
        match key {
            Some("min_packer_version") => {
                document.min_version =
                    read_text(member, problems).map(|text| (text, member.value.span));
            }
            Some("description") => {
                document.description = read_text(member, problems).unwrap_or_default();
            }
            Some("variables") => read_variables(member, &mut document, problems),
            Some("sensitive-variables") => {
                document.sensitive = text_list(&member.value, &member.key, problems);
            }
            Some("push") => {}
            Some(_) if member.value.kind == Kind::Null => {}
            Some(section) => sections.push((section, &member.value)),
            None => problems.extend(unknown_key(member)),
        }
    }
    document.sections = read_sections(&sections, problems);
    document
}

/// A key that means nothing. Keys that start with `_` are comments, which have to be text.
fn unknown_key(member: &Member) -> Option<Diagnostic> {
    if !member.key.starts_with('_') {
        let message = format!("Unknown root level key in template: '{}'", member.key);
        let near = nearest(&member.key, ROOT_KEYS);
        let hint = near.map(|near| format!("Did you mean `{near}`?"));
        return Some(shape_error(message, member.key_span).hint(hint));
    }
    if matches!(member.value.kind, Kind::String(_)) {
        return None;
    }
    let message = format!("the comment '{}' has to be a text", member.key);
    Some(shape_error(message, member.value.span))
}

/// Keys that occur twice in one object, anywhere.
fn report_duplicates(value: &Value, problems: &mut Diagnostics) {
    match &value.kind {
        Kind::Array(items) => items
            .iter()
            .for_each(|item| report_duplicates(item, problems)),
        Kind::Object(members) => {
            let mut seen: IndexMap<&str, Span> = IndexMap::new();
            for member in members {
                if let Some(first) = seen.get(member.key.as_str()) {
                    let message = format!("template has duplicate field: {}", member.key);
                    let problem = shape_error(message, member.key_span);
                    problems.push(problem.related(*first, "the first one is here"));
                } else {
                    seen.insert(&member.key, member.key_span);
                }
                report_duplicates(&member.value, problems);
            }
        }
        _ => {}
    }
}

fn read_text(member: &Member, problems: &mut Diagnostics) -> Option<String> {
    match &member.value.kind {
        Kind::String(text) => Some(text.clone()),
        Kind::Null => None,
        other => {
            let message = format!(
                "'{}' has to be a text, not {}",
                member.key,
                kind_name(other)
            );
            problems.push(shape_error(message, member.value.span));
            None
        }
    }
}

fn read_variables(member: &Member, document: &mut Document, problems: &mut Diagnostics) {
    let Kind::Object(members) = &member.value.kind else {
        let message = format!(
            "'variables' has to be an object, not {}",
            kind_name(&member.value.kind)
        );
        problems.push(shape_error(message, member.value.span));
        return;
    };
    for variable in members {
        let default = match &variable.value.kind {
            Kind::String(text) => Some(text.clone()),
            Kind::Null => None,
            other => {
                let message = format!(
                    "variable {}: the default has to be a text or null, not {}",
                    variable.key,
                    kind_name(other)
                );
                let problem = shape_error(message, variable.value.span);
                problems.push(problem.hint(Some("Put it between double quotes.".to_owned())));
                continue;
            }
        };
        let declared = Declared {
            default,
            span: variable.key_span,
        };
        document.variables.insert(variable.key.clone(), declared);
    }
}

/// A list of texts; one text alone counts as a list of it.
pub(crate) fn text_list(value: &Value, what: &str, problems: &mut Diagnostics) -> Vec<String> {
    let items = match &value.kind {
        Kind::Array(items) => items.as_slice(),
        Kind::Null => return Vec::new(),
        _ => std::slice::from_ref(value),
    };
    let mut texts = Vec::new();
    for item in items {
        match &item.kind {
            Kind::String(text) => texts.push(text.clone()),
            other => {
                let message = format!(
                    "'{what}' has to be a list of texts, not {}",
                    kind_name(other)
                );
                problems.push(shape_error(message, item.span));
            }
        }
    }
    texts
}

/// What people call a kind of JSON value.
pub(crate) fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool(_) => "a bool",
        Kind::Number(_) => "a number",
        Kind::String(_) => "a text",
        Kind::Array(_) => "a list",
        Kind::Object(_) => "an object",
    }
}
