//! The order of the steps.

use std::sync::Arc;

use kiln_sdk::communicator::Inert;
use kiln_sdk::ssh::{Address, ConnectError, Environment, Settings, connect};
use kiln_sdk::{
    Artifact, BuildInfo, Builder, Communicator, Failure, MachineFacts, Prepared, Ready, RunContext,
    Steps, winrm,
};

use crate::config::NullConfig;

/// Identity of the machine and of the artifact: neither was made here.
const ID: &str = "Null";

/// Builds nothing.
pub(crate) struct Null;

impl Builder for Null {
    type Config = NullConfig;

    fn prepare(&self, config: &mut NullConfig, _build: &BuildInfo) -> Prepared {
        config.prepare().into()
    }

    async fn run(&self, cx: RunContext, config: NullConfig) -> Result<Option<Artifact>, Failure> {
        let steps = Steps::new(cx.clone());
        let built = build(&cx, &steps, &config).await;
        steps.finish(built).await?;
        Ok(Some(artifact()))
    }
}

async fn build(cx: &RunContext, steps: &Steps, config: &NullConfig) -> Result<(), Failure> {
    let machine = steps.run("StepConnect", || reach(cx, config)).await?;
    steps
        .provision(Ready {
            communicator: Some(machine),
            generated: facts(cx, config),
        })
        .await
}

/// A way to talk to the machine.
async fn reach(cx: &RunContext, config: &NullConfig) -> Result<Arc<dyn Communicator>, Failure> {
    let options = &config.communicator;
    if options.communicator == "none" {
        return Ok(Arc::new(Inert));
    }
    let address = Address {
        host: options.host().to_owned(),
        port: options.port(),
    };
    if options.communicator == "winrm" {
        let settings = winrm::Settings::new(options);
        let machine = winrm::connect(settings, Arc::new(address), cx.cancel(), cx)
            .await
            .map_err(|error| match error {
                winrm::ConnectError::Cancelled => Failure::cancelled(),
                error => Failure::from_error(&error).blaming(error.option()),
            })?;
        return Ok(Arc::new(machine));
    }
    let settings = Settings::new(options, &[], &Environment::from_process())
        .map_err(|error| Failure::from_error(&error).on(error.option()))?;
    let machine = connect(settings, Arc::new(address), cx.cancel(), cx)
        .await
        .map_err(|error| match error {
            ConnectError::Cancelled => Failure::cancelled(),
            error => Failure::from_error(&error).blaming(error.option()),
        })?;
    Ok(Arc::new(machine))
}

fn facts(cx: &RunContext, config: &NullConfig) -> kiln_sdk::Value {
    let options = &config.communicator;
    let facts = MachineFacts {
        id: ID.to_owned(),
        communicator: options.communicator.clone(),
        host: options.host().to_owned(),
        port: options.port(),
        user: options.user().to_owned(),
        password: options.password().to_owned().into(),
        ..MachineFacts::default()
    };
    let mut values = facts.generated(cx.build());
    values.insert("SSHPrivateKeyFile", options.ssh_private_key_file.as_str());
    values.insert("SSHAgentAuth", options.ssh_agent_auth);
    values
}

/// # Source
///
/// Packer's null builder: identity, text and what post-processors learn.
fn artifact() -> Artifact {
    let generated = [("ID", ID)].into_iter().collect::<kiln_sdk::Value>();
    Artifact {
        builder_id: "fnoeding.null".to_owned(),
        id: ID.to_owned(),
        description: "Did not export anything. This is the null builder".to_owned(),
        state: [("generated_data", generated)].into_iter().collect(),
        ..Artifact::default()
    }
}
