//! Templates: text with `${…}` and `%{…}`.

use host_diag::Diagnostic;
use host_syntax::Expr;
use host_syntax::ast::{Ident, TemplatePart};

use crate::convert::convert;
use crate::limits::BYTES_PER_UNIT;
use crate::types::Type;
use crate::value::{Value, ValueKind};

use super::Evaluator;
use super::describe::involved;

/// Text that is being put together.
struct Text {
    text: String,
    known: bool,
    sensitive: bool,
}

impl Evaluator<'_> {
    /// A template that is one single interpolation is the value itself; any other is text.
    pub(super) fn template(&mut self, parts: &[TemplatePart]) -> Value {
        if let [TemplatePart::Interpolation(expr)] = parts {
            return self.expression(expr);
        }
        let mut text = Text {
            text: String::new(),
            known: true,
            sensitive: false,
        };
        self.parts(parts, &mut text);
        let value = if text.known {
            Value::string(text.text)
        } else {
            Value::unknown(Type::String)
        };
        value.marked_like(text.sensitive)
    }

    fn parts(&mut self, parts: &[TemplatePart], text: &mut Text) {
        for part in parts {
            if self.limits.is_exhausted() {
                text.known = false;
                return;
            }
            match part {
                TemplatePart::Literal(literal, _) => self.append(literal, text),
                TemplatePart::Interpolation(expr) => self.interpolation(expr, text),
                TemplatePart::If { condition, yes, no } => self.if_part(condition, yes, no, text),
                TemplatePart::For {
                    key,
                    value,
                    collection,
                    body,
                } => {
                    self.for_part(key.as_ref(), value, collection, body, text);
                }
            }
        }
    }

    fn append(&mut self, piece: &str, text: &mut Text) {
        let length = text.text.len() + piece.len();
        let allowed = self.limits.allow_text(length).and_then(|()| {
            // Text is counted as it grows, so that a loop cannot fill the memory piece by piece.
            self.limits.spend(1 + piece.len() / BYTES_PER_UNIT)
        });
        match allowed {
            Ok(()) => text.text.push_str(piece),
            Err(_) => text.known = false,
        }
    }

    fn interpolation(&mut self, expr: &Expr, text: &mut Text) {
        let value = self.expression(expr);
        text.sensitive |= value.contains_sensitive();
        if let ValueKind::String(piece) = &value.kind {
            // Nearly always; nothing can be wrong with it.
            self.append(piece, text);
            return;
        }
        let problem = Diagnostic::error("Invalid template interpolation value").at(expr.span);
        let said = involved(&[(expr, &value)]);
        if value.is_null() {
            self.fail(problem.detail("The expression result is null. Cannot include a null value in a string template.".to_string()).values(&said));
            text.known = false;
            return;
        }
        match convert(value, &Type::String).map(|value| value.kind) {
            Ok(ValueKind::String(piece)) => self.append(&piece, text),
            Ok(_) => text.known = false,
            Err(error) => {
                self.fail(
                    problem
                        .detail(format!(
                            "Cannot include the given value in a string template: {error}."
                        ))
                        .values(&said),
                );
                text.known = false;
            }
        }
    }

    fn if_part(
        &mut self,
        condition: &Expr,
        yes: &[TemplatePart],
        no: &[TemplatePart],
        text: &mut Text,
    ) {
        let chosen = self.condition(condition);
        text.sensitive |= chosen.is_some_and(|(_, sensitive)| sensitive);
        match chosen.and_then(|(chosen, _)| chosen) {
            Some(true) => self.parts(yes, text),
            Some(false) => self.parts(no, text),
            None => text.known = false,
        }
    }

    fn for_part(
        &mut self,
        key: Option<&Ident>,
        value: &Ident,
        collection: &Expr,
        body: &[TemplatePart],
        text: &mut Text,
    ) {
        let collected = self.expression(collection);
        let sensitive = collected.sensitive;
        text.sensitive |= sensitive;
        let Some(pairs) = self.pairs(collected, collection) else {
            text.known = false;
            return;
        };
        for (this_key, this_value) in pairs {
            if self.limits.spend(1).is_err() {
                text.known = false;
                return;
            }
            let bound = self.bindings.len();
            if let Some(key) = key {
                let this_key = this_key.marked_like(sensitive);
                self.bindings.push((key.name.clone(), this_key));
            }
            // Messages about a part of a secret must not tell it.
            let this_value = this_value.marked_like(sensitive);
            self.bindings.push((value.name.clone(), this_value));
            let before = self.diagnostics.len();
            self.parts(body, text);
            self.bindings.truncate(bound);
            if self.diagnostics.len() > before {
                // The next rounds would most likely say the same.
                return;
            }
        }
    }
}
