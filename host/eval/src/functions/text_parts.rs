//! Text by the characters people see.

use unicode_segmentation::UnicodeSegmentation;

use crate::value::Value;

use super::arguments::{text, whole};
use super::{Context, Function, Kind, Outcome, Parameter, ResultType};

const STRING: ResultType = ResultType::Is(Kind::String);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "strrev",
        &[Parameter::new("str", Kind::String)],
        STRING,
        |_, args| {
            Ok(Value::string(
                text(&args, 0).graphemes(true).rev().collect::<String>(),
            ))
        },
    ),
    Function::new(
        "substr",
        &[
            Parameter::new("str", Kind::String),
            Parameter::new("offset", Kind::Number),
            Parameter::new("length", Kind::Number),
        ],
        STRING,
        substr,
    ),
];

/// How many characters people see in `text`.
pub(super) fn length(text: &str) -> usize {
    text.graphemes(true).count()
}

fn substr(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let text = text(&args, 0);
    // Every character is looked at, however few are wanted.
    context.limits.spend(text.len() / 8)?;
    let (offset, wanted) = (whole(&args, 1)?, whole(&args, 2)?);
    let total = i64::try_from(length(text)).unwrap_or(i64::MAX);
    // An offset in front of the start stands for the start, a negative length for the rest. So does
    // no length behind a negative offset, as in every version of Packer.
    let start = if offset < 0 {
        (total + offset).max(0)
    } else {
        offset.min(total)
    };
    let rest = wanted < 0 || (wanted == 0 && offset < 0);
    let count = if rest { total } else { wanted };
    let (start, count) = (
        usize::try_from(start).unwrap_or(usize::MAX),
        usize::try_from(count).unwrap_or(usize::MAX),
    );
    Ok(Value::string(
        text.graphemes(true)
            .skip(start)
            .take(count)
            .collect::<String>(),
    ))
}
