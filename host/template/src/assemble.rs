//! From what a template says about a component to its configuration.
//!
//! Both languages bring what they read as a [`Draft`]; here it meets the component's schema: Go
//! template calls are rendered, values converted, missing and unknown options reported.

use std::collections::{BTreeMap, HashMap};

use host_diag::{Diagnostic, Diagnostics, Span, nearest};
use host_eval::Value;

use crate::fit::{Fitting, Typing, Unknowns, fit, without_unknowns};
use crate::model::{Configured, PathStep, nearest_span};
use crate::remedies::without_question;
use crate::render::{Rendered, Renderer};
use crate::schema::{AttributeSchema, BlockSchema, Primitive, Schema, Type};
use crate::written::{Origin, Origins, Written};

/// What is said of a value that an option cannot have.
pub(crate) const MISFIT: &str = "Incorrect attribute value type";

/// What a body says, evaluated but not yet compared with a schema.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// Options; of several with one name the last counts.
    pub(crate) options: Vec<DraftOption>,
    /// Nested blocks in order.
    pub(crate) blocks: Vec<DraftBlock>,
    /// The place to blame for something missing.
    pub(crate) place: Option<Span>,
}

/// An option.
#[derive(Debug)]
pub(crate) struct DraftOption {
    pub(crate) name: String,
    pub(crate) value: Value,
    /// Where the name stands.
    pub(crate) name_span: Option<Span>,
    /// Where the value and its parts stand, by path below the option.
    pub(crate) spans: Vec<(Vec<PathStep>, Span)>,
    /// What it refers to that is not known yet.
    pub(crate) waits_for: Vec<String>,
    /// The expression, where there is one.
    pub(crate) written: Option<Written>,
}

/// A nested block.
#[derive(Debug)]
pub(crate) struct DraftBlock {
    pub(crate) kind: String,
    pub(crate) span: Option<Span>,
    pub(crate) draft: Draft,
}

/// How a language wants its configurations assembled.
#[derive(Debug)]
pub(crate) struct Assembly<'a> {
    renderer: &'a Renderer,
    typing: Typing,
    header: &'a str,
    spans: HashMap<Vec<PathStep>, Span>,
    waits_for: BTreeMap<Vec<PathStep>, Vec<String>>,
    origins: Origins,
    path: Vec<PathStep>,
    /// Whether the option at hand is one that only its component knows.
    foreign: bool,
    problems: Diagnostics,
}

impl<'a> Assembly<'a> {
    pub(crate) fn new(renderer: &'a Renderer, typing: Typing, header: &'a str) -> Self {
        let (spans, path, problems) = (HashMap::new(), Vec::new(), Diagnostics::new());
        Self {
            renderer,
            typing,
            header,
            spans,
            waits_for: BTreeMap::new(),
            origins: Origins::default(),
            foreign: false,
            path,
            problems,
        }
    }

    /// The configuration that `draft` amounts to, with everything wrong about it.
    pub(crate) fn configure(
        mut self,
        draft: Draft,
        schema: &Schema,
        header_span: Option<Span>,
    ) -> (Configured, Diagnostics) {
        let value = self.body(draft, schema);
        let header = self.header.to_owned();
        (
            Configured {
                value,
                spans: self.spans,
                header_span,
                header,
                waits_for: self.waits_for,
                origins: self.origins,
            },
            self.problems,
        )
    }

    fn body(&mut self, draft: Draft, schema: &Schema) -> Value {
        let place = draft.place;
        let mut entries = BTreeMap::new();
        let mut options: BTreeMap<String, DraftOption> = BTreeMap::new();
        for option in draft.options {
            options.insert(option.name.clone(), option);
        }
        for attribute in &schema.attributes {
            match take(&mut options, &attribute.name, self.typing) {
                Some(option) if !option.value.is_null() => {
                    if let Some(value) = self.option(option, attribute) {
                        entries.insert(attribute.name.clone(), value);
                    }
                }
                _ if attribute.required => self.missing_argument(&attribute.name, place),
                _ => {}
            }
        }
        let mut blocks: BTreeMap<String, Vec<DraftBlock>> = BTreeMap::new();
        for block in draft.blocks {
            blocks.entry(block.kind.clone()).or_default().push(block);
        }
        for block in &schema.blocks {
            let given = blocks.remove(&block.name).unwrap_or_default();
            if let Some(value) = self.blocks(given, block, place) {
                entries.insert(block.name.clone(), value);
            }
        }
        for (name, option) in options {
            if !schema.open {
                self.unknown_option(&option, schema);
            } else if !option.value.is_null() {
                self.foreign = true;
                let value = self.option(option, &any_option(&name));
                self.foreign = false;
                entries.extend(value.map(|value| (name, value)));
            }
        }
        for (name, given) in blocks {
            let rule = BlockSchema {
                schema: open_schema(),
                ..repeated_block(&name)
            };
            if let Some(value) = self.blocks(given, &rule, place).filter(|_| schema.open) {
                entries.insert(name, value);
            }
        }
        Value::object(entries)
    }

