//! The `manifest` post-processor: a JSON file that lists what builds made.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kiln_sdk::staging::{Late, check};
use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostics, Draft, Failure, PostProcessed, PostProcessor,
    Prepared, RunContext, Value,
};
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

/// How long to wait for another build that writes the same manifest.
const LOCK_LIMIT: Duration = Duration::from_secs(30);
/// Permission bits of a manifest, before the user's mask.
const MODE: u32 = 0o664;

/// Adds an entry for the build to a JSON file.
#[derive(Debug, Clone, Config)]
pub struct ManifestConfig {
    /// Path of the manifest.
    #[config(default = "packer-manifest.json")]
    pub output: String,
    /// Whether to list files by their base name only.
    pub strip_path: bool,
    /// Whether to leave the build time out, for manifests that compare equal.
    pub strip_time: bool,
    /// Text to keep with the entry, by key; templates that can use the machine's values.
    #[config(late)]
    pub custom_data: BTreeMap<String, String>,
}

/// The whole file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct ManifestFile {
    builds: Vec<Entry>,
    #[serde(default)]
    last_run_uuid: String,
}

/// One build.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    builder_type: String,
    /// Seconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "is_zero")]
    build_time: u64,
    files: Option<Vec<FileEntry>>,
    artifact_id: String,
    packer_run_uuid: String,
    #[serde(default)]
    custom_data: Option<BTreeMap<String, String>>,
}

/// One file of an artifact.
#[derive(Debug, Serialize, Deserialize)]
struct FileEntry {
    name: String,
    size: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// The post-processor.
pub struct Manifest;

impl PostProcessor for Manifest {
    type Config = ManifestConfig;

    fn prepare(&self, config: &mut ManifestConfig, _build: &BuildInfo) -> Prepared {
        let mut problems = Diagnostics::new();
        for text in config.custom_data.values() {
            check::template("custom_data", text, &mut problems);
        }
        problems.into()
    }

