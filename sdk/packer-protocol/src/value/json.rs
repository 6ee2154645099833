//! Values as JSON: how options go to a component.
//!
//! The text of a value of any type is an object of `value` and `type`. Numbers keep every digit.

use std::collections::{BTreeMap, BTreeSet};

use sdk_config::{Path, PathStep, Value, ValueKind};
use serde_json::value::RawValue;

use super::{CtyType, MAX_DEPTH, Typed, ValueError, number};

impl Typed {
    /// Reads a value and its type.
    ///
    /// # Errors
    ///
    /// [`ValueError`], when the text is broken or the value is not of the type it comes with.
    pub fn from_json(text: &[u8]) -> Result<Self, ValueError> {
        dynamic(text, &Path::default())
    }

    /// Writes the value and its type; both have their keys sorted.
    ///
    /// # Errors
    ///
    /// [`ValueError::Unknown`] when something in it is not known yet, [`ValueError::Mismatch`] when
    /// it is not of its type.
    pub fn to_json(&self) -> Result<String, ValueError> {
        let mut out = String::new();
        write_dynamic(&mut out, &self.value, &self.ty, &Path::default())?;
        Ok(out)
    }
}

/// Reads the JSON text of a type.
pub(super) fn parse_type(text: &[u8]) -> Result<CtyType, ValueError> {
    read_type(&serde_json::from_slice(text)?)
}

/// `serde_json` keeps the nesting of what it reads within limits, so that this ends.
fn read_type(json: &serde_json::Value) -> Result<CtyType, ValueError> {
    let refuse = || ValueError::ty(&json.to_string());
    if let Some(name) = json.as_str() {
        return match name {
            "string" => Ok(CtyType::String),
            "number" => Ok(CtyType::Number),
            "bool" => Ok(CtyType::Bool),
            "dynamic" => Ok(CtyType::Dynamic),
            _ => Err(refuse()),
        };
    }
    let parts = json.as_array().ok_or_else(refuse)?;
    let (kind, content) = match parts.as_slice() {
        [kind, content, ..] => (kind.as_str().unwrap_or_default(), content),
        _ => return Err(refuse()),
    };
    Ok(match kind {
        "list" => CtyType::list(read_type(content)?),
        "set" => CtyType::Set(Box::new(read_type(content)?)),
        "map" => CtyType::map(read_type(content)?),
        "tuple" => {
            let elements = content.as_array().ok_or_else(refuse)?;
            CtyType::Tuple(elements.iter().map(read_type).collect::<Result<_, _>>()?)
        }
        "object" => {
            let attributes = content.as_object().ok_or_else(refuse)?.iter();
            let attributes = attributes
                .map(|(name, ty)| Ok((name.clone(), read_type(ty)?)))
                .collect::<Result<_, ValueError>>()?;
            let optional = parts.get(2).and_then(serde_json::Value::as_array);
            let optional: BTreeSet<String> = optional
                .into_iter()
                .flatten()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect();
            CtyType::Object {
                attributes,
                optional,
            }
        }
        _ => return Err(refuse()),
    })
}

/// The JSON text of a type.
pub(super) fn type_text(ty: &CtyType) -> String {
    let mut out = String::new();
    write_type(&mut out, ty);
    out
}

fn write_type(out: &mut String, ty: &CtyType) {
    let (kind, element) = match ty {
        CtyType::Dynamic => return out.push_str("\"dynamic\""),
        CtyType::String => return out.push_str("\"string\""),
        CtyType::Number => return out.push_str("\"number\""),
        CtyType::Bool => return out.push_str("\"bool\""),
        CtyType::List(element) => ("list", element),
        CtyType::Set(element) => ("set", element),
        CtyType::Map(element) => ("map", element),
        CtyType::Tuple(elements) => {
            out.push_str("[\"tuple\",");
            separated(out, ['[', ']'], elements, write_type);
            return out.push(']');
        }
        CtyType::Object {
            attributes,
            optional,
        } => {
            out.push_str("[\"object\",");
            separated(out, ['{', '}'], attributes, |out, (name, ty)| {
                write_text(out, name);
                out.push(':');
                write_type(out, ty);
            });
            if !optional.is_empty() {
                out.push(',');
                separated(out, ['[', ']'], optional, |out, name| write_text(out, name));
            }
            return out.push(']');
        }
    };
    out.push_str("[\"");
    out.push_str(kind);
    out.push_str("\",");
    write_type(out, element);
    out.push(']');
}

fn separated<T>(
    out: &mut String,
    brackets: [char; 2],
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    out.push(brackets[0]);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(brackets[1]);
}

fn write_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

#[derive(serde::Deserialize)]
struct Pair<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(rename = "type")]
    ty: serde_json::Value,
}

fn dynamic(text: &[u8], path: &Path) -> Result<Typed, ValueError> {
    let pair: Pair<'_> = serde_json::from_slice(text)?;
    let ty = read_type(&pair.ty)?;
    let value = read(pair.value, &ty, path)?;
    Ok(Typed { ty, value })
}

