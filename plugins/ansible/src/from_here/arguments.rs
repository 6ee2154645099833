//! The arguments of `ansible-playbook`.

use std::path::Path;

use kiln_sdk::staging::BuildFacts;

use super::access::{Access, Kind};
use super::config::AnsibleConfig;
use crate::variables;

/// What `ssh` gets when the template does not say.
const SSH_ARGUMENTS: &str = "-o IdentitiesOnly=yes";

/// What else it and its companions get when host keys are not checked: machines are new each time,
/// on addresses that others had before, and the user's list of known hosts is no place for them.
const FORGET_HOST_KEY: &str = "-o UserKnownHostsFile=/dev/null";

/// One call.
pub struct Call<'a> {
    pub config: &'a AnsibleConfig,
    pub facts: &'a BuildFacts,
    pub access: &'a Access,
    /// The template's arguments, rendered.
    pub extra_arguments: &'a [String],
    pub inventory: &'a Path,
    pub playbook: &'a Path,
    pub host_keys: HostKeys,
}

/// What Ansible does about the key of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKeys {
    /// It compares it with the one it knows.
    Checked,
    /// It takes any.
    Ignored,
}

impl HostKeys {
    /// As Ansible's environment says; of several values the last one counts.
    pub fn of(environment: &[(String, String)]) -> Self {
        let mut settings = environment.iter().rev();
        let setting = settings.find(|(name, _)| name == "ANSIBLE_HOST_KEY_CHECKING");
        let off = |value: &str| {
            let value = value.to_ascii_lowercase();
            ["false", "no", "off", "0", "f", "n"].contains(&value.as_str())
        };
        match setting {
            Some((_, value)) if off(value) => Self::Ignored,
            _ => Self::Checked,
        }
    }
}

impl Call<'_> {
    /// The arguments in Packer's order. `password` is a file of variables with the password of the
    /// connection.
    ///
    /// # Source
    ///
    /// Packer's provisioner. Differs: the password is in a file, not among the arguments.
    pub fn arguments(&self, password: Option<&Path>) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut define = |text: String| arguments.extend(["-e".to_owned(), text]);
        variables::extra(self.facts)
            .into_iter()
            .for_each(&mut define);
        if self.access.kind == Kind::Winrm
            && self.config.ansible_winrm_use_http
            && !self.mentions("ansible_winrm_scheme")
        {
            define("ansible_winrm_scheme=http".to_owned());
        }
        if self.access.kind != Kind::Winrm {
            arguments.extend(self.ssh_options());
        }
        arguments.extend(self.extra_arguments.iter().cloned());
        arguments.extend(self.login(password));
        arguments.extend([
            "-i".to_owned(),
            self.inventory.display().to_string(),
            self.playbook.display().to_string(),
        ]);
        arguments
    }

    /// How Ansible logs in.
    fn login(&self, password: Option<&Path>) -> Vec<String> {
        let mut arguments = Vec::new();
        if let Some(file) = password {
            arguments.extend(["-e".to_owned(), format!("@{}", file.display())]);
        }
        let own_password = self.mentions("ansible_password");
        if let (Some(key), false) = (&self.access.key, own_password) {
            let key = serde_json::json!({ "ansible_ssh_private_key_file": key });
            arguments.extend(["-e".to_owned(), plain_or_json(&key)]);
        }
        if self.access.kind != Kind::Winrm && (own_password || password.is_some()) {
            let setting = "ansible_host_key_checking=False".to_owned();
            arguments.extend(["-e".to_owned(), setting]);
        }
        arguments
    }

    /// Whether one of the template's arguments sets the variable `name`.
    fn mentions(&self, name: &str) -> bool {
        let mut arguments = self.extra_arguments.iter();
        arguments.any(|argument| argument.contains(name))
    }

    /// What `ssh`, `sftp` and `scp` get. The arguments that all three share stay the user's own, who
    /// may reach every machine through one there.
    fn ssh_options(&self) -> Vec<String> {
        let own = &self.config.ansible_ssh_extra_args;
        let mut ssh = Vec::new();
        if self.access.key.is_some() {
            ssh.push(match own.as_slice() {
                [] => SSH_ARGUMENTS.to_owned(),
                own => own.join(" "),
            });
        }
        let forget = self.host_keys == HostKeys::Ignored;
        ssh.extend(forget.then(|| FORGET_HOST_KEY.to_owned()));
        let mut options = Vec::new();
        if !ssh.is_empty() {
            options.extend(["--ssh-extra-args".to_owned(), ssh.join(" ")]);
        }
        for option in ["--sftp-extra-args", "--scp-extra-args"] {
            if forget {
                options.extend([option.to_owned(), FORGET_HOST_KEY.to_owned()]);
            }
        }
        options
    }
}

