//! The `hcp-sbom` provisioner, as far as it makes sense without HashiCorp's registry: the document
//! is fetched or made, checked, and kept in `destination`; nothing is uploaded.

use std::path::PathBuf;
use std::sync::Arc;

use kiln_sdk::communicator::Writer;
use kiln_sdk::{
    BuildInfo, Communicator, Config, Diagnostic, Diagnostics, Failure, Prepared, Provisioner,
    RunContext, Secret, Value,
};

use super::{describe, destination};
use crate::bom::{Bom, Format};
use crate::packages::machine;
use crate::sidecar;

/// Fetches a bill of materials from the machine, or makes one, and keeps a copy on this machine.
///
/// # Source
///
/// Packer's provisioner of the same name. Differs: there is no registry to upload to, and the
/// packages are read from the machine's databases, without running a scanner in it.
#[derive(Debug, Clone, Config)]
pub struct HcpSbomConfig {
    /// Path of a document in the machine: CycloneDX or SPDX 2 in JSON. Either this or
    /// `auto_generate`.
    pub source: String,
    /// Whether to make the document from the machine's package databases. When that fails, the
    /// build goes on without.
    pub auto_generate: bool,
    /// Where to keep the document on this machine: a file, or a folder. Without it, the document
    /// is only checked.
    pub destination: String,
    /// Name of the document: 3 to 36 letters, digits and dashes.
    pub sbom_name: String,
    /// Arguments of Packer's scanner; only the format is used (`-o cyclonedx-json` or
    /// `-o spdx-json`).
    #[config(default = ["-o", "cyclonedx-json"])]
    pub scanner_args: Vec<String>,
    /// Root of the file system in the machine.
    #[config(default = "/")]
    pub scan_path: String,
    /// How Packer runs its scanner in the machine; not used, because none is run.
    #[config(late)]
    pub execute_command: String,
    /// The user Packer runs its scanner as on Windows; not used.
    pub elevated_user: String,
    /// That user's password; not used.
    pub elevated_password: Secret<String>,
    /// Where Packer once got a scanner from; not used.
    #[config(deprecated = "it is ignored; leave it out")]
    #[expect(
        dead_code,
        reason = "templates have it; the warning is all it is worth"
    )]
    pub scanner_url: String,
    /// Its checksum; not used.
    #[config(deprecated = "it is ignored; leave it out")]
    #[expect(
        dead_code,
        reason = "templates have it; the warning is all it is worth"
    )]
    pub scanner_checksum: String,
}

/// The provisioner.
pub struct HcpSbom;

impl Provisioner for HcpSbom {
    type Config = HcpSbomConfig;

    fn prepare(&self, config: &mut HcpSbomConfig, _build: &BuildInfo) -> Prepared {
        let mut found = Diagnostics::new();
        if config.source.is_empty() != config.auto_generate {
            let text = "Exactly one of `source` and `auto_generate` has to be set.";
            found.push(Diagnostic::error("Source of the SBOM is not clear", text).on("source"));
        }
        check_name(&config.sbom_name, &mut found);
        if config.auto_generate && format_of(&config.scanner_args).is_none() {
            let text = format!(
                "`{}` names no format kiln writes.",
                config.scanner_args.join(" ")
            );
            found.push(
                Diagnostic::error("Unknown SBOM format", text)
                    .on("scanner_args")
                    .hint("Use [\"-o\", \"cyclonedx-json\"] or [\"-o\", \"spdx-json\"]."),
            );
        }
        let unused = [
            ("execute_command", !config.execute_command.is_empty()),
            ("elevated_user", !config.elevated_user.is_empty()),
            ("elevated_password", !config.elevated_password.is_empty()),
        ];
        for (name, _) in unused.iter().filter(|(_, set)| *set) {
            let text = "Packages are read from the machine's databases; no scanner is run in it.";
            found.push(Diagnostic::warning("Option has no effect", text).on(name));
        }
        if config.destination.is_empty() {
            found.push(
                Diagnostic::warning(
                    "SBOM is not kept",
                    "There is no registry to upload to, and `destination` is not set.",
                )
                .hint("Set `destination` to a file on this machine."),
            );
        }
        found.into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: HcpSbomConfig,
        machine: Arc<dyn Communicator>,
        _generated: Value,
    ) -> Result<(), Failure> {
        if !config.auto_generate {
            return fetch(&cx, &config, &*machine).await;
        }
        match generate(&cx, &config, &*machine).await {
            Err(failure) if !failure.cancelled => {
                cx.error(format!("SBOM generation failed: {failure}")).await;
                cx.error("Build will continue without SBOM").await;
                Ok(())
            }
            done => done,
        }
    }
}

