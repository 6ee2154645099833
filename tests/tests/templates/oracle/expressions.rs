//! HCL2 expressions have the same values, and the same ones are refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use kiln_tests::tools::installed;
use serde_json::Value;

use super::console::Console;
use super::expression_grammar::{VARIABLES, call, expression};
use super::functions::FUNCTIONS;
use super::programs::{Program, World};
use super::random::Random;
use super::table::{Known, compare, explained};
use super::written::HCL;

/// How many expressions one process gets.
const BATCH: usize = 400;

/// Expressions that cannot come from the generator, because what they are about makes others differ.
const WRITTEN: &[&str] = &[
    "signum(-3)",
    "signum(0)",
    "signum(\"7\")",
    "signum(2.5)",
    "log(100, 10)",
    "log(16, 2)",
    "log(2.5, 3)",
    "log(0, 2)",
    "pow(2, 1.5)",
    "index([\"a\", \"b\"], \"b\")",
    "7 % 0",
    "\"${0 * -3}\"",
    "1 / 0",
    "123456789012345678901234567890",
    "123456789012345678901234567890 * 2",
    "floor(123456789012345678901234567890)",
    "jsondecode(\"1e400\")",
    "yamldecode(\".inf\")",
    "cidrhost(\"::ffff:10.0.0.0/104\", 2)",
    "cidrsubnet(\"172.16.0.0/12\", -2, 16)",
    "lookup({}, \"a\", null)",
    "contains([1], null)",
    "[1] == {}",
    "false && nosuch",
    "true || []",
    "true ? 1 : timeadd(\"x\", \"y\")",
    "false ? jsondecode(\"{\") : {a = 1}",
    "true ? {a = 1} : formatlist(\"%s %s\", \"a\")",
    "false ? 1 : \"x\"",
    "true ? [1] : [\"a\", 2]",
    "null ? 1 : 2",
];

/// In both views.
const TABLE: &[Known] = &[
    Known {
        pattern: r#"^(log\(0, 2\)|1 / 0|7 % 0|yamldecode\("\.inf"\)|pow\(0, -2\))\n  kiln:   REFUSED"#,
        since: "kiln",
        reason: "there is no infinity, and no remainder by zero; Packer calculates on with \
                 them",
    },
    Known {
        pattern: r#"^jsondecode\("1e400"\)\n"#,
        since: "kiln",
        reason: "a number is shown as it is; Packer shows +Inf for what 64-bit floating \
                 point cannot hold",
    },
    Known {
        pattern: r"^(log\(2\.5, 3\)|pow\(2, 1\.5\))\n",
        since: "kiln",
        reason: "the last digit: Go calculates logarithms and roots a little less exactly",
    },
    Known {
        pattern: r"^floor\(123456789012345678901234567890\)\n",
        since: "go-cty 1.9.0",
        reason: "floor and ceil are exact, where they cut to 64 bits",
    },
    Known {
        pattern: r"^signum\(2\.5\)\n",
        since: "kiln",
        reason: "signum takes every number; Packer refuses fractions",
    },
    Known {
        pattern: r"^index\(",
        since: "Packer 1.7",
        reason: "index tells where a value is in Packer 1.16; in 1.6.6 it was `[…]` by another name",
    },
    Known {
        pattern: r"^contains\(\[1\], null\)\n",
        since: "go-cty 1.18.1",
        reason: "a list can be asked for null",
    },
    Known {
        pattern: r#"^cidrhost\("::ffff:"#,
        since: "kiln",
        reason: "IPv4 addresses in IPv6 stay in IPv6; the library that Packer uses mixes \
                 them up",
    },
    Known {
        pattern: r"cidrsubnet\(.*kiln:   REFUSED",
        since: "kiln",
        reason: "the numbers of subnets and bits are not negative; Packer calculates wrong \
                 networks",
    },
    Known {
        pattern: r"element\(.*packer: REFUSED",
        since: "go-cty 1.15.0",
        reason: "element counts negative numbers from the end",
    },
    Known {
        pattern: r"(&&|\|\|).*packer: REFUSED",
        since: "hcl 2.24.0",
        reason: "what follows `false &&` and `true ||` does not count",
    },
    Known {
        pattern: r"jsonencode\(.*packer: REFUSED",
        since: "go-cty 1.4.2",
        reason: "jsonencode takes null",
    },
    Known {
        pattern: r"chunklist\((\[\]|range\(0\)),.*kiln:   REFUSED",
        since: "go-cty 1.13.3",
        reason: "the size of chunks is looked at for an empty list too; so in go-cty 1.13.3, not in \
                 1.4.0, which Packer 1.6.6 has",
    },
    Known {
        pattern: r#"packer: "?<unknown>"#,
        since: "hcl 2.19.1",
        reason: "an empty splat, and a comparison of different types, is known; so in hcl 2.19.1 \
                 and go-cty 1.13.3, not in 2.6.0 and 1.4.0",
    },
    Known {
        pattern: r#"^fileset\("nosuch", "\["\)"#,
        since: "kiln",
        reason: "a wrong pattern is said; Packer finds nothing when the folder is not there",
    },
    Known {
        pattern: r"set(intersection|union)\(\[?.*(objects|csvdecode|for ).*packer: REFUSED",
        since: "go-cty 1.13.3",
        reason: "sets of different types are unified; so in go-cty 1.13.3, not in 1.4.0",
    },
    Known {
        pattern: r"^merge\(\[\]\.\.\.\)\n",
        since: "go-cty 1.7.1",
        reason: "nothing merged is an empty object since go-cty 1.7.1, null before",
    },
    Known {
        pattern: r"^regex(all)?\(.*packer: REFUSED",
        since: "Packer 1.7",
        reason: "regex and regexall are there",
    },
];

