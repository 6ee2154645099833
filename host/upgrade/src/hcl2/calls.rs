//! What template calls are in HCL2.

use std::collections::{BTreeMap, BTreeSet};

use super::actions::{Action, Piece, Word, pieces};
use super::names::{identifier, is_identifier};
use super::write::quote;

/// Where text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A variable's default, which may ask for the environment and nothing else.
    Default,
    /// A local value.
    Local,
    /// A builder's option.
    Source,
    /// A provisioner's or post-processor's option.
    Build,
}

/// What calls have asked for.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// Variables.
    pub(super) variables: BTreeSet<String>,
    /// Variables of the environment, outside of defaults.
    pub(super) environment: BTreeSet<String>,
    /// Secrets of Amazon's secrets manager by name and key, numbered.
    pub(super) secrets: Secrets,
    /// The time at which the build started.
    pub(super) timestamp: bool,
    /// What the user should look at; one sentence each.
    pub(super) notes: Vec<String>,
}

/// Name and key of secrets, with the number of the data source that reads each.
pub(super) type Secrets = BTreeMap<(String, String), usize>;

/// Translates text, and keeps what has to be said about it.
#[derive(Debug)]
pub(super) struct Calls {
    /// Where the text stands that is translated next.
    pub(super) place: Place,
    names: Names,
    pub(super) used: Used,
    /// Calls in the current block that are left as they were.
    left: Vec<String>,
    /// Other comments on the current block.
    hints: BTreeSet<&'static str>,
}

/// What the calls have to know about variables.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Those that are locals.
    pub(super) locals: BTreeSet<String>,
}

/// What a call is in HCL2.
enum Outcome {
    /// An expression.
    Expression(String),
    /// The call itself, quoted differently.
    Call(String),
    /// Nothing better than what it was.
    Kept,
}

/// Calls that mean nothing, or something else, in HCL2 templates.
const CORE_CALLS: [&str; 6] = [
    "user",
    "env",
    "build",
    "vault",
    "consul_key",
    "aws_secretsmanager",
];

const LAYOUT_HINT: &str = "\
# legacy_isotime and legacy_strftime are there for old templates; formatdate does the same with
# HCL2's own formats.
";

/// A piece of the result.
enum Part<'a> {
    Text(&'a str),
    /// What an action has become, with its trimming when that must be done here.
    Done {
        text: String,
        trims_before: bool,
        trims_behind: bool,
    },
}

impl Calls {
    pub(super) fn new(names: Names) -> Self {
        Self {
            place: Place::Source,
            names,
            used: Used::default(),
            left: Vec::new(),
            hints: BTreeSet::new(),
        }
    }

