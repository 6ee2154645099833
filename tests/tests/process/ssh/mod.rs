//! Every `ssh_*` option, against a real OpenSSH server and a real dropbear, through the real program.

mod login;
mod reboot;
mod session;
mod way;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use kiln_tests::sshd::{Dropbear, Sshd, may_have_accounts};
use kiln_tests::{Finished, Kiln, tools};
use sdk_ssh::CommunicatorConfig;

/// How long anything may take before a test gives up on it.
const LIMIT: Duration = Duration::from_secs(120);

/// Where one row happens: a world of its own, with as many servers as it starts.
struct Place {
    kiln: Kiln,
    servers: AtomicUsize,
}

impl Place {
    fn new() -> Self {
        Self {
            kiln: Kiln::new(),
            servers: AtomicUsize::new(0),
        }
    }

    fn folder(&self) -> Result<PathBuf> {
        let number = self.servers.fetch_add(1, Ordering::SeqCst);
        let path = self.kiln.root().join(format!("server{number}"));
        std::fs::create_dir(&path)?;
        Ok(path)
    }

    /// A server that logs all it does.
    fn sshd(&self, extra: &str) -> Result<Sshd> {
        Sshd::start_with(&self.folder()?, &format!("LogLevel DEBUG1\n{extra}"))
    }

    /// The same with a user that has a password; `method` is how it is asked for.
    fn sshd_with_password(&self, method: &str) -> Result<Sshd> {
        let other = ["PasswordAuthentication", "KbdInteractiveAuthentication"];
        let off = other.iter().filter(|one| **one != method);
        let off: String = off.map(|one| format!("{one} no\n")).collect();
        let extra = format!("LogLevel DEBUG1\n{method} yes\n{off}");
        Sshd::start_with_accounts(&self.folder()?, &extra)
    }

    /// Builds with `options` (a value of nothing takes one away) and `blocks`.
    fn build(&self, base: Base<'_>, options: &[(&str, &str)], blocks: &str) -> Result<Finished> {
        self.write(base, options, blocks);
        self.kiln.run(&["build", "-color=false", "t.pkr.hcl"])
    }

    fn write(&self, base: Base<'_>, options: &[(&str, &str)], blocks: &str) {
        let mut all = base.options();
        for (name, value) in options {
            all.retain(|(known, _)| known != name);
            if !value.is_empty() {
                all.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        let lines: Vec<String> = all
            .iter()
            .map(|(name, value)| format!("  {name} = {value}\n"))
            .collect();
        let text = format!(
            "source \"null\" \"n\" {{\n{}}}\nbuild {{\n  sources = [\"null.n\"]\n{blocks}\n}}\n",
            lines.concat()
        );
        self.kiln.write("t.pkr.hcl", &text);
    }
}

/// What the options of a template begin with.
#[derive(Clone, Copy)]
struct Base<'a> {
    port: u16,
    user: &'a str,
    key: &'a Path,
}

impl<'a> From<&'a Sshd> for Base<'a> {
    fn from(server: &'a Sshd) -> Self {
        Self {
            port: server.port,
            user: &server.user,
            key: &server.key,
        }
    }
}

impl<'a> From<&'a Dropbear> for Base<'a> {
    fn from(server: &'a Dropbear) -> Self {
        Self {
            port: server.port,
            user: "root",
            key: &server.key,
        }
    }
}

impl Base<'_> {
    fn options(&self) -> Vec<(String, String)> {
        [
            ("ssh_host", "\"127.0.0.1\"".to_owned()),
            ("ssh_port", self.port.to_string()),
            ("ssh_username", text(self.user)),
            ("ssh_private_key_file", text(self.key.display())),
            ("ssh_timeout", "\"60s\"".to_owned()),
            ("ssh_handshake_attempts", "2".to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }
}

/// A text in a template.
fn text(value: impl std::fmt::Display) -> String {
    format!("\"{value}\"")
}

/// A provisioner that runs a command in the machine.
fn inline(command: &str) -> String {
    let command = command.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "  provisioner \"shell\" {{\n    inline_shebang = \"/bin/bash -e\"\n    inline = \
         [\"{command}\"]\n    start_retry_timeout = \"1s\"\n  }}\n"
    )
}

/// What the machine says when all is well.
fn greeting() -> String {
    inline("echo hello from $((40 + 2))")
}

const GREETED: &str = "==> null.n: hello from 42\n";

fn logged(log: &str, wanted: &str) -> Result<()> {
    ensure!(
        log.contains(wanted),
        "the server's log lacks {wanted:?}:\n{log}"
    );
    Ok(())
}

/// Options and what shows that they do what they say.
type Row = (&'static [&'static str], fn(&Place) -> Result<()>);

