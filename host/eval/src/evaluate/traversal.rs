//! Names, attributes and indexes.

use host_diag::{Diagnostic, Shown, nearest};
use host_syntax::ast::Ident;
use host_syntax::{Expr, ExprKind};

use crate::convert::convert;
use crate::number;
use crate::types::Type;
use crate::value::{Value, ValueKind};

use super::Evaluator;
use super::describe::{involved, traversal_text};

impl Evaluator<'_> {
    /// A name and the steps behind it.
    pub(super) fn traversal(&mut self, expr: &Expr) -> Value {
        // Most traversals end at a known plain value. Walking there by reference saves a copy of
        // everything the root holds.
        if let Some(value) = self.borrowed(expr) {
            let value = value.clone();
            return self.counted(value);
        }
        match &expr.kind {
            ExprKind::Variable(name) => {
                let problem = self.unknown_variable(name, expr.span);
                self.fail(problem)
            }
            ExprKind::GetAttr(target, name) => {
                let value = self.expression(target);
                self.attribute(value, name, Some(target))
            }
            ExprKind::Index(target, key) => {
                let value = self.expression(target);
                let key_value = self.expression(key);
                self.index(value, key_value, key, Some(target))
            }
            _ => self.expression(expr),
        }
    }

    /// The value a traversal leads to, when every step of it is a plain hit.
    fn borrowed(&self, expr: &Expr) -> Option<&Value> {
        let target = match &expr.kind {
            ExprKind::Variable(name) => return self.variable(name),
            ExprKind::Parens(inner) => return self.borrowed(inner),
            ExprKind::GetAttr(target, _) | ExprKind::Index(target, _) => self.borrowed(target)?,
            _ => return None,
        };
        if target.sensitive {
            return None;
        }
        match (&expr.kind, &target.kind) {
            (ExprKind::GetAttr(_, name), ValueKind::Mapping(elements)) => elements.get(&name.name),
            (ExprKind::Index(_, key), ValueKind::Mapping(elements)) => match &key.kind {
                ExprKind::String(key) => elements.get(key),
                _ => elements.get(self.borrowed_key(key)?.as_str()?),
            },
            (ExprKind::Index(..), ValueKind::Sequence(_)) if matches!(target.ty, Type::Set(_)) => {
                None
            }
            (ExprKind::Index(_, key), ValueKind::Sequence(elements)) => match &key.kind {
                ExprKind::Number(at) => elements.get(at.parse::<usize>().ok()?),
                _ => elements.get(usize::try_from(self.borrowed_key(key)?.as_i64()?).ok()?),
            },
            _ => None,
        }
    }

    /// A key that is itself a traversal, unless it is sensitive.
    fn borrowed_key(&self, key: &Expr) -> Option<&Value> {
        self.borrowed(key).filter(|key| !key.sensitive)
    }

    /// `value.name`; `target` is the expression that gave `value`, for messages.
    pub(super) fn attribute(&mut self, value: Value, name: &Ident, target: Option<&Expr>) -> Value {
        let sensitive = value.sensitive;
        let said = target
            .map(|target| involved(&[(target, &value)]))
            .unwrap_or_default();
        if value.is_null() {
            return self.fail(
                Diagnostic::error("Attempt to get attribute from null value")
                    .detail("This value is null, so it does not have any attributes.".to_string())
                    .values(&said)
                    .at(name.span),
            );
        }
        let found = match (value.ty, value.kind) {
            (Type::Dynamic, _) => Ok(Value::dynamic()),
            (Type::Object(object), ValueKind::Unknown) => match object.attributes.get(&name.name) {
                Some(ty) => Ok(Value::unknown(ty.clone())),
                None => Err(missing_attribute(name, object.attributes.keys(), target)),
            },
            (Type::Object(_), ValueKind::Mapping(mut attributes)) => {
                match attributes.remove(&name.name) {
                    Some(value) => Ok(value),
                    None => Err(missing_attribute(name, attributes.keys(), target)),
                }
            }
            (Type::Map(element), ValueKind::Unknown) => Ok(Value::unknown(*element)),
            (Type::Map(_), ValueKind::Mapping(mut elements)) => match elements.remove(&name.name) {
                Some(value) => Ok(value),
                None => Err(missing_element(name, elements.keys(), sensitive)),
            },
            (ty, _) => Err(no_attributes(&ty, name)
                .detail(no_attributes_detail(&ty))
                .values(&said)),
        };
        match found {
            Ok(value) => value.marked_like(sensitive),
            Err(problem) => self.fail(problem).marked_like(sensitive),
        }
    }

    /// `value[key]`; `target` is the expression that gave `value`, for messages.
    pub(super) fn index(
        &mut self,
        value: Value,
        key: Value,
        key_expr: &Expr,
        target: Option<&Expr>,
    ) -> Value {
        let sensitive = value.sensitive || key.sensitive;
        let mut pairs = vec![(key_expr, &key)];
        pairs.extend(target.map(|target| (target, &value)));
        let said = involved(&pairs);
        let failed = |summary: &str, detail: String| {
            Err(Box::new(
                Diagnostic::error(summary).detail(detail).values(&said),
            ))
        };
        let result = if value.is_null() {
            let detail = "This value is null, so it does not have any indices.";
            failed("Attempt to index null value", detail.to_owned())
        } else if key.is_null() {
            failed(
                "Invalid index",
                "Can't use a null value as an indexing key.".to_owned(),
            )
        } else {
            match &value.ty {
                Type::Dynamic => Ok(Value::dynamic()),
                Type::List(_) | Type::Tuple(_) => index_sequence(value, key, &said),
                Type::Map(_) | Type::Object(_) => index_mapping(value, key, &said),
                Type::Set(_) => failed("Invalid index", SET_INDEX.to_owned()),
                other => {
                    let name = other.friendly_name();
                    let detail =
                        format!("This value does not have any indices: it is of type {name}.");
                    failed("Invalid index", detail)
                }
            }
        };
        match result {
            Ok(value) => value.marked_like(sensitive),
            Err(problem) => self.fail(problem.at(key_expr.span)).marked_like(sensitive),
        }
    }
}

