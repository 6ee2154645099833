//! From a value to a struct.

use std::collections::BTreeMap;

use crate::field::{is_empty, is_unknown};
use crate::{
    Diagnostic, Diagnostics, Field, Path, PathStep, Primitive, Schema, Severity, Type, Value,
    ValueKind,
};

/// What stands for text that is not known yet when a configuration is only checked.
///
/// # Source
///
/// Packer hands this text to components on `validate`; templates and components test for it.
pub const PLACEHOLDER: &str = "<unknown>";

/// Options that hosts add for every component; they are in the build's facts already.
const HOST_PREFIX: &str = "packer_";

/// A struct that a component is configured with; derived with `#[derive(Config)]`.
pub trait Config: Sized + Send + Sync + 'static {
    /// What it accepts.
    fn schema() -> Schema;

    /// Takes its options out of `decoder`; `None` when one of them is unusable, in which case
    /// `decoder` holds at least one error.
    fn take(decoder: &mut Decoder<'_>) -> Option<Self>;
}

/// No options at all.
impl Config for () {
    fn schema() -> Schema {
        Schema::default()
    }

    fn take(_decoder: &mut Decoder<'_>) -> Option<Self> {
        Some(())
    }
}

/// A map that is being turned into a struct, and the problems met on the way.
pub struct Decoder<'a> {
    /// What is not taken yet.
    pub entries: BTreeMap<String, Value>,
    /// Where the map stands in the configuration.
    pub path: Path,
    /// Every problem so far.
    pub diagnostics: &'a mut Diagnostics,
}

