//! The engine functions of legacy templates.

use crate::context::{BuildValues, Context};
use crate::data::Data;
use crate::execute::MAX_OUTPUT_BYTES;
use crate::function::{display, wrong_count, wrong_type};
use crate::time::{format_go_layout, strftime};

/// Layout of `{{isotime}}` without an argument.
const RFC_3339: &str = "2006-01-02T15:04:05Z07:00";

/// Calls an engine function; `None` when `name` is none.
pub(super) fn call(name: &str, args: &[Data], context: &Context) -> Option<Result<Data, String>> {
    let started = context.started_at_unix_nanos;
    let text = match name {
        "user" => texts(name, args).and_then(|[variable]| user(variable, context)),
        "env" => texts(name, args).and_then(|[variable]| env(variable, context)),
        "build" => texts(name, args).and_then(|[key]| build(key, context)),
        "build_name" => known(
            name,
            args,
            context.build_name.as_ref(),
            "build_name not available",
        ),
        "build_type" => known(
            name,
            args,
            context.build_type.as_ref(),
            "build_type not available",
        ),
        "template_dir" => known(
            name,
            args,
            context.template_dir.as_ref(),
            "template path not available",
        ),
        "pwd" => known(name, args, Some(&context.working_dir), ""),
        "packer_version" => known(name, args, Some(&context.core_version), ""),
        "isotime" => isotime(args, started),
        "timestamp" => {
            texts(name, args).map(|[]: [&str; 0]| started.div_euclid(1_000_000_000).to_string())
        }
        "strftime" => texts(name, args).map(|[format]| strftime(started, format)),
        "uuid" => texts(name, args).map(|[]: [&str; 0]| uuid::Uuid::now_v7().to_string()),
        "upper" => texts(name, args).map(|[text]| simple_case(text, char::to_uppercase)),
        "lower" => texts(name, args).map(|[text]| simple_case(text, char::to_lowercase)),
        "split" => split(args),
        "replace" => replace(args),
        "replace_all" => {
            texts(name, args).and_then(|[old, new, text]| replace_first(text, old, new, -1))
        }
        "sed" => {
            Err("the function sed was removed; use replace, replace_all or a provisioner".into())
        }
        "consul_key" | "vault" | "aws_secretsmanager" | "aws_secretsmanager_raw" => {
            Err(match context.env {
                // Where the environment is allowed, these are too.
                Some(_) => format!("{name} is not available here; give the value with -var"),
                None => format!("{name} is only allowed in the variables section of a template"),
            })
        }
        "clean_resource_name" => {
            Err("this component does not offer clean_resource_name; cloud builders do".into())
        }
        _ => return None,
    };
    Some(text.map(Data::String))
}

/// Go maps one character to one; where the other case is several (`ß` and `SS`), it stays, but for
/// the dotted `İ`, whose other case is `i` there.
fn simple_case<I: Iterator<Item = char>>(text: &str, map: fn(char) -> I) -> String {
    let one = |letter: char| {
        let mut mapped = map(letter);
        match (mapped.next(), mapped.next()) {
            (Some(only), None) => only,
            (Some('i'), Some(_)) => 'i',
            _ => letter,
        }
    };
    text.chars().map(one).collect()
}

/// Exactly `N` text arguments.
fn texts<'a, const N: usize>(name: &str, args: &'a [Data]) -> Result<[&'a str; N], String> {
    if args.len() != N {
        return Err(wrong_count(name, &N.to_string(), args.len()));
    }
    let mut out = [""; N];
    for (slot, value) in out.iter_mut().zip(args) {
        *slot = as_text(value)?;
    }
    Ok(out)
}

fn as_text(value: &Data) -> Result<&str, String> {
    match value {
        Data::String(text) => Ok(text),
        other => Err(wrong_type("string", other)),
    }
}

fn as_int(value: &Data) -> Result<i64, String> {
    match value {
        Data::Int(number) => Ok(*number),
        other => Err(wrong_type("int", other)),
    }
}

fn known(
    name: &str,
    args: &[Data],
    value: Option<&String>,
    missing: &str,
) -> Result<String, String> {
    let []: [&str; 0] = texts(name, args)?;
    value.cloned().ok_or_else(|| missing.to_owned())
}

fn user(variable: &str, context: &Context) -> Result<String, String> {
    if context.hcl {
        return Err(format!(
            "user variables do not exist in an HCL2 template; write ${{var.{variable}}} instead"
        ));
    }
    match context.user.get(variable) {
        Some(value) => Ok(value.clone()),
        // While variables are resolved the caller tries again in another order.
        None if context.env.is_some() => Err(format!("variable {variable} not set")),
        None => Ok(String::new()),
    }
}

fn env(variable: &str, context: &Context) -> Result<String, String> {
    match &context.env {
        Some(env) => Ok(env.get(variable).cloned().unwrap_or_default()),
        None => Err("env vars are not allowed here; use env in the variables section".to_owned()),
    }
}

fn build(key: &str, context: &Context) -> Result<String, String> {
    let missing = || format!("loaded data, but couldnt find {key} in it.");
    match &context.build {
        BuildValues::Unavailable => Err(format!(
            "{key} of the machine is not known here: this option cannot use the machine's values"
        )),
        BuildValues::Placeholders(names) if names.contains(key) => Ok(format!("{{{{.{key}}}}}")),
        BuildValues::Placeholders(_) => Err(missing()),
        BuildValues::Values(values) => match values.get(key) {
            Some(Data::String(text)) => Ok(text.clone()),
            Some(other) => Ok(display(other)),
            None => Err(missing()),
        },
    }
}

fn isotime(args: &[Data], started: i64) -> Result<String, String> {
    match args {
        [] => Ok(format_go_layout(started, RFC_3339)),
        [layout] => Ok(format_go_layout(started, as_text(layout)?)),
        _ => Err(format!("too many values, 1 needed: {}", args.len())),
    }
}

fn split(args: &[Data]) -> Result<String, String> {
    let [text, separator, index] = args else {
        return Err(wrong_count("split", "3", args.len()));
    };
    let (text, separator, index) = (as_text(text)?, as_text(separator)?, as_int(index)?);
    let out_of_range = || format!("no part {index} when `{text}` is split at `{separator}`");
    let index = usize::try_from(index).map_err(|_| out_of_range())?;
    let part = if separator.is_empty() {
        text.chars().nth(index).map(String::from)
    } else {
        text.split(separator).nth(index).map(str::to_owned)
    };
    part.ok_or_else(out_of_range)
}

fn replace(args: &[Data]) -> Result<String, String> {
    let [old, new, count, text] = args else {
        return Err(wrong_count("replace", "4", args.len()));
    };
    replace_first(as_text(text)?, as_text(old)?, as_text(new)?, as_int(count)?)
}

/// Replaces the first `count` matches, all of them when it is negative.
fn replace_first(text: &str, old: &str, new: &str, count: i64) -> Result<String, String> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let matches = text.matches(old).take(count).count();
    if matches.saturating_mul(new.len()).saturating_add(text.len()) > MAX_OUTPUT_BYTES {
        return Err(format!(
            "the result is larger than {} MiB",
            MAX_OUTPUT_BYTES >> 20
        ));
    }
    Ok(text.replacen(old, new, count))
}
