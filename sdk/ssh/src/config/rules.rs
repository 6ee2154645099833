//! What the communicator options must keep, and what unset ones become.

use std::path::PathBuf;
use std::time::Duration;

use sdk_config::{Diagnostic, Diagnostics};

use super::{CommunicatorConfig, Tunnel};
use crate::algorithms;
use crate::key::{KeyKind, expand_home, load_certificate, load_private_key};

/// Time to connect when neither time nor attempts are set.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// Attempts when neither time nor attempts are set.
const DEFAULT_ATTEMPTS: u32 = 10;

/// What checking depends on besides the options.
#[derive(Clone, Debug, Default)]
pub struct Prepare<'a> {
    /// Communicators that only this builder knows, for example `docker`; they have no rules here.
    pub extra_communicators: &'a [&'a str],
    /// Folder `~` stands for; none when the environment names none.
    pub home: Option<PathBuf>,
}

impl Prepare<'_> {
    /// With the home folder of the environment.
    #[must_use]
    pub fn from_environment() -> Self {
        Self {
            home: std::env::var_os("HOME").map(PathBuf::from),
            ..Self::default()
        }
    }
}

impl CommunicatorConfig {
    /// Checks the options and gives unset ones their defaults. Reads key files, nothing else.
    ///
    /// # Source
    ///
    /// Packer's communicator options. Differs: all problems are reported at once; names of ciphers
    /// and key exchanges that are not known are told (Packer leaves them out without a word), and
    /// lists without a known one are refused here, not when connecting; DSA keys are refused, because no
    /// server of today takes them.
    pub fn prepare(&mut self, world: &Prepare<'_>) -> Diagnostics {
        let mut problems = Diagnostics::new();
        if self.communicator.is_empty() {
            "ssh".clone_into(&mut self.communicator);
        }
        match self.communicator.as_str() {
            "ssh" => self.prepare_ssh(world, &mut problems),
            "winrm" => self.prepare_winrm(&mut problems),
            "none" => {}
            extra if world.extra_communicators.contains(&extra) => {}
            other => problems.push(self.unknown_communicator(other, world)),
        }
        problems
    }

    fn unknown_communicator(&self, name: &str, world: &Prepare<'_>) -> Diagnostic {
        let mut known = vec!["ssh", "winrm", "none"];
        known.extend(world.extra_communicators);
        Diagnostic::error(
            "Unknown communicator",
            format!("Communicator type `{name}` is invalid."),
        )
        .on("communicator")
        .hint(format!("use one of: {}", known.join(", ")))
    }

    fn prepare_ssh(&mut self, world: &Prepare<'_>, problems: &mut Diagnostics) {
        self.fill_ssh();
        if self.ssh_username.is_empty() {
            let detail = "An ssh_username must be specified. It is the user to log in as; no \
                          user, not even root, is assumed.";
            problems.push(Diagnostic::error("Missing SSH user name", detail).on("ssh_username"));
        }
        let key = self.ssh_private_key_file.clone();
        check_key(&key, "ssh_private_key_file", world, problems);
        let certificate = self.ssh_certificate_file.clone();
        check_certificate(&certificate, &key, "ssh_certificate_file", world, problems);
        self.check_bastion(world, problems);
        self.check_algorithms(problems);
        self.check_key_pair(problems);
        if !matches!(self.ssh_file_transfer_method.as_str(), "scp" | "sftp") {
            let detail = format!(
                "`{}` is no way to transfer files.",
                self.ssh_file_transfer_method
            );
            let problem = Diagnostic::error("Unknown file transfer method", detail);
            problems.push(
                problem
                    .on("ssh_file_transfer_method")
                    .hint("use `scp` or `sftp`"),
            );
        }
        check_tunnels(&self.ssh_local_tunnels, "ssh_local_tunnels", problems);
        check_tunnels(&self.ssh_remote_tunnels, "ssh_remote_tunnels", problems);
    }

    /// Defaults. Time and attempts depend on each other: both get theirs only when neither is set.
    fn fill_ssh(&mut self) {
        if self.ssh_port == 0 {
            self.ssh_port = 22;
        }
        if self.ssh_timeout.is_zero() && self.ssh_handshake_attempts == 0 {
            self.ssh_timeout = DEFAULT_TIMEOUT;
            self.ssh_handshake_attempts = DEFAULT_ATTEMPTS;
        }
        if !self.ssh_wait_timeout.is_zero() {
            self.ssh_timeout = self.ssh_wait_timeout;
        }
        if self.ssh_keep_alive_interval.nanos == 0 {
            self.ssh_keep_alive_interval.nanos = 5_000_000_000;
        }
        if self.ssh_file_transfer_method.is_empty() {
            "scp".clone_into(&mut self.ssh_file_transfer_method);
        }
        if !self.ssh_bastion_host.is_empty() {
            if self.ssh_bastion_port == 0 {
                self.ssh_bastion_port = 22;
            }
            if self.ssh_bastion_private_key_file.is_empty() {
                self.ssh_bastion_private_key_file
                    .clone_from(&self.ssh_private_key_file);
            }
            if self.ssh_bastion_certificate_file.is_empty() {
                self.ssh_bastion_certificate_file
                    .clone_from(&self.ssh_certificate_file);
            }
        }
        if !self.ssh_proxy_host.is_empty() && self.ssh_proxy_port == 0 {
            self.ssh_proxy_port = 1080;
        }
    }

