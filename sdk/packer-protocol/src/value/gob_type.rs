//! Types as gob.
//!
//! A type encodes itself as a stream of its own that holds one struct, whose interface says the kind;
//! the types it is made of are streams in that.

use std::collections::BTreeMap;

use super::{CtyType, MAX_DEPTH, ValueError};
use crate::gob::{self, Definition, TypeId, Types, Value};

/// What stands before the kinds of types.
const PREFIX: &str = "github.com/zclconf/go-cty/cty.";

/// Reads a type. `depth` is how deep it stands in another one.
///
/// # Errors
///
/// [`ValueError::Gob`], [`ValueError::Type`] for a kind that no template value has,
/// [`ValueError::TooDeep`].
pub(crate) fn decode_type(bytes: &[u8], depth: usize) -> Result<CtyType, ValueError> {
    if depth >= MAX_DEPTH {
        return Err(ValueError::TooDeep { limit: MAX_DEPTH });
    }
    let stream = gob::decode(bytes)?;
    let Some(Value::Interface(name, body)) = stream.field("Impl") else {
        return Err(ValueError::ty("a type without a kind"));
    };
    // A program that carries its libraries in its own tree has a longer prefix.
    let kind = name.rsplit('.').next().unwrap_or(name);
    Ok(match kind {
        "primitiveType" => return primitive(body),
        "typeList" => CtyType::List(element(body, depth)?),
        "typeSet" => CtyType::Set(element(body, depth)?),
        "typeMap" => CtyType::Map(element(body, depth)?),
        "typeTuple" => CtyType::Tuple(match body.field("ElemTypes") {
            Some(Value::List(elements)) => elements
                .iter()
                .map(|element| nested(element, depth))
                .collect::<Result<_, _>>()?,
            _ => Vec::new(),
        }),
        "typeObject" => object(body, depth)?,
        _ => return Err(ValueError::ty(name)),
    })
}

fn primitive(body: &Value<'_>) -> Result<CtyType, ValueError> {
    match body.field("Kind") {
        Some(Value::Uint(0x53)) => Ok(CtyType::String),
        Some(Value::Uint(0x4e)) => Ok(CtyType::Number),
        Some(Value::Uint(0x42)) => Ok(CtyType::Bool),
        _ => Err(ValueError::ty("a primitive type of unknown kind")),
    }
}

fn element(body: &Value<'_>, depth: usize) -> Result<Box<CtyType>, ValueError> {
    let element = body.field("ElementTypeT");
    let element = element.ok_or_else(|| ValueError::ty("a collection without an element type"))?;
    nested(element, depth).map(Box::new)
}

fn nested(value: &Value<'_>, depth: usize) -> Result<CtyType, ValueError> {
    match value {
        Value::Opaque(bytes) => decode_type(bytes, depth + 1),
        _ => Err(ValueError::ty("something that is no type")),
    }
}

fn object(body: &Value<'_>, depth: usize) -> Result<CtyType, ValueError> {
    let mut attributes = BTreeMap::new();
    for (name, ty) in entries(body, "AttrTypes") {
        if let Value::String(name) = name {
            attributes.insert((*name).to_owned(), nested(ty, depth)?);
        }
    }
    let optional = entries(body, "AttrOptional")
        .iter()
        .filter_map(|(name, _)| match name {
            Value::String(name) => Some((*name).to_owned()),
            _ => None,
        })
        .collect();
    Ok(CtyType::Object {
        attributes,
        optional,
    })
}

fn entries<'v, 'a>(body: &'v Value<'a>, field: &str) -> &'v [(Value<'a>, Value<'a>)] {
    match body.field(field) {
        Some(Value::Map(entries)) => entries,
        _ => &[],
    }
}

