//! From the value a template gives to the type a component asks for.
//!
//! HCL2 converts as the language does; legacy JSON is more forgiving ([`Typing`]). Values that are
//! not known yet stay or become placeholders ([`Unknowns`]).

use std::collections::BTreeMap;

use bigdecimal::{BigDecimal, Zero};
use host_eval::{ObjectType, Type as ValueType, Value, ValueKind};

use crate::model::PathStep;
use crate::schema::{Primitive, Type};
use crate::values::{UNKNOWN_TEXT, number_text};

/// How forgiving the language is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typing {
    /// HCL2: text, numbers and bools turn into each other where nothing is lost.
    Strict,
    /// Legacy JSON: also one value for a list, `a,b` for a list, 1 for true.
    Weak,
}

/// What becomes of values that are not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknowns {
    /// They stay.
    Keep,
    /// A placeholder takes their place, so that a component can be checked before they are known.
    Replace,
}

/// How values are fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fitting {
    /// How forgiving the language is.
    pub(crate) typing: Typing,
    /// What becomes of values that are not known yet.
    pub(crate) unknowns: Unknowns,
}

/// A value that does not fit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// The part that does not fit.
    pub(crate) path: Vec<PathStep>,
    /// What would: `list of string required`.
    pub(crate) message: String,
}

impl Misfit {
    fn new(message: impl Into<String>) -> Self {
        Self {
            path: Vec::new(),
            message: message.into(),
        }
    }

    fn under(mut self, step: PathStep) -> Self {
        self.path.insert(0, step);
        self
    }
}

/// `value` as a `ty`. Marks stay where they are.
pub(crate) fn fit(value: Value, ty: &Type, fitting: Fitting) -> Result<Value, Misfit> {
    let sensitive = value.sensitive;
    let mut fitted = match value.kind {
        ValueKind::Unknown if fitting.unknowns == Unknowns::Keep => value.clone(),
        ValueKind::Unknown => placeholder(ty, &value.ty),
        ValueKind::Null => Value::null(ValueType::Dynamic),
        _ => match ty {
            Type::Primitive(primitive) => fit_primitive(value, *primitive, fitting)?,
            Type::List(item) => fit_list(value, item, fitting)?,
            Type::Map(item) => fit_map(value, item, fitting)?,
            Type::Object(fields) => fit_object(value, fields, fitting)?,
        },
    };
    fitted.sensitive |= sensitive;
    Ok(fitted)
}

fn known(ty: ValueType, kind: ValueKind) -> Value {
    Value {
        ty,
        kind,
        sensitive: false,
    }
}

/// A value without unknown parts, for options whose type nobody stated.
pub(crate) fn without_unknowns(value: Value) -> Value {
    let Value {
        ty,
        kind,
        sensitive,
    } = value;
    let kind = match kind {
        ValueKind::Unknown => {
            let stand_in = placeholder(&Type::Primitive(Primitive::Any), &ty);
            return Value {
                sensitive,
                ..stand_in
            };
        }
        ValueKind::Sequence(items) => {
            ValueKind::Sequence(items.into_iter().map(without_unknowns).collect())
        }
        ValueKind::Mapping(entries) => ValueKind::Mapping(
            entries
                .into_iter()
                .map(|(key, entry)| (key, without_unknowns(entry)))
                .collect(),
        ),
        other => other,
    };
    Value {
        ty,
        kind,
        sensitive,
    }
}