impl Decoder<'_> {
    /// Takes an option; the inner `None` when it is not set, the outer one when it is unusable.
    pub fn optional<T: Field>(&mut self, name: &str) -> Option<Option<T>> {
        let Some(value) = self.present(name) else {
            return Some(None);
        };
        T::read(&value, &self.at(name), self.diagnostics).map(Some)
    }

    /// Takes an option that must be set.
    pub fn required<T: Field>(&mut self, name: &str) -> Option<T> {
        let taken = self.optional(name)?;
        if taken.is_none() {
            self.missing(name, "argument");
        }
        taken
    }

    /// Takes an option that has a value also when it is not set. Empty text and an empty list mean
    /// that it is not, as everywhere in Packer, where a variable without a value often stands for an
    /// option. A value that is not known yet becomes the default as well, unless it is text.
    pub fn defaulted<T: Field>(&mut self, name: &str, default: impl FnOnce() -> T) -> Option<T> {
        let text = matches!(T::ty(), Type::Primitive(Primitive::String | Primitive::Any));
        let unset = |value: &Value| is_empty(value) || (!text && is_unknown(value));
        if self.entries.get(name).is_some_and(unset) {
            self.entries.remove(name);
        }
        self.optional(name)
            .map(|taken| taken.unwrap_or_else(default))
    }

    /// The default of an option out of the literal that its author wrote.
    ///
    /// # Panics
    ///
    /// When the literal does not fit the type of the option, which is the author's mistake.
    #[must_use]
    pub fn literal<T: Field>(name: &str, value: &Value) -> T {
        let mut diagnostics = Diagnostics::new();
        let read = T::read(value, &Path::attribute(name), &mut diagnostics);
        read.expect("the default of an option fits the option's type")
    }

    /// Checks that an option, if set, is one of `choices`; an unusable one is reported and taken
    /// away.
    pub fn choices(&mut self, name: &str, choices: &[&str]) {
        let Some(value) = self.entries.get(name).filter(|value| !value.is_null()) else {
            return;
        };
        let items = match &value.kind {
            ValueKind::List(items) => items.clone(),
            _ => vec![value.clone()],
        };
        let problems: Vec<Diagnostic> = items
            .iter()
            .filter_map(Value::as_str)
            .filter(|text| !text.is_empty() && *text != PLACEHOLDER && !choices.contains(text))
            .map(|text| self.not_a_choice(name, text, choices))
            .collect();
        self.diagnostics.extend(problems);
    }

    /// Takes a nested block; the inner `None` when there is none, the outer one when it is
    /// unusable.
    pub fn block<C: Config>(&mut self, name: &str) -> Option<Option<C>> {
        let Some(value) = self.present(name) else {
            return Some(None);
        };
        let path = self.at(name);
        match &value.kind {
            ValueKind::List(items) => match items.as_slice() {
                [] => Some(None),
                [one] => body(one, path, self.diagnostics).map(Some),
                _ => {
                    let detail = format!("`{path}` may be given once, not {} times.", items.len());
                    self.diagnostics
                        .push(Diagnostic::error("Duplicate block", detail).at(path));
                    None
                }
            },
            _ => body(&value, path, self.diagnostics).map(Some),
        }
    }

    /// Takes a nested block that must be there.
    pub fn required_block<C: Config>(&mut self, name: &str) -> Option<C> {
        let taken = self.block(name)?;
        if taken.is_none() {
            self.missing(name, "block");
        }
        taken
    }

    /// Takes a nested block that is read as an empty one when it is not there, so that its
    /// defaults hold.
    pub fn defaulted_block<C: Config>(&mut self, name: &str) -> Option<C> {
        let taken = self.block(name)?;
        taken.or_else(|| body(&Value::empty_map(), self.at(name), self.diagnostics))
    }

    /// Takes every block of a name.
    pub fn blocks<C: Config>(&mut self, name: &str) -> Option<Vec<C>> {
        let Some(value) = self.present(name) else {
            return Some(Vec::new());
        };
        let path = self.at(name);
        let items = match &value.kind {
            ValueKind::List(items) => items.as_slice(),
            ValueKind::Unknown => &[],
            _ => std::slice::from_ref(&value),
        };
        let read: Vec<Option<C>> = items
            .iter()
            .enumerate()
            .map(|(index, item)| body(item, path.then(PathStep::Index(index)), self.diagnostics))
            .collect();
        read.into_iter().collect()
    }

    /// Takes every block of a name, of which there must be one at least.
    pub fn required_blocks<C: Config>(&mut self, name: &str) -> Option<Vec<C>> {
        let taken = self.blocks(name)?;
        if taken.is_empty() {
            self.missing(name, "block");
            return None;
        }
        Some(taken)
    }

    /// Takes everything nobody took, without what hosts add.
    pub fn rest(&mut self) -> BTreeMap<String, Value> {
        let mut rest = std::mem::take(&mut self.entries);
        rest.retain(|name, _| !self.is_host_option(name));
        rest
    }

    /// Refuses whatever nobody took.
    fn finish(&mut self, schema: &Schema) {
        let known: Vec<&str> = schema
            .attributes
            .iter()
            .map(|attribute| attribute.name.as_str())
            .chain(schema.blocks.iter().map(|block| block.name.as_str()))
            .collect();
        for name in self.rest().into_keys() {
            // The path comes first, so that hosts find the line; the words are what people know.
            let detail = format!("unknown configuration key: '\"{name}\"'");
            let mut problem =
                Diagnostic::error("Unknown configuration key", detail).at(self.at(&name));
            if let Some(near) = nearest(&name, &known) {
                problem = problem.hint(format!("did you mean `{near}`?"));
            }
            self.diagnostics.push(problem);
        }
    }

    fn is_host_option(&self, name: &str) -> bool {
        self.path.0.is_empty() && (name.starts_with(HOST_PREFIX) || name == "type")
    }

    /// The value of an option that is set, taken out.
    fn present(&mut self, name: &str) -> Option<Value> {
        self.entries.remove(name).filter(|value| !value.is_null())
    }

    fn at(&self, name: &str) -> Path {
        self.path.then(PathStep::Attribute(name.to_owned()))
    }

    fn missing(&mut self, name: &str, what: &str) {
        let path = self.at(name);
        let detail = format!("The {what} `{path}` is required, but it is not set.");
        self.diagnostics
            .push(Diagnostic::error(format!("Missing required {what}"), detail).at(path));
    }

    fn not_a_choice(&self, name: &str, text: &str, choices: &[&str]) -> Diagnostic {
        let path = self.at(name);
        let list: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
        let detail = format!("`{path}` is one of {}, not `{text}`.", list.join(", "));
        let problem = Diagnostic::error("Invalid choice", detail).at(path);
        match nearest(text, choices) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem,
        }
    }
}

/// Turns `value` into a `C`; reports every problem, not just the first.
///
/// # Errors
///
/// The problems, when one of them is an error. Warnings alone come back with the struct.
pub fn decode<C: Config>(value: &Value) -> Result<(C, Diagnostics), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let config = body(value, Path::default(), &mut diagnostics);
    let failed = diagnostics
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    match config {
        Some(config) if !failed => Ok((config, diagnostics)),
        _ => Err(diagnostics),
    }
}

/// Reads one body: the whole configuration or a block.
fn body<C: Config>(value: &Value, path: Path, diagnostics: &mut Diagnostics) -> Option<C> {
    let entries = match &value.kind {
        ValueKind::Map(entries) => entries.clone(),
        ValueKind::Null | ValueKind::Unknown => BTreeMap::new(),
        _ => {
            let detail = format!(
                "A block of options is wanted here, not {}.",
                value.kind_name()
            );
            diagnostics.push(Diagnostic::error("Wrong type of value", detail).at(path));
            return None;
        }
    };
    let mut decoder = Decoder {
        entries,
        path,
        diagnostics,
    };
    let taken = C::take(&mut decoder);
    decoder.finish(&C::schema());
    taken
}

/// The known name that is close enough to be a slip of the keyboard.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 1.max(candidate.len().min(name.len()) / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests;
