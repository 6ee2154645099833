//! The `vsphere-template` post-processor: a machine in vSphere as a template.
//!
//! Here are the options; `convert` does it.

mod convert;

use kiln_sdk::{
    Artifact, BuildInfo, Config, Diagnostic, Failure, PostProcessed, PostProcessor, Prepared,
    RunContext, Secret, Value,
};

use self::convert::Conversion;
use crate::soap::{Access, Session, Trust};
use crate::upload::BUILDER_ID as UPLOADED;

/// Machines that the vSphere builders made.
const BUILT: &str = "jetbrains.vsphere";
/// Machines that the first VMware builder made on ESXi.
const ON_ESX: &str = "mitchellh.vmware-esx";
/// Files from elsewhere.
const ARTIFICE: &str = "packer.post-processor.artifice";
/// Where vSphere puts machines that nobody put anywhere.
const DISCOVERED: &str = "Discovered virtual machine";

/// Turns a machine that was built or uploaded into a template of vSphere.
#[derive(Debug, Clone, Config)]
pub(crate) struct TemplateConfig {
    /// Address of the vCenter server, with a port when it is not 443.
    #[config(required)]
    pub(crate) host: String,
    /// Who to log in as.
    #[config(required)]
    pub(crate) username: String,
    /// The password.
    #[config(required)]
    pub(crate) password: Secret<String>,
    /// Whether to trust the server without a valid certificate.
    pub(crate) insecure: bool,
    /// The datacenter; needed when there are several.
    pub(crate) datacenter: String,
    /// Name of the template; that of the machine when it is not set.
    pub(crate) template_name: String,
    /// Folder of the template, made when it is missing. A machine that the vSphere builders made is
    /// expected there.
    pub(crate) folder: String,
    /// Whether to take a snapshot before.
    pub(crate) snapshot_enable: bool,
    /// Name of the snapshot.
    pub(crate) snapshot_name: String,
    /// Description of the snapshot.
    pub(crate) snapshot_description: String,
    /// Whether to unregister the machine and register it as a template, which gives it the
    /// template's name and folder. When it is false, the machine is marked as a template where it
    /// is.
    #[config(default = true)]
    pub(crate) reregister_vm: bool,
    /// Whether to destroy a template that has the name already.
    #[config(name = "override")]
    pub(crate) replace: bool,
}

/// The post-processor.
pub(crate) struct VsphereTemplate;

impl PostProcessor for VsphereTemplate {
    type Config = TemplateConfig;

    fn prepare(&self, config: &mut TemplateConfig, _build: &BuildInfo) -> Prepared {
        let mut problems = Vec::new();
        for (name, empty) in [
            ("host", config.host.is_empty()),
            ("username", config.username.is_empty()),
            ("password", config.password.is_empty()),
        ] {
            if empty {
                let detail = format!("{name} must be set.");
                problems.push(Diagnostic::error("Missing value", detail).on(name));
            }
        }
        if config.snapshot_enable && config.snapshot_name.is_empty() {
            let detail = "A snapshot needs a name: snapshot_name must be set.";
            problems.push(Diagnostic::error("Missing value", detail).on("snapshot_name"));
        }
        problems.into()
    }

    /// # Source
    ///
    /// Packer's `vsphere-template`: the order and the texts. Differs: it waits for the machine to
    /// be off instead of ten seconds; the machine itself is never taken for the template that has
    /// its name already.
    async fn post_process(
        &self,
        cx: RunContext,
        config: TemplateConfig,
        input: Artifact,
        _generated: Value,
    ) -> Result<PostProcessed, Failure> {
        let (folder, machine) = place(&config, &input)?;
        check_export(&input)?;
        let access = Access {
            host: &config.host,
            username: &config.username,
            password: &config.password,
            trust: if config.insecure {
                Trust::Anybody
            } else {
                Trust::Verified
            },
        };
        cx.secret(config.password.expose().as_str()).await;
        let session = Session::open(&cx, access).await?;
        let conversion = Conversion {
            cx: &cx,
            session: &session,
            config: &config,
            folder,
            machine,
        };
        let converted = conversion.run().await;
        session.close().await;
        converted?;
        Ok(PostProcessed {
            artifact: Some(input),
            keep_input: true,
            force_keep_input: true,
        })
    }
}

/// Folder and name of the machine.
fn place(config: &TemplateConfig, input: &Artifact) -> Result<(String, String), Failure> {
    let kinds = [UPLOADED, BUILT, ON_ESX, ARTIFICE];
    if !kinds.contains(&input.builder_id.as_str()) {
        return Err(Failure::new(format!(
            "an artifact of `{}` cannot be used here\nOnly machines that vsphere-iso exported or the vsphere \
             post-processor uploaded can become templates.",
            input.builder_id
        )));
    }
    if input.builder_id == UPLOADED {
        let parts: Vec<&str> = input.id.split("::").collect();
        return match parts.as_slice() {
            [_, folder, machine] => Ok(((*folder).to_owned(), (*machine).to_owned())),
            _ => Err(Failure::new(format!(
                "the artifact's identity `{}` is not DATASTORE::FOLDER::NAME",
                input.id
            ))),
        };
    }
    let folder = match config.folder.as_str() {
        "" => DISCOVERED,
        folder => folder,
    };
    Ok((folder.to_owned(), input.id.clone()))
}

/// A machine that was exported and removed cannot become a template.
fn check_export(input: &Artifact) -> Result<(), Failure> {
    let state = |name: &str| {
        let value = input.state.get(name).and_then(Value::as_str);
        value.unwrap_or_default()
    };
    let exported = state("artifact.conf.skip_export") == "false";
    if exported && state("artifact.conf.keep_registered") != "true" {
        return Err(Failure::new(
            "error: `keep_registered` must be set to `true` for export",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
