//! Descriptions to gob: all types first, then one value.

use super::{Blocks, BlocksShape, LabelledShape, Spec, SpecError};
use crate::gob::{self, Definition, TypeId, Types, Value};
use crate::value::encode_type;

/// The registered names. Pointers have the short name of their package, others its whole path.
const ATTRIBUTE: &str = "*hcldec.AttrSpec";
const BLOCK: &str = "*hcldec.BlockSpec";
const BLOCK_LIST: &str = "*hcldec.BlockListSpec";
const BLOCK_SET: &str = "*hcldec.BlockSetSpec";
const BLOCK_MAP: &str = "*hcldec.BlockMapSpec";
const BLOCK_LABEL: &str = "*hcldec.BlockLabelSpec";
const DEFAULT: &str = "*hcldec.DefaultSpec";
const LITERAL: &str = "*hcldec.LiteralSpec";
const OBJECT: &str = "github.com/hashicorp/hcl/v2/hcldec.ObjectSpec";
const TUPLE: &str = "github.com/hashicorp/hcl/v2/hcldec.TupleSpec";

/// Where the type of types stands among the definitions.
const TYPE: usize = 2;

pub(super) fn encode(spec: &Spec) -> Result<Vec<u8>, SpecError> {
    let Spec::Object(_) = spec else {
        return Err(unsupported("anything but an object"));
    };
    let mut types = Types::new();
    let root = define_usual(&mut types);
    if has_unusual(spec) {
        define_unusual(&mut types);
    }
    Ok(gob::encode(&types, root, &body(spec)?.1)?)
}

/// The types of what plugins do describe, in the numbers that were tried with Go.
fn define_usual<'a>(types: &mut Types<'a>) -> TypeId {
    let parts = Definition::Map(TypeId::STRING, TypeId::INTERFACE);
    let object = types.define("ObjectSpec", parts);
    types.register(OBJECT, object);
    let fields = [
        ("Name", TypeId::STRING),
        ("Type", Types::nth(TYPE)),
        ("Required", TypeId::BOOL),
    ];
    define(types, ATTRIBUTE, &fields);
    types.define("Type", Definition::Opaque);
    let fields = [
        ("TypeName", TypeId::STRING),
        ("Nested", TypeId::INTERFACE),
        ("Required", TypeId::BOOL),
    ];
    define(types, BLOCK, &fields);
    define(types, BLOCK_LIST, &REPEATED);
    object
}

const REPEATED: [(&str, TypeId); 4] = [
    ("TypeName", TypeId::STRING),
    ("Nested", TypeId::INTERFACE),
    ("MinItems", TypeId::INT),
    ("MaxItems", TypeId::INT),
];

fn define_unusual(types: &mut Types<'_>) {
    let tuple = types.define("TupleSpec", Definition::List(TypeId::INTERFACE));
    types.register(TUPLE, tuple);
    let names = types.define("[]string", Definition::List(TypeId::STRING));
    let value = types.define("Value", Definition::Opaque);
    define(types, BLOCK_SET, &REPEATED);
    let fields = [
        ("TypeName", TypeId::STRING),
        ("LabelNames", names),
        ("Nested", TypeId::INTERFACE),
    ];
    define(types, BLOCK_MAP, &fields);
    let fields = [("Index", TypeId::INT), ("Name", TypeId::STRING)];
    define(types, BLOCK_LABEL, &fields);
    let fields = [
        ("Primary", TypeId::INTERFACE),
        ("Default", TypeId::INTERFACE),
    ];
    define(types, DEFAULT, &fields);
    define(types, LITERAL, &[("Value", value)]);
}

