//! Evaluation of expressions.
//!
//! Here is [`evaluate`] and the walk over the tree; operators, templates, `for`, traversals and
//! calls have a file each. A part that fails leaves an unknown value behind, so that one mistake
//! gives one message.

mod call;
mod conditional;
mod construct;
mod describe;
mod for_expression;
mod lazy;
mod operators;
mod splat;
mod template;
mod traversal;

#[cfg(test)]
mod tests;

pub use describe::describe;
use host_diag::{Diagnostic, Diagnostics, Shown, Span, nearest};
use host_syntax::{Expr, ExprKind};

use crate::functions::functions;
use crate::limits::{BUDGET, DEEPEST, Limits};
use crate::number;
use crate::references::traversals;
use crate::scope::Scope;
use crate::value::Value;

/// Computes `expr`. With errors, the value is unknown (of a type as precise as possible), so that
/// one mistake does not cascade.
#[must_use]
pub fn evaluate(expr: &Expr, scope: &Scope) -> (Value, Diagnostics) {
    evaluate_within(expr, scope, &mut evaluation_budget())
}

/// What one evaluation may spend. A value of a few thousand parts costs as many.
#[must_use]
pub fn evaluation_budget() -> usize {
    BUDGET
}

/// As [`evaluate`], for evaluations that add up: each takes what it spends from `left`, and what one
/// may spend is limited by what is left, too. Nothing is left behind one that spent too much.
///
/// `left` counts as [`evaluation_budget`] does.
#[must_use]
pub fn evaluate_within(expr: &Expr, scope: &Scope, left: &mut usize) -> (Value, Diagnostics) {
    let budget = BUDGET.min(*left);
    let limits = Limits::new(budget);
    let mut evaluator = Evaluator::new(scope, &limits, Place::Template, 0);
    let value = evaluator.expression(expr);
    let mut diagnostics = evaluator.diagnostics;
    *left -= budget - limits.left();
    if limits.is_exhausted() {
        diagnostics.push(too_large(expr.span));
        return (Value::dynamic(), diagnostics);
    }
    (value, diagnostics)
}

/// What the names in `expr` come to, for messages: each once, the first few of them. Literals and
/// what cannot be computed have none.
#[must_use]
pub fn values_in(expr: &Expr, scope: &Scope) -> Vec<Shown> {
    let limits = Limits::new(BUDGET);
    Evaluator::new(scope, &limits, Place::Template, 0).shown(&[expr])
}

/// Where the evaluated text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a template's expression.
    Template,
    /// In a file that `templatefile` reads.
    TemplateFile,
}

/// Values that one message shows at most.
const MOST_SHOWN: usize = 4;

/// One walk over one expression.
pub(crate) struct Evaluator<'s> {
    scope: &'s Scope,
    limits: &'s Limits,
    place: Place,
    /// Names bound by `for`, innermost last.
    bindings: Vec<(String, Value)>,
    diagnostics: Diagnostics,
    depth: usize,
}

impl<'s> Evaluator<'s> {
    pub(crate) fn new(scope: &'s Scope, limits: &'s Limits, place: Place, depth: usize) -> Self {
        Self {
            scope,
            limits,
            place,
            bindings: Vec::new(),
            diagnostics: Vec::new(),
            depth,
        }
    }

    /// Ends the walk.
    pub(crate) fn into_diagnostics(self) -> Diagnostics {
        self.diagnostics
    }

    /// Computes one expression.
    pub(crate) fn expression(&mut self, expr: &Expr) -> Value {
        if self.limits.spend(1).is_err() {
            return Value::dynamic();
        }
        if self.depth >= DEEPEST {
            return self.fail(
                Diagnostic::error("Expression nested too deeply")
                    .detail(format!("Expressions can be nested {DEEPEST} levels deep."))
                    .at(expr.span)
                    .hint("Move parts of it to locals.".to_owned()),
            );
        }
        self.depth += 1;
        let value = self.expression_here(expr);
        self.depth -= 1;
        value
    }

    fn expression_here(&mut self, expr: &Expr) -> Value {
        match &expr.kind {
            ExprKind::Null => Value::null(crate::Type::Dynamic),
            ExprKind::Bool(value) => Value::bool(*value),
            ExprKind::Number(text) => self.number_literal(text, expr.span),
            ExprKind::String(text) => Value::string(text.as_str()),
            ExprKind::Template(parts) => self.template(parts),
            ExprKind::Tuple(elements) => {
                let elements = elements
                    .iter()
                    .map(|element| self.expression(element))
                    .collect();
                Value::tuple(elements)
            }
            ExprKind::Object(items) => self.object(items),
            ExprKind::Variable(_) | ExprKind::GetAttr(..) | ExprKind::Index(..) => {
                self.traversal(expr)
            }
            ExprKind::AttrSplat(source, steps) | ExprKind::FullSplat(source, steps) => {
                self.splat(source, steps)
            }
            ExprKind::Call { name, args, expand } => self.call(name, args, *expand, expr.span),
            ExprKind::Conditional(condition, yes, no) => {
                self.conditional(condition, yes, no, expr.span)
            }
            ExprKind::Unary(operator, operand) => self.unary(*operator, operand),
            ExprKind::Binary(operator, left, right) => {
                self.binary(*operator, left, right, expr.span)
            }
            ExprKind::For(expression) => self.for_expression(expression, expr.span),
            ExprKind::Parens(inner) => self.expression(inner),
        }
    }

