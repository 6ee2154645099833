//! The versions of a plugin, from the three forms of lists.

use std::collections::BTreeMap;
use std::path::Path;

use host_plugin_client::tree::Family;
use host_template::{SourceAddress, Version};
use reqwest::Url;
use serde::Deserialize;

use super::{canonical, form, join, repository};
use crate::error::InstallError;
use crate::fetch::{Web, shown};

/// The most parts of a list of versions.
const PAGE_LIMIT: usize = 30;

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "ref")]
    name: String,
}

#[derive(Deserialize)]
struct Index {
    versions: BTreeMap<String, serde::de::IgnoredAny>,
}

/// From GitHub's tags.
pub(super) async fn tags(
    web: &Web,
    api: &Url,
    source: &SourceAddress,
    family: Family,
) -> Result<Vec<Version>, InstallError> {
    let repository = repository(source, family);
    let first = join(api, &format!("repos/{repository}/git/matching-refs/tags"))?;
    let (mut versions, mut page) = (Vec::new(), Some(first));
    for _ in 0..PAGE_LIMIT {
        let Some(url) = page.take() else {
            break;
        };
        let list = web.github_list(&url).await?;
        let tags: Vec<Tag> = serde_json::from_slice(&list.bytes)
            .map_err(|error| form(&shown(&url), error.to_string()))?;
        let names = tags
            .iter()
            .filter_map(|tag| tag.name.strip_prefix("refs/tags/v"));
        versions.extend(names.filter_map(canonical));
        page = list.next;
    }
    Ok(versions)
}

/// From an index, as mirrors and HashiCorp's site have it.
pub(super) fn index(url: &Url, bytes: &[u8]) -> Result<Vec<Version>, InstallError> {
    let index: Index =
        serde_json::from_slice(bytes).map_err(|error| form(&shown(url), error.to_string()))?;
    let names = index.versions.keys();
    Ok(names.filter_map(|name| canonical(name)).collect())
}

/// From the folders of a mirror.
pub(super) fn folders(folder: &Path) -> Result<Vec<Version>, InstallError> {
    let failed = |error| InstallError::file("read folder", folder, error);
    let mut versions = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        versions.extend(name.to_str().and_then(canonical));
    }
    Ok(versions)
}