/// Names are checked once they are known.
fn check_name(name: &str, found: &mut Diagnostics) {
    let fits = (3..=36).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let unknown = name.contains("<no value>") || name.contains("<unknown>");
    if !name.is_empty() && !fits && !unknown {
        let text = format!("`{name}` has to match ^[0-9A-Za-z-]{{3,36}}$.");
        found.push(Diagnostic::error("Invalid SBOM name", text).on("sbom_name"));
    }
}

/// The format that the scanner's arguments ask for.
fn format_of(arguments: &[String]) -> Option<Format> {
    let mut words = arguments.iter().map(String::as_str);
    let mut format = Some(Format::CycloneDx);
    while let Some(word) = words.next() {
        let value = match word {
            "-o" | "--output" => words.next(),
            other => other
                .strip_prefix("--output=")
                .or_else(|| other.strip_prefix("-o=")),
        };
        if let Some(value) = value {
            format = Format::of_name(value);
        }
    }
    format
}

async fn fetch(
    cx: &RunContext,
    config: &HcpSbomConfig,
    machine: &dyn Communicator,
) -> Result<(), Failure> {
    cx.say(format!("Downloading SBOM {}", config.source)).await;
    let failed =
        |error: &dyn std::error::Error| Failure::new(format!("cannot keep the SBOM: {error}"));
    let file = tempfile::Builder::new()
        .prefix("sbom-")
        .tempfile_in(&cx.build().run_dir)
        .map_err(|error| failed(&error))?;
    let copy = file.reopen().map_err(|error| failed(&error))?;
    let sink: Writer = Box::new(tokio::fs::File::from_std(copy));
    let download = machine.download(&config.source, sink);
    let done = cx.until_cancelled(download).await?;
    done.map_err(|error| Failure::from_error(&error))?;
    let text = std::fs::read(file.path()).map_err(|error| failed(&error))?;
    let bom = Bom::read(&text, None).map_err(|error| {
        Failure::new(format!(
            "`{}` of the machine cannot be used: {error}",
            config.source
        ))
    })?;
    match path(config, bom.format) {
        Some(path) => {
            sidecar::write(cx, &path, &text).await?;
            cx.say(format!("Wrote SBOM to {}", path.display())).await;
        }
        None => {
            cx.say(format!("The SBOM is valid {}", bom.format.title()))
                .await
        }
    }
    Ok(())
}

async fn generate(
    cx: &RunContext,
    config: &HcpSbomConfig,
    machine: &dyn Communicator,
) -> Result<(), Failure> {
    cx.say("Generating SBOM from the machine's package databases")
        .await;
    let format = format_of(&config.scanner_args).unwrap_or(Format::CycloneDx);
    let databases = machine::read(cx, machine, &config.scan_path).await?;
    let name = match config.sbom_name.as_str() {
        "" => &cx.build().source_name,
        name => name,
    };
    let bom = describe(cx, format, name, &databases.inventory()).await;
    match path(config, format) {
        Some(path) => super::keep(cx, &bom, &path).await,
        None => Ok(()),
    }
}

/// Where the document goes.
fn path(config: &HcpSbomConfig, format: Format) -> Option<PathBuf> {
    let name = match config.sbom_name.as_str() {
        "" => "packer-sbom",
        name => name,
    };
    let file = format!("{name}.{}", format.ending());
    (!config.destination.is_empty()).then(|| destination(&config.destination, &file))
}