const ROWS: &[Row] = &[
    (
        &[
            "communicator",
            "ssh_host",
            "ssh_port",
            "ssh_username",
            "ssh_private_key_file",
        ],
        session::reaches_openssh,
    ),
    (&["ssh_port", "ssh_username"], session::reaches_dropbear),
    (&["ssh_password"], login::passwords),
    (&["ssh_password"], login::password_of_dropbear),
    (&["ssh_private_key_file"], login::keys_of_every_format),
    (&["ssh_private_key_file"], login::encrypted_keys_are_told_so),
    (&["ssh_certificate_file"], login::certificate),
    (
        &["ssh_agent_auth", "ssh_disable_agent_forwarding"],
        login::agent,
    ),
    (
        &[
            "ssh_bastion_host",
            "ssh_bastion_port",
            "ssh_bastion_username",
        ],
        way::bastion_with_the_same_key,
    ),
    (
        &["ssh_bastion_private_key_file"],
        way::bastion_with_its_own_key,
    ),
    (
        &["ssh_bastion_certificate_file"],
        way::bastion_with_certificate,
    ),
    (
        &["ssh_bastion_password", "ssh_bastion_interactive"],
        way::bastion_with_password,
    ),
    (&["ssh_bastion_interactive"], way::bastion_with_questions),
    (&["ssh_bastion_agent_auth"], way::bastion_with_agent),
    (
        &[
            "ssh_proxy_host",
            "ssh_proxy_port",
            "ssh_proxy_username",
            "ssh_proxy_password",
        ],
        way::proxy,
    ),
    (&["ssh_file_transfer_method"], session::transfer_method),
    (&["ssh_ciphers"], session::ciphers),
    (&["ssh_key_exchange_algorithms"], session::key_exchanges),
    (&["ssh_timeout", "ssh_wait_timeout"], session::timeouts),
    (&["ssh_handshake_attempts"], session::attempts),
    (&["ssh_keep_alive_interval"], session::keep_alive),
    (&["ssh_read_write_timeout"], session::read_write_timeout),
    (&["ssh_pty"], session::terminal),
    (&["ssh_remote_tunnels", "ssh_local_tunnels"], way::tunnels),
    (&["pause_before_connecting"], session::pause),
];

/// Options whose effect is a builder's: those that make keys or ask a cloud. Their tests are with
/// the builders, and `sdk/ssh/tests/machine/login.rs` logs in with keys of each type.
const OF_BUILDERS: [&str; 5] = [
    "ssh_keypair_name",
    "temporary_key_pair_name",
    "temporary_key_pair_type",
    "temporary_key_pair_bits",
    "ssh_clear_authorized_keys",
];

#[test]
fn every_option_has_a_row() {
    let schema = <CommunicatorConfig as kiln_sdk::Config>::schema();
    let mut missing: Vec<&str> = Vec::new();
    for attribute in &schema.attributes {
        let name = attribute.name.as_str();
        let shown = ROWS.iter().any(|(options, _)| options.contains(&name));
        if !shown && !OF_BUILDERS.contains(&name) && !name.starts_with("winrm_") {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "no row shows what {missing:?} do");
}

#[test]
fn every_option_does_what_it_says() {
    let needed = [
        "sshd",
        "ssh-keygen",
        "ssh-agent",
        "ssh-add",
        "dropbear",
        "dropbearkey",
        "unshare",
        "bash",
    ];
    if !tools::installed(&needed) || !may_have_accounts() {
        return;
    }
    let only = std::env::var("KILN_SSH_ROW").unwrap_or_default();
    let left = Mutex::new(ROWS.iter());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some((options, check)) = next(&left) {
                    if !only.is_empty() && !options.contains(&only.as_str()) {
                        continue;
                    }
                    let check = std::panic::AssertUnwindSafe(|| check(&Place::new()));
                    let problem = match std::panic::catch_unwind(check) {
                        Ok(Ok(())) => continue,
                        Ok(Err(error)) => format!("{error:#}"),
                        Err(panic) => match panic.downcast_ref::<String>() {
                            Some(text) => text.clone(),
                            None => "it panicked".to_owned(),
                        },
                    };
                    let mut failures = failures.lock().expect("nobody panics with it");
                    failures.push(format!("{options:?}: {problem}"));
                }
            });
        }
    });
    let failures = failures.into_inner().expect("nobody panics with it");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn next<'a>(left: &Mutex<std::slice::Iter<'a, Row>>) -> Option<&'a Row> {
    left.lock().expect("nobody panics with it").next()
}

const PASSWORD_ONLY: [(&str, &str); 1] = [("ssh_private_key_file", "")];

fn closed_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
