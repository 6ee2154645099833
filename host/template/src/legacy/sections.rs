//! Builders, provisioners and post-processors as the document has them.

use std::sync::Arc;
use std::time::Duration;

use host_diag::{Diagnostics, Span};
use host_syntax::json::{Kind, Member, Value};
use indexmap::IndexMap;

use crate::legacy::parse::{kind_name, shape_error, text_list};

/// The sections of a document.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    pub(crate) builders: Vec<BuilderEntry>,
    pub(crate) provisioners: Vec<ProvisionerEntry>,
    pub(crate) error_cleanup: Option<ProvisionerEntry>,
    pub(crate) post_processors: Vec<Vec<PostProcessorEntry>>,
}

/// Options of a component, without those that are not its own.
pub(crate) type Options = Arc<Vec<Member>>;

/// An item of `builders`.
#[derive(Debug)]
pub(crate) struct BuilderEntry {
    pub(crate) type_name: String,
    /// As written; may hold template calls.
    pub(crate) name: String,
    pub(crate) options: Options,
    pub(crate) span: Span,
}

/// An item of `provisioners`.
#[derive(Debug)]
pub(crate) struct ProvisionerEntry {
    pub(crate) type_name: String,
    pub(crate) filter: OnlyExcept,
    /// Options by the name of the builder they are for.
    pub(crate) overrides: IndexMap<String, Options>,
    pub(crate) pause_before: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    /// As written; may hold template calls.
    pub(crate) max_retries: Option<(String, Span)>,
    pub(crate) options: Options,
    pub(crate) span: Span,
}

/// A member of a chain of `post-processors`.
#[derive(Debug)]
pub(crate) struct PostProcessorEntry {
    pub(crate) type_name: String,
    /// The type unless it says otherwise.
    pub(crate) name: String,
    pub(crate) filter: OnlyExcept,
    pub(crate) keep_input_artifact: Option<bool>,
    pub(crate) options: Options,
    pub(crate) span: Span,
}

/// Which builders an entry is for, by plain name.
#[derive(Debug, Default)]
pub(crate) struct OnlyExcept {
    pub(crate) only: Vec<String>,
    pub(crate) except: Vec<String>,
    pub(crate) span: Option<Span>,
}

impl OnlyExcept {
    /// Whether the entry is not for the builder called `name`.
    pub(crate) fn skips(&self, name: &str) -> bool {
        if self.only.is_empty() {
            return self.except.iter().any(|except| except == name);
        }
        !self.only.iter().any(|only| only == name)
    }
}

/// Reads the sections, each given with its key.
pub(crate) fn read_sections(
    sections: &[(&'static str, &Value)],
    problems: &mut Diagnostics,
) -> Sections {
    let mut read = Sections::default();
    for (key, value) in sections {
        match *key {
            "builders" => {
                for (index, item) in items(value, key, problems).iter().enumerate() {
                    let builder = read_builder(index + 1, item, &read.builders, problems);
                    read.builders.extend(builder);
                }
            }
            "provisioners" => {
                for (index, item) in items(value, key, problems).iter().enumerate() {
                    let what = format!("provisioner {}", index + 1);
                    read.provisioners
                        .extend(read_provisioner(&what, item, problems));
                }
            }
            "error-cleanup-provisioner" => {
                read.error_cleanup = read_provisioner(key, value, problems);
            }
            _ => {
                for (index, item) in items(value, key, problems).iter().enumerate() {
                    let chain = read_chain(index + 1, item, problems);
                    read.post_processors
                        .extend((!chain.is_empty()).then_some(chain));
                }
            }
        }
    }
    read
}

fn items<'a>(value: &'a Value, key: &str, problems: &mut Diagnostics) -> &'a [Value] {
    match &value.kind {
        Kind::Array(items) => items,
        Kind::Null => &[],
        other => {
            let message = format!("'{key}' has to be a list, not {}", kind_name(other));
            problems.push(shape_error(message, value.span));
            &[]
        }
    }
}

