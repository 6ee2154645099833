//! Attributes that have to be plain values, and the values meta-arguments are read as.

use host_diag::{Diagnostic, Diagnostics, Span};
use host_eval::{Scope, Type, Value, convert, evaluate, values_in};
use host_syntax::ast::Attribute;

use crate::hcl::scope;

/// The value of `attribute` as a `ty`, evaluated in `scope`; `None` (reported) when it cannot be.
pub(crate) fn converted(
    attribute: &Attribute,
    ty: &Type,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> Option<Value> {
    let (value, found) = evaluate(&attribute.expr, scope);
    let failed = found.iter().any(Diagnostic::is_error);
    problems.extend(found);
    if failed {
        return None;
    }
    match convert(value, ty) {
        Ok(value) => Some(value),
        Err(error) => {
            let problem = unsuitable(
                &attribute.name.name,
                &error.to_string(),
                attribute.expr.span,
            );
            problems.push(problem.values(&values_in(&attribute.expr, scope)));
            None
        }
    }
}

/// The text of an attribute; `None` when it is null, unknown or (reported) no text.
pub(crate) fn text(
    attribute: &Attribute,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> Option<String> {
    let value = converted(attribute, &Type::String, scope, problems)?;
    value.as_str().map(str::to_owned)
}

/// The text of an attribute that may not refer to anything.
pub(crate) fn literal_text(attribute: &Attribute, problems: &mut Diagnostics) -> Option<String> {
    text(attribute, &scope::empty(), problems)
}

/// The truth of an attribute; null counts as unset.
pub(crate) fn boolean(
    attribute: &Attribute,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> Option<bool> {
    converted(attribute, &Type::Bool, scope, problems)?.as_bool()
}

/// The texts of a list attribute; empty when it is null or (reported) no list of text.
pub(crate) fn text_list(
    attribute: &Attribute,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> Vec<String> {
    let Some(value) = converted(attribute, &Type::list(Type::String), scope, problems) else {
        return Vec::new();
    };
    let items = value.as_sequence().unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// An attribute whose value does not fit, in the words HCL uses.
pub(crate) fn unsuitable(name: &str, reason: &str, span: Span) -> Diagnostic {
    Diagnostic::error("Unsuitable value type")
        .detail(format!("Unsuitable value for \"{name}\": {reason}."))
        .at(span)
}

/// Whether `name` is a word that HCL accepts as a name.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    let starts = characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_');
    starts && characters.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}
