//! Go's spelling of flags.

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};

/// Commands that Packer does not have and that take a name first; their flags may stand behind it.
const FLAGS_ANYWHERE: [&str; 3] = ["docs", "new", "package"];

/// A word that is a flag, as its name and the value behind `=`; `None` for `-` and every other word.
pub fn split(word: &str) -> Option<(&str, Option<&str>)> {
    let bare = word.strip_prefix('-').filter(|bare| !bare.is_empty())?;
    let bare = bare.strip_prefix('-').unwrap_or(bare);
    Some(match bare.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (bare, None),
    })
}

/// Whether a command line that cannot be read asks for a build's events in JSON, as far as can be
/// told.
pub fn asks_for_events(words: &[String]) -> bool {
    let mut words = words.iter().skip_while(|word| split(word).is_some());
    let is_build = words.next().is_some_and(|command| command == "build");
    let flags = words.take_while(|word| *word != "--");
    let json = flags.filter_map(|word| split(word).filter(|(name, _)| *name == "json"));
    let last = json.last();
    is_build && last.is_some_and(|(_, value)| value.is_none_or(|value| boolean(value) != "false"))
}

/// Whether the flag takes no value of its own word.
pub fn is_boolean(flag: &Arg) -> bool {
    flag.get_num_args()
        .is_some_and(|count| count.min_values() == 0)
}

/// Whether the flag can be given several times.
pub fn is_repeatable(flag: &Arg) -> bool {
    matches!(flag.get_action(), ArgAction::Append)
}

/// Rewrites flags as `--name=value` or `--name`; everything from the first word that is no flag
/// comes behind `--`.
pub(super) fn spell_for_clap(command: &Command, words: &[String]) -> Result<Vec<String>, String> {
    let mut spelled = Vec::new();
    let words = match FLAGS_ANYWHERE.contains(&command.get_name()) {
        true => &flags_first(command, words),
        false => words,
    };
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word == "--" {
            spelled.push(word.clone());
            break;
        }
        let Some((name, value)) = split(word) else {
            spelled.extend(["--".to_owned(), word.clone()]);
            break;
        };
        if name.is_empty() || name.starts_with('-') {
            return Err(format!("bad flag syntax: {word}"));
        }
        let known = command
            .get_arguments()
            .find(|argument| argument.get_long() == Some(name));
        let Some(flag) = known else {
            return Err(unknown_flag(command, name));
        };
        spelled.push(match (value, is_boolean(flag)) {
            (Some(value), true) => format!("--{name}={}", boolean(value)),
            (Some(value), false) => format!("--{name}={value}"),
            (None, true) => format!("--{name}"),
            (None, false) => match rest.next() {
                Some(value) => format!("--{name}={value}"),
                None => return Err(format!("flag needs an argument: -{name}")),
            },
        });
    }
    spelled.extend(rest.cloned());
    Ok(spelled)
}

/// The words with the flags, and their values, before the others.
fn flags_first(command: &Command, words: &[String]) -> Vec<String> {
    let (mut flags, mut others) = (Vec::new(), Vec::new());
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word == "--" {
            others.extend(rest.cloned());
            break;
        }
        let Some((name, value)) = split(word) else {
            others.push(word.clone());
            continue;
        };
        flags.push(word.clone());
        let mut known = command.get_arguments();
        let known = known.find(|argument| argument.get_long() == Some(name));
        if value.is_none() && known.is_some_and(|flag| !is_boolean(flag)) {
            match rest.next() {
                Some(value) => flags.push(value.clone()),
                // What lacks its value has to be the last word, so that this is told.
                None => return flags,
            }
        }
    }
    flags.push("--".to_owned());
    flags.extend(others);
    flags
}

/// The value as clap spells it, when it is one.
///
/// # Source
///
/// Go's `strconv.ParseBool`.
fn boolean(value: &str) -> &str {
    match value {
        "1" | "t" | "T" | "TRUE" | "True" => "true",
        "0" | "f" | "F" | "FALSE" | "False" => "false",
        other => other,
    }
}

fn unknown_flag(command: &Command, name: &str) -> String {
    let names = command.get_arguments().filter_map(Arg::get_long);
    let hint = host_diag::nearest(name, names).map(|near| format!("\nDid you mean -{near}?"));
    format!(
        "flag provided but not defined: -{name}{}",
        hint.unwrap_or_default()
    )
}

/// What clap did not take, in Go's words first.
pub(super) fn refused(command: &Command, error: &clap::Error) -> String {
    let of = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let named = of(ContextKind::InvalidArg).unwrap_or_default();
    let flag = command.get_arguments().find(|flag| {
        let long = flag.get_long();
        long.is_some_and(|long| split(named).is_some_and(|(name, _)| name_of(name) == long))
    });
    let (Some(flag), Some(value)) = (flag, of(ContextKind::InvalidValue)) else {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        return first.trim_start_matches("error: ").replace("--", "-");
    };
    let name = flag.get_long().unwrap_or_default();
    let takes = values_of(flag).join(" or ");
    if is_boolean(flag) {
        return format!(
            "invalid boolean value {value:?} for -{name}: parse error\nIt takes {takes}."
        );
    }
    let takes = match (takes.is_empty(), value.is_empty()) {
        (true, true) => "a value, which is missing".to_owned(),
        (true, false) => "a whole number".to_owned(),
        (false, _) => takes,
    };
    format!("invalid value {value:?} for flag -{name}: parse error\nIt takes {takes}.")
}

/// A flag's name in clap's messages: `config-type <type>`, `color[=<bool>]`.
fn name_of(shown: &str) -> &str {
    let end = shown.find([' ', '[', '=']).unwrap_or(shown.len());
    &shown[..end]
}

/// The values a flag can have, when they are few.
pub fn values_of(flag: &Arg) -> Vec<String> {
    let values = flag.get_possible_values();
    values
        .iter()
        .map(|value| value.get_name().to_owned())
        .filter(|value| !value.is_empty())
        .collect()
}
