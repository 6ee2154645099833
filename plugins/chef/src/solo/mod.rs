//! The `chef-solo` provisioner: cookbooks of this machine, no server.

mod config;
mod ruby_file;

use std::sync::Arc;

use kiln_sdk::staging::{Guest, Late, check};
use kiln_sdk::{BuildInfo, Communicator, Failure, Prepared, Provisioner, RunContext, Value};

use crate::run::Files;
use crate::{install, run};
use config::SoloConfig;
use ruby_file::Paths;

const PROGRAM: &str = "chef-solo";

/// The provisioner.
pub struct ChefSolo;

impl Provisioner for ChefSolo {
    type Config = SoloConfig;

    fn prepare(&self, config: &mut SoloConfig, _build: &BuildInfo) -> Prepared {
        config.check().into()
    }

    async fn provision(
        &self,
        cx: RunContext,
        config: SoloConfig,
        machine: Arc<dyn Communicator>,
        generated: Value,
    ) -> Result<(), Failure> {
        cx.say("Provisioning with chef-solo").await;
        let options = &config.options;
        let guest = Guest {
            cx: &cx,
            machine: machine.as_ref(),
            os: options.guest_os_type,
            sudo: options.sudo(),
        };
        let late = Late::new(&cx, &generated);
        install::run(&guest, options, &late, PROGRAM).await?;
        let staging = run::staging(&config.staging_directory, guest.os, "packer-chef-solo");
        guest.make_open_folder(&staging).await?;
        let result = chef(&guest, &config, &late, &staging).await;
        let secret = run::secret_place(options, &staging);
        run::forget(&guest, &[&secret], result).await
    }
}

/// Uploads everything Chef reads.
async fn stage(guest: &Guest<'_>, config: &SoloConfig, staging: &str) -> Result<Paths, Failure> {
    let mut cookbooks = config.remote_cookbook_paths.clone();
    for (number, local) in config.cookbook_paths.iter().enumerate() {
        let remote = format!("{staging}/cookbooks-{number}");
        folder(guest, local, &remote).await?;
        cookbooks.push(remote);
    }
    let secret = run::secret_place(&config.options, staging);
    let local = &config.options.encrypted_data_bag_secret_path;
    run::private_file(guest, local, &secret).await?;
    Ok(Paths {
        cookbooks,
        roles: optional(guest, &config.roles_path, staging, "roles").await?,
        data_bags: optional(guest, &config.data_bags_path, staging, "data_bags").await?,
        secret,
        environments: optional(guest, &config.environments_path, staging, "environments").await?,
    })
}

/// Uploads a folder, if there is one; where it is then.
async fn optional(
    guest: &Guest<'_>,
    local: &str,
    staging: &str,
    name: &str,
) -> Result<String, Failure> {
    if local.is_empty() {
        return Ok(String::new());
    }
    let remote = format!("{staging}/{name}");
    folder(guest, local, &remote).await?;
    Ok(remote)
}

async fn folder(guest: &Guest<'_>, local: &str, remote: &str) -> Result<(), Failure> {
    guest.make_open_folder(remote).await?;
    guest.upload_folder(&check::expand(local), remote).await
}

/// Uploads everything, writes the configuration and runs Chef.
async fn chef(
    guest: &Guest<'_>,
    config: &SoloConfig,
    late: &Late,
    staging: &str,
) -> Result<(), Failure> {
    let options = &config.options;
    let paths = stage(guest, config, staging).await?;
    let files = Files {
        configuration: format!("{staging}/solo.rb"),
        attributes: format!("{staging}/node.json"),
    };
    guest.cx.say("Creating configuration file 'solo.rb'").await;
    let stock = paths.ruby(options);
    let text = run::configuration(options, &paths.variables(late, options), stock).await?;
    guest
        .upload_text(&text, &files.configuration, 0o644)
        .await?;
    run::upload_attributes(guest, options, &files.attributes).await?;
    let command = run::command(guest, options, late, PROGRAM, &files)?;
    guest.cx.say(format!("Executing Chef: {command}")).await;
    run::judge(&guest.run(&command).await?, PROGRAM)
}

#[cfg(test)]
mod tests;