/// Reads a value of a known type. The text of each level is cut out of the one around it, so that
/// numbers are seen as they were written.
fn read(raw: &RawValue, ty: &CtyType, path: &Path) -> Result<Value, ValueError> {
    if path.0.len() > MAX_DEPTH {
        return Err(ValueError::TooDeep { limit: MAX_DEPTH });
    }
    let text = raw.get();
    if text == "null" {
        return Ok(Value::null());
    }
    let wrong = || ValueError::mismatch(path, ty.to_string());
    match ty {
        CtyType::Dynamic => {
            dynamic(text.as_bytes(), &path.then(PathStep::Index(1))).map(|typed| typed.value)
        }
        CtyType::String | CtyType::Number | CtyType::Bool => primitive(text, ty, path),
        CtyType::List(_) | CtyType::Set(_) | CtyType::Tuple(_) => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| wrong())?;
            if matches!(ty, CtyType::Tuple(elements) if elements.len() != items.len()) {
                return Err(wrong());
            }
            let mut list = Vec::with_capacity(items.len());
            for (index, item) in items.into_iter().enumerate() {
                let element = match ty {
                    CtyType::Tuple(elements) => elements.get(index),
                    CtyType::List(element) | CtyType::Set(element) => Some(element.as_ref()),
                    _ => None,
                };
                let element = element.ok_or_else(wrong)?;
                list.push(read(item, element, &path.then(PathStep::Index(index)))?);
            }
            Ok(Value::from(list))
        }
        CtyType::Map(_) | CtyType::Object { .. } => {
            let entries: BTreeMap<String, &RawValue> =
                serde_json::from_str(text).map_err(|_| wrong())?;
            let mut map = Value::empty_map();
            for (name, item) in entries {
                let at = path.then(PathStep::Attribute(name.clone()));
                let element = match ty {
                    CtyType::Object { attributes, .. } => attributes.get(&name),
                    CtyType::Map(element) => Some(element.as_ref()),
                    _ => None,
                };
                let element = element.ok_or_else(|| ValueError::mismatch(&at, "expected here"))?;
                map.insert(name, read(item, element, &at)?);
            }
            Ok(map)
        }
    }
}

/// A single value; the library that Packer uses takes text for numbers and bools and the reverse.
fn primitive(text: &str, ty: &CtyType, path: &Path) -> Result<Value, ValueError> {
    let wrong = || ValueError::mismatch(path, ty.to_string());
    let plain = if text.starts_with('"') {
        serde_json::from_str(text)?
    } else if text.starts_with(['[', '{']) {
        return Err(wrong());
    } else {
        text.to_owned()
    };
    match ty {
        CtyType::Number => {
            let number = number::canonical(&plain)?;
            Ok(Value::new(ValueKind::Number(number)))
        }
        CtyType::Bool => match plain.as_str() {
            "true" | "1" => Ok(Value::from(true)),
            "false" | "0" => Ok(Value::from(false)),
            _ => Err(wrong()),
        },
        _ => Ok(Value::from(plain)),
    }
}

fn write_dynamic(
    out: &mut String,
    value: &Value,
    ty: &CtyType,
    path: &Path,
) -> Result<(), ValueError> {
    out.push_str("{\"value\":");
    let own = match ty {
        CtyType::Dynamic => CtyType::of(value),
        _ => ty.clone(),
    };
    write(out, value, &own, path)?;
    out.push_str(",\"type\":");
    write_type(out, &own);
    out.push('}');
    Ok(())
}

fn write(out: &mut String, value: &Value, ty: &CtyType, path: &Path) -> Result<(), ValueError> {
    if path.0.len() > MAX_DEPTH {
        return Err(ValueError::TooDeep { limit: MAX_DEPTH });
    }
    let wrong = || ValueError::mismatch(path, ty.to_string());
    match (ty, &value.kind) {
        (_, ValueKind::Null) => out.push_str("null"),
        (_, ValueKind::Unknown) => return Err(ValueError::Unknown { encoding: "JSON" }),
        (CtyType::Dynamic, _) => write_dynamic(out, value, ty, path)?,
        (CtyType::String, ValueKind::String(text)) => write_text(out, text),
        (CtyType::Bool, ValueKind::Bool(true)) => out.push_str("true"),
        (CtyType::Bool, ValueKind::Bool(false)) => out.push_str("false"),
        (CtyType::Number, ValueKind::Number(text)) => out.push_str(&number::canonical(text)?),
        (CtyType::List(_) | CtyType::Set(_) | CtyType::Tuple(_), ValueKind::List(items)) => {
            if matches!(ty, CtyType::Tuple(elements) if elements.len() != items.len()) {
                return Err(wrong());
            }
            write_items(out, items, ty, path)?;
        }
        (CtyType::Map(_) | CtyType::Object { .. }, ValueKind::Map(entries)) => {
            write_entries(out, entries, ty, path)?;
        }
        _ => return Err(wrong()),
    }
    Ok(())
}

fn write_items(
    out: &mut String,
    items: &[Value],
    ty: &CtyType,
    path: &Path,
) -> Result<(), ValueError> {
    let mut result = Ok(());
    separated(
        out,
        ['[', ']'],
        items.iter().enumerate(),
        |out, (index, item)| {
            let element = match ty {
                CtyType::Tuple(elements) => elements.get(index),
                CtyType::List(element) | CtyType::Set(element) => Some(element.as_ref()),
                _ => None,
            };
            if let (Ok(()), Some(element)) = (&result, element) {
                result = write(out, item, element, &path.then(PathStep::Index(index)));
            }
        },
    );
    result
}

fn write_entries(
    out: &mut String,
    entries: &BTreeMap<String, Value>,
    ty: &CtyType,
    path: &Path,
) -> Result<(), ValueError> {
    let mut result = Ok(());
    separated(out, ['{', '}'], entries, |out, (name, item)| {
        let at = path.then(PathStep::Attribute(name.clone()));
        let element = match ty {
            CtyType::Object { attributes, .. } => attributes.get(name),
            CtyType::Map(element) => Some(element.as_ref()),
            _ => None,
        };
        write_text(out, name);
        out.push(':');
        if result.is_ok() {
            result = match element {
                Some(element) => write(out, item, element, &at),
                None => Err(ValueError::mismatch(&at, "an attribute of the type")),
            };
        }
    });
    result
}
