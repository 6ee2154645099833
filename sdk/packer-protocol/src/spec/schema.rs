//! Descriptions and kiln's schema.

use std::collections::BTreeMap;

use sdk_config::{AttributeSchema, BlockSchema, ObjectAttribute, Primitive, Schema, Type};

use super::{Blocks, BlocksShape, Spec, SpecError};
use crate::value::CtyType;

/// What every option of the host's own begins with.
const HOST_PREFIX: &str = "packer_";

/// The schema that hosts of kiln's protocol know, from a component's options and, for a data
/// source, its results. Options of the host's own are left out. Text is called late, because
/// components of Packer render template calls by themselves.
///
/// # Errors
///
/// [`SpecError::Part`] for a description that no block of options has.
pub fn to_schema(options: &Spec, results: Option<&Spec>) -> Result<Schema, SpecError> {
    let mut schema = Schema::default();
    let Spec::Object(parts) = options else {
        return Err(SpecError::part("", options.kind_name()));
    };
    for (_, part) in parts
        .iter()
        .filter(|(key, _)| !key.starts_with(HOST_PREFIX))
    {
        add_part(&mut schema, part)?;
    }
    if let Some(results) = results {
        let CtyType::Object { attributes, .. } = results.value_type() else {
            return Err(SpecError::part("", results.kind_name()));
        };
        let outputs = attributes.iter();
        schema.outputs = outputs
            .map(|(name, ty)| AttributeSchema {
                late: false,
                ..attribute_schema(name, ty, false)
            })
            .collect();
    }
    Ok(schema)
}

fn add_part(schema: &mut Schema, part: &Spec) -> Result<(), SpecError> {
    match part {
        Spec::Attribute { name, ty, required } => {
            schema
                .attributes
                .push(attribute_schema(name, ty, *required));
        }
        Spec::Block {
            name,
            nested,
            required,
        } => schema.blocks.push(BlockSchema {
            name: name.clone(),
            schema: to_schema(nested, None)?,
            repeated: false,
            required: *required,
            doc: String::new(),
        }),
        Spec::Blocks(blocks) => schema.blocks.push(BlockSchema {
            name: blocks.name.clone(),
            schema: to_schema(&blocks.nested, None)?,
            repeated: true,
            required: blocks.min > 0,
            doc: String::new(),
        }),
        // Templates have no labelled blocks below components; a map of maps says the same.
        Spec::LabelledBlocks { name, .. } => {
            let any = CtyType::map(CtyType::Dynamic);
            schema.attributes.push(attribute_schema(name, &any, false));
        }
        Spec::BlockAttributes { name, required, .. } => schema.blocks.push(BlockSchema {
            name: name.clone(),
            schema: Schema {
                open: true,
                ..Schema::default()
            },
            repeated: false,
            required: *required,
            doc: String::new(),
        }),
        Spec::Default { primary, .. } => {
            let mut optional = Schema::default();
            add_part(&mut optional, primary)?;
            let attributes = optional.attributes.into_iter();
            schema
                .attributes
                .extend(attributes.map(|attribute| AttributeSchema {
                    required: false,
                    ..attribute
                }));
            let blocks = optional.blocks.into_iter();
            schema.blocks.extend(blocks.map(|block| BlockSchema {
                required: false,
                ..block
            }));
        }
        // All parts of an object are read from the same body.
        Spec::Object(parts) => {
            for part in parts.values() {
                add_part(schema, part)?;
            }
        }
        Spec::Tuple(parts) => {
            for part in parts {
                add_part(schema, part)?;
            }
        }
        Spec::Literal(_) | Spec::BlockLabel { .. } => {}
    }
    Ok(())
}

fn attribute_schema(name: &str, ty: &CtyType, required: bool) -> AttributeSchema {
    AttributeSchema {
        name: name.to_owned(),
        ty: kiln_type(ty),
        required,
        sensitive: false,
        late: is_text(ty),
        doc: String::new(),
        default_text: String::new(),
        deprecated: String::new(),
        choices: Vec::new(),
    }
}

/// Whether all single values in it are text.
fn is_text(ty: &CtyType) -> bool {
    match ty {
        CtyType::String => true,
        CtyType::List(element) | CtyType::Set(element) | CtyType::Map(element) => is_text(element),
        _ => false,
    }
}

