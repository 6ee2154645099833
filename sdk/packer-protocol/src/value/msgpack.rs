//! Values as msgpack: what data sources answer when they were started with `--protobuf`.
//!
//! Each value stands with its type: an array of the type as JSON and the value.

use std::collections::BTreeMap;

use rmp::Marker;
use rmp::{decode, encode};
use sdk_config::{Path, PathStep, Value, ValueKind};

use super::number::{self, Form};
use super::{CtyType, MAX_DEPTH, MAX_VALUES, Typed, ValueError, json};

/// The extension that stands for a value that is not known yet but has bounds.
const REFINED: i8 = 12;

/// The bound that says whether the value is null.
const NULLNESS: i64 = 1;

impl Typed {
    /// Reads a value and its type; where the type says any, it becomes the value's own. What is
    /// known of an unknown value is lost, except that it is null.
    ///
    /// # Errors
    ///
    /// [`ValueError`], when the data is broken or the value is not of the type it comes with.
    pub fn from_msgpack(bytes: &[u8]) -> Result<Self, ValueError> {
        Self::from_msgpack_as(&CtyType::Dynamic, bytes)
    }

    /// Reads a value of type `ty`, which stands alone unless the type is any.
    ///
    /// # Errors
    ///
    /// As [`Self::from_msgpack`].
    pub fn from_msgpack_as(ty: &CtyType, bytes: &[u8]) -> Result<Self, ValueError> {
        let mut reader = Reader {
            bytes,
            length: bytes.len(),
            values: 0,
        };
        let (value, own) = reader.value(ty, &Path::default())?;
        if reader.bytes.is_empty() {
            Ok(Self {
                ty: own.unwrap_or_else(|| ty.clone()),
                value,
            })
        } else {
            Err(reader.malformed("end of the value"))
        }
    }

    /// Writes the value and its type.
    ///
    /// # Errors
    ///
    /// [`ValueError::Mismatch`] when the value is not of its type, [`ValueError::TooDeep`].
    pub fn to_msgpack(&self) -> Result<Vec<u8>, ValueError> {
        let mut out = Vec::new();
        write_dynamic(&mut out, &self.value, &self.ty, &Path::default())?;
        Ok(out)
    }
}

/// A value, and its type when that says more than the one it was read as.
type Read = (Value, Option<CtyType>);

