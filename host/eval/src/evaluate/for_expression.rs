//! `[for …]` and `{for …}`.

use std::collections::BTreeMap;

use host_diag::{Diagnostic, Span};
use host_syntax::Expr;
use host_syntax::ast::ForExpr;

use crate::convert::convert;
use crate::types::Type;
use crate::value::{Value, ValueKind};

use super::Evaluator;
use super::describe::{describe, involved};

/// What came of one round.
enum Round {
    /// The `if` clause left it out.
    Skipped,
    /// It is not known whether or where its value belongs.
    Unknown,
    /// After an error.
    Failed,
    /// A value, with its key in `{for …}`.
    Item(Option<String>, Value),
}

/// The items so far.
#[derive(Default)]
struct Items {
    sequence: Vec<Value>,
    mapping: BTreeMap<String, Value>,
    groups: BTreeMap<String, Vec<Value>>,
    known: bool,
    /// The collection, a condition or a key was sensitive.
    sensitive: bool,
}

impl Evaluator<'_> {
    pub(super) fn for_expression(&mut self, expr: &ForExpr, span: Span) -> Value {
        let collection = self.expression(&expr.collection);
        let collection_is_sensitive = collection.sensitive;
        let mut items = Items {
            known: true,
            sensitive: collection_is_sensitive,
            ..Items::default()
        };
        let Some(pairs) = self.pairs(collection, &expr.collection) else {
            return Value::dynamic().marked_like(items.sensitive);
        };
        for (key, value) in pairs {
            let bound = self.bindings.len();
            if let Some(name) = &expr.key {
                let key = key.marked_like(collection_is_sensitive);
                self.bindings.push((name.name.clone(), key));
            }
            // Messages about a part of a secret must not tell it.
            let value = value.marked_like(collection_is_sensitive);
            self.bindings.push((expr.value.name.clone(), value));
            let before = self.diagnostics.len();
            let round = self.round(expr, &mut items);
            self.bindings.truncate(bound);
            self.collect(expr, round, &mut items, span);
            if self.diagnostics.len() > before || self.limits.is_exhausted() {
                // The next rounds would most likely say the same.
                items.known = false;
                break;
            }
        }
        finish(expr, items)
    }

    /// The keys and values of a collection to walk; `None` when they are not known (yet).
    pub(super) fn pairs(&mut self, collection: Value, expr: &Expr) -> Option<Vec<(Value, Value)>> {
        let description = describe(&collection);
        if collection.is_null() {
            let said = involved(&[(expr, &collection)]);
            self.fail(
                Diagnostic::error("Iteration over null value")
                    .detail(
                        "A null value cannot be used as the collection in a 'for' expression."
                            .to_string(),
                    )
                    .values(&said)
                    .at(expr.span),
            );
            return None;
        }
        let is_set = matches!(collection.ty, Type::Set(_));
        let walkable = collection.ty.is_sequence() || collection.ty.is_mapping();
        match collection.kind {
            ValueKind::Unknown if walkable || collection.ty == Type::Dynamic => None,
            ValueKind::Sequence(elements) if is_set => Some(
                elements
                    .into_iter()
                    .map(|value| (value.clone(), value))
                    .collect(),
            ),
            ValueKind::Sequence(elements) => {
                let keyed = elements.into_iter().enumerate();
                Some(
                    keyed
                        .map(|(at, value)| (Value::number(at as u64), value))
                        .collect(),
                )
            }
            ValueKind::Mapping(elements) => {
                let keyed = elements.into_iter();
                Some(
                    keyed
                        .map(|(key, value)| (Value::string(key), value))
                        .collect(),
                )
            }
            _ => {
                let problem = Diagnostic::error("Iteration over non-iterable value")
                    .detail(format!(
                        "A value of type {} cannot be used as the collection in a 'for' \
                         expression; this is {description}.",
                        collection.ty.friendly_name()
                    ))
                    .at(expr.span)
                    .values(&self.shown(&[expr]));
                self.fail(problem);
                None
            }
        }
    }

    fn round(&mut self, expr: &ForExpr, items: &mut Items) -> Round {
        if let Some(condition) = &expr.condition {
            match self.for_condition(condition, items) {
                Some(Some(true)) => {}
                Some(Some(false)) => return Round::Skipped,
                Some(None) => return Round::Unknown,
                None => return Round::Failed,
            }
        }
        let key = match &expr.key_result {
            None => None,
            Some(key) => match self.for_key(key, items) {
                Some(Some(key)) => Some(key),
                Some(None) => {
                    // The value may still have problems of its own.
                    self.expression(&expr.result);
                    return Round::Unknown;
                }
                None => return Round::Failed,
            },
        };
        Round::Item(key, self.expression(&expr.result))
    }

    fn for_condition(&mut self, expr: &Expr, items: &mut Items) -> Option<Option<bool>> {
        let value = self.expression(expr);
        items.sensitive |= value.sensitive;
        let said = involved(&[(expr, &value)]);
        if value.is_null() {
            let detail = "The value of the 'if' clause must not be null.";
            self.fail(
                Diagnostic::error("Condition is null")
                    .detail(detail)
                    .values(&said)
                    .at(expr.span),
            );
            return None;
        }
        match convert(value, &Type::Bool) {
            Ok(value) => Some(value.as_bool()),
            Err(error) => {
                let detail = format!("The 'if' clause value is invalid: {error}.");
                self.fail(
                    Diagnostic::error("Invalid 'for' condition")
                        .detail(detail)
                        .values(&said)
                        .at(expr.span),
                );
                None
            }
        }
    }

    fn for_key(&mut self, expr: &Expr, items: &mut Items) -> Option<Option<String>> {
        let value = self.expression(expr);
        items.sensitive |= value.sensitive;
        let problem = Diagnostic::error("Invalid object key").at(expr.span);
        let said = involved(&[(expr, &value)]);
        if value.is_null() {
            self.fail(
                problem
                    .detail(
                        "Key expression in 'for' expression must not produce a null value."
                            .to_string(),
                    )
                    .values(&said),
            );
            return None;
        }
        match convert(value, &Type::String) {
            Ok(value) => Some(value.as_str().map(str::to_owned)),
            Err(error) => {
                self.fail(
                    problem
                        .detail(format!(
                            "The key expression produced an invalid result: {error}."
                        ))
                        .values(&said),
                );
                None
            }
        }
    }

    fn collect(&mut self, expr: &ForExpr, round: Round, items: &mut Items, span: Span) {
        match round {
            Round::Skipped => {}
            Round::Unknown | Round::Failed => items.known = false,
            Round::Item(None, value) => items.sequence.push(value),
            Round::Item(Some(key), value) if expr.group => {
                items.groups.entry(key).or_default().push(value);
            }
            Round::Item(Some(key), value) => {
                let shown = if items.sensitive {
                    String::new()
                } else {
                    format!(" {key:?}")
                };
                if items.mapping.insert(key, value).is_some() {
                    let place = expr.key_result.as_ref().map_or(span, |key| key.span);
                    self.fail(
                        Diagnostic::error("Duplicate object key")
                            .detail(format!(
                                "Two different items produced the key{shown} in this 'for' expression."
                            ))
                            .at(place)
                            .hint(
                                "If duplicates are expected, use the ellipsis (...) after the \
                                 value expression to enable grouping by key."
                                    .to_owned(),
                            ),
                    );
                }
            }
        }
    }
}

fn finish(expr: &ForExpr, items: Items) -> Value {
    let value = if !items.known {
        Value::dynamic()
    } else if expr.key_result.is_none() {
        Value::tuple(items.sequence)
    } else if expr.group {
        let groups = items.groups.into_iter();
        Value::object(
            groups
                .map(|(key, values)| (key, Value::tuple(values)))
                .collect(),
        )
    } else {
        Value::object(items.mapping)
    };
    value.marked_like(items.sensitive)
}
