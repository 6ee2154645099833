//! Builders, provisioners and post-processors as the document has them.

use std::sync::Arc;
use std::time::Duration;

use host_diag::{Diagnostics, Span};
use host_syntax::json::{Kind, Member, Value};
use indexmap::IndexMap;

use crate::legacy::parse::{Name, kind_name, text_list};
use crate::legacy::problems::shape_error;

/// The sections of a document.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    /// Where `builders` is named.
    pub(crate) builders_key: Option<Span>,
    /// Whether some builders could not be read, so that their names are not known.
    pub(crate) has_unread_builders: bool,
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
    /// Where the name stands; the type when there is none.
    pub(crate) name_span: Span,
    pub(crate) options: Options,
    /// Where the type stands.
    pub(crate) span: Span,
}

/// An item of `provisioners`.
#[derive(Debug)]
pub(crate) struct ProvisionerEntry {
    /// What messages call it, by its place among all that the document has.
    pub(crate) what: String,
    pub(crate) type_name: String,
    pub(crate) filter: OnlyExcept,
    /// By the name of the builder they are for.
    pub(crate) overrides: IndexMap<String, Override>,
    pub(crate) pause_before: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    /// As written; may hold template calls.
    pub(crate) max_retries: Option<(String, Span)>,
    pub(crate) options: Options,
    /// Where the type stands.
    pub(crate) span: Span,
}

/// Options of a provisioner for one builder.
#[derive(Debug)]
pub(crate) struct Override {
    pub(crate) options: Options,
    /// Where the builder is named.
    pub(crate) span: Span,
}

/// A member of a chain of `post-processors`.
#[derive(Debug)]
pub(crate) struct PostProcessorEntry {
    /// What messages call it, by its place among all that the document has.
    pub(crate) what: String,
    pub(crate) type_name: String,
    /// The type unless it says otherwise.
    pub(crate) name: String,
    pub(crate) filter: OnlyExcept,
    pub(crate) keep_input_artifact: Option<bool>,
    pub(crate) options: Options,
    /// Where the type stands.
    pub(crate) span: Span,
}

/// Which builders an entry is for, by plain name.
#[derive(Debug, Default)]
pub(crate) struct OnlyExcept {
    pub(crate) only: Vec<Name>,
    pub(crate) except: Vec<Name>,
}

impl OnlyExcept {
    /// Whether the entry is not for the builder called `name`.
    pub(crate) fn skips(&self, name: &str) -> bool {
        if self.only.is_empty() {
            return self.except.iter().any(|except| except.text == name);
        }
        !self.only.iter().any(|only| only.text == name)
    }
}

/// Reads the sections, each given with its key.
pub(crate) fn read_sections(
    sections: &[(&'static str, &Member)],
    problems: &mut Diagnostics,
) -> Sections {
    let mut read = Sections::default();
    for (key, member) in sections {
        let value = &member.value;
        match *key {
            "builders" => {
                read.builders_key = Some(member.key_span);
                read.has_unread_builders = !matches!(value.kind, Kind::Array(_) | Kind::Null);
                for (index, item) in items(value, key, problems).iter().enumerate() {
                    match read_builder(index + 1, item, &read.builders, problems) {
                        Some(builder) => read.builders.push(builder),
                        None => read.has_unread_builders = true,
                    }
                }
            }
            "provisioners" => {
                for (index, item) in items(value, key, problems).iter().enumerate() {
                    let what = format!("provisioner {}", index + 1);
                    read.provisioners
                        .extend(read_provisioner(&what, item, problems));
                }
            }
            "error-cleanup-provisioner" if value.kind == Kind::Null => {}
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
        // An entry is known by its type; one without, or whose type is merged from elsewhere, by how
        // it begins.
        let start = value.span.start as usize;
        let first = Span::new(value.span.file, start, start + 1);
        let is_own = |span: &Span| value.span.start <= span.start && span.end <= value.span.end;
        let typed = members
            .iter()
            .find(|member| member.key.eq_ignore_ascii_case("type"))
            .map(|member| member.value.span);
        let begin = members.iter().map(|member| member.key_span).find(is_own);
        let mut entry = Self {
            what,
            special: IndexMap::new(),
            options: Vec::new(),
            span: typed.filter(is_own).or(begin).unwrap_or(first),
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
            Kind::String(text) | Kind::Number(text) => Some(text.clone()),
            Kind::Bool(value) => Some(u8::from(*value).to_string()),
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
            let problem = shape_error(format!("{}: missing 'type'", self.what), self.span);
            problems.push(problem.hint(match self.special.get("type") {
                Some(Value { kind: Kind::Null, .. }) => {
                    "Without quotes, null means nothing; write \"null\" for the builder of that name."
                        .to_owned()
                }
                _ => self.type_hint(),
            }));
        }
        name
    }

    /// How an entry says what it is. One that has no more than an object under some name is most
    /// likely written as blocks of HCL2 are.
    fn type_hint(&self) -> String {
        match self.options.as_slice() {
            [only] if matches!(only.value.kind, Kind::Object(_)) => format!(
                "Write \"type\": \"{}\", and its options beside it instead of in an object.",
                only.key
            ),
            _ => "Add a \"type\" such as \"shell\".".to_owned(),
        }
    }

    fn filter(&self, problems: &mut Diagnostics) -> OnlyExcept {
        let mut list = |key| {
            let value = self.special.get(key);
            value
                .map(|value| text_list(value, key, problems))
                .unwrap_or_default()
        };
        let (only, except) = (list("only"), list("except"));
        OnlyExcept { only, except }
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
            let problem = shape_error(message, value.span);
            problems.push(
                problem.hint(
                    "Write a number with a unit: `ns`, `us`, `ms`, `s`, `m` or `h`.".to_owned(),
                ),
            );
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
    let name_span = entry
        .special
        .get("name")
        .map_or(entry.span, |value| value.span);
    if let Some(first) = known.iter().find(|builder| builder.name == name) {
        let message = format!("{what}: builder with name '{name}' already exists");
        let problem = shape_error(message, name_span);
        problems.push(
            problem
                .related(first.name_span, "the first one is here")
                .hint(Some("Give each of them a \"name\" of its own.".to_owned())),
        );
        return None;
    }
    Some(BuilderEntry {
        type_name,
        name,
        name_span,
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
        what: what.to_owned(),
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

fn read_overrides(entry: &Entry<'_>, problems: &mut Diagnostics) -> IndexMap<String, Override> {
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
                let over = Override {
                    options: Arc::new(options.clone()),
                    span: member.key_span,
                };
                overrides.insert(member.key.clone(), over);
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
            what: what.to_owned(),
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
        let problem = shape_error(format!("{what}: type is required"), entry.span);
        problems.push(problem.hint("Add a \"type\" such as \"compress\".".to_owned()));
    }
    let type_name = type_name?;
    Some(PostProcessorEntry {
        what: what.to_owned(),
        name: name.unwrap_or_else(|| type_name.clone()),
        type_name,
        filter,
        keep_input_artifact,
        span: entry.span,
        options: Arc::new(entry.options),
    })
}