    fn option(&mut self, option: DraftOption, attribute: &AttributeSchema) -> Option<Value> {
        let DraftOption {
            name: _,
            value,
            name_span,
            spans,
            waits_for,
            written,
        } = option;
        self.path.push(PathStep::Attribute(attribute.name.clone()));
        for (below, span) in spans {
            let mut path = self.path.clone();
            path.extend(below);
            self.spans.insert(path, span);
        }
        self.note_waits(waits_for);
        let value = self.fitted(value, attribute, written);
        if let Some(reason) = Some(&attribute.deprecated).filter(|reason| !reason.is_empty()) {
            let warning = Diagnostic::warning("Deprecated option").detail(format!(
                "The option `{}` is deprecated: {reason}.",
                attribute.name
            ));
            self.report(warning, name_span);
        }
        self.path.pop();
        value
    }

    /// Rendered, converted and marked; `None` (reported) when that is not possible.
    fn fitted(
        &mut self,
        value: Value,
        attribute: &AttributeSchema,
        written: Option<Written>,
    ) -> Option<Value> {
        let mut origin = Origin::new(written, attribute.sensitive);
        let call = value.as_str().filter(|text| text.contains("{{"));
        let call = call.map(str::to_owned);
        let rendered = if attribute.late {
            Ok(Rendered::from(value))
        } else if self.foreign {
            // The component may have functions of its own, such as `clean_resource_name`, and
            // renders what is left.
            match self.renderer.value(value.clone()) {
                Err(failure) if !parses(&value) => Err(failure),
                Ok(rendered) if !lacks_data(&rendered.value) => Ok(rendered),
                Err(_) | Ok(_) => Ok(Rendered::from(value)),
            }
        } else {
            self.renderer.value(value)
        };
        let rendered = match rendered {
            Ok(rendered) => {
                self.note_waits(rendered.waits_for);
                rendered.value
            }
            Err(failure) => {
                let span = self.span_of(&failure.path);
                let span = span.map(|span| self.renderer.place(span, &failure));
                let (message, question) = without_question(&failure.error.message);
                let problem = Diagnostic::error("Failed to render template call")
                    .detail(format!(
                        "Option `{}`: {}.",
                        attribute.name,
                        message.trim_end_matches('.')
                    ))
                    .hint(question);
                self.report(problem, span);
                return None;
            }
        };
        if let Some(text) = call {
            origin.rendered(&text, &rendered);
        }
        let any = matches!(attribute.ty, Type::Primitive(Primitive::Any));
        let braces = rendered.as_mapping().is_some() && matches!(attribute.ty, Type::List(_));
        let fitted = if any {
            Ok(match self.renderer.unknowns() {
                Unknowns::Keep => rendered,
                Unknowns::Replace => without_unknowns(rendered),
            })
        } else {
            let fitting = Fitting {
                typing: self.typing,
                unknowns: self.renderer.unknowns(),
            };
            fit(rendered, &attribute.ty, fitting)
        };
        match fitted {
            Ok(value) => {
                self.origins.insert(&self.path, origin);
                Some(value.marked_like(attribute.sensitive))
            }
            Err(misfit) => {
                let span = self.span_of(&misfit.path);
                let problem = Diagnostic::error(MISFIT).detail(format!(
                    "Inappropriate value for attribute \"{}\"{}: {}.",
                    attribute.name,
                    path_text(&misfit.path),
                    misfit.message
                ));
                let problem = problem.hint((braces && misfit.path.is_empty()).then(|| {
                    "Write a list, in brackets instead of braces: `[\"…\", \"…\"]`.".to_owned()
                }));
                self.report(problem.values(&origin.values(span)), span);
                None
            }
        }
    }

    /// Remembers what the option at the current path waits for.
    fn note_waits(&mut self, waits_for: Vec<String>) {
        if !waits_for.is_empty() {
            let known = self.waits_for.entry(self.path.clone()).or_default();
            known.extend(waits_for);
        }
    }

    fn blocks(
        &mut self,
        given: Vec<DraftBlock>,
        rule: &BlockSchema,
        place: Option<Span>,
    ) -> Option<Value> {
        if given.is_empty() {
            if rule.required {
                let problem = Diagnostic::error(format!("Missing {} block", rule.name))
                    .detail(format!("A {} block is required.", rule.name));
                self.report(problem, place);
            }
            return None;
        }
        if !rule.repeated
            && let Some(second) = given.get(1)
        {
            let span = second.span;
            let problem = Diagnostic::error(format!("Duplicate {} block", rule.name)).detail(
                format!("Only one block of type \"{}\" is allowed.", rule.name),
            );
            let problem = match given[0].span {
                Some(first) => problem.related(first, "the first one is here"),
                None => problem,
            };
            self.report(problem, span);
        }
        self.path.push(PathStep::Attribute(rule.name.clone()));
        let mut values = Vec::with_capacity(given.len());
        for (index, block) in given.into_iter().enumerate() {
            if rule.repeated {
                self.path.push(PathStep::Index(index));
            }
            if let Some(span) = block.span {
                self.spans.entry(self.path.clone()).or_insert(span);
            }
            let value = self.body(block.draft, &rule.schema);
            if rule.repeated {
                self.path.pop();
            }
            values.push(value);
        }
        self.path.pop();
        if rule.repeated {
            Some(Value::tuple(values))
        } else {
            values.into_iter().next()
        }
    }

