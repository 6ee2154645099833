//! From a value to a stream.

use super::{Definition, GobError, MAX_DEPTH, TypeId, Types, Value};

/// Writes `value` as type `id`, after a message for each of `types`. Fields that a struct leaves
/// out are zero for the reader.
///
/// # Errors
///
/// [`GobError::Mismatch`] when the value is not of that type, [`GobError::UnknownType`] when a type
/// is not among `types`, [`GobError::TooDeep`].
pub fn encode(types: &Types<'_>, id: TypeId, value: &Value<'_>) -> Result<Vec<u8>, GobError> {
    let mut out = Vec::new();
    for (index, (name, definition)) in types.definitions.iter().enumerate() {
        let message = definition_message(Types::nth(index), name, definition);
        put_bytes(&mut out, &message);
    }
    let mut message = Vec::new();
    put_int(&mut message, id.0);
    put_marked(&mut message, types, id, value, 0)?;
    put_bytes(&mut out, &message);
    Ok(out)
}

fn definition_message(id: TypeId, name: &str, definition: &Definition<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    put_int(&mut out, -id.0);
    // The field says the kind; what follows is a struct whose first field is name and number.
    out.push(match definition {
        Definition::List(_) => 2,
        Definition::Struct(_) => 3,
        Definition::Map(..) => 4,
        Definition::Opaque => 5,
    });
    out.push(1);
    if name.is_empty() {
        out.push(2);
    } else {
        out.push(1);
        put_bytes(&mut out, name.as_bytes());
        out.push(1);
    }
    put_int(&mut out, id.0);
    out.push(0);
    match definition {
        Definition::List(element) => put_field(&mut out, *element),
        Definition::Map(key, element) => {
            put_field(&mut out, *key);
            put_field(&mut out, *element);
        }
        Definition::Struct(fields) if !fields.is_empty() => put_fields(&mut out, fields),
        Definition::Struct(_) | Definition::Opaque => {}
    }
    out.extend([0, 0]);
    out
}

/// The next field of a definition: the number of a type.
fn put_field(out: &mut Vec<u8>, id: TypeId) {
    out.push(1);
    put_int(out, id.0);
}

fn put_fields(out: &mut Vec<u8>, fields: &[(&str, TypeId)]) {
    out.push(1);
    put_uint(out, fields.len() as u64);
    for (name, id) in fields {
        out.push(1);
        put_bytes(out, name.as_bytes());
        put_field(out, *id);
        out.push(0);
    }
}

fn put_marked(
    out: &mut Vec<u8>,
    types: &Types<'_>,
    id: TypeId,
    value: &Value<'_>,
    depth: usize,
) -> Result<(), GobError> {
    if !matches!(types.get(id), Some(Definition::Struct(_))) {
        out.push(0);
    }
    put_value(out, types, id, value, depth)
}

fn put_value(
    out: &mut Vec<u8>,
    types: &Types<'_>,
    id: TypeId,
    value: &Value<'_>,
    depth: usize,
) -> Result<(), GobError> {
    if depth >= MAX_DEPTH {
        return Err(GobError::TooDeep {
            limit: MAX_DEPTH,
            offset: out.len(),
        });
    }
    let wanted = match (id, value) {
        (TypeId::BOOL, Value::Bool(value)) => return put(out, u64::from(*value)),
        (TypeId::UINT, Value::Uint(value)) => return put(out, *value),
        (TypeId::FLOAT, Value::Float(value)) => return put(out, value.to_bits().swap_bytes()),
        (TypeId::INT, Value::Int(value)) => {
            put_int(out, *value);
            return Ok(());
        }
        (TypeId::BYTES, Value::Bytes(bytes)) => return put_all(out, bytes),
        (TypeId::STRING, Value::String(text)) => return put_all(out, text.as_bytes()),
        (TypeId::INTERFACE, Value::Nil) => return put(out, 0),
        (TypeId::INTERFACE, Value::Interface(name, value)) => {
            return put_interface(out, types, name, value, depth);
        }
        (TypeId::BOOL, _) => "a bool",
        (TypeId::UINT | TypeId::INT | TypeId::FLOAT, _) => "a number",
        (TypeId::BYTES, _) => "bytes",
        (TypeId::STRING, _) => "text",
        (TypeId::INTERFACE, _) => "an interface",
        _ => return put_defined(out, types, id, value, depth),
    };
    Err(GobError::Mismatch { id: id.0, wanted })
}

