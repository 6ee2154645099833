//! The `sbom` provisioner: the packages of the running machine as a document on this one.

use std::sync::Arc;

use kiln_sdk::go_template::Data;
use kiln_sdk::{
    BuildInfo, Communicator, Config, Diagnostic, Failure, Prepared, Provisioner, RunContext,
    Template, Value,
};

use super::{describe, destination, keep};
use crate::bom::Format;
use crate::packages::machine;

/// Writes a bill of materials from the package databases of the machine: dpkg, apk, rpm, pacman.
/// Nothing is installed in the machine.
#[derive(Debug, Clone, Config)]
pub struct SbomConfig {
    /// The file to write on this machine, or a folder for it (with a slash at the end). A template
    /// that can use `{{.BuildName}}`, `{{.BuilderType}}` and `{{.Extension}}`, which is `cdx.json`
    /// or `spdx.json`.
    #[config(default = "packer_{{.BuildName}}_{{.BuilderType}}.{{.Extension}}")]
    pub destination: Template,
    /// `cyclonedx` (1.6) or `spdx` (2.3), both as JSON.
    #[config(
        default = "cyclonedx",
        choices("cyclonedx", "spdx", "cyclonedx-json", "spdx-json")
    )]
    pub format: String,
    /// What the image is called in the document; the build's name when not set.
    pub image_name: String,
    /// Root of the file system in the machine, for images that are built in a folder of it.
    #[config(default = "/")]
    pub root: String,
}

/// The provisioner.
pub struct SbomProvisioner;

impl Provisioner for SbomProvisioner {
    type Config = SbomConfig;

    fn prepare(&self, config: &mut SbomConfig, _build: &BuildInfo) -> Prepared {
        let mut found = Vec::new();
        if let Err(error) = kiln_sdk::go_template::check(config.destination.as_str()) {
            let problem = Diagnostic::error("Invalid destination template", error.to_string());
            found.push(problem.on("destination"));
        }
        if !config.root.starts_with('/') {
            let text = format!("`{}` is not an absolute path in the machine.", config.root);
            found.push(Diagnostic::error("Root must be absolute", text).on("root"));
        }
        found.into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: SbomConfig,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Result<(), Failure> {
        let format = Format::of_name(&config.format).unwrap_or(Format::CycloneDx);
        let build = cx.build();
        let data: Data = [
            ("BuildName", build.source_name.as_str()),
            ("BuilderType", build.builder_type.as_str()),
            ("Extension", format.ending()),
        ]
        .into_iter()
        .collect();
        let rendered = config
            .destination
            .render(&data, &build.template_context_with(&generated))
            .map_err(|error| Failure::new(format!("cannot render `destination`: {error}")))?;
        let name = match config.image_name.as_str() {
            "" => build.source_name.clone(),
            name => name.to_owned(),
        };
        let path = destination(
            &rendered,
            &format!("{}.{}", build.source_name, format.ending()),
        );
        cx.say("Reading the machine's packages").await;
        let inventory = machine::read(&cx, &*machine, &config.root)
            .await?
            .inventory();
        let bom = describe(&cx, format, &name, &inventory).await;
        keep(&cx, &bom, &path).await
    }
}
