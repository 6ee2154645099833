//! What a Packer component says about its options and results.
//!
//! Here are the description ([`Spec`]), its two encodings (gob by default, protobuf when the plugin
//! was started with `--protobuf`), the way to kiln's schema and back ([`to_schema`],
//! [`from_schema`]), and the options of a template as a description wants them ([`read_body`]). Not
//! here: the documentation of options, which descriptions do not carry.
//!
//! Start with [`Spec`].

mod body;
mod error;
mod gob;
mod gob_write;
mod protobuf;
mod schema;

pub use body::read_body;
pub use error::SpecError;
pub use schema::{from_schema, output_from_schema, to_schema};

use std::collections::BTreeMap;

use crate::value::{CtyType, Typed};

/// How deep descriptions may nest.
pub const MAX_DEPTH: usize = 32;

/// The longest description that is read, in bytes. The largest known has about 100,000.
pub const MAX_BYTES: usize = 4 << 20;

/// The encoding of what a plugin says about itself and of what data sources find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// What every plugin knows.
    Gob,
    /// What plugins know that were built with the plugin SDK 0.6.0 or later.
    Protobuf,
}

/// How the body of a block becomes a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Spec {
    /// An attribute; null when it is not set.
    Attribute {
        /// Its name in templates.
        name: String,
        /// What it is converted to.
        ty: CtyType,
        /// Whether it must be set.
        required: bool,
    },
    /// At most one block; null when there is none.
    Block {
        /// Its name in templates.
        name: String,
        /// What is made of its body.
        nested: Box<Spec>,
        /// Whether there must be one.
        required: bool,
    },
    /// Any number of blocks in order.
    Blocks(Blocks),
    /// Blocks by their labels.
    LabelledBlocks {
        /// Their name in templates.
        name: String,
        /// What the labels are called.
        labels: Vec<String>,
        /// What is made of each body.
        nested: Box<Spec>,
        /// Whether all bodies give the same type.
        shape: LabelledShape,
    },
    /// At most one block of free attributes.
    BlockAttributes {
        /// Its name in templates.
        name: String,
        /// What every attribute is converted to.
        element: CtyType,
        /// Whether there must be one.
        required: bool,
    },
    /// A label of the block around.
    BlockLabel {
        /// Which one, from zero.
        index: u32,
        /// What it is called.
        name: String,
    },
    /// A value, or another one when that is null.
    Default {
        /// The value.
        primary: Box<Spec>,
        /// The other one.
        default: Box<Spec>,
    },
    /// All parts of an object, each from the same body.
    Object(BTreeMap<String, Spec>),
    /// All parts of a tuple, each from the same body.
    Tuple(Vec<Spec>),
    /// A value that depends on nothing.
    Literal(Typed),
}

/// Any number of blocks of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocks {
    /// Their name in templates.
    pub name: String,
    /// What is made of each body.
    pub nested: Box<Spec>,
    /// How many there must be.
    pub min: u32,
    /// How many there may be; zero is any number.
    pub max: u32,
    /// What they become.
    pub shape: BlocksShape,
}

/// What blocks of one name become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlocksShape {
    /// A list.
    List,
    /// A tuple, so that the bodies may give different types.
    Tuple,
    /// A set.
    Set,
}

/// What labelled blocks become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelledShape {
    /// Maps.
    Map,
    /// Objects, so that the bodies may give different types.
    Object,
}

impl Spec {
    /// An object of attributes that need not be set.
    #[must_use]
    pub fn attributes<'n>(list: impl IntoIterator<Item = (&'n str, CtyType)>) -> Self {
        let attribute = |(name, ty): (&str, CtyType)| {
            let attribute = Self::Attribute {
                name: name.to_owned(),
                ty,
                required: false,
            };
            (name.to_owned(), attribute)
        };
        Self::Object(list.into_iter().map(attribute).collect())
    }

    /// Reads the reply to a question for a description.
    ///
    /// # Errors
    ///
    /// [`SpecError`], when the bytes are broken, too many, or describe something that nothing is
    /// known about.
    pub fn decode(bytes: &[u8], encoding: Encoding) -> Result<Self, SpecError> {
        if bytes.len() > MAX_BYTES {
            return Err(SpecError::TooLarge {
                bytes: bytes.len(),
                limit: MAX_BYTES,
            });
        }
        match encoding {
            Encoding::Gob => gob::decode(bytes),
            Encoding::Protobuf => protobuf::decode(bytes),
        }
    }

    /// Writes the description, which must be an object.
    ///
    /// # Errors
    ///
    /// [`SpecError::Unsupported`] for what the encoding has no form for.
    pub fn encode(&self, encoding: Encoding) -> Result<Vec<u8>, SpecError> {
        match encoding {
            Encoding::Gob => gob_write::encode(self),
            Encoding::Protobuf => protobuf::encode(self),
        }
    }

    /// The type of the values that come of it.
    #[must_use]
    pub fn value_type(&self) -> CtyType {
        match self {
            Self::Attribute { ty, .. } => ty.clone(),
            Self::Block { nested, .. } => nested.value_type(),
            Self::Blocks(blocks) => {
                let element = Box::new(blocks.nested.value_type());
                match blocks.shape {
                    BlocksShape::List => CtyType::List(element),
                    BlocksShape::Set => CtyType::Set(element),
                    BlocksShape::Tuple => CtyType::Dynamic,
                }
            }
            Self::LabelledBlocks {
                labels,
                nested,
                shape: LabelledShape::Map,
                ..
            } => {
                let element = nested.value_type();
                labels.iter().fold(element, |ty, _| CtyType::map(ty))
            }
            Self::LabelledBlocks { .. } => CtyType::Dynamic,
            Self::BlockAttributes { element, .. } => CtyType::map(element.clone()),
            Self::BlockLabel { .. } => CtyType::String,
            Self::Default { primary, .. } => primary.value_type(),
            Self::Object(parts) => CtyType::object(
                parts
                    .iter()
                    .map(|(name, part)| (name.clone(), part.value_type()))
                    .collect(),
            ),
            Self::Tuple(parts) => CtyType::Tuple(parts.iter().map(Self::value_type).collect()),
            Self::Literal(typed) => typed.ty.clone(),
        }
    }

    /// What it is, in the words of errors.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self {
            Self::Attribute { .. } => "an attribute",
            Self::Block { .. } => "a block",
            Self::Blocks(_) => "blocks",
            Self::LabelledBlocks { .. } => "labelled blocks",
            Self::BlockAttributes { .. } => "a block of free attributes",
            Self::BlockLabel { .. } => "a label",
            Self::Default { .. } => "a default",
            Self::Object(_) => "an object",
            Self::Tuple(_) => "a tuple",
            Self::Literal(_) => "a fixed value",
        }
    }
}

#[cfg(test)]
mod tests;
