//! What is due at the cursor.

use clap::{Arg, Command};
use host_template::ConfigType;

use super::Places;
use super::line::Line;
use super::names::Described;
use super::paths::{Wanted, paths};
use crate::arguments::{command_line, is_boolean, is_repeatable, split, values_of};
use crate::world::World;

/// Flags that need no command.
const TOP_FLAGS: [&str; 5] = [
    "-autocomplete-install",
    "-autocomplete-uninstall",
    "-help",
    "-machine-readable",
    "-version",
];

/// Everything the word at the cursor can become, and perhaps more.
pub(super) fn candidates(world: &World, places: &Places, line: &Line) -> Vec<String> {
    let root = command_line();
    let typed = &line.current.text;
    let mut before = line.before.iter().map(String::as_str);
    let Some(name) = before.find(|word| !word.starts_with('-')) else {
        return match typed.starts_with('-') {
            true => TOP_FLAGS.map(str::to_owned).to_vec(),
            false => names_of(&root),
        };
    };
    let Some(command) = root.find_subcommand(name) else {
        return Vec::new();
    };
    let (name, command) = match command.has_subcommands() {
        false => (name.to_owned(), command),
        true => {
            let Some(below) = before.find(|word| !word.starts_with('-')) else {
                return names_of(command);
            };
            let Some(found) = command.find_subcommand(below) else {
                return Vec::new();
            };
            (
                format!("{} {}", command.get_name(), found.get_name()),
                found,
            )
        }
    };
    let before: Vec<&str> = before.collect();
    let mut read = Read::default();
    read.words(command, &before);
    let due = (read.due, read.positionals, read.no_more_flags);
    read.due = None;
    let after: Vec<&str> = line.after.iter().map(String::as_str).collect();
    read.words(command, &after);
    let search = Search {
        world,
        places,
        described: &read.described,
    };
    match due {
        (Some(flag), ..) => search.values(flag, typed, ""),
        (None, 0, false) if typed.starts_with('-') => match split(typed) {
            Some((name, Some(value))) => {
                let head = &typed[..typed.len() - value.len()];
                let flag = flag_of(command, name);
                flag.map_or_else(Vec::new, |flag| search.values(flag, value, head))
            }
            _ => flags(command, &before, typed),
        },
        (None, positionals, _) => search.positional((&name, command), positionals, typed),
    }
}

fn names_of(root: &Command) -> Vec<String> {
    let names = root.get_subcommands().map(Command::get_name);
    names.map(str::to_owned).collect()
}

fn flag_of<'c>(command: &'c Command, name: &str) -> Option<&'c Arg> {
    let mut flags = command.get_arguments();
    flags.find(|flag| flag.get_long() == Some(name))
}

/// Flags of a command that can still be given, with as many dashes as were typed.
fn flags(command: &Command, before: &[&str], typed: &str) -> Vec<String> {
    let dashes = if typed.starts_with("--") { "--" } else { "-" };
    let given: Vec<&str> = before
        .iter()
        .filter_map(|word| Some(split(word)?.0))
        .collect();
    let more = ["help", "machine-readable"].into_iter();
    command
        .get_arguments()
        .filter(|flag| !flag.is_hide_set())
        .filter_map(|flag| Some((flag.get_long()?, is_repeatable(flag))))
        .chain(more.map(|name| (name, false)))
        .filter(|(name, repeatable)| *repeatable || !given.contains(name))
        .map(|(name, _)| format!("{dashes}{name}"))
        .collect()
}

/// What words of a command say.
#[derive(Debug, Default)]
struct Read<'c> {
    /// The flag whose value comes next.
    due: Option<&'c Arg>,
    /// Words that are neither flags nor values.
    positionals: usize,
    no_more_flags: bool,
    described: Described,
}

impl<'c> Read<'c> {
    fn words(&mut self, command: &'c Command, words: &[&str]) {
        for &word in words {
            if let Some(flag) = self.due.take() {
                self.value(flag, word);
                continue;
            }
            let flag = match split(word) {
                _ if self.no_more_flags || word == "-machine-readable" => None,
                flag => flag,
            };
            match flag {
                _ if word == "-machine-readable" => {}
                None => {
                    self.positionals += 1;
                    self.no_more_flags = true;
                    self.described.path.get_or_insert_with(|| word.to_owned());
                }
                Some(("", None)) => self.no_more_flags = true,
                Some((name, value)) => match (flag_of(command, name), value) {
                    (Some(flag), Some(value)) => self.value(flag, value),
                    (Some(flag), None) if !is_boolean(flag) => self.due = Some(flag),
                    _ => {}
                },
            }
        }
    }

    fn value(&mut self, flag: &Arg, value: &str) {
        let described = &mut self.described;
        match flag.get_long() {
            Some("config-type") if value == "hcl2" => described.config_type = ConfigType::Hcl2,
            Some("var-file") => described.variable_files.push(value.to_owned()),
            Some("var") => {
                let pair = value.split_once('=');
                let pair = pair.map(|(name, value)| (name.to_owned(), value.to_owned()));
                described.variables.extend(pair);
            }
            _ => {}
        }
    }
}

/// Where values come from.
struct Search<'a> {
    world: &'a World,
    places: &'a Places,
    described: &'a Described,
}

impl Search<'_> {
    /// Values of a flag that begin as `typed`, each behind `head`.
    fn values(&self, flag: &Arg, typed: &str, head: &str) -> Vec<String> {
        let found = match flag.get_long().unwrap_or_default() {
            "var-file" => paths(self.places, typed, Wanted::Values),
            "key" | "keys" | "verifier" | "artifact" | "output-file" | "path" | "mirror" => {
                paths(self.places, typed, Wanted::Files)
            }
            "var" => self.described.variables(self.world, self.places),
            "only" | "except" => self.list(typed),
            _ => values_of(flag),
        };
        let found = found.into_iter();
        found.map(|value| format!("{head}{value}")).collect()
    }

    /// Names of builds for the last item of a comma list.
    fn list(&self, typed: &str) -> Vec<String> {
        let end = typed.rfind(',').map_or(0, |comma| comma + 1);
        let (items, _) = typed.split_at(end);
        let given: Vec<&str> = items.split(',').collect();
        let names = self.described.builds(self.world, self.places).into_iter();
        names
            .filter(|name| !given.contains(&name.as_str()))
            .map(|name| format!("{items}{name}"))
            .collect()
    }

    /// Words that are no flags, of the command whose full name is `name`.
    fn positional(
        &self,
        (name, command): (&str, &Command),
        before: usize,
        typed: &str,
    ) -> Vec<String> {
        if !command.get_arguments().any(Arg::is_positional) {
            return Vec::new();
        }
        let wanted = match (name, before) {
            ("fmt", _) => Wanted::Layout,
            ("verify-attestation", _) => Wanted::Files,
            ("fix", 0) => Wanted::JsonTemplates,
            ("hcl2_upgrade", 0) => Wanted::LegacyTemplates,
            ("plugins installed" | "plugins install" | "plugins remove", _) => return Vec::new(),
            (_, 0) => Wanted::Templates,
            _ => return Vec::new(),
        };
        paths(self.places, typed, wanted)
    }
}
