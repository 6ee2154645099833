//! A value as a type wants it.

use std::collections::BTreeMap;

use sdk_config::{PLACEHOLDER, Path, PathStep, Value, ValueKind};

use super::{CtyType, MAX_DEPTH, Typed, ValueError, number};

/// Converts `value` to `ty` as Packer's templates do: single values become text and back where that
/// loses nothing, attributes that an object does not have are dropped, optional ones become null. A
/// type that says any becomes the value's own.
///
/// # Errors
///
/// [`ValueError::Mismatch`] with the place of the first part that cannot be converted,
/// [`ValueError::TooDeep`].
pub fn conform(value: &Value, ty: &CtyType) -> Result<Typed, ValueError> {
    at(value, ty, &Path::default())
}

pub(crate) fn at(value: &Value, ty: &CtyType, path: &Path) -> Result<Typed, ValueError> {
    if path.0.len() > MAX_DEPTH {
        return Err(ValueError::TooDeep { limit: MAX_DEPTH });
    }
    let wrong = || ValueError::mismatch(path, wanted(ty));
    if matches!(value.kind, ValueKind::Null | ValueKind::Unknown) {
        return Ok(Typed {
            ty: ty.clone(),
            value: value.clone(),
        });
    }
    let mut typed = match (ty, &value.kind) {
        (CtyType::Dynamic, _) => at(value, &CtyType::of(value), path)?,
        (CtyType::String | CtyType::Number | CtyType::Bool, _) => Typed {
            ty: ty.clone(),
            value: single(value, ty).ok_or_else(wrong)?,
        },
        (CtyType::List(element), ValueKind::List(items)) => {
            let (types, value) = convert_items(items, |_| Some(element.as_ref()), path)?;
            Typed {
                ty: CtyType::list(common(types, element)),
                value,
            }
        }
        (CtyType::Set(element), ValueKind::List(items)) => {
            let (types, value) = convert_items(items, |_| Some(element.as_ref()), path)?;
            Typed {
                ty: CtyType::Set(Box::new(common(types, element))),
                value: different(value),
            }
        }
        (CtyType::Tuple(elements), ValueKind::List(items)) if items.len() == elements.len() => {
            let (types, value) = convert_items(items, |index| elements.get(index), path)?;
            Typed {
                ty: CtyType::Tuple(types),
                value,
            }
        }
        (CtyType::Map(element), ValueKind::Map(entries)) => convert_map(entries, element, path)?,
        (CtyType::Object { .. }, ValueKind::Map(entries)) => convert_object(entries, ty, path)?,
        _ => return Err(wrong()),
    };
    typed.value.sensitive = value.sensitive;
    Ok(typed)
}

/// The type in the words of people.
fn wanted(ty: &CtyType) -> String {
    match ty {
        CtyType::Dynamic => "a value".to_owned(),
        CtyType::String => "text".to_owned(),
        CtyType::Number => "a number".to_owned(),
        CtyType::Bool => "true or false".to_owned(),
        CtyType::Tuple(elements) => format!("a list of {} items", elements.len()),
        CtyType::List(_) | CtyType::Set(_) | CtyType::Map(_) | CtyType::Object { .. } => {
            format!("a {ty}")
        }
    }
}

fn single(value: &Value, ty: &CtyType) -> Option<Value> {
    Some(match (ty, &value.kind) {
        (CtyType::String, ValueKind::String(_)) | (CtyType::Bool, ValueKind::Bool(_)) => {
            Value::new(value.kind.clone())
        }
        (CtyType::String, ValueKind::Number(text)) => Value::from(number::canonical(text).ok()?),
        (CtyType::String, ValueKind::Bool(value)) => Value::from(value.to_string()),
        (CtyType::Number, ValueKind::Number(text) | ValueKind::String(text)) => {
            Value::new(ValueKind::Number(number::canonical(text).ok()?))
        }
        (CtyType::Bool, ValueKind::String(text)) => match text.as_str() {
            "true" | "1" => Value::from(true),
            "false" | "0" => Value::from(false),
            _ => return None,
        },
        _ => return None,
    })
}

fn convert_items<'t>(
    items: &[Value],
    ty: impl Fn(usize) -> Option<&'t CtyType>,
    path: &Path,
) -> Result<(Vec<CtyType>, Value), ValueError> {
    let mut types = Vec::with_capacity(items.len());
    let mut values = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = path.then(PathStep::Index(index));
        let ty = ty(index).ok_or_else(|| ValueError::mismatch(&place, "wanted here"))?;
        let typed = at(item, ty, &place)?;
        types.push(typed.ty);
        values.push(typed.value);
    }
    Ok((types, Value::from(values)))
}

