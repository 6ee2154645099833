//! `solo.rb`, the configuration of chef-solo.

use kiln_sdk::staging::Late;

use crate::options::ChefOptions;
use crate::ruby;

/// Where Chef finds things, as paths in the guest; empty when there is none.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    pub cookbooks: Vec<String>,
    pub roles: String,
    pub data_bags: String,
    pub secret: String,
    pub environments: String,
}

impl Paths {
    fn cookbook_list(&self) -> String {
        let quoted: Vec<String> = self
            .cookbooks
            .iter()
            .map(|path| ruby::string(path))
            .collect();
        quoted.join(",")
    }

    /// The environment, which has to be one of a folder of environments.
    fn environment<'a>(&self, options: &'a ChefOptions) -> &'a str {
        if self.environments.is_empty() {
            ""
        } else {
            &options.chef_environment
        }
    }

    /// The usual file.
    pub fn ruby(&self, options: &ChefOptions) -> String {
        let mut text = format!("chef_license {}\n", ruby::string(options.license()));
        text.push_str(&format!("cookbook_path [{}]\n", self.cookbook_list()));
        for (name, value) in [
            ("role_path", self.roles.as_str()),
            ("data_bag_path", &self.data_bags),
            ("encrypted_data_bag_secret", &self.secret),
            ("environment_path", &self.environments),
            ("environment", self.environment(options)),
        ] {
            text.push_str(&ruby::line(name, value));
        }
        text
    }

    /// The values of the template's own file.
    ///
    /// # Source
    ///
    /// Packer's variables for `config_template`.
    pub fn variables(&self, late: &Late, options: &ChefOptions) -> Late {
        let mut late = late
            .clone()
            .with("CookbookPaths", self.cookbook_list())
            .with("ChefEnvironment", self.environment(options))
            .with("ChefLicense", options.license());
        for (name, value) in [
            ("RolesPath", &self.roles),
            ("DataBagsPath", &self.data_bags),
            ("EncryptedDataBagSecretPath", &self.secret),
            ("EnvironmentsPath", &self.environments),
        ] {
            late = late
                .with(name, value.as_str())
                .with(&format!("Has{name}"), !value.is_empty());
        }
        late
    }
}
