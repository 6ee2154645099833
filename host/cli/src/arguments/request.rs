//! From the words of the command line to what the user asked for.

use clap::{Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::commands::{
    BuildArguments, ConsoleArguments, FixArguments, FmtArguments, Hcl2UpgradeArguments,
    InspectArguments, LspArguments, PlanArguments, ValidateArguments, VerifyAttestationArguments,
};
use super::flags::{refused, spell_for_clap};
use super::help::{command_help, root_help};
use super::plugins::{InitArguments, PluginsArguments};

/// What clap reads.
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
    /// Try out expressions with a template's variables
    Console(ConsoleArguments),
    /// Print a JSON template with outdated options repaired
    Fix(FixArguments),
    /// Rewrite HCL2 files in canonical layout
    Fmt(FmtArguments),
    /// Remove what crashed runs left behind
    Gc,
    /// Translate a JSON template into HCL2
    #[command(name = "hcl2_upgrade")]
    Hcl2Upgrade(Hcl2UpgradeArguments),
    /// Install the plugins that a template asks for
    Init(InitArguments),
    /// See the components of a template
    Inspect(InspectArguments),
    /// Serve an editor: what is wrong, what can be written, what it means
    Lsp(LspArguments),
    /// Show what a template would run, without running it
    Plan(PlanArguments),
    /// Work with plugins
    #[command(alias = "plugin")]
    Plugins(PluginsArguments),
    /// Check that a template is valid
    Validate(ValidateArguments),
    /// Verify a signed attestation, and that files are what it is about
    VerifyAttestation(VerifyAttestationArguments),
    /// Print the version
    Version,
}

/// What a command line amounts to.
#[derive(Debug)]
pub enum Parsed {
    /// Do this.
    Run(Box<Request>),
    /// Make shells complete kiln's command lines.
    InstallCompletion,
    /// Undo that.
    UninstallCompletion,
    /// Print this help: it was asked for.
    Help(String),
    /// Print this text: the command line is wrong.
    Usage(String),
    /// Print this text: there is no such command.
    NoCommand(String),
}

/// All commands with their flags.
pub fn command_line() -> Command {
    Cli::command()
}

/// Reads the words behind the program's name.
pub fn parse(words: &[String]) -> Parsed {
    let root = command_line();
    let top = Top::read(words);
    if top.version {
        return Parsed::Run(Box::new(Request::Version));
    }
    if top.help && top.command.is_none() {
        return Parsed::Help(root_help(&root));
    }
    match (top.install, top.uninstall) {
        (true, true) => {
            let text = "Either the autocomplete install or uninstall flag may be specified, but \
                        not both.";
            return Parsed::Usage(text.to_owned());
        }
        (true, false) => return Parsed::InstallCompletion,
        (false, true) => return Parsed::UninstallCompletion,
        (false, false) => {}
    }
    let Some((name, rest)) = top.command else {
        return Parsed::NoCommand(no_command(&root, top.flags.first().copied()));
    };
    let Some(command) = root.find_subcommand(name) else {
        return Parsed::NoCommand(unknown_command(&root, name));
    };
    let (path, command, rest) = match below(command, rest) {
        Below::Itself => (vec![command.get_name()], command, rest),
        Below::One(below, rest) => (vec![command.get_name(), below.get_name()], below, rest),
        Below::Wrong(_) if top.help => {
            return Parsed::Help(command_help(command, command.get_name()));
        }
        Below::Wrong(message) => {
            let help = command_help(command, command.get_name());
            return Parsed::Usage(format!("{message}{help}"));
        }
    };
    let full_name = path.join(" ");
    if top.help {
        return Parsed::Help(command_help(command, &full_name));
    }
    if !top.flags.is_empty() {
        return Parsed::Usage(format!(
            "{FLAGS_TOO_EARLY}\n\n{}",
            command_help(command, &full_name)
        ));
    }
    parse_command(command, &path, rest)
}

/// What flags before a command are answered with.
const FLAGS_TOO_EARLY: &str = "Invalid flags before the subcommand. Flags belong behind it, for \
                               example `kiln build -force template`.";

/// What stands behind the name of a command that may have commands below it.
enum Below<'a> {
    /// It has none.
    Itself,
    /// This one, and the words behind it.
    One(&'a Command, &'a [String]),
    /// None that exists; what to say of it, which is nothing when nothing stands there.
    Wrong(String),
}

