//! The legacy templates of well-known projects are inspected, fixed and checked alike.

use std::collections::BTreeSet;

use anyhow::Result;
use kiln_tests::tools::installed;

use super::inspecting::said_lines;
use super::programs::{Program, World};
use super::table::{Known, compare, explained};
use crate::corpus;

const TABLE: &[Known] = &[];

#[test]
fn templates_of_projects_are_inspected_fixed_and_checked_alike() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let Some(folder) = corpus::folder() else {
        return Ok(());
    };
    let legacy = corpus::variants(&folder)?.into_iter();
    let templates: BTreeSet<_> = legacy
        .filter(|variant| variant.project == "image-builder")
        .map(|variant| (variant.folder, variant.template))
        .collect();
    let world = World::new()?;
    let (mut found, mut accepted) = (Vec::new(), 0);
    for (folder, path) in &templates {
        for words in [
            &["inspect", path][..],
            &["fix", "-validate=false", path],
            &["validate", "-syntax-only", path],
        ] {
            let outcome = |program: Program| -> Result<Option<String>> {
                let ran = world.run_in(folder, program, words, "")?;
                let text = match words[0] {
                    "inspect" => said_lines(&ran.text),
                    _ => ran.text,
                };
                Ok((ran.code == 0).then_some(text))
            };
            let (ours, theirs) = (outcome(Program::Kiln)?, outcome(Program::Packer)?);
            accepted += usize::from(theirs.is_some());
            let input = words.join(" ");
            compare(&input, ours.as_ref(), theirs.as_ref(), &mut found);
        }
    }
    println!(
        "oracle: {} templates of projects, {} commands, {accepted} accepted by packer, {} differ",
        templates.len(),
        templates.len() * 3,
        found.len()
    );
    explained(&found, TABLE)
}
