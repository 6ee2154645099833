//! Templates in YAML: every command, and mistakes in them.

use std::time::{Duration, Instant};

use anyhow::Result;
use kiln_tests::{Kiln, project};
use serde_json::Value;

const TEMPLATE: &str = "\
# A null builder and a local script.
variables:
  who: world  # said hello to
  secret: hush-hush
sensitive-variables: [secret]
_scripts:
  hello: &hello {type: shell-local, inline: ['echo hello {{user `who`}} {{user `secret`}}']}
builders:
  - &base
    type: \"null\"
    communicator: none
  - <<: *base
    name: second
provisioners:
  - *hello
  - <<: *hello
    only: [second]
    inline: |
      echo only {{build_name}}
";

/// The same in JSON.
const SAME: &str = r#"{
  "variables": {"who": "world", "secret": "hush-hush"},
  "sensitive-variables": ["secret"],
  "builders": [
    {"type": "null", "communicator": "none"},
    {"type": "null", "communicator": "none", "name": "second"}
  ],
  "provisioners": [
    {"type": "shell-local", "inline": ["echo hello {{user `who`}} {{user `secret`}}"]},
    {"type": "shell-local", "only": ["second"], "inline": "echo only {{build_name}}\n"}
  ]
}
"#;

fn kiln() -> Kiln {
    let kiln = Kiln::new();
    kiln.write("t.pkr.yaml", TEMPLATE);
    kiln.write("t.json", SAME);
    kiln
}

/// Validates and builds `template`, and expects every text in what is said.
fn check(template: &str, texts: &[&str]) -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.yaml", template);
    for command in ["validate", "build"] {
        let finished = kiln.run(&[command, "t.pkr.yaml"])?.failure();
        for text in texts {
            assert!(
                finished.stdout.contains(text),
                "{command} lacks {text:?}:\n{finished}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_yaml_template_builds() -> Result<()> {
    let kiln = kiln();
    kiln.write("values.yaml", "who: [not text]\n");
    drop(
        kiln.run(&["validate", "-var-file=values.yaml", "t.pkr.yaml"])?
            .failure()
            .says("on values.yaml line 1")
            .says("`who` has to be a text, not a list"),
    );
    kiln.write("values.yaml", "who: moon # and not the world\n");
    drop(
        kiln.run(&["validate", "-var-file=values.yaml", "t.pkr.yaml"])?
            .success()
            .says("The configuration is valid."),
    );
    drop(
        kiln.run(&["build", "-var-file=values.yaml", "t.pkr.yaml"])?
            .success()
            .says("hello moon")
            .says("null.second: only second")
            .lacks("hush-hush"),
    );
    Ok(())
}

#[test]
fn json_and_yaml_inspect_and_plan_alike() -> Result<()> {
    let kiln = kiln();
    let said = |words: &[&str]| Ok::<_, anyhow::Error>(kiln.run(words)?.success().stdout);
    assert_eq!(
        said(&["inspect", "t.pkr.yaml"])?,
        said(&["inspect", "t.json"])?
    );
    let [yaml, json] = ["t.pkr.yaml", "t.json"].map(|name| said(&["plan", name]));
    assert_eq!(
        without_places(&yaml?, "t.pkr.yaml"),
        without_places(&json?, "t.json")
    );
    Ok(())
}

/// A plan without the name and the lines of its template.
fn without_places(plan: &str, name: &str) -> String {
    let mut parts = plan.split(name);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = |rest: &str| rest.bytes().take_while(u8::is_ascii_digit).count();
        let line = part.strip_prefix(':').map_or(0, |rest| 1 + digits(rest));
        text.push_str(&part[line..]);
    }
    text
}

#[test]
fn the_example_is_the_same_in_json_and_yaml() -> Result<()> {
    let kiln = Kiln::new();
    let folder = project().join("tests/examples/mini-debian");
    let said = |command: &str, name: &str| {
        let path = folder.join(name);
        let path = path.to_str().expect("the project's path is UTF-8");
        let fixture = format!("fixture={}", kiln.root().display());
        let finished = kiln.run(&[command, "-var", &fixture, path])?.success();
        Ok::<_, anyhow::Error>(without_places(&finished.stdout, name))
    };
    assert_eq!(
        said("inspect", "mini.pkr.yaml")?,
        said("inspect", "mini.json")?
    );
    let yaml = said("plan", "mini.pkr.yaml")?.replace("\"yaml\"", "\"json\"");
    assert_eq!(yaml, said("plan", "mini.json")?);
    Ok(())
}

/// A plan as data, without files and lines.
fn builds_of(plan: &str) -> Result<Value> {
    fn without_places(value: Value) -> Value {
        match value {
            Value::Array(items) => items.into_iter().map(without_places).collect(),
            Value::Object(entries) => entries
                .into_iter()
                .filter(|(key, _)| !matches!(key.as_str(), "file" | "line"))
                .map(|(key, entry)| (key, without_places(entry)))
                .collect(),
            other => other,
        }
    }
    let document: Value = serde_json::from_str(plan)?;
    Ok(without_places(document["builds"].clone()))
}

#[test]
fn the_example_is_the_same_plan_as_data_in_json_and_yaml() -> Result<()> {
    let kiln = Kiln::new();
    let folder = project().join("tests/examples/mini-debian");
    let builds = |name: &str| {
        let path = folder.join(name).display().to_string();
        let finished = kiln.run(&["plan", "-json", "-var", "fixture=x", &path])?;
        builds_of(&finished.success().stdout)
    };
    let (yaml, json) = (builds("mini.pkr.yaml")?, builds("mini.json")?);
    assert_eq!(yaml, json);
    assert_eq!(yaml[0]["name"], "qemu.debian");
    assert_eq!(yaml[0]["provisioners"][0]["type"], "shell");
    Ok(())
}

#[test]
fn hcl2_upgrade_gives_the_same_for_yaml_and_json() -> Result<()> {
    let kiln = kiln();
    for name in ["t.pkr.yaml", "t.json"] {
        drop(kiln.run(&["hcl2_upgrade", name])?.success());
    }
    let read = |name: &str| std::fs::read_to_string(kiln.work().join(name));
    assert_eq!(read("t.pkr.yaml.pkr.hcl")?, read("t.json.pkr.hcl")?);
    drop(kiln.run(&["validate", "t.pkr.yaml.pkr.hcl"])?.success());
    Ok(())
}

#[test]
fn fix_and_fmt_leave_yaml_alone_and_say_so() -> Result<()> {
    let kiln = kiln();
    let finished = kiln.run(&["fix", "t.pkr.yaml"])?.failure();
    drop(
        finished
            .says("kiln fix only works with JSON files")
            .says("comments and anchors"),
    );
    drop(
        kiln.run(&["fmt", "t.pkr.yaml"])?
            .failure()
            .says("file t.pkr.yaml is not a HCL file")
            .says("YAML templates are left as they are"),
    );
    let text = std::fs::read_to_string(kiln.work().join("t.pkr.yaml"))?;
    assert_eq!(text, TEMPLATE);
    Ok(())
}

#[test]
fn a_folder_with_a_yaml_template_says_to_name_it() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("folder/t.pkr.yaml", TEMPLATE);
    drop(
        kiln.run(&["validate", "folder"])?
            .failure()
            .says("Could not find any config file in folder")
            .says("folder/t.pkr.yaml"),
    );
    Ok(())
}

