//! Every template of the corpus with its documented variables: parsed, evaluated and planned.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context, Result};
use kiln_tests::kiln::program_folder;
use serde_json::Value;

use crate::corpus::{self, Variant};

/// What a project comes to.
#[derive(Debug, Default)]
struct Count {
    variants: usize,
    builds: usize,
    components: usize,
    failed: usize,
}

/// The plan of a variant, or what kiln says is wrong.
fn plan(variant: &Variant) -> Result<Result<Value, String>> {
    let state = tempfile::tempdir()?;
    let output = Command::new(program_folder().join("kiln"))
        .args(["plan", "-json"])
        .args(variant.flags())
        .arg(&variant.template)
        .current_dir(&variant.folder)
        .env("XDG_STATE_HOME", state.path())
        .env("PACKER_NO_COLOR", "1")
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let value: Value = serde_json::from_str(&text).with_context(|| text.to_string())?;
    if output.status.success() {
        return Ok(Ok(value));
    }
    let errors = value["diagnostics"].as_array().into_iter().flatten();
    let errors = errors.filter(|one| one["severity"] == "error").map(|one| {
        let range = &one["range"];
        let place = format!("{}:{}", range["filename"], range["start"]["line"]);
        format!("    {place}: {} {}", one["summary"], one["detail"])
    });
    Ok(Err(errors.collect::<Vec<_>>().join("\n")))
}

fn components(build: &Value) -> usize {
    let chains = build["post_processors"].as_array().into_iter().flatten();
    let processors: usize = chains.filter_map(Value::as_array).map(Vec::len).sum();
    1 + build["provisioners"].as_array().map_or(0, Vec::len) + processors
}

#[test]
fn every_template_is_planned_with_its_documented_variables() -> Result<()> {
    let Some(folder) = corpus::folder() else {
        return Ok(());
    };
    let variants = corpus::variants(&folder)?;
    let counts: Mutex<BTreeMap<&str, Count>> = Mutex::default();
    let failures = Mutex::new(Vec::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| -> Result<()> {
        let work = || -> Result<()> {
            while let Some(variant) =
                variants.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
            {
                let planned = plan(variant)?;
                let mut counts = counts.lock().expect("no test thread panics with it");
                let count = counts.entry(variant.project).or_default();
                count.variants += 1;
                let problem = match planned {
                    Ok(value) => {
                        let builds = value["builds"].as_array().map_or(&[][..], Vec::as_slice);
                        count.builds += builds.len();
                        count.components += builds.iter().map(components).sum::<usize>();
                        builds.is_empty().then(|| "    no builds".to_owned())
                    }
                    Err(problem) => Some(problem),
                };
                if let Some(problem) = problem {
                    count.failed += 1;
                    let mut failures = failures.lock().expect("no test thread panics with it");
                    failures.push(format!("{}\n{problem}", variant.name()));
                }
            }
            Ok(())
        };
        let other = scope.spawn(work);
        work()?;
        other.join().expect("the other half does not panic")
    })?;
    for (project, count) in counts.into_inner()? {
        println!(
            "{project}: {} variants, {} builds, {} components, {} failed",
            count.variants, count.builds, count.components, count.failed
        );
    }
    let failures = failures.into_inner()?;
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    Ok(())
}

#[test]
fn files_that_are_no_values_are_refused() -> Result<()> {
    let Some(folder) = corpus::folder() else {
        return Ok(());
    };
    for (file, what) in corpus::NO_VALUES {
        let variant = Variant {
            project: "image-builder",
            folder: folder.join("kubernetes-sigs+image-builder/images/capi"),
            template: "packer/azure/packer.json".to_owned(),
            files: vec![file.to_owned()],
            values: Vec::new(),
        };
        let problem = plan(&variant)?
            .err()
            .with_context(|| format!("{file} ({what}) is taken"))?;
        assert!(problem.contains(file), "{problem}");
    }
    Ok(())
}