/// As locals only: the console rounds numbers.
const LOCALS: &[Known] = &[Known {
    pattern: r"\.\d{60,}.*packer: .*\.\d{60,}",
    since: "go-cty 1.7.1",
    reason: "products have as many digits as their factors since go-cty 1.7.1, fewer before",
}];

/// Files that expressions read.
fn files(world: &World) -> Result<()> {
    std::fs::create_dir(world.folder().join("folder"))?;
    world.write("plain.txt", "plain ${text}\n")?;
    world.write("folder/deep.txt", "déép")?;
    std::fs::write(world.folder().join("binary.bin"), [0xFF, 0xFE])?;
    Ok(())
}

/// Expressions with their numbers, as locals of a template.
struct Batch<'a> {
    text: String,
    /// Number and first line of each.
    lines: Vec<(usize, usize)>,
    all: &'a [(usize, &'a str)],
}

impl<'a> Batch<'a> {
    fn new(all: &'a [(usize, &'a str)]) -> Result<Self> {
        let mut text = format!("{VARIABLES}\nlocals {{\n");
        let mut lines = Vec::new();
        for (number, expression) in all {
            lines.push((*number, text.lines().count() + 1));
            writeln!(text, "  x{number} = {expression}")?;
        }
        text.push_str("}\n");
        Ok(Self { text, lines, all })
    }

    /// The expression that a line is part of.
    fn at(&self, line: usize) -> Option<usize> {
        let before = self.lines.iter().rev().find(|(_, first)| *first <= line);
        before.map(|(number, _)| *number)
    }
}

