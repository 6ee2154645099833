//! `condition ? yes : no`.

use host_diag::{Diagnostic, Diagnostics, Span};
use host_syntax::Expr;

use crate::convert::{convert, unify};
use crate::types::Type;
use crate::value::Value;

use super::Evaluator;
use super::describe::involved;

impl Evaluator<'_> {
    /// Both sides are computed, because the type of the result follows from both; problems count
    /// only on the side that is taken.
    pub(super) fn conditional(
        &mut self,
        condition: &Expr,
        yes: &Expr,
        no: &Expr,
        span: Span,
    ) -> Value {
        let (yes_value, yes_diagnostics) = self.apart(|evaluator| evaluator.expression(yes));
        let (no_value, no_diagnostics) = self.apart(|evaluator| evaluator.expression(no));
        let ty = match result_type(&yes_value, &no_value) {
            Some(ty) => ty,
            None => return self.inconsistent((yes, &yes_value), (no, &no_value), span),
        };
        let Some((chosen, sensitive)) = self.condition(condition) else {
            return Value::unknown(ty);
        };
        let (value, diagnostics) = match chosen {
            Some(true) => (yes_value, yes_diagnostics),
            Some(false) => (no_value, no_diagnostics),
            None => {
                let sensitive =
                    sensitive || yes_value.contains_sensitive() || no_value.contains_sensitive();
                return Value::unknown(ty).marked_like(sensitive);
            }
        };
        self.diagnostics.extend(diagnostics);
        match convert(value, &ty) {
            Ok(value) => value.marked_like(sensitive),
            Err(error) => {
                let detail = format!(
                    "The true and false result expressions must have consistent types: {error}."
                );
                let summary = "Inconsistent conditional result types";
                let shown = self.shown(&[yes, no]);
                let problem = Diagnostic::error(summary).detail(detail).at(span);
                self.fail(problem.values(&shown));
                Value::unknown(ty).marked_like(sensitive)
            }
        }
    }

    fn inconsistent(&mut self, yes: (&Expr, &Value), no: (&Expr, &Value), span: Span) -> Value {
        let problem = Diagnostic::error("Inconsistent conditional result types")
            .detail(format!(
                "The true and false result expressions must have consistent types. The true \
                 value is {}, but the false value is {}.",
                yes.1.ty.friendly_name(),
                no.1.ty.friendly_name()
            ))
            .at(span)
            .values(&self.shown(&[yes.0, no.0]));
        self.fail(problem)
    }

    /// What a condition says (`Some(None)` inside when that is not known yet) and whether that is
    /// sensitive; `None` after an error.
    pub(super) fn condition(&mut self, expr: &Expr) -> Option<(Option<bool>, bool)> {
        let value = self.expression(expr);
        let sensitive = value.sensitive;
        let said = involved(&[(expr, &value)]);
        if value.is_null() {
            self.fail(
                Diagnostic::error("Null condition")
                    .detail(
                        "The condition value is null. Conditions must either be true or false."
                            .to_string(),
                    )
                    .values(&said)
                    .at(expr.span),
            );
            return None;
        }
        match convert(value, &Type::Bool) {
            Ok(value) => Some((value.as_bool(), sensitive)),
            Err(error) => {
                self.fail(
                    Diagnostic::error("Incorrect condition type")
                        .detail(format!(
                            "The condition expression must be of type bool: {error}."
                        ))
                        .values(&said)
                        .at(expr.span),
                );
                None
            }
        }
    }

    /// Runs a part of the walk with its problems kept apart.
    pub(super) fn apart<T>(&mut self, walk: impl FnOnce(&mut Self) -> T) -> (T, Diagnostics) {
        let before = self.diagnostics.len();
        let result = walk(self);
        let diagnostics = self.diagnostics.split_off(before);
        (result, diagnostics)
    }
}

/// A bare `null` takes the type of the other side.
fn result_type(yes: &Value, no: &Value) -> Option<Type> {
    let bare_null = |value: &Value| value.is_null() && value.ty == Type::Dynamic;
    if bare_null(yes) {
        return Some(no.ty.clone());
    }
    if bare_null(no) {
        return Some(yes.ty.clone());
    }
    unify(&[yes.ty.clone(), no.ty.clone()])
}
