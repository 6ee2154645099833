//! What a build used, as far as it can be known afterwards.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kiln_sdk::attestation::{FileDigests, sha256_hex};
use kiln_sdk::{Artifact, BuildInfo, Diagnostic, Diagnostics, Failure, Value, ValueKind};

use super::git::Checkout;
use super::predicate::Resource;
use super::secrecy::places;

/// Key of an artifact's state under which a builder lists what it started from: maps with `uri`,
/// and a digest under the name of its algorithm when it verified one.
const SOURCES: &str = "sources";
/// Digests that are passed on.
const ALGORITHMS: [&str; 4] = ["sha512", "sha256", "sha1", "md5"];

/// The source of the template: `source_uri` when given, with the commit that is checked out.
pub fn source(uri: &str, checkout: Option<Checkout>) -> Option<Resource> {
    let commit = checkout.as_ref().map(|checkout| checkout.commit.clone());
    let found = checkout.map(|checkout| checkout.uri).unwrap_or_default();
    let uri = if uri.is_empty() {
        found
    } else {
        uri.to_owned()
    };
    if uri.is_empty() && commit.is_none() {
        return None;
    }
    let digest: BTreeMap<String, String> = commit
        .into_iter()
        .map(|commit| ("gitCommit".to_owned(), commit))
        .collect();
    Some(Resource {
        uri,
        digest,
        ..Resource::default()
    })
}

/// The files of the template, as the host read them.
pub fn template_files(build: &BuildInfo) -> Vec<Resource> {
    let files = build.template_files.iter();
    files
        .map(|(name, sha256)| Resource::file(name, sha256))
        .collect()
}

/// What the builder says it started from.
pub fn sources(artifact: &Artifact) -> Vec<Resource> {
    let listed = artifact.state.get(SOURCES);
    let Some(ValueKind::List(items)) = listed.map(|list| &list.kind) else {
        return Vec::new();
    };
    let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
    items
        .iter()
        .filter_map(|item| {
            let digests = ALGORITHMS.iter();
            let digests = digests.filter_map(|name| Some(((*name).to_owned(), text(item, name)?)));
            Some(Resource {
                uri: places(&text(item, "uri")?),
                digest: digests.collect(),
                ..Resource::default()
            })
        })
        .collect()
}

/// Checks the patterns of `materials`.
pub fn check_materials(patterns: &[String], found: &mut Diagnostics) {
    for pattern in patterns {
        if let Err(error) = glob::Pattern::new(pattern) {
            let text = format!("`{pattern}` is no pattern of file names: {error}.");
            found.push(Diagnostic::error("Invalid pattern", text).on("materials"));
        }
    }
}

/// The files that match `patterns`, with their digests.
///
/// # Errors
///
/// A [`Failure`] when a pattern matches nothing, or a file cannot be read.
pub fn materials(
    patterns: &[String],
    stopped: &dyn Fn() -> bool,
) -> Result<Vec<Resource>, Failure> {
    let mut found = BTreeMap::new();
    for pattern in patterns {
        let paths = glob::glob(pattern).map_err(|error| Failure::from_error(&error))?;
        let files: Vec<PathBuf> = paths.flatten().filter(|path| path.is_file()).collect();
        if files.is_empty() {
            return Err(Failure::new(format!(
                "no file matches `{pattern}` of `materials`"
            )));
        }
        for file in files {
            let digests = FileDigests::of(&file, stopped);
            let digests = digests.map_err(|error| Failure::from_error(&error))?;
            found.insert(file.display().to_string(), digests.sha256);
        }
    }
    let files = found.into_iter();
    Ok(files
        .map(|(name, sha256)| Resource::file(name, sha256))
        .collect())
}

/// The template as a parameter: the one named by the option, else the only file there is.
///
/// # Errors
///
/// A [`Failure`] when the named file cannot be read.
pub fn template(option: &str, build: &BuildInfo) -> Result<Option<Resource>, Failure> {
    let mut files = template_files(build);
    if option.is_empty() {
        return Ok(match files.len() {
            1 => files.pop(),
            _ => None,
        });
    }
    if let Some(known) = files.into_iter().find(|file| file.name == option) {
        return Ok(Some(known));
    }
    let path = PathBuf::from(option);
    if path.is_dir() {
        return Ok(Some(Resource {
            name: option.to_owned(),
            ..Resource::default()
        }));
    }
    let text = std::fs::read(&path)
        .map_err(|error| Failure::new(format!("cannot read `template` `{option}`: {error}")))?;
    Ok(Some(Resource::file(option, sha256_hex(&text))))
}
