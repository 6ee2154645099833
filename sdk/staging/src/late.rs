//! Options that are rendered when the machine is there.

use std::collections::BTreeMap;

use sdk_component::{Failure, RunContext};
use sdk_config::{Value, template_data};
use sdk_go_template::{Context, Data, render};

/// What late options are rendered with: the machine's values, and what the provisioner adds.
#[derive(Clone, Debug)]
pub struct Late {
    data: BTreeMap<String, Data>,
    context: Context,
}

impl Late {
    /// The machine's values, as `{{.Host}}` and as `{{build "Host"}}`.
    #[must_use]
    pub fn new(cx: &RunContext, generated: &Value) -> Self {
        let data = match template_data(generated) {
            Data::Map(entries) => entries,
            _ => BTreeMap::new(),
        };
        Self {
            data,
            context: cx.build().template_context_with(generated),
        }
    }

    /// The same and one more value; it wins over a machine's of that name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Data>) -> Self {
        self.data.insert(name.to_owned(), value.into());
        self
    }

    /// The text of `option`, rendered.
    ///
    /// # Errors
    ///
    /// When it is no template or a call in it fails; the message names the option.
    pub fn render(&self, option: &str, text: &str) -> Result<String, Failure> {
        render(text, &Data::Map(self.data.clone()), &self.context)
            .map_err(|error| Failure::new(format!("cannot render `{option}`: {error}")))
    }

    /// The texts of the list `option`, rendered one by one.
    ///
    /// # Errors
    ///
    /// As [`Late::render`].
    pub fn render_all(&self, option: &str, texts: &[String]) -> Result<Vec<String>, Failure> {
        texts.iter().map(|text| self.render(option, text)).collect()
    }
}
