//! YAML: reading one document.

use std::collections::{BTreeMap, HashMap};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag};

use crate::types::Type;
use crate::value::{Value, ValueKind};

use super::{Context, FunctionError, Outcome, yaml_scalar};

/// Deepest nesting of sequences and mappings.
const DEEPEST: usize = 100;
/// How much dearer a copied value is than one that is read.
const COPIES_OF_ALIAS: usize = 8;

/// Reads one document: mappings become objects, sequences tuples. A text without one is an
/// error.
pub(super) fn decode(text: &str, context: &Context<'_>) -> Outcome {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: HashMap::new(),
        context,
    };
    let mut found = None;
    loop {
        match reader.next()? {
            Event::StreamEnd => break,
            Event::DocumentStart(_) if found.is_some() => {
                return Err(problem("only one document is allowed"));
            }
            Event::DocumentStart(_) => {
                let event = reader.next()?;
                found = Some(reader.node(event, 0)?);
            }
            _ => {}
        }
    }
    found.ok_or_else(|| problem("there is no document"))
}

fn problem(message: impl std::fmt::Display) -> FunctionError {
    FunctionError::call_at(0, format!("invalid YAML: {message}"))
}

fn located(error: &ScanError) -> FunctionError {
    let mark = error.marker();
    problem(format!(
        "on line {}, column {}: {}",
        mark.line(),
        mark.col() + 1,
        error.info()
    ))
}

struct Reader<'t, 'c> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Value>,
    context: &'c Context<'c>,
}

impl<'t> Reader<'t, '_> {
    fn next(&mut self) -> Result<Event<'t>, FunctionError> {
        match self.parser.next() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => Err(located(&error)),
            None => Ok(Event::StreamEnd),
        }
    }

    /// The value that starts with `event`. Aliases are counted as what they stand for, because
    /// they can multiply a short text.
    fn node(&mut self, event: Event<'t>, depth: usize) -> Outcome {
        if depth > DEEPEST {
            return Err(problem("nested too deeply"));
        }
        self.context.limits.spend(1)?;
        let (anchor, value) = match event {
            Event::Alias(anchor) => {
                let value = self
                    .anchors
                    .get(&anchor)
                    .ok_or_else(|| problem("an alias inside of what it stands for"))?;
                // What is copied is copied again into the types of all that it is in.
                for _ in 0..COPIES_OF_ALIAS {
                    self.context.limits.spend_on(value)?;
                }
                return Ok(value.clone());
            }
            Event::Scalar(text, style, anchor, tag) => {
                (anchor, scalar(&text, style, tag.as_deref())?)
            }
            Event::SequenceStart(anchor, tag) => {
                require_tag(tag.as_deref(), "seq")?;
                let mut elements = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => elements.push(self.node(event, depth + 1)?),
                    }
                }
                (anchor, Value::tuple(elements))
            }
            Event::MappingStart(anchor, tag) => {
                require_tag(tag.as_deref(), "map")?;
                (anchor, self.mapping(depth)?)
            }
            _ => return Err(problem("a value is missing")),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    /// The last one of equal keys counts, and all of them count more than what `<<` merges.
    fn mapping(&mut self, depth: usize) -> Outcome {
        let mut own = BTreeMap::new();
        let mut merged = BTreeMap::new();
        loop {
            let event = match self.next()? {
                Event::MappingEnd => break,
                event => event,
            };
            let merges =
                matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.node(event, depth + 1)?;
            let event = self.next()?;
            let value = self.node(event, depth + 1)?;
            if merges {
                merge(value, &mut merged)?;
                continue;
            }
            let key = crate::convert(key, &Type::String).ok();
            let key = key.as_ref().and_then(Value::as_str);
            let key =
                key.ok_or_else(|| problem("mapping keys must be strings, numbers or bools"))?;
            own.insert(key.to_owned(), value);
        }
        merged.extend(own);
        Ok(Value::object(merged))
    }
}

/// `<<: mapping` or `<<: [mapping, …]`: earlier mappings win.
fn merge(value: Value, into: &mut BTreeMap<String, Value>) -> Result<(), FunctionError> {
    match value.kind {
        ValueKind::Mapping(elements) => {
            for (key, element) in elements {
                into.entry(key).or_insert(element);
            }
            Ok(())
        }
        ValueKind::Sequence(elements) => elements
            .into_iter()
            .try_for_each(|element| merge(element, into)),
        _ => Err(problem("only mappings can be merged with `<<`")),
    }
}

/// The name of a tag of YAML's own; `!` alone means a string.
fn own_tag(tag: &Tag) -> Result<&str, FunctionError> {
    let full = format!("{}{}", tag.handle, tag.suffix);
    if full == "!" {
        return Ok("str");
    }
    let is_own = tag.is_yaml_core_schema() || tag.handle == "!!";
    let known = [
        "str",
        "int",
        "float",
        "bool",
        "null",
        "timestamp",
        "binary",
        "seq",
        "map",
    ];
    let name = tag.suffix.as_str();
    if is_own && known.contains(&name) {
        Ok(name)
    } else {
        Err(problem(format!("unsupported tag {full:?}")))
    }
}

fn require_tag(tag: Option<&Tag>, wanted: &str) -> Result<(), FunctionError> {
    match tag.map(own_tag).transpose()? {
        Some(name) if name != wanted && name != "str" => Err(problem(format!(
            "the tag {name} does not fit what is there"
        ))),
        _ => Ok(()),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Outcome {
    let tag = tag.map(own_tag).transpose()?;
    let misfit = || {
        let tag = tag.unwrap_or_default();
        problem(format!("cannot parse {text:?} as {tag}"))
    };
    match tag {
        None if style != ScalarStyle::Plain => Ok(Value::string(text)),
        None => yaml_scalar::resolve(text).map_err(problem),
        Some("str" | "binary") => Ok(Value::string(text)),
        Some("null") => Ok(Value::null(Type::Dynamic)),
        Some("bool") => yaml_scalar::boolean(text)
            .map(Value::bool)
            .ok_or_else(misfit),
        Some("int" | "float") => yaml_scalar::tagged_number(text)
            .map(Value::number)
            .ok_or_else(misfit),
        Some("timestamp") => yaml_scalar::timestamp(text)
            .map(Value::string)
            .ok_or_else(misfit),
        Some(_) => Err(misfit()),
    }
}
