//! What is published: a box, and what it is for.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use kiln_sdk::config::template_data;
use kiln_sdk::go_template::Data;
use kiln_sdk::{Artifact, Failure, RunContext, Template, Value};
use serde_json::Value as Json;

use crate::boxes::{ARTIFICE, BUILDER_ID};

/// What the artifacts of the `vagrant` builder are known by.
const BUILDER: &str = "vagrant";
/// The longest `metadata.json` that is read, in bytes.
const METADATA_LIMIT: u64 = 1 << 20;
/// The first bytes of gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A box with its place in a registry.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) file: PathBuf,
    pub(super) provider: String,
    pub(super) architecture: String,
    /// Where people download the box from; empty when it is uploaded.
    pub(super) download_url: String,
}

/// The options that decide about it.
pub(super) struct Wanted<'a> {
    pub(super) architecture: &'a str,
    pub(super) download_url: &'a Template,
}

impl Subject {
    /// Finds out what `input` is.
    ///
    /// # Errors
    ///
    /// When it is no box, or does not tell what it is for.
    pub(super) async fn of(
        cx: &RunContext,
        wanted: Wanted<'_>,
        input: &Artifact,
        generated: &Value,
    ) -> Result<Self, Failure> {
        let known = [BUILDER_ID, ARTIFICE, BUILDER];
        if !known.contains(&input.builder_id.as_str()) {
            return Err(Failure::new(format!(
                "an artifact of `{}` cannot be used here\nOnly boxes can be published; put the vagrant \
                 post-processor, or artifice with a box, before this one.",
                input.builder_id
            )));
        }
        let file = input.files.first().cloned().unwrap_or_default();
        if !file.to_string_lossy().ends_with(".box") {
            return Err(Failure::new(format!(
                "the artifact's first file is no box, whose name ends in `.box`; its files are \
                 {:?}",
                input.files
            )));
        }
        let from_box = input.builder_id == ARTIFICE;
        let metadata = if wanted.architecture.is_empty() || from_box {
            let path = file.clone();
            let read = tokio::task::spawn_blocking(move || metadata(&path));
            read.await.map_err(|error| Failure::from_error(&error))??
        } else {
            Json::Null
        };
        let tell = |what: &str| match metadata[what].as_str() {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(Failure::new(format!(
                "the metadata.json in the box does not tell its {what}: build the box anew with the \
                 vagrant post-processor, which writes it"
            ))),
        };
        let architecture = match wanted.architecture {
            "" => tell("architecture")?,
            given => given.to_owned(),
        };
        let provider = match (from_box, input.id.as_str()) {
            (true, _) => tell("provider")?,
            (false, "vmware") => "vmware_desktop".to_owned(),
            (false, name) => name.to_owned(),
        };
        let mut subject = Self {
            file,
            provider,
            architecture,
            download_url: String::new(),
        };
        subject.download_url = subject.render(cx, wanted.download_url, input, generated)?;
        Ok(subject)
    }

    fn render(
        &self,
        cx: &RunContext,
        url: &Template,
        input: &Artifact,
        generated: &Value,
    ) -> Result<String, Failure> {
        let mut data = match template_data(generated) {
            Data::Map(entries) => entries,
            _ => BTreeMap::new(),
        };
        for (key, value) in [
            ("ArtifactId", input.id.as_str()),
            ("Provider", self.provider.as_str()),
            ("Architecture", self.architecture.as_str()),
        ] {
            data.insert(key.to_owned(), value.into());
        }
        let context = cx.build().template_context_with(generated);
        url.render(&Data::Map(data), &context)
            .map_err(|error| Failure::new(format!("Error processing box_download_url: {error}")))
    }
}

/// The `metadata.json` in a box, which is a tar, compressed or not.
///
/// Differs: Packer reads only compressed boxes.
pub(super) fn metadata(path: &Path) -> Result<Json, Failure> {
    let failed = |error: io::Error| {
        Failure::new(format!("cannot read the box `{}`: {error}", path.display()))
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut first = [0; 2];
    let packed = file.read_exact(&mut first).is_ok() && first == GZIP;
    file.rewind().map_err(failed)?;
    let file = BufReader::with_capacity(1 << 20, file);
    let reader: Box<dyn Read> = if packed {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let mut archive = tar::Archive::new(reader);
    for member in archive.entries().map_err(failed)? {
        let member = member.map_err(failed)?;
        let name = member.path().map_err(failed)?.into_owned();
        if name.strip_prefix(".").unwrap_or(&name) == Path::new("metadata.json") {
            let mut text = String::new();
            member
                .take(METADATA_LIMIT)
                .read_to_string(&mut text)
                .map_err(failed)?;
            return serde_json::from_str(&text).map_err(|error| failed(io::Error::other(error)));
        }
    }
    Err(Failure::new(format!(
        "Error: metadata.json file not found in box: {}",
        path.display()
    )))
}
