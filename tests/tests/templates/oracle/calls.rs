//! Texts with template calls render alike, and the same ones are refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result};
use host_diag::SourceMap;
use host_template::{ComponentKind, Components, Configured, LoadOptions, Schema, Template, load};
use kiln_tests::tools::installed;
use serde_json::{Map, Value, json};

use super::call_grammar::{SINGLE, VARIABLES, text};
use super::programs::{Program, World};
use super::random::Random;
use super::table::{Known, compare, explained};

/// How many texts one process gets.
const BATCH: usize = 40;

/// How many texts that kiln refuses are tried at most.
const REFUSED: usize = 45;

const TABLE: &[Known] = &[
    Known {
        pattern: r"^\{\{\.\}\} \{\{html \$\}\}\n",
        since: "kiln",
        reason: "the data of a text is an object without anything; in Packer's console it is nothing",
    },
    Known {
        pattern: r"^\{\{packer_version\}\}\n",
        since: "Packer 1.7",
        reason: "`packer_version` came after 1.6.6",
    },
    Known {
        pattern: r"\{\{2i\}\}",
        since: "kiln",
        reason: "there are no complex numbers",
    },
    Known {
        pattern: r"index .*  kiln: .*int.*  packer: .*uint8",
        since: "kiln",
        reason: "a byte of a text is an int; the type only shows where a format does not fit",
    },
];

/// No plugin at all.
struct Nothing;

#[async_trait::async_trait]
impl Components for Nothing {
    fn schema(&self, _kind: ComponentKind, _name: &str) -> Option<&Schema> {
        None
    }

    fn names(&self, _kind: ComponentKind) -> Vec<String> {
        Vec::new()
    }

    async fn read_data(
        &self,
        _name: &str,
        _config: &Configured,
        _execute: bool,
    ) -> (host_eval::Value, host_diag::Diagnostics) {
        (host_eval::Value::dynamic(), host_diag::Diagnostics::new())
    }
}

/// The template in `world`, ready for its console.
async fn template(world: &World) -> Result<Template> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let options = LoadOptions {
        path: "t.json".to_owned(),
        working_dir: world.folder().canonicalize()?,
        core_version: "1.6.6".to_owned(),
        started_at_unix_nanos: i64::try_from(now.as_nanos())?,
        ..LoadOptions::default()
    };
    let (template, problems) = load(&options, &mut SourceMap::default());
    let mut template = template.with_context(|| format!("{problems:?}"))?;
    template.initialize(&Nothing, false).await;
    Ok(template)
}

/// Several texts as one; what stands between them is nothing that a template trims.
fn joined(texts: &[(usize, &str)]) -> String {
    let mut line = String::new();
    for (number, text) in texts {
        write!(line, "⟦{number}⟧{text}").expect("a text takes everything");
    }
    line.push('⟦');
    line
}

/// What a program's console makes of texts, by number. One that is refused is not there; the texts
/// of a line that is refused are tried in halves.
fn rendered(
    world: &World,
    program: Program,
    texts: &[(usize, &str)],
    found: &mut BTreeMap<usize, String>,
) -> Result<()> {
    if texts.is_empty() {
        return Ok(());
    }
    let ran = world.run_with(
        program,
        &["console", "t.json"],
        &format!("{}\n", joined(texts)),
    )?;
    let whole = ran.text.contains("⟦\n") && ran.text.starts_with('⟦');
    if !whole {
        if texts.len() > 1 {
            let (left, right) = texts.split_at(texts.len() / 2);
            rendered(world, program, left, found)?;
            rendered(world, program, right, found)?;
        }
        return Ok(());
    }
    for part in ran.text.split('⟦') {
        if let Some((number, value)) = part.split_once('⟧') {
            found.insert(number.parse()?, value.to_owned());
        }
    }
    Ok(())
}

#[tokio::test]
async fn template_calls_render_alike() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let world = World::new()?;
    let mut variables = Map::new();
    for (name, value) in VARIABLES {
        variables.insert(name.to_owned(), json!(value));
    }
    let builders = json!([{"type": "null", "communicator": "none"}]);
    let whole = json!({"variables": Value::Object(variables), "builders": builders});
    world.write("t.json", &whole.to_string())?;
    let template = template(&world).await?;
    let mut random = Random::new(0x0CA1_1501);
    let mut texts: Vec<String> = (0..2000).map(|_| text(&mut random)).collect();
    texts.extend(SINGLE.iter().map(|text| (*text).to_owned()));
    texts.sort();
    texts.dedup();
    let mut ours = BTreeMap::new();
    for (number, text) in texts.iter().enumerate() {
        let rendered = template
            .render(text)
            .context("a legacy template has a console")?;
        if let Ok(rendered) = rendered {
            ours.insert(number, rendered);
        }
    }
    // What kiln refuses is tried alone, so that the other texts can share their lines; not all of it,
    // because each takes a process.
    let numbered = texts.iter().map(String::as_str).enumerate();
    let (good, bad): (Vec<_>, Vec<_>) = numbered.partition(|(number, _)| ours.contains_key(number));
    let (mut chosen, others): (Vec<_>, Vec<_>) =
        bad.into_iter().partition(|(_, text)| SINGLE.contains(text));
    chosen.extend(
        others
            .iter()
            .step_by(others.len().div_ceil(REFUSED))
            .copied(),
    );
    let bad = chosen;
    let mut theirs = BTreeMap::new();
    for batch in good.chunks(BATCH).chain(bad.chunks(1)) {
        rendered(&world, Program::Packer, batch, &mut theirs)?;
    }
    let mut found = Vec::new();
    for (number, text) in good.iter().chain(&bad) {
        compare(text, ours.get(number), theirs.get(number), &mut found);
    }
    println!(
        "oracle: {} texts with calls, {} accepted by packer, {} differ",
        good.len() + bad.len(),
        theirs.len(),
        found.len()
    );
    explained(&found, TABLE)
}