    fn check_bastion(&self, world: &Prepare<'_>, problems: &mut Diagnostics) {
        if self.ssh_bastion_host.is_empty() {
            return;
        }
        if !self.ssh_proxy_host.is_empty() {
            let detail = "Both `ssh_bastion_host` and `ssh_proxy_host` are set, but a connection \
                          takes one way only.";
            problems.push(Diagnostic::error("Two ways to connect", detail).on("ssh_proxy_host"));
        }
        let key = &self.ssh_bastion_private_key_file;
        if self.ssh_bastion_password.expose().is_empty()
            && key.is_empty()
            && !self.ssh_bastion_agent_auth
        {
            let detail = "`ssh_bastion_host` needs `ssh_bastion_password`, \
                          `ssh_bastion_private_key_file` or `ssh_bastion_agent_auth`.";
            let problem = Diagnostic::error("No way to log in to the bastion", detail);
            problems.push(problem.on("ssh_bastion_host"));
        }
        if *key != self.ssh_private_key_file {
            check_key(key, "ssh_bastion_private_key_file", world, problems);
        }
        let certificate = &self.ssh_bastion_certificate_file;
        if *certificate != self.ssh_certificate_file {
            check_certificate(
                certificate,
                key,
                "ssh_bastion_certificate_file",
                world,
                problems,
            );
        }
    }

    fn check_algorithms(&self, problems: &mut Diagnostics) {
        let mut check = |names: &[String], option: &str, known: Vec<&'static str>| {
            let is_known = |name: &&String| known.contains(&name.as_str());
            let is_usable = names.iter().any(|name| is_known(&name));
            for name in names.iter().filter(|name| !is_known(name)) {
                let problem = if is_usable {
                    let detail = format!("`{name}` is not supported and not offered.");
                    Diagnostic::warning("Unknown SSH algorithm", detail)
                } else {
                    let detail = format!("`{name}` is not supported.");
                    Diagnostic::error("Unknown SSH algorithm", detail)
                };
                let hint = format!("use some of: {}", known.join(", "));
                problems.push(problem.on(option).hint(hint));
            }
        };
        check(&self.ssh_ciphers, "ssh_ciphers", algorithms::cipher_names());
        let exchanges = algorithms::key_exchange_names();
        check(
            &self.ssh_key_exchange_algorithms,
            "ssh_key_exchange_algorithms",
            exchanges,
        );
    }

    fn check_key_pair(&self, problems: &mut Diagnostics) {
        let (kind, bits) = (&self.temporary_key_pair_type, self.temporary_key_pair_bits);
        if let Err(error) = KeyKind::parse(kind, bits) {
            let problem = Diagnostic::error("Unusable temporary key pair", format!("{error}."));
            problems.push(problem.on(error.option()));
        }
    }

    fn prepare_winrm(&mut self, problems: &mut Diagnostics) {
        if self.winrm_username.is_empty() {
            let detail = "winrm_username must be specified.";
            problems
                .push(Diagnostic::error("Missing WinRM user name", detail).on("winrm_username"));
        }
        if self.winrm_port == 0 {
            self.winrm_port = if self.winrm_use_ssl { 5986 } else { 5985 };
        }
        if self.winrm_timeout.is_zero() {
            self.winrm_timeout = Duration::from_secs(30 * 60);
        }
    }
}

fn check_key(file: &str, option: &str, world: &Prepare<'_>, problems: &mut Diagnostics) {
    if file.is_empty() {
        return;
    }
    let path = expand_home(file, world.home.as_deref());
    if let Err(error) = load_private_key(&path) {
        let detail = format!("{}.", crate::chain(&error));
        let mut problem = Diagnostic::error("Unusable private key", detail).on(option);
        if let Some(hint) = error.hint() {
            problem = problem.hint(hint);
        }
        problems.push(problem);
    }
}

fn check_certificate(
    file: &str,
    key: &str,
    option: &str,
    world: &Prepare<'_>,
    problems: &mut Diagnostics,
) {
    if file.is_empty() {
        return;
    }
    if key.is_empty() {
        let detail = format!("`{option}` needs the private key the certificate is for.");
        let problem = Diagnostic::error("Certificate without private key", detail).on(option);
        problems.push(problem.hint(format!(
            "set `{}`",
            option.replace("certificate", "private_key")
        )));
        return;
    }
    let home = world.home.as_deref();
    let certificate = match load_certificate(&expand_home(file, home)) {
        Ok(certificate) => certificate,
        Err(error) => {
            let detail = format!("{}.", crate::chain(&error));
            problems.push(Diagnostic::error("Unusable certificate", detail).on(option));
            return;
        }
    };
    // A key that cannot be read has its own problem already.
    let Ok(private) = load_private_key(&expand_home(key, home)) else {
        return;
    };
    if certificate.public_key() != private.public_key().key_data() {
        let detail = format!("The certificate `{file}` was not made for the key `{key}`.");
        problems.push(Diagnostic::error("Certificate of another key", detail).on(option));
    }
}

fn check_tunnels(tunnels: &[String], option: &str, problems: &mut Diagnostics) {
    for text in tunnels {
        if let Err(error) = Tunnel::parse(text) {
            let detail = format!("`{text}` is no tunnel: {error}.");
            let problem = Diagnostic::error("Unusable tunnel", detail).on(option);
            problems.push(problem.hint("write `PORT:HOST:PORT`, for example `8080:localhost:80`"));
        }
    }
}
