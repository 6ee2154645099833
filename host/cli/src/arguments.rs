//! The command line: Go's flag spelling on top of clap.
//!
//! Templates come with scripts that call `build -var 'a=b' -only=x template`: one dash or two,
//! `-flag value` or `-flag=value`, booleans only as `-flag` or `-flag=false`, and nothing is a flag
//! any more after the first word that is none. [`parse`] turns that into what clap reads; what
//! flags there are is said once, in the structs here.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Arg, ArgAction, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand};
use host_template::ConfigType;

/// What the user asked for.
#[derive(Debug, Parser)]
#[command(
    name = "kiln",
    disable_help_subcommand = true,
    disable_help_flag = true
)]
struct Cli {
    #[command(subcommand)]
    command: Request,
}

/// A command with its flags.
#[derive(Debug, Subcommand)]
pub enum Request {
    /// Build image(s) from a template
    Build(BuildArguments),
    /// Print a JSON template with outdated options repaired
    Fix(FixArguments),
    /// Rewrite HCL2 files in canonical layout
    Fmt(FmtArguments),
    /// Remove what crashed runs left behind
    Gc,
    /// Translate a JSON template into HCL2
    #[command(name = "hcl2_upgrade")]
    Hcl2Upgrade(Hcl2UpgradeArguments),
    /// See the components of a template
    Inspect(InspectArguments),
    /// Show what a template would run, without running it
    Plan(PlanArguments),
    /// Check that a template is valid
    Validate(ValidateArguments),
    /// Print the version
    Version,
}

/// Flags of every command that reads a template.
#[derive(Debug, Args)]
pub struct TemplateArguments {
    /// Only these builds: a comma list of names; HCL2 takes globs. Can be given several times
    #[arg(long, value_name = "a,b", value_delimiter = ',')]
    pub only: Vec<String>,
    /// All builds but these; also post-processors
    #[arg(long, value_name = "a,b", value_delimiter = ',')]
    pub except: Vec<String>,
    /// A variable's value. Can be given several times; the last one wins
    #[arg(long, value_name = "'key=value'")]
    pub var: Vec<String>,
    /// A file with variables' values. Can be given several times
    #[arg(long, value_name = "path")]
    pub var_file: Vec<PathBuf>,
    /// Language of a template whose name does not tell: json or hcl2
    #[arg(long, value_name = "type", default_value = "json", value_parser = config_type)]
    pub config_type: ConfigType,
    /// Evaluate data sources and locals phase by phase; accepted, since the order never matters here
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true", hide = true)]
    pub use_sequential_evaluation: bool,
    /// The template: a file, a folder, or - for JSON on standard input
    #[arg(value_name = "TEMPLATE", value_parser = NonEmptyStringValueParser::new())]
    pub template: Vec<String>,
}

/// Flags of `build`.
#[derive(Debug, Args)]
pub struct BuildArguments {
    /// Colour each build's lines
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "true", default_missing_value = "true")]
    pub color: bool,
    /// Pause between steps and run builds one by one
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub debug: bool,
    /// Replace what an earlier build left
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub force: bool,
    /// Print the time before each message
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub timestamp_ui: bool,
    /// How many builds run at the same time; 0 for all of them
    #[arg(
        long,
        value_name = "N",
        default_value = "0",
        allow_negative_numbers = true
    )]
    pub parallel_builds: i64,
    /// After a failure: cleanup, abort, ask or run-cleanup-provisioner
    #[arg(long, value_name = "what", default_value = "")]
    pub on_error: String,
    /// Warn about names in variable files that the template does not declare
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub warn_on_undeclared_var: bool,
    /// Accepted for scripts; the machine-readable form is chosen by -machine-readable
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true", hide = true)]
    pub machine_readable: bool,
    /// Accepted for scripts; there is no registry that enforces provisioners
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true", hide = true)]
    pub skip_enforcement: bool,
    /// Leave development versions of plugins alone
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true", hide = true)]
    pub ignore_prerelease_plugins: bool,
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `fmt`. Those about templates' content are accepted, as they are everywhere, and say
/// nothing here.
#[derive(Debug, Args)]
#[command(mut_args(hide_all_but_layout))]
pub struct FmtArguments {
    /// Write nothing; exit with 3 when a file is not in canonical layout
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub check: bool,
    /// Print what changes, as a unified diff
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub diff: bool,
    /// Only print the names of the files that would change
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "true", default_missing_value = "true")]
    pub write: bool,
    /// Look into folders within folders
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub recursive: bool,
    /// Flags about the template; its paths are files, folders, or - for standard input.
    #[command(flatten)]
    pub template: TemplateArguments,
}

