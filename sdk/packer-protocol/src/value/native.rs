//! Values without a type as msgpack: facts of the build, answers of artifacts, JSON templates.

use std::collections::BTreeMap;

use rmp::{Marker, decode, encode};
use sdk_config::{Value, ValueKind};

use super::number::{self, Form};
use super::{MAX_DEPTH, MAX_VALUES, ValueError};

/// The extension that stands for a point in time.
const TIMESTAMP: i8 = -1;

/// Reads one value: bytes become text, a point in time its seconds since 1970, and keys of maps
/// text.
///
/// # Errors
///
/// [`ValueError`], when the bytes are broken or are no value of a template.
pub fn native_from_msgpack(bytes: &[u8]) -> Result<Value, ValueError> {
    let mut reader = Reader {
        bytes,
        length: bytes.len(),
        values: 0,
    };
    reader.value(0)
}

/// Writes one value. What is not known yet is left out of maps and null elsewhere; a number with
/// more digits than Go's types hold is rounded.
#[must_use]
pub fn native_to_msgpack(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, value);
    out
}

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

    fn value(&mut self, depth: usize) -> Result<Value, ValueError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(ValueError::TooMany { limit: MAX_VALUES });
        }
        if depth > MAX_DEPTH {
            return Err(ValueError::TooDeep { limit: MAX_DEPTH });
        }
        let marker = self.bytes.first().copied().map(Marker::from_u8);
        let at = self.malformed("value");
        Ok(match marker.ok_or(at)? {
            Marker::Null => {
                self.take(1)?;
                Value::null()
            }
            marker @ (Marker::True | Marker::False) => {
                self.take(1)?;
                Value::from(marker == Marker::True)
            }
            Marker::F64 | Marker::F32 => self.float()?,
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => self.text()?,
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => self.text()?,
            Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => self.items(depth)?,
            Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => self.entries(depth)?,
            Marker::FixPos(_)
            | Marker::FixNeg(_)
            | Marker::U8
            | Marker::U16
            | Marker::U32
            | Marker::U64
            | Marker::I8
            | Marker::I16
            | Marker::I32
            | Marker::I64 => {
                let at = self.malformed("number");
                let int: i128 = decode::read_int(&mut self.bytes).map_err(|_| at)?;
                Value::new(ValueKind::Number(int.to_string()))
            }
            Marker::Reserved => return Err(self.malformed("value")),
            _ => self.time()?,
        })
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], ValueError> {
        let split = self.bytes.split_at_checked(count);
        let (taken, rest) = split.ok_or_else(|| self.malformed("value"))?;
        self.bytes = rest;
        Ok(taken)
    }

    fn float(&mut self) -> Result<Value, ValueError> {
        let at = self.malformed("number");
        let float = if self.bytes.first() == Some(&Marker::F32.to_u8()) {
            decode::read_f32(&mut self.bytes).map(f64::from)
        } else {
            decode::read_f64(&mut self.bytes)
        };
        let text = number::float_text(float.map_err(|_| at)?)?;
        Ok(Value::new(ValueKind::Number(text)))
    }

    fn text(&mut self) -> Result<Value, ValueError> {
        let at = self.malformed("text");
        let marker = self.bytes.first().copied().map(Marker::from_u8);
        let length = match marker {
            Some(Marker::Bin8 | Marker::Bin16 | Marker::Bin32) => {
                decode::read_bin_len(&mut self.bytes).ok()
            }
            _ => decode::read_str_len(&mut self.bytes).ok(),
        };
        let length = length.and_then(|length| usize::try_from(length).ok());
        let bytes = self.take(length.ok_or(at)?)?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.malformed("UTF-8 text"))?;
        Ok(Value::from(text))
    }

    fn items(&mut self, depth: usize) -> Result<Value, ValueError> {
        let at = self.malformed("list");
        let count = decode::read_array_len(&mut self.bytes).map_err(|_| at)?;
        let items = (0..count).map(|_| self.value(depth + 1));
        Ok(Value::from(items.collect::<Result<Vec<_>, _>>()?))
    }

    fn entries(&mut self, depth: usize) -> Result<Value, ValueError> {
        let at = self.malformed("map");
        let count = decode::read_map_len(&mut self.bytes).map_err(|_| at)?;
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let key = match self.value(depth + 1)?.kind {
                ValueKind::String(text) | ValueKind::Number(text) => text,
                ValueKind::Bool(key) => key.to_string(),
                _ => return Err(self.malformed("key of a map")),
            };
            entries.insert(key, self.value(depth + 1)?);
        }
        Ok(Value::from(entries))
    }

    /// A point in time has 4, 8 or 12 bytes: seconds, or nanoseconds and seconds.
    fn time(&mut self) -> Result<Value, ValueError> {
        let at = self.malformed("extension");
        let meta = decode::read_ext_meta(&mut self.bytes).map_err(|_| at)?;
        let body = self.take(usize::try_from(meta.size).unwrap_or(usize::MAX))?;
        if meta.typeid != TIMESTAMP {
            return Err(self.malformed("known extension"));
        }
        let seconds = match body {
            [a, b, c, d] => i64::from(u32::from_be_bytes([*a, *b, *c, *d])),
            [_, _, _, _, _, _, _, _] => {
                let both = body
                    .iter()
                    .fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
                (both & ((1 << 34) - 1)).cast_signed()
            }
            [_, _, _, _, seconds @ ..] if seconds.len() == 8 => {
                let seconds = seconds.iter();
                seconds
                    .fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte))
                    .cast_signed()
            }
            _ => return Err(self.malformed("point in time")),
        };
        Ok(Value::new(ValueKind::Number(seconds.to_string())))
    }
}

/// Nothing that is written to memory fails.
const WRITES: &str = "memory takes every write";

fn length(count: usize) -> u32 {
    u32::try_from(count).expect("a value in memory has fewer items than 2^32")
}

fn write(out: &mut Vec<u8>, value: &Value) {
    match &value.kind {
        ValueKind::Null | ValueKind::Unknown => encode::write_nil(out).expect(WRITES),
        ValueKind::Bool(value) => encode::write_bool(out, *value).expect(WRITES),
        ValueKind::Number(text) => write_number(out, text),
        ValueKind::String(text) => encode::write_str(out, text).expect(WRITES),
        ValueKind::List(items) => {
            encode::write_array_len(out, length(items.len())).expect(WRITES);
            for item in items {
                write(out, item);
            }
        }
        ValueKind::Map(entries) => {
            let known = |value: &&Value| value.kind != ValueKind::Unknown;
            let count = entries.values().filter(known).count();
            encode::write_map_len(out, length(count)).expect(WRITES);
            for (key, value) in entries.iter().filter(|(_, value)| known(value)) {
                encode::write_str(out, key).expect(WRITES);
                write(out, value);
            }
        }
    }
}

fn write_number(out: &mut Vec<u8>, text: &str) {
    match number::form(text) {
        Ok(Form::Int(int)) => drop(encode::write_sint(out, int).expect(WRITES)),
        Ok(Form::Float(float)) => encode::write_f64(out, float).expect(WRITES),
        Ok(Form::Text(text)) => {
            let float: f64 = text.parse().unwrap_or(f64::MAX);
            encode::write_f64(out, float).expect(WRITES);
        }
        Err(_) => encode::write_str(out, text).expect(WRITES),
    }
}