fn below<'a>(command: &'a Command, words: &'a [String]) -> Below<'a> {
    if !command.has_subcommands() {
        return Below::Itself;
    }
    let Some((first, rest)) = words.split_first() else {
        return Below::Wrong(String::new());
    };
    if let Some(found) = command.find_subcommand(first) {
        return Below::One(found, rest);
    }
    if first.starts_with('-') {
        return Below::Wrong(format!("{FLAGS_TOO_EARLY}\n\n"));
    }
    let names = command.get_subcommands().map(Command::get_name);
    let near = host_diag::nearest(first, names);
    let hint = near
        .map(|near| format!(" Did you mean `{near}`?"))
        .unwrap_or_default();
    let name = command.get_name();
    Below::Wrong(format!("There is no command `{name} {first}`.{hint}\n\n"))
}

/// The words around the command.
#[derive(Default)]
struct Top<'a> {
    help: bool,
    version: bool,
    install: bool,
    uninstall: bool,
    /// Other flags before the command.
    flags: Vec<&'a str>,
    /// The command's name and what stands behind it.
    command: Option<(&'a str, &'a [String])>,
}

impl<'a> Top<'a> {
    /// Help can be asked for anywhere up to `--`; all else counts only before the command.
    fn read(words: &'a [String]) -> Self {
        let mut top = Self::default();
        for (index, word) in words.iter().enumerate() {
            let before = top.command.is_none();
            match word.as_str() {
                "--" => break,
                "-h" | "-help" | "--help" => top.help = true,
                "-v" | "-version" | "--version" if before => top.version = true,
                "-autocomplete-install" if before => top.install = true,
                "-autocomplete-uninstall" if before => top.uninstall = true,
                flag if before && flag.starts_with('-') => top.flags.push(flag),
                "" => {}
                name if before => top.command = Some((name, &words[index + 1..])),
                _ => {}
            }
        }
        top
    }
}

fn parse_command(command: &Command, path: &[&str], words: &[String]) -> Parsed {
    let name = path.join(" ");
    if name == "version" {
        // Packer looks at nothing behind it either.
        return Parsed::Run(Box::new(Request::Version));
    }
    let wrong = |message: &str| {
        let help = command_help(command, &name);
        Parsed::Usage(format!("{message}\n\n{help}"))
    };
    let spelled = match spell_for_clap(command, words) {
        Ok(spelled) => spelled,
        Err(message) => return wrong(&message),
    };
    let all = ["kiln"].iter().chain(path).map(|word| (*word).to_owned());
    let all = all.chain(spelled);
    match command_line()
        .try_get_matches_from(all)
        .and_then(|found| Cli::from_arg_matches(&found))
    {
        Ok(cli) => Parsed::Run(Box::new(cli.command)),
        Err(error) => wrong(&refused(command, &error)),
    }
}

/// Packer prints its help for a command that does not exist, and says nothing of it.
fn unknown_command(root: &Command, name: &str) -> String {
    let near = host_diag::nearest(name, root.get_subcommands().map(Command::get_name));
    let hint = near
        .map(|near| format!(" Did you mean `{near}`?"))
        .unwrap_or_default();
    format!("{}\nThere is no command `{name}`.{hint}", root_help(root))
}