    fn number_literal(&mut self, text: &str, span: Span) -> Value {
        match number::parse(text) {
            Some(value) => Value::number(value),
            None => self.fail(
                Diagnostic::error("Invalid number")
                    .detail(format!(
                        "`{text}` is not a number that can be computed with."
                    ))
                    .at(span),
            ),
        }
    }

    /// Reports a problem; the value it leaves is unknown.
    fn fail(&mut self, diagnostic: Diagnostic) -> Value {
        self.diagnostics.push(diagnostic);
        Value::dynamic()
    }

    /// Counts a value that was copied or built; an unknown one takes its place when the budget is
    /// used up.
    fn counted(&mut self, value: Value) -> Value {
        match self.limits.spend_on(&value) {
            Ok(()) => value,
            Err(_) => Value::dynamic(),
        }
    }

    /// The value a root name stands for.
    fn variable(&self, name: &str) -> Option<&Value> {
        let bound = self.bindings.iter().rev().find(|(bound, _)| bound == name);
        bound
            .map(|(_, value)| value)
            .or_else(|| self.scope.variables.get(name).map(AsRef::as_ref))
    }

    fn unknown_variable(&self, name: &str, span: Span) -> Diagnostic {
        if self.bindings.is_empty() && self.scope.variables.is_empty() {
            return Diagnostic::error("Variables not allowed")
                .detail("Variables may not be used here.")
                .at(span);
        }
        let bound = self.bindings.iter().map(|(name, _)| name.as_str());
        let known = bound.chain(self.scope.variables.keys().map(String::as_str));
        let mut known: Vec<&str> = known.collect();
        known.sort_unstable();
        Diagnostic::error("Unknown variable")
            .detail(format!("There is no variable named \"{name}\"."))
            .at(span)
            .hint(
                bound_by(name)
                    .or_else(|| self.qualified(name))
                    .or_else(|| without_call(name))
                    .or_else(|| nearest(name, known).map(|name| format!("Did you mean `{name}`?")))
                    .unwrap_or_else(|| {
                        "Values are named `var.NAME`, `local.NAME` or `data.TYPE.NAME`; text stands \
                         in quotes."
                            .to_owned()
                    }),
            )
    }
}

impl Evaluator<'_> {
    /// What the names in some expressions come to.
    fn shown(&mut self, expressions: &[&Expr]) -> Vec<Shown> {
        let mut shown: Vec<Shown> = Vec::new();
        let reported = self.diagnostics.len();
        for expr in expressions.iter().flat_map(|expr| traversals(expr)) {
            let value = self.expression(expr);
            if self.diagnostics.len() > reported {
                // Others tell what is wrong with it.
                self.diagnostics.truncate(reported);
                continue;
            }
            let known = |one: &Shown| shown.contains(one);
            let more = describe::involved(&[(expr, &value)]).into_iter();
            let more: Vec<Shown> = more.filter(|one| !known(one)).collect();
            shown.extend(more);
            if shown.len() >= MOST_SHOWN {
                break;
            }
        }
        shown
    }

    /// A variable or local of this name, which must be named as such.
    fn qualified(&self, name: &str) -> Option<String> {
        let has = |root: &&str| {
            let root = self.scope.variables.get(*root);
            root.and_then(|root| root.get(name)).is_some()
        };
        let root = ["var", "local"].into_iter().find(has)?;
        Some(format!("Did you mean `{root}.{name}`?"))
    }
}

/// What a name means that is none of a value: a function, or a truth value of another language.
fn without_call(name: &str) -> Option<String> {
    let truth = match name {
        "yes" | "on" | "True" | "TRUE" => "true",
        "no" | "off" | "False" | "FALSE" => "false",
        "none" | "None" | "nil" | "NULL" => {
            return Some(format!(
                "Write `null` for no value, or `\"{name}\"` for the text."
            ));
        }
        _ => {
            let function = functions().iter().find(|function| function.name == name)?;
            let call = match function.signature.contains("()") {
                true => format!("{name}()"),
                false => format!("{name}(…)"),
            };
            return Some(format!("It is a function: write `{call}`."));
        }
    };
    Some(format!("Write `{truth}`."))
}

/// Where a name that only some blocks bind can be used.
fn bound_by(name: &str) -> Option<String> {
    let known = match name {
        "source" => {
            "To name a source, write it as text: `\"source.TYPE.NAME\"`; what it is made of is known \
             in the blocks of a build only."
        }
        "build" => "`build` is known in the provisioners and post-processors of a build only.",
        "self" => "There is no `self` here; a variable is `var.NAME`, a local `local.NAME`.",
        _ => "",
    };
    if !known.is_empty() {
        return Some(known.to_owned());
    }
    let argument = match name {
        "each" => "for_each",
        "count" => "count",
        _ => return None,
    };
    Some(format!(
        "`{name}` exists in a block with the argument `{argument}`, and in blocks in it."
    ))
}

pub(crate) fn too_large(span: Span) -> Diagnostic {
    Diagnostic::error("Result too large")
        .detail("This expression makes more values or longer text than one expression may.")
        .at(span)
        .hint("Look for text or lists that are multiplied over and over.".to_owned())
}
