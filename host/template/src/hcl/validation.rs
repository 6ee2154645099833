//! `validation` blocks of input variables.

use host_diag::{Diagnostic, Diagnostics, Span};
use host_eval::{Type, Value, convert, evaluate, references};
use host_syntax::ast::{Block, Expr};
use host_syntax::{AttributeRule, ContentSchema};
use std::collections::HashMap;
use std::path::Path;

use crate::hcl::variables::Variable;
use crate::hcl::{literal, scope};
use crate::options::LoadOptions;

/// A condition that a variable's value has to meet.
#[derive(Debug)]
pub(crate) struct Validation {
    condition: Expr,
    message: String,
    span: Span,
}

/// Reads a `validation` block of the variable called `variable`.
pub(crate) fn read_validation(
    block: &Block,
    variable: &str,
    problems: &mut Diagnostics,
) -> Option<Validation> {
    let required = |name: &str| AttributeRule {
        name: name.into(),
        required: true,
    };
    let schema = ContentSchema {
        attributes: ["condition", "error_message"].map(required).into(),
        blocks: Vec::new(),
    };
    let (content, found) = block.body.content(&schema);
    problems.extend(found);
    let attribute = |name: &str| content.attributes.iter().find(|a| a.name.name == name);
    let condition = attribute("condition")?;
    let message = attribute("error_message")?;
    let text = literal::literal_text(message, problems)?;
    if !is_sentence(&text) {
        problems.push(
            Diagnostic::error("Invalid validation error message")
                .detail(
                    "The message has to be a whole sentence: it starts with an upper-case letter \
                     and ends with a period, a question mark or an exclamation mark.",
                )
                .at(message.expr.span),
        );
    }
    let own = |reference: &host_eval::Reference| {
        reference.root == "var" && reference.path.first().is_some_and(|name| name == variable)
    };
    let referenced = references(&condition.expr);
    if referenced.is_empty() {
        problems.push(
            Diagnostic::error("Invalid variable validation condition")
                .detail(format!(
                    "The condition for variable `{variable}` has to refer to `var.{variable}`, or it \
                     would test nothing."
                ))
                .at(condition.expr.span),
        );
        return None;
    }
    let mut foreign = referenced.into_iter().filter(|one| !own(one));
    if let Some(reference) = foreign.next() {
        problems.push(
            Diagnostic::error("Invalid reference in variable validation")
                .detail(format!(
                    "The condition for variable `{variable}` can only refer to the variable \
                     itself, as `var.{variable}`."
                ))
                .at(reference.span),
        );
        return None;
    }
    Some(Validation {
        condition: condition.expr.clone(),
        message: text,
        span: condition.expr.span,
    })
}

fn is_sentence(text: &str) -> bool {
    let starts = text
        .chars()
        .next()
        .is_some_and(|first| !first.is_alphabetic() || first.is_uppercase());
    starts && text.ends_with(['.', '?', '!'])
}

/// Checks the value that counts against every condition.
pub(crate) fn validate(variable: &Variable, options: &LoadOptions) -> Diagnostics {
    let mut problems = Diagnostics::new();
    let Some(assignment) = variable.assignments.last().filter(|_| !variable.broken) else {
        return problems;
    };
    if variable.validations.is_empty() {
        return problems;
    }
    let itself = Value::object_of([(variable.name.as_str(), variable.value())]);
    let names = HashMap::from([("var".to_owned(), itself)]);
    let scope = scope::with_names(options, Path::new(""), names);
    for validation in &variable.validations {
        let (result, found) = evaluate(&validation.condition, &scope);
        if found.iter().any(Diagnostic::is_error) {
            problems.extend(found);
            continue;
        }
        match truth(&result) {
            Ok(None | Some(true)) => {}
            Ok(Some(false)) => problems.push(
                Diagnostic::error(format!(
                    "Invalid value for {} variable",
                    assignment.origin.word()
                ))
                .detail(validation.message.clone())
                .values(&[variable.shown(&assignment.value)])
                .at(variable.place_of(assignment.span))
                .related(validation.span, "this condition is not met"),
            ),
            Err((summary, reason)) => {
                problems.push(
                    Diagnostic::error(summary)
                        .detail(reason)
                        .at(validation.span),
                );
            }
        }
    }
    scope::in_block(problems, &variable.header)
}

/// `None` for a condition whose outcome is not known.
fn truth(result: &Value) -> Result<Option<bool>, (&'static str, String)> {
    if result.is_unknown() {
        return Ok(None);
    }
    if result.is_null() {
        let reason = "The condition has to be true or false, not null.".to_owned();
        return Err(("Invalid variable validation result", reason));
    }
    let bool = convert(result.clone(), &Type::Bool).map_err(|error| {
        let reason = format!("The condition has to be true or false: {error}.");
        ("Invalid variable validation result", reason)
    })?;
    Ok(bool.as_bool())
}
