//! The options.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kiln_sdk::{Config, Diagnostic, Diagnostics, Template, Value};

use super::provider::Provider;

/// What stands for a value that only the build will know.
const UNKNOWN: &str = "<unknown>";

/// Makes a Vagrant box of the artifact of a builder, ready for `vagrant box add`.
#[derive(Debug, Clone, Config)]
pub(crate) struct VagrantConfig {
    /// Path of the box, a template that can use `{{.BuildName}}`, `{{.Provider}}`,
    /// `{{.Architecture}}`, `{{.ArtifactId}}` and the machine's values.
    #[config(default = "packer_{{ .BuildName }}_{{ .Provider }}_{{ .Architecture }}.box")]
    pub(crate) output: Template,
    /// From 1 (fast) to 9 (small), -1 for the usual middle, 0 for no compression at all.
    #[config(default = -1)]
    pub(crate) compression_level: i64,
    /// Files to put into the box beside the provider's own, under their base names. A
    /// `metadata.json` among them replaces the one that would be written.
    pub(crate) include: Vec<PathBuf>,
    /// File whose content ends the box's Vagrantfile. It is a template with the values that
    /// `output` can use.
    pub(crate) vagrantfile_template: PathBuf,
    /// Whether `vagrantfile_template` is made by the build, so that it need not exist before.
    pub(crate) vagrantfile_template_generated: bool,
    /// Options for one provider only, by its name: `virtualbox`, `libvirt`, …. They win over the
    /// ones beside this.
    #[config(name = "override", late)]
    pub(crate) per_provider: BTreeMap<String, Value>,
    /// The provider, when the artifact does not tell: `aws`, `azure`, `digitalocean`, `docker`,
    /// `file`, `google`, `hyperv`, `libvirt`, `lxc`, `parallels`, `scaleway`, `virtualbox` or
    /// `vmware`.
    pub(crate) provider_override: String,
    /// What the machine in the box runs on, in Vagrant's words (`amd64`, `arm64`, `i386`, …). That
    /// of this machine when it is not set.
    pub(crate) architecture: String,
}

impl VagrantConfig {
    /// Checks the options and completes them.
    pub(crate) fn prepare(&mut self) -> Diagnostics {
        let mut problems = self.check("");
        if self.architecture.is_empty() {
            self.architecture = host_architecture().to_owned();
        }
        let known = Provider::parse(&self.provider_override).is_some();
        if !known && !self.provider_override.is_empty() && self.provider_override != UNKNOWN {
            let detail = format!(
                "The given provider_override {} is not valid.",
                self.provider_override
            );
            let names = Provider::names().join(", ");
            let problem = Diagnostic::error("Unknown Vagrant provider", detail);
            problems.push(
                problem
                    .on("provider_override")
                    .hint(format!("Choose one of {names}.")),
            );
        }
        for (name, settings) in &self.per_provider {
            problems.extend(self.check_override(name, settings));
        }
        problems
    }

    /// Problems of the options that an override can change too; `place` says where they are from.
    pub(crate) fn check(&self, place: &str) -> Diagnostics {
        let mut problems = Diagnostics::new();
        if !(-1..=9).contains(&self.compression_level) {
            let detail = format!("`{}`{place} is none.", self.compression_level);
            problems.push(
                Diagnostic::error("Invalid compression level", detail)
                    .on("compression_level")
                    .hint("Expected an integer from -1 to 9."),
            );
        }
        let custom = &self.vagrantfile_template;
        let expected = !self.vagrantfile_template_generated
            && !custom.as_os_str().is_empty()
            && custom.as_os_str() != UNKNOWN;
        if expected && !custom.is_file() {
            let detail = format!(
                "vagrantfile_template '{}'{place} does not exist.",
                custom.display()
            );
            problems.push(
                Diagnostic::error("Missing Vagrantfile template", detail)
                    .on("vagrantfile_template")
                    .hint("Set vagrantfile_template_generated when the build makes it."),
            );
        }
        if let Err(error) = kiln_sdk::go_template::check(self.output.as_str()) {
            let detail = format!("{error}{place}");
            problems.push(Diagnostic::error("Invalid output template", detail).on("output"));
        }
        problems
    }
}

/// The architecture of this machine as Vagrant names it.
///
/// # Source
///
/// Packer: Go's names, with `i386` for `386`.
fn host_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "i386",
        "powerpc64" => "ppc64",
        other => other,
    }
}