/// One variable as `NAME=VALUE` where that form can carry it.
fn plain_or_json(variable: &serde_json::Value) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._-+".contains(character);
    let pairs = variable.as_object().into_iter().flatten();
    let words: Option<Vec<String>> = pairs
        .map(|(name, value)| {
            let value = value.as_str().filter(|text| text.chars().all(plain))?;
            Some(format!("{name}={value}"))
        })
        .collect();
    words.map_or_else(|| variable.to_string(), |words| words.join(" "))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use kiln_sdk::staging::BuildFacts;

    use super::*;
    use crate::from_here::tests::config;

    fn check(
        options: &[(&str, &str)],
        access: &Access,
        extra: &[&str],
        password: Option<&str>,
        expected: &[&str],
    ) {
        check_keys(
            HostKeys::Checked,
            options,
            access,
            extra,
            password,
            expected,
        );
    }

    fn check_keys(
        host_keys: HostKeys,
        options: &[(&str, &str)],
        access: &Access,
        extra: &[&str],
        password: Option<&str>,
        expected: &[&str],
    ) {
        let config = config(options);
        let facts = BuildFacts {
            name: "debian".to_owned(),
            builder_type: "qemu".to_owned(),
            http_address: Some("10.0.2.2:8000".to_owned()),
        };
        let extra: Vec<String> = extra.iter().map(|&text| text.to_owned()).collect();
        let call = Call {
            config: &config,
            facts: &facts,
            access,
            extra_arguments: &extra,
            inventory: Path::new("/run/inventory"),
            playbook: Path::new("/site.yml"),
            host_keys,
        };
        let mut all = vec![
            "-e",
            "packer_build_name=\"debian\"",
            "-e",
            "packer_builder_type=qemu",
            "-e",
            "packer_http_addr=10.0.2.2:8000",
        ];
        all.extend(expected);
        all.extend(["-i", "/run/inventory", "/site.yml"]);
        assert_eq!(call.arguments(password.map(Path::new)), all);
    }

    #[test]
    fn a_key_is_named_and_is_the_only_one() {
        let rest = ["-vv", "-e", "ansible_ssh_private_key_file=/run/key"];
        for kind in [Kind::Proxy, Kind::Ssh] {
            let access = Access::for_test(kind, Some("/run/key"), "");
            let only = ["--ssh-extra-args", "-o IdentitiesOnly=yes"];
            let expected = [&only[..], &rest].concat();
            check_keys(HostKeys::Checked, &[], &access, &["-vv"], None, &expected);
            let both = "-o IdentitiesOnly=yes -o UserKnownHostsFile=/dev/null";
            let expected = [&["--ssh-extra-args", both][..], &FILES, &rest].concat();
            check_keys(HostKeys::Ignored, &[], &access, &["-vv"], None, &expected);
        }
    }

    /// What forgets the key of a host when files are copied.
    const FILES: [&str; 4] = [
        "--sftp-extra-args",
        FORGET_HOST_KEY,
        "--scp-extra-args",
        FORGET_HOST_KEY,
    ];

    #[test]
    fn the_arguments_that_all_of_ssh_shares_stay_the_users_own() {
        let access = Access::for_test(Kind::Ssh, None, "");
        let expected = [&["--ssh-extra-args", FORGET_HOST_KEY][..], &FILES].concat();
        check_keys(HostKeys::Ignored, &[], &access, &[], None, &expected);
        check_keys(HostKeys::Checked, &[], &access, &[], None, &[]);
        let access = Access::for_test(Kind::Winrm, None, "");
        check_keys(HostKeys::Ignored, &[], &access, &[], None, &[]);
    }

    #[test]
    fn the_environment_says_whether_host_keys_are_checked() {
        let check = |values: &[&str], expected: HostKeys| {
            let name = "ANSIBLE_HOST_KEY_CHECKING";
            let pairs = values
                .iter()
                .map(|&value| (name.to_owned(), value.to_owned()));
            let environment: Vec<(String, String)> = pairs.collect();
            assert_eq!(HostKeys::of(&environment), expected, "{values:?}");
        };
        check(&[], HostKeys::Checked);
        check(&["False"], HostKeys::Ignored);
        check(&["False", "True"], HostKeys::Checked);
        check(&["yes", "0"], HostKeys::Ignored);
    }

    #[test]
    fn arguments_for_ssh_can_be_others() {
        check(
            &[("ansible_ssh_extra_args", "-o A=b,-o C=d")],
            &Access::for_test(Kind::Ssh, Some("/a b/key"), ""),
            &[],
            None,
            &[
                "--ssh-extra-args",
                "-o A=b -o C=d",
                "-e",
                r#"{"ansible_ssh_private_key_file":"/a b/key"}"#,
            ],
        );
    }

    #[test]
    fn a_password_comes_from_a_file_and_turns_host_keys_off() {
        check(
            &[],
            &Access::for_test(Kind::Ssh, None, "x"),
            &[],
            Some("/run/p.json"),
            &[
                "-e",
                "@/run/p.json",
                "-e",
                "ansible_host_key_checking=False",
            ],
        );
    }

    #[test]
    fn a_template_that_brings_the_password_wins_over_the_key() {
        check(
            &[],
            &Access::for_test(Kind::Ssh, Some("/run/key"), ""),
            &["-e", "ansible_password=x"],
            None,
            &[
                "--ssh-extra-args",
                "-o IdentitiesOnly=yes",
                "-e",
                "ansible_password=x",
                "-e",
                "ansible_host_key_checking=False",
            ],
        );
    }

    #[test]
    fn winrm_has_a_scheme_and_no_arguments_for_ssh() {
        let access = Access::for_test(Kind::Winrm, None, "x");
        let http = [("ansible_winrm_use_http", "true")];
        check(
            &http,
            &access,
            &[],
            Some("/run/p.json"),
            &["-e", "ansible_winrm_scheme=http", "-e", "@/run/p.json"],
        );
        let own = ["-e", "ansible_winrm_scheme=https"];
        check(&http, &access, &own, None, &own);
    }
}
