//! Values as gob: what data sources answer when they were not started with `--protobuf`.

use sdk_config::{Path, PathStep, Value, ValueKind};

use super::{CtyType, MAX_DEPTH, Typed, ValueError, decode_type, encode_type, number};
use crate::gob::{self, Definition, TypeId, Types, Value as Gob};

/// The registered names of what stands for values.
const LIST: &str = "[]interface {}";
const MAP: &str = "map[string]interface {}";
const NUMBER: &str = "math/big.Float";
const SET: &str = "github.com/zclconf/go-cty/cty/set.Set";
const SET_RULES: &str = "github.com/zclconf/go-cty/cty.setRules";

impl Typed {
    /// Reads a value and its type.
    ///
    /// # Errors
    ///
    /// [`ValueError`], when the data is broken or the value is not of the type it comes with.
    pub fn from_gob(bytes: &[u8]) -> Result<Self, ValueError> {
        Self::from_gob_value(&gob::decode(bytes)?)
    }

    /// What a field of another stream holds.
    pub(crate) fn from_gob_value(value: &Gob<'_>) -> Result<Self, ValueError> {
        let Gob::Opaque(bytes) = value else {
            return Err(ValueError::mismatch(&Path::default(), "a template value"));
        };
        let stream = gob::decode(bytes)?;
        let Some(Gob::Opaque(ty)) = stream.field("Ty") else {
            return Err(ValueError::ty("a value without a type"));
        };
        let ty = decode_type(ty, 0)?;
        let content = stream.field("V").unwrap_or(&Gob::Nil);
        let value = read(content, &ty, &Path::default())?;
        Ok(Self { ty, value })
    }

    /// Writes the value and its type.
    ///
    /// # Errors
    ///
    /// [`ValueError::Unknown`] and [`ValueError::Unsupported`] for what gob has no form for,
    /// [`ValueError::Mismatch`] when the value is not of its type.
    pub fn to_gob(&self) -> Result<Vec<u8>, ValueError> {
        let mut types = Types::new();
        let root = types.define("Value", Definition::Opaque);
        let content = self.to_gob_content()?;
        Ok(gob::encode(&types, root, &Gob::Opaque(content.into()))?)
    }

    /// What a field of another stream holds.
    pub(crate) fn to_gob_content(&self) -> Result<Vec<u8>, ValueError> {
        let mut types = Types::new();
        define_contents(&mut types);
        let ty = types.define("Type", Definition::Opaque);
        let fields = vec![
            ("Version", TypeId::INT),
            ("Ty", ty),
            ("V", TypeId::INTERFACE),
        ];
        let root = types.define("gobValue", Definition::Struct(fields));
        let mut fields = vec![("Ty", Gob::Opaque(encode_type(&self.ty, 0)?.into()))];
        if !self.value.is_null() {
            fields.push(("V", write(&self.value, &self.ty, &Path::default())?));
        }
        Ok(gob::encode(&types, root, &Gob::Struct(fields))?)
    }
}

/// Adds the types that interfaces hold; the number is the list's.
fn define_contents(types: &mut Types<'_>) -> TypeId {
    types.register("string", TypeId::STRING);
    types.register("bool", TypeId::BOOL);
    let list = types.define(LIST, Definition::List(TypeId::INTERFACE));
    types.register(LIST, list);
    let entries = Definition::Map(TypeId::STRING, TypeId::INTERFACE);
    let map = types.define(MAP, entries);
    types.register(MAP, map);
    let number = types.define("Float", Definition::Opaque);
    types.register(NUMBER, number);
    let set = types.define("Set", Definition::Opaque);
    types.register(SET, set);
    list
}

fn read(content: &Gob<'_>, ty: &CtyType, path: &Path) -> Result<Value, ValueError> {
    if path.0.len() > MAX_DEPTH {
        return Err(ValueError::TooDeep { limit: MAX_DEPTH });
    }
    let (name, body) = match content {
        Gob::Nil => return Ok(Value::null()),
        Gob::Interface(name, body) => (*name, body.as_ref()),
        _ => return Err(ValueError::mismatch(path, ty.to_string())),
    };
    Ok(match (ty, body) {
        (CtyType::String, Gob::String(text)) => Value::from(*text),
        (CtyType::Bool, Gob::Bool(value)) => Value::from(*value),
        (CtyType::Number, Gob::Opaque(bytes)) if name.ends_with("big.Float") => {
            Value::new(ValueKind::Number(number::from_big_float(bytes)?))
        }
        (CtyType::List(element), Gob::List(items)) => {
            read_items(items, |_| Some(element.as_ref()), path)?
        }
        (CtyType::Set(element), Gob::Opaque(bytes)) => {
            let set = gob::decode(bytes)?;
            match set.field("Values") {
                Some(Gob::List(items)) => read_items(items, |_| Some(element.as_ref()), path)?,
                _ => Value::from(Vec::new()),
            }
        }
        (CtyType::Tuple(elements), Gob::List(items)) if items.len() == elements.len() => {
            read_items(items, |index| elements.get(index), path)?
        }
        (CtyType::Map(element), Gob::Map(entries)) => {
            read_entries(entries, |_| Some(element.as_ref()), path)?
        }
        (CtyType::Object { attributes, .. }, Gob::Map(entries))
            if entries.len() == attributes.len() =>
        {
            read_entries(entries, |name| attributes.get(name), path)?
        }
        _ => return Err(ValueError::mismatch(path, ty.to_string())),
    })
}

