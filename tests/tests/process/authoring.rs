//! Writing a plugin: what `kiln plugins new`, `docs` and `package` do, and that the guide is true.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use kiln_tests::kiln::{program_folder, project};
use kiln_tests::{Finished, Kiln};

/// Building a plugin for the first time builds everything below the SDK, too.
const LIMIT: Duration = Duration::from_secs(3000);
/// How long the target folder is used again.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// File in it that is as old as it is.
const MADE_NOTE: &str = "made";

/// A world where plugins can be built: with cargo, the crates that are there already, and a target
/// folder that begins with what the project has built. A release build of everything would take
/// many minutes, so the cargo of this world makes the same with the profile for development.
struct Workshop {
    kiln: Kiln,
}

impl Workshop {
    fn new() -> Result<Self> {
        let mut kiln = Kiln::new();
        let own = |name: &str, folder: &str| {
            let home = std::env::var("HOME").unwrap_or_default();
            std::env::var(name).unwrap_or_else(|_| format!("{home}/{folder}"))
        };
        let target = target_folder()?;
        // A bare name would be the shim itself.
        let cargo = std::env::var("CARGO")
            .unwrap_or_else(|_| format!("{}/bin/cargo", own("CARGO_HOME", ".cargo")));
        let shims = kiln.root().join("shims");
        std::fs::create_dir(&shims)?;
        let shim = format!(
            "#!/bin/bash\nwords=()\nfor word; do [ \"$word\" = --release ] || words+=(\"$word\"); done\n\
             [ ! -e Cargo.toml ] || [ -e Cargo.lock ] || cp '{}' Cargo.lock\nexec '{cargo}' \"${{words[@]}}\"\n",
            project().join("Cargo.lock").display()
        );
        let path = shims.join("cargo");
        std::fs::write(&path, shim)?;
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        // The same profiles give the same crates, which are then built already.
        let manifest = std::fs::read_to_string(project().join("Cargo.toml"))?;
        let profiles = manifest
            .find("[profile.")
            .context("the project has profiles")?;
        kiln.write(".cargo/config.toml", &manifest[profiles..]);
        let tools = Path::new(&cargo)
            .parent()
            .map(|folder| folder.display().to_string());
        let search = format!(
            "{}:{}:{}:/usr/local/bin:/usr/bin:/bin",
            shims.display(),
            program_folder().display(),
            tools.unwrap_or_default()
        );
        for (name, value) in [
            ("PATH", search),
            ("CARGO_HOME", own("CARGO_HOME", ".cargo")),
            ("RUSTUP_HOME", own("RUSTUP_HOME", ".rustup")),
            ("CARGO_TARGET_DIR", target.display().to_string()),
            ("CARGO_NET_OFFLINE", "true".to_owned()),
        ] {
            kiln.env(name, &value);
        }
        Ok(Self { kiln })
    }

    /// Runs shell commands in a folder of the working folder.
    fn shell(&self, folder: &str, script: &str) -> Result<Finished> {
        let mut command = Command::new("/bin/bash");
        let enter = self.kiln.work().join(folder);
        let script = format!("set -euxo pipefail\ncd '{}'\n{script}", enter.display());
        command.args(["-c", &script]);
        self.kiln.start_command(command)?.finish(LIMIT)
    }
}

/// The target folder of this module's crates. It is not the project's: programs there that are
/// called like plugins come with kiln, for every other test, too.
fn target_folder() -> Result<PathBuf> {
    static MADE: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let built = program_folder();
    let targets = built
        .parent()
        .context("programs lie in a profile's folder")?;
    let target = targets.join("authoring");
    let made = std::fs::metadata(target.join(MADE_NOTE)).and_then(|facts| facts.modified());
    if made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age < KEPT_FOR)) {
        return Ok(target);
    }
    // The links keep what the project's own folder has thrown away.
    drop(std::fs::remove_dir_all(&target));
    let unfinished = targets.join("authoring.unfinished");
    drop(std::fs::remove_dir_all(&unfinished));
    std::fs::create_dir_all(unfinished.join("debug"))?;
    // Cargo writes its fingerprints in place; what rustc made it replaces, so links are enough.
    for (folder, how) in [(".fingerprint", "-a"), ("build", "-a"), ("deps", "-al")] {
        let mut copy = Command::new("cp");
        copy.arg(how)
            .arg(built.join(folder))
            .arg(unfinished.join("debug"));
        let status = copy.status().context("cp")?;
        anyhow::ensure!(status.success(), "cp {how} of {folder}: {status}");
    }
    std::fs::write(unfinished.join(MADE_NOTE), "")?;
    std::fs::rename(&unfinished, &target)?;
    Ok(target)
}

