//! Evaluation of expressions.

use host_diag::SourceMap;
use host_eval::{Type, Value, console_text, convert, evaluate, references};
use host_syntax::parse_expression;

use crate::{places, samples};

/// Longest text that may come out of an expression, in bytes.
const LONGEST_STRING: usize = 64 << 20;
/// Most values that may come out of an expression.
const MOST_VALUES: usize = 1 << 21;

/// Any expression has a value within limits, whose places lie in the text; printing and converting
/// that value works, and converting it again changes nothing when all of it is known.
///
/// # Panics
///
/// When that is not so.
pub fn check(text: &str) {
    if samples::is_slow_on_purpose(text) {
        return;
    }
    let mut sources = SourceMap::default();
    let file = sources.add("a.pkr.hcl", text);
    let (expr, problems) = parse_expression(file, 0, text);
    let Some(expr) = expr.filter(|_| problems.is_empty()) else {
        return;
    };
    drop(references(&expr));
    let (value, problems) = evaluate(&expr, &samples::scope());
    places::check_problems(&problems, &sources);
    let mut left = MOST_VALUES;
    measure(&value, &mut left);
    if left < MOST_VALUES - 10_000 {
        return;
    }
    drop(console_text(&value));
    if value.contains_unknown() {
        return;
    }
    for ty in types() {
        if let Ok(converted) = convert(value.clone(), &ty) {
            let again = convert(converted.clone(), &ty);
            assert_eq!(again.as_ref(), Ok(&converted), "as {ty}");
        }
    }
}

fn measure(value: &Value, left: &mut usize) {
    *left = left.checked_sub(1).expect("no more values than allowed");
    assert!(
        value
            .as_str()
            .is_none_or(|text| text.len() <= LONGEST_STRING)
    );
    let items = value.as_sequence().into_iter().flatten();
    let entries = value.as_mapping().into_iter().flat_map(|all| all.values());
    items.chain(entries).for_each(|part| measure(part, left));
}

fn types() -> [Type; 8] {
    [
        Type::Bool,
        Type::Number,
        Type::String,
        Type::list(Type::String),
        Type::list(Type::Dynamic),
        Type::Set(Box::new(Type::Dynamic)),
        Type::Map(Box::new(Type::String)),
        Type::Map(Box::new(Type::Dynamic)),
    ]
}
