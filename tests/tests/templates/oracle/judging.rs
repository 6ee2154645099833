//! `validate` and `inspect` judge changed HCL2 templates alike.

use anyhow::{Result, anyhow};
use kiln_tests::tools::installed;

use super::programs::{Program, World};
use super::table::{Difference, Known, compare, explained};

const TABLE: &[Known] = &[
    Known {
        pattern: r"^line \d+ = null: .*packer: REFUSED",
        since: "kiln",
        reason: "an argument that is null is not there; Packer refuses it",
    },
    Known {
        pattern: r"= local\.name: (name|description) .*packer: REFUSED",
        since: "Packer 1.7",
        reason: "name and description of a build may use locals, which 1.6.6 does not know there",
    },
    Known {
        pattern: r"= null: sources .*kiln:   REFUSED",
        since: "kiln",
        reason: "sources that are null are a mistake; 1.6.6 takes them for none",
    },
    Known {
        pattern: r"= \{\}: environment_vars .*kiln:   REFUSED",
        since: "kiln",
        reason: "values of an override are checked against the option's type; Packer makes lists of \
                 everything",
    },
];

/// A right template; each line is changed in turn.
const TEMPLATE: &str = r#"
variable "region" {
  type        = string
  default     = "here"
  description = "where"
}
variable "sizes" {
  type    = list(number)
  default = [1, 2]
}
variable "secret" {
  default   = "s"
  sensitive = true
}
locals {
  name = "${var.region}-x"
  both = [local.name, var.sizes]
}
source "null" "first" {
  communicator = "none"
}
source "file" "second" {
  content = "x ${local.name}"
  target  = "out.txt"
}
build {
  name        = "named"
  description = "what"
  sources     = ["source.null.first", "file.second"]
  source "source.null.first" {
    name = "third"
  }
  provisioner "shell-local" {
    inline       = ["echo ${build.ID}"]
    only         = ["null.first"]
    pause_before = "1s"
    timeout      = "5m"
    max_retries  = 2
    override = {
      first = {
        environment_vars = ["A=b"]
      }
    }
  }
  post-processor "manifest" {
    output              = "m.json"
    keep_input_artifact = true
  }
  post-processors {
    post-processor "checksum" {
      checksum_types = ["md5"]
    }
  }
}
"#;

/// What stands in the place of values.
const VALUES: [&str; 4] = ["null", "1", "{}", "local.name"];

/// The template with each line left out, doubled, or with another value; and what was done.
fn changed() -> Vec<(String, String)> {
    let lines: Vec<&str> = TEMPLATE.lines().skip(1).collect();
    let with = |number: usize, new: &str| {
        let mut all = lines.clone();
        all[number] = new;
        all.join("\n") + "\n"
    };
    let mut all = vec![("nothing".to_owned(), lines.join("\n") + "\n")];
    for (number, line) in lines.iter().enumerate() {
        let name = line.trim();
        if name == "}" || name.ends_with("= {") {
            continue;
        }
        if let Some((left, _)) = line.split_once(" = ") {
            all.push((format!("line {number} without: {name}"), with(number, "")));
            all.push((
                format!("line {number} twice: {name}"),
                with(number, &format!("{line}\n{line}")),
            ));
            let misspelt = line.replacen(left.trim(), &format!("{}x", left.trim()), 1);
            all.push((
                format!("line {number} misspelt: {name}"),
                with(number, &misspelt),
            ));
            // Null always, and one of the others, so that all take half the time.
            for value in [VALUES[0], VALUES[1 + (number + 1) % 3]] {
                let text = with(number, &format!("{left} = {value}"));
                all.push((format!("line {number} = {value}: {name}"), text));
            }
        } else if let Some((kind, rest)) = name.split_once(' ') {
            let renamed = with(number, &format!("{kind}x {rest}"));
            all.push((format!("line {number} of another kind: {name}"), renamed));
            let label = [" {", " \"a\" {", " \"a\" \"b\" {"][number % 3];
            let text = with(number, &format!("{kind}{label}"));
            all.push((format!("line {number} as {kind}{label}: {name}"), text));
        }
    }
    all
}

/// The differences, and how many templates are valid for Packer.
fn judge(all: &[(String, String)]) -> Result<(Vec<Difference>, usize)> {
    let world = World::new()?;
    let (mut found, mut good) = (Vec::new(), 0);
    for (change, text) in all {
        world.write("t.pkr.hcl", text)?;
        let judged = |program: Program| -> Result<Option<String>> {
            let ran = world.run(program, &["validate", "t.pkr.hcl"])?;
            Ok((ran.code == 0).then(|| "valid".to_owned()))
        };
        let (ours, theirs) = (judged(Program::Kiln)?, judged(Program::Packer)?);
        good += usize::from(theirs.is_some());
        compare(change, ours.as_ref(), theirs.as_ref(), &mut found);
    }
    Ok((found, good))
}

#[test]
fn changed_templates_are_judged_alike() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let all = changed();
    let (left, right) = all.split_at(all.len() / 2);
    // Each of the programs waits for processes of its own most of the time.
    let (judged_left, judged_right) = std::thread::scope(|scope| {
        let other = scope.spawn(|| judge(left));
        (judge(right), other.join())
    });
    let (mut found, mut good) = judged_left?;
    let (more, more_good) = judged_right.map_err(|_| anyhow!("the other half panicked"))??;
    found.extend(more);
    good += more_good;
    println!(
        "oracle: {} HCL2 templates, {good} valid for packer, {} judged differently",
        all.len(),
        found.len()
    );
    explained(&found, TABLE)
}
