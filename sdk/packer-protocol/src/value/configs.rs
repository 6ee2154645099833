//! What components are prepared with.
//!
//! A preparation carries a list. Options of an HCL2 template are one [`Element::Typed`] in it; what
//! the host adds, and everything of a JSON template, is [`Element::Native`]. Later elements win.

use std::collections::BTreeMap;

use rmp::{decode, encode};
use sdk_config::{Value, ValueKind};

use super::{Typed, ValueError, fill_unknown, native_from_msgpack, native_to_msgpack};
use crate::Kind;

/// What stands behind the name in a fact of the build that is not known yet.
const NOT_YET: &str =
    "To set this dynamically in the Packer template, you must use the `build` function";

/// The fact by which the list of facts that are not known yet is recognised.
const MARK: &str = "PackerRunUUID";

/// What every option of the host's own begins with.
const HOST_PREFIX: &str = "packer_";

/// The list of a preparation.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Configs(pub Vec<Element>);

/// One part of a preparation.
#[derive(Clone, Debug, PartialEq)]
pub enum Element {
    /// Options of an HCL2 template with their types.
    Typed(Typed),
    /// Options as plain data, or null.
    Native(Value),
}

/// What the host says about the run beside the options.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CoreVariables {
    /// The second label of the source block, or the builder's name in a JSON template.
    pub build_name: String,
    /// The builder's type as the template names it.
    pub builder_type: String,
    /// The host's version.
    pub core_version: String,
    /// Whether the build stops between its steps.
    pub debug: bool,
    /// Whether earlier outputs are replaced.
    pub force: bool,
    /// `cleanup`, `abort`, `ask`, `run-cleanup-provisioner`, or empty for the default.
    pub on_error: String,
    /// The JSON template's file; empty for HCL2.
    pub template_path: String,
    /// The JSON template's variables; empty for HCL2.
    pub user_variables: BTreeMap<String, String>,
    /// The names of variables whose values must stay out of every output.
    pub sensitive_variables: Vec<String>,
}

/// What a list of parts comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// The options, merged.
    pub options: Value,
    /// What the host says about the run.
    pub core: CoreVariables,
    /// The names of facts of the build that are not known yet, sorted; empty when the host does not
    /// say.
    pub facts_to_come: Vec<String>,
    /// Whether the options come from an HCL2 template.
    pub typed: bool,
}

/// The names of facts that every builder gives.
///
/// # Source
///
/// Packer's `build` object and its function `build`.
#[must_use]
pub fn common_names() -> [&'static str; 13] {
    [
        "ID",
        "Host",
        "Port",
        "User",
        "Password",
        "ConnType",
        "PackerRunUUID",
        "PackerHTTPPort",
        "PackerHTTPIP",
        "PackerHTTPAddr",
        "SSHPublicKey",
        "SSHPrivateKey",
        "WinRMPassword",
    ]
}

/// The text that stands for a fact of the build while a JSON template is only checked. Plugins
/// recognise it word by word.
#[must_use]
pub fn placeholder(name: &str) -> String {
    if name == "WinRMPassword" {
        return "{{.WinRMPassword}}".to_owned();
    }
    format!("Build_{name}. {NOT_YET}")
}

impl Configs {
    /// What a component of an HCL2 template is given. `overrides` is the block `override` of a
    /// provisioner for this build. What is not known yet becomes a value of its type.
    #[must_use]
    pub fn hcl(
        kind: Kind,
        core: &CoreVariables,
        options: &Typed,
        overrides: Option<&Value>,
    ) -> Self {
        let options = Element::Typed(Typed {
            ty: options.ty.clone(),
            value: fill_unknown(&options.value, &options.ty),
        });
        let variables = Element::Native(core.for_hcl(kind));
        Self(match kind {
            Kind::Datasource => vec![options],
            Kind::Builder | Kind::PostProcessor => vec![variables, options],
            Kind::Provisioner => {
                let overrides = overrides.cloned().unwrap_or_default();
                vec![variables, options, Element::Native(overrides)]
            }
        })
    }

    /// What a component of a JSON template is given: `options` with their template calls as they
    /// stand there, and the names of `generated` facts beside [`common_names`].
    #[must_use]
    pub fn json(
        kind: Kind,
        core: &CoreVariables,
        options: &Value,
        overrides: Option<&Value>,
        generated: &[String],
    ) -> Self {
        let mut list = vec![Element::Native(options.clone())];
        if kind == Kind::Provisioner {
            list.extend(overrides.cloned().map(Element::Native));
        }
        list.push(Element::Native(core.for_json()));
        if matches!(kind, Kind::Provisioner | Kind::PostProcessor) {
            let names = common_names().into_iter();
            let names = names.chain(generated.iter().map(String::as_str));
            let facts = names.map(|name| (name, placeholder(name))).collect();
            list.push(Element::Native(facts));
        }
        Self(list)
    }

