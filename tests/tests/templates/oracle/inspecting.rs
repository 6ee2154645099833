//! `inspect` tells the same about templates, to people and to programs.

use anyhow::Result;
use kiln_tests::tools::installed;
use serde_json::{Value, json};

use super::old_options::{Values, template};
use super::programs::{Program, World};
use super::random::Random;
use super::table::{compare, explained};

/// How many templates there are.
const TEMPLATES: usize = 30;

/// The lines for people. Required variables come in any order there, the note at the end is worded
/// differently, and blank lines say nothing.
pub fn said_lines(text: &str) -> String {
    let lines = text.lines().take_while(|line| !line.starts_with("Note:"));
    let mut lines: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).collect();
    let is_name = |line: &&str| line.starts_with("  ") && !line.contains(" = ");
    let from = lines.iter().position(|line| line.starts_with("Required"));
    if let Some(from) = from.map(|from| from + 1) {
        let count = lines[from..]
            .iter()
            .take_while(|line| is_name(line))
            .count();
        lines[from..from + count].sort_unstable();
    }
    lines.join("\n")
}

fn said(world: &World, program: Program) -> Result<Option<String>> {
    let ran = world.run(program, &["inspect", "t.json"])?;
    Ok((ran.code == 0).then(|| said_lines(&ran.text)))
}

/// The lines for programs without their times, and without those that are for people.
fn told(world: &World, program: Program) -> Result<Option<String>> {
    let ran = world.run(program, &["inspect", "-machine-readable", "t.json"])?;
    let lines = ran.text.lines().filter_map(|line| line.split_once(','));
    let mut lines: Vec<&str> = lines
        .map(|(_, rest)| rest)
        .filter(|rest| !rest.starts_with(",ui,"))
        .collect();
    lines.sort_unstable();
    Ok((ran.code == 0).then(|| lines.join("\n")))
}

/// Gives every builder a name of its own: no two may have the same.
fn name_builders(template: &mut Value) {
    let builders = template["builders"].as_array_mut().into_iter().flatten();
    for (number, builder) in builders.enumerate() {
        if let Some(builder) = builder.as_object_mut() {
            builder.insert("name".to_owned(), json!(format!("own {number}")));
        }
    }
}

#[test]
fn templates_are_inspected_alike() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let world = World::new()?;
    let mut random = Random::new(0x1_5EC7);
    let (mut found, mut accepted) = (Vec::new(), 0);
    for number in 0..TEMPLATES {
        let values = if number % 2 == 0 {
            Values::Right
        } else {
            Values::OneWrong
        };
        let mut template = template(&mut random, values);
        name_builders(&mut template);
        let text = template.to_string();
        world.write("t.json", &text)?;
        for of in [said, told] {
            let (ours, theirs) = (of(&world, Program::Kiln)?, of(&world, Program::Packer)?);
            accepted += usize::from(theirs.is_some());
            compare(&text, ours.as_ref(), theirs.as_ref(), &mut found);
        }
    }
    println!(
        "oracle: {TEMPLATES} templates inspected in two ways, {accepted} times accepted, {} differ",
        found.len()
    );
    explained(&found, &[])
}
