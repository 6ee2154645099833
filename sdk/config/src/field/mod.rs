//! The types options can have.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::number::integer;
use crate::{
    Diagnostic, Diagnostics, GoDuration, PLACEHOLDER, Path, PathStep, Primitive, Type, Value,
    ValueKind,
};

/// A type that one option can have.
///
/// Implement it for a type of your own by reading one of the types here and converting it; push a
/// [`Diagnostic`] at `path` when the conversion fails.
pub trait Field: Sized {
    /// Whether its values must stay out of every output.
    const SENSITIVE: bool = false;
    /// Whether the component renders Go template calls in it by itself.
    const LATE: bool = false;

    /// What it accepts, for the schema.
    fn ty() -> Type;

    /// Reads `value`, converting as templates expect it (`"true"` is a bool, `10` is text, one
    /// value is a list of one); pushes an error and returns `None` when it cannot. A value that is
    /// not known yet becomes a placeholder: `<unknown>`, zero, false, or an empty collection.
    fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self>;
}

/// Says that `value` is not what the option takes.
fn mismatch(value: &Value, wanted: &str, path: &Path) -> Diagnostic {
    let given = match &value.kind {
        ValueKind::String(text) if !value.sensitive => format!("the text `{text}`"),
        ValueKind::Number(text) if !value.sensitive => format!("the number `{text}`"),
        _ => value.kind_name().to_owned(),
    };
    Diagnostic::error(
        "Wrong type of value",
        format!("`{path}` takes {wanted}, not {given}."),
    )
    .at(path.clone())
}

/// Whether the value will only be known when the build runs.
pub(crate) fn is_unknown(value: &Value) -> bool {
    match &value.kind {
        ValueKind::Unknown => true,
        ValueKind::String(text) => text == PLACEHOLDER,
        _ => false,
    }
}

/// Whether the value is what Packer cannot tell from an option that is not set.
pub(crate) fn is_empty(value: &Value) -> bool {
    match &value.kind {
        ValueKind::String(text) => text.is_empty(),
        ValueKind::List(items) => items.is_empty(),
        _ => false,
    }
}

impl Field for Value {
    fn ty() -> Type {
        Type::Primitive(Primitive::Any)
    }

    fn read(value: &Value, _path: &Path, _diagnostics: &mut Diagnostics) -> Option<Self> {
        Some(value.clone())
    }
}

impl Field for String {
    fn ty() -> Type {
        Type::Primitive(Primitive::String)
    }

    fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &value.kind {
            ValueKind::String(text) | ValueKind::Number(text) => Some(text.clone()),
            ValueKind::Bool(value) => Some(value.to_string()),
            ValueKind::Unknown => Some(PLACEHOLDER.to_owned()),
            ValueKind::Null => Some(Self::new()),
            ValueKind::List(_) | ValueKind::Map(_) => {
                diagnostics.push(mismatch(value, "text", path));
                None
            }
        }
    }
}

impl Field for PathBuf {
    fn ty() -> Type {
        String::ty()
    }

    fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        String::read(value, path, diagnostics).map(Self::from)
    }
}

impl Field for bool {
    fn ty() -> Type {
        Type::Primitive(Primitive::Bool)
    }

    fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        let read = match &value.kind {
            ValueKind::Bool(value) => Some(*value),
            ValueKind::Number(text) => text.parse::<f64>().ok().map(|number| number != 0.0),
            ValueKind::String(text) => match text.as_str() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
                "0" | "f" | "F" | "false" | "FALSE" | "False" | "" | PLACEHOLDER => Some(false),
                _ => None,
            },
            ValueKind::Unknown | ValueKind::Null => Some(false),
            ValueKind::List(_) | ValueKind::Map(_) => None,
        };
        if read.is_none() {
            diagnostics.push(mismatch(value, "`true` or `false`", path));
        }
        read
    }
}

/// The integer a value stands for; `None` when it stands for none.
fn whole_number(value: &Value) -> Option<i128> {
    match &value.kind {
        ValueKind::Number(text) => integer(text),
        ValueKind::String(text) if text.is_empty() => Some(0),
        ValueKind::String(text) => integer(text.trim()),
        ValueKind::Bool(value) => Some(i128::from(*value)),
        ValueKind::Unknown | ValueKind::Null => Some(0),
        ValueKind::List(_) | ValueKind::Map(_) => None,
    }
}

macro_rules! integer_fields {
    ($($ty:ty),*) => {$(
        impl Field for $ty {
            fn ty() -> Type {
                Type::Primitive(Primitive::Number)
            }

            fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
                if is_unknown(value) {
                    return Some(0);
                }
                let read = whole_number(value).and_then(|number| Self::try_from(number).ok());
                if read.is_none() {
                    let wanted = format!("a whole number from {} to {}", Self::MIN, Self::MAX);
                    diagnostics.push(mismatch(value, &wanted, path));
                }
                read
            }
        }
    )*};
}

