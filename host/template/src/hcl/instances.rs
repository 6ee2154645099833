//! `for_each` and `count`: one block that stands for several.
//!
//! The arguments are read here from `source` (also in builds), `build`, `provisioner` and
//! `post-processor` blocks, and each instance becomes a block of its own in whose body `each.key`
//! and `each.value`, or `count.index`, are bound. A component that has an option of that name keeps it: a template that
//! was written for it does not change its meaning. What the arguments are made of is known before
//! any build is: variables, locals, data, modules, and in a build block `build.name`; those of a
//! provisioner or post-processor may also use `source.name` and `source.type`, and are then
//! evaluated for every source. Not here: what instances are called in builds (see `source` and
//! `plan`).

use std::collections::HashSet;
use std::sync::Arc;

use bigdecimal::BigDecimal;
use host_diag::{Diagnostic, Diagnostics, Span};
use host_eval::{Scope, Type, Value, evaluate, references, values_in};
use host_syntax::ast::Attribute;

use crate::hcl::bound::{BoundBlock, BoundBody};
use crate::hcl::provisioner::meta_schema;
use crate::hcl::scope::in_block;
use crate::model::{ComponentKind, Components};
use crate::values::UNKNOWN_TEXT;

/// The arguments that make instances.
pub(crate) const ARGUMENTS: [&str; 2] = ["for_each", "count"];
/// Most instances of one block.
const LIMIT: i64 = 10_000;
/// Most instances of all blocks of a template: a build block and the provisioners in it multiply.
const TOTAL_LIMIT: usize = 100_000;

/// What blocks are made of.
pub(crate) struct Reading<'a> {
    /// `None` when plugins have not been looked for.
    components: Option<&'a dyn Components>,
    /// Instances that may still be made; `None` when too many were asked for, and that was said.
    left: Option<usize>,
}

/// Key of an instance with what it binds.
struct Round {
    key: String,
    name: &'static str,
    bound: Value,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(components: Option<&'a dyn Components>) -> Self {
        Self {
            components,
            left: Some(TOTAL_LIMIT),
        }
    }

    /// The instances of `block`: itself when it asks for none. `kind` is that of its component,
    /// whose own options are left alone; a build block has none.
    pub(crate) fn instances(
        &mut self,
        block: BoundBlock,
        kind: Option<ComponentKind>,
        scope: &Scope,
        problems: &mut Diagnostics,
    ) -> Vec<BoundBlock> {
        let asked = self.arguments(&block, kind);
        if !asked.is_empty() && self.exhausted() {
            return Vec::new();
        }
        let mut found = Diagnostics::new();
        let scope = block.body.scope(scope);
        let rounds = match asked.as_slice() {
            [] => return vec![block],
            [first] => rounds(first, &scope, &mut found),
            [first, second, ..] => {
                found.push(
                    Diagnostic::error("Invalid combination of \"count\" and \"for_each\"")
                        .detail(
                            "A block takes one of them: `for_each` for keys, `count` for numbers.",
                        )
                        .at(second.span)
                        .related(first.span, "the other one is here"),
                );
                None
            }
        };
        let mut rounds = rounds.unwrap_or_default();
        let made_of = &asked[0].expr;
        check_keys(&mut rounds, kind, made_of.span, &mut found);
        let fits = self.spend(rounds.len(), made_of.span, &mut found);
        let about =
            |one: &&mut Diagnostic| one.subject == Some(made_of.span) && one.values.is_empty();
        for problem in found.iter_mut().filter(about) {
            problem.values = values_in(made_of, &scope);
        }
        problems.extend(in_block(found, &block.header_text()));
        let rounds = rounds.into_iter().filter(|_| fits);
        rounds.map(|round| instance(&block, round)).collect()
    }

    /// Whether more instances were asked for than there may be; that was said.
    pub(crate) fn exhausted(&self) -> bool {
        self.left.is_none()
    }

    /// The arguments of `block` that make instances.
    pub(crate) fn arguments(
        &self,
        block: &BoundBlock,
        kind: Option<ComponentKind>,
    ) -> Vec<Attribute> {
        let name = component_name(block, kind);
        let schema = kind.and_then(|kind| self.components?.schema(kind, name));
        let own = |name: &str| {
            schema.is_some_and(|schema| {
                schema.attributes.iter().any(|known| known.name == name)
                    || schema.blocks.iter().any(|known| known.name == name)
            })
        };
        let asked: Vec<&str> = ARGUMENTS.into_iter().filter(|name| !own(name)).collect();
        // Problems of the body are found again when the rest of it is read.
        let content = block
            .body
            .partial_content(&meta_schema(&asked), &mut Diagnostics::new());
        content.attributes
    }

