//! Go template calls inside values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bigdecimal::ToPrimitive;
use host_eval::{Value, ValueKind};
use sdk_go_template::{BuildValues, Context, CustomFunctions, Data, TemplateError, render};

use crate::model::{Generated, PathStep};

/// The names of `build.*` that every builder fills in.
pub(crate) const GENERATED_NAMES: [&str; 13] = [
    "ConnType",
    "Host",
    "ID",
    "PackerHTTPAddr",
    "PackerHTTPIP",
    "PackerHTTPPort",
    "PackerRunUUID",
    "Password",
    "Port",
    "SSHPrivateKey",
    "SSHPublicKey",
    "User",
    "WinRMPassword",
];

/// The user variables of a legacy template, rendered.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserVariables {
    /// By name.
    pub(crate) values: BTreeMap<String, String>,
    /// Names whose values must stay out of outputs.
    pub(crate) sensitive: BTreeSet<String>,
}

/// Renders the text in values, keeping marks. What a secret went into is marked too.
#[derive(Debug)]
pub(crate) struct Renderer {
    context: Context,
    user: Option<Arc<UserVariables>>,
    /// Keys of `{{build}}` whose values are secret.
    secret_builds: Arc<BTreeSet<String>>,
}

/// A call that failed, and in which part of the value.
#[derive(Debug)]
pub(crate) struct RenderFailure {
    pub(crate) path: Vec<PathStep>,
    pub(crate) error: TemplateError,
}

/// Answers `{{user}}` and notices when a secret is asked for. Made anew for each text, so that
/// texts rendered at the same time do not mark each other.
#[derive(Debug)]
struct Watch {
    user: Option<Arc<UserVariables>>,
    secret_builds: Arc<BTreeSet<String>>,
    used_secret: AtomicBool,
}

impl CustomFunctions for Watch {
    fn call(&self, name: &str, args: &[Data]) -> Option<Result<Data, String>> {
        match (name, args, &self.user) {
            ("build", [Data::String(key)], _) => {
                if self.secret_builds.contains(key) {
                    self.used_secret.store(true, Ordering::Relaxed);
                }
                None
            }
            ("user", [Data::String(wanted)], Some(user)) => {
                if user.sensitive.contains(wanted) {
                    self.used_secret.store(true, Ordering::Relaxed);
                }
                let text = user.values.get(wanted).cloned().unwrap_or_default();
                Some(Ok(Data::String(text)))
            }
            _ => None,
        }
    }
}

impl Renderer {
    /// For HCL2, where `{{user}}` does not exist.
    pub(crate) fn hcl(context: Context, generated: &Generated) -> Self {
        let secret_builds = Arc::new(secret_names(generated));
        Self {
            context: Context {
                hcl: true,
                ..context
            },
            user: None,
            secret_builds,
        }
    }

    /// For legacy templates.
    pub(crate) fn legacy(
        context: Context,
        user: Arc<UserVariables>,
        generated: &Generated,
    ) -> Self {
        let secret_builds = Arc::new(secret_names(generated));
        Self {
            context: Context {
                hcl: false,
                ..context
            },
            user: Some(user),
            secret_builds,
        }
    }

    /// `value` with every text in it rendered.
    pub(crate) fn value(&self, value: Value) -> Result<Value, RenderFailure> {
        let Value {
            ty,
            kind,
            sensitive,
        } = value;
        let keep = |kind, sensitive| {
            Ok(Value {
                ty: ty.clone(),
                kind,
                sensitive,
            })
        };
        match kind {
            ValueKind::String(text) if text.contains("{{") => {
                let (text, secret) = self.text(&text).map_err(|error| RenderFailure {
                    path: Vec::new(),
                    error,
                })?;
                keep(ValueKind::String(text), sensitive || secret)
            }
            ValueKind::Sequence(items) => {
                let mut rendered = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    let item = self
                        .value(item)
                        .map_err(|e| e.under(PathStep::Index(index)))?;
                    rendered.push(item);
                }
                keep(ValueKind::Sequence(rendered), sensitive)
            }
            ValueKind::Mapping(entries) => {
                let mut rendered = BTreeMap::new();
                for (key, entry) in entries {
                    let entry = self
                        .value(entry)
                        .map_err(|e| e.under(PathStep::Key(key.clone())))?;
                    rendered.insert(key, entry);
                }
                keep(ValueKind::Mapping(rendered), sensitive)
            }
            kind => keep(kind, sensitive),
        }
    }

    /// `text` rendered, and whether a secret went into it.
    pub(crate) fn text(&self, text: &str) -> Result<(String, bool), TemplateError> {
        let data = Data::Map(BTreeMap::new());
        if self.user.is_none() && self.secret_builds.is_empty() {
            return Ok((render(text, &data, &self.context)?, false));
        }
        let watch = Arc::new(Watch {
            user: self.user.clone(),
            secret_builds: Arc::clone(&self.secret_builds),
            used_secret: AtomicBool::new(false),
        });
        let custom: Arc<dyn CustomFunctions> = Arc::<Watch>::clone(&watch);
        let context = Context {
            custom: Some(custom),
            ..self.context.clone()
        };
        let rendered = render(text, &data, &context)?;
        Ok((rendered, watch.used_secret.load(Ordering::Relaxed)))
    }
}

/// The names of generated values that are secret.
fn secret_names(generated: &Generated) -> BTreeSet<String> {
    match generated {
        Generated::Names(_) => BTreeSet::new(),
        Generated::Values(values) => {
            let secret = values
                .iter()
                .filter(|(_, value)| value.contains_sensitive());
            secret.map(|(name, _)| name.clone()).collect()
        }
    }
}

impl RenderFailure {
    fn under(mut self, step: PathStep) -> Self {
        self.path.insert(0, step);
        self
    }
}

/// What `{{build "K"}}` sees.
pub(crate) fn build_values(generated: &Generated) -> BuildValues {
    match generated {
        Generated::Names(names) => BuildValues::Placeholders(names.iter().cloned().collect()),
        Generated::Values(values) => BuildValues::Values(
            values
                .iter()
                .map(|(name, value)| (name.clone(), data_of(value)))
                .collect(),
        ),
    }
}

fn data_of(value: &Value) -> Data {
    match &value.kind {
        ValueKind::Null => Data::Null,
        ValueKind::Unknown => Data::String(crate::values::UNKNOWN_TEXT.to_owned()),
        ValueKind::Bool(bool) => Data::Bool(*bool),
        ValueKind::Number(number) if number.is_integer() => number
            .to_i64()
            .map_or_else(|| Data::String(number.to_plain_string()), Data::Int),
        ValueKind::Number(number) => Data::Float(number.to_f64().unwrap_or(f64::NAN)),
        ValueKind::String(text) => Data::String(text.clone()),
        ValueKind::Sequence(items) => Data::List(items.iter().map(data_of).collect()),
        ValueKind::Mapping(entries) => Data::Map(
            entries
                .iter()
                .map(|(key, entry)| (key.clone(), data_of(entry)))
                .collect(),
        ),
    }
}
