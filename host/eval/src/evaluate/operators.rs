//! Operators.

use host_diag::{Diagnostic, Span};
use host_syntax::Expr;
use host_syntax::ast::{BinaryOp, UnaryOp};

use crate::convert::convert;
use crate::equality;
use crate::number::{self, NumberError};
use crate::types::Type;
use crate::value::Value;

use super::Evaluator;
use super::describe::involved;

fn is_text(value: &Value) -> bool {
    value.as_str().is_some()
}

impl Evaluator<'_> {
    pub(super) fn unary(&mut self, operator: UnaryOp, operand: &Expr) -> Value {
        let (ty, result) = match operator {
            UnaryOp::Not => (Type::Bool, Type::Bool),
            UnaryOp::Negate => (Type::Number, Type::Number),
        };
        let value = self.expression(operand);
        let sensitive = value.sensitive;
        let Some(value) = self.operand(value, &ty, operand, "operand") else {
            return Value::unknown(result).marked_like(sensitive);
        };
        let computed = match operator {
            UnaryOp::Not => value.as_bool().map(|value| Value::bool(!value)),
            UnaryOp::Negate => value.as_number().map(|value| Value::number(-value)),
        };
        computed
            .unwrap_or_else(|| Value::unknown(result))
            .marked_like(sensitive)
    }

    pub(super) fn binary(
        &mut self,
        operator: BinaryOp,
        left: &Expr,
        right: &Expr,
        span: Span,
    ) -> Value {
        match operator {
            BinaryOp::And | BinaryOp::Or => self.logical(operator, left, right),
            BinaryOp::Equal | BinaryOp::NotEqual => {
                let (a, b) = (self.expression(left), self.expression(right));
                let equal = equality::equal(&a, &b);
                match (operator, equal.as_bool()) {
                    (BinaryOp::NotEqual, Some(same)) => {
                        Value::bool(!same).marked_like(equal.sensitive)
                    }
                    _ => equal,
                }
            }
            _ => self.numeric(operator, left, right, span),
        }
    }

    /// `&&` and `||`: when the left side decides, errors inside of the right side do not count; its
    /// type does.
    fn logical(&mut self, operator: BinaryOp, left: &Expr, right: &Expr) -> Value {
        let decisive = operator == BinaryOp::Or;
        let a = self.expression(left);
        let a_sensitive = a.sensitive;
        let a = self.operand(a, &Type::Bool, left, "left operand");
        let failed = a.is_none();
        let a = a.and_then(|value| value.as_bool());
        if a == Some(decisive) {
            let known = self.diagnostics.len();
            let b = self.expression(right);
            self.diagnostics.truncate(known);
            let sensitive = a_sensitive || b.sensitive;
            let fits = b.is_null()
                || self
                    .operand(b, &Type::Bool, right, "right operand")
                    .is_some();
            let result = match fits {
                true => Value::bool(decisive),
                false => Value::unknown(Type::Bool),
            };
            return result.marked_like(sensitive);
        }
        let b = self.expression(right);
        let sensitive = a_sensitive || b.sensitive;
        let b = self.operand(b, &Type::Bool, right, "right operand");
        let result = match (a, b.and_then(|value| value.as_bool())) {
            _ if failed => Value::unknown(Type::Bool),
            (_, Some(b)) if b == decisive => Value::bool(decisive),
            (Some(_), Some(b)) => Value::bool(b),
            _ => Value::unknown(Type::Bool),
        };
        result.marked_like(sensitive)
    }

    fn numeric(&mut self, operator: BinaryOp, left: &Expr, right: &Expr, span: Span) -> Value {
        let (a, b) = (self.expression(left), self.expression(right));
        let sensitive = a.sensitive || b.sensitive;
        let said = involved(&[(left, &a), (right, &b)]);
        let joins = operator == BinaryOp::Add && (is_text(&a) || is_text(&b));
        let reported = self.diagnostics.len();
        let a = self.operand(a, &Type::Number, left, "left operand");
        let b = self.operand(b, &Type::Number, right, "right operand");
        if joins {
            // The other side would be told the same.
            self.diagnostics.truncate(reported + 1);
        }
        if let Some(problem) = self.diagnostics[reported..].first_mut().filter(|_| joins) {
            let hint = "`+` adds numbers; text is joined in a template: `\"${a}${b}\"`.";
            problem.hints.push(hint.to_owned());
        }
        let compares = matches!(
            operator,
            BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual
        );
        let unknown = Value::unknown(if compares { Type::Bool } else { Type::Number });
        let (Some(a), Some(b)) = (a, b) else {
            return unknown.marked_like(sensitive);
        };
        let (Some(a), Some(b)) = (a.as_number(), b.as_number()) else {
            return unknown.marked_like(sensitive);
        };
        let result = match operator {
            BinaryOp::Add => number::add(a, b).map(Value::number),
            BinaryOp::Subtract => number::subtract(a, b).map(Value::number),
            BinaryOp::Multiply => number::multiply(a, b).map(Value::number),
            BinaryOp::Divide => number::divide(a, b).map(Value::number),
            BinaryOp::Modulo => number::remainder(a, b).map(Value::number),
            BinaryOp::Less => Ok(Value::bool(number::compare(a, b).is_lt())),
            BinaryOp::LessEqual => Ok(Value::bool(number::compare(a, b).is_le())),
            BinaryOp::Greater => Ok(Value::bool(number::compare(a, b).is_gt())),
            _ => Ok(Value::bool(number::compare(a, b).is_ge())),
        };
        let result = result.unwrap_or_else(|error| {
            self.fail(
                failed_operation(error)
                    .at(span)
                    .detail(format!("Error during operation: {error}."))
                    .values(&said),
            );
            unknown
        });
        result.marked_like(sensitive)
    }

    /// An operand as the type its operator wants; `None` after an error. Null is one.
    fn operand(&mut self, value: Value, ty: &Type, expr: &Expr, which: &str) -> Option<Value> {
        let said = involved(&[(expr, &value)]);
        let problem = |what: String| {
            let detail = format!("Unsuitable value for {which}: {what}.");
            Diagnostic::error("Invalid operand")
                .detail(detail)
                .values(&said)
                .at(expr.span)
        };
        if value.is_null() {
            self.fail(problem(format!(
                "a {} is required, not null",
                ty.friendly_name()
            )));
            return None;
        }
        match convert(value, ty) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fail(problem(error.to_string()));
                None
            }
        }
    }
}

fn failed_operation(error: NumberError) -> Diagnostic {
    let summary = match error {
        NumberError::DivisionByZero => "Division by zero",
        _ => "Operation failed",
    };
    Diagnostic::error(summary)
}
