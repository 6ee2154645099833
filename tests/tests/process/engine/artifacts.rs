//! Which artifacts stay, which go, and what a failed chain does to the others.

use anyhow::Result;
use kiln_tests::Finished;
use kiln_tests::trial::Trial;

/// Builds the artifact `out/o` with these post-processors; the files that are left, and the output.
fn artifacts(processors: &str) -> Result<(Vec<String>, Finished)> {
    let trial = Trial::with("  actions = [\"artifact:out/o\"]", processors);
    let finished = trial.build(&[])?;
    let mut left: Vec<String> = std::fs::read_dir(trial.kiln.work().join("out"))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    left.sort();
    Ok((left, finished))
}

/// Checks which files are left and which artifacts the summary lists.
fn check_artifacts(processors: &str, left: &[&str], listed: &[&str]) -> Result<()> {
    let (found, finished) = artifacts(processors)?;
    let finished = finished.success();
    assert_eq!(found, left, "{processors}\n{finished}");
    let lines: Vec<&str> = finished
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("--> trial.t: A trial: out/"))
        .collect();
    assert_eq!(lines, listed, "{processors}\n{finished}");
    Ok(())
}

fn post(name: &str, options: &str) -> String {
    format!("post-processor \"trial\" {{\n actions = [\"artifact:out/{name}\"]\n {options}\n}}\n")
}

#[test]
fn the_builders_artifact_stays_as_long_as_one_chain_wants_it() -> Result<()> {
    check_artifacts("", &["o"], &["o"])?;
    check_artifacts(&post("a", ""), &["a"], &["a"])?;
    check_artifacts(&post("a", "keep = true"), &["a", "o"], &["o", "a"])?;
    check_artifacts(
        &post("a", "keep_input_artifact = true"),
        &["a", "o"],
        &["o", "a"],
    )?;
    let dropped = "keep = true\n keep_input_artifact = false";
    check_artifacts(&post("a", dropped), &["a"], &["a"])?;
    let two = post("a", "") + &post("b", "keep_input_artifact = true");
    check_artifacts(&two, &["a", "b", "o"], &["o", "a", "b"])?;
    let two = post("a", "") + &post("b", "");
    check_artifacts(&two, &["a", "b"], &["a", "b"])
}

#[test]
fn what_is_between_the_ends_of_a_chain_goes_unless_it_is_wanted() -> Result<()> {
    let chain = |all: &str| format!("post-processors {{\n{all}}}\n");
    check_artifacts(&chain(&(post("a", "") + &post("b", ""))), &["b"], &["b"])?;
    let kept = chain(&(post("a", "") + &post("b", "keep_input_artifact = true")));
    check_artifacts(&kept, &["a", "b"], &["a", "b"])?;
    let kept = chain(&(post("a", "keep_input_artifact = true") + &post("b", "") + &post("c", "")));
    check_artifacts(&kept, &["c", "o"], &["o", "c"])
}

#[test]
fn what_is_no_file_is_removed_by_the_plugin_that_made_it() -> Result<()> {
    let thing = |name: &str, options: &str| {
        format!("post-processor \"trial\" {{\n actions = [\"thing:out/{name}\"]\n {options}\n}}\n")
    };
    let chain = |all: &str| format!("post-processors {{\n{all}}}\n");
    check_artifacts(&chain(&(thing("a", "") + &post("b", ""))), &["b"], &["b"])?;
    // One that hands its input on hands on what that consists of.
    let passes = "post-processor \"trial\" { keep = false }\n";
    let passed = chain(&(thing("a", "keep_input_artifact = true") + passes + &post("b", "")));
    let (left, finished) = artifacts(&passed)?;
    assert_eq!(left, ["b", "o"], "{}", finished.success());

    let stays = chain(&(thing("a-stays", "") + &post("b", "")));
    let (left, finished) = artifacts(&stays)?;
    assert_eq!(left, ["a-stays", "b"]);
    let finished = finished
        .failure()
        .says("Failed to destroy the input of `trial`");
    drop(finished.says("a-stays`: it is in use"));
    Ok(())
}

#[test]
fn what_is_made_in_the_folder_of_its_input_stays() -> Result<()> {
    let trial = Trial::with(
        "  actions = [\"folder:out/image\"]",
        &post("image/packed", ""),
    );
    let finished = trial.build(&[])?.success();
    let left = std::fs::read_dir(trial.kiln.work().join("out/image"))?.count();
    assert_eq!(left, 1, "{finished}");
    Ok(())
}

#[test]
fn a_post_processor_without_an_artifact_ends_its_chain() -> Result<()> {
    let silent = "post-processor \"trial\" {\n nothing = true\n keep = true\n}\n";
    let chain = format!("post-processors {{\n{silent}{}}}\n", post("never", ""));
    let (left, finished) = artifacts(&(chain + &post("b", "keep_input_artifact = true")))?;
    assert_eq!(left, ["b", "o"]);
    drop(finished.success().lacks("never"));
    Ok(())
}

#[test]
fn a_failed_chain_stops_no_other_and_fails_the_build_in_the_end() -> Result<()> {
    let fails = "post-processor \"trial\" { actions = [\"fail:no room\"] }\n";
    let chain = format!(
        "post-processors {{\n{}{fails}{}}}\n",
        post("a", ""),
        post("never", "")
    );
    let (left, finished) = artifacts(&(chain + &post("b", "") + fails))?;
    assert_eq!(
        left,
        ["a", "b"],
        "what was under way stays, the original goes"
    );
    let finished = finished.failure().lacks("never").says(
        ": 2 error(s) occurred:\n\n* Post-processor failed: no room\n* Post-processor failed: no room",
    );
    drop(finished.says("==> trial.t (trial): the input is out/a"));
    Ok(())
}

#[test]
fn a_builder_without_an_artifact_succeeds_and_has_nothing_processed() -> Result<()> {
    let trial = Trial::with("  nothing = true", &post("a", ""));
    let finished = trial.build(&[])?.success();
    let finished = finished
        .says("==> Builds finished but no artifacts were created.")
        .lacks("Running post-processor");
    drop(finished);
    Ok(())
}
