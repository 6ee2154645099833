//! What a component's configuration looks like, as its plugin described it.

/// The configuration a component takes, or the body of one of its blocks.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Schema {
    /// What it is, one paragraph.
    pub doc: String,
    /// Options.
    pub attributes: Vec<AttributeSchema>,
    /// Nested blocks.
    pub blocks: Vec<BlockSchema>,
    /// What a data source returns; empty for every other kind.
    pub outputs: Vec<AttributeSchema>,
    /// Whether options that are not named here are handed over instead of refused.
    pub open: bool,
}

/// One option.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeSchema {
    /// Name in templates.
    pub name: String,
    /// What it accepts.
    pub ty: Type,
    /// Whether leaving it out is an error.
    pub required: bool,
    /// Whether its value must stay out of every output.
    pub sensitive: bool,
    /// Whether the component renders Go template calls in it by itself.
    pub late: bool,
    /// Reference text.
    pub doc: String,
    /// The default as documentation shows it.
    pub default_text: String,
    /// Why not to use it and what to use instead; empty when it is not deprecated.
    pub deprecated: String,
    /// Accepted words; empty when the value is free.
    pub choices: Vec<String>,
}

/// One nested block.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockSchema {
    /// Name in templates.
    pub name: String,
    /// Its body.
    pub schema: Schema,
    /// Any number of blocks when true, zero or one when false.
    pub repeated: bool,
    /// Whether leaving it out is an error.
    pub required: bool,
    /// Reference text.
    pub doc: String,
}

/// The type of an option.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// A single value.
    Primitive(Primitive),
    /// Items of one type.
    List(Box<Type>),
    /// Text keys and values of one type.
    Map(Box<Type>),
    /// Fixed keys: name, type, whether it may be left out.
    Object(Vec<(String, Type, bool)>),
}

/// Types of single values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Primitive {
    /// Whatever is given.
    Any,
    /// True or false.
    Bool,
    /// A number.
    Number,
    /// Text.
    String,
    /// Text such as `1m30s`; a bare number counts nanoseconds.
    Duration,
}

impl Type {
    /// The type as messages name it: `list of string`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Primitive(Primitive::Any) => "any value".to_owned(),
            Self::Primitive(Primitive::Bool) => "bool".to_owned(),
            Self::Primitive(Primitive::Number) => "number".to_owned(),
            Self::Primitive(Primitive::String | Primitive::Duration) => "string".to_owned(),
            Self::List(item) => format!("list of {}", item.name()),
            Self::Map(item) => format!("map of {}", item.name()),
            Self::Object(_) => "object".to_owned(),
        }
    }
}