fn hide_all_but_layout(argument: Arg) -> Arg {
    let of_layout = ["check", "diff", "write", "recursive"];
    let hidden = argument
        .get_long()
        .is_some_and(|long| !of_layout.contains(&long));
    argument.hide(hidden)
}

/// Flags of `fix`. Those about templates' content are accepted, as they are everywhere.
#[derive(Debug, Args)]
#[command(mut_args(|argument| hide_all_but(argument, &["validate"])), after_help = fixers())]
pub struct FixArguments {
    /// Do not check the repaired template
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "true", default_missing_value = "true")]
    pub validate: bool,
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `hcl2_upgrade`. Those about templates' content are accepted, as they are everywhere.
#[derive(Debug, Args)]
#[command(mut_args(|argument| hide_all_but(argument, &["output-file", "with-annotations"])))]
pub struct Hcl2UpgradeArguments {
    /// The file to write; the template's name with .pkr.hcl behind it unless this is given
    #[arg(long, value_name = "path")]
    pub output_file: Option<PathBuf>,
    /// Explain the sections of the result in comments
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub with_annotations: bool,
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

fn fixers() -> String {
    let mut text = "Fixes, in the order in which they are made:\n\n".to_owned();
    for fixer in &host_upgrade::FIXERS {
        text.push_str(&format!("  {:<26} {}.\n", fixer.name, fixer.synopsis));
    }
    text
}

fn hide_all_but(argument: Arg, shown: &[&str]) -> Arg {
    let hidden = argument
        .get_long()
        .is_some_and(|long| !shown.contains(&long));
    argument.hide(hidden)
}

/// Flags of `inspect`.
#[derive(Debug, Args)]
pub struct InspectArguments {
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `plan`.
#[derive(Debug, Args)]
pub struct PlanArguments {
    /// Print the plan as data, for scripts
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub json: bool,
    /// Run data sources, whose results are unknown otherwise
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub evaluate_datasources: bool,
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

/// Flags of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArguments {
    /// Only read the template; look at nothing it says
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub syntax_only: bool,
    /// Do not warn about names in variable files that the template does not declare
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub no_warn_undeclared_var: bool,
    /// Print what is wrong as data, for editors and scripts
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub json: bool,
    /// Run data sources, whose results are placeholders otherwise
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true")]
    pub evaluate_datasources: bool,
    /// Leave development versions of plugins alone
    #[arg(long, value_name = "bool", num_args = 0..=1, require_equals = true, action = ArgAction::Set,
          default_value = "false", default_missing_value = "true", hide = true)]
    pub ignore_prerelease_plugins: bool,
    /// Flags about the template.
    #[command(flatten)]
    pub template: TemplateArguments,
}

fn config_type(text: &str) -> Result<ConfigType, String> {
    match text {
        "json" => Ok(ConfigType::Json),
        "hcl2" => Ok(ConfigType::Hcl2),
        other => Err(format!("`{other}` is neither json nor hcl2")),
    }
}

/// What a command line amounts to.
#[derive(Debug)]
pub enum Parsed {
    /// Do this.
    Run(Box<Request>),
    /// Print this help: it was asked for.
    Help(String),
    /// Print this text and help: the command line is wrong.
    Usage(String, String),
    /// There is no such command; print the root help.
    NoCommand(String),
}

