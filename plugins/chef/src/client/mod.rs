//! The `chef-client` provisioner: a node of a Chef server.

mod config;
mod knife;
mod ruby_file;

use std::sync::Arc;

use kiln_sdk::staging::elevated::{self, Account};
use kiln_sdk::staging::{Guest, Late};
use kiln_sdk::{BuildInfo, Communicator, Failure, Prepared, Provisioner, RunContext, Value};

use crate::run::Files;
use crate::{install, run};
use config::ClientConfig;
use knife::Knife;
use ruby_file::Node;

const PROGRAM: &str = "chef-client";

/// The provisioner.
pub struct ChefClient;

impl Provisioner for ChefClient {
    type Config = ClientConfig;

    fn prepare(&self, config: &mut ClientConfig, _build: &BuildInfo) -> Prepared {
        config.check().into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: ClientConfig,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Result<(), Failure> {
        cx.say("Provisioning with chef-client").await;
        let options = &config.options;
        let guest = Guest {
            cx: &cx,
            machine: machine.as_ref(),
            os: options.guest_os_type,
            sudo: options.sudo(),
        };
        let late = Late::new(&cx, &generated);
        install::run(&guest, options, &late, PROGRAM).await?;
        let staging = run::staging(&config.staging_directory, guest.os, "packer-chef-client");
        guest.make_open_folder(&staging).await?;
        let node = Node::new(&config, &staging);
        let result = match stage(&guest, &config, &node).await {
            Ok(()) => register(&guest, &config, &late, &staging, &node).await,
            Err(failure) => Err(failure),
        };
        let secrets = [node.secret.as_str(), &node.validation_key];
        run::forget(&guest, &secrets, result).await?;
        if !config.skip_clean_staging_directory {
            guest.remove(&staging).await?;
        }
        Ok(())
    }
}

/// Uploads what the node needs to become one.
async fn stage(guest: &Guest<'_>, config: &ClientConfig, node: &Node) -> Result<(), Failure> {
    let secret = &config.options.encrypted_data_bag_secret_path;
    run::private_file(guest, secret, &node.secret).await?;
    if !config.validation_key_path.is_empty() {
        guest.cx.say("Uploading validation key...").await;
    }
    run::private_file(guest, &config.validation_key_path, &node.validation_key).await
}

/// Runs Chef, and has the server forget the node whatever came of it.
async fn register(
    guest: &Guest<'_>,
    config: &ClientConfig,
    late: &Late,
    staging: &str,
    node: &Node,
) -> Result<(), Failure> {
    let ran = chef(guest, config, late, staging, node).await;
    let knife = Knife {
        guest,
        config,
        late,
        node,
        staging,
    };
    knife.clean(ran).await
}

/// Writes the configuration and runs Chef.
async fn chef(
    guest: &Guest<'_>,
    config: &ClientConfig,
    late: &Late,
    staging: &str,
    node: &Node,
) -> Result<(), Failure> {
    let options = &config.options;
    let files = Files {
        configuration: format!("{staging}/client.rb"),
        attributes: format!("{staging}/first-boot.json"),
    };
    guest
        .cx
        .say("Creating configuration file 'client.rb'")
        .await;
    let variables = node.variables(late, config);
    let text = run::configuration(options, &variables, node.ruby(config)).await?;
    guest
        .upload_text(&text, &files.configuration, 0o644)
        .await?;
    run::upload_attributes(guest, options, &files.attributes).await?;
    let mut command = run::command(guest, options, late, PROGRAM, &files)?;
    guest.cx.say(format!("Executing Chef: {command}")).await;
    if !config.elevated_user.is_empty() {
        let account = Account {
            user: &config.elevated_user,
            password: config.elevated_password.expose(),
        };
        command = elevated::prepare(guest, account, &command, rand::random()).await?;
    }
    run::judge(&guest.run(&command).await?, PROGRAM)
}

#[cfg(test)]
mod tests;
