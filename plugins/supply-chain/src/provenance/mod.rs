//! The `provenance` post-processor: how an artifact was made, as SLSA provenance.

mod dependencies;
mod git;
mod platform;
mod predicate;
mod secrecy;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kiln_sdk::attestation::{PredicateKind, Statement};
use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostic, Diagnostics, Failure, PostProcessed, PostProcessor,
    Prepared, RunContext, Value,
};

use self::dependencies::{check_materials, materials, source, sources, template, template_files};
use self::platform::{LOCAL_BUILDER, Platform};
use self::predicate::{
    BuildDefinition, Builder, ExternalParameters, InternalParameters, Metadata, Resource,
    RunDetails,
};
use self::secrecy::Secrecy;
use crate::bom::Format;
use crate::clock;
use crate::sbom::{Attestation, attest, check_source};
use crate::sidecar::Place;
use crate::signing::{SigningConfig, write_attestation};
use crate::subjects::{self, Subjects};

/// What variables of the environment for those of templates begin with.
const VARIABLE_PREFIX: &str = "PKR_VAR_";

/// Attests how an artifact was made: an in-toto statement with SLSA provenance (v1) about the
/// artifact's files, signed or not. Nothing secret is in it.
///
/// # Source
///
/// Packer's post-processor of the same name; `builder_id` and `materials` are kiln's.
#[derive(Debug, Clone, Config)]
pub struct ProvenanceConfig {
    /// Whether to do anything.
    #[config(default = true)]
    pub provenance: bool,
    /// URI that says how to read the parameters; this plugin's README describes the usual one.
    #[config(default = "urn:x-kiln:build-type:template:v1")]
    pub build_type: String,
    /// Folder of the files that are written; that of the artifact's first file when not set.
    pub output_dir: String,
    /// Path of the template, to name it as a parameter; found by itself when the template is one
    /// file.
    pub template: String,
    /// The builds that were asked for, to name them as a parameter.
    pub only_builds: Vec<String>,
    /// Further variables, to name them as parameters. Those of the template's variables that
    /// `PKR_VAR_name` gave and that are not sensitive are there anyhow.
    pub user_variables: BTreeMap<String, String>,
    /// Where the template comes from, instead of what the checkout of the working folder says.
    pub source_uri: String,
    /// Identity of the builder, a URI; by the variables of GitHub Actions and GitLab CI, or a
    /// name for any machine when not set.
    pub builder_id: String,
    /// Patterns of further files the build uses, such as scripts; they are listed with their
    /// digests.
    pub materials: Vec<String>,
    /// Whether to attest what is in the artifact, too.
    pub sbom: bool,
    /// `cyclonedx` or `spdx`.
    #[config(
        default = "cyclonedx",
        choices("cyclonedx", "spdx", "cyclonedx-json", "spdx-json")
    )]
    pub sbom_format: String,
    /// What is in the image: a document that the provisioner `sbom` wrote, a folder with the
    /// image's root file system, or a disk image. The artifact's own disk image when not set.
    pub sbom_scan_path: String,
    /// Layers of a container image to look at; only `squashed`.
    #[config(default = "squashed", choices("squashed"))]
    #[expect(dead_code, reason = "its one value is all there is to say")]
    pub sbom_scope: String,
    /// Patterns of paths for Packer's scanner, refused: packages come from databases, not from
    /// paths.
    pub sbom_exclude: Vec<String>,
    /// How to sign.
    #[config(flatten)]
    pub signing: SigningConfig,
}

/// The post-processor.
pub struct Provenance;

impl PostProcessor for Provenance {
    type Config = ProvenanceConfig;

    fn prepare(&self, config: &mut ProvenanceConfig, _build: &BuildInfo) -> Prepared {
        let mut found = config.signing.prepare();
        for (name, value) in [
            ("build_type", &config.build_type),
            ("builder_id", &config.builder_id),
            ("source_uri", &config.source_uri),
        ] {
            check_uri(name, value, &mut found);
        }
        if !config.sbom_exclude.is_empty() {
            let text = "Packages come from the image's package databases, not from paths.";
            found.push(Diagnostic::error("Paths cannot be excluded", text).on("sbom_exclude"));
        }
        check_materials(&config.materials, &mut found);
        check_source(&config.sbom_scan_path, "sbom_scan_path", &mut found);
        found.into()
    }

