//! The `compress` post-processor: an artifact's files as one archive or compressed file.
//!
//! Which format is meant has a module of its own (`format`); `kiln_sdk::archive` writes it.

mod format;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kiln_sdk::archive::{self, Container, Entry, Plan};
use kiln_sdk::config::template_data;
use kiln_sdk::go_template::Data;
use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostic, Failure, PostProcessed, PostProcessor, Prepared,
    RunContext, Template, Value,
};

use self::format::{Format, packer_name};

/// Packs an artifact's files into an archive, or compresses its only file.
#[derive(Debug, Clone, Config)]
pub struct CompressConfig {
    /// Path of the archive, a template that can use `{{.BuildName}}`, `{{.BuilderType}}` and the
    /// machine's values. Its suffix chooses the format: `.tar`, `.zip`, `.gz`, `.zst`, `.xz`, `.lz4`, `.bz2`, `.bgzf`, or
    /// `.tar` and one of these. Without a known suffix a gzipped tar is written.
    #[config(default = "packer_{{.BuildName}}_{{.BuilderType}}")]
    pub output: Template,
    /// Chooses the format in place of the suffix: `tar`, `zip`, `gz`, `tar.gz`, …. What is none of
    /// these is a gzipped tar, with a warning.
    pub format: String,
    /// From 1 (fast) to 9 (small); 0 and -1 mean the format's own default. More than 9 is 9.
    pub compression_level: i64,
}

/// The post-processor.
pub struct Compress;

impl PostProcessor for Compress {
    type Config = CompressConfig;

    fn prepare(&self, config: &mut CompressConfig, _build: &BuildInfo) -> Prepared {
        let mut diagnostics = Vec::new();
        config.compression_level = config.compression_level.min(9);
        diagnostics.extend(unknown_format(config));
        if config.compression_level < -1 {
            diagnostics.push(
                Diagnostic::error(
                    "Invalid compression level",
                    format!("`{}` is not a compression level.", config.compression_level),
                )
                .on("compression_level")
                .hint("Use a number from 1 to 9, or leave it out."),
            );
        }
        if let Err(error) = kiln_sdk::go_template::check(&config.output.0) {
            diagnostics
                .push(Diagnostic::error("Invalid output template", error.to_string()).on("output"));
        }
        diagnostics.into()
    }

    async fn post_process(
        &self,
        cx: RunContext,
        config: CompressConfig,
        input: Artifact,
        generated: Value,
    ) -> Result<PostProcessed, Failure> {
        let format = Format::detect(&config.output.0, &config.format);
        let target = target(&config, &generated, cx.build())?;
        if format.container == Container::Single && input.files.len() != 1 {
            return Err(Failure::new(format!(
                "Can only have 1 input file when not using tar/zip. Found {} files: {:?}",
                input.files.len(),
                input.files
            ))
            .on("output")
            .hint("End `output` in `.tar.gz` or `.zip`, or set `format`."));
        }
        announce_work(&cx, &format, &target, &input.files).await;
        let entries: Vec<Entry> = input.files.iter().map(|file| Entry::file(file)).collect();
        warn_of_lost(&cx, &entries).await;
        let plan = Plan {
            container: format.container,
            compression: format.compression,
            level: u32::try_from(config.compression_level)
                .ok()
                .filter(|&level| level > 0),
            entries,
        };
        archive::write(&cx, plan, &target).await?;
        cx.say(format!("Archive {} completed", target.display()))
            .await;
        Ok(PostProcessed {
            artifact: Some(artifact(target)),
            keep_input: false,
            force_keep_input: false,
        })
    }
}

/// A warning about a `format` that is none.
///
/// # Source
///
/// Packer: what is not recognised is a gzipped tar.
fn unknown_format(config: &CompressConfig) -> Option<Diagnostic> {
    let format = &config.format;
    let open = format.is_empty() || format.contains("<unknown>");
    if open || Format::is_known(&config.output.0, format) {
        return None;
    }
    let detail = format!("`{format}` is no format that can be written: a gzipped tar is written.");
    let hint = "Use tar, zip, gz, zst, xz, lz4, bz2, bgzf, or tar. and one of these.";
    let warning = Diagnostic::warning("Unknown archive format", detail);
    Some(warning.on("format").hint(hint))
}

fn artifact(target: PathBuf) -> Artifact {
    Artifact {
        builder_id: "packer.post-processor.compress".to_owned(),
        description: format!("compressed artifacts in: {}", target.display()),
        files: vec![target.clone()],
        destroy: vec![target],
        ..Artifact::default()
    }
}

/// Files are packed under their base names, as Packer does; who unpacks them gets one of each.
async fn warn_of_lost(cx: &RunContext, entries: &[Entry]) {
    let mut seen = BTreeSet::new();
    for entry in entries {
        if !seen.insert(&entry.name) {
            let name = &entry.name;
            cx.error(format!(
                "Warning: the archive has several files named {name}; unpacking leaves only one"
            ))
            .await;
        }
    }
}

fn target(
    config: &CompressConfig,
    generated: &Value,
    build: &BuildInfo,
) -> Result<PathBuf, Failure> {
    let mut data = template_data(generated);
    if let Data::Map(entries) = &mut data {
        entries.insert("BuildName".to_owned(), build.source_name.as_str().into());
        entries.insert("BuilderType".to_owned(), build.builder_type.as_str().into());
    } else {
        data = [
            ("BuildName", build.source_name.as_str()),
            ("BuilderType", build.builder_type.as_str()),
        ]
        .into_iter()
        .collect();
    }
    config
        .output
        .render(&data, &build.template_context_with(generated))
        .map(PathBuf::from)
        .map_err(|error| Failure::new(format!("cannot render `output`: {error}")).on("output"))
}

async fn announce_work(cx: &RunContext, format: &Format, target: &Path, files: &[PathBuf]) {
    let target = target.display();
    if let Some(name) = packer_name(format.compression) {
        let cores = format.compression.threads();
        let cores = format!("{cores} core{}", if cores == 1 { "" } else { "s" });
        cx.say(format!(
            "Using {name} compression with {cores} for {target}"
        ))
        .await;
    }
    let compression = packer_name(format.compression).unwrap_or("no compression");
    match format.container {
        Container::Tar => cx.say(format!("Tarring {target} with {compression}")).await,
        Container::Zip => cx.say(format!("Zipping {target}")).await,
        Container::Single => {
            for file in files {
                cx.say(format!("Archiving {} with {compression}", file.display()))
                    .await;
            }
        }
    }
}
