//! What a component's configuration looks like.

/// The configuration a component takes, or the body of one of its blocks.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Schema {
    /// What it is, one paragraph.
    pub doc: String,
    /// Options, in the order reference docs show them.
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
    /// Whether the component renders Go template calls in it by itself, at run time.
    pub late: bool,
    /// Reference text.
    pub doc: String,
    /// The default as documentation shows it; empty when there is none.
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
    /// Fixed keys.
    Object(Vec<ObjectAttribute>),
}

/// Types of single values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Primitive {
    /// Whatever is given.
    Any,
    /// True or false; the words are accepted too.
    Bool,
    /// A number; decimal text is accepted too.
    Number,
    /// Text; numbers and bools are turned into it.
    String,
    /// Text such as `1m30s`; a bare number counts nanoseconds.
    Duration,
}

/// One key of an object type.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectAttribute {
    /// The key.
    pub name: String,
    /// Type of its value.
    pub ty: Type,
    /// Whether it may be left out.
    pub optional: bool,
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Primitive(Primitive::Any) => f.write_str("any"),
            Self::Primitive(Primitive::Bool) => f.write_str("bool"),
            Self::Primitive(Primitive::Number) => f.write_str("number"),
            Self::Primitive(Primitive::String) => f.write_str("string"),
            Self::Primitive(Primitive::Duration) => f.write_str("duration"),
            Self::List(item) => write!(f, "list({item})"),
            Self::Map(item) => write!(f, "map({item})"),
            Self::Object(attributes) => {
                f.write_str("object({")?;
                for (index, attribute) in attributes.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{} = {}", attribute.name, attribute.ty)?;
                }
                f.write_str("})")
            }
        }
    }
}
