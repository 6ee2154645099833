//! The manifest of a release: what it offers, and whether that keeps what earlier releases promised.

use std::collections::BTreeMap;
use std::path::Path;

use host_plugin_client::OwnWords;
use host_plugin_client::tree::Family;
use host_template::{ComponentKind, Version};
use serde::{Deserialize, Serialize};

/// Version of the manifest's own form.
const FORM: u32 = 1;

/// The manifest of a release.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    version: u32,
    metadata: Metadata,
    name: String,
    plugin_version: String,
    features: Vec<String>,
    components: Vec<Component>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Metadata {
    protocol_version: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Component {
    kind: String,
    name: String,
    /// Whether each option has to be set.
    options: BTreeMap<String, Need>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Need {
    Required,
    Optional,
}

impl Manifest {
    pub(super) fn of(said: &OwnWords) -> Self {
        let components = said.components.iter().map(|(kind, name)| {
            let schema = said.schema(*kind, name);
            let attributes = schema.iter().flat_map(|schema| &schema.attributes);
            let blocks = schema.iter().flat_map(|schema| &schema.blocks);
            let attributes = attributes.map(|option| (option.name.clone(), need(option.required)));
            let blocks = blocks.map(|block| (block.name.clone(), need(block.required)));
            Component {
                kind: word(*kind).to_owned(),
                name: name.clone(),
                options: attributes.chain(blocks).collect(),
            }
        });
        Self {
            version: FORM,
            metadata: Metadata {
                protocol_version: Family::Kiln.api(),
            },
            name: said.name.clone(),
            plugin_version: said.version.clone(),
            features: said.features.iter().cloned().collect(),
            components: components.collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        let mut text = text.expect("texts and numbers can be written as JSON");
        text.push('\n');
        text
    }

    /// What templates that work with an earlier release in `output` would stumble over, though
    /// `version` says that they go on working.
    pub(super) fn breaks_promises(&self, output: &Path, version: &Version) -> Vec<String> {
        let stem = format!("{}{}_v", Family::Kiln.prefix(), self.name);
        let mut earlier: Vec<(Version, Self)> = Vec::new();
        for entry in std::fs::read_dir(output).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let rest = name.strip_prefix(&stem);
            let old = rest.and_then(|rest| rest.strip_suffix("_manifest.json"));
            let old = old.and_then(|text| Version::parse(text).ok());
            let Some(old) = old.filter(|old| promises(old, version)) else {
                continue;
            };
            let read = std::fs::read(entry.path()).ok();
            let read = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            // What is no manifest promises nothing.
            earlier.extend(read.map(|manifest| (old, manifest)));
        }
        earlier.sort_by(|(one, _), (other, _)| one.compare(other));
        let Some((old, manifest)) = earlier.pop() else {
            return Vec::new();
        };
        let mut broken = self.missing_from(&manifest);
        if !broken.is_empty() {
            broken.insert(
                0,
                format!(
                    "templates that work with {old} would not work with {version}; raise the \
                     version so that it tells, or keep what they use:"
                ),
            );
        }
        broken
    }

    fn missing_from(&self, old: &Self) -> Vec<String> {
        let mut missing = Vec::new();
        for before in &old.components {
            let shown = format!("the {} `{}`", before.kind, before.name);
            let same = |now: &&Component| now.kind == before.kind && now.name == before.name;
            let Some(now) = self.components.iter().find(same) else {
                missing.push(format!("  {shown} is gone"));
                continue;
            };
            for option in before.options.keys() {
                if !now.options.contains_key(option) {
                    missing.push(format!("  {shown} has no option `{option}` any more"));
                }
            }
            for (option, need) in &now.options {
                let was = before.options.get(option).copied();
                if *need == Need::Required && was != Some(Need::Required) {
                    missing.push(format!("  {shown} now needs the option `{option}`"));
                }
            }
        }
        missing
    }
}

fn need(required: bool) -> Need {
    match required {
        true => Need::Required,
        false => Need::Optional,
    }
}

fn word(kind: ComponentKind) -> &'static str {
    match kind {
        ComponentKind::Builder => "builder",
        ComponentKind::Provisioner => "provisioner",
        ComponentKind::PostProcessor => "post-processor",
        ComponentKind::DataSource => "data-source",
    }
}

/// Whether `new` says that it can take the place of `old`.
///
/// # Source
///
/// Semantic Versioning 2.0.0: the same major; before 1.0, as cargo reads it, the same minor.
fn promises(old: &Version, new: &Version) -> bool {
    let parts = |version: &Version| {
        let text = version.core().to_string();
        let mut numbers = text.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    };
    let (old_parts, new_parts) = (parts(old), parts(new));
    let same = old_parts.0 == new_parts.0 && (old_parts.0 > 0 || old_parts.1 == new_parts.1);
    same && old.compare(new).is_lt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(version: &str, options: &[(&str, Need)]) -> Manifest {
        let options = options.iter();
        Manifest {
            version: FORM,
            metadata: Metadata {
                protocol_version: "k1".to_owned(),
            },
            name: "oxide".to_owned(),
            plugin_version: version.to_owned(),
            features: Vec::new(),
            components: vec![Component {
                kind: "builder".to_owned(),
                name: "oxide".to_owned(),
                options: options
                    .map(|(name, need)| ((*name).to_owned(), *need))
                    .collect(),
            }],
        }
    }

    fn check(old: &str, new: &str, options: &[(&str, Need)], expected: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        let before = [("size", Need::Optional), ("image", Need::Required)];
        let path = folder
            .path()
            .join(format!("kiln-plugin-oxide_v{old}_manifest.json"));
        std::fs::write(path, manifest(old, &before).text()).unwrap();
        let version = Version::parse(new).unwrap();
        let found = manifest(new, options).breaks_promises(folder.path(), &version);
        let found: Vec<&str> = found.iter().skip(1).map(|line| line.trim()).collect();
        assert_eq!(found, expected, "{old} {new}");
    }

    #[test]
    fn a_version_that_promises_to_work_has_to() {
        let (required, optional) = (Need::Required, Need::Optional);
        let same = [("size", optional), ("image", optional), ("more", optional)];
        check("1.0.0", "1.1.0", &same, &[]);
        let less = [("image", required), ("zone", required)];
        let broken = [
            "the builder `oxide` has no option `size` any more",
            "the builder `oxide` now needs the option `zone`",
        ];
        check("1.0.0", "1.1.0", &less, &broken);
        check("0.1.0", "0.1.1", &less, &broken);
        check("1.0.0", "2.0.0", &less, &[]);
        check("0.1.0", "0.2.0", &less, &[]);
        check("1.1.0", "1.0.1", &less, &[]);
    }
}
