//! The `sbom` post-processor: attests what is in an artifact.

use kiln_sdk::{
    Artifact, BuildInfo, Config, Failure, PostProcessed, PostProcessor, Prepared, RunContext, Value,
};

use super::{Attestation, attest, check_source};
use crate::bom::Format;
use crate::sidecar::Place;
use crate::signing::SigningConfig;
use crate::subjects;

/// Attests what is in an artifact: a document with its packages, in an in-toto statement about the
/// artifact's files, signed or not.
#[derive(Debug, Clone, Config)]
pub struct SbomConfig {
    /// What is in the image: a document in JSON (CycloneDX, SPDX 2) that the provisioner `sbom` or
    /// a scanner wrote, a folder with the image's root file system, or a disk image. The
    /// artifact's own disk image when not set.
    pub source: String,
    /// `cyclonedx` (1.6) or `spdx` (2.3). For a document, the format it has to have; any of the two
    /// when not set.
    #[config(choices("", "cyclonedx", "spdx", "cyclonedx-json", "spdx-json"))]
    pub format: String,
    /// Folder of the files that are written; the artifact's when not set.
    pub output_dir: String,
    /// How to sign.
    #[config(flatten)]
    pub signing: SigningConfig,
}

/// The post-processor.
pub struct SbomPostProcessor;

impl PostProcessor for SbomPostProcessor {
    type Config = SbomConfig;

    fn prepare(&self, config: &mut SbomConfig, _build: &BuildInfo) -> Prepared {
        let mut found = config.signing.prepare();
        check_source(&config.source, "source", &mut found);
        found.into()
    }

    async fn post_process(
        &self,
        cx: RunContext,
        config: SbomConfig,
        input: Artifact,
        _generated: Value,
    ) -> Result<PostProcessed, Failure> {
        let signer = config.signing.signer(&cx).await?;
        let subjects = subjects::of(&cx, &input).await?.subjects;
        let place = Place::of(&input, cx.build(), &config.output_dir);
        let wanted = Attestation {
            source: &config.source,
            format: Format::of_name(&config.format),
            place: &place,
            subjects,
            signer: signer.as_ref(),
        };
        attest(&cx, &input, wanted).await?;
        Ok(PostProcessed {
            artifact: Some(input),
            keep_input: true,
            force_keep_input: true,
        })
    }
}