/// Names that a message lists at most.
const MOST_NAMES: usize = 8;
const SET_INDEX: &str = "Elements of a set are identified only by their value and don't have any \
    separate index or key to select with, so it's only possible to perform operations across all \
    elements of the set.";
const NO_ELEMENT: &str = "The given key does not identify an element in this collection value";

fn index_sequence(value: Value, key: Value, said: &[Shown]) -> Result<Value, Box<Diagnostic>> {
    let problem = |why: String| {
        Box::new(
            Diagnostic::error("Invalid index")
                .detail(format!("{NO_ELEMENT}: {why}."))
                .values(said),
        )
    };
    let key = convert(key, &Type::Number).map_err(|error| problem(error.to_string()))?;
    let Some(at) = key.as_number() else {
        // A list tells the type of any of its elements, a tuple only when the index is known.
        return Ok(value
            .ty
            .element()
            .cloned()
            .map_or_else(Value::dynamic, Value::unknown));
    };
    if !number::is_whole(at) {
        return Err(problem("an index must be a whole number".to_owned()));
    }
    if number::is_negative(at) {
        return Err(problem(
            "a negative number is not a valid index for a sequence".to_owned(),
        ));
    }
    let at = number::to_i64(at)
        .and_then(|at| usize::try_from(at).ok())
        .unwrap_or(usize::MAX);
    let outside = |length: usize| {
        problem(match length {
            0 => "the collection has no elements".to_owned(),
            _ => {
                "the given index is greater than or equal to the length of the collection, \
                  which is "
                    .to_owned()
                    + &length.to_string()
            }
        })
    };
    match (value.ty, value.kind) {
        (Type::List(element), ValueKind::Unknown) => Ok(Value::unknown(*element)),
        (Type::Tuple(types), ValueKind::Unknown) => types
            .get(at)
            .cloned()
            .map(Value::unknown)
            .ok_or_else(|| outside(types.len())),
        (_, ValueKind::Sequence(mut elements)) if at < elements.len() => {
            Ok(elements.swap_remove(at))
        }
        (_, ValueKind::Sequence(elements)) => Err(outside(elements.len())),
        _ => Ok(Value::dynamic()),
    }
}

