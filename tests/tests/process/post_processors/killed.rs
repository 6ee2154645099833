//! Post-processors that are killed while they replace a file.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kiln_tests::{Kiln, leftovers};
use rustix::process::{Pid, Signal, kill_process};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(120);
/// Bytes of the old manifest: so many that writing the new one takes its time.
const BYTES: usize = 48 << 20;
/// How often the right moment is looked for.
const TRIES: usize = 20;

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    Plugin,
    Both,
}

#[test]
fn a_killed_manifest_leaves_only_the_old_file() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.hcl",
        "source \"null\" \"n\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"null.n\"]\n  \
         post-processor \"manifest\" { output = \"out/m.json\" }\n}\n",
    );
    let long = "x".repeat(BYTES);
    let old = format!(
        r#"{{"builds": [{{"name": "{long}", "builder_type": "null", "files": null, "artifact_id": "", "packer_run_uuid": ""}}]}}"#
    );
    for whom in [Whom::Plugin, Whom::Both] {
        let mut caught = false;
        for _ in 0..TRIES {
            let path = kiln.write("out/m.json", &old);
            let folder = path.parent().context("a file has a folder")?;
            caught = killed_half_way(&kiln, folder, whom)?;
            if whom == Whom::Both {
                drop(kiln.run(&["gc"])?.success());
            }
            let names = names(folder)?;
            ensure!(names == ["m.json"], "{whom:?}: {names:?}");
            if caught {
                ensure!(std::fs::read_to_string(&path)? == old, "{whom:?}");
                break;
            }
        }
        ensure!(
            caught,
            "{whom:?}: the new manifest was always there too soon"
        );
        let left = leftovers::of(&kiln, LIMIT);
        ensure!(left.is_empty(), "{whom:?}: {left:#?}");
    }
    Ok(())
}

/// Kills a build when there is half a manifest; whether that came in time.
fn killed_half_way(kiln: &Kiln, folder: &Path, whom: Whom) -> Result<bool> {
    let running = kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
    let Some(plugin) = writer_of_half(kiln, folder, running.pid())? else {
        drop(running.finish(LIMIT)?);
        return Ok(false);
    };
    kill(plugin);
    if whom == Whom::Both {
        kill(i32::try_from(running.pid())?);
    }
    let finished = running.finish(LIMIT)?;
    Ok(!finished.status.success() && folder_is_old(folder)?)
}

/// Waits for half a manifest; the plugin that writes it, or `None` when the build ended before one
/// was seen.
fn writer_of_half(kiln: &Kiln, folder: &Path, build: u32) -> Result<Option<i32>> {
    let begun = Instant::now();
    let mut plugin = None;
    while begun.elapsed() < LIMIT {
        // One process checks the options before another one writes.
        if !plugin.is_some_and(runs) {
            let all = leftovers::processes(kiln.root());
            let mut plugins = all
                .iter()
                .filter(|line| line.contains("kiln-plugin-artifact"));
            plugin = plugins.find_map(|line| line.split(' ').next()?.parse().ok());
        }
        if std::fs::read_dir(folder)?.count() > 1 {
            return Ok(plugin);
        }
        if !runs(i32::try_from(build)?) {
            return Ok(None);
        }
    }
    anyhow::bail!("the build does not end")
}

/// Whether a process has not ended; one that was not waited for has.
fn runs(id: i32) -> bool {
    std::fs::read_link(format!("/proc/{id}/exe")).is_ok()
}

/// Whether the manifest is still the old one, by its size.
fn folder_is_old(folder: &Path) -> Result<bool> {
    let text = std::fs::read_to_string(folder.join("m.json"))?;
    Ok(!text.contains("last_run_uuid"))
}

fn kill(id: i32) {
    // One that is gone already is as good.
    let _gone = Pid::from_raw(id).map(|id| kill_process(id, Signal::KILL));
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder)?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    names.collect()
}
