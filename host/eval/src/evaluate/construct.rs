//! Objects.

use std::collections::BTreeMap;

use host_diag::Diagnostic;
use host_syntax::ast::ObjectItem;

use crate::convert::convert;
use crate::types::Type;
use crate::value::{Value, ValueKind};

use super::Evaluator;

impl Evaluator<'_> {
    /// `{ key = value }`. Of equal keys the last one counts; a key that is not known yet leaves
    /// the whole object unknown; sensitive keys make the whole object sensitive.
    pub(super) fn object(&mut self, items: &[ObjectItem]) -> Value {
        let mut attributes = BTreeMap::new();
        let mut sensitive = false;
        let mut known = true;
        for item in items {
            let key = self.object_key(item);
            let value = self.expression(&item.value);
            match key {
                Some(key) => {
                    sensitive |= key.sensitive;
                    match key.kind {
                        ValueKind::String(name) => {
                            attributes.insert(name, value);
                        }
                        _ => known = false,
                    }
                }
                None => known = false,
            }
        }
        let object = if known {
            Value::object(attributes)
        } else {
            Value::dynamic()
        };
        object.marked_like(sensitive)
    }

    fn object_key(&mut self, item: &ObjectItem) -> Option<Value> {
        let key = self.expression(&item.key);
        let sensitive = key.sensitive;
        if key.is_null() {
            let problem = Diagnostic::error("Null value as key")
                .detail("Can't use a null value as a key.")
                .at(item.key.span)
                .values(&self.shown(&[&item.key]));
            self.fail(problem);
            return None;
        }
        match convert(key, &Type::String) {
            Ok(key) => Some(key.marked_like(sensitive)),
            Err(error) => {
                let problem = Diagnostic::error("Incorrect key type")
                    .detail(format!("Can't use this value as a key: {error}."))
                    .at(item.key.span)
                    .values(&self.shown(&[&item.key]));
                self.fail(problem);
                None
            }
        }
    }
}