    /// Whether which instances there are follows from the source that a build runs.
    pub(crate) fn follows_source(&self, block: &BoundBlock, kind: ComponentKind) -> bool {
        let bindings = block.body.bindings.as_deref();
        let bound = bindings.is_some_and(|bindings| bindings.names.contains_key("source"));
        !bound
            && self.arguments(block, Some(kind)).iter().any(|argument| {
                let used = references(&argument.expr);
                used.iter().any(|reference| reference.root == "source")
            })
    }

    /// Whether there may be `count` more instances.
    fn spend(&mut self, count: usize, place: Span, problems: &mut Diagnostics) -> bool {
        let Some(left) = self.left else {
            return false;
        };
        self.left = left.checked_sub(count);
        if self.left.is_none() {
            problems.push(
                Diagnostic::error("Too many instances")
                    .detail(format!(
                        "All blocks of a template make at most {TOTAL_LIMIT} instances; those of a \
                         build block count once for each block in it."
                    ))
                    .at(place),
            );
        }
        self.left.is_some()
    }
}

/// The type of a block's component: its first label, and of a source in a build the type in its
/// reference.
fn component_name(block: &BoundBlock, kind: Option<ComponentKind>) -> &str {
    let label = block.label(0);
    if kind != Some(ComponentKind::Builder) || block.labels.len() != 1 {
        return label;
    }
    let mut rest = label.strip_prefix("source.").unwrap_or(label);
    while let Some((_, inner)) = rest
        .strip_prefix("module.")
        .and_then(|inner| inner.split_once('.'))
    {
        rest = inner;
    }
    rest.split('.').next().unwrap_or_default()
}

fn rounds(attribute: &Attribute, scope: &Scope, problems: &mut Diagnostics) -> Option<Vec<Round>> {
    match attribute.name.name.as_str() {
        "count" => count_rounds(attribute, scope, problems),
        _ => each_rounds(attribute, scope, problems),
    }
}

fn instance(block: &BoundBlock, round: Round) -> BoundBlock {
    let bindings = block.body.bindings.as_deref();
    let mut bindings = bindings.cloned().unwrap_or_default();
    bindings.names.insert(round.name.to_owned(), round.bound);
    BoundBlock {
        kind: block.kind.clone(),
        labels: block.labels.clone(),
        body: BoundBody {
            body: Arc::clone(&block.body.body),
            bindings: Some(Arc::new(bindings)),
        },
        header: block.header,
        instance: Some(round.key),
    }
}

