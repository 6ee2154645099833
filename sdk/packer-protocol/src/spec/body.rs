//! The options of a template as a description wants them.

use std::collections::{BTreeMap, BTreeSet};

use sdk_config::{Path, PathStep, Value, ValueKind};

use super::{Blocks, BlocksShape, LabelledShape, Spec};
use crate::value::{CtyType, Typed, ValueError, common, conform_at};

/// Turns a map of options and blocks into the value that the component is prepared with: one
/// attribute for each part of the description, null where nothing is set. A block is a map, blocks
/// of one name a list of maps.
///
/// # Errors
///
/// All problems: values that do not fit, what must be set and is not, and options that the
/// description does not have, each with its place.
pub fn read_body(spec: &Spec, options: &Value) -> Result<Typed, Vec<ValueError>> {
    let mut problems = Vec::new();
    let typed = body(spec, options, &Path::default(), &mut problems);
    if problems.is_empty() {
        Ok(typed)
    } else {
        Err(problems)
    }
}

/// What one body gives, and what of it nobody read.
struct Reading<'a> {
    entries: &'a BTreeMap<String, Value>,
    read: BTreeSet<&'a str>,
    path: &'a Path,
    problems: &'a mut Vec<ValueError>,
}

fn body(spec: &Spec, value: &Value, path: &Path, problems: &mut Vec<ValueError>) -> Typed {
    let nothing = BTreeMap::new();
    let entries = match &value.kind {
        ValueKind::Map(entries) => entries,
        ValueKind::Null => &nothing,
        ValueKind::Unknown => return unknown(spec.value_type()),
        _ => {
            problems.push(ValueError::mismatch(path, "a block of options"));
            &nothing
        }
    };
    let mut reading = Reading {
        entries,
        read: BTreeSet::new(),
        path,
        problems,
    };
    let typed = reading.part(spec);
    let Reading { read, problems, .. } = reading;
    for name in entries.keys().filter(|name| !read.contains(name.as_str())) {
        let at = path.then(PathStep::Attribute(name.clone()));
        problems.push(ValueError::mismatch(&at, "an option of this component"));
    }
    typed
}

fn unknown(ty: CtyType) -> Typed {
    Typed {
        ty,
        value: Value::unknown(),
    }
}

fn null(ty: CtyType) -> Typed {
    Typed {
        ty,
        value: Value::null(),
    }
}