integer_fields!(u8, u16, u32, u64, usize, i32, i64);

impl Field for f64 {
    fn ty() -> Type {
        Type::Primitive(Primitive::Number)
    }

    fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        if is_unknown(value) {
            return Some(0.0);
        }
        let read = match &value.kind {
            ValueKind::Number(text) => text.parse().ok(),
            ValueKind::String(text) if text.is_empty() => Some(0.0),
            ValueKind::String(text) => text.trim().parse().ok(),
            ValueKind::Bool(value) => Some(f64::from(u8::from(*value))),
            ValueKind::Null => Some(0.0),
            _ => None,
        }
        .filter(|number: &f64| number.is_finite());
        if read.is_none() {
            diagnostics.push(mismatch(value, "a number", path));
        }
        read
    }
}

impl Field for GoDuration {
    fn ty() -> Type {
        Type::Primitive(Primitive::Duration)
    }

    fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        if is_unknown(value) || value.is_null() {
            return Some(Self::default());
        }
        let read = match &value.kind {
            ValueKind::String(text) => Self::parse(text),
            ValueKind::Number(text) => integer(text)
                .and_then(|n| i64::try_from(n).ok())
                .map(|nanos| Self { nanos }),
            _ => None,
        };
        if read.is_none() {
            let problem = mismatch(value, "a duration", path);
            diagnostics
                .push(problem.hint("write a number and a unit, for example `10s` or `1h30m`"));
        }
        read
    }
}

impl Field for Duration {
    fn ty() -> Type {
        GoDuration::ty()
    }

    fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        let signed = GoDuration::read(value, path, diagnostics)?;
        let read = signed.to_duration();
        if read.is_none() {
            diagnostics.push(mismatch(value, "a duration that is not negative", path));
        }
        read
    }
}

impl<T: Field> Field for Option<T> {
    const SENSITIVE: bool = T::SENSITIVE;
    const LATE: bool = T::LATE;

    fn ty() -> Type {
        T::ty()
    }

    fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        let any = matches!(T::ty(), Type::Primitive(Primitive::Any));
        // A variable without a value arrives as empty text.
        if value.is_null() || (is_empty(value) && !any) {
            return Some(None);
        }
        T::read(value, path, diagnostics).map(Some)
    }
}

impl<T: Field> Field for Vec<T> {
    const SENSITIVE: bool = T::SENSITIVE;
    const LATE: bool = T::LATE;

    fn ty() -> Type {
        Type::List(Box::new(T::ty()))
    }

    fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        let single;
        let items: &[Value] = match &value.kind {
            ValueKind::List(items) => items,
            ValueKind::Null | ValueKind::Unknown => &[],
            ValueKind::Map(entries) if entries.is_empty() => &[],
            ValueKind::String(text) => {
                single = split(text, value.sensitive);
                &single
            }
            _ => std::slice::from_ref(value),
        };
        let mut read = Some(Vec::with_capacity(items.len()));
        for (index, item) in items.iter().enumerate() {
            let mut item = item.clone();
            item.sensitive |= value.sensitive;
            let at = path.then(PathStep::Index(index));
            match (T::read(&item, &at, diagnostics), &mut read) {
                (Some(item), Some(list)) => list.push(item),
                _ => read = None,
            }
        }
        read
    }
}

/// Text where a list is wanted: its parts between commas, none when it is empty.
fn split(text: &str, sensitive: bool) -> Vec<Value> {
    if text.is_empty() {
        return Vec::new();
    }
    let part = |part: &str| Value {
        sensitive,
        ..Value::from(part)
    };
    text.split(',').map(part).collect()
}

impl<T: Field> Field for BTreeMap<String, T> {
    const SENSITIVE: bool = T::SENSITIVE;
    const LATE: bool = T::LATE;

    fn ty() -> Type {
        Type::Map(Box::new(T::ty()))
    }

    fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        if is_unknown(value) || value.is_null() {
            return Some(Self::new());
        }
        let maps: Vec<&Value> = match &value.kind {
            // Several maps are one: what comes later wins.
            ValueKind::List(items) => items.iter().collect(),
            _ => vec![value],
        };
        let mut read = Some(Self::new());
        for map in maps {
            let ValueKind::Map(entries) = &map.kind else {
                diagnostics.push(mismatch(map, "a map", path));
                read = None;
                continue;
            };
            for (key, entry) in entries {
                let mut entry = entry.clone();
                entry.sensitive |= value.sensitive | map.sensitive;
                let at = path.then(PathStep::Key(key.clone()));
                match (T::read(&entry, &at, diagnostics), &mut read) {
                    (Some(entry), Some(read)) => {
                        read.insert(key.clone(), entry);
                    }
                    _ => read = None,
                }
            }
        }
        read
    }
}

#[cfg(test)]
mod tests;
