//! `fix` repairs old templates alike, to the byte, and refuses the same ones.

use std::collections::BTreeSet;

use anyhow::Result;
use kiln_tests::tools::installed;
use serde_json::Value;

use super::old_options::{Values, template};
use super::programs::{Program, World};
use super::random::Random;
use super::table::{Difference, Known, compare, explained};

const TABLE: &[Known] = &[
    Known {
        pattern: r"^`login_email` .*kiln:   nothing\n",
        since: "kiln",
        reason: "`login_email` goes from builders too when there are no post-processors; Packer forgets \
                 them then",
    },
    Known {
        pattern: r#"^`iso_checksum` .*"iso_checksum_type":"none".*kiln:   "none"\n"#,
        since: "kiln",
        reason: "the type none makes the checksum none; Packer writes `none:SUM`, or nothing",
    },
    Known {
        pattern: r#"^`virtualbox` .*kiln:   \{"old":true\}\n  packer: nothing"#,
        since: "kiln",
        reason: "overrides that are there already stay; Packer throws them away",
    },
    Known {
        pattern: r#"^`tags` .*"tag":"".*packer: \[""[,\]]"#,
        since: "kiln",
        reason: "an empty tag is none; Packer adds it to the tags",
    },
    Known {
        pattern: r"packer: REFUSED\n$",
        since: "kiln",
        reason: "a value of a wrong kind is left as it is; Packer refuses the whole template, and \
                 says neither where nor why",
    },
];

fn fixed(world: &World, program: Program) -> Result<Option<String>> {
    let ran = world.run(program, &["fix", "-validate=false", "t.json"])?;
    Ok((ran.code == 0).then_some(ran.text))
}

/// The places where two results differ, each with the component that was there.
fn differences(template: &Value, ours: &Value, theirs: &Value, found: &mut Vec<Difference>) {
    if let (Value::Object(our), Value::Object(their)) = (ours, theirs) {
        let names: BTreeSet<&String> = our.keys().chain(their.keys()).collect();
        for name in names {
            match (our.get(name), their.get(name)) {
                (Some(ours), Some(theirs)) if holds_objects(ours) && holds_objects(theirs) => {
                    let inner = template.get(name).unwrap_or(template);
                    differences(inner, ours, theirs, found);
                }
                (ours, theirs) => differ(&format!("`{name}` of {template}"), ours, theirs, found),
            }
        }
    } else if let (Value::Array(our), Value::Array(their)) = (ours, theirs)
        && our.len() == their.len()
    {
        for (number, (ours, theirs)) in our.iter().zip(their).enumerate() {
            let inner = template.get(number).unwrap_or(template);
            differences(inner, ours, theirs, found);
        }
    } else {
        differ(&template.to_string(), Some(ours), Some(theirs), found);
    }
}

/// Whether differences are looked for inside of a value.
fn holds_objects(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().any(holds_objects),
        _ => false,
    }
}

fn differ(place: &str, ours: Option<&Value>, theirs: Option<&Value>, found: &mut Vec<Difference>) {
    let text = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    compare(place, Some(&text(ours)), Some(&text(theirs)), found);
}

#[test]
fn old_templates_are_fixed_alike() -> Result<()> {
    if !installed(&["packer"]) {
        return Ok(());
    }
    let world = World::new()?;
    let mut random = Random::new(0xF1_0001);
    let mut found = Vec::new();
    let (mut accepted, mut same) = (0, 0);
    let kinds = [(Values::Right, 90), (Values::OneWrong, 110)];
    for (values, count) in kinds {
        for _ in 0..count {
            let template = template(&mut random, values);
            let text = template.to_string();
            world.write("t.json", &text)?;
            let (ours, theirs) = (
                fixed(&world, Program::Kiln)?,
                fixed(&world, Program::Packer)?,
            );
            accepted += usize::from(theirs.is_some());
            same += usize::from(ours == theirs);
            if let (Some(our), Some(their)) = (&ours, &theirs)
                && let (our, their) = (serde_json::from_str(our)?, serde_json::from_str(their)?)
                && our != their
            {
                differences(&template, &our, &their, &mut found);
            } else {
                compare(&text, ours.as_ref(), theirs.as_ref(), &mut found);
            }
        }
    }
    println!(
        "oracle: 200 old templates, {accepted} fixed by packer, {same} alike to the byte, {} differences",
        found.len()
    );
    explained(&found, TABLE)
}
