//! The document: root keys, comments, variables.

use std::collections::HashSet;

use host_diag::{Diagnostic, Diagnostics, Span, nearest};
use host_syntax::json::{Kind, Member, Value};
use indexmap::IndexMap;

use crate::legacy::problems::shape_error;
use crate::legacy::sections::{Sections, read_sections};
use crate::legacy::texts::Form;
use crate::legacy::variables::Text;

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
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) description: String,
    /// Oldest version that will do, and where it says so.
    pub(crate) min_version: Option<(String, Span)>,
    pub(crate) variables: IndexMap<String, Declared>,
    pub(crate) sensitive: Vec<Name>,
    pub(crate) sections: Sections,
    /// Its first character.
    pub(crate) start: Span,
    /// The values of sensitive variables.
    pub(crate) secrets: Vec<Span>,
}

/// A word that names something, with its place.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

/// A user variable.
#[derive(Debug)]
pub(crate) struct Declared {
    /// `None` when it has to be given.
    pub(crate) default: Option<Text>,
    /// Where it is named.
    pub(crate) span: Span,
}

/// Reads a document whose JSON or YAML is sound.
pub(crate) fn read_document(root: &Value, form: Form, problems: &mut Diagnostics) -> Document {
    let first = root.span.start as usize;
    let mut document = Document {
        description: String::new(),
        min_version: None,
        variables: IndexMap::new(),
        sensitive: Vec::new(),
        sections: Sections::default(),
        start: Span::new(root.span.file, first, first + 1),
        secrets: Vec::new(),
    };
    report_duplicates(root, &mut HashSet::new(), problems);
    let Kind::Object(members) = &root.kind else {
        let message = format!(
            "the template has to be an object, not {}",
            kind_name(&root.kind)
        );
        let hint = match form {
            Form::Json => "Put all of it between `{` and `}`: `{\"builders\": […]}`.",
            Form::Yaml => {
                "A template consists of keys such as `builders:`, each on a line of its own."
            }
        };
        problems.push(shape_error(message, document.start).hint(hint.to_owned()));
        document.sections.has_unread_builders = true;
        return document;
    };
    let mut sections: Vec<(&'static str, &Member)> = Vec::new();
    let mut variables = None;
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
            Some("variables") => variables = Some(member),
            Some("sensitive-variables") => {
                document.sensitive = text_list(&member.value, &member.key, problems);
            }
            Some("push") => {}
            Some(section) => sections.push((section, member)),
            None => problems.extend(unknown_key(member, form)),
        }
    }
    if let Some(member) = variables {
        read_variables(member, &mut document, problems);
    }
    document.sections = read_sections(&sections, problems);
    document
}

/// A key that means nothing. Keys that start with `_` are comments, which have to be text; in YAML
/// they may also hold what anchors stand for.
fn unknown_key(member: &Member, form: Form) -> Option<Diagnostic> {
    if !member.key.starts_with('_') {
        let message = format!("Unknown root level key in template: '{}'", member.key);
        let hint = match nearest(&member.key.to_ascii_lowercase(), ROOT_KEYS) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!(
                "Remove it, or let it begin with `_` to make it a comment. The keys are `{}`.",
                ROOT_KEYS.join("`, `")
            ),
        };
        return Some(shape_error(message, member.key_span).hint(hint));
    }
    if form == Form::Yaml || matches!(member.value.kind, Kind::String(_)) {
        return None;
    }
    let message = format!(
        "the comment '{}' has to be a text, not {}",
        member.key,
        kind_name(&member.value.kind)
    );
    Some(shape_error(message, member.value.span).hint("Put it between double quotes.".to_owned()))
}

/// Keys that occur twice in one object, anywhere; each once, although aliases may repeat them.
fn report_duplicates(value: &Value, known: &mut HashSet<Span>, problems: &mut Diagnostics) {
    match &value.kind {
        Kind::Array(items) => items
            .iter()
            .for_each(|item| report_duplicates(item, known, problems)),
        Kind::Object(members) => {
            let mut seen: IndexMap<&str, Span> = IndexMap::new();
            for member in members {
                if let Some(first) = seen.get(member.key.as_str()) {
                    if !known.insert(member.key_span) {
                        continue;
                    }
                    let message = format!("template has duplicate field: {}", member.key);
                    let problem = shape_error(message, member.key_span);
                    let problem = problem.related(*first, "the first one is here");
                    problems.push(problem.hint("Remove one of them.".to_owned()));
                } else {
                    seen.insert(&member.key, member.key_span);
                }
                report_duplicates(&member.value, known, problems);
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
            let problem = shape_error(message, member.value.span);
            problems.push(problem.hint("Put it between double quotes.".to_owned()));
            None
        }
    }
}

fn read_variables(member: &Member, document: &mut Document, problems: &mut Diagnostics) {
    if member.value.kind == Kind::Null {
        return;
    }
    let Kind::Object(members) = &member.value.kind else {
        let message = format!(
            "'variables' has to be an object, not {}",
            kind_name(&member.value.kind)
        );
        problems.push(shape_error(message, member.value.span));
        return;
    };
    for variable in members {
        let span = variable.value.span;
        if document
            .sensitive
            .iter()
            .any(|name| name.text == variable.key)
        {
            document.secrets.push(span);
        }
        let default = match &variable.value.kind {
            Kind::String(text) => Some(Text {
                text: text.clone(),
                span: Some(span),
            }),
            Kind::Null => None,
            other => {
                let message = format!(
                    "variable {}: the default has to be a text or null, not {}",
                    variable.key,
                    kind_name(other)
                );
                let problem = shape_error(message, span);
                problems.push(problem.hint("Put it between double quotes.".to_owned()));
                // It is declared all the same, so that nothing is said about its uses.
                Some(Text {
                    text: String::new(),
                    span: Some(span),
                })
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
pub(crate) fn text_list(value: &Value, what: &str, problems: &mut Diagnostics) -> Vec<Name> {
    let items = match &value.kind {
        Kind::Array(items) => items.as_slice(),
        Kind::Null => return Vec::new(),
        Kind::Object(members) if members.is_empty() => return Vec::new(),
        _ => std::slice::from_ref(value),
    };
    let mut texts = Vec::new();
    for item in items {
        match &item.kind {
            Kind::String(text) => texts.push(Name {
                text: text.clone(),
                span: item.span,
            }),
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