/// What a component sees in place of a value that is not known: `<unknown>`, 0, false, nothing.
fn placeholder(wanted: &Type, own: &ValueType) -> Value {
    match wanted {
        Type::Primitive(Primitive::Bool) => Value::bool(false),
        Type::Primitive(Primitive::Number) => Value::number(BigDecimal::zero()),
        Type::Primitive(Primitive::String) => Value::string(UNKNOWN_TEXT),
        Type::Primitive(Primitive::Duration) => Value::string("0s"),
        Type::Primitive(Primitive::Any) => match own {
            ValueType::Bool => Value::bool(false),
            ValueType::Number => Value::number(BigDecimal::zero()),
            ValueType::Dynamic | ValueType::String => Value::string(UNKNOWN_TEXT),
            ValueType::List(_) | ValueType::Set(_) | ValueType::Tuple(_) => known(
                ValueType::Tuple(Vec::new()),
                ValueKind::Sequence(Vec::new()),
            ),
            ValueType::Map(_) | ValueType::Object(_) => known(
                ValueType::Object(ObjectType::default()),
                ValueKind::Mapping(BTreeMap::new()),
            ),
        },
        Type::List(item) => known(
            ValueType::List(Box::new(item_type(item))),
            ValueKind::Sequence(Vec::new()),
        ),
        Type::Map(item) => known(
            ValueType::Map(Box::new(item_type(item))),
            ValueKind::Mapping(BTreeMap::new()),
        ),
        Type::Object(_) => known(
            ValueType::Object(ObjectType::default()),
            ValueKind::Mapping(BTreeMap::new()),
        ),
    }
}

fn fit_primitive(value: Value, wanted: Primitive, fitting: Fitting) -> Result<Value, Misfit> {
    match wanted {
        Primitive::Any => Ok(match fitting.unknowns {
            Unknowns::Keep => value,
            Unknowns::Replace => without_unknowns(value),
        }),
        Primitive::String => to_text(&value, fitting.typing)
            .map(Value::string)
            .ok_or_else(|| Misfit::new("string required")),
        Primitive::Duration => match &value.kind {
            ValueKind::Number(_) => Ok(value),
            _ => to_text(&value, fitting.typing)
                .map(Value::string)
                .ok_or_else(|| Misfit::new("string required")),
        },
        Primitive::Bool => {
            let bool =
                to_bool(&value, fitting.typing).ok_or_else(|| Misfit::new("a bool is required"))?;
            Ok(Value::bool(bool))
        }
        Primitive::Number => {
            let number = to_number(&value, fitting.typing)
                .ok_or_else(|| Misfit::new("a number is required"))?;
            Ok(Value::number(number))
        }
    }
}

fn to_text(value: &Value, typing: Typing) -> Option<String> {
    match (&value.kind, typing) {
        (ValueKind::String(text), _) => Some(text.clone()),
        (ValueKind::Number(number), _) => Some(number_text(number)),
        (ValueKind::Bool(bool), Typing::Strict) => Some(bool.to_string()),
        (ValueKind::Bool(bool), Typing::Weak) => Some(u8::from(*bool).to_string()),
        _ => None,
    }
}

fn to_bool(value: &Value, typing: Typing) -> Option<bool> {
    match (&value.kind, typing) {
        (ValueKind::Bool(bool), _) => Some(*bool),
        (ValueKind::String(text), _) => match text.as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            "t" | "T" | "TRUE" | "True" if typing == Typing::Weak => Some(true),
            "f" | "F" | "FALSE" | "False" | "" if typing == Typing::Weak => Some(false),
            _ => None,
        },
        (ValueKind::Number(number), Typing::Weak) => Some(!number.is_zero()),
        _ => None,
    }
}

fn to_number(value: &Value, typing: Typing) -> Option<BigDecimal> {
    match (&value.kind, typing) {
        (ValueKind::Number(number), _) => Some(number.clone()),
        (ValueKind::String(text), Typing::Weak) if text.is_empty() => Some(BigDecimal::zero()),
        (ValueKind::String(text), _) => text.trim().parse().ok(),
        (ValueKind::Bool(bool), Typing::Weak) => Some(BigDecimal::from(u8::from(*bool))),
        _ => None,
    }
}

fn fit_list(value: Value, item: &Type, fitting: Fitting) -> Result<Value, Misfit> {
    let items = match (value.kind, fitting.typing) {
        (ValueKind::Sequence(items), _) => items,
        (ValueKind::String(list), Typing::Weak) if list.is_empty() => Vec::new(),
        (ValueKind::String(list), Typing::Weak) => list.split(',').map(Value::string).collect(),
        (ValueKind::Mapping(entries), Typing::Weak) if entries.is_empty() => Vec::new(),
        (kind, Typing::Weak) => vec![known(value.ty, kind)],
        _ => return Err(Misfit::new(format!("list of {} required", item.name()))),
    };
    let mut fitted = Vec::with_capacity(items.len());
    for (index, part) in items.into_iter().enumerate() {
        let part = fit_part(part, item, fitting).map_err(|e| e.under(PathStep::Index(index)))?;
        fitted.push(part);
    }
    let ty = match item_type(item) {
        ValueType::Dynamic => ValueType::Tuple(fitted.iter().map(|part| part.ty.clone()).collect()),
        ty => ValueType::List(Box::new(ty)),
    };
    Ok(known(ty, ValueKind::Sequence(fitted)))
}

