//! The `puppet-server` provisioner: has the guest ask a Puppet server what to be.

use std::sync::Arc;

use kiln_sdk::staging::{BuildFacts, Guest, GuestOs, Late, check};
use kiln_sdk::{
    BuildInfo, Communicator, Config, Diagnostics, Failure, Prepared, Provisioner, RunContext, Value,
};

use crate::command::Call;
use crate::options::PuppetOptions;
use crate::{facts, run};

/// Arguments that make Puppet say what it does, or say where it says it.
const TALKING: [&str; 8] = [
    "--verbose",
    "-v",
    "--test",
    "-t",
    "--debug",
    "-d",
    "--logdest",
    "-l",
];

/// Runs Puppet in the machine against a Puppet server. Puppet must be installed there.
#[derive(Debug, Clone, Config)]
pub struct ServerConfig {
    /// Address of the Puppet server; default Puppet's own.
    pub puppet_server: String,
    /// Name of the node, which is that of its certificate; default Puppet's own.
    pub puppet_node: String,
    /// Folder of the node's certificate.
    pub client_cert_path: String,
    /// Folder of the node's private key.
    pub client_private_key_path: String,
    /// Folder in the machine for both. Default `/tmp/packer-puppet-server`, on Windows
    /// `C:/Windows/Temp/packer-puppet-server`.
    pub staging_dir: String,
    #[config(flatten)]
    pub options: PuppetOptions,
}

/// The provisioner.
pub struct PuppetServer;

impl Provisioner for PuppetServer {
    type Config = ServerConfig;

    fn prepare(&self, config: &mut ServerConfig, _build: &BuildInfo) -> Prepared {
        config.check().into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: ServerConfig,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Result<(), Failure> {
        cx.say("Provisioning with Puppet...").await;
        let guest = Guest {
            cx: &cx,
            machine: machine.as_ref(),
            os: config.options.guest_os_type,
            sudo: config.options.sudo(),
        };
        let staging = config.staging();
        guest.cx.say("Creating Puppet staging directory...").await;
        guest.make_open_folder(&staging).await?;
        let certificates = folder(&guest, &config.client_cert_path, &staging, "certs").await?;
        let keys = &config.client_private_key_path;
        let keys = folder(&guest, keys, &staging, "private_keys").await?;
        let late = Late::new(&cx, &generated);
        let call = Call {
            os: guest.os,
            sudo: guest.sudo,
            working_directory: match config.options.working_directory.as_str() {
                "" => staging.clone(),
                folder => folder.to_owned(),
            },
            facts: {
                let build = BuildFacts::new(&cx, &generated);
                facts::text(&facts::collect(&build, &config.options.facter), guest.os)
            },
            folder: config.options.puppet_bin_dir.clone(),
            verb: "agent --onetime --no-daemonize --detailed-exitcodes",
            options: vec![
                ("--server", config.puppet_server.clone()),
                ("--certname", config.puppet_node.clone()),
                ("--certdir", certificates.clone()),
                ("--privatekeydir", keys.clone()),
            ],
            extra: talking(run::extra_arguments(&config.options, &late)?),
            target: String::new(),
        };
        let late = late
            .with("PuppetServer", config.puppet_server.as_str())
            .with("PuppetNode", config.puppet_node.as_str())
            .with("ClientCertPath", certificates)
            .with("ClientPrivateKeyPath", keys);
        let command = run::command(&config.options, late, &call)?;
        run::puppet(&guest, &config.options, &command).await?;
        run::clean(&guest, &config.options, &staging).await
    }
}

impl ServerConfig {
    pub fn check(&self) -> Diagnostics {
        let mut problems = Diagnostics::new();
        check::folder("client_cert_path", &self.client_cert_path, &mut problems);
        check::folder(
            "client_private_key_path",
            &self.client_private_key_path,
            &mut problems,
        );
        self.options.check(&mut problems);
        problems
    }

    fn staging(&self) -> String {
        match (
            self.staging_dir.trim_end_matches('/'),
            self.options.guest_os_type,
        ) {
            ("", GuestOs::Unix) => "/tmp/packer-puppet-server".to_owned(),
            ("", GuestOs::Windows) => "C:/Windows/Temp/packer-puppet-server".to_owned(),
            (folder, _) => folder.to_owned(),
        }
    }
}

/// Uploads a folder, if there is one; where it is then.
async fn folder(
    guest: &Guest<'_>,
    local: &str,
    staging: &str,
    name: &str,
) -> Result<String, Failure> {
    if local.is_empty() {
        return Ok(String::new());
    }
    guest.cx.say(format!("Uploading {name}...")).await;
    let remote = format!("{staging}/{name}");
    guest.make_open_folder(&remote).await?;
    guest.upload_folder(&check::expand(local), &remote).await?;
    Ok(remote)
}

/// An agent says nothing by itself, not even why it failed.
fn talking(extra: String) -> String {
    let told = extra.split_whitespace().any(|word| {
        TALKING
            .iter()
            .any(|option| word.split('=').next() == Some(*option))
    });
    match (told, extra.is_empty()) {
        (true, _) => extra,
        (false, true) => "--verbose".to_owned(),
        (false, false) => format!("--verbose {extra}"),
    }
}
