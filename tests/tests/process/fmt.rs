//! Formatting: what is printed, what is written, and the same bytes as Packer's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use kiln_tests::kiln::{Finished, program_folder, project};
use kiln_tests::{Kiln, tools};

const UGLY: &str = "a=1\nbb   = 2\n";
const PRETTY: &str = "a  = 1\nbb = 2\n";
const BROKEN: &str = "a = \n";

fn world() -> Kiln {
    let kiln = Kiln::new();
    for (name, text) in [
        ("d/a.pkr.hcl", UGLY),
        ("d/b.pkrvars.hcl", UGLY),
        ("d/c.pkr.hcl", PRETTY),
        ("d/.hidden.pkr.hcl", UGLY),
        ("d/other.hcl", UGLY),
        ("d/s/e.pkr.hcl", UGLY),
    ] {
        kiln.write(name, text);
    }
    kiln
}

fn text(kiln: &Kiln, name: &str) -> String {
    fs::read_to_string(kiln.work().join(name)).expect("a file of this test")
}

fn check(kiln: &Kiln, words: &[&str], code: i32, stdout: &str) -> Result<()> {
    let finished = kiln.run(words)?;
    assert_eq!(
        (finished.code(), finished.stdout.as_str()),
        (code, stdout),
        "{words:?}"
    );
    Ok(())
}

#[test]
fn files_are_rewritten_and_named() -> Result<()> {
    let kiln = world();
    check(&kiln, &["fmt", "./d/"], 0, "d/a.pkr.hcl\nd/b.pkrvars.hcl\n")?;
    assert_eq!(text(&kiln, "d/a.pkr.hcl"), PRETTY);
    assert_eq!(
        text(&kiln, "d/other.hcl") + &text(&kiln, "d/s/e.pkr.hcl"),
        [UGLY, UGLY].concat()
    );
    check(&kiln, &["fmt", "-recursive", "d"], 0, "d/s/e.pkr.hcl\n")?;
    check(&kiln, &["fmt", "-check", "-recursive", "d"], 0, "")?;
    check(
        &kiln,
        &["fmt", "d/.hidden.pkr.hcl", "d/c.pkr.hcl"],
        0,
        "d/.hidden.pkr.hcl\n",
    )
}

#[test]
fn a_check_writes_nothing_and_exits_with_3() -> Result<()> {
    let kiln = world();
    check(
        &kiln,
        &["fmt", "-check", "d"],
        3,
        "d/a.pkr.hcl\nd/b.pkrvars.hcl\n",
    )?;
    check(&kiln, &["fmt", "-check", "d/c.pkr.hcl"], 0, "")?;
    check(
        &kiln,
        &["fmt", "-write=false", "d"],
        0,
        "d/a.pkr.hcl\nd/b.pkrvars.hcl\n",
    )?;
    assert_eq!(text(&kiln, "d/a.pkr.hcl"), UGLY);
    Ok(())
}

#[test]
fn a_diff_says_what_changes_without_any_other_program() -> Result<()> {
    let mut kiln = world();
    kiln.env("PATH", "/nowhere");
    let diff = "d/a.pkr.hcl\n--- old/d/a.pkr.hcl\n+++ new/d/a.pkr.hcl\n@@ -1,2 +1,2 @@\n-a=1\n-bb   = 2\n+a  = 1\n+bb = 2\n";
    check(&kiln, &["fmt", "-check", "-diff", "d/a.pkr.hcl"], 3, diff)
}

#[test]
fn files_with_errors_stay_and_the_others_are_done() -> Result<()> {
    let kiln = world();
    kiln.write("d/a0.pkr.hcl", BROKEN);
    let finished = kiln
        .run(&["fmt", "d/other.hcl", "d", "d/none.pkr.hcl"])?
        .failure();
    let finished = finished
        .says("encountered an error while formatting d/other.hcl")
        .says("file d/other.hcl is not a HCL file")
        .says("encountered an error while formatting d/a0.pkr.hcl")
        .says("on d/a0.pkr.hcl line 1")
        .says("cannot read `d/none.pkr.hcl`")
        .says("d/b.pkrvars.hcl\n");
    assert_eq!(finished.stderr, "");
    assert_eq!(text(&kiln, "d/a0.pkr.hcl"), BROKEN);
    assert_eq!(text(&kiln, "d/b.pkrvars.hcl"), PRETTY);
    Ok(())
}

#[test]
fn wrong_usage_changes_nothing() -> Result<()> {
    let kiln = world();
    drop(
        kiln.run(&["fmt"])?
            .failure()
            .says("The path is missing")
            .says("-write=false"),
    );
    drop(
        kiln.run(&["fmt", "d", "-check"])?
            .failure()
            .says("`-check` stands behind a path"),
    );
    assert_eq!(text(&kiln, "d/a.pkr.hcl"), UGLY);
    drop(
        kiln.run(&["fmt", "-h"])?
            .success()
            .says("-recursive")
            .lacks("-var-file"),
    );
    Ok(())
}

