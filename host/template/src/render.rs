//! Go template calls inside values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bigdecimal::ToPrimitive;
use host_diag::Span;
use host_eval::{Value, ValueKind};
use sdk_go_template::{BuildValues, Context, CustomFunctions, Data, TemplateError, render};

use crate::fit::Unknowns;
use crate::legacy::Texts;
use crate::model::{Generated, PathStep};
use crate::values::UNKNOWN_TEXT;

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
    /// Names without a value, because something is wrong with them; what uses them is not known.
    pub(crate) broken: BTreeSet<String>,
}

/// Renders the text in values, keeping marks. What a secret went into is marked too.
#[derive(Debug)]
pub(crate) struct Renderer {
    context: Context,
    user: Option<Arc<UserVariables>>,
    /// Keys of `{{build}}` whose values are secret.
    secret_builds: Arc<BTreeSet<String>>,
    unknowns: Unknowns,
    /// What a legacy template was read from.
    texts: Option<Arc<Texts>>,
}

/// A call that failed, and in which part of the value.
#[derive(Debug)]
pub(crate) struct RenderFailure {
    pub(crate) path: Vec<PathStep>,
    pub(crate) error: TemplateError,
    /// The text that the call is in.
    pub(crate) text: String,
}

/// A value with every text in it rendered.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) value: Value,
    /// The values of the machine that it waits for, as `build.NAME`; those texts are unknown.
    pub(crate) waits_for: Vec<String>,
}

impl From<Value> for Rendered {
    fn from(value: Value) -> Self {
        Self {
            value,
            waits_for: Vec::new(),
        }
    }
}

/// Answers `{{user}}` and notices when a secret, or a value of the machine, is asked for. Made anew
/// for each text, so that texts rendered at the same time do not mark each other.
#[derive(Debug)]
struct Watch {
    user: Option<Arc<UserVariables>>,
    secret_builds: Arc<BTreeSet<String>>,
    unknowns: Unknowns,
    used_secret: AtomicBool,
    waits_for: Mutex<Vec<String>>,
}

impl CustomFunctions for Watch {
    fn call(&self, name: &str, args: &[Data]) -> Option<Result<Data, String>> {
        match (name, args, &self.user) {
            ("build", [Data::String(key)], _) => {
                if self.secret_builds.contains(key) {
                    self.used_secret.store(true, Ordering::Relaxed);
                }
                if self.unknowns == Unknowns::Replace {
                    return None;
                }
                let mut waits_for = self
                    .waits_for
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                waits_for.push(format!("build.{key}"));
                Some(Ok(Data::String(UNKNOWN_TEXT.to_owned())))
            }
            ("user", [Data::String(wanted)], Some(user)) => {
                if user.sensitive.contains(wanted) {
                    self.used_secret.store(true, Ordering::Relaxed);
                }
                if user.broken.contains(wanted) {
                    let waits_for = self.waits_for.lock();
                    let mut waits_for = waits_for.unwrap_or_else(PoisonError::into_inner);
                    waits_for.push(format!("user.{wanted}"));
                    return Some(Ok(Data::String(UNKNOWN_TEXT.to_owned())));
                }
                let text = user.values.get(wanted).cloned().unwrap_or_default();
                Some(Ok(Data::String(text)))
            }
            _ => None,
        }
    }

