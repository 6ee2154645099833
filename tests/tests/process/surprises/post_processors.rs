//! What surprises about post-processors and artifacts.

use anyhow::Result;
use kiln_tests::tools;
use kiln_tests::trial::Trial;

use super::{NULL, artifacts, file, null};

#[test]
fn except_also_cuts_a_chain_of_post_processors() -> Result<()> {
    let trial = file(
        r#"
  post-processors {
    post-processor "trial" { actions = ["say:before"] }
    post-processor "trial" {
      name    = "cut"
      actions = ["say:never"]
    }
    post-processor "trial" { actions = ["say:never"] }
  }
  post-processor "trial" { actions = ["say:other chain"] }"#,
    );
    let finished = trial.build(&["-except=cut"])?.success().lacks("never");
    drop(
        finished
            .says(": before")
            .says(": other chain")
            .lacks("did not match"),
    );
    Ok(())
}

#[test]
fn a_post_processor_without_a_name_is_announced_with_an_empty_one() -> Result<()> {
    let trial = null(
        r#"
  post-processor "trial" {}
  post-processor "trial" { name = "pack" }
  post-processor "trial" { name = "trial" }"#,
    );
    let finished = trial.build(&[])?.success();
    let announced: Vec<&str> = finished
        .stdout
        .lines()
        .filter(|line| line.contains("Running post-processor"))
        .collect();
    let expected = [
        "==> null.n: Running post-processor:  (type trial)",
        "==> null.n: Running post-processor: pack (type trial)",
        "==> null.n: Running post-processor: trial",
    ];
    assert_eq!(announced, expected);
    Ok(())
}

#[test]
fn a_failing_post_processor_stops_no_other_chain_and_its_intermediates_stay() -> Result<()> {
    let trial = file(
        r#"
  post-processors {
    post-processor "trial" { actions = ["artifact:out/between"] }
    post-processor "trial" { actions = ["fail:broken"] }
  }
  post-processor "trial" { actions = ["artifact:out/other"] }"#,
    );
    drop(
        trial
            .build(&[])?
            .failure()
            .says("* Post-processor failed: broken"),
    );
    let there = |name: &str| trial.kiln.work().join("out").join(name).exists();
    assert!(there("between") && there("other") && !there("o"));
    Ok(())
}

#[test]
fn keep_input_artifact_protects_what_the_post_processor_got() -> Result<()> {
    let trial = file(
        r#"
  post-processors {
    post-processor "trial" {
      actions             = ["artifact:out/a"]
      keep_input_artifact = true
    }
    post-processor "trial" { actions = ["artifact:out/b"] }
    post-processor "trial" {
      actions             = ["artifact:out/c"]
      keep_input_artifact = true
    }
  }"#,
    );
    drop(trial.build(&[])?.success());
    let there = |name: &str| trial.kiln.work().join("out").join(name).exists();
    let found = ["o", "a", "b", "c"].map(there);
    assert_eq!(found, [true, false, true, true]);
    Ok(())
}

#[test]
fn checksum_manifest_and_shell_local_keep_their_input_whatever_the_template_says() -> Result<()> {
    for processor in [
        "post-processor \"checksum\" {\n output = \"sums\"\n keep_input_artifact = false\n}",
        "post-processor \"manifest\" { keep_input_artifact = false }",
        "post-processor \"shell-local\" {\n inline = [\"true\"]\n keep_input_artifact = false\n}",
    ] {
        let trial = file(processor);
        drop(trial.build(&[])?.success());
        assert!(trial.kiln.work().join("out/o").exists(), "{processor}");
    }
    Ok(())
}

#[test]
fn a_second_run_adds_to_the_checksum_file() -> Result<()> {
    let trial = file("post-processor \"checksum\" { output = \"sums\" }");
    for lines in 1..=2 {
        drop(trial.build(&[])?.success());
        let sums = std::fs::read_to_string(trial.kiln.work().join("sums"))?;
        assert_eq!(sums.lines().count(), lines, "{sums}");
        let last = sums.lines().last().unwrap_or_default();
        assert_eq!(last, "9dd4e461268c8034f5c8564e155c67a6\to");
    }
    Ok(())
}

fn manifest(trial: &Trial) -> Result<serde_json::Value> {
    let text = std::fs::read_to_string(trial.kiln.work().join("packer-manifest.json"))?;
    assert!(!text.ends_with('\n'), "it has no final line end");
    Ok(serde_json::from_str(&text)?)
}

