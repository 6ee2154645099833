//! Schemas.

use host_template::{AttributeSchema, BlockSchema, Primitive, Schema, Type};
use plugin_wire::v1 as wire;
use plugin_wire::v1::r#type::{Kind, Primitive as WirePrimitive};

use super::{BadMessage, required};

/// The schema of a message.
pub(crate) fn schema_from_wire(message: wire::Schema) -> Result<Schema, BadMessage> {
    Ok(Schema {
        doc: message.doc,
        attributes: attributes(message.attributes)?,
        blocks: message
            .blocks
            .into_iter()
            .map(block)
            .collect::<Result<_, _>>()?,
        outputs: attributes(message.outputs)?,
        open: message.open,
    })
}

fn attributes(messages: Vec<wire::AttributeSchema>) -> Result<Vec<AttributeSchema>, BadMessage> {
    messages.into_iter().map(attribute).collect()
}

fn attribute(message: wire::AttributeSchema) -> Result<AttributeSchema, BadMessage> {
    Ok(AttributeSchema {
        name: message.name,
        ty: option_type(required(message.r#type, "type")?)?,
        required: message.required,
        sensitive: message.sensitive,
        late: message.late,
        doc: message.doc,
        default_text: message.default_text,
        deprecated: message.deprecated,
        choices: message.choices,
    })
}

fn block(message: wire::BlockSchema) -> Result<BlockSchema, BadMessage> {
    Ok(BlockSchema {
        name: message.name,
        schema: schema_from_wire(required(message.schema, "schema")?)?,
        repeated: message.repeated,
        required: message.required,
        doc: message.doc,
    })
}

fn option_type(message: wire::Type) -> Result<Type, BadMessage> {
    match required(message.kind, "kind")? {
        Kind::Primitive(number) => primitive(number).map(Type::Primitive),
        Kind::List(item) => Ok(Type::List(Box::new(option_type(*item)?))),
        Kind::Map(item) => Ok(Type::Map(Box::new(option_type(*item)?))),
        Kind::Object(object) => {
            let attribute = |one: wire::ObjectAttribute| {
                Ok((
                    one.name,
                    option_type(required(one.r#type, "type")?)?,
                    one.optional,
                ))
            };
            object
                .attributes
                .into_iter()
                .map(attribute)
                .collect::<Result<_, _>>()
                .map(Type::Object)
        }
    }
}

fn primitive(number: i32) -> Result<Primitive, BadMessage> {
    match WirePrimitive::try_from(number) {
        Ok(WirePrimitive::Any) => Ok(Primitive::Any),
        Ok(WirePrimitive::Bool) => Ok(Primitive::Bool),
        Ok(WirePrimitive::Number) => Ok(Primitive::Number),
        Ok(WirePrimitive::String) => Ok(Primitive::String),
        Ok(WirePrimitive::Duration) => Ok(Primitive::Duration),
        _ => Err(BadMessage::UnknownWord {
            field: "primitive",
            value: number,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind) -> wire::Type {
        wire::Type { kind: Some(kind) }
    }

    #[test]
    fn types_are_read_whole() {
        let string = || of(Kind::Primitive(WirePrimitive::String.into()));
        let object = wire::ObjectType {
            attributes: vec![wire::ObjectAttribute {
                name: "a".into(),
                r#type: Some(of(Kind::Map(Box::new(string())))),
                optional: true,
            }],
        };
        let read = option_type(of(Kind::List(Box::new(of(Kind::Object(object)))))).unwrap();
        let map = Type::Map(Box::new(Type::Primitive(Primitive::String)));
        assert_eq!(
            read,
            Type::List(Box::new(Type::Object(vec![("a".into(), map, true)])))
        );
    }

    #[test]
    fn types_without_meaning_are_refused() {
        assert_eq!(
            option_type(wire::Type { kind: None }),
            Err(BadMessage::Missing("kind"))
        );
        assert_eq!(
            option_type(of(Kind::Primitive(77))),
            Err(BadMessage::UnknownWord {
                field: "primitive",
                value: 77
            })
        );
    }
}