/// Writes a type.
///
/// # Errors
///
/// [`ValueError::Unsupported`] for a type that holds [`CtyType::Dynamic`], [`ValueError::TooDeep`].
pub(crate) fn encode_type(ty: &CtyType, depth: usize) -> Result<Vec<u8>, ValueError> {
    if depth >= MAX_DEPTH {
        return Err(ValueError::TooDeep { limit: MAX_DEPTH });
    }
    let mut types = Types::new();
    let root = types.define(
        "gobType",
        Definition::Struct(vec![("Version", TypeId::INT), ("Impl", TypeId::INTERFACE)]),
    );
    let (kind, body) = match ty {
        CtyType::Dynamic => {
            return Err(ValueError::Unsupported {
                encoding: "gob",
                ty: ty.to_string(),
            });
        }
        CtyType::String => put_primitive(&mut types, 0x53),
        CtyType::Number => put_primitive(&mut types, 0x4e),
        CtyType::Bool => put_primitive(&mut types, 0x42),
        CtyType::List(element) => put_collection(&mut types, "typeList", element, depth)?,
        CtyType::Set(element) => put_collection(&mut types, "typeSet", element, depth)?,
        CtyType::Map(element) => put_collection(&mut types, "typeMap", element, depth)?,
        CtyType::Tuple(elements) => put_tuple(&mut types, elements, depth)?,
        CtyType::Object {
            attributes,
            optional,
        } => {
            let body = put_object(&mut types, attributes, depth)?;
            let optional = optional.iter();
            let optional: Vec<_> = optional
                .map(|name| (Value::String(name), Value::Struct(Vec::new())))
                .collect();
            let mut fields = vec![("AttrTypes", body)];
            if !optional.is_empty() {
                fields.push(("AttrOptional", Value::Map(optional)));
            }
            ("typeObject", Value::Struct(fields))
        }
    };
    let name = format!("{PREFIX}{kind}");
    let mut named = types;
    named.register(&name, Types::nth(1));
    let value = Value::Struct(vec![("Impl", Value::Interface(&name, Box::new(body)))]);
    Ok(gob::encode(&named, root, &value)?)
}

fn put_primitive<'a>(types: &mut Types<'a>, kind: u64) -> (&'static str, Value<'a>) {
    let fields = Definition::Struct(vec![("Kind", TypeId::UINT)]);
    types.define("primitiveType", fields);
    let body = Value::Struct(vec![("Kind", Value::Uint(kind))]);
    ("primitiveType", body)
}

fn put_collection<'a>(
    types: &mut Types<'a>,
    name: &'static str,
    element: &CtyType,
    depth: usize,
) -> Result<(&'static str, Value<'a>), ValueError> {
    let fields = Definition::Struct(vec![("ElementTypeT", Types::nth(2))]);
    types.define(name, fields);
    types.define("Type", Definition::Opaque);
    let element = Value::Opaque(encode_type(element, depth + 1)?.into());
    Ok((name, Value::Struct(vec![("ElementTypeT", element)])))
}

fn put_tuple<'a>(
    types: &mut Types<'a>,
    elements: &[CtyType],
    depth: usize,
) -> Result<(&'static str, Value<'a>), ValueError> {
    let fields = Definition::Struct(vec![("ElemTypes", Types::nth(2))]);
    types.define("typeTuple", fields);
    types.define("[]cty.Type", Definition::List(Types::nth(3)));
    types.define("Type", Definition::Opaque);
    let elements = elements
        .iter()
        .map(|element| Ok(Value::Opaque(encode_type(element, depth + 1)?.into())))
        .collect::<Result<_, ValueError>>()?;
    let body = Value::Struct(vec![("ElemTypes", Value::List(elements))]);
    Ok(("typeTuple", body))
}

fn put_object<'a>(
    types: &mut Types<'a>,
    attributes: &'a BTreeMap<String, CtyType>,
    depth: usize,
) -> Result<Value<'a>, ValueError> {
    let fields = Definition::Struct(vec![
        ("AttrTypes", Types::nth(2)),
        ("AttrOptional", Types::nth(3)),
    ]);
    types.define("typeObject", fields);
    let named_types = Definition::Map(TypeId::STRING, Types::nth(4));
    types.define("map[string]cty.Type", named_types);
    let names = Definition::Map(TypeId::STRING, Types::nth(5));
    types.define("map[string]struct {}", names);
    types.define("Type", Definition::Opaque);
    types.define("", Definition::Struct(Vec::new()));
    let entries = attributes
        .iter()
        .map(|(name, ty)| {
            let ty = Value::Opaque(encode_type(ty, depth + 1)?.into());
            Ok((Value::String(name), ty))
        })
        .collect::<Result<_, ValueError>>()?;
    Ok(Value::Map(entries))
}
