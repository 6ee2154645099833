//! Time.

use crate::types::Type;
use crate::value::Value;

use super::arguments::{text, whole};
use super::time_parse::{Moment, Separator, parse};
use super::{
    Context, Function, FunctionError, Kind, Parameter, ResultType, date_format, go_layout, strftime,
};

const STRING: ResultType = ResultType::Is(Kind::String);
const TIMESTAMP: Parameter = Parameter::new("timestamp", Kind::String);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "formatdate",
        &[Parameter::new("format", Kind::String), TIMESTAMP],
        STRING,
        |_, args| {
            let moment = moment(&args, 1, Separator::Letter)?;
            date_format::format(text(&args, 0), moment)
                .map(Value::string)
                .map_err(|message| FunctionError::call_at(0, message))
        },
    ),
    Function::new(
        "timeadd",
        &[TIMESTAMP, Parameter::new("duration", Kind::String)],
        STRING,
        |_, args| {
            let moment = moment(&args, 0, Separator::Letter)?;
            let nanos = go_duration(text(&args, 1))
                .map_err(|message| FunctionError::call_at(1, message))?;
            let later = moment.plus_nanos(nanos).ok_or_else(out_of_range)?;
            Ok(Value::string(later.rfc3339()))
        },
    ),
    Function::new("timestamp", &[], STRING, |_, _| {
        let now = Moment::from_unix_nanos(jiff::Timestamp::now().as_nanosecond())
            .ok_or_else(out_of_range)?;
        Ok(Value::string(now.rfc3339()))
    }),
    Function::new("legacy_isotime", &[], STRING, |context, args| {
        let started = started(context, &args, "legacy_isotime")?;
        Ok(Value::string(match args.first().and_then(Value::as_str) {
            Some(layout) => go_layout::format(layout, started),
            None => started.rfc3339(),
        }))
    })
    .and_more(Parameter::new("format", Kind::String)),
    Function::new("legacy_strftime", &[], STRING, |context, args| {
        let started = started(context, &args, "legacy_strftime")?;
        Ok(Value::string(match args.first().and_then(Value::as_str) {
            Some(format) => strftime::format(format, started),
            None => started.rfc3339(),
        }))
    })
    .and_more(Parameter::new("format", Kind::String)),
    Function::new(
        "rfc3339_parse",
        &[TIMESTAMP],
        ResultType::From(|_| parts_type("unix", Type::Number)),
        |_, args| {
            let moment = moment(&args, 0, Separator::LetterOrSpace)?;
            Ok(parts(moment, "unix", Value::number(moment.unix_secs())))
        },
    ),
    Function::new(
        "unix_timestamp_parse",
        &[Parameter::new("timestamp", Kind::Number)],
        ResultType::From(|_| parts_type("rfc3339", Type::String)),
        |_, args| {
            let nanos = i128::from(whole(&args, 0)?) * 1_000_000_000;
            let moment = Moment::from_unix_nanos(nanos).ok_or_else(out_of_range)?;
            Ok(parts(moment, "rfc3339", Value::string(moment.rfc3339())))
        },
    ),
];

fn out_of_range() -> FunctionError {
    FunctionError::new("the time is outside of the years 0 to 9999")
}

fn moment(args: &[Value], at: usize, separator: Separator) -> Result<Moment, FunctionError> {
    parse(text(args, at), separator).map_err(|message| FunctionError::call_at(at, message))
}

fn started(context: &Context<'_>, args: &[Value], name: &str) -> Result<Moment, FunctionError> {
    if args.len() > 1 {
        return Err(FunctionError::new(format!(
            "too many values, 1 needed: {name}() takes no more than one format"
        )));
    }
    Moment::from_unix_nanos(i128::from(context.settings.started_at_unix_nanos))
        .ok_or_else(out_of_range)
}

const NUMBERS: [&str; 10] = [
    "year", "year_day", "day", "month", "weekday", "hour", "minute", "second", "iso_year",
    "iso_week",
];

fn parts_type(extra: &str, extra_type: Type) -> Type {
    let numbers = NUMBERS
        .into_iter()
        .map(|name| (name.to_owned(), Type::Number));
    let names = ["month_name", "weekday_name"]
        .into_iter()
        .map(|name| (name.to_owned(), Type::String));
    Type::object(
        numbers
            .chain(names)
            .chain([(extra.to_owned(), extra_type)])
            .collect(),
    )
}

/// The parts of a moment as its own clock shows them.
fn parts(moment: Moment, extra: &str, extra_value: Value) -> Value {
    let local = moment.local;
    let iso = local.date().iso_week_date();
    let numbers: [i64; 10] = [
        local.year().into(),
        local.day_of_year().into(),
        local.day().into(),
        local.month().into(),
        moment.weekday().to_sunday_zero_offset().into(),
        local.hour().into(),
        local.minute().into(),
        local.second().into(),
        iso.year().into(),
        iso.week().into(),
    ];
    let numbers = NUMBERS
        .into_iter()
        .zip(numbers)
        .map(|(name, value)| (name, Value::number(value)));
    let names = [
        ("month_name", Value::string(moment.month_name())),
        ("weekday_name", Value::string(moment.weekday_name())),
        (extra, extra_value),
    ];
    Value::object_of(numbers.chain(names))
}

/// Reads a duration as Go writes it, such as `-1h30m` or `1.5s`, in nanoseconds.
fn go_duration(text: &str) -> Result<i128, String> {
    let problem = || format!("invalid duration {text:?}; write it like \"-1h30m\" or \"1.5s\"");
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Ok(0);
    }
    let mut rest = unsigned;
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .ok_or_else(problem)?;
        let (number, after) = rest.split_at(end);
        let end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit_nanos: i64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return Err(problem()),
        };
        total = total
            .checked_add(scaled(number, unit_nanos).ok_or_else(problem)?)
            .ok_or_else(problem)?;
        rest = after;
    }
    if unsigned.is_empty() || i64::try_from(total).is_err() {
        return Err(problem());
    }
    Ok(if text.starts_with('-') { -total } else { total })
}

fn scaled(number: &str, unit_nanos: i64) -> Option<i128> {
    use num_traits::ToPrimitive;
    let value = crate::number::parse(number)?;
    let product = crate::number::multiply(&value, &unit_nanos.into()).ok()?;
    crate::number::truncate(&product).to_i128()
}
