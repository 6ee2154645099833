//! Values of variables from outside the template: environment, value files, command line.

use host_diag::{Diagnostic, Diagnostics, SourceMap, Span, nearest};
use host_eval::{Value, evaluate};
use host_syntax::{AttributeRule, BlockRule, Body, ContentSchema, parse_expression};

use crate::hcl::files::{Form, parse};
use crate::hcl::scope;
use crate::hcl::variables::{Origin, Variable, Variables};
use crate::options::LoadOptions;

/// What the names of environment variables with values start with.
pub(crate) const ENVIRONMENT_PREFIX: &str = "PKR_VAR_";

/// Gives the variables their values, lowest precedence first; `automatic` are the value files
/// found beside the template.
pub(crate) fn assign_all(
    options: &LoadOptions,
    automatic: &[(String, Form)],
    variables: &mut Variables,
    sources: &mut SourceMap,
) -> Diagnostics {
    let mut problems = Diagnostics::new();
    for (key, text) in &options.environment {
        let Some(name) = key.strip_prefix(ENVIRONMENT_PREFIX) else {
            continue;
        };
        if let Some(variable) = variables.get_mut(name) {
            assign_text(variable, text, Origin::Environment, sources, &mut problems);
        }
    }
    for (name, form) in automatic {
        if let Some(body) = parse(options, name, *form, sources, &mut problems) {
            assign_file(options, &body, variables, &mut problems);
        }
    }
    for path in &options.variable_files {
        let name = path.to_string_lossy();
        let form = match &*name {
            name if name.ends_with(".hcl") => Form::Native,
            name if name.ends_with(".json") => Form::Json,
            _ => {
                problems.push(
                    Diagnostic::error(format!("Could not guess format of {name}"))
                        .detail("A file of values ends in `.hcl` or `.json`."),
                );
                continue;
            }
        };
        if let Some(body) = parse(options, &name, form, sources, &mut problems) {
            assign_file(options, &body, variables, &mut problems);
        }
    }
    for (name, text) in &options.variables {
        match variables.get_mut(name) {
            Some(variable) => {
                assign_text(variable, text, Origin::CommandLine, sources, &mut problems);
            }
            None => problems.push(undefined_on_command_line(name, variables)),
        }
    }
    problems
}

fn undefined_on_command_line(name: &str, variables: &Variables) -> Diagnostic {
    let near = nearest(name, variables.keys().map(String::as_str));
    Diagnostic::error("Undefined -var variable")
        .detail(format!(
            "The command line sets `{name}`, but the template declares no such variable."
        ))
        .hint(near.map(|near| format!("Did you mean `{near}`?")))
        .hint(
            near.is_none()
                .then(|| format!("Declare it with `variable \"{name}\" {{}}`.")),
        )
}

/// A value given as text: taken literally where the type allows, otherwise an expression.
fn assign_text(
    variable: &mut Variable,
    text: &str,
    origin: Origin,
    sources: &mut SourceMap,
    problems: &mut Diagnostics,
) {
    let (place, summary) = match origin {
        Origin::CommandLine => ("arguments", "Invalid argument value for -var variable"),
        _ => ("env", "Invalid value for variable"),
    };
    let file = sources.add(
        format!("<value for var.{} from {place}>", variable.name),
        // What messages show of it.
        if variable.sensitive {
            "<sensitive>"
        } else {
            text
        },
    );
    let span = Span::new(file, 0, text.len());
    if variable.takes_text() {
        variable.assign(Value::string(text), origin, span, summary, problems);
        return;
    }
    let (expr, mut found) = parse_expression(file, 0, text);
    let mut value = None;
    if let Some(expr) = expr.filter(|_| !found.iter().any(Diagnostic::is_error)) {
        let (result, more) = evaluate(&expr, &scope::empty());
        found.extend(more);
        value = Some(result);
    }
    match value.filter(|_| !found.iter().any(Diagnostic::is_error)) {
        Some(value) => variable.assign(value, origin, span, summary, problems),
        None => {
            variable.broken = true;
            let reason = found
                .first()
                .map_or_else(String::new, |first| first.detail.clone());
            problems.push(
                Diagnostic::error(summary)
                    .detail(format!(
                        "The text for `{}` has to be an expression of type `{}`. {reason}",
                        variable.name, variable.ty
                    ))
                    .at(span)
                    .related(variable.span, "the variable is declared here"),
            );
        }
    }
}

/// The values of one file.
fn assign_file(
    options: &LoadOptions,
    body: &Body,
    variables: &mut Variables,
    problems: &mut Diagnostics,
) {
    let declarations = ContentSchema {
        attributes: Vec::<AttributeRule>::new(),
        blocks: match body {
            Body::Native(_) => {
                vec![BlockRule {
                    kind: "variable".into(),
                    labels: vec!["name".into()],
                }]
            }
            Body::Json(_) => Vec::new(),
        },
    };
    let (content, _) = body.partial_content(&declarations);
    if !content.blocks.is_empty() {
        for block in &content.blocks {
            problems.push(
                Diagnostic::error("Variable declaration in a .pkrvar file")
                    .detail(
                        "A file of values only sets variables, as `name = value`; the template \
                         itself declares them.",
                    )
                    .at(block.header),
            );
        }
        return;
    }
    let (attributes, found) = body.just_attributes();
    problems.extend(found);
    for attribute in &attributes {
        let name = &attribute.name.name;
        let (value, found) = evaluate(&attribute.expr, &scope::empty());
        let failed = found.iter().any(Diagnostic::is_error);
        problems.extend(found);
        let Some(variable) = variables.get_mut(name) else {
            if options.warn_undeclared {
                problems.push(undefined_in_file(name, attribute.span, variables));
            }
            continue;
        };
        if failed {
            variable.broken = true;
            continue;
        }
        let (span, summary) = (attribute.expr.span, "Invalid value for variable");
        variable.assign(value, Origin::ValueFile, span, summary, problems);
    }
}

fn undefined_in_file(name: &str, span: Span, variables: &Variables) -> Diagnostic {
    let near = nearest(name, variables.keys().map(String::as_str));
    Diagnostic::warning("Undefined variable")
        .detail(format!(
            "The variable `{name}` is set here, but the template declares none of that name."
        ))
        .at(span)
        .hint(near.map(|near| format!("Did you mean `{near}`?")))
}