/// The keys of an entry that are not options of the component, taken out of it.
struct Entry<'a> {
    what: &'a str,
    special: IndexMap<&'static str, &'a Value>,
    options: Vec<Member>,
    span: Span,
}

impl<'a> Entry<'a> {
    fn read(
        what: &'a str,
        value: &'a Value,
        special: &[&'static str],
        problems: &mut Diagnostics,
    ) -> Option<Self> {
        let Kind::Object(members) = &value.kind else {
            let message = format!(
                "{what}: an object is needed, not {}",
                kind_name(&value.kind)
            );
            problems.push(shape_error(message, value.span));
            return None;
        };
        let mut entry = Self {
            what,
            special: IndexMap::new(),
            options: Vec::new(),
            span: value.span,
        };
        for member in members {
            match special
                .iter()
                .find(|key| key.eq_ignore_ascii_case(&member.key))
            {
                Some(key) => {
                    entry.special.insert(key, &member.value);
                }
                None => entry.options.push(member.clone()),
            }
        }
        Some(entry)
    }

    fn text(&self, key: &'static str, problems: &mut Diagnostics) -> Option<String> {
        let value = self.special.get(key)?;
        match &value.kind {
            Kind::String(text) => Some(text.clone()),
            Kind::Null => None,
            other => {
                let message = format!(
                    "{}: '{key}' has to be a text, not {}",
                    self.what,
                    kind_name(other)
                );
                problems.push(shape_error(message, value.span));
                None
            }
        }
    }

    fn type_name(&self, problems: &mut Diagnostics) -> Option<String> {
        let before = problems.len();
        let name = self.text("type", problems).filter(|name| !name.is_empty());
        if name.is_none() && problems.len() == before {
            problems.push(shape_error(
                format!("{}: missing 'type'", self.what),
                self.span,
            ));
        }
        name
    }

    fn filter(&self, problems: &mut Diagnostics) -> OnlyExcept {
        let mut list = |key| {
            let value = self.special.get(key);
            value
                .map(|value| text_list(value, key, problems))
                .unwrap_or_default()
        };
        let (only, except) = (list("only"), list("except"));
        let span = self
            .special
            .get("only")
            .or(self.special.get("except"))
            .map(|value| value.span);
        OnlyExcept { only, except, span }
    }

    /// A duration as text, or as a number of nanoseconds.
    fn duration(&self, key: &'static str, problems: &mut Diagnostics) -> Option<Duration> {
        let value = self.special.get(key)?;
        let duration = match &value.kind {
            Kind::Null => return None,
            Kind::String(text) => crate::duration::parse(text),
            Kind::Number(text) => text.parse().ok().map(Duration::from_nanos),
            _ => None,
        };
        if duration.is_none() {
            let message = format!("{}: '{key}' has to be a duration such as `10s`", self.what);
            problems.push(shape_error(message, value.span));
        }
        duration.filter(|duration| !duration.is_zero())
    }
}

fn read_builder(
    number: usize,
    value: &Value,
    known: &[BuilderEntry],
    problems: &mut Diagnostics,
) -> Option<BuilderEntry> {
    let what = format!("builder {number}");
    let entry = Entry::read(&what, value, &["type", "name"], problems)?;
    let name = entry.text("name", problems).filter(|name| !name.is_empty());
    let type_name = entry.type_name(problems)?;
    let name = name.unwrap_or_else(|| type_name.clone());
    if let Some(first) = known.iter().find(|builder| builder.name == name) {
        let message = format!("{what}: builder with name '{name}' already exists");
        let problem = shape_error(message, entry.span);
        problems.push(
            problem
                .related(first.span, "the first one is here")
                .hint(Some("Give each of them a \"name\" of its own.".to_owned())),
        );
        return None;
    }
    Some(BuilderEntry {
        type_name,
        name,
        span: entry.span,
        options: Arc::new(entry.options),
    })
}

fn read_provisioner(
    what: &str,
    value: &Value,
    problems: &mut Diagnostics,
) -> Option<ProvisionerEntry> {
    let special = [
        "type",
        "only",
        "except",
        "override",
        "pause_before",
        "timeout",
        "max_retries",
    ];
    let entry = Entry::read(what, value, &special, problems)?;
    let filter = entry.filter(problems);
    let pause_before = entry.duration("pause_before", problems);
    let timeout = entry.duration("timeout", problems);
    let overrides = read_overrides(&entry, problems);
    let max_retries = match entry.special.get("max_retries") {
        None => None,
        Some(value) => match &value.kind {
            Kind::Null => None,
            Kind::String(text) | Kind::Number(text) => Some((text.clone(), value.span)),
            other => {
                let found = kind_name(other);
                let message = format!("{what}: 'max_retries' has to be a number, not {found}");
                problems.push(shape_error(message, value.span));
                None
            }
        },
    };
    Some(ProvisionerEntry {
        type_name: entry.type_name(problems)?,
        filter,
        overrides,
        pause_before,
        timeout,
        max_retries,
        span: entry.span,
        options: Arc::new(entry.options),
    })
}

fn read_overrides(entry: &Entry<'_>, problems: &mut Diagnostics) -> IndexMap<String, Options> {
    let Some(value) = entry.special.get("override") else {
        return IndexMap::new();
    };
    let members = match &value.kind {
        Kind::Object(members) => members.as_slice(),
        Kind::Null => &[],
        other => {
            let found = kind_name(other);
            let message = format!(
                "{}: 'override' has to be an object, not {found}",
                entry.what
            );
            problems.push(shape_error(message, value.span));
            &[]
        }
    };
    let mut overrides = IndexMap::new();
    for member in members {
        match &member.value.kind {
            Kind::Object(options) => {
                overrides.insert(member.key.clone(), Arc::new(options.clone()));
            }
            other => {
                let message = format!(
                    "{}: the override for '{}' has to be an object, not {}",
                    entry.what,
                    member.key,
                    kind_name(other)
                );
                problems.push(shape_error(message, member.value.span));
            }
        }
    }
    overrides
}

/// One top-level entry: a text, an object, or a list of them.
fn read_chain(number: usize, value: &Value, problems: &mut Diagnostics) -> Vec<PostProcessorEntry> {
    let members = match &value.kind {
        Kind::Array(members) => members.as_slice(),
        _ => std::slice::from_ref(value),
    };
    let mut chain = Vec::new();
    for (index, member) in members.iter().enumerate() {
        let what = format!("post-processor {number}.{}", index + 1);
        chain.extend(read_post_processor(&what, member, problems));
    }
    chain
}

fn read_post_processor(
    what: &str,
    value: &Value,
    problems: &mut Diagnostics,
) -> Option<PostProcessorEntry> {
    if let Kind::String(type_name) = &value.kind {
        return Some(PostProcessorEntry {
            type_name: type_name.clone(),
            name: type_name.clone(),
            filter: OnlyExcept::default(),
            keep_input_artifact: None,
            options: Options::default(),
            span: value.span,
        });
    }
    let special = ["type", "name", "only", "except", "keep_input_artifact"];
    let entry = Entry::read(what, value, &special, problems)?;
    let filter = entry.filter(problems);
    let keep_input_artifact = match entry.special.get("keep_input_artifact") {
        None => None,
        Some(value) => match &value.kind {
            Kind::Bool(keep) => Some(*keep),
            Kind::Null => None,
            other => {
                let found = kind_name(other);
                let message =
                    format!("{what}: 'keep_input_artifact' has to be a bool, not {found}");
                problems.push(shape_error(message, value.span));
                None
            }
        },
    };
    let name = entry.text("name", problems).filter(|name| !name.is_empty());
    let before = problems.len();
    let type_name = entry.text("type", problems).filter(|name| !name.is_empty());
    if type_name.is_none() && problems.len() == before {
        problems.push(shape_error(format!("{what}: type is required"), entry.span));
    }
    let type_name = type_name?;
    Some(PostProcessorEntry {
        name: name.unwrap_or_else(|| type_name.clone()),
        type_name,
        filter,
        keep_input_artifact,
        span: entry.span,
        options: Arc::new(entry.options),
    })
}
