//! `try`, `can` and `convert`: calls that look at expressions, not only at values.

use host_diag::{Diagnostic, Diagnostics, Span};
use host_syntax::Expr;
use host_syntax::ast::Ident;

use crate::convert::convert;
use crate::type_expression::parse_type;
use crate::types::Type;
use crate::value::Value;

use super::Evaluator;
use super::describe::involved;

impl Evaluator<'_> {
    /// `None` when `name` is an ordinary function.
    pub(super) fn lazy_call(
        &mut self,
        name: &Ident,
        args: &[Expr],
        expand: bool,
        span: Span,
    ) -> Option<Value> {
        let count = args.len();
        let fits = match name.name.as_str() {
            "try" => count > 0,
            "can" => count == 1,
            "convert" => count == 2,
            _ => return None,
        };
        if expand || !fits {
            let wanted = match name.name.as_str() {
                "try" => "at least one expression",
                "can" => "one expression",
                _ => "a value and a type, as in `convert(x, list(string))`",
            };
            return Some(
                self.fail(
                    Diagnostic::error("Error in function call")
                        .detail(format!(
                            "Call to function \"{}\" needs {wanted}.",
                            name.name
                        ))
                        .at(span),
                ),
            );
        }
        Some(match name.name.as_str() {
            "try" => self.try_call(args, name),
            "can" => self.can_call(&args[0]),
            _ => self.convert_call(&args[0], &args[1]),
        })
    }

    /// The first expression that has no errors. What is unknown may still become one; an error stays
    /// one, whatever the unknown becomes.
    fn try_call(&mut self, args: &[Expr], name: &Ident) -> Value {
        let mut failures: Diagnostics = Vec::new();
        for arg in args {
            let (value, diagnostics) = self.apart(|evaluator| evaluator.expression(arg));
            if self.limits.is_exhausted() || !diagnostics.iter().any(Diagnostic::is_error) {
                self.diagnostics.extend(diagnostics);
                if value.contains_unknown() {
                    return Value::dynamic().marked_like(value.contains_sensitive());
                }
                return value;
            }
            failures.extend(diagnostics.into_iter().filter(Diagnostic::is_error));
        }
        let reasons: Vec<String> = failures
            .iter()
            .map(|failure| format!("- {}: {}", failure.summary, failure.detail))
            .collect();
        self.fail(
            Diagnostic::error("Error in function call")
                .detail(format!(
                    "Call to function \"try\" failed: no expression succeeded:\n{}\n\nAt least one \
                     expression must produce a successful result.",
                    reasons.join("\n")
                ))
                .at(name.span),
        )
    }

    fn can_call(&mut self, arg: &Expr) -> Value {
        let (value, diagnostics) = self.apart(|evaluator| evaluator.expression(arg));
        if diagnostics.iter().any(Diagnostic::is_error) {
            Value::bool(false)
        } else if value.contains_unknown() {
            Value::unknown(Type::Bool)
        } else {
            Value::bool(true)
        }
    }

    fn convert_call(&mut self, value: &Expr, ty: &Expr) -> Value {
        let (ty, diagnostics) = parse_type(ty);
        let failed = diagnostics.iter().any(Diagnostic::is_error);
        self.diagnostics.extend(diagnostics);
        let computed = self.expression(value);
        if failed {
            return Value::dynamic();
        }
        let sensitive = computed.sensitive;
        let said = involved(&[(value, &computed)]);
        match convert(computed, &ty) {
            Ok(converted) => converted,
            Err(error) => {
                self.fail(
                    Diagnostic::error("Invalid function argument")
                        .detail(format!("Invalid value for \"value\" parameter: {error}."))
                        .values(&said)
                        .at(value.span),
                );
                Value::unknown(ty.without_optional()).marked_like(sensitive)
            }
        }
    }
}
