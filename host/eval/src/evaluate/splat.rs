//! `x.*.name` and `x[*].name`.

use host_diag::{Diagnostic, Shown, Span};
use host_syntax::Expr;
use host_syntax::ast::SplatStep;

use crate::equality::same_type;
use crate::types::Type;
use crate::value::{Value, ValueKind};

use super::Evaluator;
use super::describe::involved;

impl Evaluator<'_> {
    /// Applies the steps to each element. What is not a sequence counts as a tuple of itself, and
    /// null as an empty tuple.
    pub(super) fn splat(&mut self, source: &Expr, steps: &[SplatStep]) -> Value {
        let value = self.expression(source);
        let said = involved(&[(source, &value)]);
        self.splat_value(value, steps, source.span, &said)
    }

    fn splat_value(
        &mut self,
        value: Value,
        steps: &[SplatStep],
        span: Span,
        said: &[Shown],
    ) -> Value {
        let sensitive = value.sensitive;
        if value.is_null() {
            if !value.ty.is_sequence() {
                return Value::tuple(Vec::new()).marked_like(sensitive);
            }
            return self.fail(
                Diagnostic::error("Splat of null value")
                    .detail("Splat expressions (with the * symbol) cannot be applied to null sequences.".to_string())
                    .values(said)
                    .at(span),
            );
        }
        let is_tuple = matches!(value.ty, Type::Tuple(_));
        let result = match value.kind {
            ValueKind::Unknown => self.splat_unknown(&value.ty, steps, span),
            ValueKind::Sequence(elements) => {
                let results: Vec<Value> = elements
                    .into_iter()
                    .map(|element| self.steps(element, steps, span))
                    .collect();
                match value.ty.element() {
                    Some(element) if !is_tuple => {
                        self.same_typed(element.clone(), results, steps, span)
                    }
                    _ => Value::tuple(results),
                }
            }
            _ => Value::tuple(vec![self.steps(
                Value {
                    sensitive: false,
                    ..value
                },
                steps,
                span,
            )]),
        };
        result.marked_like(sensitive)
    }

    /// The results for the elements of a list or set are a list again.
    fn same_typed(
        &mut self,
        element: Type,
        results: Vec<Value>,
        steps: &[SplatStep],
        span: Span,
    ) -> Value {
        match results.first().map(|first| first.ty.clone()) {
            Some(first) if results.iter().all(|result| same_type(&result.ty, &first)) => {
                Value::list(first, results)
            }
            Some(_) => Value::tuple(results),
            None => {
                let (result, _) =
                    self.apart(|evaluator| evaluator.steps(Value::unknown(element), steps, span));
                Value::list(result.ty, Vec::new())
            }
        }
    }

    fn splat_unknown(&mut self, ty: &Type, steps: &[SplatStep], span: Span) -> Value {
        match ty {
            Type::Dynamic => Value::dynamic(),
            Type::List(element) | Type::Set(element) => {
                let result = self.steps(Value::unknown((**element).clone()), steps, span);
                Value::unknown(Type::list(result.ty))
            }
            Type::Tuple(elements) => {
                let results = elements
                    .iter()
                    .map(|ty| self.steps(Value::unknown(ty.clone()), steps, span).ty);
                let types = results.collect();
                Value::unknown(Type::Tuple(types))
            }
            other => {
                // Whether this becomes null, and so an empty tuple, is not known; the steps are
                // still checked.
                self.steps(Value::unknown(other.clone()), steps, span);
                Value::dynamic()
            }
        }
    }

    fn steps(&mut self, mut value: Value, steps: &[SplatStep], span: Span) -> Value {
        for step in steps {
            value = match step {
                SplatStep::Attr(name) => self.attribute(value, name, None),
                SplatStep::Index(key) => {
                    let key_value = self.expression(key);
                    self.index(value, key_value, key, None)
                }
                SplatStep::AttrSplat(steps) | SplatStep::FullSplat(steps) => {
                    self.splat_value(value, steps, span, &[])
                }
            };
        }
        value
    }
}