/// Reads the words behind the program's name.
pub fn parse(words: &[String]) -> Parsed {
    let root = Cli::command();
    let asks_help = |word: &String| matches!(word.as_str(), "-h" | "-help" | "--help");
    let Some(first) = words.first() else {
        return Parsed::NoCommand(root_help(&root));
    };
    if !first.starts_with('-') {
        let Some(command) = root.find_subcommand(first) else {
            if words.iter().any(asks_help) {
                return Parsed::Help(root_help(&root));
            }
            return Parsed::NoCommand(unknown_command(&root, first));
        };
        if words.iter().any(asks_help) {
            return Parsed::Help(command_help(command));
        }
        return parse_command(command, first, &words[1..]);
    }
    if words.iter().any(asks_help) {
        let named = words.iter().find_map(|word| root.find_subcommand(word));
        return Parsed::Help(named.map_or_else(|| root_help(&root), command_help));
    }
    match words.iter().find_map(|word| root.find_subcommand(word)) {
        Some(command) => Parsed::Usage(
            "Invalid flags before the subcommand. Flags belong behind it, for example `kiln build \
             -force template`."
                .to_owned(),
            command_help(command),
        ),
        None if matches!(first.as_str(), "-v" | "-version" | "--version") => {
            Parsed::Run(Box::new(Request::Version))
        }
        None => Parsed::NoCommand(root_help(&root)),
    }
}

fn parse_command(command: &Command, name: &str, words: &[String]) -> Parsed {
    let spelled = match spell_for_clap(command, words) {
        Ok(spelled) => spelled,
        Err(message) => return Parsed::Usage(message, command_help(command)),
    };
    let all = ["kiln".to_owned(), name.to_owned()]
        .into_iter()
        .chain(spelled);
    match Cli::command()
        .try_get_matches_from(all)
        .and_then(|found| Cli::from_arg_matches(&found))
    {
        Ok(cli) => Parsed::Run(Box::new(cli.command)),
        Err(error) => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            let message = first.trim_start_matches("error: ").replace("--", "-");
            Parsed::Usage(message, command_help(command))
        }
    }
}

/// Rewrites flags as `--name=value` or `--name`; everything from the first word that is no flag
/// comes behind `--`.
fn spell_for_clap(command: &Command, words: &[String]) -> Result<Vec<String>, String> {
    let mut spelled = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let bare = match word.strip_prefix('-') {
            None | Some("") => {
                spelled.extend(["--".to_owned(), word.clone()]);
                break;
            }
            Some("-") => {
                spelled.push(word.clone());
                break;
            }
            Some(bare) => bare.strip_prefix('-').unwrap_or(bare),
        };
        let (name, value) = match bare.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (bare, None),
        };
        let known = command
            .get_arguments()
            .find(|argument| argument.get_long() == Some(name));
        let Some(argument) = known else {
            return Err(unknown_flag(command, name));
        };
        let boolean = argument
            .get_num_args()
            .is_some_and(|count| count.min_values() == 0);
        match (value, boolean) {
            (Some(value), _) => spelled.push(format!("--{name}={value}")),
            (None, true) => spelled.push(format!("--{name}")),
            (None, false) => match rest.next() {
                Some(value) => spelled.push(format!("--{name}={value}")),
                None => return Err(format!("flag needs an argument: -{name}")),
            },
        }
    }
    spelled.extend(rest.cloned());
    Ok(spelled)
}

fn unknown_flag(command: &Command, name: &str) -> String {
    let names = command.get_arguments().filter_map(Arg::get_long);
    let hint = host_diag::nearest(name, names).map(|near| format!(" (did you mean -{near}?)"));
    format!(
        "flag provided but not defined: -{name}{}",
        hint.unwrap_or_default()
    )
}

fn unknown_command(root: &Command, name: &str) -> String {
    let near = host_diag::nearest(name, root.get_subcommands().map(Command::get_name));
    let hint = near
        .map(|near| format!(" Did you mean `{near}`?"))
        .unwrap_or_default();
    format!("There is no command `{name}`.{hint}\n\n{}", root_help(root))
}