fn with_input(kiln: &Kiln, flags: &str, input: &str) -> Result<Finished> {
    kiln.write("input", input);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("\"$0\" fmt {flags} - <input")]);
    command.arg(program_folder().join("kiln"));
    kiln.start_command(command)?
        .finish(std::time::Duration::from_secs(60))
}

#[test]
fn standard_input_is_printed_in_canonical_layout() -> Result<()> {
    let kiln = Kiln::new();
    for (flags, input, code, stdout) in [
        ("", UGLY, 0, PRETTY),
        ("-diff", "a=1", 0, "a = 1"),
        ("-check", UGLY, 3, ""),
        ("-write=false", UGLY, 0, ""),
        ("-check", PRETTY, 0, PRETTY),
        ("-write=false", PRETTY, 0, PRETTY),
    ] {
        let finished = with_input(&kiln, flags, input)?;
        assert_eq!(
            (finished.code(), finished.stdout.as_str()),
            (code, stdout),
            "{flags} {input}"
        );
    }
    drop(
        with_input(&kiln, "", BROKEN)?
            .failure()
            .says("while formatting <stdin>"),
    );
    Ok(())
}

/// The templates and variable files of this project.
fn templates(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            templates(&path, found);
        } else if name.ends_with(".pkr.hcl") || name.ends_with(".pkrvars.hcl") {
            found.push(path);
        }
    }
}

/// Random numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit
    }

    fn pick<'t>(&mut self, choices: &[&'t str]) -> &'t str {
        choices[self.below(choices.len())]
    }

    /// The text with blanks, line breaks and comments put in and taken out. It may be broken by
    /// that: then it stays as it is, with either program.
    fn mangle(&mut self, text: &str) -> String {
        let (lines, inside) = (self.below(10), self.below(3));
        let mut result = String::new();
        for line in text.split_inclusive('\n') {
            let (line, end) = line
                .strip_suffix('\n')
                .map_or((line, ""), |line| (line, "\n"));
            let indented = self.below(10) >= lines;
            let line = if indented { line } else { line.trim_start() };
            result.push_str(if indented {
                ""
            } else {
                self.pick(&["", " ", "\t", "     "])
            });
            for character in line.chars() {
                match character {
                    ' ' if inside > 0 && self.below(4) == 0 => {
                        result.push_str(self.pick(&["", " ", "   ", "\t"]));
                    }
                    '=' | ',' | '(' | ')' | '[' | ']' | '{' | '}' | ':' | '?' | '.' | '-'
                        if inside > 1 && self.below(4) == 0 =>
                    {
                        let (before, after) = (self.pick(&["", " "]), self.pick(&["", "  "]));
                        result.push_str(&format!("{before}{character}{after}"));
                    }
                    _ => result.push(character),
                }
            }
            if self.below(10) == 0 {
                result.push_str(self.pick(&[" # é 漢", "//x", "  ", "/* y */", "\n", "\n# own"]));
            }
            result.push_str(end);
        }
        result
    }
}

/// The text without `!`, but with `!=`: Debian's old version puts a blank behind it, newer ones and
/// kiln do not.
fn without_negations(text: &str) -> String {
    text.replace("!=", "\0")
        .replace('!', "")
        .replace('\0', "!=")
}

#[test]
fn the_result_has_the_same_bytes_as_packers() -> Result<()> {
    if !tools::installed(&["packer"]) {
        return Ok(());
    }
    let mut kiln = Kiln::new();
    kiln.env("CHECKPOINT_DISABLE", "1");
    let mut files = Vec::new();
    templates(project(), &mut files);
    assert!(files.len() >= 10, "{files:?}");
    let mut dice = Dice(1);
    let mut names = Vec::new();
    for round in 0..100 {
        for (number, path) in files.iter().enumerate() {
            // There are many of them, and most are too broken to be formatted.
            let is_wrong = path
                .components()
                .any(|part| part.as_os_str() == "diagnostics");
            if is_wrong && round >= 10 {
                continue;
            }
            let text = without_negations(&fs::read_to_string(path)?);
            let text = if round == 0 { text } else { dice.mangle(&text) };
            let name = format!("{number}-{round}.pkr.hcl");
            kiln.write(&format!("ours/{name}"), &text);
            kiln.write(&format!("theirs/{name}"), &text);
            names.push((name, text));
        }
    }
    let ours = kiln.run(&["fmt", "ours"])?;
    let mut packer = Command::new("packer");
    packer.args(["fmt", "theirs"]);
    let theirs = kiln
        .start_command(packer)?
        .finish(std::time::Duration::from_secs(300))?;
    assert_eq!(ours.code(), theirs.code());
    let mut changed = 0;
    for (name, before) in &names {
        let after = text(&kiln, &format!("ours/{name}"));
        assert_eq!(
            after,
            text(&kiln, &format!("theirs/{name}")),
            "{name} was:\n{before}"
        );
        changed += usize::from(after != *before);
    }
    assert!(
        changed * 2 > names.len(),
        "only {changed} of {} files changed",
        names.len()
    );
    drop(kiln.run(&["fmt", "ours"])?.lacks("ours/0-0.pkr.hcl\n"));
    Ok(())
}