/// The shell commands of a page, in order.
fn commands(page: &str) -> String {
    let blocks = page.split("```sh\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap_or_default());
    blocks.collect()
}

#[test]
fn the_guide_leads_to_a_plugin_that_is_installed_and_documented() -> Result<()> {
    let workshop = Workshop::new()?;
    let guide = std::fs::read_to_string(project().join("sdk/README.md"))?;
    let script = commands(&guide);
    assert!(
        script.lines().count() >= 9,
        "the guide has commands: {script}"
    );
    drop(
        workshop
            .shell(".", &script)?
            .success()
            .says("Wrote the plugin `greet`")
            .says("test the_process_keeps_the_contract ... ok")
            .says("kiln-plugin-greet_v0.1.0_SHA256SUMS")
            .says("provisioner \"greet\" (plugin greet 0.1.0)")
            .says("Whom to greet.")
            .says("The configuration is valid.")
            .says("Greeting kiln"),
    );
    // Everything the guide says to be in the packed folder is there.
    let packed = workshop.kiln.work().join("kiln-plugin-greet/dist");
    assert_eq!(std::fs::read_dir(packed)?.count(), 3);
    // A version that was packed does not change, and one that promises to work has to.
    let source = "src/provisioner.rs";
    let path = workshop.kiln.work().join("kiln-plugin-greet").join(source);
    let text = std::fs::read_to_string(&path)?;
    std::fs::write(&path, text.replace("Greeting {}", "Hello, {}"))?;
    let again = workshop.shell("kiln-plugin-greet", "kiln plugin package")?;
    drop(again.failure().says("raise the version"));
    let text = text.replace(
        "    #[config(default = \"world\")]\n",
        "    #[config(required)]\n",
    );
    std::fs::write(&path, text)?;
    let manifest = workshop.kiln.work().join("kiln-plugin-greet/Cargo.toml");
    let text = std::fs::read_to_string(&manifest)?;
    std::fs::write(&manifest, text.replace("\"0.1.0\"", "\"0.1.1\""))?;
    let broken = workshop.shell("kiln-plugin-greet", "kiln plugin package")?;
    drop(
        broken
            .failure()
            .says("templates that work with 0.1.0 would not work with 0.1.1")
            .says("the provisioner `greet` now needs the option `whom`"),
    );
    Ok(())
}

/// A new plugin of a kind passes its tests, is laid out as rustfmt wants it, and its example builds.
fn check_kind(kind: &str, says: &str) -> Result<()> {
    let workshop = Workshop::new()?;
    let name = format!("try-{kind}");
    let script = format!(
        "kiln plugin new {name} -kind={kind} crate\ncd crate\ncargo fmt --check\ncargo test\n\
         kiln plugin package -output=../out\n\
         kiln plugin install -path \"$(ls ../out/*.zip)\" github.com/OWNER/{name}\n\
         kiln build -color=false example/template.pkr.hcl\n"
    );
    drop(workshop.shell(".", &script)?.success().says(says));
    Ok(())
}

#[test]
fn a_new_builder_works() -> Result<()> {
    check_kind("builder", "the folder is ")
}

#[test]
fn a_new_post_processor_works() -> Result<()> {
    check_kind("post-processor", "Listed 1 files")
}

#[test]
fn a_new_data_source_works() -> Result<()> {
    check_kind("data-source", "2 lines")
}

#[test]
fn a_crate_is_never_written_over_something() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("taken/file", "mine");
    drop(
        kiln.run(&["plugin", "new", "-kind=builder", "a", "taken"])?
            .failure()
            .says("exists already"),
    );
    drop(
        kiln.run(&["plugin", "new", "Bad_Name"])?
            .failure()
            .says("Perhaps `bad-name`?"),
    );
    drop(
        kiln.run(&["plugin", "new", "a", "-sdk", "taken"])?
            .failure()
            .says("there is no SDK in"),
    );
    drop(
        kiln.run(&["plugin", "new", "a", "-kind", "bilder"])?
            .failure()
            .says("It takes builder or provisioner"),
    );
    let left: Vec<PathBuf> = std::fs::read_dir(kiln.work())?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert_eq!(left, [kiln.work().join("taken")]);
    Ok(())
}

#[test]
fn components_that_came_with_kiln_are_explained() -> Result<()> {
    let kiln = Kiln::new();
    drop(
        kiln.run(&["plugins", "docs", "sleep"])?
            .success()
            .says("provisioner \"sleep\" (plugin pause ")
            .says("  duration (duration, required)\n      How long to wait"),
    );
    drop(
        kiln.run(&["plugins", "docs", "-format=markdown", "data", "http"])?
            .success()
            .says("# `http` (data-source)")
            .says("## Outputs"),
    );
    drop(
        kiln.run(&["plugins", "docs", "null", "-kind=data-source"])?
            .success()
            .says("data-source \"null\"")
            .lacks("builder \"null\""),
    );
    drop(
        kiln.run(&["plugins", "docs", "slep"])?
            .failure()
            .says("There is no plugin or component `slep`. Did you mean `sleep`?"),
    );
    drop(
        kiln.run(&["plugins", "docs", "artifact", "zip"])?
            .failure()
            .says("it has `artifice`"),
    );
    Ok(())
}

#[test]
fn only_a_plugin_is_packed() -> Result<()> {
    let kiln = Kiln::new();
    let package = |words: &[&str]| {
        let words: Vec<&str> = ["plugins", "package"]
            .iter()
            .chain(words)
            .copied()
            .collect();
        kiln.run(&words)
    };
    drop(package(&[])?.failure().says("there is no Cargo.toml in"));
    drop(package(&["-binary=none"])?.failure().says("cannot take"));
    drop(package(&["-binary=/bin/true"])?.failure());
    assert_eq!(std::fs::read_dir(kiln.work())?.count(), 0);
    // A bundled plugin under another name says who it is.
    let other = kiln.work().join("kiln-plugin-other");
    std::fs::copy(program_folder().join("kiln-plugin-null"), &other)?;
    drop(
        package(&["-binary=kiln-plugin-other"])?
            .failure()
            .says("the plugin calls itself `null`"),
    );
    std::fs::rename(&other, kiln.work().join("kiln-plugin-null"))?;
    let packed = package(&["-binary", "kiln-plugin-null", "-output", "out"])?;
    drop(packed.success().says("_SHA256SUMS"));
    assert_eq!(std::fs::read_dir(kiln.work().join("out"))?.count(), 3);
    Ok(())
}