fn convert_map(
    entries: &BTreeMap<String, Value>,
    element: &CtyType,
    path: &Path,
) -> Result<Typed, ValueError> {
    let mut types = Vec::with_capacity(entries.len());
    let mut map = Value::empty_map();
    for (name, item) in entries {
        let typed = at(item, element, &path.then(PathStep::Attribute(name.clone())))?;
        types.push(typed.ty);
        map.insert(name.clone(), typed.value);
    }
    Ok(Typed {
        ty: CtyType::map(common(types, element)),
        value: map,
    })
}

fn convert_object(
    entries: &BTreeMap<String, Value>,
    ty: &CtyType,
    path: &Path,
) -> Result<Typed, ValueError> {
    let CtyType::Object {
        attributes,
        optional,
    } = ty
    else {
        return Err(ValueError::mismatch(path, wanted(ty)));
    };
    let mut types = BTreeMap::new();
    let mut map = Value::empty_map();
    for (name, ty) in attributes {
        let place = path.then(PathStep::Attribute(name.clone()));
        let typed = match entries.get(name) {
            Some(item) => at(item, ty, &place)?,
            None if optional.contains(name) => at(&Value::null(), ty, &place)?,
            None => return Err(ValueError::mismatch(&place, "set, but it is wanted")),
        };
        types.insert(name.clone(), typed.ty);
        map.insert(name.clone(), typed.value);
    }
    Ok(Typed {
        ty: CtyType::object(types),
        value: map,
    })
}

/// The type of a collection's elements: what they turned out to be when the collection said any.
pub(crate) fn common(types: Vec<CtyType>, declared: &CtyType) -> CtyType {
    let mut types = types.into_iter();
    types
        .find(|ty| *ty != CtyType::Dynamic)
        .unwrap_or_else(|| declared.clone())
}

/// A list without what it holds twice.
fn different(mut list: Value) -> Value {
    if let ValueKind::List(items) = &mut list.kind {
        let mut kept: Vec<Value> = Vec::with_capacity(items.len());
        for item in items.drain(..) {
            if item.has_unknown() || !kept.contains(&item) {
                kept.push(item);
            }
        }
        *items = kept;
    }
    list
}

/// Replaces whatever is not known yet by something of its type, as Packer does before it hands
/// options to a component: text becomes `<unknown>`, numbers zero, bools false, collections empty,
/// and objects have no attribute set.
#[must_use]
pub fn fill_unknown(value: &Value, ty: &CtyType) -> Value {
    let mut filled = match (&value.kind, ty) {
        (ValueKind::Unknown, _) => Value::new(blank(ty)),
        (ValueKind::List(items), _) => {
            let items = items.iter().enumerate();
            let items = items.map(|(index, item)| fill_unknown(item, element(ty, index)));
            Value::from(items.collect::<Vec<_>>())
        }
        (ValueKind::Map(entries), _) => entries
            .iter()
            .map(|(name, item)| (name.clone(), fill_unknown(item, attribute(ty, name))))
            .collect(),
        _ => value.clone(),
    };
    filled.sensitive = value.sensitive;
    filled
}

fn blank(ty: &CtyType) -> ValueKind {
    match ty {
        CtyType::String | CtyType::Dynamic => ValueKind::String(PLACEHOLDER.to_owned()),
        CtyType::Number => ValueKind::Number("0".to_owned()),
        CtyType::Bool => ValueKind::Bool(false),
        CtyType::List(_) | CtyType::Set(_) => ValueKind::List(Vec::new()),
        CtyType::Tuple(elements) => {
            ValueKind::List(elements.iter().map(|_| Value::null()).collect())
        }
        CtyType::Map(_) => ValueKind::Map(BTreeMap::new()),
        CtyType::Object { attributes, .. } => ValueKind::Map(
            attributes
                .keys()
                .map(|name| (name.clone(), Value::null()))
                .collect(),
        ),
    }
}

fn element(ty: &CtyType, index: usize) -> &CtyType {
    match ty {
        CtyType::List(element) | CtyType::Set(element) => element,
        CtyType::Tuple(elements) => elements.get(index).unwrap_or(&CtyType::Dynamic),
        _ => &CtyType::Dynamic,
    }
}

fn attribute<'t>(ty: &'t CtyType, name: &str) -> &'t CtyType {
    match ty {
        CtyType::Map(element) => element,
        CtyType::Object { attributes, .. } => attributes.get(name).unwrap_or(&CtyType::Dynamic),
        _ => &CtyType::Dynamic,
    }
}
