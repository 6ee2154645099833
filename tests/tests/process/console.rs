//! `kiln console`: through a pipe, from a file, on a terminal.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use anyhow::Result;
use kiln_tests::kiln::program_folder;
use kiln_tests::terminal::Terminal;
use kiln_tests::{Finished, Kiln};

const TEMPLATE: &str = r#"
variable "region" { default = "eu-west-1" }
variable "unset" { type = string }
variable "tags" { default = { owner = "images", stage = "test" } }
variable "token" {
  default   = "hunter2hunter2"
  sensitive = true
}
locals { loud = upper(var.region) }
source "null" "n" { communicator = "none" }
build { sources = ["null.n"] }
"#;

const JSON: &str = r#"{
  "variables": {"region": "eu-west-1", "token": "hunter2hunter2"},
  "sensitive-variables": ["token"],
  "builders": [{"type": "null", "communicator": "none"}]
}"#;

/// Runs the console with `input` through a pipe or, with a `<`, from a file.
fn fed(kiln: &Kiln, how: &str, input: &str, words: &[&str]) -> Result<Finished> {
    kiln.write("input", input);
    let script = match how {
        "|" => r#"cat input | "$0" console "$@""#,
        _ => r#""$0" console "$@" < input"#,
    };
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .arg(program_folder().join("kiln"))
        .args(words);
    kiln.start_command(command)?
        .finish(std::time::Duration::from_secs(60))
}

fn piped(input: &str, words: &[&str]) -> Result<Finished> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", TEMPLATE);
    kiln.write("t.json", JSON);
    fed(&kiln, "|", input, words)
}

fn check(input: &str, words: &[&str], code: i32, stdout: &str) -> Result<()> {
    let finished = piped(input, words)?;
    assert_eq!(finished.code(), code, "{input}: {finished}");
    assert_eq!(finished.stdout, stdout, "{input}");
    assert_eq!(finished.stderr, "", "{input}");
    Ok(())
}

#[test]
fn expressions_are_evaluated_with_the_templates_values() -> Result<()> {
    let hcl = |input: &str, stdout: &str| check(input, &["t.pkr.hcl"], 0, stdout);
    hcl("var.region", "eu-west-1\n")?;
    hcl("local.loud", "EU-WEST-1\n")?;
    hcl("[var.region, 1 + 1]\n", "[\n  \"eu-west-1\",\n  2,\n]\n")?;
    hcl(
        "var.tags",
        "{\n  \"owner\" = \"images\"\n  \"stage\" = \"test\"\n}\n",
    )?;
    hcl("var.token", "<sensitive>\n")?;
    hcl("\"token ${var.token}\"", "<sensitive>\n")?;
    hcl("var.unset", "<unknown>\n")?;
    hcl(
        "type(var.tags)",
        "object({owner = string, stage = string})\n",
    )?;
    hcl("type([var.token])", "tuple([string])\n")?;
    hcl("packer.version", "1.16.0\n")?;
    check(
        "var.region",
        &["-var", "region=here", "t.pkr.hcl"],
        0,
        "here\n",
    )
}

#[test]
fn a_template_is_not_needed() -> Result<()> {
    check("upper(\"a\")", &["-config-type=hcl2"], 0, "A\n")?;
    check("{{upper `a`}}", &[], 0, "A\n")
}

#[test]
fn template_calls_are_rendered_with_the_variables_of_json() -> Result<()> {
    check("in {{user `region`}}", &["t.json"], 0, "in eu-west-1\n")?;
    check("{{user `token`}}", &["t.json"], 0, "<sensitive>\n")?;
    let finished = piped("{{ nosuch }}", &["t.json"])?.failure();
    let finished = finished.says("Error: Interpolation error");
    drop(finished.says("   1: {{ nosuch }}\n         ^"));
    Ok(())
}

#[test]
fn a_pipe_gets_the_last_result_only() -> Result<()> {
    check("1\n2\n3\n", &["t.pkr.hcl"], 0, "3\n")?;
    check("1\nexit\n", &["t.pkr.hcl"], 0, "\n")?;
    check("", &["t.pkr.hcl"], 0, "")
}

#[test]
fn a_problem_shows_the_line_and_fails_the_pipe() -> Result<()> {
    let finished = piped("var.regoin\nvar.region\n", &["t.pkr.hcl"])?.failure();
    let finished = finished.says("on <console-input> line 1:\n   1: var.regoin\n");
    let finished = finished.says("^^^^");
    assert!(finished.stdout.ends_with("\neu-west-1\n"), "{finished}");
    // Data sources have no name in the console.
    drop(
        piped("data.http.x", &["t.pkr.hcl"])?
            .failure()
            .says("have no name here"),
    );
    Ok(())
}

#[test]
fn brackets_and_heredocs_may_span_lines() -> Result<()> {
    check("upper(\n  \"a\"\n)\n", &["t.pkr.hcl"], 0, "A\n")?;
    check(
        "<<EOT\nin ${var.region}\nEOT\n",
        &["t.pkr.hcl"],
        0,
        "in eu-west-1\n\n",
    )?;
    // One that never closes costs the lines behind it nothing.
    let finished = piped("upper(\nvar.region\n", &["t.pkr.hcl"])?.failure();
    assert!(finished.stdout.ends_with("\neu-west-1\n"), "{finished}");
    Ok(())
}

#[test]
fn a_file_is_a_session_that_ends_well() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", TEMPLATE);
    let finished = fed(
        &kiln,
        "<",
        "var.region\n\nnosuch\nexit\n1\n",
        &["t.pkr.hcl"],
    )?
    .success();
    assert!(
        finished.stdout.starts_with("eu-west-1\n\nError: "),
        "{finished}"
    );
    drop(finished.says("nosuch").lacks("\n1\n"));
    Ok(())
}

