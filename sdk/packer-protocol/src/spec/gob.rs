//! Descriptions from gob, as Go writes them and in any other valid order of definitions.

use std::collections::BTreeMap;

use super::{Blocks, BlocksShape, LabelledShape, MAX_DEPTH, Spec, SpecError};
use crate::gob::{self, Value};
use crate::value::{CtyType, Typed, decode_type};

pub(super) fn decode(bytes: &[u8]) -> Result<Spec, SpecError> {
    let root = gob::decode(bytes)?;
    match &root {
        Value::Map(_) => object(&root, 0),
        // A program may hand over the interface instead of the object in it.
        Value::Interface(name, body) => spec("", name, body, 0),
        _ => Err(SpecError::part("", "no object")),
    }
}

/// The description that an interface holds under a registered name.
fn spec(part: &str, name: &str, body: &Value<'_>, depth: usize) -> Result<Spec, SpecError> {
    if depth >= MAX_DEPTH {
        return Err(SpecError::TooDeep { limit: MAX_DEPTH });
    }
    // A program that carries its libraries in its own tree has a longer path before the name.
    let kind = name.rsplit('.').next().unwrap_or(name);
    Ok(match kind {
        "AttrSpec" => Spec::Attribute {
            name: text(body, "Name"),
            ty: ty(part, body, "Type")?,
            required: truth(body, "Required"),
        },
        "BlockSpec" => Spec::Block {
            name: text(body, "TypeName"),
            nested: nested(part, body, "Nested", depth)?,
            required: truth(body, "Required"),
        },
        "BlockListSpec" => Spec::Blocks(blocks(part, body, BlocksShape::List, depth)?),
        "BlockTupleSpec" => Spec::Blocks(blocks(part, body, BlocksShape::Tuple, depth)?),
        "BlockSetSpec" => Spec::Blocks(blocks(part, body, BlocksShape::Set, depth)?),
        "BlockMapSpec" => labelled(part, body, LabelledShape::Map, depth)?,
        "BlockObjectSpec" => labelled(part, body, LabelledShape::Object, depth)?,
        "BlockAttrsSpec" => Spec::BlockAttributes {
            name: text(body, "TypeName"),
            element: ty(part, body, "ElementType")?,
            required: truth(body, "Required"),
        },
        "BlockLabelSpec" => Spec::BlockLabel {
            index: number(part, body, "Index")?,
            name: text(body, "Name"),
        },
        "DefaultSpec" => Spec::Default {
            primary: nested(part, body, "Primary", depth)?,
            default: nested(part, body, "Default", depth)?,
        },
        "LiteralSpec" => Spec::Literal(literal(part, body)?),
        "ObjectSpec" => object(body, depth)?,
        "TupleSpec" => tuple(part, body, depth)?,
        _ => return Err(SpecError::part(part, format!("of unknown kind `{name}`"))),
    })
}

fn object(body: &Value<'_>, depth: usize) -> Result<Spec, SpecError> {
    let mut parts = BTreeMap::new();
    if let Value::Map(entries) = body {
        for (key, value) in entries {
            let (Value::String(key), Value::Interface(name, body)) = (key, value) else {
                return Err(SpecError::part("", "empty or without a name"));
            };
            parts.insert((*key).to_owned(), spec(key, name, body, depth + 1)?);
        }
    }
    Ok(Spec::Object(parts))
}

fn tuple(part: &str, body: &Value<'_>, depth: usize) -> Result<Spec, SpecError> {
    let mut parts = Vec::new();
    if let Value::List(items) = body {
        for item in items {
            let Value::Interface(name, body) = item else {
                return Err(SpecError::part(part, "empty"));
            };
            parts.push(spec(part, name, body, depth + 1)?);
        }
    }
    Ok(Spec::Tuple(parts))
}

fn blocks(
    part: &str,
    body: &Value<'_>,
    shape: BlocksShape,
    depth: usize,
) -> Result<Blocks, SpecError> {
    Ok(Blocks {
        name: text(body, "TypeName"),
        nested: nested(part, body, "Nested", depth)?,
        min: number(part, body, "MinItems")?,
        max: number(part, body, "MaxItems")?,
        shape,
    })
}

fn labelled(
    part: &str,
    body: &Value<'_>,
    shape: LabelledShape,
    depth: usize,
) -> Result<Spec, SpecError> {
    let labels = match body.field("LabelNames") {
        Some(Value::List(names)) => names.as_slice(),
        _ => &[],
    };
    if labels.len() > MAX_DEPTH {
        return Err(SpecError::TooDeep { limit: MAX_DEPTH });
    }
    let labels = labels.iter().filter_map(|name| match name {
        Value::String(name) => Some((*name).to_owned()),
        _ => None,
    });
    Ok(Spec::LabelledBlocks {
        name: text(body, "TypeName"),
        labels: labels.collect(),
        nested: nested(part, body, "Nested", depth)?,
        shape,
    })
}

fn nested(part: &str, body: &Value<'_>, field: &str, depth: usize) -> Result<Box<Spec>, SpecError> {
    match body.field(field) {
        Some(Value::Interface(name, body)) => spec(part, name, body, depth + 1).map(Box::new),
        _ => Err(SpecError::part(part, format!("without `{field}`"))),
    }
}

fn literal(part: &str, body: &Value<'_>) -> Result<Typed, SpecError> {
    let value = body.field("Value");
    let value = value.ok_or_else(|| SpecError::part(part, "without a value"))?;
    Ok(Typed::from_gob_value(value)?)
}

fn ty(part: &str, body: &Value<'_>, field: &str) -> Result<CtyType, SpecError> {
    match body.field(field) {
        Some(Value::Opaque(bytes)) => Ok(decode_type(bytes, 0)?),
        _ => Err(SpecError::part(part, "without a type")),
    }
}

fn text(body: &Value<'_>, field: &str) -> String {
    match body.field(field) {
        Some(Value::String(text)) => (*text).to_owned(),
        _ => String::new(),
    }
}

fn truth(body: &Value<'_>, field: &str) -> bool {
    matches!(body.field(field), Some(Value::Bool(true)))
}

fn number(part: &str, body: &Value<'_>, field: &str) -> Result<u32, SpecError> {
    match body.field(field) {
        Some(Value::Int(number)) => u32::try_from(*number)
            .map_err(|_| SpecError::part(part, format!("with the count {number}"))),
        _ => Ok(0),
    }
}