#[test]
fn the_manifest_grows_and_is_emptied_only_by_force_in_another_run() -> Result<()> {
    let trial = null("post-processor \"manifest\" {}");
    let count = |trial: &Trial| -> Result<usize> {
        Ok(manifest(trial)?["builds"].as_array().map_or(0, Vec::len))
    };
    drop(trial.build(&[])?.success());
    drop(trial.build(&[])?.success());
    assert_eq!(count(&trial)?, 2);
    assert!(manifest(&trial)?["builds"][0]["files"].is_null());
    drop(trial.build(&["-force"])?.success());
    assert_eq!(count(&trial)?, 1);
    let mut trial = trial;
    let run = manifest(&trial)?["last_run_uuid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    trial.kiln.env("PACKER_RUN_UUID", &run);
    drop(trial.build(&["-force"])?.success());
    assert_eq!(count(&trial)?, 2);
    Ok(())
}

#[test]
fn scripts_know_the_identity_of_the_run_that_the_manifest_names() -> Result<()> {
    let trial = null(
        "provisioner \"shell-local\" { inline = [\"echo provisions $PACKER_RUN_UUID.\"] }\n\
         post-processors {\n post-processor \"shell-local\" { inline = [\"echo processes $PACKER_RUN_UUID.\"] }\n\
         post-processor \"manifest\" {}\n}",
    );
    let finished = trial.build(&[])?.success();
    let run = manifest(&trial)?["last_run_uuid"].clone();
    let run = run.as_str().unwrap_or_default();
    assert_eq!(run.len(), 36, "{run:?}");
    let finished = finished.says(&format!("provisions {run}."));
    drop(finished.says(&format!("processes {run}.")));
    Ok(())
}

#[test]
fn the_name_in_the_manifest_is_the_label_of_the_source() -> Result<()> {
    let trial = Trial::new(&format!(
        "{NULL}build {{\n  name = \"release\"\n  sources = [\"null.n\"]\n  post-processor \"manifest\" {{}}\n}}\n"
    ));
    drop(trial.build(&[])?.success());
    assert_eq!(manifest(&trial)?["builds"][0]["name"], "n");
    Ok(())
}

#[test]
fn compress_without_a_known_extension_writes_a_gzipped_archive_of_just_that_name() -> Result<()> {
    let trial = file("post-processor \"compress\" { output = \"packed\" }");
    drop(trial.build(&[])?.success());
    let packed = trial.kiln.work().join("packed").display().to_string();
    let listed = tools::output("tar", &["-tzf", &packed])?;
    assert!(listed.lines().any(|line| line.ends_with('o')), "{listed}");
    Ok(())
}

#[test]
fn post_processors_after_one_that_makes_files_have_no_values_of_the_machine() -> Result<()> {
    let after = |processor: &str| {
        Trial::with(
            "  actions = [\"artifact:out/o\"]",
            &format!(
                "post-processors {{\n{processor}\npost-processor \"trial\" {{ actions = [\"say:id is \
                 ${{build.ID}}\"] }}\n}}"
            ),
        )
    };
    for (processor, expected) in [
        ("", ": id is machine-1"),
        ("post-processor \"manifest\" {}", ": id is machine-1"),
        (
            "post-processor \"checksum\" { output = \"sums\" }",
            ": id is <unknown>",
        ),
        (
            "post-processor \"compress\" { output = \"out/c.zip\" }",
            ": id is <unknown>",
        ),
        (
            "post-processor \"artifice\" { files = [\"out/*\"] }",
            ": id is <unknown>",
        ),
    ] {
        drop(after(processor).build(&[])?.success().says(expected));
    }
    let trial = file("post-processor \"trial\" { actions = [\"say:id is ${build.ID}\"] }");
    drop(trial.build(&[])?.success().says(": id is <unknown>"));
    Ok(())
}

#[test]
fn a_post_processor_that_gives_back_its_input_lists_the_artifact_twice() -> Result<()> {
    for processor in [
        "post-processor \"manifest\" {}",
        "post-processor \"shell-local\" { inline = [\"true\"] }",
    ] {
        let finished = file(processor).build(&[])?.success();
        let line = "file.f: Stored file: out/o";
        assert_eq!(artifacts(&finished), [line, line], "{finished}");
    }
    Ok(())
}
