//! What shells are told while a command line of kiln is typed.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;
use kiln_tests::kiln::program_folder;
use kiln_tests::terminal::Terminal;
use kiln_tests::{Kiln, tools};

const TEMPLATE: &str = r#"
variable "region" { default = "eu-west-1" }
variable "unset" { type = string }
variable "token" {
  default   = "hunter2hunter2"
  sensitive = true
}
source "null" "one" { communicator = "none" }
source "null" "two" { communicator = "none" }
build { sources = ["null.one", "null.two"] }
"#;

const JSON: &str = r#"{
  "variables": {"region": "x", "needed": null},
  "builders": [{"type": "null", "name": "first"}, {"type": "null", "name": "second"}]
}"#;

fn world() -> Kiln {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", TEMPLATE);
    kiln.write("old.json", JSON);
    kiln.write("my values.pkrvars.hcl", "");
    kiln.write("notes.txt", "");
    kiln.write("images/deep.pkr.yaml", "");
    kiln
}

/// The candidates for a line with the cursor at `¦`, or at its end.
fn at(kiln: &Kiln, line: &str) -> Result<Vec<String>> {
    let cursor = line.chars().position(|c| c == '¦');
    let line = line.replace('¦', "");
    let cursor = cursor.unwrap_or_else(|| line.chars().count());
    let mut command = Command::new(program_folder().join("kiln"));
    kiln.surround(&mut command);
    command.env("COMP_LINE", &line);
    command.env("COMP_POINT", cursor.to_string());
    let output = command.output()?;
    assert!(output.status.success(), "{line}: {output:?}");
    assert!(output.stderr.is_empty(), "{line}: {output:?}");
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn check(line: &str, expected: &[&str]) -> Result<()> {
    assert_eq!(at(&world(), line)?, expected, "{line}");
    Ok(())
}

#[test]
fn commands_and_their_flags_are_offered() -> Result<()> {
    check("kiln va", &["validate"])?;
    check("kiln -v", &["-version"])?;
    check("kiln -autocomplete-i", &["-autocomplete-install"])?;
    check("kiln build -f", &["-force"])?;
    check("kiln build --f", &["--force"])?;
    check("kiln build -force -f", &[])?;
    check("kiln build -var a=b -va", &["-var", "-var-file"])?;
    check("kiln nosuch ", &[])?;
    check("kiln version ", &[])?;
    check("kiln ver", &["verify-attestation", "version"])?;
    check("kiln verify-attestation -t", &["-type"])?;
    check(
        "kiln verify-attestation -signing-mode k",
        &["key", "keyless", "kms"],
    )?;
    let all = at(&world(), "kiln ")?;
    for name in [
        "build",
        "console",
        "fmt",
        "hcl2_upgrade",
        "inspect",
        "plan",
        "validate",
    ] {
        assert!(all.iter().any(|found| found == name), "{all:?}");
    }
    Ok(())
}

#[test]
fn values_are_offered_behind_a_flag_and_behind_its_equals_sign() -> Result<()> {
    let all = ["abort", "ask", "cleanup", "run-cleanup-provisioner"];
    check("kiln build -on-error ", &all)?;
    check("kiln build -on-error=cl", &["-on-error=cleanup"])?;
    check("kiln build --config-type=h", &["--config-type=hcl2"])?;
    check("kiln build -color=", &["-color=false", "-color=true"])?;
    check("kiln build -parallel-builds=", &[])
}

#[test]
fn files_are_offered_that_the_place_is_for() -> Result<()> {
    check("kiln build ", &["images/", "old.json", "t.pkr.hcl"])?;
    check("kiln build im", &["images/", "images/deep.pkr.yaml"])?;
    check("kiln fix ", &["images/", "old.json"])?;
    check("kiln fmt t.pkr.hcl m", &["my\\ values.pkrvars.hcl"])?;
    check(
        "kiln build -var-file=m",
        &["-var-file=my\\ values.pkrvars.hcl"],
    )?;
    check("kiln build -var-file 'my", &["my values.pkrvars.hcl"])?;
    check("kiln build t.pkr.hcl ", &[])?;
    check("kiln build t.pkr.hcl -f", &[])
}

#[test]
fn names_come_from_the_template() -> Result<()> {
    let all = ["region=", "region=eu-west-1", "token=", "unset="];
    check("kiln build -var ", &all)?;
    check("kiln build -var reg", &["region=", "region=eu-west-1"])?;
    check("kiln build -only=", &["-only=null.one", "-only=null.two"])?;
    check("kiln build -except null.one,", &["null.one,null.two"])?;
    // The template may stand behind the cursor.
    let kiln = world();
    assert_eq!(at(&kiln, "kiln build -only=f¦ old.json")?, ["-only=first"]);
    let line = "kiln validate -var ¦ old.json";
    assert_eq!(at(&kiln, line)?, ["needed=", "region=", "region=x"]);
    // No template of that name, or none that could be read without waiting.
    assert!(at(&kiln, "kiln validate -var ¦ nosuch.json")?.is_empty());
    assert!(at(&kiln, "kiln validate -var ¦ -")?.is_empty());
    Ok(())
}

#[test]
fn nothing_bad_comes_of_bad_input() -> Result<()> {
    let kiln = world();
    kiln.write("broken/x.pkr.hcl", "source {{{ \"");
    for line in [
        "kiln build -only= broken/",
        "kiln build 'unfinished",
        "kiln build \\",
        "kiln \u{7f}\u{1}",
        "ü ü ü",
    ] {
        at(&kiln, line)?;
    }
    // An empty line is no question.
    let mut command = Command::new(program_folder().join("kiln"));
    kiln.surround(&mut command);
    let output = command.env("COMP_LINE", "").output()?;
    assert_eq!(output.status.code(), Some(127), "{output:?}");
    tools::output(
        "mkfifo",
        &[&kiln.work().join("broken/y.pkr.hcl").display().to_string()],
    )?;
    let begun = Instant::now();
    assert!(at(&kiln, "kiln build -only=")?.len() == 2);
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    Ok(())
}

#[test]
fn shells_files_are_changed_once_and_put_back() -> Result<()> {
    let kiln = Kiln::new();
    let home = kiln.root().join("home");
    drop(
        kiln.run(&["-autocomplete-install"])?
            .failure()
            .says("No shell was found"),
    );
    let (bash, zsh) = (home.join(".bashrc"), home.join(".zshrc"));
    std::fs::write(&bash, "export A=1\n")?;
    std::fs::write(&zsh, "export B=1")?;
    std::fs::create_dir_all(home.join(".config/fish"))?;
    let fish = home.join(".config/fish/completions/kiln.fish");
    for _ in 0..2 {
        drop(kiln.run(&["-autocomplete-install"])?.success());
        let text = std::fs::read_to_string(&bash)?;
        let program = program_folder().join("kiln").canonicalize()?;
        let line = format!("complete -C {} kiln\n", program.display());
        assert_eq!(text, format!("export A=1\n{line}"));
        let text = std::fs::read_to_string(&zsh)?;
        assert!(
            text.starts_with("export B=1\n") && text.ends_with(&line),
            "{text}"
        );
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(std::fs::read_to_string(&fish)?.contains("complete -f -c kiln"));
    }
    drop(kiln.run(&["-autocomplete-uninstall"])?.success());
    assert_eq!(std::fs::read_to_string(&bash)?, "export A=1\n");
    assert_eq!(std::fs::read_to_string(&zsh)?, "export B=1\n");
    assert!(!fish.exists());
    let again = kiln.run(&["-autocomplete-uninstall"])?.success();
    drop(again.says("Nothing had to be changed."));
    Ok(())
}

/// A shell with completion installed, that has read its files.
fn shell(kiln: &Kiln, words: &[&str], rc: &str, prompt: &str) -> Result<Terminal> {
    let home = kiln.root().join("home");
    let rc = home.join(rc);
    std::fs::create_dir_all(rc.parent().expect("a file has a folder"))?;
    std::fs::write(&rc, prompt)?;
    drop(kiln.run(&["-autocomplete-install"])?.success());
    let mut command = Command::new("setsid");
    command.args(["--ctty", "--wait"]).args(words);
    let mut terminal = Terminal::start(kiln, command)?;
    terminal.wait_for("ready$ ")?;
    Ok(terminal)
}

/// Types the beginning of a line and waits for the rest, which the shell adds.
fn completes(terminal: &mut Terminal, typed: &str, rest: &str) -> Result<()> {
    terminal.press(typed)?;
    // Some shells draw each word by itself.
    let last = typed.rsplit(' ').next().unwrap_or_default();
    terminal.wait_for(last)?;
    terminal.press("\t")?;
    terminal.wait_for(rest)?;
    terminal.press("\u{15}")
}

#[test]
fn bash_completes_what_kiln_says() -> Result<()> {
    let kiln = world();
    let words = ["bash", "--noprofile", "-i"];
    let mut bash = shell(&kiln, &words, ".bashrc", "PS1='ready$ '\n")?;
    completes(&mut bash, "kiln vali", "date ")?;
    completes(&mut bash, "kiln build -on-error=cl", "eanup ")?;
    completes(
        &mut bash,
        "kiln build -var-file=my",
        "\\ values.pkrvars.hcl ",
    )?;
    completes(
        &mut bash,
        "kiln build -var-file 'my",
        " values.pkrvars.hcl' ",
    )?;
    completes(&mut bash, "kiln build images/d", "eep.pkr.yaml ")?;
    completes(&mut bash, "kiln build -only=null.o", "ne ")?;
    bash.press("exit\r")?;
    drop(bash.finish()?);
    Ok(())
}

#[test]
fn zsh_completes_what_kiln_says() -> Result<()> {
    if !tools::installed(&["zsh"]) {
        return Ok(());
    }
    let kiln = world();
    let mut zsh = shell(&kiln, &["zsh", "-i"], ".zshrc", "PS1='ready$ '\n")?;
    completes(&mut zsh, "kiln vali", "date")?;
    completes(&mut zsh, "kiln build -on-error=cl", "eanup")?;
    zsh.press("exit\r")?;
    drop(zsh.finish()?);
    Ok(())
}

#[test]
fn fish_completes_what_kiln_says() -> Result<()> {
    if !tools::installed(&["fish"]) {
        return Ok(());
    }
    let mut kiln = world();
    // fish completes only commands that it can find.
    let path = format!("{}:/usr/bin:/bin", program_folder().display());
    kiln.env("PATH", &path);
    let prompt = "function fish_prompt; echo -n 'ready$ '; end\n";
    let mut fish = shell(&kiln, &["fish", "-i"], ".config/fish/config.fish", prompt)?;
    completes(&mut fish, "kiln vali", "date")?;
    fish.press("exit\r")?;
    drop(fish.finish()?);
    Ok(())
}
