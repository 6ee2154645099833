//! Numbers.

use bigdecimal::BigDecimal;
use num_bigint::BigInt;
use num_traits::{Signed, Zero};

use crate::number as arithmetic;
use crate::value::Value;

use super::arguments::{number, sequence, whole};
use super::{Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType, foreseen};

const NUMBER: ResultType = ResultType::Is(Kind::Number);
const ONE: &[Parameter] = &[Parameter::new("num", Kind::Number)];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("abs", ONE, NUMBER, |_, args| {
        Ok(Value::number(number(&args, 0).abs()))
    }),
    Function::new("ceil", ONE, NUMBER, |_, args| {
        Ok(Value::number(arithmetic::ceil(number(&args, 0))))
    }),
    Function::new("floor", ONE, NUMBER, |_, args| {
        Ok(Value::number(arithmetic::floor(number(&args, 0))))
    }),
    Function::new("signum", ONE, NUMBER, |_, args| {
        let value = number(&args, 0);
        let sign = i64::from(value.is_positive()) - i64::from(value.is_negative());
        Ok(Value::from(sign))
    }),
    Function::new(
        "log",
        &[
            Parameter::new("num", Kind::Number),
            Parameter::new("base", Kind::Number),
        ],
        NUMBER,
        log,
    ),
    Function::new("max", &[], NUMBER, |_, args| {
        extreme(args, std::cmp::Ordering::Greater)
    })
    .and_more(Parameter::new("numbers", Kind::Number)),
    Function::new("min", &[], NUMBER, |_, args| {
        extreme(args, std::cmp::Ordering::Less)
    })
    .and_more(Parameter::new("numbers", Kind::Number)),
    Function::new(
        "parseint",
        &[
            Parameter::new("number", Kind::Any),
            Parameter::new("base", Kind::Number),
        ],
        ResultType::Foreseen(Kind::Number, foreseen::number_of_text),
        parse_int,
    ),
    Function::new(
        "pow",
        &[
            Parameter::new("num", Kind::Number),
            Parameter::new("power", Kind::Number),
        ],
        NUMBER,
        |_, args| {
            Ok(Value::number(arithmetic::power(
                number(&args, 0),
                number(&args, 1),
            )?))
        },
    ),
    Function::new(
        "sum",
        &[Parameter::new("list", Kind::Any)],
        ResultType::Foreseen(Kind::Number, foreseen::number_of_sequence),
        sum,
    ),
];

fn log(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let as_float = |at| arithmetic::to_f64(number(&args, at));
    let (value, base) = (as_float(0), as_float(1));
    if value <= 0.0 || base <= 0.0 || (base - 1.0).abs() < f64::EPSILON {
        return Err(FunctionError::new(
            "the number and the base of a logarithm must be positive, and the base not 1",
        ));
    }
    Ok(Value::number(arithmetic::from_f64(value.ln() / base.ln())?))
}

fn extreme(args: Vec<Value>, wanted: std::cmp::Ordering) -> Outcome {
    let mut args = args.into_iter();
    let first = args
        .next()
        .ok_or_else(|| FunctionError::new("must pass at least one number"))?;
    Ok(args.fold(first, |best, next| {
        let better = match (next.as_number(), best.as_number()) {
            (Some(next), Some(best)) => arithmetic::compare(next, best) == wanted,
            _ => false,
        };
        if better { next } else { best }
    }))
}

fn parse_int(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    let text = match args[0].as_str() {
        Some(text) => text,
        None => {
            let have = args[0].ty.friendly_name();
            return Err(FunctionError::argument(
                0,
                format!("first argument must be a string, not {have}"),
            ));
        }
    };
    let base = whole(&args, 1)?;
    if base == 0 || !(2..=62).contains(&base) {
        return Err(FunctionError::argument(
            1,
            "base must be a whole number between 2 and 62 inclusive",
        ));
    }
    let problem =
        || FunctionError::argument(0, format!("cannot parse {text:?} as a base {base} integer"));
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned.is_empty() || unsigned.len() > 20_000 {
        return Err(problem());
    }
    let mut result = BigInt::zero();
    for character in unsigned.chars() {
        let digit = digit_value(character, base).ok_or_else(problem)?;
        result = result * base + digit;
    }
    if text.starts_with('-') {
        result = -result;
    }
    Ok(Value::number(BigDecimal::from(result)))
}

/// Up to base 36 both cases mean the same; beyond that, upper case follows lower case.
fn digit_value(character: char, base: i64) -> Option<i64> {
    let value = match character {
        '0'..='9' => i64::from(u32::from(character) - u32::from('0')),
        'a'..='z' => i64::from(u32::from(character) - u32::from('a')) + 10,
        'A'..='Z' if base <= 36 => i64::from(u32::from(character) - u32::from('A')) + 10,
        'A'..='Z' => i64::from(u32::from(character) - u32::from('A')) + 36,
        _ => return None,
    };
    (value < base).then_some(value)
}

fn sum(_: &Context<'_>, args: Vec<Value>) -> Outcome {
    if !args[0].ty.is_sequence() {
        let have = args[0].ty.friendly_name();
        return Err(FunctionError::argument(
            0,
            format!("argument must be list, set, or tuple, not {have}"),
        ));
    }
    let elements = sequence(&args, 0);
    if elements.is_empty() {
        return Err(FunctionError::argument(0, "cannot sum an empty list"));
    }
    let mut total = BigDecimal::zero();
    for element in elements {
        if element.is_null() {
            return Err(FunctionError::argument(
                0,
                "argument must not contain null values",
            ));
        }
        let element =
            crate::convert::convert(element.clone(), &crate::Type::Number).map_err(|_| {
                FunctionError::argument(0, "argument must be list, set, or tuple of number values")
            })?;
        let element = element
            .as_number()
            .expect("a known value stays known when converted");
        total = arithmetic::add(&total, element)?;
    }
    Ok(Value::number(total))
}