struct Reader<'a> {
    bytes: &'a [u8],
    length: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn malformed(&self, wanted: &'static str) -> ValueError {
        ValueError::Msgpack {
            wanted,
            offset: self.length - self.bytes.len(),
        }
    }

    fn marker(&self) -> Result<Marker, ValueError> {
        let first = self.bytes.first();
        let first = first.ok_or_else(|| self.malformed("value"))?;
        Ok(Marker::from_u8(*first))
    }

    fn take(&mut self, count: usize, wanted: &'static str) -> Result<&'a [u8], ValueError> {
        let split = self.bytes.split_at_checked(count);
        let (taken, rest) = split.ok_or_else(|| self.malformed(wanted))?;
        self.bytes = rest;
        Ok(taken)
    }

    /// Reads one value of type `ty`, and its own type where it is not simply `ty`.
    fn value(&mut self, ty: &CtyType, path: &Path) -> Result<Read, ValueError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(ValueError::TooMany { limit: MAX_VALUES });
        }
        if path.0.len() > MAX_DEPTH {
            return Err(ValueError::TooDeep { limit: MAX_DEPTH });
        }
        let marker = self.marker()?;
        if marker == Marker::Null {
            self.take(1, "value")?;
            return Ok((Value::null(), None));
        }
        if is_extension(marker) {
            return Ok((self.unknown()?, None));
        }
        match ty {
            CtyType::Dynamic => self.dynamic(path),
            CtyType::List(_) | CtyType::Set(_) | CtyType::Tuple(_) => self.items(ty, path),
            CtyType::Map(_) | CtyType::Object { .. } => self.entries(ty, path),
            CtyType::String | CtyType::Number | CtyType::Bool => {
                Ok((self.primitive(ty, path)?, None))
            }
        }
    }

    /// The type as JSON, then the value.
    fn dynamic(&mut self, path: &Path) -> Result<Read, ValueError> {
        if self.array_length()? != 2 {
            return Err(self.malformed("pair of type and value"));
        }
        let ty = json::parse_type(self.binary()?)?;
        // The step stands for the pair, so that pairs in pairs come to an end.
        let inside = path.then(PathStep::Index(1));
        let at = if ty == CtyType::Dynamic {
            &inside
        } else {
            path
        };
        let (value, own) = self.value(&ty, at)?;
        Ok((value, Some(own.unwrap_or(ty))))
    }

    fn unknown(&mut self) -> Result<Value, ValueError> {
        let meta = decode::read_ext_meta(&mut self.bytes);
        let meta = meta.map_err(|_| self.malformed("extension"))?;
        let size = usize::try_from(meta.size).unwrap_or(usize::MAX);
        let body = self.take(size, "extension")?;
        if size <= 1 {
            return Ok(Value::unknown());
        }
        if meta.typeid != REFINED {
            return Err(self.malformed("unknown value"));
        }
        // The null-ness comes first when it is there; the other bounds have no place to go.
        let mut bounds = body;
        let count = decode::read_map_len(&mut bounds).unwrap_or(0);
        let null = count > 0
            && decode::read_int::<i64, _>(&mut bounds).is_ok_and(|key| key == NULLNESS)
            && decode::read_bool(&mut bounds).unwrap_or(false);
        Ok(if null {
            Value::null()
        } else {
            Value::unknown()
        })
    }

    fn items(&mut self, ty: &CtyType, path: &Path) -> Result<Read, ValueError> {
        let mismatch = || ValueError::mismatch(path, ty.to_string());
        let count = self.array_length()?;
        if matches!(ty, CtyType::Tuple(elements) if elements.len() != count) {
            return Err(mismatch());
        }
        let mut items = Vec::new();
        let mut own = BTreeMap::new();
        for index in 0..count {
            let element = match ty {
                CtyType::Tuple(elements) => elements.get(index),
                CtyType::List(element) | CtyType::Set(element) => Some(element.as_ref()),
                _ => None,
            };
            let element = element.ok_or_else(mismatch)?;
            let (item, ty) = self.value(element, &path.then(PathStep::Index(index)))?;
            items.push(item);
            own.extend(ty.map(|ty| (index, ty)));
        }
        let own = match ty {
            _ if own.is_empty() => None,
            CtyType::Tuple(elements) => {
                let types = elements.iter().enumerate();
                let types =
                    types.map(|(index, ty)| own.remove(&index).unwrap_or_else(|| ty.clone()));
                Some(CtyType::Tuple(types.collect()))
            }
            CtyType::Set(_) => own
                .into_values()
                .next()
                .map(|ty| CtyType::Set(Box::new(ty))),
            _ => own.into_values().next().map(CtyType::list),
        };
        Ok((Value::from(items), own))
    }

    fn entries(&mut self, ty: &CtyType, path: &Path) -> Result<Read, ValueError> {
        let mismatch = || ValueError::mismatch(path, ty.to_string());
        let mut entries = BTreeMap::new();
        let mut own = BTreeMap::new();
        for _ in 0..self.map_length()? {
            let key = self.text()?.to_owned();
            let element = match ty {
                CtyType::Object { attributes, .. } => attributes.get(&key),
                CtyType::Map(element) => Some(element.as_ref()),
                _ => None,
            };
            let element = element.ok_or_else(mismatch)?;
            let at = path.then(PathStep::Attribute(key.clone()));
            let (item, ty) = self.value(element, &at)?;
            own.extend(ty.map(|ty| (key.clone(), ty)));
            entries.insert(key, item);
        }
        let own = match ty {
            CtyType::Object { attributes, .. } if attributes.len() != entries.len() => {
                return Err(mismatch());
            }
            _ if own.is_empty() => None,
            CtyType::Object {
                attributes,
                optional,
            } => {
                let mut attributes = attributes.clone();
                attributes.extend(own);
                Some(CtyType::Object {
                    attributes,
                    optional: optional.clone(),
                })
            }
            _ => own.into_values().next().map(CtyType::map),
        };
        Ok((Value::from(entries), own))
    }

    fn primitive(&mut self, ty: &CtyType, path: &Path) -> Result<Value, ValueError> {
        let marker = self.marker()?;
        match ty {
            CtyType::Bool if matches!(marker, Marker::True | Marker::False) => {
                self.take(1, "bool")?;
                Ok(Value::from(marker == Marker::True))
            }
            CtyType::String if is_text(marker) => Ok(Value::from(self.text()?)),
            CtyType::Number => {
                let text = if is_text(marker) {
                    number::canonical(self.text()?)?
                } else {
                    self.number(marker)?
                };
                Ok(Value::new(ValueKind::Number(text)))
            }
            _ => Err(ValueError::mismatch(path, ty.to_string())),
        }
    }

    fn number(&mut self, marker: Marker) -> Result<String, ValueError> {
        let at = self.malformed("number");
        match marker {
            Marker::F64 => {
                let float = decode::read_f64(&mut self.bytes).map_err(|_| at)?;
                number::float_text(float)
            }
            Marker::F32 => {
                let float = decode::read_f32(&mut self.bytes).map_err(|_| at)?;
                number::float_text(f64::from(float))
            }
            _ => {
                let int: i128 = decode::read_int(&mut self.bytes).map_err(|_| at)?;
                Ok(int.to_string())
            }
        }
    }

    fn array_length(&mut self) -> Result<usize, ValueError> {
        let at = self.malformed("list");
        let count = decode::read_array_len(&mut self.bytes).map_err(|_| at)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn map_length(&mut self) -> Result<usize, ValueError> {
        let at = self.malformed("map");
        let count = decode::read_map_len(&mut self.bytes).map_err(|_| at)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn binary(&mut self) -> Result<&'a [u8], ValueError> {
        let at = self.malformed("type");
        let length = match self.marker()? {
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => decode::read_bin_len(&mut self.bytes),
            _ => {
                let length = decode::read_str_len(&mut self.bytes).map_err(|_| at)?;
                return self.take(usize::try_from(length).unwrap_or(usize::MAX), "type");
            }
        };
        let length = length.map_err(|_| at)?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX), "type")
    }

    fn text(&mut self) -> Result<&'a str, ValueError> {
        let bytes = self.binary()?;
        std::str::from_utf8(bytes).map_err(|_| self.malformed("text"))
    }
}

