//! Usage texts.

use clap::{Arg, Command};

use super::flags::is_boolean;
use super::request::command_line;

/// Columns of a flag in a list of flags.
const FLAG_WIDTH: usize = 28;
/// Columns of its description.
const TEXT_WIDTH: usize = 68;

/// The help of a command; empty when there is no such command.
pub fn help_of(name: &str) -> String {
    command_line()
        .find_subcommand(name)
        .map(command_help)
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

/// The help of a command: what it does and its flags.
pub(super) fn command_help(command: &Command) -> String {
    let name = command.get_name();
    let takes_path = command.get_arguments().any(Arg::is_positional);
    let tail = match name {
        "console" | "inspect" => " [options] [TEMPLATE]",
        "fmt" => " [options] PATH...",
        "verify-attestation" => " [options] ATTESTATION [FILE...]",
        _ if takes_path => " [options] TEMPLATE",
        _ => "",
    };
    let mut help = format!("Usage: kiln {name}{tail}\n\n  {}.\n", about(command));
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
