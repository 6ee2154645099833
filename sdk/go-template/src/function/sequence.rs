//! `len`, `index` and `slice`.

use crate::data::Data;
use crate::function::{wrong_count, wrong_type};

/// Bytes of text, items of a list, entries of a map.
pub(super) fn len(args: &[Data]) -> Result<Data, String> {
    let [value] = args else {
        return Err(wrong_count("len", "1", args.len()));
    };
    let length = match value {
        Data::String(text) => text.len(),
        Data::List(items) => items.len(),
        Data::Map(entries) => entries.len(),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Data::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// Walks into a value by index or key.
pub(super) fn index(args: &[Data]) -> Result<Data, String> {
    let Some((value, keys)) = args.split_first() else {
        return Err(wrong_count("index", "at least 1", 0));
    };
    if *value == Data::Null {
        return Err("index of untyped nil".to_owned());
    }
    let mut value = value.clone();
    for key in keys {
        value = match (&value, key) {
            (Data::Map(entries), Data::String(key)) => {
                entries.get(key).cloned().unwrap_or_default()
            }
            (Data::Map(_), other) => return Err(wrong_type("string", other)),
            (Data::List(items), key) => {
                let at = position(key, items.len(), items.len().checked_sub(1))?;
                items[at].clone()
            }
            (Data::String(text), key) => {
                let at = position(key, text.len(), text.len().checked_sub(1))?;
                Data::Int(i64::from(text.as_bytes()[at]))
            }
            (Data::Null, _) => return Err("index of untyped nil".to_owned()),
            (other, _) => return Err(format!("cannot index item of type {}", other.type_name())),
        };
    }
    Ok(value)
}

/// Part of text (by bytes) or of a list.
pub(super) fn slice(args: &[Data]) -> Result<Data, String> {
    let Some((value, bounds)) = args.split_first() else {
        return Err(wrong_count("slice", "at least 1", 0));
    };
    if bounds.len() > 3 {
        return Err(format!("too many slice indexes: {}", bounds.len()));
    }
    let length = match value {
        Data::String(_) if bounds.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Data::String(text) => text.len(),
        Data::List(items) => items.len(),
        other => return Err(format!("cannot slice item of type {}", other.type_name())),
    };
    let bound = |at: usize, default: usize| {
        bounds
            .get(at)
            .map_or(Ok(default), |bound| position(bound, length, Some(length)))
    };
    let (start, end) = (bound(0, 0)?, bound(1, length)?);
    let capacity = bound(2, length)?;
    if start > end || end > capacity {
        return Err(format!("invalid slice index: {start} > {end}"));
    }
    Ok(match value {
        Data::List(items) => Data::List(items[start..end].to_vec()),
        Data::String(text) => {
            Data::String(String::from_utf8_lossy(&text.as_bytes()[start..end]).into_owned())
        }
        _ => unreachable!("other kinds were refused above"),
    })
}

/// An index that may be `greatest` at most; `None` when no index is allowed.
fn position(value: &Data, length: usize, greatest: Option<usize>) -> Result<usize, String> {
    let number = match value {
        Data::Int(number) => *number,
        Data::Null => return Err("cannot index slice/array with nil".to_owned()),
        other => {
            return Err(format!(
                "cannot index slice/array with type {}",
                other.type_name()
            ));
        }
    };
    usize::try_from(number)
        .ok()
        .filter(|at| greatest.is_some_and(|greatest| *at <= greatest))
        .ok_or_else(|| format!("index out of range: {number} (length {length})"))
}