/// Defines a struct by the name that pointers to it are registered under.
fn define(types: &mut Types<'_>, registered: &'static str, fields: &[(&'static str, TypeId)]) {
    let name = registered.trim_start_matches("*hcldec.");
    let id = types.define(name, Definition::Struct(fields.to_vec()));
    types.register(registered, id);
}

fn has_unusual(spec: &Spec) -> bool {
    match spec {
        Spec::Attribute { .. } => false,
        Spec::Block { nested, .. } => has_unusual(nested),
        Spec::Blocks(blocks) => blocks.shape != BlocksShape::List || has_unusual(&blocks.nested),
        Spec::Object(parts) => parts.values().any(has_unusual),
        _ => true,
    }
}

/// The registered name of a description and what stands under it. Fields that are zero are left out,
/// as Go's reader wants it.
fn body(spec: &Spec) -> Result<(&'static str, Value<'_>), SpecError> {
    Ok(match spec {
        Spec::Attribute { name, ty, required } => {
            let mut fields = text("Name", name);
            let ty = encode_type(ty, 0)?;
            fields.push(("Type", Value::Opaque(ty.into())));
            fields.extend(truth("Required", *required));
            (ATTRIBUTE, Value::Struct(fields))
        }
        Spec::Block {
            name,
            nested,
            required,
        } => {
            let mut fields = text("TypeName", name);
            fields.push(("Nested", held(nested)?));
            fields.extend(truth("Required", *required));
            (BLOCK, Value::Struct(fields))
        }
        Spec::Blocks(blocks) => repeated(blocks)?,
        Spec::LabelledBlocks {
            name,
            labels,
            nested,
            shape: LabelledShape::Map,
        } => {
            let mut fields = text("TypeName", name);
            let labels: Vec<_> = labels.iter().map(|label| Value::String(label)).collect();
            if !labels.is_empty() {
                fields.push(("LabelNames", Value::List(labels)));
            }
            fields.push(("Nested", held(nested)?));
            (BLOCK_MAP, Value::Struct(fields))
        }
        Spec::BlockLabel { index, name } => {
            let mut fields = Vec::new();
            fields.extend(number("Index", *index));
            fields.extend(text("Name", name));
            (BLOCK_LABEL, Value::Struct(fields))
        }
        Spec::Default { primary, default } => {
            let fields = vec![("Primary", held(primary)?), ("Default", held(default)?)];
            (DEFAULT, Value::Struct(fields))
        }
        Spec::Object(parts) => {
            let parts = parts.iter();
            let parts = parts.map(|(name, part)| Ok((Value::String(name), held(part)?)));
            let parts = parts.collect::<Result<_, SpecError>>()?;
            (OBJECT, Value::Map(parts))
        }
        Spec::Tuple(parts) => {
            let parts = parts.iter().map(held).collect::<Result<_, _>>()?;
            (TUPLE, Value::List(parts))
        }
        Spec::Literal(value) => {
            let value = Value::Opaque(value.to_gob_content()?.into());
            (LITERAL, Value::Struct(vec![("Value", value)]))
        }
        Spec::LabelledBlocks { .. } | Spec::BlockAttributes { .. } => {
            return Err(unsupported(spec.kind_name()));
        }
    })
}

fn repeated(blocks: &Blocks) -> Result<(&'static str, Value<'_>), SpecError> {
    let kind = match blocks.shape {
        BlocksShape::List => BLOCK_LIST,
        BlocksShape::Set => BLOCK_SET,
        BlocksShape::Tuple => return Err(unsupported("blocks that become a tuple")),
    };
    let mut fields = text("TypeName", &blocks.name);
    fields.push(("Nested", held(&blocks.nested)?));
    fields.extend(number("MinItems", blocks.min));
    fields.extend(number("MaxItems", blocks.max));
    Ok((kind, Value::Struct(fields)))
}

fn held(spec: &Spec) -> Result<Value<'_>, SpecError> {
    let (name, body) = body(spec)?;
    Ok(Value::Interface(name, Box::new(body)))
}

fn text<'a>(field: &'static str, text: &'a str) -> Vec<(&'a str, Value<'a>)> {
    if text.is_empty() {
        Vec::new()
    } else {
        vec![(field, Value::String(text))]
    }
}

fn truth(field: &'static str, truth: bool) -> Option<(&'static str, Value<'static>)> {
    truth.then_some((field, Value::Bool(true)))
}

fn number(field: &'static str, number: u32) -> Option<(&'static str, Value<'static>)> {
    (number > 0).then(|| (field, Value::Int(i64::from(number))))
}

fn unsupported(what: &str) -> SpecError {
    SpecError::Unsupported {
        encoding: "gob",
        what: what.to_owned(),
    }
}
