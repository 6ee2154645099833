//! Renaming and taking options.

use serde_json::Value;

use crate::document::Object;

/// Gives an option its new name; it takes the place of one that has that name already.
pub(super) fn rename(component: &mut Object, old: &str, new: &str) {
    if let Some(value) = component.remove(old) {
        component.insert(new.to_owned(), value);
    }
}

/// Gives an option its new name, when its value is of the right type. One that has that name
/// already stays, and the old one goes.
pub(super) fn rename_unless_there(
    component: &mut Object,
    old: &str,
    new: &str,
    is_right: impl Fn(&Value) -> bool,
) {
    if !component.get(old).is_some_and(is_right) {
        return;
    }
    if let Some(value) = component.remove(old) {
        component.entry(new).or_insert(value);
    }
}

/// Removes an option and gives its value when that is text; an option with another value stays.
pub(super) fn take_text(component: &mut Object, key: &str) -> Option<String> {
    if !component.get(key)?.is_string() {
        return None;
    }
    match component.remove(key) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}