impl<'a> Reading<'a> {
    /// The option or block `name`, which counts as read; `None` when it is not set.
    fn take(&mut self, name: &str) -> Option<&'a Value> {
        let (name, value) = self.entries.get_key_value(name)?;
        self.read.insert(name);
        Some(value).filter(|value| !value.is_null())
    }

    fn at(&self, name: &str) -> Path {
        self.path.then(PathStep::Attribute(name.to_owned()))
    }

    fn missing(&mut self, name: &str) {
        let problem = ValueError::mismatch(&self.at(name), "set, but it is required");
        self.problems.push(problem);
    }

    fn part(&mut self, spec: &Spec) -> Typed {
        match spec {
            Spec::Attribute { name, ty, required } => self.attribute(name, ty, *required),
            Spec::Block {
                name,
                nested,
                required,
            } => self.block(name, nested, *required),
            Spec::Blocks(blocks) => self.blocks(blocks),
            Spec::LabelledBlocks {
                name,
                labels,
                nested,
                shape,
            } => match self.take(name) {
                Some(value) => {
                    let at = self.at(name);
                    labelled(nested, labels.len(), *shape, value, &at, self.problems)
                }
                None => labelled(
                    nested,
                    labels.len(),
                    *shape,
                    &Value::empty_map(),
                    self.path,
                    self.problems,
                ),
            },
            Spec::BlockAttributes {
                name,
                element,
                required,
            } => self.attribute(name, &CtyType::map(element.clone()), *required),
            Spec::BlockLabel { .. } => null(CtyType::String),
            Spec::Default { primary, default } => {
                let first = self.part(primary);
                // Both are looked at, so that what the other one reads counts as known.
                let second = self.part(default);
                if first.value.is_null() { second } else { first }
            }
            Spec::Object(parts) => {
                let mut types = BTreeMap::new();
                let mut value = Value::empty_map();
                for (name, part) in parts {
                    let typed = self.part(part);
                    types.insert(name.clone(), typed.ty);
                    value.insert(name.clone(), typed.value);
                }
                Typed {
                    ty: CtyType::object(types),
                    value,
                }
            }
            Spec::Tuple(parts) => {
                let parts: Vec<Typed> = parts.iter().map(|part| self.part(part)).collect();
                tuple(parts)
            }
            Spec::Literal(typed) => typed.clone(),
        }
    }

    fn attribute(&mut self, name: &str, ty: &CtyType, required: bool) -> Typed {
        let Some(value) = self.take(name) else {
            if required {
                self.missing(name);
            }
            return null(ty.clone());
        };
        conform_at(value, ty, &self.at(name)).unwrap_or_else(|problem| {
            self.problems.push(problem);
            null(ty.clone())
        })
    }

    fn block(&mut self, name: &str, nested: &Spec, required: bool) -> Typed {
        let found = self.take(name);
        let at = self.at(name);
        let one = match found.map(|value| (&value.kind, value)) {
            Some((ValueKind::List(items), _)) if items.len() > 1 => {
                let wanted = format!("one block, but {} of them", items.len());
                self.problems.push(ValueError::mismatch(&at, wanted));
                items.first()
            }
            Some((ValueKind::List(items), _)) => items.first(),
            Some((_, value)) => Some(value),
            None => None,
        };
        match one {
            Some(value) => body(nested, value, &at, self.problems),
            None => {
                if required {
                    self.missing(name);
                }
                null(nested.value_type())
            }
        }
    }

    fn blocks(&mut self, blocks: &Blocks) -> Typed {
        let found = self.take(&blocks.name);
        let items = match found.map(|value| (&value.kind, value)) {
            Some((ValueKind::Unknown, _)) => return unknown(blocks.value_type()),
            Some((ValueKind::List(items), _)) => items.as_slice(),
            Some((_, value)) => std::slice::from_ref(value),
            None => &[],
        };
        let at = self.at(&blocks.name);
        if items.len() < blocks.min as usize {
            let wanted = format!("{} blocks or more", blocks.min);
            self.problems.push(ValueError::mismatch(&at, wanted));
        }
        if blocks.max > 0 && items.len() > blocks.max as usize {
            let wanted = format!("{} blocks or fewer", blocks.max);
            self.problems.push(ValueError::mismatch(&at, wanted));
        }
        let mut bodies = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let at = at.then(PathStep::Index(index));
            bodies.push(body(&blocks.nested, item, &at, self.problems));
        }
        if blocks.shape == BlocksShape::Tuple {
            return tuple(bodies);
        }
        let (types, values): (Vec<_>, Vec<_>) =
            bodies.into_iter().map(|body| (body.ty, body.value)).unzip();
        let element = common(types, &blocks.nested.value_type());
        Typed {
            ty: match blocks.shape {
                BlocksShape::Set => CtyType::Set(Box::new(element)),
                BlocksShape::List | BlocksShape::Tuple => CtyType::list(element),
            },
            value: Value::from(values),
        }
    }
}

impl Blocks {
    fn value_type(&self) -> CtyType {
        Spec::Blocks(self.clone()).value_type()
    }
}

fn tuple(parts: Vec<Typed>) -> Typed {
    let (types, values): (Vec<_>, Vec<_>) =
        parts.into_iter().map(|part| (part.ty, part.value)).unzip();
    Typed {
        ty: CtyType::Tuple(types),
        value: Value::from(values),
    }
}

/// Bodies below `labels` levels of keys.
fn labelled(
    nested: &Spec,
    labels: usize,
    shape: LabelledShape,
    value: &Value,
    path: &Path,
    problems: &mut Vec<ValueError>,
) -> Typed {
    let Some(below) = labels.checked_sub(1) else {
        return body(nested, value, path, problems);
    };
    let nothing = BTreeMap::new();
    let entries = match &value.kind {
        ValueKind::Map(entries) => entries,
        _ => {
            problems.push(ValueError::mismatch(path, "blocks by their labels"));
            &nothing
        }
    };
    let mut types = BTreeMap::new();
    let mut map = Value::empty_map();
    for (label, value) in entries {
        let at = path.then(PathStep::Attribute(label.clone()));
        let typed = labelled(nested, below, shape, value, &at, problems);
        types.insert(label.clone(), typed.ty);
        map.insert(label.clone(), typed.value);
    }
    let ty = match shape {
        LabelledShape::Object => CtyType::object(types),
        LabelledShape::Map => {
            let declared = (0..below).fold(nested.value_type(), |ty, _| CtyType::map(ty));
            CtyType::map(common(types.into_values().collect(), &declared))
        }
    };
    Typed { ty, value: map }
}