    /// # Source
    ///
    /// Packer's `manifest`: the entry, and that a file that is gone has the size 0.
    async fn post_process(
        &self,
        cx: RunContext,
        mut config: ManifestConfig,
        input: Artifact,
        generated: Value,
    ) -> Result<PostProcessed, Failure> {
        let late = Late::new(&cx, &generated);
        for text in config.custom_data.values_mut() {
            *text = late.render("custom_data", text)?;
        }
        for file in input.files.iter().filter(|file| !file.exists()) {
            let file = file.display();
            cx.error(format!(
                "Warning: {file} of the artifact is not there; the manifest says that its size is 0"
            ))
            .await;
        }
        let entry = entry(&config, &input, cx.build());
        let (path, force) = (PathBuf::from(&config.output), cx.build().force);
        let draft = Arc::new(Draft::of(&cx, &path).await?);
        let writer = Arc::clone(&draft);
        let work = tokio::task::spawn_blocking(move || {
            add(&path, entry, force, &|text| writer.write(MODE, text))
        });
        let added = work.await.map_err(|error| Failure::from_error(&error));
        if let Some(draft) = Arc::into_inner(draft) {
            draft.end().await;
        }
        added??;
        Ok(PostProcessed {
            artifact: Some(input),
            keep_input: true,
            force_keep_input: true,
        })
    }
}

fn entry(config: &ManifestConfig, input: &Artifact, build: &BuildInfo) -> Entry {
    let mut files = Vec::new();
    for file in &input.files {
        let size = file.metadata().map_or(0, |facts| facts.len());
        let name = match file.file_name() {
            Some(name) if config.strip_path => name.to_string_lossy().into_owned(),
            _ => file.display().to_string(),
        };
        files.push(FileEntry { name, size });
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    Entry {
        name: build.source_name.clone(),
        builder_type: build.builder_type.clone(),
        build_time: if config.strip_time { 0 } else { now },
        files: (!files.is_empty()).then_some(files),
        artifact_id: input.id.clone(),
        packer_run_uuid: build.run_uuid.clone(),
        custom_data: (!config.custom_data.is_empty()).then(|| config.custom_data.clone()),
    }
}

/// Adds `entry` to the file at `path`; `write` replaces it with new content as a whole.
fn add(
    path: &Path,
    entry: Entry,
    force: bool,
    write: &dyn Fn(&[u8]) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let failed = |action: &str, error: &dyn std::fmt::Display| {
        Failure::new(format!(
            "cannot {action} manifest `{}`: {error}",
            path.display()
        ))
        .on("output")
    };
    std::fs::create_dir_all(folder).map_err(|error| failed("create the folder of", &error))?;
    let _lock = lock(folder).map_err(|error| failed("lock", &error))?;
    let mut manifest = match std::fs::read(path) {
        Ok(text) if text.iter().all(u8::is_ascii_whitespace) => ManifestFile::default(),
        Ok(text) => serde_json::from_slice(&text).map_err(|error| {
            failed(
                "add to",
                &format!("it is not a manifest ({error}); move it away or repair it"),
            )
        })?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => ManifestFile::default(),
        Err(error) => return Err(failed("read", &error)),
    };
    if force && manifest.last_run_uuid != entry.packer_run_uuid {
        manifest.builds.clear();
    }
    manifest.last_run_uuid.clone_from(&entry.packer_run_uuid);
    manifest.builds.push(entry);
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| failed("write", &error))?;
    write(&text).map_err(|error| failed("write", &error))
}

/// Locks the folder against other builds that write a manifest there. Nothing is left on disk and
/// the lock ends with the process.
fn lock(folder: &Path) -> std::io::Result<File> {
    let handle = File::open(folder)?;
    let begun = Instant::now();
    loop {
        match rustix::fs::flock(&handle, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(handle),
            Err(rustix::io::Errno::WOULDBLOCK) if begun.elapsed() < LOCK_LIMIT => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(run: &str) -> Entry {
        Entry {
            name: "debian".into(),
            builder_type: "qemu".into(),
            build_time: 0,
            files: None,
            artifact_id: "VM".into(),
            packer_run_uuid: run.into(),
            custom_data: None,
        }
    }

    fn add(path: &Path, entry: Entry, force: bool) -> Result<(), Failure> {
        super::add(path, entry, force, &|text| std::fs::write(path, text))
    }

    #[test]
    fn has_the_shape_scripts_expect() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out/manifest.json");
        add(&path, sample("1"), false).unwrap();
        let expected = r#"{
  "builds": [
    {
      "name": "debian",
      "builder_type": "qemu",
      "files": null,
      "artifact_id": "VM",
      "packer_run_uuid": "1",
      "custom_data": null
    }
  ],
  "last_run_uuid": "1"
}"#;
        assert_eq!(std::fs::read_to_string(path).unwrap(), expected);
    }

    #[test]
    fn entries_pile_up_until_a_forced_run_of_another_identity() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        let count = || {
            let text = std::fs::read(&path).unwrap();
            serde_json::from_slice::<ManifestFile>(&text)
                .unwrap()
                .builds
                .len()
        };
        for (run, force, expected) in [
            ("1", false, 1),
            ("2", false, 2),
            ("3", true, 1),
            ("3", true, 2),
        ] {
            add(&path, sample(run), force).unwrap();
            assert_eq!(count(), expected, "run {run}, force {force}");
        }
    }

    #[test]
    fn a_file_that_is_no_manifest_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        std::fs::write(&path, "not json").unwrap();
        let error = add(&path, sample("1"), false).unwrap_err();
        assert!(error.message.contains("move it away"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "not json");
    }

    #[test]
    fn parallel_builds_lose_no_entry() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| add(&path, sample("1"), false).unwrap());
            }
        });
        let text = std::fs::read(&path).unwrap();
        assert_eq!(
            serde_json::from_slice::<ManifestFile>(&text)
                .unwrap()
                .builds
                .len(),
            8
        );
    }
}
