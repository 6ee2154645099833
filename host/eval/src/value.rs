//! The values of the template language.
//!
//! Here are [`Value`] with its constructors and accessors, and the marks that keep secrets out of
//! outputs. Not here: conversion, comparison, and anything computed from several values.

use std::collections::{BTreeMap, BTreeSet};

use bigdecimal::BigDecimal;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::equality;
use crate::number;
use crate::types::Type;

/// An exact number.
pub type Number = BigDecimal;

/// Sensitive numbers with fewer characters are not listed by [`Value::sensitive_strings`]: hiding
/// every `1` of an output helps nobody.
const SHORTEST_SENSITIVE_NUMBER: usize = 4;

/// A value: its type, what is known of it, and whether it must stay out of outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Its type; of a collection, with the element type.
    pub ty: Type,
    /// What is known.
    pub kind: ValueKind,
    /// Must not appear in any output. A collection with a sensitive element is not sensitive
    /// itself; whatever is computed from a sensitive value is.
    pub sensitive: bool,
}

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// Will be known later.
    Unknown,
    /// The missing value of its type.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text, NFC normalised.
    String(String),
    /// Elements of a list or tuple in order; of a set, sorted as cty sorts them, without duplicates.
    Sequence(Vec<Value>),
    /// Elements of a map or attributes of an object.
    Mapping(BTreeMap<String, Value>),
}

impl Value {
    fn plain(ty: Type, kind: ValueKind) -> Self {
        Self {
            ty,
            kind,
            sensitive: false,
        }
    }

    /// A value of type `ty` that will be known later.
    #[must_use]
    pub fn unknown(ty: Type) -> Self {
        Self::plain(ty, ValueKind::Unknown)
    }

    /// A value of which not even the type is known: what an error leaves behind.
    #[must_use]
    pub fn dynamic() -> Self {
        Self::unknown(Type::Dynamic)
    }

    /// The missing value of type `ty`.
    #[must_use]
    pub fn null(ty: Type) -> Self {
        Self::plain(ty, ValueKind::Null)
    }

    /// True or false.
    #[must_use]
    pub fn bool(value: bool) -> Self {
        Self::plain(Type::Bool, ValueKind::Bool(value))
    }

    /// A number.
    #[must_use]
    pub fn number(value: impl Into<Number>) -> Self {
        Self::plain(Type::Number, ValueKind::Number(value.into()))
    }

    /// Text; it is NFC normalised.
    #[must_use]
    pub fn string(text: impl Into<String>) -> Self {
        Self::plain(Type::String, ValueKind::String(normalise(text.into())))
    }

    /// A list of elements that all have type `element`.
    #[must_use]
    pub fn list(element: Type, elements: Vec<Value>) -> Self {
        Self::plain(Type::List(Box::new(element)), ValueKind::Sequence(elements))
    }

    /// A list of texts.
    #[must_use]
    pub fn string_list<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Self {
        Self::list(Type::String, texts.into_iter().map(Value::string).collect())
    }

    /// A set of elements that all have type `element`. It is sorted and duplicates go; when an
    /// element is not wholly known neither is the set, and a sensitive element makes the whole
    /// set sensitive.
    #[must_use]
    pub fn set(element: Type, elements: Vec<Value>) -> Self {
        let sensitive = elements.iter().any(Value::contains_sensitive);
        let ty = Type::Set(Box::new(element));
        if elements.iter().any(Value::contains_unknown) {
            return Self {
                ty,
                kind: ValueKind::Unknown,
                sensitive,
            };
        }
        let mut elements: Vec<Value> = elements.into_iter().map(Value::without_marks).collect();
        elements.sort_by(equality::set_order);
        elements.dedup_by(|a, b| equality::set_order(a, b).is_eq());
        Self {
            ty,
            kind: ValueKind::Sequence(elements),
            sensitive,
        }
    }

    /// A tuple; its type follows from the elements.
    #[must_use]
    pub fn tuple(elements: Vec<Value>) -> Self {
        let ty = Type::Tuple(elements.iter().map(|element| element.ty.clone()).collect());
        Self::plain(ty, ValueKind::Sequence(elements))
    }

    /// A map of elements that all have type `element`.
    #[must_use]
    pub fn map(element: Type, elements: BTreeMap<String, Value>) -> Self {
        Self::plain(Type::Map(Box::new(element)), ValueKind::Mapping(elements))
    }

    /// An object; its type follows from the attributes.
    #[must_use]
    pub fn object(attributes: BTreeMap<String, Value>) -> Self {
        let types = attributes
            .iter()
            .map(|(name, value)| (name.clone(), value.ty.clone()));
        Self::plain(
            Type::object(types.collect()),
            ValueKind::Mapping(attributes),
        )
    }

    /// An object of the given attributes.
    #[must_use]
    pub fn object_of<S: Into<String>>(attributes: impl IntoIterator<Item = (S, Value)>) -> Self {
        Self::object(
            attributes
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }

    /// Whether it will only be known later. An unknown part of a known collection does not count;
    /// see [`Value::contains_unknown`].
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.kind == ValueKind::Unknown
    }