/// The value of each expression as `inspect` shows locals; one that is refused is not there. When a
/// program does not come to an end, its expressions are tried in halves.
fn values(
    world: &World,
    program: Program,
    all: &[(usize, &str)],
) -> Result<BTreeMap<usize, String>> {
    let batch = Batch::new(all)?;
    world.write("t.pkr.hcl", &batch.text)?;
    let ran = world.run(program, &["inspect", "t.pkr.hcl"])?;
    if !ran.text.contains("> builds:") {
        if all.len() < 2 {
            return Ok(BTreeMap::new());
        }
        let (left, right) = all.split_at(all.len() / 2);
        let mut whole = values(world, program, left)?;
        whole.extend(values(world, program, right)?);
        return Ok(whole);
    }
    let lines = ran.text.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("local.x")?.split_once(": ")?;
        Some((name.parse().ok()?, value.to_owned()))
    });
    let mut found: BTreeMap<usize, String> = lines.collect();
    // What is refused has a value as far as it is known here, and is left out there.
    if let Program::Kiln = program {
        for number in refused(world, &batch)? {
            found.remove(&number);
        }
    }
    Ok(found)
}

/// The expressions that kiln's errors are about.
fn refused(world: &World, batch: &Batch<'_>) -> Result<Vec<usize>> {
    let ran = world.run(Program::Kiln, &["validate", "-json", "t.pkr.hcl"])?;
    let report: Value = serde_json::from_str(&ran.text).context(ran.text)?;
    let problems = report["diagnostics"].as_array().context("no list")?;
    let mut numbers = Vec::new();
    for problem in problems.iter().filter(|one| one["severity"] == "error") {
        let line = problem["range"]["start"]["line"].as_u64();
        let number = line.and_then(|line| batch.at(usize::try_from(line).ok()?));
        // A template without builds is one more error, which has no place.
        numbers.extend(number);
    }
    ensure!(numbers.len() < batch.all.len(), "everything is refused");
    Ok(numbers)
}

/// All expressions that are tried: written ones, each function with plain arguments, and larger ones.
fn all() -> Vec<String> {
    let mut random = Random::new(0x0005_EED1_6660);
    let mut all: Vec<String> = (0..FUNCTIONS.len() * 24)
        .map(|number| call(&mut random, number))
        .collect();
    all.extend((0..2400).map(|_| expression(&mut random)));
    all.extend(WRITTEN.iter().map(|text| (*text).to_owned()));
    all.extend(HCL.iter().map(|text| (*text).to_owned()));
    all.sort();
    all.dedup();
    all
}

#[test]
fn locals_have_the_same_values() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let all = all();
    let world = World::new()?;
    files(&world)?;
    let (mut found, mut accepted) = (Vec::new(), 0);
    let numbered: Vec<(usize, &str)> = all.iter().map(String::as_str).enumerate().collect();
    for batch in numbered.chunks(BATCH) {
        let ours = values(&world, Program::Kiln, batch)?;
        let theirs = values(&world, Program::Packer, batch)?;
        accepted += theirs.len();
        for (number, input) in batch {
            compare(input, ours.get(number), theirs.get(number), &mut found);
        }
    }
    println!(
        "oracle: {} expressions as locals, {accepted} accepted by packer, {} differ",
        all.len(),
        found.len()
    );
    explained(&found, &[TABLE, LOCALS].concat())
}

#[test]
fn consoles_say_the_same() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let mut all = all();
    // The console of 1.6.6 takes an expression of one line.
    all.retain(|text| !text.contains('\n'));
    let world = World::new()?;
    files(&world)?;
    world.write("t.pkr.hcl", VARIABLES)?;
    let console = Console {
        world: &world,
        words: vec!["t.pkr.hcl".to_owned()],
    };
    let (mut found, mut accepted) = (Vec::new(), 0);
    let numbered: Vec<(usize, &str)> = all.iter().map(String::as_str).enumerate().collect();
    for batch in numbered.chunks(BATCH) {
        let answers = console.ask(batch)?;
        accepted += answers.packer.len();
        for (number, input) in batch {
            let (ours, theirs) = (answers.kiln.get(number), answers.packer.get(number));
            compare(input, ours, theirs, &mut found);
        }
    }
    println!(
        "oracle: {} expressions in the console, {accepted} accepted by packer, {} differ",
        all.len(),
        found.len()
    );
    explained(&found, TABLE)
}