    /// Merges the list: later parts win, and null never does.
    #[must_use]
    pub fn merge(&self) -> Received {
        let mut received = Received {
            options: Value::empty_map(),
            core: CoreVariables::default(),
            facts_to_come: Vec::new(),
            typed: false,
        };
        let last = self.0.len().saturating_sub(1);
        for (index, element) in self.0.iter().enumerate() {
            let value = match element {
                Element::Typed(typed) => {
                    received.typed = true;
                    &typed.value
                }
                Element::Native(value) if index == last && are_placeholders(value) => {
                    if let ValueKind::Map(entries) = &value.kind {
                        received.facts_to_come = entries.keys().cloned().collect();
                        received.facts_to_come.sort_unstable();
                    }
                    continue;
                }
                Element::Native(value) => value,
            };
            if let ValueKind::Map(entries) = &value.kind {
                for (name, value) in entries.iter().filter(|(_, value)| !value.is_null()) {
                    if !received.core.take(name, value) {
                        received.options.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        received
    }
}

fn are_placeholders(value: &Value) -> bool {
    value
        .get(MARK)
        .and_then(Value::as_str)
        .is_some_and(|text| text.contains("Build_PackerRunUUID."))
}

impl Element {
    /// Writes the part as one msgpack value. Bytes are for typed options only: plugins tell the two
    /// apart by that.
    ///
    /// # Errors
    ///
    /// As [`Typed::to_json`].
    pub fn to_msgpack(&self) -> Result<Vec<u8>, ValueError> {
        match self {
            Self::Native(value) => Ok(native_to_msgpack(value)),
            Self::Typed(typed) => {
                let json = typed.to_json()?;
                let mut out = Vec::with_capacity(json.len() + 5);
                write_bytes(&mut out, json.as_bytes());
                Ok(out)
            }
        }
    }

    /// Reads a part from one msgpack value.
    ///
    /// # Errors
    ///
    /// [`ValueError`], when the value is broken, or bytes are no typed options.
    pub fn from_msgpack(bytes: &[u8]) -> Result<Self, ValueError> {
        let mut rest = bytes;
        if decode::read_bin_len(&mut rest).is_ok() {
            return Typed::from_json(rest).map(Self::Typed);
        }
        native_from_msgpack(bytes).map(Self::Native)
    }
}

impl CoreVariables {
    fn common(&self) -> Value {
        [
            ("packer_build_name", &self.build_name),
            ("packer_builder_type", &self.builder_type),
            ("packer_core_version", &self.core_version),
            ("packer_on_error", &self.on_error),
        ]
        .into_iter()
        .map(|(name, text)| (name, text.as_str()))
        .collect()
    }

    fn for_hcl(&self, kind: Kind) -> Value {
        let mut variables = self.common();
        variables.insert("packer_debug", self.debug.to_string());
        variables.insert("packer_force", self.force.to_string());
        if matches!(kind, Kind::Provisioner | Kind::PostProcessor) {
            variables.insert("packer_sensitive_variables", self.sensitive());
        }
        variables
    }

    fn for_json(&self) -> Value {
        let mut variables = self.common();
        variables.insert("packer_debug", self.debug);
        variables.insert("packer_force", self.force);
        variables.insert("packer_template_path", self.template_path.as_str());
        let user: Value = self.user_variables.clone().into_iter().collect();
        variables.insert("packer_user_variables", user);
        variables.insert("packer_sensitive_variables", self.sensitive());
        variables
    }

    fn sensitive(&self) -> Value {
        let names = self.sensitive_variables.iter();
        Value::from(
            names
                .map(|name| Value::from(name.as_str()))
                .collect::<Vec<_>>(),
        )
    }

    /// Takes one of the host's own options; false when it is none.
    fn take(&mut self, name: &str, value: &Value) -> bool {
        let Some(name) = name.strip_prefix(HOST_PREFIX) else {
            return false;
        };
        let text = match &value.kind {
            ValueKind::String(text) | ValueKind::Number(text) => text.clone(),
            ValueKind::Bool(value) => value.to_string(),
            _ => String::new(),
        };
        match name {
            "build_name" => self.build_name = text,
            "builder_type" => self.builder_type = text,
            "core_version" => self.core_version = text,
            "debug" => self.debug = is_true(&text),
            "force" => self.force = is_true(&text),
            "on_error" => self.on_error = text,
            "template_path" => self.template_path = text,
            "user_variables" => self.take_variables(value),
            "sensitive_variables" => {
                if let ValueKind::List(names) = &value.kind {
                    let names = names.iter().filter_map(Value::as_str);
                    self.sensitive_variables = names.map(str::to_owned).collect();
                }
            }
            // A later host may say more; plugins do not refuse what begins so.
            _ => {}
        }
        true
    }

    fn take_variables(&mut self, value: &Value) {
        if let ValueKind::Map(entries) = &value.kind {
            self.user_variables = entries
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect();
        }
    }
}

/// Whether a text means true; Go's rules.
fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True")
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    encode::write_bin(out, bytes).expect("memory takes every write");
}
