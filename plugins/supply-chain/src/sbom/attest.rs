//! A bill of materials as an attestation about an artifact.

use std::path::{Path, PathBuf};

use kiln_sdk::attestation::{Statement, Subject};
use kiln_sdk::{Artifact, Diagnostic, Diagnostics, Failure, RunContext};

use super::{describe, keep};
use crate::bom::{Bom, Format};
use crate::packages::{disk, root};
use crate::sidecar::Place;
use crate::signing::{Signer, write_attestation};

/// The largest document that is read, in bytes.
const LARGEST_BYTES: u64 = 256 << 20;

/// What to attest.
pub struct Attestation<'a> {
    /// A document, a folder with a root file system, or a disk image; empty for the artifact's own
    /// disk image.
    pub source: &'a str,
    /// The format that is wanted; `None` for that of the document, or CycloneDX.
    pub format: Option<Format>,
    /// Where the files go.
    pub place: &'a Place,
    /// What the attestation is about.
    pub subjects: Vec<Subject>,
    /// `None` for a bare statement.
    pub signer: Option<&'a Signer>,
}

/// Checks an option that names a source, once it is known.
pub fn check_source(source: &str, option: &str, found: &mut Diagnostics) {
    if source.contains('*') {
        let text = format!("`{source}` has to be one path, not a pattern.");
        found.push(Diagnostic::error("Invalid source of the SBOM", text).on(option));
    }
}

/// Writes the attestation, and the document itself when it was made here.
///
/// # Errors
///
/// A [`Failure`] when there are no packages to be found, or writing fails.
pub async fn attest(
    cx: &RunContext,
    artifact: &Artifact,
    wanted: Attestation<'_>,
) -> Result<(), Failure> {
    let (bom, made) = obtain(cx, artifact, &wanted).await?;
    if made {
        keep(
            cx,
            &bom,
            &wanted.place.file(&format!("sbom.{}", bom.format.ending())),
        )
        .await?;
    }
    let statement = Statement::new(bom.format.predicate(), wanted.subjects, bom.content);
    let path = wanted.place.file("sbom.att.json");
    write_attestation(cx, &statement, wanted.signer, &path).await
}

/// The document, and whether it was made here.
async fn obtain(
    cx: &RunContext,
    artifact: &Artifact,
    wanted: &Attestation<'_>,
) -> Result<(Bom, bool), Failure> {
    let source = match wanted.source {
        "" => own_image(artifact)?,
        given => PathBuf::from(given),
    };
    let metadata = std::fs::metadata(&source).map_err(|error| {
        Failure::new(format!(
            "cannot read `{}` to find out what is in the image: {error}",
            source.display()
        ))
    })?;
    let databases = if metadata.is_dir() {
        root::read(&source)?
    } else if wanted.source.ends_with(".json") {
        return Ok((document(&source, wanted.format)?, false));
    } else {
        disk::read(cx, &source).await?
    };
    let format = wanted.format.unwrap_or(Format::CycloneDx);
    let name = &cx.build().source_name;
    let bom = describe(cx, format, name, &databases.inventory()).await;
    Ok((bom, true))
}

fn own_image(artifact: &Artifact) -> Result<PathBuf, Failure> {
    let images = artifact.files.iter().filter(|file| disk::is_image(file));
    match images.collect::<Vec<_>>()[..] {
        [image] => Ok(image.clone()),
        [] => Err(Failure::new(
            "the artifact has no disk image whose packages could be read; name the document that \
             the provisioner `sbom` wrote, or a folder with a root file system",
        )),
        [first, second, ..] => Err(Failure::new(format!(
            "the artifact has several files that may be disk images (`{}`, `{}`); name the one \
             whose packages are meant",
            first.display(),
            second.display()
        ))),
    }
}

fn document(path: &Path, format: Option<Format>) -> Result<Bom, Failure> {
    let failed = |error: &dyn std::error::Error| {
        Failure::new(format!(
            "the SBOM `{}` cannot be used: {error}",
            path.display()
        ))
    };
    let size = std::fs::metadata(path)
        .map_err(|error| failed(&error))?
        .len();
    if size > LARGEST_BYTES {
        return Err(Failure::new(format!(
            "the SBOM `{}` is larger than {} MiB",
            path.display(),
            LARGEST_BYTES >> 20
        )));
    }
    let text = std::fs::read(path).map_err(|error| failed(&error))?;
    Bom::read(&text, format).map_err(|error| failed(&error))
}
