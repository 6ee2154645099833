//! The executable that is packaged: given, or built by cargo.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use host_plugin_client::restore_open_files;
use host_plugin_client::tree::Family;
use host_ui::Ui;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

/// How long cargo may take; a first build of everything on a small machine takes half of it.
const LIMIT: Duration = Duration::from_secs(7200);

/// An executable, and what its surroundings say that it is.
#[derive(Debug)]
pub(super) struct Built {
    /// The file.
    pub(super) executable: PathBuf,
    /// The plugin's name, when a file name has it.
    pub(super) name: Option<String>,
    /// The version in the manifest of its crate.
    pub(super) version: Option<String>,
}

impl Built {
    /// An executable that exists.
    pub(super) fn given(path: &Path) -> Result<Self, String> {
        let executable = path
            .canonicalize()
            .map_err(|error| format!("cannot take `{}`: {error}", path.display()))?;
        if !executable.is_file() {
            return Err(format!("`{}` is not a file", path.display()));
        }
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.and_then(|name| name.strip_prefix(Family::Kiln.prefix()));
        let name = name.map(|name| name.split(['_', '.']).next().unwrap_or(name).to_owned());
        Ok(Self {
            executable,
            name,
            version: None,
        })
    }
}

/// Has cargo build the plugin in `folder`.
pub(super) async fn build(ui: &Ui, folder: &Path) -> Result<Built, String> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(format!(
            "there is no Cargo.toml in `{}`: name the folder of the plugin's crate, or give its \
             executable with -binary",
            folder.display()
        ));
    }
    let mut ask = cargo(folder);
    ask.args(["metadata", "--format-version=1", "--no-deps"]);
    let facts = Box::pin(run(ui, ask, "metadata")).await?;
    let facts: Value = serde_json::from_str(&facts)
        .map_err(|error| format!("cargo metadata cannot be understood: {error}"))?;
    let (target, version) = plugin_in(&facts, &manifest)?;

    let mut make = cargo(folder);
    make.args(["build", "--release", "--bin", &target])
        .args(["--message-format", "json-render-diagnostics"]);
    let messages = Box::pin(run(ui, make, "build")).await?;
    let executable = executable_in(&messages, &target)
        .ok_or_else(|| format!("cargo built `{target}`, but does not say where it is"))?;
    let name = target.strip_prefix(Family::Kiln.prefix());
    Ok(Built {
        executable,
        name: name.map(str::to_owned),
        version: Some(version),
    })
}

/// The one program of the package at `manifest` that is a plugin, and the package's version.
fn plugin_in(facts: &Value, manifest: &Path) -> Result<(String, String), String> {
    let own = manifest.canonicalize().ok();
    let packages = facts["packages"].as_array().into_iter().flatten();
    let mut packages = packages.filter(|package| {
        let path = package["manifest_path"].as_str();
        path.and_then(|path| Path::new(path).canonicalize().ok()) == own
    });
    let shown = manifest.display();
    let package = packages
        .next()
        .ok_or_else(|| format!("`{shown}` is not the manifest of a package"))?;
    let programs: Vec<&str> = package["targets"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|target| {
            let kinds = target["kind"].as_array();
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "bin"))
        })
        .filter_map(|target| target["name"].as_str())
        .collect();
    let plugins: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|name| name.starts_with(Family::Kiln.prefix()))
        .collect();
    let version = package["version"].as_str().unwrap_or_default().to_owned();
    match plugins.as_slice() {
        [one] => Ok(((*one).to_owned(), version)),
        [] => Err(format!(
            "`{shown}` has no program named {}NAME; it has {}",
            Family::Kiln.prefix(),
            listed(&programs)
        )),
        several => Err(format!(
            "`{shown}` has {} plugins ({}); build them and give each with -binary",
            several.len(),
            listed(several)
        )),
    }
}

fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}

/// Where cargo says it put the program.
fn executable_in(messages: &str, target: &str) -> Option<PathBuf> {
    let mut messages = messages.lines().rev();
    messages.find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let path = message["executable"].as_str()?;
        (message["target"]["name"] == target).then(|| PathBuf::from(path))
    })
}

fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(folder);
    cargo
}

/// Runs cargo; what it tells people is said, and what it prints for programs is returned.
async fn run(ui: &Ui, mut cargo: Command, what: &str) -> Result<String, String> {
    cargo
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = cargo
        .spawn()
        .map_err(|error| format!("cannot start cargo, which builds the plugin: {error}"))?;
    restore_open_files(child.id());
    let (Some(mut stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err("cargo has no outputs".to_owned());
    };
    let mut printed = String::new();
    let work = async {
        let tell = async {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                ui.say(&line);
            }
        };
        let (read, ()) = tokio::join!(stdout.read_to_string(&mut printed), tell);
        read.map(|_| ())?;
        child.wait().await
    };
    let ended = tokio::time::timeout(LIMIT, work).await;
    let status = ended
        .map_err(|_| format!("cargo {what} did not end within {} s", LIMIT.as_secs()))?
        .map_err(|error| format!("cargo {what} cannot be followed: {error}"))?;
    match status.success() {
        true => Ok(printed),
        false => Err(format!("cargo {what} failed ({status}); see above")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(names: &[&str]) -> (tempfile::TempDir, Value) {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("Cargo.toml");
        std::fs::write(&manifest, "").unwrap();
        let targets: Vec<Value> = names
            .iter()
            .map(|name| serde_json::json!({ "name": name, "kind": ["bin"] }))
            .collect();
        let facts = serde_json::json!({
            "packages": [{ "manifest_path": manifest, "version": "1.2.3", "targets": targets }]
        });
        (folder, facts)
    }

    fn check(names: &[&str], expected: &str) {
        let (folder, facts) = facts(names);
        let found = match plugin_in(&facts, &folder.path().join("Cargo.toml")) {
            Ok((name, version)) => format!("{name} {version}"),
            Err(problem) => problem,
        };
        assert!(found.contains(expected), "{names:?}: {found}");
    }

    #[test]
    fn the_plugin_of_a_package_is_found() {
        check(&["tool", "kiln-plugin-oxide"], "kiln-plugin-oxide 1.2.3");
        check(
            &["tool"],
            "has no program named kiln-plugin-NAME; it has `tool`",
        );
        check(&[], "it has none");
        check(&["kiln-plugin-a", "kiln-plugin-b"], "has 2 plugins");
    }

    #[test]
    fn the_name_of_a_given_executable_is_that_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        for (file, name) in [
            ("kiln-plugin-a", Some("a")),
            ("kiln-plugin-a_v1.0.0_k1_linux_amd64", Some("a")),
            ("program", None),
        ] {
            let path = folder.path().join(file);
            std::fs::write(&path, "").unwrap();
            assert_eq!(Built::given(&path).unwrap().name.as_deref(), name);
        }
        assert!(Built::given(&folder.path().join("none")).is_err());
        assert!(Built::given(folder.path()).is_err());
    }
}