    /// The text as a quoted HCL2 template.
    pub(super) fn text(&mut self, text: &str) -> String {
        if !text.contains("{{") {
            return quote(text);
        }
        if let Err(error) = sdk_go_template::check_syntax(text) {
            let message = error.message.replace('\n', " ");
            self.left.push(format!(
                "could not parse template for following block: {message:?}"
            ));
            return quote(text);
        }
        let parts: Vec<Part<'_>> = pieces(text)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => Part::Text(text),
                Piece::Action(action) => self.part(&action),
            })
            .collect();
        let mut result = String::from("\"");
        for (index, part) in parts.iter().enumerate() {
            match part {
                Part::Text(text) => {
                    let before = index.checked_sub(1).and_then(|before| parts.get(before));
                    result.push_str(&escaped(trimmed(text, before, parts.get(index + 1))));
                }
                Part::Done { text, .. } => result.push_str(text),
            }
        }
        result.push('"');
        result
    }

    fn part(&mut self, action: &Action<'_>) -> Part<'static> {
        let text = match self.action(action) {
            Outcome::Expression(expression) => format!("${{{expression}}}"),
            Outcome::Call(call) => escaped(&call),
            Outcome::Kept => {
                let text = self.kept(action.source);
                return Part::Done {
                    text,
                    trims_before: false,
                    trims_behind: false,
                };
            }
        };
        let Action {
            trims_before,
            trims_behind,
            ..
        } = *action;
        Part::Done {
            text,
            trims_before,
            trims_behind,
        }
    }

    /// Comments on the block whose text was translated since the last call: what stands in it as
    /// it was, and what else there is to say.
    pub(super) fn comments(&mut self) -> String {
        let mut text = String::new();
        let left = std::mem::take(&mut self.left);
        if !left.is_empty() {
            let errors = if left.len() == 1 { "error" } else { "errors" };
            let count = left.len();
            text.push_str(&format!(
                "# {count} {errors} occurred upgrading the following block:\n"
            ));
            for problem in left {
                text.push_str(&format!("# {problem}\n"));
            }
        }
        text.extend(std::mem::take(&mut self.hints));
        text
    }

    /// An action that stays one. The values of variables in it become texts of the action, which
    /// is rendered after the expressions in it were.
    fn kept(&mut self, source: &str) -> String {
        let mut kept = String::new();
        let mut rest = source;
        while let Some((before, name, behind)) = next_user_call(rest) {
            self.used.variables.insert(name.to_owned());
            kept.push_str(&escaped(before));
            kept.push_str(&format!("`${{{}}}`", self.variable(name)));
            rest = behind;
        }
        kept + &escaped(rest)
    }

    /// A user variable as HCL2 names it.
    fn variable(&self, name: &str) -> String {
        let kind = if self.names.locals.contains(name) {
            "local"
        } else {
            "var"
        };
        format!("{kind}.{}", identifier(name))
    }

    fn action(&mut self, action: &Action<'_>) -> Outcome {
        let outcome = self.translated(action);
        let mut rest = String::new();
        let mut source = action.source;
        while let Some((before, _, behind)) = next_user_call(source) {
            rest.push_str(before);
            source = behind;
        }
        rest.push_str(source);
        if matches!(outcome, Outcome::Kept)
            && let Some(name) = names_in(&rest).find(|name| CORE_CALLS.contains(name))
        {
            self.left.push(format!(
                "unhandled \"{name}\" call: it is part of a longer expression, which has to be \
                 written by hand."
            ));
        }
        outcome
    }

    fn translated(&mut self, action: &Action<'_>) -> Outcome {
        let Some((Word::Name(function), arguments)) =
            action.words.as_deref().and_then(<[Word]>::split_first)
        else {
            return Outcome::Kept;
        };
        let texts: Option<Vec<&str>> = arguments.iter().map(text_of).collect();
        let translated = match texts.as_deref() {
            Some([]) => Some(self.constant(function)),
            Some(texts) => self.call(function, texts),
            None => None,
        };
        translated.unwrap_or_else(|| self.engine_call(function, arguments))
    }

    /// A call without arguments.
    fn constant(&mut self, function: &str) -> Outcome {
        let in_source = self.place == Place::Source;
        let expression = match function {
            // Packer writes `build.type`, which does not exist.
            "build_type" => "source.type",
            "build_name" if in_source => "source.name",
            "build_name" => "build.name",
            "template_dir" => "path.root",
            "pwd" => "path.cwd",
            "packer_version" => "packer.version",
            "uuid" => "uuidv4()",
            "isotime" => "timestamp()",
            "timestamp" => {
                self.used.timestamp = true;
                return Outcome::Expression(format!("local.{}", timestamp_name(&self.names)));
            }
            _ => return Outcome::Kept,
        };
        Outcome::Expression(expression.to_owned())
    }

    /// A call with texts.
    fn call(&mut self, function: &str, texts: &[&str]) -> Option<Outcome> {
        let expression = match (function, texts) {
            ("user", [name]) => {
                self.used.variables.insert((*name).to_owned());
                self.variable(name)
            }
            ("env", [name]) if self.place == Place::Default => format!("env({})", quote(name)),
            ("env", [name]) => {
                self.used.environment.insert((*name).to_owned());
                format!("var.{}", environment_name(name))
            }
            ("build", [key]) if is_identifier(key) => format!("build.{key}"),
            ("isotime", [layout]) => {
                self.hints.insert(LAYOUT_HINT);
                format!("legacy_isotime({})", quote(layout))
            }
            ("strftime", [format]) => {
                self.hints.insert(LAYOUT_HINT);
                format!("legacy_strftime({})", quote(format))
            }
            ("vault", [path, key]) => format!("vault({}, {})", quote(path), quote(key)),
            ("consul_key", [key]) => format!("consul_key({})", quote(key)),
            ("aws_secretsmanager", [name]) => self.secret(name, ""),
            ("aws_secretsmanager", [name, key]) => self.secret(name, key),
            _ => return None,
        };
        Some(Outcome::Expression(expression))
    }

    fn secret(&mut self, name: &str, key: &str) -> String {
        let next = self.used.secrets.len() + 1;
        let pair = (name.to_owned(), key.to_owned());
        let number = self.used.secrets.entry(pair).or_insert(next);
        format!("data.amazon-secretsmanager.autogenerated_{number}.value")
    }

    /// A call that stays one, which the template engine will do.
    fn engine_call(&mut self, function: &str, arguments: &[Word]) -> Outcome {
        let known = [
            "lower",
            "upper",
            "split",
            "replace",
            "replace_all",
            "clean_resource_name",
        ];
        if !known.contains(&function) {
            return Outcome::Kept;
        }
        self.left.push(format!(
            "unhandled \"{function}\" call: it stays a template call, which cannot be mixed with \
             HCL2 expressions."
        ));
        let arguments: Option<Vec<String>> = arguments
            .iter()
            .map(|word| match word {
                Word::Text(text) if text.contains('`') => None,
                Word::Text(text) => Some(format!("`{text}`")),
                Word::Constant(constant) => Some(constant.clone()),
                Word::Name(_) => None,
            })
            .collect();
        match arguments {
            Some(arguments) => {
                Outcome::Call(format!("{{{{ {function} {} }}}}", arguments.join(" ")))
            }
            None => Outcome::Kept,
        }
    }
}

