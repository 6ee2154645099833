//! `validate` judges changed legacy templates alike.

use anyhow::Result;
use kiln_tests::tools::installed;
use serde_json::{Value, json};

use super::programs::{Program, World};
use super::table::{Known, compare, explained};

const TABLE: &[Known] = &[
    Known {
        pattern: r"^/provisioners/0/pause_before = true\n",
        since: "kiln",
        reason: "a bool is no duration; 1.6.6 takes it for a nanosecond",
    },
    Known {
        pattern: r#"^/sensitive-variables = (""|"x")\n"#,
        since: "kiln",
        reason: "one text counts as a list of it, as in every other list of a legacy template",
    },
    Known {
        pattern: r"^/sensitive-variables = \{\}\n",
        since: "kiln",
        reason: "an empty object counts as an empty list, as in every other list of a legacy template",
    },
];

/// Templates with one thing changed each, whether or not they are still right.
fn mutations() -> Vec<(String, Value)> {
    let base = json!({
        "min_packer_version": "1.0.0",
        "variables": {"a": "1", "b": "{{user `a`}}"},
        "sensitive-variables": ["a"],
        "builders": [
            {"type": "null", "communicator": "none"},
            {"type": "file", "name": "f", "content": "{{user `b`}}", "target": "out.txt"}
        ],
        "provisioners": [
            {"type": "shell-local", "inline": ["true"], "only": ["null"], "pause_before": "1s"}
        ],
        "post-processors": [
            [{"type": "checksum", "checksum_types": ["md5"]}, {"type": "manifest"}],
            {"type": "manifest", "keep_input_artifact": true}
        ]
    });
    let mut all = vec![("nothing".to_owned(), base.clone())];
    let values = [
        json!(null),
        json!(""),
        json!("x"),
        json!(true),
        json!([]),
        json!({}),
    ];
    let places = [
        "/min_packer_version",
        "/variables",
        "/variables/a",
        "/variables/b",
        "/sensitive-variables",
        "/builders",
        "/builders/0",
        "/builders/0/type",
        "/builders/0/communicator",
        "/builders/1/name",
        "/builders/1/target",
        "/provisioners",
        "/provisioners/0",
        "/provisioners/0/type",
        "/provisioners/0/inline",
        "/provisioners/0/only",
        "/provisioners/0/pause_before",
        "/post-processors",
        "/post-processors/0",
        "/post-processors/0/0",
        "/post-processors/0/0/checksum_types",
        "/post-processors/1/keep_input_artifact",
    ];
    for (number, place) in places.iter().enumerate() {
        for (at, value) in values.iter().enumerate() {
            // Half of them are enough, but for the places that the table is about.
            let told = ["/sensitive-variables", "/provisioners/0/pause_before"].contains(place);
            if (number + at) % 2 == 1 && !told {
                continue;
            }
            let mut changed = base.clone();
            if let Some(part) = changed.pointer_mut(place) {
                *part = value.clone();
            }
            all.push((format!("{place} = {value}"), changed));
        }
    }
    for (key, value) in [
        ("buildrs", json!([])),
        ("_comment", json!("x")),
        ("push", json!({})),
    ] {
        let mut changed = base.clone();
        changed[key] = value;
        all.push((format!("/{key}"), changed));
    }
    all
}

#[test]
fn changed_legacy_templates_are_judged_alike() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let world = World::new()?;
    let (mut found, mut good) = (Vec::new(), 0);
    let all = mutations();
    for (change, template) in &all {
        world.write("t.json", &template.to_string())?;
        let judged = |program: Program| -> Result<Option<String>> {
            let ran = world.run(program, &["validate", "t.json"])?;
            Ok((ran.code == 0).then(|| "valid".to_owned()))
        };
        let (ours, theirs) = (judged(Program::Kiln)?, judged(Program::Packer)?);
        good += usize::from(theirs.is_some());
        compare(change, ours.as_ref(), theirs.as_ref(), &mut found);
    }
    println!(
        "oracle: {} legacy templates, {good} valid for packer, {} judged differently",
        all.len(),
        found.len()
    );
    explained(&found, TABLE)
}
