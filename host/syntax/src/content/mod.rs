//! A body seen through a schema: the same for both forms.

mod json;
mod native;
mod problem;
#[cfg(test)]
mod tests;

use host_diag::{Diagnostics, Span};

use crate::ast::{Attribute, Block, Body};

/// What a body may contain.
#[derive(Clone, Debug, Default)]
pub struct ContentSchema {
    /// Attributes.
    pub attributes: Vec<AttributeRule>,
    /// Blocks.
    pub blocks: Vec<BlockRule>,
}

/// An attribute a body may have.
#[derive(Clone, Debug)]
pub struct AttributeRule {
    /// Its name.
    pub name: String,
    /// Whether leaving it out is an error.
    pub required: bool,
}

/// A kind of block a body may have, any number of times.
#[derive(Clone, Debug)]
pub struct BlockRule {
    /// Its first word.
    pub kind: String,
    /// What each label is called, in order: `["type", "name"]`.
    pub labels: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// In order; a name occurs once.
    pub attributes: Vec<Attribute>,
    /// In order, of all kinds.
    pub blocks: Vec<Block>,
    /// The place to blame for something missing: the closing brace, or the end of the file.
    pub missing: Option<Span>,
}

/// What becomes of names that the schema does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unknown {
    Refused,
    LeftAlone,
}

impl Body {
    /// Everything in the body, checked: what the schema does not name is an error (with the nearest
    /// name), and so are wrong label counts and missing required attributes.
    ///
    /// In JSON the key `//` is a comment.
    #[must_use]
    pub fn content(&self, schema: &ContentSchema) -> (Content, Diagnostics) {
        self.seen_through(schema, Unknown::Refused)
    }

    /// What the schema names; the rest is left alone.
    #[must_use]
    pub fn partial_content(&self, schema: &ContentSchema) -> (Content, Diagnostics) {
        self.seen_through(schema, Unknown::LeftAlone)
    }

    fn seen_through(&self, schema: &ContentSchema, unknown: Unknown) -> (Content, Diagnostics) {
        let (content, mut diagnostics) = match self {
            Self::Native(body) => native::content(body, schema, unknown),
            Self::Json(value) => json::content(value, schema, unknown),
        };
        // An attribute that is there but could not be read is not missing.
        for rule in schema.attributes.iter().filter(|rule| rule.required) {
            if !self.has_attribute(&rule.name)
                && let Some(span) = content.missing
            {
                diagnostics.push(problem::missing_argument(&rule.name).at(span));
            }
        }
        (content, diagnostics)
    }

    fn has_attribute(&self, name: &str) -> bool {
        match self {
            Self::Native(body) => body
                .attributes
                .iter()
                .any(|attribute| attribute.name.name == name),
            Self::Json(value) => json::has_member(value, name),
        }
    }

    /// All attributes of a body that has nothing else; blocks are errors.
    #[must_use]
    pub fn just_attributes(&self) -> (Vec<Attribute>, Diagnostics) {
        match self {
            Self::Native(body) => native::just_attributes(body),
            Self::Json(value) => json::just_attributes(value),
        }
    }

    /// The place of the body: what is between the braces, in JSON with the brackets.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Native(body) => body.span,
            Self::Json(value) => value.span,
        }
    }
}
