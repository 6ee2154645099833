//! What configuration tools learn about the build they run in.

use sdk_component::RunContext;
use sdk_config::Value;

/// What a playbook, a manifest or a recipe learns about its build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildFacts {
    /// Label of the source block, or the builder's name in a JSON template.
    pub name: String,
    /// Type of the builder.
    pub builder_type: String,
    /// Address and port of the builder's HTTP server as the guest sees it; `None` when there is
    /// none.
    pub http_address: Option<String>,
}

impl BuildFacts {
    /// The facts of the build `cx` belongs to.
    #[must_use]
    pub fn new(cx: &RunContext, generated: &Value) -> Self {
        // Builders without a server say so with a text that begins like this.
        let address = generated
            .get("PackerHTTPAddr")
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty() && !text.starts_with("ERR_"));
        Self {
            name: cx.build().source_name.clone(),
            builder_type: cx.build().builder_type.clone(),
            http_address: address.map(str::to_owned),
        }
    }

    /// The facts by the names Ansible's variables and Puppet's facts have.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, &str)> {
        [
            ("packer_build_name", self.name.as_str()),
            ("packer_builder_type", self.builder_type.as_str()),
            (
                "packer_http_addr",
                self.http_address.as_deref().unwrap_or_default(),
            ),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
    }
}