/// The help of a command; empty when there is no such command.
pub fn help_of(name: &str) -> String {
    Cli::command()
        .find_subcommand(name)
        .map(command_help)
        .unwrap_or_default()
}

fn root_help(root: &Command) -> String {
    let mut help =
        "Usage: kiln [--version] [--help] <command> [<args>]\n\nAvailable commands are:\n"
            .to_owned();
    for command in root.get_subcommands() {
        let about = command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        help.push_str(&format!("    {:<12} {about}\n", command.get_name()));
    }
    help
}

fn command_help(command: &Command) -> String {
    let takes_template = command
        .get_arguments()
        .any(|argument| argument.is_positional());
    let tail = if takes_template {
        " [options] TEMPLATE"
    } else {
        ""
    };
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut help = format!("Usage: kiln {}{tail}\n\n  {about}.\n", command.get_name());
    let mut options = String::new();
    for argument in command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set())
    {
        let Some(long) = argument.get_long() else {
            continue;
        };
        let boolean = argument
            .get_num_args()
            .is_some_and(|count| count.min_values() == 0);
        let default = argument
            .get_default_values()
            .first()
            .and_then(|value| value.to_str());
        let value = match (boolean, argument.get_value_names()) {
            (true, _) if default == Some("true") => "=false".to_owned(),
            (false, Some([name, ..])) => format!("={name}"),
            _ => String::new(),
        };
        let text = argument
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        options.push_str(&format!("  {:<28} {text}.\n", format!("-{long}{value}")));
    }
    if !options.is_empty() {
        help.push_str(&format!("\nOptions:\n\n{options}"));
    }
    if let Some(more) = command.get_after_help() {
        help.push_str(&format!("\n{more}"));
    }
    help
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn build(text: &str) -> BuildArguments {
        match parse(&words(text)) {
            Parsed::Run(request) => match *request {
                Request::Build(arguments) => arguments,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_are_read_as_go_reads_them() {
        let text =
            "build -var a=1=2 --var=b=3 -only=x,y -only z -color=false -force -on-error ask t";
        let found = build(text);
        assert_eq!(found.template.var, ["a=1=2", "b=3"]);
        assert_eq!(found.template.only, ["x", "y", "z"]);
        assert!(!found.color && found.force && !found.debug);
        assert_eq!(found.on_error, "ask");
        assert_eq!(found.template.template, ["t"]);
    }

    #[test]
    fn nothing_is_a_flag_behind_the_template() {
        assert_eq!(build("build t -force").template.template, ["t", "-force"]);
        assert_eq!(build("build -force - x").template.template, ["-", "x"]);
    }

    #[test]
    fn a_value_may_begin_with_a_dash() {
        assert_eq!(build("build -var -x=-1 t").template.var, ["-x=-1"]);
        assert_eq!(build("build -parallel-builds -1 t").parallel_builds, -1);
    }

    #[test]
    fn wrong_flags_are_named() {
        let usage = |text: &str| match parse(&words(text)) {
            Parsed::Usage(message, _) => message,
            other => panic!("{other:?}"),
        };
        let unknown = "flag provided but not defined: -forse (did you mean -force?)";
        assert_eq!(usage("build -forse t"), unknown);
        assert_eq!(usage("build -var"), "flag needs an argument: -var");
        assert!(usage("-force build t").starts_with("Invalid flags before the subcommand."));
        assert!(usage("build -color=maybe t").contains("maybe"));
    }

    #[test]
    fn commands_that_do_not_exist_are_told_apart_from_help() {
        assert!(matches!(parse(&[]), Parsed::NoCommand(_)));
        assert!(
            matches!(parse(&words("biuld")), Parsed::NoCommand(text) if text.contains("`build`"))
        );
        assert!(matches!(parse(&words("--help")), Parsed::Help(_)));
        assert!(matches!(parse(&words("build -h")), Parsed::Help(text) if text.contains("-var")));
        assert!(matches!(parse(&words("--version")), Parsed::Run(_)));
    }
}
