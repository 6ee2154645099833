//! From a stream to a value.

use std::collections::HashMap;

use super::reader::Reader;
use super::{Definition, GobError, MAX_DEPTH, MAX_VALUES, TypeId, Value};

/// Reads the first value of `bytes`; what follows it is not looked at.
///
/// # Errors
///
/// [`GobError`], when the bytes end early, are no gob, or hold more or deeper values than
/// [`MAX_VALUES`] and [`MAX_DEPTH`].
pub fn decode(bytes: &[u8]) -> Result<Value<'_>, GobError> {
    let mut decoder = Decoder {
        reader: Reader::new(bytes),
        types: HashMap::new(),
        values: 0,
    };
    decoder.reader.uint("the length of a message")?;
    let id = decoder.type_sequence()?;
    decoder.marked_value(id, 0)
}

struct Decoder<'a> {
    reader: Reader<'a>,
    types: HashMap<TypeId, Definition<'a>>,
    values: usize,
}

impl<'a> Decoder<'a> {
    /// Reads definitions until the number of a value's type comes.
    fn type_sequence(&mut self) -> Result<TypeId, GobError> {
        loop {
            let id = self.reader.int("the number of a type")?;
            if id >= 0 {
                return Ok(TypeId(id));
            }
            let id = id.checked_neg();
            let id = id.ok_or_else(|| self.reader.malformed("the number of a type"))?;
            let definition = self.definition()?;
            self.types.insert(TypeId(id), definition);
            self.reader.uint("the length of a message")?;
        }
    }

    /// Reads the fields of a struct of the encoding itself.
    fn fields(
        &mut self,
        mut each: impl FnMut(&mut Self, u64) -> Result<(), GobError>,
    ) -> Result<(), GobError> {
        let mut next = 0_u64;
        loop {
            let delta = self.reader.uint("a field")?;
            let Some(skipped) = delta.checked_sub(1) else {
                return Ok(());
            };
            let field = next.checked_add(skipped);
            let field = field.filter(|field| *field < u64::from(u32::MAX));
            let field = field.ok_or_else(|| self.reader.malformed("field"))?;
            each(self, field)?;
            next = field + 1;
        }
    }

