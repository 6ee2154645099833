//! Descriptions in protobuf.
//!
//! # Source
//!
//! The messages of the plugin SDK 0.6; names and numbers are the wire's.

use std::collections::BTreeMap;

use prost::Message;

use super::{Blocks, BlocksShape, MAX_DEPTH, Spec, SpecError};
use crate::value::CtyType;

#[derive(Clone, PartialEq, prost::Message)]
struct SpecMessage {
    #[prost(oneof = "Body", tags = "1, 2, 3, 4")]
    block: Option<Body>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Body {
    #[prost(message, tag = "1")]
    Object(ObjectMessage),
    #[prost(message, tag = "2")]
    Attribute(AttributeMessage),
    #[prost(message, tag = "3")]
    Block(Box<BlockMessage>),
    #[prost(message, tag = "4")]
    BlockList(Box<BlockListMessage>),
}

#[derive(Clone, PartialEq, prost::Message)]
struct ObjectMessage {
    #[prost(btree_map = "string, message", tag = "1")]
    attributes: BTreeMap<String, SpecMessage>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct AttributeMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    ty: Option<TypeMessage>,
    #[prost(bool, tag = "3")]
    required: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct BlockMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bool, tag = "2")]
    required: bool,
    #[prost(message, optional, boxed, tag = "3")]
    nested: Option<Box<SpecMessage>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct BlockListMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, boxed, tag = "2")]
    nested: Option<Box<SpecMessage>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TypeMessage {
    #[prost(oneof = "TypeKind", tags = "1, 2, 3")]
    kind: Option<TypeKind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum TypeKind {
    #[prost(message, tag = "1")]
    Primitive(PrimitiveMessage),
    #[prost(message, tag = "2")]
    List(Box<ElementMessage>),
    #[prost(message, tag = "3")]
    Map(Box<ElementMessage>),
}

#[derive(Clone, PartialEq, prost::Message)]
struct PrimitiveMessage {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ElementMessage {
    #[prost(message, optional, boxed, tag = "1")]
    element: Option<Box<TypeMessage>>,
}

pub(super) fn decode(bytes: &[u8]) -> Result<Spec, SpecError> {
    let message = SpecMessage::decode(bytes)?;
    match message.block {
        Some(Body::Object(object)) => read_object(object, 0),
        _ => Err(SpecError::part("", "no object")),
    }
}

fn read(part: &str, message: SpecMessage, depth: usize) -> Result<Spec, SpecError> {
    if depth >= MAX_DEPTH {
        return Err(SpecError::TooDeep { limit: MAX_DEPTH });
    }
    Ok(match message.block {
        Some(Body::Object(object)) => read_object(object, depth)?,
        Some(Body::Attribute(attribute)) => Spec::Attribute {
            ty: read_type(part, attribute.ty, 0)?,
            name: attribute.name,
            required: attribute.required,
        },
        Some(Body::Block(block)) => Spec::Block {
            nested: read_nested(part, block.nested, depth)?,
            name: block.name,
            required: block.required,
        },
        Some(Body::BlockList(blocks)) => Spec::Blocks(Blocks {
            nested: read_nested(part, blocks.nested, depth)?,
            name: blocks.name,
            min: 0,
            max: 0,
            shape: BlocksShape::List,
        }),
        None => return Err(SpecError::part(part, "of unknown kind")),
    })
}

fn read_object(object: ObjectMessage, depth: usize) -> Result<Spec, SpecError> {
    let parts = object.attributes.into_iter();
    let parts = parts.map(|(name, part)| {
        let spec = read(&name, part, depth + 1)?;
        Ok((name, spec))
    });
    Ok(Spec::Object(parts.collect::<Result<_, SpecError>>()?))
}

fn read_nested(
    part: &str,
    nested: Option<Box<SpecMessage>>,
    depth: usize,
) -> Result<Box<Spec>, SpecError> {
    let nested = nested.ok_or_else(|| SpecError::part(part, "without a body"))?;
    read(part, *nested, depth + 1).map(Box::new)
}

fn read_type(part: &str, ty: Option<TypeMessage>, depth: usize) -> Result<CtyType, SpecError> {
    if depth >= MAX_DEPTH {
        return Err(SpecError::TooDeep { limit: MAX_DEPTH });
    }
    let element = |message: Box<ElementMessage>| {
        let element = message.element.map(|element| *element);
        read_type(part, element, depth + 1).map(Box::new)
    };
    Ok(match ty.and_then(|ty| ty.kind) {
        Some(TypeKind::List(message)) => CtyType::List(element(message)?),
        Some(TypeKind::Map(message)) => CtyType::Map(element(message)?),
        Some(TypeKind::Primitive(primitive)) => match primitive.name.as_str() {
            "cty.String" => CtyType::String,
            "cty.Number" => CtyType::Number,
            "cty.Bool" => CtyType::Bool,
            name => {
                let shown: String = name.chars().take(60).collect();
                return Err(SpecError::part(part, format!("of unknown type `{shown}`")));
            }
        },
        None => return Err(SpecError::part(part, "without a type")),
    })
}

pub(super) fn encode(spec: &Spec) -> Result<Vec<u8>, SpecError> {
    match spec {
        Spec::Object(_) => Ok(write(spec)?.encode_to_vec()),
        _ => Err(unsupported("anything but an object")),
    }
}

fn write(spec: &Spec) -> Result<SpecMessage, SpecError> {
    let block = match spec {
        Spec::Object(parts) => {
            let parts = parts.iter();
            let parts = parts.map(|(name, part)| Ok((name.clone(), write(part)?)));
            Body::Object(ObjectMessage {
                attributes: parts.collect::<Result<_, SpecError>>()?,
            })
        }
        Spec::Attribute { name, ty, required } => Body::Attribute(AttributeMessage {
            name: name.clone(),
            ty: Some(write_type(ty)?),
            required: *required,
        }),
        Spec::Block {
            name,
            nested,
            required,
        } => Body::Block(Box::new(BlockMessage {
            name: name.clone(),
            required: *required,
            nested: Some(Box::new(write(nested)?)),
        })),
        Spec::Blocks(blocks) if blocks.shape == BlocksShape::List => {
            Body::BlockList(Box::new(BlockListMessage {
                name: blocks.name.clone(),
                nested: Some(Box::new(write(&blocks.nested)?)),
            }))
        }
        _ => return Err(unsupported(spec.kind_name())),
    };
    Ok(SpecMessage { block: Some(block) })
}

fn write_type(ty: &CtyType) -> Result<TypeMessage, SpecError> {
    let primitive = |name: &str| {
        TypeKind::Primitive(PrimitiveMessage {
            name: name.to_owned(),
        })
    };
    let element = |ty: &CtyType| {
        let element = Some(Box::new(write_type(ty)?));
        Ok::<_, SpecError>(Box::new(ElementMessage { element }))
    };
    let kind = match ty {
        CtyType::String => primitive("cty.String"),
        CtyType::Number => primitive("cty.Number"),
        CtyType::Bool => primitive("cty.Bool"),
        CtyType::List(ty) => TypeKind::List(element(ty)?),
        CtyType::Map(ty) => TypeKind::Map(element(ty)?),
        _ => return Err(unsupported(&format!("the type `{ty}`"))),
    };
    Ok(TypeMessage { kind: Some(kind) })
}

fn unsupported(what: &str) -> SpecError {
    SpecError::Unsupported {
        encoding: "protobuf",
        what: what.to_owned(),
    }
}