fn kiln_type(ty: &CtyType) -> Type {
    match ty {
        CtyType::Dynamic => Type::Primitive(Primitive::Any),
        CtyType::String => Type::Primitive(Primitive::String),
        CtyType::Number => Type::Primitive(Primitive::Number),
        CtyType::Bool => Type::Primitive(Primitive::Bool),
        CtyType::List(element) | CtyType::Set(element) => Type::List(Box::new(kiln_type(element))),
        CtyType::Tuple(_) => Type::List(Box::new(Type::Primitive(Primitive::Any))),
        CtyType::Map(element) => Type::Map(Box::new(kiln_type(element))),
        CtyType::Object {
            attributes,
            optional,
        } => Type::Object(
            attributes
                .iter()
                .map(|(name, ty)| ObjectAttribute {
                    name: name.clone(),
                    ty: kiln_type(ty),
                    optional: optional.contains(name),
                })
                .collect(),
        ),
    }
}

/// The description that Packer knows of a component's options, with the host's own among them. It
/// has only the types that both encodings have: options of any type become text, objects blocks.
#[must_use]
pub fn from_schema(schema: &Schema) -> Spec {
    let Spec::Object(mut parts) = body_from_schema(schema) else {
        return Spec::Object(BTreeMap::new());
    };
    for (name, ty) in host_options() {
        parts.insert(
            name.to_owned(),
            Spec::Attribute {
                name: name.to_owned(),
                ty,
                required: false,
            },
        );
    }
    Spec::Object(parts)
}

/// The description that Packer knows of a data source's results.
#[must_use]
pub fn output_from_schema(outputs: &[AttributeSchema]) -> Spec {
    let parts = outputs.iter();
    Spec::Object(
        parts
            .map(|output| {
                (
                    output.name.clone(),
                    part_from_type(&output.name, &output.ty),
                )
            })
            .collect(),
    )
}

/// What the host adds to every component's options.
fn host_options() -> [(&'static str, CtyType); 8] {
    [
        ("packer_build_name", CtyType::String),
        ("packer_builder_type", CtyType::String),
        ("packer_core_version", CtyType::String),
        ("packer_debug", CtyType::Bool),
        ("packer_force", CtyType::Bool),
        ("packer_on_error", CtyType::String),
        ("packer_sensitive_variables", CtyType::list(CtyType::String)),
        ("packer_user_variables", CtyType::map(CtyType::String)),
    ]
}

fn body_from_schema(schema: &Schema) -> Spec {
    let attributes = schema.attributes.iter();
    let mut parts: BTreeMap<String, Spec> = attributes
        .map(|attribute| {
            let part = part_from_type(&attribute.name, &attribute.ty);
            (attribute.name.clone(), part)
        })
        .collect();
    for block in &schema.blocks {
        let nested = Box::new(body_from_schema(&block.schema));
        let part = if block.repeated {
            blocks(&block.name, nested)
        } else {
            one_block(&block.name, nested)
        };
        parts.insert(block.name.clone(), part);
    }
    Spec::Object(parts)
}

/// Components check by themselves what must be set, so that hosts never need to.
fn part_from_type(name: &str, ty: &Type) -> Spec {
    let object = |attributes: &[ObjectAttribute]| {
        let attributes = attributes.iter();
        let parts = attributes.map(|one| (one.name.clone(), part_from_type(&one.name, &one.ty)));
        Box::new(Spec::Object(parts.collect()))
    };
    match ty {
        Type::Object(attributes) => one_block(name, object(attributes)),
        Type::List(element) => match element.as_ref() {
            Type::Object(attributes) => blocks(name, object(attributes)),
            _ => attribute(name, cty_type(ty)),
        },
        _ => attribute(name, cty_type(ty)),
    }
}

fn attribute(name: &str, ty: CtyType) -> Spec {
    Spec::Attribute {
        name: name.to_owned(),
        ty,
        required: false,
    }
}

fn one_block(name: &str, nested: Box<Spec>) -> Spec {
    Spec::Block {
        name: name.to_owned(),
        nested,
        required: false,
    }
}

fn blocks(name: &str, nested: Box<Spec>) -> Spec {
    Spec::Blocks(Blocks {
        name: name.to_owned(),
        nested,
        min: 0,
        max: 0,
        shape: BlocksShape::List,
    })
}

fn cty_type(ty: &Type) -> CtyType {
    match ty {
        Type::Primitive(Primitive::Bool) => CtyType::Bool,
        Type::Primitive(Primitive::Number) => CtyType::Number,
        Type::Primitive(Primitive::Any | Primitive::String | Primitive::Duration) => {
            CtyType::String
        }
        Type::List(element) => CtyType::list(cty_type(element)),
        Type::Map(element) => CtyType::map(cty_type(element)),
        Type::Object(_) => CtyType::map(CtyType::String),
    }
}