fn is_extension(marker: Marker) -> bool {
    matches!(
        marker,
        Marker::FixExt1
            | Marker::FixExt2
            | Marker::FixExt4
            | Marker::FixExt8
            | Marker::FixExt16
            | Marker::Ext8
            | Marker::Ext16
            | Marker::Ext32
    )
}

fn is_text(marker: Marker) -> bool {
    matches!(
        marker,
        Marker::FixStr(_)
            | Marker::Str8
            | Marker::Str16
            | Marker::Str32
            | Marker::Bin8
            | Marker::Bin16
            | Marker::Bin32
    )
}

/// Nothing that is written to memory fails.
const WRITES: &str = "memory takes every write";

fn length(count: usize) -> u32 {
    u32::try_from(count).expect("a value in memory has fewer items than 2^32")
}

fn write_dynamic(
    out: &mut Vec<u8>,
    value: &Value,
    ty: &CtyType,
    path: &Path,
) -> Result<(), ValueError> {
    if *ty == CtyType::Dynamic {
        return match value.kind {
            ValueKind::Null | ValueKind::Unknown => write(out, value, &CtyType::String, path),
            _ => write_dynamic(out, value, &CtyType::of(value), path),
        };
    }
    let name = json::type_text(ty);
    encode::write_array_len(out, 2).expect(WRITES);
    encode::write_bin(out, name.as_bytes()).expect(WRITES);
    write(out, value, ty, path)
}

fn write(out: &mut Vec<u8>, value: &Value, ty: &CtyType, path: &Path) -> Result<(), ValueError> {
    if path.0.len() > MAX_DEPTH {
        return Err(ValueError::TooDeep { limit: MAX_DEPTH });
    }
    let mismatch = || ValueError::mismatch(path, ty.to_string());
    match (ty, &value.kind) {
        (CtyType::Dynamic, _) => return write_dynamic(out, value, ty, path),
        (_, ValueKind::Null) => encode::write_nil(out).expect(WRITES),
        (_, ValueKind::Unknown) => out.extend([0xd4, 0, 0]),
        (CtyType::String, ValueKind::String(text)) => {
            encode::write_str(out, text).expect(WRITES);
        }
        (CtyType::Bool, ValueKind::Bool(value)) => encode::write_bool(out, *value).expect(WRITES),
        (CtyType::Number, ValueKind::Number(text)) => write_number(out, text)?,
        (CtyType::List(_) | CtyType::Set(_) | CtyType::Tuple(_), ValueKind::List(items)) => {
            if matches!(ty, CtyType::Tuple(elements) if elements.len() != items.len()) {
                return Err(mismatch());
            }
            encode::write_array_len(out, length(items.len())).expect(WRITES);
            for (index, item) in items.iter().enumerate() {
                let element = match ty {
                    CtyType::List(element) | CtyType::Set(element) => Some(element.as_ref()),
                    CtyType::Tuple(elements) => elements.get(index),
                    _ => None,
                };
                let element = element.ok_or_else(mismatch)?;
                write(out, item, element, &path.then(PathStep::Index(index)))?;
            }
        }
        (CtyType::Map(_) | CtyType::Object { .. }, ValueKind::Map(entries)) => {
            if matches!(ty, CtyType::Object { attributes, .. } if attributes.len() != entries.len())
            {
                return Err(mismatch());
            }
            encode::write_map_len(out, length(entries.len())).expect(WRITES);
            for (key, item) in entries {
                let element = match ty {
                    CtyType::Map(element) => Some(element.as_ref()),
                    CtyType::Object { attributes, .. } => attributes.get(key),
                    _ => None,
                };
                let element = element.ok_or_else(mismatch)?;
                encode::write_str(out, key).expect(WRITES);
                let at = path.then(PathStep::Attribute(key.clone()));
                write(out, item, element, &at)?;
            }
        }
        _ => return Err(mismatch()),
    }
    Ok(())
}

fn write_number(out: &mut Vec<u8>, text: &str) -> Result<(), ValueError> {
    match number::form(text)? {
        Form::Int(int) => drop(encode::write_sint(out, int).expect(WRITES)),
        Form::Float(float) => encode::write_f64(out, float).expect(WRITES),
        Form::Text(text) => encode::write_str(out, &text).expect(WRITES),
    }
    Ok(())
}
