//! Whether a plugin says of itself what its surroundings say, and can be used when it is installed.

use host_plugin_client::OwnWords;
use host_template::{AttributeSchema, Schema, Version};

use super::build::Built;

/// A plugin that can be published.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) version: Version,
    /// What is allowed, but hardly meant.
    pub(super) warnings: Vec<String>,
}

/// Everything that is wrong, or the version.
pub(super) fn judge(built: &Built, said: &OwnWords) -> Result<Judged, Vec<String>> {
    let mut problems = Vec::new();
    if let Some(name) = built.name.as_ref().filter(|name| **name != said.name) {
        problems.push(format!(
            "the executable is called kiln-plugin-{name}, but the plugin calls itself `{}`: give \
             `Plugin::new` the same name",
            said.name
        ));
    }
    if let Some(version) = built
        .version
        .as_ref()
        .filter(|version| **version != said.version)
    {
        problems.push(format!(
            "Cargo.toml has version {version}, but the plugin says {}: give `Plugin::new` \
             env!(\"CARGO_PKG_VERSION\")",
            said.version
        ));
    }
    if !said.is_understood() {
        problems.push(format!(
            "it speaks versions {:?} of the protocol, and this kiln speaks none of them",
            said.majors
        ));
    }
    if said.components.is_empty() {
        problems.push("it offers no component".to_owned());
    }
    for (_, name) in &said.components {
        let own = name.strip_prefix(said.name.as_str());
        if !own.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) {
            problems.push(format!(
                "the component `{name}` would not be found: its name has to be `{0}` or to begin \
                 with `{0}-`",
                said.name
            ));
        }
    }
    let version = canonical(&said.version)
        .map_err(|problem| problems.push(problem))
        .ok();
    match version {
        Some(version) if problems.is_empty() => Ok(Judged {
            warnings: warnings(said, &version),
            version,
        }),
        _ => Err(problems),
    }
}

/// A semantic version in the one form that file names of plugins have.
fn canonical(text: &str) -> Result<Version, String> {
    if text.contains('+') {
        return Err(format!(
            "the version `{text}` has build metadata, which cannot be compared; leave it out"
        ));
    }
    let version = Version::parse(text).ok();
    version
        .filter(|version| version.to_string() == *text)
        .ok_or_else(|| format!("`{text}` is not a semantic version such as 1.2.3"))
}

fn warnings(said: &OwnWords, version: &Version) -> Vec<String> {
    let mut warnings = Vec::new();
    if version.is_prerelease() {
        warnings.push(format!(
            "{version} is a prerelease; `kiln init` installs releases only"
        ));
    }
    if !said.can_reclaim() {
        let text = "it lacks the feature `reclaim`: what it leaves when it is killed stays";
        warnings.push(text.to_owned());
    }
    for feature in said.unknown_features() {
        warnings.push(format!(
            "this kiln does not know the feature `{feature}`, and will not use it"
        ));
    }
    for (kind, name) in &said.components {
        let Some(schema) = said.schema(*kind, name) else {
            warnings.push(format!("the schema of `{name}` cannot be understood"));
            continue;
        };
        if schema.doc.trim().is_empty() {
            warnings.push(format!("`{name}` has no documentation"));
        }
        for option in undocumented(schema, "") {
            warnings.push(format!(
                "the option `{option}` of `{name}` has no documentation"
            ));
        }
    }
    warnings
}

fn undocumented(schema: &Schema, prefix: &str) -> Vec<String> {
    let silent = |option: &&AttributeSchema| option.doc.trim().is_empty();
    let options = schema
        .attributes
        .iter()
        .chain(&schema.outputs)
        .filter(silent);
    let mut found: Vec<String> = options
        .map(|option| format!("{prefix}{}", option.name))
        .collect();
    for block in &schema.blocks {
        let name = format!("{prefix}{}", block.name);
        found.extend(undocumented(&block.schema, &format!("{name}.")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn versions_are_canonical() {
        for version in ["1.2.3", "0.1.0-dev", "1.0.0-rc.1"] {
            assert!(canonical(version).is_ok(), "{version}");
        }
        for version in ["", "1.2", "v1.2.3", "01.2.3", "1.2.3+build", "1.2.3.x"] {
            assert!(canonical(version).is_err(), "{version}");
        }
    }
}