    fn may_define(&self, _name: &str) -> bool {
        false
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
            unknowns: unknowns(generated),
            texts: None,
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
            unknowns: unknowns(generated),
            texts: None,
        }
    }

    /// The same, with the texts in which failures are to be found.
    pub(crate) fn with_texts(self, texts: Arc<Texts>) -> Self {
        Self {
            texts: Some(texts),
            ..self
        }
    }

    /// The place of a call that failed in a text that was read from `span`: the call itself in a
    /// legacy template, else the whole text.
    pub(crate) fn place(&self, span: Span, failure: &RenderFailure) -> Span {
        match &self.texts {
            Some(texts) => texts.action(span, &failure.text, failure.error.offset),
            None => span,
        }
    }

    /// What becomes of values that are not known yet.
    pub(crate) fn unknowns(&self) -> Unknowns {
        self.unknowns
    }

    /// `value` with every text in it rendered.
    pub(crate) fn value(&self, value: Value) -> Result<Rendered, RenderFailure> {
        let mut waits_for = Vec::new();
        let value = self.part(value, &mut waits_for)?;
        Ok(Rendered { value, waits_for })
    }

    fn part(&self, value: Value, waits_for: &mut Vec<String>) -> Result<Value, RenderFailure> {
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
                let text = self.text(&text).map_err(|error| RenderFailure {
                    path: Vec::new(),
                    error,
                    text,
                })?;
                let sensitive = sensitive || text.secret;
                if text.waits_for.is_empty() {
                    return keep(ValueKind::String(text.text), sensitive);
                }
                waits_for.extend(text.waits_for);
                keep(ValueKind::Unknown, sensitive)
            }
            ValueKind::Sequence(items) => {
                let mut rendered = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    let item = self
                        .part(item, waits_for)
                        .map_err(|e| e.under(PathStep::Index(index)))?;
                    rendered.push(item);
                }
                keep(ValueKind::Sequence(rendered), sensitive)
            }
            ValueKind::Mapping(entries) => {
                let mut rendered = BTreeMap::new();
                for (key, entry) in entries {
                    let entry = self
                        .part(entry, waits_for)
                        .map_err(|e| e.under(PathStep::Key(key.clone())))?;
                    rendered.insert(key, entry);
                }
                keep(ValueKind::Mapping(rendered), sensitive)
            }
            kind => keep(kind, sensitive),
        }
    }

    /// `text` rendered.
    pub(crate) fn text(&self, text: &str) -> Result<RenderedText, TemplateError> {
        let data = Data::Map(BTreeMap::new());
        let unwatched = self.unknowns == Unknowns::Replace && self.secret_builds.is_empty();
        if self.user.is_none() && unwatched {
            return Ok(RenderedText {
                text: render(text, &data, &self.context)?,
                ..RenderedText::default()
            });
        }
        let watch = Arc::new(Watch {
            user: self.user.clone(),
            secret_builds: Arc::clone(&self.secret_builds),
            unknowns: match self.context.build {
                BuildValues::Unavailable => Unknowns::Replace,
                _ => self.unknowns,
            },
            used_secret: AtomicBool::new(false),
            waits_for: Mutex::default(),
        });
        let custom: Arc<dyn CustomFunctions> = Arc::<Watch>::clone(&watch);
        let context = Context {
            custom: Some(custom),
            ..self.context.clone()
        };
        let text = render(text, &data, &context)?;
        let waits_for = watch.waits_for.lock();
        Ok(RenderedText {
            text,
            secret: watch.used_secret.load(Ordering::Relaxed),
            waits_for: waits_for.unwrap_or_else(PoisonError::into_inner).clone(),
        })
    }
}

/// A text with its calls replaced.
#[derive(Debug, Default)]
pub(crate) struct RenderedText {
    pub(crate) text: String,
    /// Whether a secret went into it.
    pub(crate) secret: bool,
    /// The values of the machine it asked for before they are known, as `build.NAME`.
    pub(crate) waits_for: Vec<String>,
}

fn unknowns(generated: &Generated) -> Unknowns {
    match generated {
        Generated::Later => Unknowns::Keep,
        Generated::Names(_) | Generated::Values(_) => Unknowns::Replace,
    }
}

/// The names of generated values that are secret.
fn secret_names(generated: &Generated) -> BTreeSet<String> {
    match generated {
        Generated::Names(_) | Generated::Later => BTreeSet::new(),
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
        Generated::Names(names) => BuildValues::Placeholders(with_common(names)),
        Generated::Later => BuildValues::Placeholders(with_common(&[])),
        Generated::Values(values) => BuildValues::Values(
            values
                .iter()
                .map(|(name, value)| (name.clone(), data_of(value)))
                .collect(),
        ),
    }
}

fn with_common(names: &[String]) -> BTreeSet<String> {
    let common = GENERATED_NAMES.iter().map(|name| (*name).to_owned());
    names.iter().cloned().chain(common).collect()
}

fn data_of(value: &Value) -> Data {
    match &value.kind {
        ValueKind::Null => Data::Null,
        ValueKind::Unknown => Data::String(UNKNOWN_TEXT.to_owned()),
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
