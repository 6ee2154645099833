//! `fmt` lays out badly laid out files alike.

use anyhow::Result;
use kiln_tests::tools::installed;

use super::expression_grammar::expression;
use super::programs::{Program, World};
use super::random::Random;
use super::table::{Known, compare, explained};

/// How many files there are.
const FILES: usize = 600;

const TABLE: &[Known] = &[Known {
    pattern: r"^locals \{\n a = ! true\n",
    since: "hcl 2.8.0",
    reason: "no space after `!` since hcl 2.8.0, one before that",
}];

/// Space that may stand between two items of a line.
fn gap(random: &mut Random) -> &'static str {
    random.pick(&["", " ", "  ", "\t"])
}

/// Space that stands before a line.
fn margin(random: &mut Random) -> &'static str {
    random.pick(&["", "  ", "    ", "\t", "         "])
}

fn comment(random: &mut Random) -> &'static str {
    random.pick(&[
        "# why",
        "// why",
        "/* why */",
        "#why",
        "//",
        "/* a\n   b */",
    ])
}

/// An expression whose layout did not change; see the table.
fn value(random: &mut Random) -> String {
    loop {
        let text = expression(random);
        if !text.contains("!(") {
            return text;
        }
    }
}

fn attribute(random: &mut Random, number: usize, text: &mut String) {
    let name = random.pick(&["a", "name", "a_long_name", "x-y"]);
    let value = value(random);
    let (before, after) = (gap(random), gap(random));
    text.push_str(&format!(
        "{}{name}{number}{before}={after}{value}",
        margin(random)
    ));
    if random.chance(25) {
        text.push_str(gap(random));
        text.push_str(random.pick(&["# why", "// why", "/* why */"]));
    }
    text.push('\n');
}

fn block(random: &mut Random, depth: u32, text: &mut String) {
    let labels = random.pick(&["", " \"l\"", "  \"l\"   \"m\"", " \"a b\""]);
    let kind = random.pick(&["build", "source", "locals", "disk"]);
    if random.chance(10) {
        let line = random.pick(&["{}", "{ }", "{ a = 1 }", "{a=1}", "{   }"]);
        text.push_str(&format!("{}{kind}{labels} {line}\n", margin(random)));
        return;
    }
    text.push_str(&format!(
        "{}{kind}{labels}{}{{\n",
        margin(random),
        random.pick(&[" ", "  ", "\t", ""])
    ));
    for number in 0..random.below(6) {
        match random.below(8) {
            0 if depth > 0 => block(random, depth - 1, text),
            1 => text.push('\n'),
            2 => text.push_str(&format!("{}{}\n", margin(random), comment(random))),
            3 => list(random, number, text),
            _ => attribute(random, number, text),
        }
    }
    text.push_str(&format!("{}}}{}\n", margin(random), gap(random)));
}

/// A value of several lines, with commas and comments at odd places.
fn list(random: &mut Random, number: usize, text: &mut String) {
    let (open, close, names) = match random.below(3) {
        0 => ("[", "]", false),
        1 => ("{", "}", true),
        _ => ("concat(", ")", false),
    };
    text.push_str(&format!(
        "{}l{number} {}= {open}\n",
        margin(random),
        gap(random)
    ));
    for item in 0..=random.below(4) {
        let value = value(random);
        let name = if names {
            format!("k{item}{}={}", gap(random), gap(random))
        } else {
            String::new()
        };
        let comma = if open == "concat(" && item == 0 {
            ","
        } else {
            random.pick(&[",", " ,", ", "])
        };
        let note = random.pick(&["", "", " # why", "  // why"]);
        text.push_str(&format!("{}{name}{value}{comma}{note}\n", margin(random)));
    }
    text.push_str(&format!("{}{close}\n", margin(random)));
}

fn file(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(3) {
        block(random, 2, &mut text);
        text.push_str(random.pick(&["", "\n", "\n\n"]));
    }
    if random.chance(10) {
        text = text.replace('\n', "\r\n");
    }
    text
}

#[test]
fn files_are_laid_out_alike() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let mut random = Random::new(0x1A_0401);
    let mut files: Vec<String> = (1..FILES).map(|_| file(&mut random)).collect();
    files.push("locals {\n a = ! true\n}\n".to_owned());
    let mut results = Vec::new();
    for program in [Program::Kiln, Program::Packer] {
        let world = World::new()?;
        for (number, text) in files.iter().enumerate() {
            world.write(&format!("f{number}.pkr.hcl"), text)?;
        }
        world.run(program, &["fmt", "."])?;
        let read = |number: usize| {
            std::fs::read_to_string(world.folder().join(format!("f{number}.pkr.hcl")))
        };
        results.push(
            (0..FILES)
                .map(read)
                .collect::<std::io::Result<Vec<String>>>()?,
        );
    }
    let mut found = Vec::new();
    for (number, text) in files.iter().enumerate() {
        compare(
            text,
            Some(&results[0][number]),
            Some(&results[1][number]),
            &mut found,
        );
    }
    let changed = files
        .iter()
        .zip(&results[1])
        .filter(|(before, after)| before != after)
        .count();
    println!(
        "oracle: {FILES} files, {changed} changed by packer, {} differ",
        found.len()
    );
    explained(&found, TABLE)
}
