//! The `vagrant` post-processor: an artifact as a box.
//!
//! The options are in `config`, what a box for each provider consists of in `contents` and
//! `provider`. A box is written straight from the artifact's files: nothing is copied first.

mod config;
mod contents;
mod ova;
mod override_block;
mod provider;

use std::path::{Path, PathBuf};

use kiln_sdk::archive::{self, Compression, Container, Content, Entry, Plan};
use kiln_sdk::config::template_data;
use kiln_sdk::go_template::{self, Data};
use kiln_sdk::{
    Artifact, BuildInfo, Failure, PostProcessed, PostProcessor, Prepared, RunContext, Value,
};

use self::config::VagrantConfig;
use self::contents::Contents;
use self::provider::Provider;

/// What boxes of this post-processor are known by.
pub(crate) const BUILDER_ID: &str = "mitchellh.post-processor.vagrant";
/// What the artifacts of `artifice` are known by.
pub(crate) const ARTIFICE: &str = "packer.post-processor.artifice";

/// The post-processor.
pub(crate) struct Vagrant;

impl PostProcessor for Vagrant {
    type Config = VagrantConfig;

    fn prepare(&self, config: &mut VagrantConfig, _build: &BuildInfo) -> Prepared {
        config.prepare().into()
    }

    /// # Source
    ///
    /// Packer's `vagrant`: the texts, the names, and which inputs are kept. Differs: no throw-away
    /// box is made first and nothing is copied into a temporary folder.
    async fn post_process(
        &self,
        cx: RunContext,
        config: VagrantConfig,
        input: Artifact,
        generated: Value,
    ) -> Result<PostProcessed, Failure> {
        let provider = provider_of(&config, &input)?;
        let config = config.for_provider(provider)?;
        let name = provider.name();
        cx.say(format!("Creating Vagrant box for '{name}' provider"))
            .await;
        let data = template_values(&cx, &config, &input, provider, &generated);
        let context = cx.build().template_context_with(&generated);
        let target = config
            .output
            .render(&data, &context)
            .map(PathBuf::from)
            .map_err(|error| Failure::new(format!("cannot render `output`: {error}")))?;
        let contents = provider.contents(&input)?;
        let custom = match custom_vagrantfile(&config)? {
            Some((path, text)) => {
                cx.say(format!("Using custom Vagrantfile: {}", path.display()))
                    .await;
                go_template::render(&text, &data, &context).map_err(|error| {
                    Failure::new(format!("cannot render `{}`: {error}", path.display()))
                })?
            }
            None => String::new(),
        };
        let entries = entries(&cx, &config, contents, &custom).await?;
        for entry in &entries {
            cx.say(format!("Compressing: {}", entry.name)).await;
        }
        archive::write(&cx, plan(&config, entries), &target).await?;
        Ok(PostProcessed {
            artifact: Some(artifact(provider, target)),
            keep_input: provider.needs_its_input(),
            force_keep_input: true,
        })
    }
}

/// Which provider the box is for.
fn provider_of(config: &VagrantConfig, input: &Artifact) -> Result<Provider, Failure> {
    if let Some(provider) = Provider::parse(&config.provider_override) {
        return Ok(provider);
    }
    if input.builder_id == ARTIFICE {
        return Err(Failure::new(
            "an artifact of artifice does not say which provider its files are for: set \
             `provider_override`",
        ));
    }
    Provider::of_builder(&input.builder_id).ok_or_else(|| {
        Failure::new(format!(
            "no Vagrant provider is known for an artifact of `{}`; set `provider_override`",
            input.builder_id
        ))
    })
}

/// What `output` and the custom Vagrantfile can use.
fn template_values(
    cx: &RunContext,
    config: &VagrantConfig,
    input: &Artifact,
    provider: Provider,
    generated: &Value,
) -> Data {
    let mut entries = match template_data(generated) {
        Data::Map(entries) => entries,
        _ => std::collections::BTreeMap::new(),
    };
    for (key, value) in [
        ("ArtifactId", input.id.as_str()),
        ("BuildName", cx.build().source_name.as_str()),
        ("Provider", provider.name()),
        ("Architecture", config.architecture.as_str()),
    ] {
        entries.insert(key.to_owned(), value.into());
    }
    Data::Map(entries)
}

fn custom_vagrantfile(config: &VagrantConfig) -> Result<Option<(PathBuf, String)>, Failure> {
    if config.vagrantfile_template.as_os_str().is_empty() {
        return Ok(None);
    }
    let path = config.vagrantfile_template.clone();
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::new(format!(
            "cannot read vagrantfile_template `{}`: {error}",
            path.display()
        ))
    })?;
    Ok(Some((path, text)))
}

/// Everything in the box, in the order of the names. What the template includes comes before what
/// the provider wants: only the Vagrantfile is always ours.
async fn entries(
    cx: &RunContext,
    config: &VagrantConfig,
    contents: Contents,
    custom: &str,
) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for path in &config.include {
        cx.say(format!("Copying from include: {}", path.display()))
            .await;
        if !path.is_file() {
            return Err(Failure::new(format!(
                "Error copying include file: {}\n\nit is not there or not a file",
                path.display()
            )));
        }
        entries.push(Entry::file(path));
    }
    for (said, entry) in contents.files {
        cx.say(said).await;
        entries.retain(|known: &Entry| known.name != entry.name);
        entries.push(entry);
    }
    if !entries.iter().any(|entry| entry.name == "metadata.json") {
        let mut metadata = contents.metadata;
        metadata.insert(
            "architecture".to_owned(),
            config.architecture.clone().into(),
        );
        let mut text = serde_json::to_vec(&metadata)
            .map_err(|error| Failure::new(format!("cannot write metadata.json: {error}")))?;
        text.push(b'\n');
        entries.push(memory("metadata.json", text));
    }
    entries.retain(|entry| entry.name != "Vagrantfile");
    let text = vagrantfile(&contents.vagrantfile, custom);
    entries.push(memory("Vagrantfile", text.into_bytes()));
    entries.sort_by(|one, other| one.name.split('/').cmp(other.name.split('/')));
    Ok(entries)
}

fn memory(name: &str, data: Vec<u8>) -> Entry {
    Entry {
        name: name.to_owned(),
        content: Content::Memory(data),
    }
}

/// The Vagrantfile of a box: what the provider needs, then what the template adds.
fn vagrantfile(provider: &str, custom: &str) -> String {
    format!(
        "# Settings of the provider that this box is for.\n{provider}\n\
         # Settings of the template that this box was made from.\n{custom}\n"
    )
}

fn plan(config: &VagrantConfig, entries: Vec<Entry>) -> Plan {
    let compression = match config.compression_level {
        0 => Compression::None,
        _ => Compression::Gzip,
    };
    Plan {
        container: Container::Tar,
        compression,
        level: u32::try_from(config.compression_level)
            .ok()
            .filter(|&level| level > 0),
        entries,
    }
}

fn artifact(provider: Provider, target: PathBuf) -> Artifact {
    Artifact {
        builder_id: BUILDER_ID.to_owned(),
        id: provider.name().to_owned(),
        description: format!("'{}' provider box: {}", provider.name(), target.display()),
        files: vec![target.clone()],
        destroy: vec![target],
        ..Artifact::default()
    }
}

/// The base name of a path, for a flat box.
pub(crate) fn base_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
