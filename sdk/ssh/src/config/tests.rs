//! The rules, option by option.

use std::time::Duration;

use sdk_config::{Diagnostics, Secret, Severity, Value, decode};

use super::{CommunicatorConfig, Prepare, Tunnel, TunnelError};
use crate::{KeyKind, KeyPair};

fn config() -> CommunicatorConfig {
    CommunicatorConfig {
        communicator: "ssh".to_owned(),
        ssh_username: "builder".to_owned(),
        ..CommunicatorConfig::default()
    }
}

/// The options that have an error, in order.
fn options(problems: &Diagnostics) -> Vec<String> {
    problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(|problem| problem.path.to_string())
        .collect()
}

fn check(change: impl FnOnce(&mut CommunicatorConfig), expected: &[&str]) -> Diagnostics {
    let mut config = config();
    change(&mut config);
    let problems = config.prepare(&Prepare::default());
    assert_eq!(options(&problems), expected, "{problems:?}");
    problems
}

#[test]
fn reads_options_under_their_names() {
    let value: Value = [
        ("ssh_username", Value::from("me")),
        ("ssh_port", Value::from("2222")),
        ("ssh_timeout", Value::from("20m")),
        ("ssh_keep_alive_interval", Value::from("-1s")),
        ("ssh_local_tunnels", Value::from("8080:localhost:80")),
    ]
    .into_iter()
    .collect();
    let (mut config, _) = decode::<CommunicatorConfig>(&value).expect("every option is known");
    assert!(config.prepare(&Prepare::default()).is_empty());
    assert_eq!(
        (config.communicator.as_str(), config.ssh_port),
        ("ssh", 2222)
    );
    assert_eq!(config.ssh_timeout, Duration::from_secs(1200));
    assert_eq!(config.ssh_keep_alive_interval.nanos, -1_000_000_000);
    assert_eq!(config.ssh_local_tunnels, ["8080:localhost:80"]);
    assert_eq!(config.ssh_file_transfer_method, "scp");
}

#[test]
fn time_and_attempts_get_defaults_only_together() {
    for (timeout, attempts, wait, expected) in [
        (0, 0, 0, (300, 10)),
        (60, 0, 0, (60, 0)),
        (0, 3, 0, (0, 3)),
        (60, 3, 0, (60, 3)),
        (0, 0, 30, (30, 10)),
        (60, 0, 30, (30, 0)),
    ] {
        let mut config = config();
        config.ssh_timeout = Duration::from_secs(timeout);
        config.ssh_handshake_attempts = attempts;
        config.ssh_wait_timeout = Duration::from_secs(wait);
        assert!(config.prepare(&Prepare::default()).is_empty());
        let got = (config.ssh_timeout.as_secs(), config.ssh_handshake_attempts);
        assert_eq!(
            got, expected,
            "timeout {timeout}, attempts {attempts}, wait {wait}"
        );
    }
}

#[test]
fn user_and_communicator_are_checked() {
    let problems = check(|config| config.ssh_username.clear(), &["ssh_username"]);
    assert!(
        problems[0]
            .detail
            .starts_with("An ssh_username must be specified")
    );
    let problems = check(
        |config| config.communicator = "telnet".to_owned(),
        &["communicator"],
    );
    assert_eq!(problems[0].detail, "Communicator type `telnet` is invalid.");
    check(|config| config.communicator = "none".to_owned(), &[]);
    let mut docker = config();
    docker.communicator = "docker".to_owned();
    let world = Prepare {
        extra_communicators: &["docker"],
        ..Prepare::default()
    };
    assert!(docker.prepare(&world).is_empty());
}

#[test]
fn winrm_needs_a_user_and_gets_its_port() {
    let mut winrm = CommunicatorConfig {
        communicator: "winrm".to_owned(),
        winrm_use_ssl: true,
        ..CommunicatorConfig::default()
    };
    let problems = winrm.prepare(&Prepare::default());
    assert_eq!(options(&problems), ["winrm_username"]);
    assert_eq!(winrm.winrm_port, 5986);
}

