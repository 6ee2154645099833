//! What an attestation about an artifact is about.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kiln_sdk::attestation::{DigestError, FileDigests, Subject, sha256_hex};
use kiln_sdk::{Artifact, Failure, RunContext};
use serde_json::{Value, json};

/// Subjects, and what has to be said in addition for them to make sense.
pub struct Subjects {
    /// At least one.
    pub subjects: Vec<Subject>,
    /// The record that stands for an artifact without files.
    pub identity: Option<Value>,
}

/// Every file of the artifact with its digests. Names are relative to the folder all files are in.
/// An artifact without files, such as a cloud image, is represented by a record of its identity,
/// whose digest is the subject's.
///
/// # Errors
///
/// A [`Failure`] when a file cannot be read, or when there is neither a file nor an identity.
pub async fn of(cx: &RunContext, artifact: &Artifact) -> Result<Subjects, Failure> {
    if artifact.files.is_empty() {
        return identity(artifact);
    }
    let names = names(&artifact.files);
    let files = artifact.files.clone();
    let cancel = cx.cancel().clone();
    let work = tokio::task::spawn_blocking(move || {
        let stopped = || cancel.is_cancelled();
        let digests = files.iter().map(|file| FileDigests::of(file, &stopped));
        digests.collect::<Result<Vec<_>, _>>()
    });
    let digests = work
        .await
        .map_err(|error| Failure::from_error(&error))?
        .map_err(|error| match error {
            DigestError::Stopped { .. } => Failure::cancelled(),
            error => Failure::from_error(&error),
        })?;
    let pairs = names.into_iter().zip(&digests);
    Ok(Subjects {
        subjects: pairs
            .map(|(name, digests)| Subject::file(name, digests))
            .collect(),
        identity: None,
    })
}

fn identity(artifact: &Artifact) -> Result<Subjects, Failure> {
    if artifact.id.is_empty() {
        return Err(Failure::new(
            "the artifact has neither files nor an identity: there is nothing to attest",
        ));
    }
    let record = json!({ "builderId": artifact.builder_id, "id": artifact.id }).to_string();
    let subject = Subject {
        name: artifact.id.clone(),
        digest: [("sha256".to_owned(), sha256_hex(record.as_bytes()))].into(),
    };
    Ok(Subjects {
        subjects: vec![subject],
        identity: Some(json!({
            "name": "artifact-identity",
            "mediaType": "application/json",
            "content": STANDARD.encode(record),
        })),
    })
}

/// Paths without the folders that all of them begin with.
fn names(files: &[PathBuf]) -> Vec<String> {
    let mut shared: Option<&Path> = files.first().and_then(|file| file.parent());
    for file in files {
        while let Some(folder) = shared
            && !file.starts_with(folder)
        {
            shared = folder.parent();
        }
    }
    files
        .iter()
        .map(|file| {
            let rest = shared.and_then(|folder| file.strip_prefix(folder).ok());
            rest.unwrap_or(file).to_string_lossy().into_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[&str], expected: &[&str]) {
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        assert_eq!(names(&files), expected);
    }

    #[test]
    fn names_lack_the_folders_all_files_are_in() {
        check(&["out/disk.img"], &["disk.img"]);
        check(&["disk.img"], &["disk.img"]);
        check(&["o/x/a", "o/x/b"], &["a", "b"]);
        check(&["o/x/a", "o/y/a"], &["x/a", "y/a"]);
        check(&["/a/b", "c/d"], &["/a/b", "c/d"]);
    }

    #[test]
    fn an_artifact_without_files_is_its_identity() {
        let cloud = Artifact {
            builder_id: "b".to_owned(),
            id: "eu:ami-1".to_owned(),
            ..Artifact::default()
        };
        let found = identity(&cloud).unwrap();
        assert_eq!(found.subjects[0].name, "eu:ami-1");
        let content = found.identity.unwrap()["content"]
            .as_str()
            .unwrap()
            .to_owned();
        let record = STANDARD.decode(content).unwrap();
        assert_eq!(found.subjects[0].digest["sha256"], sha256_hex(&record));
        assert!(identity(&Artifact::default()).is_err());
    }
}
