//! Schemas and kinds of components.

use plugin_wire::v1 as wire;
use plugin_wire::v1::r#type::{Kind as TypeKind, Primitive as WirePrimitive};
use sdk_config::{AttributeSchema, BlockSchema, ObjectAttribute, Primitive, Schema, Type};

use crate::component::Kind;

pub(crate) fn kind_from_wire(kind: wire::ComponentKind) -> Option<Kind> {
    match kind {
        wire::ComponentKind::Builder => Some(Kind::Builder),
        wire::ComponentKind::Provisioner => Some(Kind::Provisioner),
        wire::ComponentKind::PostProcessor => Some(Kind::PostProcessor),
        wire::ComponentKind::DataSource => Some(Kind::DataSource),
        wire::ComponentKind::Unspecified => None,
    }
}

pub(crate) fn kind_to_wire(kind: Kind) -> wire::ComponentKind {
    match kind {
        Kind::Builder => wire::ComponentKind::Builder,
        Kind::Provisioner => wire::ComponentKind::Provisioner,
        Kind::PostProcessor => wire::ComponentKind::PostProcessor,
        Kind::DataSource => wire::ComponentKind::DataSource,
    }
}

pub(crate) fn schema_to_wire(schema: Schema) -> wire::Schema {
    wire::Schema {
        doc: schema.doc,
        attributes: schema.attributes.into_iter().map(attribute).collect(),
        blocks: schema.blocks.into_iter().map(block).collect(),
        outputs: schema.outputs.into_iter().map(attribute).collect(),
        open: schema.open,
    }
}

fn attribute(attribute: AttributeSchema) -> wire::AttributeSchema {
    wire::AttributeSchema {
        name: attribute.name,
        r#type: Some(ty(attribute.ty)),
        required: attribute.required,
        sensitive: attribute.sensitive,
        late: attribute.late,
        doc: attribute.doc,
        default_text: attribute.default_text,
        deprecated: attribute.deprecated,
        choices: attribute.choices,
    }
}

fn block(block: BlockSchema) -> wire::BlockSchema {
    wire::BlockSchema {
        name: block.name,
        schema: Some(schema_to_wire(block.schema)),
        repeated: block.repeated,
        required: block.required,
        doc: block.doc,
    }
}

fn ty(of: Type) -> wire::Type {
    let kind = match of {
        Type::Primitive(of) => TypeKind::Primitive(primitive(of).into()),
        Type::List(item) => TypeKind::List(Box::new(ty(*item))),
        Type::Map(item) => TypeKind::Map(Box::new(ty(*item))),
        Type::Object(attributes) => TypeKind::Object(wire::ObjectType {
            attributes: attributes.into_iter().map(object_attribute).collect(),
        }),
    };
    wire::Type { kind: Some(kind) }
}

fn object_attribute(attribute: ObjectAttribute) -> wire::ObjectAttribute {
    wire::ObjectAttribute {
        name: attribute.name,
        r#type: Some(ty(attribute.ty)),
        optional: attribute.optional,
    }
}

fn primitive(of: Primitive) -> WirePrimitive {
    match of {
        Primitive::Any => WirePrimitive::Any,
        Primitive::Bool => WirePrimitive::Bool,
        Primitive::Number => WirePrimitive::Number,
        Primitive::String => WirePrimitive::String,
        Primitive::Duration => WirePrimitive::Duration,
    }
}