fn put_defined(
    out: &mut Vec<u8>,
    types: &Types<'_>,
    id: TypeId,
    value: &Value<'_>,
    depth: usize,
) -> Result<(), GobError> {
    let definition = types.get(id).ok_or(GobError::UnknownType {
        id: id.0,
        offset: out.len(),
    })?;
    let wanted = match (definition, value) {
        (Definition::Opaque, Value::Opaque(bytes)) => return put_all(out, bytes),
        (Definition::List(element), Value::List(items)) => {
            put_uint(out, items.len() as u64);
            for item in items {
                put_value(out, types, *element, item, depth + 1)?;
            }
            return Ok(());
        }
        (Definition::Map(key_type, element), Value::Map(entries)) => {
            put_uint(out, entries.len() as u64);
            for (key, value) in entries {
                put_value(out, types, *key_type, key, depth + 1)?;
                put_value(out, types, *element, value, depth + 1)?;
            }
            return Ok(());
        }
        (Definition::Struct(fields), Value::Struct(values)) => {
            return put_struct(out, types, id, fields, values, depth);
        }
        (Definition::Opaque, _) => "bytes of its own",
        (Definition::List(_), _) => "a list",
        (Definition::Map(..), _) => "a map",
        (Definition::Struct(_), _) => "a struct",
    };
    Err(GobError::Mismatch { id: id.0, wanted })
}

fn put_struct(
    out: &mut Vec<u8>,
    types: &Types<'_>,
    id: TypeId,
    fields: &[(&str, TypeId)],
    values: &[(&str, Value<'_>)],
    depth: usize,
) -> Result<(), GobError> {
    let mut last = 0;
    for (name, value) in values {
        let place = fields.iter().position(|(known, _)| known == name);
        let place = place
            .filter(|place| *place >= last)
            .ok_or(GobError::Mismatch {
                id: id.0,
                wanted: "fields in order",
            })?;
        put_uint(out, (place + 1 - last) as u64);
        put_value(out, types, fields[place].1, value, depth + 1)?;
        last = place + 1;
    }
    out.push(0);
    Ok(())
}

fn put_interface(
    out: &mut Vec<u8>,
    types: &Types<'_>,
    name: &str,
    value: &Value<'_>,
    depth: usize,
) -> Result<(), GobError> {
    let id = types.registered.get(name).ok_or(GobError::Mismatch {
        id: TypeId::INTERFACE.0,
        wanted: "a registered name",
    })?;
    put_bytes(out, name.as_bytes());
    put_int(out, id.0);
    let mut content = Vec::new();
    put_marked(&mut content, types, *id, value, depth + 1)?;
    put_bytes(out, &content);
    Ok(())
}

fn put_uint(out: &mut Vec<u8>, number: u64) {
    if let Ok(small) = u8::try_from(number)
        && small < 0x80
    {
        out.push(small);
        return;
    }
    let zeros = number.leading_zeros() / 8;
    let bytes = number.to_be_bytes();
    // Between one and eight bytes are left, so that the count fits.
    out.push((8 - zeros as u8).wrapping_neg());
    out.extend_from_slice(&bytes[zeros as usize..]);
}

fn put_int(out: &mut Vec<u8>, number: i64) {
    let coded = if number < 0 {
        (!number).cast_unsigned() << 1 | 1
    } else {
        number.cast_unsigned() << 1
    };
    put_uint(out, coded);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// [`put_uint`] as the last thing of a function.
fn put(out: &mut Vec<u8>, number: u64) -> Result<(), GobError> {
    put_uint(out, number);
    Ok(())
}

/// [`put_bytes`] as the last thing of a function.
fn put_all(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), GobError> {
    put_bytes(out, bytes);
    Ok(())
}
