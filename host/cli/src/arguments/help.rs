//! Usage texts.

use clap::{Arg, Command};

use super::flags::is_boolean;
use super::request::command_line;

/// Columns of a flag in a list of flags.
const FLAG_WIDTH: usize = 28;
/// Columns of its description.
const TEXT_WIDTH: usize = 68;

/// The help of a command, which can be one below another, as in `plugins install`; empty when there
/// is no such command.
pub fn help_of(name: &str) -> String {
    let root = command_line();
    let mut words = name.split(' ');
    let found = words.try_fold(&root, |command, word| command.find_subcommand(word));
    found
        .map(|command| command_help(command, name))
        .unwrap_or_default()
}

/// The help of the program: its commands.
pub(super) fn root_help(root: &Command) -> String {
    let mut help =
        "Usage: kiln [--version] [--help] <command> [<args>]\n\nAvailable commands are:\n"
            .to_owned();
    for command in root.get_subcommands() {
        let about = about(command);
        help.push_str(&format!("    {:<12} {about}\n", command.get_name()));
    }
    help
}

/// The help of a command, whose full name is `name`: what it does, its flags, and the commands below
/// it.
pub(super) fn command_help(command: &Command, name: &str) -> String {
    let tail = match name {
        "console" | "inspect" => " [options] [TEMPLATE]".to_owned(),
        "fmt" => " [options] PATH...".to_owned(),
        "verify-attestation" => " [options] ATTESTATION [FILE...]".to_owned(),
        _ if command.has_subcommands() => " <subcommand> [options] [<args>]".to_owned(),
        _ => words_behind(command),
    };
    let mut help = format!("Usage: kiln {name}{tail}\n\n  {}.\n", about(command));
    if command.has_subcommands() {
        help.push_str("\nSubcommands:\n");
        for below in command.get_subcommands() {
            help.push_str(&format!("    {:<12} {}\n", below.get_name(), about(below)));
        }
    }
    let options: String = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set())
        .filter_map(option_help)
        .collect();
    if !options.is_empty() {
        help.push_str(&format!("\nOptions:\n\n{options}"));
    }
    if let Some(more) = command.get_after_help() {
        help.push_str(&format!("\n{more}"));
    }
    help
}

/// What stands behind a command's name: its options, and its words as their names say it.
fn words_behind(command: &Command) -> String {
    let mut shown = command.get_arguments().filter(|word| !word.is_hide_set());
    let word = command.get_arguments().find(|word| word.is_positional());
    let names = word.and_then(Arg::get_value_names).unwrap_or_default();
    let name = names.first().filter(|name| !name.is_empty());
    match (shown.next(), name) {
        (Some(_), Some(name)) => format!(" [options] {name}"),
        (Some(_), None) => " [options]".to_owned(),
        (None, _) => String::new(),
    }
}

fn about(command: &Command) -> String {
    let about = command.get_about();
    about.map(ToString::to_string).unwrap_or_default()
}

fn option_help(flag: &Arg) -> Option<String> {
    let long = flag.get_long()?;
    let default = flag.get_default_values().first();
    let default = default.and_then(|value| value.to_str());
    let value = match (is_boolean(flag), flag.get_value_names()) {
        (true, _) if default == Some("true") => "=false".to_owned(),
        (false, Some([name, ..])) => format!("={name}"),
        _ => String::new(),
    };
    let text = flag.get_help().map(ToString::to_string);
    let mut lines = wrapped(&text.unwrap_or_default()).into_iter();
    let first = lines.next().unwrap_or_default();
    let mut help = format!("  {:<FLAG_WIDTH$} {first}", format!("-{long}{value}"));
    for line in lines {
        help.push_str(&format!("\n{:1$}{line}", "", FLAG_WIDTH + 3));
    }
    help.push_str(".\n");
    Some(help)
}

/// The words of a text in lines that are not too long.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() < TEXT_WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
