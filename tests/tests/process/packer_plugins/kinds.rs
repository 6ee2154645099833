//! All four kinds, each plugin through a whole build.

use anyhow::Result;
use kiln_tests::leftovers;
use std::time::Duration;

use super::{PLUGINS, world};

#[test]
fn every_kind_of_component_works_with_every_version_of_the_sdk() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        kiln.write("folder/.keep", "");
        kiln.write(
            "t.pkr.hcl",
            &format!(
                r#"
data "{name}-facts" "f" {{
  name     = "found"
  count_of = 41
  labels   = {{ a = "b" }}
}}
source "{name}-folder" "b" {{
  name     = "${{data.{name}-facts.f.name}}"
  count_of = data.{name}-facts.f.count_of
  labels   = data.{name}-facts.f.labels
  output   = "image-{name}"
  tag {{ key = "one" }}
  tag {{ key = "two" }}
}}
build {{
  sources = ["source.{name}-folder.b"]
  provisioner "{name}-check" {{ folder = "${{path.cwd}}/folder" }}
  provisioner "shell-local" {{ inline = ["echo fruit ${{build.Fruit}}"] }}
  post-processor "{name}" {{
    output = "made-{name}"
  }}
}}
"#
            ),
        );
        let build = ["build", "-color=false", "t.pkr.hcl"];
        drop(
            kiln.run(&build)?
                .success()
                .says("building found! 42 map[a:b] [{one} {two}]")
                .says("an error line")
                .says("a message line")
                .says("data machine-1 7")
                .says("fruit pear")
                .says(&format!("input kiln.folder image-1 [image-{name}] a-name"))
                .says("fact pear")
                .says(&format!("files: made-{name}"))
                .says("password <sensitive>")
                .lacks("go-hidden-pw"),
        );
        assert!(kiln.work().join(format!("made-{name}")).exists());
        let image = std::fs::read_to_string(kiln.work().join(format!("image-{name}")))?;
        assert_eq!(image, "image of found!\n");
    }
    let left = leftovers::of(&kiln, Duration::from_secs(20));
    assert!(left.is_empty(), "{left:#?}");
    Ok(())
}

#[test]
fn a_json_template_reaches_the_plugin_with_its_own_templates() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        kiln.write(
            "t.json",
            &format!(
                r#"{{"variables": {{"fruit": "plum"}},
                "builders": [{{"type": "{name}-folder", "name": "{{{{user `fruit`}}}}",
                    "count_of": "3", "output": "json-{{{{user `fruit`}}}}-{name}"}}],
                "provisioners": [{{"type": "{name}-check", "trouble": "name",
                    "name": "a {{{{build `Fruit`}}}}"}}],
                "post-processors": [{{"type": "{name}", "folder": "a {{{{build `Fruit`}}}}",
                    "output": "made-{{{{user `fruit`}}}}-{{{{build_type}}}}"}}]}}"#
            ),
        );
        drop(
            kiln.run(&["build", "-color=false", "t.json"])?
                .success()
                .says(&format!("image-1 [json-plum-{name}]"))
                .says("named a pear")
                .says("fact pear"),
        );
        let made = kiln.work().join(format!("made-plum-{name}-folder"));
        assert_eq!(std::fs::read_to_string(made)?, "a pear");
    }
    Ok(())
}

#[test]
fn a_post_processor_may_return_its_input_or_nothing() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        for (trouble, says) in [("same", "files: i"), ("nothing", "Builds finished")] {
            let template = format!(
                "source \"{name}-folder\" \"b\" {{ output = \"i\" }}\nbuild {{\n  sources = \
                 [\"source.{name}-folder.b\"]\n  post-processor \"{name}\" {{ trouble = \
                 \"{trouble}\" }}\n}}\n"
            );
            kiln.write("t.pkr.hcl", &template);
            let done = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?;
            drop(
                done.success()
                    .says("input kiln.folder image-1 [i]")
                    .says(says),
            );
        }
    }
    Ok(())
}

#[test]
fn the_output_folder_of_an_artifact_that_is_not_kept_goes_with_it() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    for (name, _) in PLUGINS {
        let folder = format!("output-{name}");
        let template = |made: &str| {
            format!(
                "source \"{name}-folder\" \"b\" {{ output = \"{folder}/image\" }}\nbuild {{\n  sources = \
                 [\"source.{name}-folder.b\"]\n  post-processor \"{name}\" {{\n    output = \
                 \"{made}\"\n    keep_input_artifact = false\n  }}\n}}\n"
            )
        };
        kiln.write("t.pkr.hcl", &template("made"));
        for _ in 0..2 {
            // The builder refuses a folder that is there already.
            drop(kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.success());
            assert!(!kiln.work().join(&folder).exists());
        }
        kiln.write("t.pkr.hcl", &template(&format!("{folder}/made")));
        drop(kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.success());
        let stays = |file: &str| kiln.work().join(&folder).join(file).exists();
        assert!(stays("made") && !stays("image"));
    }
    Ok(())
}
