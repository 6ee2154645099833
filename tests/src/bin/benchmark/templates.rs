//! Large templates: read, evaluated, planned with all options resolved.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::measure::{kiln_program, measure, median, print};

const SOURCES: usize = 1000;
const PROVISIONERS: usize = 100;

/// Measures `plan` of each template, at least three times.
///
/// # Errors
///
/// When a command fails.
pub fn templates(runs: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str| folder.path().join(name);
    std::fs::create_dir(file("alike"))?;
    std::fs::write(file("alike/main.pkr.hcl"), hcl("echo ${local.greeting}"))?;
    std::fs::create_dir(file("apart"))?;
    let apart = "echo ${local.greeting} ${source.name} ${build.Host}";
    std::fs::write(file("apart/main.pkr.hcl"), hcl(apart))?;
    std::fs::write(file("many.json"), json())?;
    let cases = [
        ("HCL2, provisioners alike for all sources", "alike"),
        ("HCL2, provisioners that name their source", "apart"),
        ("legacy JSON", "many.json"),
    ];
    print(&format!(
        "{SOURCES} sources with {PROVISIONERS} provisioners each:\n"
    ));
    print("| template | command | wall s | CPU s | peak MiB |");
    print("|---|---|---|---|---|");
    for (name, path) in cases {
        for command in [&["plan", "-json"][..], &["inspect"]] {
            row(name, command, path, folder.path(), runs.max(3))?;
        }
    }
    Ok(())
}

fn row(name: &str, command: &[&str], path: &str, folder: &Path, runs: usize) -> Result<()> {
    let words = [command, &[path]].concat();
    let program = kiln_program()?;
    drop(measure(&program, &words, folder)?);
    let mut all = Vec::new();
    for _ in 0..runs {
        all.push(measure(&program, &words, folder)?);
    }
    let wall = median(all.iter().map(|one| one.wall).collect()).as_secs_f64();
    let processor = median(all.iter().map(|one| one.processor).collect()).as_secs_f64();
    let peak = all.iter().map(|one| one.peak_kib.0).max().unwrap_or(0) >> 10;
    let command = command.join(" ");
    print(&format!(
        "| {name} | {command} | {wall:.2} | {processor:.2} | {peak} |"
    ));
    Ok(())
}

/// A template with variables, locals, `command` in every provisioner.
fn hcl(command: &str) -> String {
    let mut text = String::from(
        "variable \"prefix\" {\n  default = \"bench\"\n}\n\
         locals {\n  greeting = \"hello ${var.prefix}\"\n}\n",
    );
    let mut list = String::new();
    for at in 0..SOURCES {
        let block = format!(
            "source \"null\" \"s{at}\" {{\n  communicator = \"none\"\n  ssh_host = \"${{var.prefix}}-{at}\"\n}}\n"
        );
        text.push_str(&block);
        list.push_str(&format!("    \"source.null.s{at}\",\n"));
    }
    text.push_str(&format!("build {{\n  sources = [\n{list}  ]\n"));
    for at in 0..PROVISIONERS {
        text.push_str(&format!(
            "  provisioner \"shell-local\" {{\n    inline = [\"{command} {at}\"]\n    \
             environment_vars = [\"PREFIX=${{var.prefix}}\"]\n  }}\n"
        ));
    }
    text.push_str("}\n");
    text
}

fn json() -> String {
    let builder = |at| format!(r#"{{"type": "null", "name": "s{at}", "communicator": "none"}}"#);
    let builders: Vec<String> = (0..SOURCES).map(builder).collect();
    let mut provisioners = String::new();
    for at in 0..PROVISIONERS {
        let comma = if at > 0 { "," } else { "" };
        write!(
            provisioners,
            r#"{comma}{{"type": "shell-local", "inline": ["echo {at}"], "environment_vars": ["PREFIX={{{{user `prefix`}}}}"]}}"#
        )
        .expect("writing to a string cannot fail");
    }
    format!(
        r#"{{"variables": {{"prefix": "bench"}}, "builders": [{}], "provisioners": [{provisioners}]}}"#,
        builders.join(",\n")
    )
}