    async fn post_process(
        &self,
        cx: RunContext,
        config: ProvenanceConfig,
        input: Artifact,
        generated: Value,
    ) -> Result<PostProcessed, Failure> {
        if config.provenance {
            let signer = config.signing.signer(&cx).await?;
            let Subjects { subjects, identity } = subjects::of(&cx, &input).await?;
            let secrecy = Secrecy::new(&cx.build().secrets, &generated);
            let mut predicate = predicate(&cx, &config, &input, &secrecy)?;
            predicate.run_details.byproducts.extend(identity);
            let value = serde_json::to_value(&predicate);
            let value = value.map_err(|error| Failure::from_error(&error))?;
            let statement = Statement::new(PredicateKind::Provenance, subjects.clone(), value);
            let place = Place::of(&input, cx.build(), &config.output_dir);
            let path = place.file("provenance.json");
            write_attestation(&cx, &statement, signer.as_ref(), &path).await?;
            if config.sbom {
                let wanted = Attestation {
                    source: &config.sbom_scan_path,
                    format: Format::of_name(&config.sbom_format),
                    place: &place,
                    subjects,
                    signer: signer.as_ref(),
                };
                attest(&cx, &input, wanted).await?;
            }
        }
        Ok(PostProcessed {
            artifact: Some(input),
            keep_input: true,
            force_keep_input: true,
        })
    }
}

fn check_uri(option: &str, value: &str, found: &mut Diagnostics) {
    let (scheme, rest) = value.split_once(':').unwrap_or_default();
    let begins = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
    let good = begins(scheme) && !rest.is_empty() && !value.contains(char::is_whitespace);
    if !value.is_empty() && !good && !value.contains("<unknown>") {
        let text = format!("`{value}` is no URI.");
        let hint = "It begins with a scheme, for example https://example.com/builders/1.";
        found.push(Diagnostic::error("Invalid URI", text).on(option).hint(hint));
    }
}

fn predicate(
    cx: &RunContext,
    config: &ProvenanceConfig,
    artifact: &Artifact,
    secrecy: &Secrecy,
) -> Result<predicate::Provenance, Failure> {
    let build = cx.build();
    let platform = Platform::read(&|name| std::env::var(name).ok());
    let stopped = || cx.cancel().is_cancelled();
    let checkout = platform.source.or_else(|| git::checkout(&folder(build)));
    let mut used: Vec<Resource> = source(&config.source_uri, checkout).into_iter().collect();
    used.extend(template_files(build));
    used.extend(sources(artifact));
    used.extend(materials(&config.materials, &stopped)?);
    for resource in &mut used {
        resource.uri = secrecy.text(&resource.uri);
    }
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut variables = from_environment(build, names);
    variables.extend(config.user_variables.clone());
    let given = Some(config.builder_id.clone()).filter(|id| !id.is_empty());
    let builder_id = given.or(platform.builder_id);
    let version = ("kiln".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    Ok(predicate::Provenance {
        build_definition: BuildDefinition {
            build_type: config.build_type.clone(),
            external_parameters: ExternalParameters {
                build: build.name.clone(),
                template: template(&config.template, build)?,
                only_builds: config.only_builds.clone(),
                variables: secrecy.variables(&variables),
            },
            internal_parameters: InternalParameters {
                builder_type: build.builder_type.clone(),
                artifact_builder_id: artifact.builder_id.clone(),
                packer_version: build.core_version.clone(),
            },
            resolved_dependencies: used,
        },
        run_details: RunDetails {
            builder: Builder {
                id: builder_id.unwrap_or_else(|| LOCAL_BUILDER.to_owned()),
                version: [version].into(),
            },
            metadata: Metadata {
                invocation_id: platform
                    .invocation_id
                    .unwrap_or_else(|| format!("urn:uuid:{}", build.run_uuid)),
                started_on: clock::of_nanos(build.started_at_unix_nanos),
                finished_on: clock::now(),
            },
            byproducts: Vec::new(),
        },
    })
}

/// The template's variables that the environment gave, with the values that were used; `names` are
/// those of the environment.
///
/// # Source
///
/// Packer's `provenance`. Defaults are not told: they may be secret without saying so, and the
/// template's digest covers them. Differs: what no variable of the template takes is none.
fn from_environment(
    build: &BuildInfo,
    names: impl Iterator<Item = String>,
) -> BTreeMap<String, String> {
    // Legacy JSON templates take nothing from there.
    let names = names.filter(|_| build.template_path.as_os_str().is_empty());
    names
        .filter_map(|name| {
            let name = name.strip_prefix(VARIABLE_PREFIX)?;
            build.variables.get_key_value(name)
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The folder whose checkout counts: the template's.
fn folder(build: &BuildInfo) -> PathBuf {
    match build.template_dir.as_os_str().is_empty() {
        true => Path::new(".").to_owned(),
        false => build.template_dir.clone(),
    }
}

#[cfg(test)]
mod tests;
