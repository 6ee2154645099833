//! The value a component is configured with.

use std::collections::BTreeMap;

/// A value as it crosses the wire: exact numbers, and the marks `unknown` and `sensitive`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Whether it must stay out of every output.
    pub sensitive: bool,
}

/// The kinds of [`Value`].
#[derive(Clone, PartialEq, Default)]
pub enum ValueKind {
    /// No value: the option is not set.
    #[default]
    Null,
    /// Will be known when the build runs.
    Unknown,
    /// True or false.
    Bool(bool),
    /// Decimal text, exact: `10`, `-0.5`, `1e40`.
    Number(String),
    /// Text.
    String(String),
    /// Items in order.
    List(Vec<Value>),
    /// Keys and values, sorted by key.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// A value that is not sensitive.
    #[must_use]
    pub fn new(kind: ValueKind) -> Self {
        Self {
            kind,
            sensitive: false,
        }
    }

    /// The missing value.
    #[must_use]
    pub fn null() -> Self {
        Self::default()
    }

    /// The value that the run will know.
    #[must_use]
    pub fn unknown() -> Self {
        Self::new(ValueKind::Unknown)
    }

    /// An empty map.
    #[must_use]
    pub fn empty_map() -> Self {
        Self::new(ValueKind::Map(BTreeMap::new()))
    }

    /// Marks the value as one that must stay out of every output.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.kind, ValueKind::Null)
    }

    /// Whether it, or anything in it, is unknown.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        match &self.kind {
            ValueKind::Unknown => true,
            ValueKind::List(items) => items.iter().any(Self::has_unknown),
            ValueKind::Map(entries) => entries.values().any(Self::has_unknown),
            _ => false,
        }
    }

    /// The text of a string; `None` for every other kind.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            ValueKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The entry of a map; `None` when it is missing or this is no map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        match &self.kind {
            ValueKind::Map(entries) => entries.get(key),
            _ => None,
        }
    }

    /// Adds or replaces an entry; a value of another kind becomes a map first.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        if !matches!(self.kind, ValueKind::Map(_)) {
            self.kind = ValueKind::Map(BTreeMap::new());
        }
        if let ValueKind::Map(entries) = &mut self.kind {
            entries.insert(key.into(), value.into());
        }
    }

    /// What kind it is, in the words of diagnostics: `a string`, `a list`, ….
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            ValueKind::Null => "null",
            ValueKind::Unknown => "a value not known yet",
            ValueKind::Bool(_) => "a bool",
            ValueKind::Number(_) => "a number",
            ValueKind::String(_) => "a string",
            ValueKind::List(_) => "a list",
            ValueKind::Map(_) => "a map",
        }
    }
}

impl std::fmt::Debug for ValueKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Unknown => f.write_str("unknown"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(text) => f.write_str(text),
            Self::String(text) => write!(f, "{text:?}"),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Map(entries) => f.debug_map().entries(entries).finish(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::new(ValueKind::String(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::new(ValueKind::String(text))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::new(ValueKind::Bool(value))
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::new(ValueKind::Number(value.to_string()))
    }
}

impl From<u16> for Value {
    fn from(value: u16) -> Self {
        Self::from(u64::from(value))
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::new(ValueKind::List(items))
    }
}

impl From<BTreeMap<String, Value>> for Value {
    fn from(entries: BTreeMap<String, Value>) -> Self {
        Self::new(ValueKind::Map(entries))
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Value {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self::new(ValueKind::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        ))
    }
}
