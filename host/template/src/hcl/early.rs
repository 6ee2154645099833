//! Evaluation before the machine exists, when a plan is shown: what a value waits for.

use std::collections::BTreeMap;

use host_diag::Diagnostics;
use host_eval::{Reference, Scope, Type, Value, evaluate, references};
use host_syntax::ast::Expr;

use crate::hcl::scope::extended;

/// The value of `expr`, what is wrong with it, and the names it refers to that are not known yet,
/// such as `build.Host`, `data.http.page` or `local.token`. Which values a machine will have only
/// its builder knows, so `build.ANYTHING` is one of them.
pub(crate) fn evaluate_early(expr: &Expr, scope: &Scope) -> (Value, Diagnostics, Vec<String>) {
    let references = references(expr);
    let scope = with_generated(scope, &references);
    let (value, problems) = evaluate(expr, &scope);
    let mut waits_for = Vec::new();
    if value.contains_unknown() && problems.is_empty() {
        for reference in &references {
            let name = unknown_name(&scope, reference);
            waits_for.extend(name.filter(|name| !waits_for.contains(name)));
        }
    }
    (value, problems, waits_for)
}

/// `scope` in which every `build.NAME` that is asked for exists.
fn with_generated(scope: &Scope, references: &[Reference]) -> Scope {
    let Some(build) = scope
        .variables
        .get("build")
        .and_then(|build| build.as_mapping())
    else {
        return scope.clone();
    };
    let asked = references
        .iter()
        .filter(|reference| reference.root == "build");
    let missing: Vec<&String> = asked
        .filter_map(|reference| reference.path.first())
        .filter(|name| !build.contains_key(*name))
        .collect();
    if missing.is_empty() {
        return scope.clone();
    }
    let mut entries: BTreeMap<String, Value> = build.clone();
    for name in missing {
        entries.insert(name.clone(), Value::unknown(Type::Dynamic));
    }
    extended(scope, [("build", Value::object(entries))])
}

/// The part of a reference up to the first value that is not known; `None` when it is known.
fn unknown_name(scope: &Scope, reference: &Reference) -> Option<String> {
    let mut value: &Value = scope.variables.get(&reference.root)?;
    let mut name = reference.root.clone();
    for step in &reference.path {
        if value.is_unknown() {
            break;
        }
        value = value.get(step)?;
        name = format!("{name}.{step}");
    }
    value.contains_unknown().then_some(name)
}
