//! The files written beside an artifact: their names, and writing them whole or not at all.

use std::path::{Path, PathBuf};

use kiln_sdk::{Artifact, BuildInfo, Draft, Failure, RunContext};

/// Permission bits of what is written, before the user's mask.
const MODE: u32 = 0o664;

/// Where the files about an artifact go: a folder, and what their names begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
    stem: String,
}

impl Place {
    /// Beside the artifact's first file, or in `output_dir` when that is not empty. Names begin
    /// with the build's name and the file's.
    ///
    /// # Source
    ///
    /// Packer's `provenance` post-processor.
    pub fn of(artifact: &Artifact, build: &BuildInfo, output_dir: &str) -> Self {
        let first = artifact.files.first();
        let folder = match (output_dir, first.and_then(|file| file.parent())) {
            ("", Some(parent)) if !parent.as_os_str().is_empty() => parent.to_owned(),
            ("", _) => PathBuf::from("."),
            (given, _) => PathBuf::from(given),
        };
        let name = match first.and_then(|file| file.file_name()) {
            Some(name) => name.to_string_lossy().into_owned(),
            None => plain(&format!("{}-{}", artifact.builder_id, artifact.id)),
        };
        let build = plain(&build.source_name);
        let stem = match name == build || name.starts_with(&format!("{build}.")) {
            true => name,
            false => format!("{build}.{name}"),
        };
        Self { folder, stem }
    }

    /// The file whose name ends in `end`.
    pub fn file(&self, end: &str) -> PathBuf {
        self.folder.join(format!("{}.{end}", self.stem))
    }
}

/// Text that can be part of a file's name.
fn plain(text: &str) -> String {
    text.replace(
        |c: char| c == '/' || c.is_whitespace() || c.is_control(),
        "_",
    )
}

/// Writes `content` to `path`, whose folder is made when it is missing. An older file stays until
/// the new one is complete.
///
/// # Errors
///
/// A [`Failure`] that names the path.
pub async fn write(cx: &RunContext, path: &Path, content: &[u8]) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::new(format!("cannot write `{}`: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let draft = Draft::of(cx, path).await?;
    let written = draft.write(MODE, content).map_err(failed);
    draft.end().await;
    written
}

#[cfg(test)]
mod tests {
    use kiln_sdk::{Event, HostLink};
    use tokio_util::sync::CancellationToken;

    use super::*;

    /// A context whose host puts everything on record.
    fn context() -> RunContext {
        let (link, mut events) = HostLink::new();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if let Event::Created(_, _, recorded) = event {
                    recorded.send(()).expect("it waits");
                }
            }
        });
        RunContext::new(link, CancellationToken::new(), BuildInfo::default())
    }

    fn check(files: &[&str], build: &str, output_dir: &str, expected: &str) {
        let artifact = Artifact {
            builder_id: "a.b".to_owned(),
            id: "region:ami 1".to_owned(),
            files: files.iter().map(PathBuf::from).collect(),
            ..Artifact::default()
        };
        let build = BuildInfo {
            source_name: build.to_owned(),
            ..BuildInfo::default()
        };
        let place = Place::of(&artifact, &build, output_dir);
        assert_eq!(place.file("x.json"), Path::new(expected));
    }

    #[test]
    fn names_begin_with_the_build_and_the_first_file() {
        check(&["out/d.img", "z"], "debian", "", "out/debian.d.img.x.json");
        check(&["debian.img"], "debian", "", "./debian.img.x.json");
        check(&["debian"], "debian", "", "./debian.x.json");
        check(&["/o/a"], "b/c", "at", "at/b_c.a.x.json");
        check(&[], "cloud", "", "./cloud.a.b-region:ami_1.x.json");
    }

    #[tokio::test]
    async fn a_file_is_replaced_whole_and_a_failure_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/a.json");
        let cx = context();
        write(&cx, &path, b"one").await.unwrap();
        write(&cx, &path, b"two").await.unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(
            std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1
        );
        let error = write(&cx, &path.join("below"), b"").await.unwrap_err();
        assert!(error.message.contains("a.json/below`"), "{error}");
    }
}