#[test]
fn mistakes_have_their_place_in_the_yaml_file() -> Result<()> {
    check(
        "builders:\n  - type: file\n    target: x\n    content: {{user `x`}}\n",
        &[
            "on t.pkr.yaml line 4:",
            "   4:     content: {{user `x`}}",
            "                   ^^^^^^^^^^^^",
            "Write '{{user `x`}}'.",
        ],
    )?;
    check(
        "builders:\n  - type: file\n    target: x\n    contnet: y\n",
        &[
            "on t.pkr.yaml line 4, in builder \"file\":",
            "Did you mean \"content\"?",
        ],
    )?;
    check(
        "builders:\n  - type: file\n    target: x\n    content: y\n    target: z\n",
        &[
            "Duplicate key `target`",
            "on t.pkr.yaml line 5:",
            "on t.pkr.yaml line 3: the first one",
        ],
    )?;
    check(
        "builders:\n\t- type: file\n",
        &["Tab in indentation", "on t.pkr.yaml line 2:"],
    )
}

#[test]
fn hostile_yaml_is_refused_fast() -> Result<()> {
    let bomb: String = (0..40)
        .map(|level| match level {
            0 => "_a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(),
            level => format!(
                "_a{level}: &a{level} [{}]\n",
                vec![format!("*a{}", level - 1); 10].join(", ")
            ),
        })
        .collect();
    for (text, expected) in [
        (bomb, "Too much behind aliases"),
        (
            "builders: &b [*b]\n".to_owned(),
            "Alias inside of what it stands for",
        ),
        (
            format!("description: {}\n", "x".repeat(100 << 20)),
            "larger than",
        ),
        (
            format!("description: {}\n", "x".repeat(8 << 20)),
            "File too large",
        ),
        ("[".repeat(1 << 20), "Nesting too deep"),
    ] {
        let begun = Instant::now();
        check(&text, &[expected])?;
        // Two commands, on a machine that does other things too.
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{expected}: {:?}",
            begun.elapsed()
        );
    }
    Ok(())
}