#[test]
fn bastion_needs_a_login_and_no_proxy() {
    let bastion = |config: &mut CommunicatorConfig| config.ssh_bastion_host = "b".to_owned();
    check(bastion, &["ssh_bastion_host"]);
    let interactive = |config: &mut CommunicatorConfig| {
        bastion(config);
        config.ssh_bastion_interactive = true;
    };
    check(interactive, &["ssh_bastion_host"]);
    let password = |config: &mut CommunicatorConfig| {
        bastion(config);
        config.ssh_bastion_password = Secret::new("p".to_owned());
    };
    check(password, &[]);
    let proxy = |config: &mut CommunicatorConfig| {
        password(config);
        config.ssh_proxy_host = "p".to_owned();
    };
    check(proxy, &["ssh_proxy_host"]);
}

#[test]
fn key_files_must_be_there_plain_and_readable() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pair = KeyPair::generate_blocking(KeyKind::Ed25519, "test").expect("random bytes");
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("good"), pair.private_openssh()).expect("writable");
    std::fs::write(path("bad"), "nonsense").expect("writable");
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    std::fs::write(path("encrypted"), encrypted).expect("writable");
    let with = |name: &str| {
        let file = path(name);
        move |config: &mut CommunicatorConfig| config.ssh_private_key_file = file
    };
    check(with("good"), &[]);
    check(with("bad"), &["ssh_private_key_file"]);
    check(with("missing"), &["ssh_private_key_file"]);
    let problems = check(with("encrypted"), &["ssh_private_key_file"]);
    assert!(problems[0].detail.contains("encrypted"), "{problems:?}");
    assert!(problems[0].hint.contains("ssh_agent_auth"), "{problems:?}");
    let alone = |config: &mut CommunicatorConfig| config.ssh_certificate_file = path("good");
    check(alone, &["ssh_certificate_file"]);
    let mut home = config();
    home.ssh_private_key_file = "~/good".to_owned();
    let world = Prepare {
        home: Some(folder.path().to_owned()),
        ..Prepare::default()
    };
    assert!(home.prepare(&world).is_empty());
}

#[test]
fn names_and_numbers_are_checked() {
    check(
        |config| config.ssh_ciphers = vec!["rot13".to_owned()],
        &["ssh_ciphers"],
    );
    check(
        |config| config.ssh_ciphers = vec!["aes256-ctr".to_owned()],
        &[],
    );
    let exchange = |config: &mut CommunicatorConfig| {
        config.ssh_key_exchange_algorithms = vec!["ecdh-sha2-nistp256".to_owned(), "x".to_owned()];
    };
    let problems = check(exchange, &[]);
    assert_eq!(problems[0].severity, Severity::Warning);
    assert_eq!(problems[0].detail, "`x` is not supported and not offered.");
    let ciphers = |config: &mut CommunicatorConfig| {
        config.ssh_ciphers = ["none", "aes128-ctr", "3des-cbc", "arcfour"]
            .map(str::to_owned)
            .to_vec();
    };
    assert_eq!(check(ciphers, &[]).len(), 3);
    let method = |config: &mut CommunicatorConfig| {
        config.ssh_file_transfer_method = "ftp".to_owned();
    };
    check(method, &["ssh_file_transfer_method"]);
    let kind = |config: &mut CommunicatorConfig| {
        config.temporary_key_pair_type = "quantum".to_owned();
    };
    check(kind, &["temporary_key_pair_type"]);
    let bits = |config: &mut CommunicatorConfig| config.temporary_key_pair_bits = 512;
    check(bits, &["temporary_key_pair_bits"]);
    let upper = |config: &mut CommunicatorConfig| {
        config.temporary_key_pair_type = "ECDSA".to_owned();
        config.temporary_key_pair_bits = 384;
    };
    check(upper, &[]);
    let tunnels = |config: &mut CommunicatorConfig| {
        config.ssh_remote_tunnels = vec!["80:x".to_owned(), "1:h:2".to_owned()];
    };
    check(tunnels, &["ssh_remote_tunnels"]);
}

#[test]
fn tunnels_are_read_and_refused() {
    let tunnel = Tunnel::parse("8080:[::1]:80").expect("it has three parts");
    assert_eq!(
        (tunnel.listen_port, tunnel.host.as_str(), tunnel.port),
        (8080, "::1", 80)
    );
    for (text, expected) in [
        ("8080", TunnelError::Parts),
        ("8080:80", TunnelError::Parts),
        ("x:h:80", TunnelError::Port("x".to_owned())),
        ("1:h:0", TunnelError::Port("0".to_owned())),
        ("1::80", TunnelError::Host),
    ] {
        assert_eq!(Tunnel::parse(text), Err(expected), "{text}");
    }
}