    fn missing_argument(&mut self, name: &str, place: Option<Span>) {
        let problem = Diagnostic::error("Missing required argument").detail(format!(
            "The argument \"{name}\" is required, but no definition was found."
        ));
        self.report(problem, place);
    }

    fn unknown_option(&mut self, option: &DraftOption, schema: &Schema) {
        let names = schema
            .attributes
            .iter()
            .map(|attribute| attribute.name.as_str());
        let names = names.chain(schema.blocks.iter().map(|block| block.name.as_str()));
        let near = nearest(&option.name, names);
        let problem = match self.typing {
            Typing::Weak => match crate::legacy::advice(&option.name) {
                Some(advice) => Diagnostic::error(format!(
                    "Deprecated configuration key: '{}'. Please call `packer fix` against your \
                     template",
                    option.name
                ))
                .hint(advice),
                None => {
                    Diagnostic::error(format!("unknown configuration key: '\"{}\"'", option.name))
                        .hint(near.map(|name| format!("Did you mean \"{name}\"?")))
                }
            },
            Typing::Strict => {
                let question = near.map(|name| format!(" Did you mean \"{name}\"?"));
                Diagnostic::error("Unsupported argument").detail(format!(
                    "An argument named \"{}\" is not expected here.{}",
                    option.name,
                    question.unwrap_or_default()
                ))
            }
        };
        self.report(problem, option.name_span);
    }

    /// The place of the part `below` the current path, or of the nearest thing around it.
    fn span_of(&self, below: &[PathStep]) -> Option<Span> {
        let mut path = self.path.clone();
        path.extend(below.iter().cloned());
        nearest_span(&self.spans, &path)
    }

    fn report(&mut self, problem: Diagnostic, span: Option<Span>) {
        let problem = problem.context(self.header);
        self.problems.push(match span {
            Some(span) => problem.at(span),
            None => problem,
        });
    }
}

/// Whether a template in a value asked for data that only the component has.
fn lacks_data(value: &Value) -> bool {
    let parts = value.as_sequence().into_iter().flatten();
    let entries = value.as_mapping().into_iter().flatten();
    let own = value
        .as_str()
        .is_some_and(|text| text.contains("<no value>"));
    own || parts.chain(entries.map(|(_, entry)| entry)).any(lacks_data)
}

/// Whether every text in a value is a template, whatever its calls do.
fn parses(value: &Value) -> bool {
    let parts = value.as_sequence().into_iter().flatten();
    let entries = value.as_mapping().into_iter().flatten();
    let own = value
        .as_str()
        .is_none_or(|text| sdk_go_template::check_syntax(text).is_ok());
    own && parts.chain(entries.map(|(_, entry)| entry)).all(parses)
}

/// The option called `name`; in legacy templates case does not matter.
fn take(
    options: &mut BTreeMap<String, DraftOption>,
    name: &str,
    typing: Typing,
) -> Option<DraftOption> {
    if let Some(option) = options.remove(name) {
        return Some(option);
    }
    if typing == Typing::Strict {
        return None;
    }
    let key = options
        .keys()
        .find(|key| key.eq_ignore_ascii_case(name))?
        .clone();
    options.remove(&key)
}

fn path_text(path: &[PathStep]) -> String {
    path.iter()
        .map(|step| match step {
            PathStep::Attribute(name) => format!(", attribute \"{name}\""),
            PathStep::Index(index) => format!(", element {index}"),
            PathStep::Key(key) => format!(", element \"{key}\""),
        })
        .collect()
}

fn any_option(name: &str) -> AttributeSchema {
    AttributeSchema {
        name: name.to_owned(),
        ty: Type::Primitive(Primitive::Any),
        required: false,
        sensitive: false,
        late: false,
        doc: String::new(),
        default_text: String::new(),
        deprecated: String::new(),
        choices: Vec::new(),
    }
}

fn open_schema() -> Schema {
    Schema {
        open: true,
        ..Schema::default()
    }
}

fn repeated_block(name: &str) -> BlockSchema {
    BlockSchema {
        name: name.to_owned(),
        schema: Schema::default(),
        repeated: true,
        required: false,
        doc: String::new(),
    }
}