fn count_rounds(
    attribute: &Attribute,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> Option<Vec<Round>> {
    let value = known_value(attribute, scope, "count", problems)?;
    if value.is_unknown() {
        return Some(vec![unknown_round("count", [("index", Type::Number)])]);
    }
    let value = host_eval::convert(value, &Type::Number).ok();
    let count = value.as_ref().and_then(Value::as_i64);
    let Some(count) = count.filter(|count| (0..=LIMIT).contains(count)) else {
        problems.push(
            Diagnostic::error("Invalid count argument")
                .detail(format!("`count` is a whole number from 0 to {LIMIT}."))
                .at(attribute.expr.span),
        );
        return None;
    };
    let round = |index: i64| Round {
        key: index.to_string(),
        name: "count",
        bound: Value::object_of([("index", Value::number(BigDecimal::from(index)))]),
    };
    Some((0..count).map(round).collect())
}

fn each_rounds(
    attribute: &Attribute,
    scope: &Scope,
    problems: &mut Diagnostics,
) -> Option<Vec<Round>> {
    let value = known_value(attribute, scope, "for_each", problems)?;
    let items = value.as_sequence().unwrap_or_default();
    if value.is_unknown() || items.iter().any(Value::is_unknown) {
        let parts = [("key", Type::String), ("value", Type::Dynamic)];
        return Some(vec![unknown_round("each", parts)]);
    }
    let round = |key: &str, value: &Value| Round {
        key: key.to_owned(),
        name: "each",
        bound: Value::object_of([("key", Value::string(key)), ("value", value.clone())]),
    };
    let rounds: Option<Vec<Round>> = match (value.as_mapping(), value.as_sequence()) {
        (Some(entries), _) => Some(entries.iter().map(|(k, v)| round(k, v)).collect()),
        (_, Some(items)) => items
            .iter()
            .map(|item| item.as_str().map(|key| round(key, item)))
            .collect(),
        _ => None,
    };
    if rounds.is_none() {
        let given = value.ty.friendly_name();
        problems.push(
            Diagnostic::error("Invalid for_each argument")
                .detail(format!(
                    "`for_each` is a map or an object, whose keys name the instances, or a list or \
                     set of texts, which name them; this is {given}."
                ))
                .at(attribute.expr.span)
                .hint(
                    "Give the items keys with `{ for item in … : item.name => item }`, or use \
                     `count`."
                        .to_owned(),
                ),
        );
    }
    rounds.filter(|rounds| {
        let fits = i64::try_from(rounds.len()).is_ok_and(|count| count <= LIMIT);
        if !fits {
            problems.push(
                Diagnostic::error("Invalid for_each argument")
                    .detail(format!("One block makes at most {LIMIT} instances."))
                    .at(attribute.expr.span),
            );
        }
        fits
    })
}

/// The value of the argument; `None` (reported) when nothing can be made of it.
fn known_value(
    attribute: &Attribute,
    scope: &Scope,
    name: &str,
    problems: &mut Diagnostics,
) -> Option<Value> {
    let (value, found) = evaluate(&attribute.expr, scope);
    let failed = found.iter().any(Diagnostic::is_error);
    problems.extend(found);
    if failed {
        return None;
    }
    // What a map or an object holds may be secret, as only its keys are shown.
    let items = value.as_sequence().unwrap_or_default();
    let secret = value.sensitive || items.iter().any(Value::contains_sensitive);
    if value.is_null() || secret {
        let detail = if secret {
            "It is sensitive, and names of instances appear in all output."
        } else {
            "It is null."
        };
        problems.push(
            Diagnostic::error(format!("Invalid {name} argument"))
                .detail(detail)
                .at(attribute.expr.span),
        );
        return None;
    }
    Some(value)
}

/// What is not known before data sources are read makes one instance, so that its body is checked
/// all the same.
fn unknown_round<const N: usize>(name: &'static str, parts: [(&str, Type); N]) -> Round {
    let parts = parts.map(|(part, ty)| (part, Value::unknown(ty)));
    Round {
        key: UNKNOWN_TEXT.to_owned(),
        name,
        bound: Value::object_of(parts),
    }
}

/// Keys are unique, and those of sources and builds can be part of a build's name. An instance
/// whose key was there before is left out.
fn check_keys(
    rounds: &mut Vec<Round>,
    kind: Option<ComponentKind>,
    place: Span,
    problems: &mut Diagnostics,
) {
    let named = matches!(kind, None | Some(ComponentKind::Builder));
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut seen = HashSet::new();
    rounds.retain(|round| {
        let key = round.key.as_str();
        let first = seen.insert(round.key.clone());
        if !first {
            problems.push(
                Diagnostic::error("Duplicate instance key")
                    .detail(format!("The key {key:?} names two instances."))
                    .at(place),
            );
        }
        let usable = !key.is_empty() && key.chars().all(fits);
        if named && !usable && key != UNKNOWN_TEXT {
            problems.push(
                Diagnostic::error("Invalid instance key")
                    .detail(format!(
                        "The key {key:?} becomes part of a build's name, which consists of \
                         letters, digits, `_`, `-` and `.`."
                    ))
                    .at(place),
            );
        }
        first
    });
}

#[cfg(test)]
mod tests {
    use host_diag::{Diagnostics, SourceMap};
    use host_syntax::parse_hcl;

    use super::{BoundBlock, Reading};
    use crate::hcl::declarations::pending_schema;
    use crate::hcl::scope;

    #[test]
    fn all_blocks_together_make_a_limited_number() {
        let mut sources = SourceMap::default();
        let file = sources.add("t", "build {\n  count = 2\n}\n".to_owned());
        let (body, _) = parse_hcl(file, sources.text(file));
        let (mut content, _) = body.expect("it parses").content(&pending_schema());
        let block = BoundBlock::plain(content.blocks.remove(0), None);
        let mut reading = Reading {
            components: None,
            left: Some(3),
        };
        let mut problems = Diagnostics::new();
        let mut made = || {
            let made = reading.instances(block.clone(), None, &scope::empty(), &mut problems);
            made.len()
        };
        assert_eq!([made(), made(), made()], [2, 0, 0]);
        assert!(reading.exhausted());
        let summaries: Vec<&str> = problems.iter().map(|one| one.summary.as_str()).collect();
        assert_eq!(summaries, ["Too many instances"]);
    }
}
