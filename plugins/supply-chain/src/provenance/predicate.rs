//! What SLSA provenance says.
//!
//! # Source
//!
//! SLSA v1.0, "Provenance". Field names are the specification's.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// The whole predicate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What went in.
    pub build_definition: BuildDefinition,
    /// How it was run.
    pub run_details: RunDetails,
}

/// What went in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// How to read the rest.
    pub build_type: String,
    /// What users decide.
    pub external_parameters: ExternalParameters,
    /// What the program decides.
    pub internal_parameters: InternalParameters,
    /// What was used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resolved_dependencies: Vec<Resource>,
}

/// What users decide.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalParameters {
    /// Full name of the build.
    pub build: String,
    /// The template: a file with its digest, or a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<Resource>,
    /// Which builds were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_builds: Vec<String>,
    /// Variables from the environment and from the option, those that are not sensitive.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
}

/// What the program decides.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InternalParameters {
    /// Type of the builder.
    pub builder_type: String,
    /// Kind of the artifact.
    pub artifact_builder_id: String,
    /// The version of Packer whose templates are understood.
    pub packer_version: String,
}

/// Something that was used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Resource {
    /// Its name, usually a path.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where it comes from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uri: String,
    /// Digests, by algorithm.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: BTreeMap<String, String>,
}

impl Resource {
    /// A file.
    pub fn file(name: impl Into<String>, sha256: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            digest: [("sha256".to_owned(), sha256.into())].into(),
            ..Self::default()
        }
    }
}

/// How it was run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    /// Who ran it.
    pub builder: Builder,
    /// When.
    pub metadata: Metadata,
    /// What else came out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub byproducts: Vec<Value>,
}

/// Who ran it.
#[derive(Debug, Serialize)]
pub struct Builder {
    /// Its identity, a URI.
    pub id: String,
    /// Versions of its parts.
    pub version: BTreeMap<String, String>,
}

/// When.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Identity of this build.
    pub invocation_id: String,
    /// Start of the program, RFC 3339.
    pub started_on: String,
    /// When the statement was made.
    pub finished_on: String,
}
