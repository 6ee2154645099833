//! The form of problems of legacy templates.

use host_diag::{Diagnostic, Diagnostics, SourceMap, Span};

use crate::legacy::texts::Form;
use crate::remedies::with_remedies;

/// What everything wrong with the shape of a document starts with.
pub(crate) const FAILURE: &str = "Failed to parse file as legacy JSON template: ";

/// A problem with the shape of the document.
pub(crate) fn shape_error(message: impl std::fmt::Display, span: Span) -> Diagnostic {
    Diagnostic::error(format!("{FAILURE}{message}")).at(span)
}

/// Titles of what is wrong with a text whose meaning is clear all the same.
const CLEAR: [&str; 8] = [
    "Comment in JSON",
    "Duplicate key ",
    "Key without quotes",
    "Missing comma",
    "Missing colon",
    "Single quotes in JSON",
    "Trailing comma",
    "Wrong value of a merge key",
];

/// Whether a problem leaves nothing out of what is read, so that the rest can be checked.
pub(crate) fn loses_nothing(problem: &Diagnostic) -> bool {
    !problem.is_error() || CLEAR.iter().any(|title| problem.summary.starts_with(title))
}

/// The problems of a document that is not JSON or YAML at all. What holds for all of them stands
/// with the first.
pub(crate) fn syntax_errors(found: Diagnostics, form: Form, sources: &SourceMap) -> Diagnostics {
    let mut errors = Diagnostics::new();
    for problem in with_remedies(found) {
        errors.push(match form {
            Form::Json => json_error(problem, errors.is_empty(), sources),
            Form::Yaml => Diagnostic {
                summary: format!("Failed to parse file as YAML template: {}", problem.summary),
                ..problem
            },
        });
    }
    errors
}

fn json_error(problem: Diagnostic, is_first: bool, sources: &SourceMap) -> Diagnostic {
    let detail = match problem.summary.as_str() {
        "Comment in JSON" => {
            "JSON has no comments; write a root key such as `\"_comment\": \"text\"`."
        }
        _ => problem.detail.as_str(),
    };
    let reason = match detail {
        "" => problem.summary.clone(),
        detail => format!("{}: {detail}", problem.summary),
    };
    let place = problem
        .subject
        .map(|span| sources.position(span.file, span.start));
    let place = place.map_or_else(String::new, |(line, column)| {
        format!(" (line {line}, column {column})")
    });
    let introduction = match is_first {
        true => {
            "An HCL2 template has to end in `.pkr.hcl` or `.pkr.json` to be read as one, and one \
             in YAML in `.pkr.yaml`; any other name is read as legacy JSON.\n"
        }
        false => "",
    };
    let error = Diagnostic {
        summary: format!("{FAILURE}the text is not JSON"),
        detail: format!("{introduction}Original error: {reason}{place}"),
        ..problem
    };
    let link = "See https://developer.hashicorp.com/packer/docs/templates.";
    error.hint(is_first.then(|| link.to_owned()))
}

/// The same problem of a document in `form`.
pub(crate) fn in_form(problem: Diagnostic, form: Form) -> Diagnostic {
    match problem.summary.strip_prefix(FAILURE) {
        Some(rest) if form == Form::Yaml => Diagnostic {
            summary: format!("Failed to parse file as YAML template: {rest}"),
            ..problem
        },
        _ => problem,
    }
}

/// The same problem without the source line when it is about the value of a sensitive variable.
pub(crate) fn concealed(problem: Diagnostic, secret: &[Span], sources: &SourceMap) -> Diagnostic {
    let Some(span) = problem.subject else {
        return problem;
    };
    let is_inside = |secret: &Span| {
        secret.file == span.file && secret.start <= span.start && span.end <= secret.end
    };
    if !secret.iter().any(is_inside) {
        return problem;
    }
    let (line, column) = sources.position(span.file, span.start);
    let name = sources.name(span.file);
    let place = format!(
        "The place is {name} line {line}, column {column}; it is not shown, as the variable is \
         sensitive."
    );
    let detail = match problem.detail.as_str() {
        "" => place,
        detail => format!("{detail} {place}"),
    };
    Diagnostic {
        subject: None,
        detail,
        ..problem
    }
}