/// Text without the blanks that the actions beside it remove.
fn trimmed<'a>(text: &'a str, before: Option<&Part<'_>>, behind: Option<&Part<'_>>) -> &'a str {
    let mut text = text;
    if matches!(
        before,
        Some(Part::Done {
            trims_behind: true,
            ..
        })
    ) {
        text = text.trim_start();
    }
    if matches!(
        behind,
        Some(Part::Done {
            trims_before: true,
            ..
        })
    ) {
        text = text.trim_end();
    }
    text
}

/// The first call of `user` with a quoted name: what stands before it, the name, and what follows.
fn next_user_call(source: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(at) = source[from..].find("user").map(|at| at + from) {
        from = at + "user".len();
        let quotes = source[..at].matches(['"', '`']).count();
        let starts_word =
            !source[..at].ends_with(|c: char| c.is_alphanumeric() || "_.".contains(c));
        let behind = source[from..].trim_start();
        let quote = behind.chars().next().filter(|c| matches!(c, '"' | '`'));
        if let Some(quote) = quote
            && starts_word
            && quotes.is_multiple_of(2)
            && let Some((name, rest)) = behind[1..].split_once(quote)
        {
            return Some((&source[..at], name, rest));
        }
    }
    None
}

/// The names in an action, without its quoted texts.
fn names_in(source: &str) -> impl Iterator<Item = &str> {
    let outside_quotes = source.split(['"', '`']).step_by(2);
    let is_part = |found: char| found.is_alphanumeric() || matches!(found, '_' | '.');
    outside_quotes.flat_map(move |text| text.split(move |found| !is_part(found)))
}

fn text_of(word: &Word) -> Option<&str> {
    match word {
        Word::Text(text) => Some(text),
        _ => None,
    }
}

/// The text inside the quotes.
fn escaped(text: &str) -> String {
    let quoted = quote(text);
    quoted[1..quoted.len() - 1].to_owned()
}

/// The variable that holds a variable of the environment.
pub(super) fn environment_name(name: &str) -> String {
    format!("env_{}", identifier(name))
}

/// The local that holds the build's time; a variable of the template may have the usual name.
pub(super) fn timestamp_name(names: &Names) -> &'static str {
    if names.locals.contains("timestamp") {
        "started_timestamp"
    } else {
        "timestamp"
    }
}