fn no_command(root: &Command, flag: Option<&str>) -> String {
    let help = root_help(root);
    let Some(flag) = flag else {
        return help;
    };
    let known = [
        "help",
        "version",
        "machine-readable",
        "autocomplete-install",
        "autocomplete-uninstall",
    ];
    let near = host_diag::nearest(flag.trim_start_matches('-'), known);
    let hint = near
        .map(|near| format!(" Did you mean `-{near}`?"))
        .unwrap_or_default();
    format!("{help}\nThere is no command in this line, and `{flag}` alone is none.{hint}")
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

    fn usage(text: &str) -> String {
        match parse(&words(text)) {
            Parsed::Usage(message) => message,
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
    fn booleans_are_spelled_as_in_go() {
        for (value, expected) in [("T", true), ("1", true), ("FALSE", false), ("0", false)] {
            assert_eq!(build(&format!("build -force={value} t")).force, expected);
        }
    }

    #[test]
    fn nothing_is_a_flag_behind_the_template() {
        assert_eq!(build("build t -force").template.template, ["t", "-force"]);
        assert_eq!(build("build -force - x").template.template, ["-", "x"]);
        assert_eq!(build("build -- -h").template.template, ["-h"]);
    }

    #[test]
    fn a_value_may_begin_with_a_dash() {
        assert_eq!(build("build -var -x=-1 t").template.var, ["-x=-1"]);
        assert_eq!(build("build -parallel-builds -1 t").parallel_builds, -1);
    }

    #[test]
    fn the_first_line_about_a_wrong_flag_is_gos() {
        let first = |text: &str| {
            let all = usage(text);
            all.lines().next().unwrap_or_default().to_owned()
        };
        let unknown = "flag provided but not defined: -forse";
        assert_eq!(first("build -forse t"), unknown);
        assert_eq!(first("build -var"), "flag needs an argument: -var");
        assert_eq!(first("build ---var t"), "bad flag syntax: ---var");
        assert_eq!(first("build -=a t"), "bad flag syntax: -=a");
        assert_eq!(
            first("build -color=maybe t"),
            "invalid boolean value \"maybe\" for -color: parse error"
        );
        assert_eq!(
            first("build -parallel-builds=x t"),
            "invalid value \"x\" for flag -parallel-builds: parse error"
        );
        assert!(first("-force build t").starts_with("Invalid flags before the subcommand."));
    }

    #[test]
    fn the_second_line_about_a_wrong_flag_helps() {
        let second = |text: &str| {
            let all = usage(text);
            all.lines().nth(1).unwrap_or_default().to_owned()
        };
        assert_eq!(second("build -forse t"), "Did you mean -force?");
        assert_eq!(second("build -color=maybe t"), "It takes true or false.");
        assert_eq!(
            second("build -config-type=yaml t"),
            "It takes json or hcl2."
        );
        assert_eq!(second("build -xyzzy t"), "");
    }

    #[test]
    fn commands_that_do_not_exist_are_told_apart_from_help() {
        assert!(matches!(parse(&[]), Parsed::NoCommand(_)));
        let ends = |text: &str, end: &str| match parse(&words(text)) {
            Parsed::NoCommand(found) => assert!(found.ends_with(end), "{found}"),
            other => panic!("{other:?}"),
        };
        ends("biuld", "Did you mean `build`?");
        ends("-verison", "Did you mean `-version`?");
        ends("xyzzy", "There is no command `xyzzy`.");
        assert!(matches!(parse(&words("--help")), Parsed::Help(_)));
        assert!(matches!(parse(&words("build -h")), Parsed::Help(text) if text.contains("-var")));
        assert!(matches!(parse(&words("-h build")), Parsed::Help(text) if text.contains("-var")));
    }

    #[test]
    fn commands_below_a_command_are_found() {
        let text = |line: &str| match parse(&words(line)) {
            Parsed::Help(text) | Parsed::Usage(text) => text,
            other => panic!("{other:?}"),
        };
        assert!(text("plugins -h").starts_with("Usage: kiln plugins <subcommand>"));
        assert!(text("plugins").starts_with("Usage: kiln plugins <subcommand>"));
        assert!(text("plugin installed -h").starts_with("Usage: kiln plugins installed"));
        assert!(text("-h plugins installed").starts_with("Usage: kiln plugins installed"));
        let unknown = text("plugins instaled");
        assert!(unknown.starts_with("There is no command `plugins instaled`. Did you mean"));
        assert!(text("plugins -force install x").starts_with("Invalid flags before"));
        assert!(text("plugins installed -forse").starts_with("flag provided but not defined"));
        let parsed = parse(&words("plugin installed"));
        assert!(
            matches!(&parsed, Parsed::Run(request) if matches!(**request, Request::Plugins(_))),
            "{parsed:?}"
        );
    }

    #[test]
    fn the_version_is_asked_for_before_everything_else() {
        for text in ["--version", "-v build", "-v -x", "version -x"] {
            let parsed = parse(&words(text));
            assert!(
                matches!(&parsed, Parsed::Run(request) if matches!(**request, Request::Version)),
                "{text}: {parsed:?}"
            );
        }
        assert!(matches!(parse(&words("build -v t")), Parsed::Usage(_)));
    }

    #[test]
    fn completion_is_installed_or_uninstalled_but_not_both() {
        let install = "-autocomplete-install";
        let uninstall = "-autocomplete-uninstall";
        assert!(matches!(parse(&words(install)), Parsed::InstallCompletion));
        assert!(matches!(
            parse(&words(uninstall)),
            Parsed::UninstallCompletion
        ));
        assert!(usage(&format!("{install} {uninstall}")).contains("not both"));
    }
}