#[test]
fn commands_tell_what_there_is() -> Result<()> {
    let variables = "> input-variables:\n\n\
                     var.region: \"eu-west-1\"\n\
                     var.tags: \"{\\n  \\\"owner\\\" = \\\"images\\\"\\n  \\\"stage\\\" = \\\"test\\\"\\n}\"\n\
                     var.token: \"<sensitive>\"\n\
                     var.unset: \"<unknown>\"\n\n\
                     > local-variables:\n\n\
                     local.loud: \"EU-WEST-1\"\n\n";
    check("variables", &["t.pkr.hcl"], 0, variables)?;
    let variables = "\nregion: eu-west-1,\ntoken: <sensitive>,\n\n";
    check("variables", &["t.json"], 0, variables)?;
    drop(piped("help", &["t.pkr.hcl"])?.success().says("Ctrl-D"));
    drop(
        piped("help upper", &["t.pkr.hcl"])?
            .success()
            .says("upper("),
    );
    let near = piped("help uper", &["t.pkr.hcl"])?.success();
    drop(near.says("Did you mean `upper`?"));
    drop(
        piped("help functions", &["t.pkr.hcl"])?
            .success()
            .says("templatefile"),
    );
    Ok(())
}

#[test]
fn data_sources_are_read_and_locals_know_of_them() -> Result<()> {
    let kiln = Kiln::new();
    let template = "data \"null\" \"seen\" { input = \"from data\" }\n\
                    locals { seen = upper(data.null.seen.output) }\n";
    kiln.write("t.pkr.hcl", template);
    let finished = fed(&kiln, "|", "local.seen", &["t.pkr.hcl"])?.success();
    assert_eq!(finished.stdout, "FROM DATA\n");
    let runs = kiln.root().join("home/.local/state/kiln/runs");
    assert_eq!(
        std::fs::read_dir(runs)?.count(),
        0,
        "the run's folder is gone"
    );
    Ok(())
}

#[test]
fn yaml_templates_and_folders_are_taken_too() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.yaml",
        "variables: {region: here}\nbuilders: [{type: \"null\"}]\n",
    );
    kiln.write("folder/t.pkr.hcl", TEMPLATE);
    kiln.write("folder/x.auto.pkrvars.hcl", "region = \"there\"\n");
    let finished = fed(&kiln, "|", "{{user `region`}}", &["t.pkr.yaml"])?.success();
    assert_eq!(finished.stdout, "here\n");
    let finished = fed(&kiln, "|", "var.region", &["folder"])?.success();
    assert_eq!(finished.stdout, "there\n");
    Ok(())
}

#[test]
fn a_template_from_standard_input_is_refused() -> Result<()> {
    drop(
        piped("1", &["-"])?
            .failure()
            .says("must be a file or a folder"),
    );
    drop(piped("1", &["no.pkr.hcl"])?.failure().says("no.pkr.hcl"));
    Ok(())
}

/// The prompt with nothing behind it: the console waits for a line.
const PROMPT: &str = "> \r";

fn terminal(kiln: &Kiln, words: &[&str]) -> Result<Terminal> {
    let mut command = Command::new(program_folder().join("kiln"));
    command.arg("console").args(words);
    let mut terminal = Terminal::start(kiln, command)?;
    terminal.wait_for(PROMPT)?;
    Ok(terminal)
}

/// Presses keys that make a line and waits for its answer and for the next prompt.
fn asks(terminal: &mut Terminal, keys: &str, answer: &str) -> Result<()> {
    terminal.press(keys)?;
    terminal.wait_for(&format!("\n{answer}\r\n"))?;
    terminal.wait_for(PROMPT)
}

#[test]
fn a_terminal_has_history_completion_and_lines_that_go_on() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", TEMPLATE);
    let mut first = terminal(&kiln, &["t.pkr.hcl"])?;
    asks(&mut first, "upp\t\"a\")\r", "A")?;
    asks(&mut first, "var.reg\t\r", "eu-west-1")?;
    asks(&mut first, "length([1,\r2])\r", "2")?;
    asks(&mut first, "\"hunter2hunter2\"\r", "<sensitive>")?;
    // Ctrl-C drops a line with something in it, and leaves in an empty one.
    first.press("nonsense\u{3}")?;
    first.wait_for(PROMPT)?;
    asks(&mut first, "1 + 41\r", "42")?;
    first.press("\u{3}")?;
    assert_eq!(first.finish()?.0, 0);

    let history = kiln.root().join("home/.local/state/kiln/console_history");
    let mode = std::fs::metadata(&history)?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let kept = std::fs::read_to_string(&history)?;
    assert!(
        kept.contains("var.region") && kept.contains("1 + 41"),
        "{kept}"
    );
    assert!(
        !kept.contains("hunter2") && !kept.contains("nonsense"),
        "{kept}"
    );

    let mut second = terminal(&kiln, &["t.pkr.hcl"])?;
    // The last line again, then the one that is searched for.
    asks(&mut second, "\u{1b}[A\r", "42")?;
    asks(&mut second, "\u{12}upper\r", "A")?;
    second.press("\u{4}")?;
    assert_eq!(second.finish()?.0, 0);
    Ok(())
}

#[test]
fn lines_that_come_at_once_are_all_evaluated() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", TEMPLATE);
    let mut terminal = terminal(&kiln, &["t.pkr.hcl"])?;
    terminal.press("upper(\"first\")\rupper(\"second\")\rupper(\"third\")\r")?;
    for answer in ["FIRST", "SECOND", "THIRD"] {
        terminal.wait_for(answer)?;
    }
    terminal.press("exit\r")?;
    let (code, screen) = terminal.finish()?;
    assert_eq!(code, 0, "{screen}");
    Ok(())
}