    fn definition(&mut self) -> Result<Definition<'a>, GobError> {
        let mut definition = None;
        self.fields(|decoder, kind| {
            definition = Some(match kind {
                0 | 1 => Definition::List(decoder.type_parts()?.0),
                2 => Definition::Struct(decoder.struct_type()?),
                3 => {
                    let (key, element) = decoder.type_parts()?;
                    Definition::Map(key, element)
                }
                4..=6 => {
                    decoder.type_parts()?;
                    Definition::Opaque
                }
                _ => return Err(decoder.reader.malformed("definition of a type")),
            });
            Ok(())
        })?;
        definition.ok_or_else(|| self.reader.malformed("definition of a type"))
    }

    /// Field 0 is the name, which is of no use here; 1 and 2 are numbers of types, or, for arrays,
    /// a type and a length, which the value says again.
    fn type_parts(&mut self) -> Result<(TypeId, TypeId), GobError> {
        let mut parts = (TypeId(0), TypeId(0));
        self.fields(|decoder, field| {
            match field {
                0 => decoder.common_type()?,
                1 => parts.0 = TypeId(decoder.reader.int("the type of elements")?),
                2 => parts.1 = TypeId(decoder.reader.int("the type of elements")?),
                _ => return Err(decoder.reader.malformed("definition of a type")),
            }
            Ok(())
        })?;
        Ok(parts)
    }

    fn common_type(&mut self) -> Result<(), GobError> {
        self.fields(|decoder, field| {
            match field {
                0 => drop(decoder.reader.text("the name of a type")?),
                1 => drop(decoder.reader.int("the number of a type")?),
                _ => return Err(decoder.reader.malformed("definition of a type")),
            }
            Ok(())
        })
    }

    fn struct_type(&mut self) -> Result<Vec<(&'a str, TypeId)>, GobError> {
        let mut list = Vec::new();
        self.fields(|decoder, field| match field {
            0 => decoder.common_type(),
            1 => {
                for _ in 0..decoder.reader.count("the fields of a type")? {
                    let field = decoder.field_type()?;
                    decoder.count_value()?;
                    list.push(field);
                }
                Ok(())
            }
            _ => Err(decoder.reader.malformed("definition of a type")),
        })?;
        Ok(list)
    }

    fn field_type(&mut self) -> Result<(&'a str, TypeId), GobError> {
        let mut field_type = ("", TypeId(0));
        self.fields(|decoder, field| {
            match field {
                0 => field_type.0 = decoder.reader.text("the name of a field")?,
                1 => field_type.1 = TypeId(decoder.reader.int("the type of a field")?),
                _ => return Err(decoder.reader.malformed("definition of a type")),
            }
            Ok(())
        })?;
        Ok(field_type)
    }

    /// A value at the top of a message or in an interface: a zero stands before it unless it is a
    /// struct.
    fn marked_value(&mut self, id: TypeId, depth: usize) -> Result<Value<'a>, GobError> {
        let structure = matches!(self.types.get(&id), Some(Definition::Struct(_)));
        if !structure && self.reader.uint("a value")? != 0 {
            return Err(self.reader.malformed("mark before a value"));
        }
        self.value(id, depth)
    }

    fn value(&mut self, id: TypeId, depth: usize) -> Result<Value<'a>, GobError> {
        self.count_value()?;
        if depth >= MAX_DEPTH {
            return Err(GobError::TooDeep {
                limit: MAX_DEPTH,
                offset: self.reader.offset(),
            });
        }
        Ok(match id {
            TypeId::BOOL => Value::Bool(self.reader.uint("a bool")? != 0),
            TypeId::INT => Value::Int(self.reader.int("a number")?),
            TypeId::UINT => Value::Uint(self.reader.uint("a number")?),
            TypeId::FLOAT => Value::Float(self.reader.float()?),
            TypeId::BYTES => Value::Bytes(self.reader.bytes("bytes")?),
            TypeId::STRING => Value::String(self.reader.text("text")?),
            TypeId::INTERFACE => self.interface(depth)?,
            _ => self.defined(id, depth)?,
        })
    }

    fn defined(&mut self, id: TypeId, depth: usize) -> Result<Value<'a>, GobError> {
        match self.types.get(&id) {
            Some(Definition::List(element)) => self.list(*element, depth),
            Some(Definition::Map(key, element)) => self.map(*key, *element, depth),
            Some(Definition::Opaque) => Ok(Value::Opaque(self.reader.bytes("bytes")?.into())),
            Some(Definition::Struct(_)) => self.structure(id, depth),
            None => Err(GobError::UnknownType {
                id: id.0,
                offset: self.reader.offset(),
            }),
        }
    }

    fn list(&mut self, element: TypeId, depth: usize) -> Result<Value<'a>, GobError> {
        let mut items = Vec::new();
        for _ in 0..self.reader.count("elements")? {
            items.push(self.value(element, depth + 1)?);
        }
        Ok(Value::List(items))
    }

    fn map(&mut self, key: TypeId, element: TypeId, depth: usize) -> Result<Value<'a>, GobError> {
        let mut entries = Vec::new();
        for _ in 0..self.reader.count("the entries of a map")? {
            let key = self.value(key, depth + 1)?;
            entries.push((key, self.value(element, depth + 1)?));
        }
        Ok(Value::Map(entries))
    }

    fn structure(&mut self, id: TypeId, depth: usize) -> Result<Value<'a>, GobError> {
        let mut read = Vec::new();
        self.fields(|decoder, field| {
            let definition = decoder.types.get(&id);
            let known = match definition {
                Some(Definition::Struct(fields)) => usize::try_from(field)
                    .ok()
                    .and_then(|field| fields.get(field).copied()),
                _ => None,
            };
            let (name, ty) = known.ok_or_else(|| decoder.reader.malformed("field"))?;
            read.push((name, decoder.value(ty, depth + 1)?));
            Ok(())
        })?;
        Ok(Value::Struct(read))
    }

    fn interface(&mut self, depth: usize) -> Result<Value<'a>, GobError> {
        let name = self.reader.text("the name of a type")?;
        if name.is_empty() {
            return Ok(Value::Nil);
        }
        let id = self.type_sequence()?;
        self.reader.uint("the length of a value")?;
        let value = self.marked_value(id, depth + 1)?;
        Ok(Value::Interface(name, Box::new(value)))
    }

    fn count_value(&mut self) -> Result<(), GobError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(GobError::TooMany { limit: MAX_VALUES });
        }
        Ok(())
    }
}
