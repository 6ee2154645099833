//! Options whose Go template calls are rendered by the component, at run time.

use sdk_go_template::{Context, Data, TemplateError};

use crate::{Diagnostics, Field, Path, Type, Value, ValueKind};

/// Text with Go template calls that are rendered late, with data only the component has.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Template(pub String);

impl Template {
    /// The text with its calls rendered; `data` is what `.` stands for.
    ///
    /// # Errors
    ///
    /// When the text is no template or a call fails.
    pub fn render(&self, data: &Data, context: &Context) -> Result<String, TemplateError> {
        sdk_go_template::render(&self.0, data, context)
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no text, that is, whether the option is not set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Template {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Template {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Field for Template {
    const LATE: bool = true;

    fn ty() -> Type {
        String::ty()
    }

    fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        String::read(value, path, diagnostics).map(Self)
    }
}

/// `value` as template data, for rendering with a machine's generated values. Numbers become
/// integers when they are whole, floats otherwise.
#[must_use]
pub fn template_data(value: &Value) -> Data {
    match &value.kind {
        ValueKind::Null => Data::Null,
        ValueKind::Unknown => Data::String(crate::PLACEHOLDER.to_owned()),
        ValueKind::Bool(value) => Data::Bool(*value),
        ValueKind::Number(text) => number_data(text),
        ValueKind::String(text) => Data::String(text.clone()),
        ValueKind::List(items) => Data::List(items.iter().map(template_data).collect()),
        ValueKind::Map(entries) => Data::Map(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), template_data(value)))
                .collect(),
        ),
    }
}

fn number_data(text: &str) -> Data {
    let whole = crate::number::integer(text).and_then(|number| i64::try_from(number).ok());
    match whole {
        Some(number) => Data::Int(number),
        None => text
            .parse()
            .map_or_else(|_| Data::String(text.to_owned()), Data::Float),
    }
}