fn read_items<'t>(
    items: &[Gob<'_>],
    ty: impl Fn(usize) -> Option<&'t CtyType>,
    path: &Path,
) -> Result<Value, ValueError> {
    let mut list = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let at = path.then(PathStep::Index(index));
        let ty = ty(index).ok_or_else(|| ValueError::mismatch(&at, "an item of the type"))?;
        list.push(read(item, ty, &at)?);
    }
    Ok(Value::from(list))
}

fn read_entries<'t>(
    entries: &[(Gob<'_>, Gob<'_>)],
    ty: impl Fn(&str) -> Option<&'t CtyType>,
    path: &Path,
) -> Result<Value, ValueError> {
    let mut map = Value::empty_map();
    for (key, item) in entries {
        let Gob::String(key) = key else {
            return Err(ValueError::mismatch(path, "a map with text keys"));
        };
        let at = path.then(PathStep::Attribute((*key).to_owned()));
        let ty = ty(key).ok_or_else(|| ValueError::mismatch(&at, "an attribute of the type"))?;
        map.insert(*key, read(item, ty, &at)?);
    }
    Ok(map)
}

/// The interface that holds `value`.
fn write<'v>(value: &'v Value, ty: &CtyType, path: &Path) -> Result<Gob<'v>, ValueError> {
    if path.0.len() > MAX_DEPTH {
        return Err(ValueError::TooDeep { limit: MAX_DEPTH });
    }
    let (name, body) = match (ty, &value.kind) {
        (_, ValueKind::Null) => return Ok(Gob::Nil),
        (_, ValueKind::Unknown) => return Err(ValueError::Unknown { encoding: "gob" }),
        (CtyType::String, ValueKind::String(text)) => ("string", Gob::String(text)),
        (CtyType::Bool, ValueKind::Bool(value)) => ("bool", Gob::Bool(*value)),
        (CtyType::Number, ValueKind::Number(text)) => {
            (NUMBER, Gob::Opaque(number::to_big_float(text)?.into()))
        }
        (CtyType::List(element), ValueKind::List(items)) => {
            (LIST, write_items(items, |_| Some(element.as_ref()), path)?)
        }
        (CtyType::Tuple(elements), ValueKind::List(items)) if items.len() == elements.len() => {
            (LIST, write_items(items, |index| elements.get(index), path)?)
        }
        (CtyType::Set(element), ValueKind::List(items)) => {
            let items = write_items(items, |_| Some(element.as_ref()), path)?;
            (SET, Gob::Opaque(set_content(element, items)?.into()))
        }
        (CtyType::Map(element), ValueKind::Map(entries)) => {
            let entries = entries
                .iter()
                .map(|(key, item)| (key, item, Some(element.as_ref())));
            (MAP, write_entries(entries, path)?)
        }
        (CtyType::Object { attributes, .. }, ValueKind::Map(entries))
            if entries.len() == attributes.len() =>
        {
            let entries = entries.iter();
            let entries = entries.map(|(key, item)| (key, item, attributes.get(key)));
            (MAP, write_entries(entries, path)?)
        }
        _ => return Err(ValueError::mismatch(path, ty.to_string())),
    };
    Ok(Gob::Interface(name, Box::new(body)))
}

fn write_items<'v, 't>(
    items: &'v [Value],
    ty: impl Fn(usize) -> Option<&'t CtyType>,
    path: &Path,
) -> Result<Gob<'v>, ValueError> {
    let mut list = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let at = path.then(PathStep::Index(index));
        let ty = ty(index).ok_or_else(|| ValueError::mismatch(&at, "an item of the type"))?;
        list.push(write(item, ty, &at)?);
    }
    Ok(Gob::List(list))
}

fn write_entries<'v, 't>(
    entries: impl Iterator<Item = (&'v String, &'v Value, Option<&'t CtyType>)>,
    path: &Path,
) -> Result<Gob<'v>, ValueError> {
    let mut map = Vec::new();
    for (key, item, ty) in entries {
        let at = path.then(PathStep::Attribute(key.clone()));
        let ty = ty.ok_or_else(|| ValueError::mismatch(&at, "an attribute of the type"))?;
        map.push((Gob::String(key), write(item, ty, &at)?));
    }
    Ok(Gob::Map(map))
}

/// A set encodes itself: the type of its elements, which says which are equal, and the elements.
fn set_content(element: &CtyType, items: Gob<'_>) -> Result<Vec<u8>, ValueError> {
    let mut types = Types::new();
    let list = define_contents(&mut types);
    let ty = types.define("Type", Definition::Opaque);
    let rules = types.define("setRules", Definition::Struct(vec![("Type", ty)]));
    types.register(SET_RULES, rules);
    let fields = vec![
        ("Version", TypeId::INT),
        ("Rules", TypeId::INTERFACE),
        ("Values", list),
    ];
    let root = types.define("gobSet", Definition::Struct(fields));
    let element = Gob::Opaque(encode_type(element, 0)?.into());
    let rules = Gob::Struct(vec![("Type", element)]);
    let mut fields = vec![("Rules", Gob::Interface(SET_RULES, Box::new(rules)))];
    if matches!(&items, Gob::List(items) if !items.is_empty()) {
        fields.push(("Values", items));
    }
    Ok(gob::encode(&types, root, &Gob::Struct(fields))?)
}
