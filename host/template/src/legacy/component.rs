//! Components of legacy templates: from a JSON object to a configuration.

use std::sync::Arc;

use host_diag::{Diagnostic, Diagnostics, Span};
use host_eval::{Type as ValueType, Value};
use host_syntax::json::{self, Kind, Member};
use sdk_go_template::{BuildValues, Context};

use crate::assemble::{Assembly, Draft, DraftBlock, DraftOption, MISFIT};
use crate::fit::Typing;
use crate::legacy::parse::kind_name;
use crate::legacy::sections::Options;
use crate::legacy::texts::Texts;
use crate::model::{Component, ComponentKind, Configured, Generated, PathStep};
use crate::render::{Renderer, UserVariables, build_values};
use crate::schema::Schema;

/// The configuration of a component, not yet rendered.
#[derive(Debug)]
pub(crate) struct LegacyComponent {
    /// As the entry has them.
    pub(crate) options: Options,
    /// Those that replace them for this build.
    pub(crate) overrides: Option<Options>,
    pub(crate) surroundings: Arc<Surroundings>,
}

/// What the components of one build can see.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) context: Context,
    pub(crate) user: Arc<UserVariables>,
    pub(crate) texts: Arc<Texts>,
}

impl LegacyComponent {
    /// Renders the options and compares them with `schema`.
    pub(crate) fn configure(
        &self,
        component: &Component,
        schema: &Schema,
        generated: &Generated,
    ) -> (Configured, Diagnostics) {
        let mut problems = Diagnostics::new();
        let mut draft = read_options(&self.options, schema, &mut problems);
        draft.place = component.span;
        if let Some(overrides) = &self.overrides {
            let more = read_options(overrides, schema, &mut problems);
            replace(&mut draft, more);
        }
        let mut problems: Diagnostics = problems
            .into_iter()
            .map(|problem| problem.context(&*component.header))
            .collect();
        let renderer = self.renderer(component.kind, generated);
        let assembly = Assembly::new(&renderer, Typing::Weak, &component.header);
        let (configured, found) = assembly.configure(draft, schema, component.span);
        problems.extend(found.into_iter().map(|problem| self.explained(problem)));
        (configured, problems)
    }

    /// The problem, with what to do when a text was written that YAML takes for something else.
    fn explained(&self, problem: Diagnostic) -> Diagnostic {
        if problem.summary != MISFIT {
            return problem;
        }
        let texts = &self.surroundings.texts;
        let hint = problem.subject.and_then(|span| texts.mapping_as_text(span));
        problem.hint(hint)
    }

    fn renderer(&self, kind: ComponentKind, generated: &Generated) -> Renderer {
        let build = match (kind, generated) {
            (ComponentKind::Builder | ComponentKind::DataSource, _) => BuildValues::Unavailable,
            (_, generated) => build_values(generated),
        };
        let context = Context {
            build,
            ..self.surroundings.context.clone()
        };
        let renderer = Renderer::legacy(context, Arc::clone(&self.surroundings.user), generated);
        renderer.with_texts(Arc::clone(&self.surroundings.texts))
    }
}

/// Options and blocks of an object; which is which is up to the schema.
fn read_options(members: &[Member], schema: &Schema, problems: &mut Diagnostics) -> Draft {
    let mut draft = Draft::default();
    for member in members {
        let block = schema
            .blocks
            .iter()
            .find(|block| block.name.eq_ignore_ascii_case(&member.key));
        match block {
            Some(block) => {
                let blocks = read_blocks(member, &block.name, &block.schema, problems);
                draft.blocks.extend(blocks);
            }
            None => draft.options.push(read_option(member)),
        }
    }
    draft
}

fn read_option(member: &Member) -> DraftOption {
    let mut spans = Vec::new();
    let value = to_value(&member.value, &mut Vec::new(), &mut spans);
    DraftOption {
        name: member.key.clone(),
        value,
        name_span: Some(member.key_span),
        spans,
        waits_for: Vec::new(),
        written: None,
    }
}

/// An object is one block, a list of objects several.
fn read_blocks(
    member: &Member,
    name: &str,
    schema: &Schema,
    problems: &mut Diagnostics,
) -> Vec<DraftBlock> {
    let items = match &member.value.kind {
        Kind::Array(items) => items.as_slice(),
        Kind::Null => &[],
        _ => std::slice::from_ref(&member.value),
    };
    let mut blocks = Vec::new();
    for item in items {
        let Kind::Object(members) = &item.kind else {
            problems.push(
                Diagnostic::error(MISFIT)
                    .detail(format!(
                        "`{name}` has to be an object or a list of objects, not {}.",
                        kind_name(&item.kind)
                    ))
                    .at(item.span)
                    .hint("Put it between `{` and `}`.".to_owned()),
            );
            continue;
        };
        let mut draft = read_options(members, schema, problems);
        draft.place = Some(item.span);
        blocks.push(DraftBlock {
            kind: name.to_owned(),
            span: Some(item.span),
            draft,
        });
    }
    blocks
}

/// Options and blocks of `more` take the place of those of the same name.
fn replace(draft: &mut Draft, more: Draft) {
    draft.options.retain(|known| {
        !more
            .options
            .iter()
            .any(|option| option.name.eq_ignore_ascii_case(&known.name))
    });
    draft
        .blocks
        .retain(|known| !more.blocks.iter().any(|block| block.kind == known.kind));
    draft.options.extend(more.options);
    draft.blocks.extend(more.blocks);
}

/// A JSON value in the terms of the template language, with the places of its parts.
fn to_value(
    value: &json::Value,
    path: &mut Vec<PathStep>,
    spans: &mut Vec<(Vec<PathStep>, Span)>,
) -> Value {
    spans.push((path.clone(), value.span));
    match &value.kind {
        Kind::Null => Value::null(ValueType::Dynamic),
        Kind::Bool(bool) => Value::bool(*bool),
        Kind::Number(text) => match text.parse::<bigdecimal::BigDecimal>() {
            Ok(number) => Value::number(number),
            Err(_) => Value::string(text.as_str()),
        },
        Kind::String(text) => Value::string(text.as_str()),
        Kind::Array(items) => {
            let mut values = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                path.push(PathStep::Index(index));
                values.push(to_value(item, path, spans));
                path.pop();
            }
            Value::tuple(values)
        }
        Kind::Object(members) => {
            let mut entries = std::collections::BTreeMap::new();
            for member in members {
                path.push(PathStep::Attribute(member.key.clone()));
                entries.insert(member.key.clone(), to_value(&member.value, path, spans));
                path.pop();
            }
            Value::object(entries)
        }
    }
}