    /// Whether it is the missing value.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.kind == ValueKind::Null
    }

    /// Its text, when it is a known string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            ValueKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// Its truth, when it is a known bool.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            ValueKind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Its number, when it is a known one.
    #[must_use]
    pub fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            ValueKind::Number(value) => Some(value),
            _ => None,
        }
    }

    /// Its number as a whole one, when it is that and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(number::to_i64)
    }

    /// The elements of a known list, set or tuple.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Value]> {
        match &self.kind {
            ValueKind::Sequence(elements) => Some(elements),
            _ => None,
        }
    }

    /// The elements of a known map or the attributes of a known object.
    #[must_use]
    pub fn as_mapping(&self) -> Option<&BTreeMap<String, Value>> {
        match &self.kind {
            ValueKind::Mapping(elements) => Some(elements),
            _ => None,
        }
    }

    /// The attribute or map element called `name`, when it is known. A mark on `self` is not
    /// carried over.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_mapping()?.get(name)
    }

    /// The same value, marked sensitive.
    #[must_use]
    pub fn with_sensitive(self) -> Self {
        Self {
            sensitive: true,
            ..self
        }
    }

    /// The same value, with the mark of what it was computed from added.
    #[must_use]
    pub fn marked_like(self, sensitive: bool) -> Self {
        Self {
            sensitive: self.sensitive || sensitive,
            ..self
        }
    }

    /// The same value without any mark, at any depth.
    #[must_use]
    pub fn without_marks(mut self) -> Self {
        self.sensitive = false;
        match &mut self.kind {
            ValueKind::Sequence(elements) => {
                for element in elements {
                    *element = std::mem::replace(element, Value::dynamic()).without_marks();
                }
            }
            ValueKind::Mapping(elements) => {
                for element in elements.values_mut() {
                    *element = std::mem::replace(element, Value::dynamic()).without_marks();
                }
            }
            _ => {}
        }
        self
    }

    /// Whether it or something in it is unknown.
    #[must_use]
    pub fn contains_unknown(&self) -> bool {
        self.is_unknown() || self.children().any(Value::contains_unknown)
    }

    /// Whether it or something in it is sensitive.
    #[must_use]
    pub fn contains_sensitive(&self) -> bool {
        self.sensitive || self.children().any(Value::contains_sensitive)
    }

    /// What is directly in it: elements or attributes.
    pub(crate) fn children(&self) -> impl Iterator<Item = &Value> {
        let sequence = self.as_sequence().unwrap_or_default().iter();
        sequence.chain(self.as_mapping().into_iter().flat_map(BTreeMap::values))
    }

    /// The plain text of all sensitive leaves, each once, sorted, never empty: strings, and
    /// numbers of at least four characters. A string of several lines comes as a whole.
    #[must_use]
    pub fn sensitive_strings(&self) -> Vec<String> {
        let mut found = BTreeSet::new();
        self.collect_sensitive(false, &mut found);
        found.into_iter().collect()
    }

    fn collect_sensitive(&self, inherited: bool, found: &mut BTreeSet<String>) {
        let sensitive = inherited || self.sensitive;
        match &self.kind {
            ValueKind::String(text) if sensitive && !text.is_empty() => {
                found.insert(text.clone());
            }
            ValueKind::Number(value) if sensitive => {
                let text = number::text(value);
                if text.len() >= SHORTEST_SENSITIVE_NUMBER {
                    found.insert(text);
                }
            }
            _ => self
                .children()
                .for_each(|child| child.collect_sensitive(sensitive, found)),
        }
    }
}

fn normalise(text: String) -> String {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text;
    }
    text.nfc().collect()
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::number(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Value;
    use crate::test_kit::show;
    use crate::types::Type;

    #[test]
    fn normalises_text() {
        assert_eq!(Value::string("e\u{301}").as_str(), Some("\u{e9}"));
    }

    #[test]
    fn sorts_sets_and_drops_duplicates() {
        let numbers = [10, 9, 100, 9].map(Value::from).to_vec();
        assert_eq!(show(&Value::set(Type::Number, numbers)), "set[9, 10, 100]");
        let open = vec![Value::string("a"), Value::unknown(Type::String)];
        assert_eq!(
            show(&Value::set(Type::String, open)),
            "unknown(set(string))"
        );
        let secret = vec![Value::string("b").with_sensitive(), Value::string("a")];
        assert_eq!(
            show(&Value::set(Type::String, secret)),
            r#"sensitive(set["a", "b"])"#
        );
    }

    #[test]
    fn lists_all_sensitive_text() {
        let value = Value::object_of([
            (
                "a",
                Value::tuple(vec![Value::string("x"), Value::from(12)]).with_sensitive(),
            ),
            ("b", Value::string("open")),
            ("c", Value::from(123_456).with_sensitive()),
            ("d", Value::string("").with_sensitive()),
        ]);
        assert_eq!(value.sensitive_strings(), ["123456", "x"]);
        assert!(!value.sensitive && value.contains_sensitive());
        assert!(!value.without_marks().contains_sensitive());
    }
}