fn index_mapping(value: Value, key: Value, said: &[Shown]) -> Result<Value, Box<Diagnostic>> {
    let problem = |why: String| {
        Box::new(
            Diagnostic::error("Invalid index")
                .detail(format!("{NO_ELEMENT}{why}."))
                .values(said),
        )
    };
    let hidden = value.sensitive || key.sensitive;
    let key = convert(key, &Type::String).map_err(|error| problem(format!(": {error}")))?;
    let Some(name) = key.as_str() else {
        return Ok(match value.ty {
            Type::Map(element) => Value::unknown(*element),
            _ => Value::dynamic(),
        });
    };
    let missing = |names: Vec<&str>| {
        let shown = if hidden {
            String::new()
        } else {
            format!(": there is no {name:?}")
        };
        let close = if hidden { None } else { nearest(name, names) };
        let problem = problem(shown);
        Box::new(problem.hint(close.map(|name| format!("Did you mean {name:?}?"))))
    };
    match (value.ty, value.kind) {
        (Type::Map(element), ValueKind::Unknown) => Ok(Value::unknown(*element)),
        (Type::Object(object), ValueKind::Unknown) => match object.attributes.get(name) {
            Some(ty) => Ok(Value::unknown(ty.clone())),
            None => Err(missing(
                object.attributes.keys().map(String::as_str).collect(),
            )),
        },
        (_, ValueKind::Mapping(mut elements)) => match elements.remove(name) {
            Some(value) => Ok(value),
            None => Err(missing(elements.keys().map(String::as_str).collect())),
        },
        _ => Ok(Value::dynamic()),
    }
}

fn missing_attribute<'a>(
    name: &Ident,
    names: impl Iterator<Item = &'a String>,
    target: Option<&Expr>,
) -> Diagnostic {
    let mut names: Vec<&str> = names.map(String::as_str).collect();
    names.sort_unstable();
    let close = nearest(&name.name, names.iter().copied());
    let target = target.and_then(traversal_text);
    let hint = match close {
        Some(close) => {
            let prefix = target.map(|text| text + ".").unwrap_or_default();
            format!("Did you mean `{prefix}{close}`?")
        }
        None => not_declared(&name.name, target.as_deref(), &names),
    };
    Diagnostic::error("Unsupported attribute")
        .detail(format!(
            "This object does not have an attribute named \"{}\".",
            name.name
        ))
        .at(name.span)
        .hint(hint)
}

/// What to do about a name that is like none of `names`.
fn not_declared(name: &str, target: Option<&str>, names: &[&str]) -> String {
    let declaration = match target {
        Some("var") => format!("variable \"{name}\" {{ … }}"),
        Some("local") => format!("locals {{ {name} = … }}"),
        _ if names.is_empty() => return format!("Remove `.{name}`: the object is empty."),
        _ => return format!("It has {}.", listed(names)),
    };
    match names {
        [] => format!("Declare it: `{declaration}`."),
        _ => format!("Declare it: `{declaration}`; there is {}.", listed(names)),
    }
}

/// The first of some names, in backticks.
fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(MOST_NAMES)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = match names.len() > MOST_NAMES {
        true => ", …",
        false => "",
    };
    format!("{}{more}", shown.join(", "))
}

fn missing_element<'a>(
    name: &Ident,
    names: impl Iterator<Item = &'a String>,
    hidden: bool,
) -> Diagnostic {
    let close = if hidden {
        None
    } else {
        nearest(&name.name, names.map(String::as_str))
    };
    Diagnostic::error("Missing map element")
        .detail(format!(
            "This map does not have an element with the key \"{}\".",
            name.name
        ))
        .at(name.span)
        .hint(close.map(|name| format!("Did you mean `{name}`?")))
}

fn no_attributes(ty: &Type, name: &Ident) -> Diagnostic {
    let elements_have = match ty {
        Type::List(element) | Type::Set(element) => element.is_mapping(),
        Type::Tuple(elements) => elements.iter().any(Type::is_mapping),
        _ => false,
    };
    let hint = match elements_have {
        true => format!(
            "Take one element, as in `[0].{0}`, or the attribute of all, as in `[*].{0}`.",
            name.name
        ),
        false => format!(
            "Remove `.{}`; only objects and maps have names in them.",
            name.name
        ),
    };
    Diagnostic::error("Unsupported attribute")
        .at(name.span)
        .hint(hint)
}

fn no_attributes_detail(ty: &Type) -> String {
    if ty.is_primitive() {
        let name = ty.friendly_name();
        return format!("Can't access attributes on a primitive-typed value ({name}).");
    }
    format!(
        "This value does not have any attributes: it is a {}.",
        ty.friendly_name()
    )
}
