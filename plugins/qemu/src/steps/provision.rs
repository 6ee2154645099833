//! Has the guest provisioned.

use std::time::Duration;

use kiln_sdk::steps::Steps;
use kiln_sdk::{Failure, MachineFacts, Ready, RunContext, Secret, Value};

use super::connect::Connected;
use super::make_key::Keys;
use super::serve_files::Served;
use super::watch_machine::Running;
use crate::config::QemuConfig;

/// How long provisioners may go on after the machine is off: one of them may have switched it off
/// on purpose, and then ends by itself.
const GRACE: Duration = Duration::from_secs(30);

/// Names of the values the builder reports, for `build.NAME`.
pub(crate) const GENERATED: [&str; 14] = [
    "ID",
    "PackerRunUUID",
    "PackerHTTPAddr",
    "PackerHTTPIP",
    "PackerHTTPPort",
    "Host",
    "Port",
    "User",
    "Password",
    "ConnType",
    "SSHPublicKey",
    "SSHPrivateKey",
    "WinRMPassword",
    "SSHPrivateKeyFile",
];

/// The machine's values by name.
///
/// # Source
///
/// Packer's data for provisioners; texts beginning with `ERR_` stand for what this build has not.
pub(crate) fn generated(
    cx: &RunContext,
    config: &QemuConfig,
    served: &Served,
    connected: &Connected,
    keys: &Keys,
) -> Value {
    let options = &config.communicator;
    let facts = MachineFacts {
        id: "ERR_ID_NOT_IMPLEMENTED_BY_BUILDER".to_owned(),
        communicator: options.communicator.clone(),
        host: connected.host.clone(),
        port: connected.port,
        user: options.user().to_owned(),
        password: Secret::new(options.password().to_owned()),
        ssh_public_key: keys.public.clone(),
        ssh_private_key: Secret::new(keys.private.clone()),
        http: served.port.map(|port| (served.address.clone(), port)),
    };
    let mut values = facts.generated(cx.build());
    values.insert("SSHPrivateKeyFile", options.ssh_private_key_file.as_str());
    values.insert("SSHAgentAuth", options.ssh_agent_auth);
    values
}

/// Has the provisioners run.
///
/// # Errors
///
/// The provisioner's failure. When the machine ended meanwhile, that is said too, because it
/// explains the rest.
pub(crate) async fn provision(
    steps: &Steps,
    running: &Running,
    connected: &Connected,
    generated: Value,
) -> Result<(), Failure> {
    const DURING: &str = "it was provisioned";
    let ready = Ready {
        communicator: Some(connected.machine.clone()),
        generated,
    };
    let provisioning = steps.provision(ready);
    tokio::pin!(provisioning);
    let end = tokio::select! {
        biased;
        result = &mut provisioning => return result,
        end = running.wait() => end,
        free = running.full_disk() => return Err(running.full(free)),
    };
    let gone = running.gone(&end, DURING);
    tracing::warn!(error = gone.message, "the machine ended");
    match tokio::time::timeout(GRACE, provisioning).await {
        Ok(Ok(())) if end.is_success() => Ok(()),
        Ok(Ok(())) | Err(_) => Err(gone),
        Ok(Err(failure)) if failure.cancelled => Err(failure),
        Ok(Err(failure)) => Err(Failure::new(format!(
            "{}\n{}",
            failure.message, gone.message
        ))),
    }
}
