//! `client.rb` and `knife.rb`, the configurations of a node and of its clean-up.

use kiln_sdk::staging::Late;
use uuid::Uuid;

use super::config::ClientConfig;
use crate::{ruby, run};

/// Who signs new clients when the template does not say.
const VALIDATOR: &str = "chef-validator";

/// A node of a Chef server, with paths in the guest; empty when there is none.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub name: String,
    pub client_key: String,
    pub secret: String,
    pub validation_key: String,
}

impl Node {
    /// The node that the options mean, with its files in the folder `staging`.
    pub fn new(config: &ClientConfig, staging: &str) -> Self {
        Self {
            name: match config.node_name.as_str() {
                "" => format!("packer-{}", Uuid::new_v4()),
                name => name.to_owned(),
            },
            client_key: match config.client_key.as_str() {
                "" => format!("{staging}/client.pem"),
                path => path.to_owned(),
            },
            secret: run::secret_place(&config.options, staging),
            validation_key: run::private_place(
                &config.validation_key_path,
                staging,
                "validation.pem",
            ),
        }
    }

    /// `client.rb`.
    pub fn ruby(&self, config: &ClientConfig) -> String {
        let options = &config.options;
        let mut text = head(config);
        text.push_str(&ruby::line("client_key", &self.client_key));
        let license = ruby::string(options.license());
        text.push_str(&format!("chef_license {license}\n"));
        text.push_str(&ruby::line("encrypted_data_bag_secret", &self.secret));
        if !self.validation_key.is_empty() {
            text.push_str(&ruby::line("validation_key", &self.validation_key));
            text.push_str(&ruby::line("validation_client_name", validator(config)));
        }
        text.push_str(&ruby::line("node_name", &self.name));
        for (name, value) in [
            ("environment", &options.chef_environment),
            ("policy_group", &config.policy_group),
            ("policy_name", &config.policy_name),
        ] {
            text.push_str(&ruby::line(name, value));
        }
        text.push_str(&verification(config));
        text.push_str(&ruby::line("trusted_certs_dir", &config.trusted_certs_dir));
        text.push_str(&ruby::line("rubygems_url", &config.rubygems_url));
        text
    }

    /// `knife.rb`: who asks the server to forget the node is the node's own client.
    pub fn knife(&self, config: &ClientConfig) -> String {
        let mut text = head(config);
        text.push_str(&ruby::line("client_key", &self.client_key));
        text.push_str(&ruby::line("node_name", &self.name));
        text.push_str(&verification(config));
        text.push_str(&ruby::line("trusted_certs_dir", &config.trusted_certs_dir));
        text
    }

    /// The values of the template's own `client.rb`.
    ///
    /// # Source
    ///
    /// Packer's variables for `config_template`.
    pub fn variables(&self, late: &Late, config: &ClientConfig) -> Late {
        let options = &config.options;
        let pairs = [
            ("ChefEnvironment", options.chef_environment.as_str()),
            ("ChefLicense", options.license()),
            ("ClientKey", &self.client_key),
            ("EncryptedDataBagSecretPath", &self.secret),
            ("NodeName", &self.name),
            ("PolicyGroup", &config.policy_group),
            ("PolicyName", &config.policy_name),
            ("RubygemsURL", &config.rubygems_url),
            ("ServerUrl", &config.server_url),
            ("SslVerifyMode", &config.ssl_verify_mode),
            ("TrustedCertsDir", &config.trusted_certs_dir),
            ("ValidationClientName", validator(config)),
            ("ValidationKeyPath", &self.validation_key),
        ];
        let late = late.clone();
        pairs
            .into_iter()
            .fold(late, |late, (name, value)| late.with(name, value))
    }
}

fn head(config: &ClientConfig) -> String {
    format!(
        "log_level :info\nlog_location STDOUT\n{}",
        ruby::line("chef_server_url", &config.server_url)
    )
}

fn validator(config: &ClientConfig) -> &str {
    if config.validation_client_name.is_empty() {
        VALIDATOR
    } else {
        &config.validation_client_name
    }
}

/// The mode of verification as Ruby's symbol; its characters were checked.
fn verification(config: &ClientConfig) -> String {
    match config.ssl_verify_mode.trim_start_matches(':') {
        "" => String::new(),
        mode => format!("ssl_verify_mode :{mode}\n"),
    }
}
