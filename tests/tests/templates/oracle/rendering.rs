//! What a build writes for a text with template calls, so that everything from the template to the
//! component takes part.

use anyhow::Result;
use kiln_tests::tools::installed;
use serde_json::json;

use super::programs::{Program, World};
use super::table::{compare, explained};
use super::written::TEMPLATES;

/// What a `file` builder writes for texts; `None` when it is refused.
fn written(program: Program, texts: &[&str]) -> Result<Option<String>> {
    let world = World::new()?;
    let template = json!({
        "variables": {"name": "Some Name", "empty": "", "list": "a,b,c", "number": "42"},
        "builders": [{"type": "file", "content": texts.join("\n"), "target": "out.txt"}],
    });
    world.write("t.json", &template.to_string())?;
    let ran = world.run(program, &["build", "t.json"])?;
    if ran.code != 0 {
        return Ok(None);
    }
    let path = world.folder().join("out.txt");
    Ok(Some(std::fs::read_to_string(path)?))
}

#[test]
fn builds_write_the_same_texts() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let mut found = Vec::new();
    let (ours, theirs) = (
        written(Program::Kiln, TEMPLATES)?,
        written(Program::Packer, TEMPLATES)?,
    );
    if ours != theirs || ours.is_none() {
        for text in TEMPLATES {
            let (ours, theirs) = (
                written(Program::Kiln, &[text])?,
                written(Program::Packer, &[text])?,
            );
            compare(text, ours.as_ref(), theirs.as_ref(), &mut found);
        }
    }
    println!(
        "oracle: {} texts written by a build, {} differ",
        TEMPLATES.len(),
        found.len()
    );
    explained(&found, &[])
}