fn fit_map(value: Value, item: &Type, fitting: Fitting) -> Result<Value, Misfit> {
    let entries = match (value.kind, fitting.typing) {
        (ValueKind::Mapping(entries), _) => entries,
        (ValueKind::Sequence(parts), Typing::Weak) => {
            let mut merged = BTreeMap::new();
            for part in parts {
                let ValueKind::Mapping(entries) = part.kind else {
                    return Err(Misfit::new(format!("map of {} required", item.name())));
                };
                merged.extend(entries);
            }
            merged
        }
        _ => return Err(Misfit::new(format!("map of {} required", item.name()))),
    };
    let mut fitted = BTreeMap::new();
    for (key, part) in entries {
        let part =
            fit_part(part, item, fitting).map_err(|e| e.under(PathStep::Key(key.clone())))?;
        fitted.insert(key, part);
    }
    let ty = match item_type(item) {
        ValueType::Dynamic => return Ok(Value::object(fitted)),
        ty => ValueType::Map(Box::new(ty)),
    };
    Ok(known(ty, ValueKind::Mapping(fitted)))
}

fn fit_object(
    value: Value,
    fields: &[(String, Type, bool)],
    fitting: Fitting,
) -> Result<Value, Misfit> {
    let ValueKind::Mapping(mut entries) = value.kind else {
        return Err(Misfit::new("object required"));
    };
    let mut fitted = BTreeMap::new();
    for (name, ty, optional) in fields {
        match entries.remove(name) {
            Some(part) if !matches!(part.kind, ValueKind::Null) => {
                let part = fit_part(part, ty, fitting)
                    .map_err(|e| e.under(PathStep::Attribute(name.clone())))?;
                fitted.insert(name.clone(), part);
            }
            _ if *optional => {}
            _ => return Err(Misfit::new(format!("attribute \"{name}\" is required"))),
        }
    }
    if let Some(extra) = entries.into_keys().next() {
        let near = host_diag::nearest(&extra, fields.iter().map(|(name, ..)| name.as_str()));
        let question = near
            .map(|name| format!(", did you mean \"{name}\"?"))
            .unwrap_or_default();
        return Err(
            Misfit::new(format!("unsupported attribute \"{extra}\"{question}"))
                .under(PathStep::Attribute(extra)),
        );
    }
    Ok(Value::object(fitted))
}

/// A part of a collection; null counts as the empty value of its type, as a component would see it.
fn fit_part(value: Value, ty: &Type, fitting: Fitting) -> Result<Value, Misfit> {
    if !matches!(value.kind, ValueKind::Null) {
        return fit(value, ty, fitting);
    }
    Ok(match ty {
        Type::Primitive(Primitive::String) => Value::string(""),
        Type::Primitive(Primitive::Any) => Value::null(ValueType::Dynamic),
        other => placeholder(other, &ValueType::Dynamic),
    })
}

/// The value type that all items of a schema type have, `Dynamic` when they may differ.
fn item_type(ty: &Type) -> ValueType {
    match ty {
        Type::Primitive(Primitive::Any | Primitive::Duration) | Type::Object(_) => {
            ValueType::Dynamic
        }
        Type::Primitive(Primitive::Bool) => ValueType::Bool,
        Type::Primitive(Primitive::Number) => ValueType::Number,
        Type::Primitive(Primitive::String) => ValueType::String,
        Type::List(item) => match item_type(item) {
            ValueType::Dynamic => ValueType::Dynamic,
            item => ValueType::List(Box::new(item)),
        },
        Type::Map(item) => match item_type(item) {
            ValueType::Dynamic => ValueType::Dynamic,
            item => ValueType::Map(Box::new(item)),
        },
    }
}

#[cfg(test)]
mod tests;
