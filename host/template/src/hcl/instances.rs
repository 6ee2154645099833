//! `for_each` and `count`: one block that stands for several.
//!
//! The arguments are read here from `source`, `build`, `provisioner` and `post-processor` blocks,
//! and each instance becomes a block of its own in whose body `each.key` and `each.value`, or
//! `count.index`, are bound. A component that has an option of that name keeps it: a template that
//! was written for it does not change its meaning. Not here: what instances are called in builds
//! (see `source` and `plan`).

use std::collections::HashSet;
use std::sync::Arc;

use bigdecimal::BigDecimal;
use host_diag::{Diagnostic, Diagnostics, Span};
use host_eval::{Scope, Type, Value, evaluate};
use host_syntax::ast::Attribute;

use crate::hcl::bound::{Bindings, BoundBlock, BoundBody};
use crate::hcl::provisioner::meta_schema;
use crate::hcl::scope::in_block;
use crate::schema::Schema;
use crate::values::UNKNOWN_TEXT;

/// The arguments that make instances.
pub(crate) const ARGUMENTS: [&str; 2] = ["for_each", "count"];
/// Most instances of one block.
const LIMIT: i64 = 10_000;

/// What a key may consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Letters, digits, `_`, `-` and `.`: it becomes part of a build's name.
    Names,
    /// Anything: it is only shown.
    Labels,
}

/// Key of an instance with what it binds.
struct Round {
    key: String,
    name: &'static str,
    bound: Value,
}

/// The instances of `block`: itself when it asks for none. `schema` is that of its component,
/// whose own options are left alone.
pub(crate) fn instances(
    block: BoundBlock,
    scope: &Scope,
    schema: Option<&Schema>,
    keys: Keys,
    problems: &mut Diagnostics,
) -> Vec<BoundBlock> {
    let own = |name: &str| schema.is_some_and(|schema| declares(schema, name));
    let asked: Vec<&str> = ARGUMENTS.into_iter().filter(|name| !own(name)).collect();
    // Problems of the body are found again when the rest of it is read.
    let content = block
        .body
        .partial_content(&meta_schema(&asked), &mut Diagnostics::new());
    let Some(first) = content.attributes.first() else {
        return vec![block];
    };
    let mut found = Diagnostics::new();
    let rounds = match content.attributes.as_slice() {
        [first, second, ..] => {
            found.push(
                Diagnostic::error("Invalid combination of \"count\" and \"for_each\"")
                    .detail("A block takes one of them: `for_each` for keys, `count` for numbers.")
                    .at(second.span)
                    .related(first.span, "the other one is here"),
            );
            None
        }
        _ => {
            let scope = block.body.scope(scope);
            match first.name.name.as_str() {
                "count" => count_rounds(first, &scope, &mut found),
                _ => each_rounds(first, &scope, &mut found),
            }
        }
    };
    let rounds = rounds.unwrap_or_default();
    check_keys(&rounds, keys, first.expr.span, &mut found);
    problems.extend(in_block(found, &block.header_text()));
    rounds
        .into_iter()
        .map(|round| instance(&block, round))
        .collect()
}

fn declares(schema: &Schema, name: &str) -> bool {
    let attributes = schema.attributes.iter().map(|attribute| &attribute.name);
    let blocks = schema.blocks.iter().map(|block| &block.name);
    attributes.chain(blocks).any(|known| known == name)
}

fn instance(block: &BoundBlock, round: Round) -> BoundBlock {
    let bindings = block.body.bindings.as_deref();
    let mut bindings = bindings.map(Bindings::clone).unwrap_or_default();
    bindings.insert(round.name.to_owned(), round.bound);
    BoundBlock {
        kind: block.kind.clone(),
        labels: block.labels.clone(),
        body: BoundBody {
            body: block.body.body.clone(),
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
    let secret = value.sensitive && !value.is_unknown();
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

fn check_keys(rounds: &[Round], keys: Keys, place: Span, problems: &mut Diagnostics) {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut seen = HashSet::new();
    for round in rounds {
        let key = round.key.as_str();
        if !seen.insert(key) {
            problems.push(
                Diagnostic::error("Duplicate instance key")
                    .detail(format!("The key {key:?} names two instances."))
                    .at(place),
            );
        }
        let named = !key.is_empty() && key.chars().all(fits);
        if keys == Keys::Names && !named && key != UNKNOWN_TEXT {
            problems.push(
                Diagnostic::error("Invalid instance key")
                    .detail(format!(
                        "The key {key:?} becomes part of a build's name, which consists of \
                         letters, digits, `_`, `-` and `.`."
                    ))
                    .at(place),
            );
        }
    }
}
