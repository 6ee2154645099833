//! Every way to log in.

use std::process::{Child, Command as Program, Stdio};

use sdk_communicator::{Command, Exit, capture};
use sdk_ssh::{ConnectError, Environment, KeyKind, KeyPair};

use crate::fakes::{self, Asking};
use crate::support::{Sshd, config, open, program, skip, user, write_private};

#[tokio::test]
async fn passwords_are_given_when_asked_for_either_way() {
    for asking in [Asking::Password, Asking::Interactive] {
        let server = fakes::ssh(asking).await;
        let options = config("me", "secret");
        let machine = open(options, server.address.clone(), &Environment::default()).await;
        let machine = machine.expect("the password is right");
        let run = capture(&machine, Command::new("true"))
            .await
            .expect("it runs");
        assert_eq!(run.exit, Exit::Code(0));
    }
}

#[tokio::test]
async fn a_wrong_password_fails_after_the_attempts_allowed() {
    let server = fakes::ssh(Asking::Password).await;
    let mut options = config("me", "wrong");
    options.ssh_handshake_attempts = 2;
    let result = open(options, server.address.clone(), &Environment::default()).await;
    let error = result.expect_err("the password is wrong");
    assert!(
        matches!(error, ConnectError::Authentication { attempts: 2, .. }),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "SSH authentication failed: user `me` was refused; the server offers publickey,password; \
         tried password; check ssh_username, ssh_password, ssh_private_key_file and \
         ssh_agent_auth (2 of 2 attempts, `ssh_handshake_attempts`)"
    );
    assert_eq!(
        server.connections.load(std::sync::atomic::Ordering::SeqCst),
        2
    );
}

#[tokio::test]
async fn nothing_to_try_is_said() {
    let server = fakes::ssh(Asking::Password).await;
    let result = open(
        config("me", ""),
        server.address.clone(),
        &Environment::default(),
    )
    .await;
    let text = result.expect_err("there is no password").to_string();
    assert!(text.contains("there was nothing of that to try"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn made_keys_of_every_type_are_accepted() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    for kind in [
        KeyKind::Ed25519,
        KeyKind::Ecdsa(256),
        KeyKind::Ecdsa(521),
        KeyKind::Rsa(3072),
    ] {
        let pair = KeyPair::generate(kind, "packer_test")
            .await
            .expect("random bytes");
        std::fs::write(server.path("authorized_keys"), pair.authorized_key()).expect("ours");
        write_private(&server.path("key"), &pair.private_openssh());
        server.connect(|_| {}).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_files_in_every_format_are_accepted() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    if program("ssh-keygen").is_none() {
        skip("ssh-keygen is not installed");
        return;
    }
    for (index, arguments) in [
        ["-t", "rsa", "-b", "2048", "-m", "PEM"],
        ["-t", "rsa", "-b", "2048", "-m", "PKCS8"],
        ["-t", "ecdsa", "-b", "384", "-m", "PEM"],
        ["-t", "ecdsa", "-b", "256", "-m", "PKCS8"],
        ["-t", "ed25519", "-b", "256", "-m", "RFC4716"],
    ]
    .iter()
    .enumerate()
    {
        let file = server.path(&format!("id{index}"));
        let made = Program::new("ssh-keygen")
            .args(arguments)
            .args(["-q", "-N", "", "-f"])
            .arg(&file)
            .status()
            .expect("ssh-keygen runs");
        assert!(made.success(), "{arguments:?}");
        std::fs::copy(file.with_extension("pub"), server.path("authorized_keys")).expect("ours");
        server
            .connect(|config| config.ssh_private_key_file = file.display().to_string())
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_accepted_also_for_rsa() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ca = folder.path().join("ca");
    let authority = KeyPair::generate_blocking(KeyKind::Ed25519, "ca").expect("random bytes");
    write_private(&ca, &authority.private_openssh());
    std::fs::write(ca.with_extension("pub"), authority.authorized_key()).expect("ours");
    let trusted = format!("TrustedUserCAKeys {}", ca.with_extension("pub").display());
    let Some(server) = Sshd::start(&trusted) else {
        return;
    };
    std::fs::write(server.path("authorized_keys"), "").expect("ours");
    for kind in [KeyKind::Ed25519, KeyKind::Rsa(2048)] {
        let pair = KeyPair::generate(kind, "user").await.expect("random bytes");
        let (key, public) = (server.path("key"), server.path("key.pub"));
        write_private(&key, &pair.private_openssh());
        std::fs::write(&public, pair.authorized_key()).expect("ours");
        let signed = Program::new("ssh-keygen")
            .args(["-q", "-I", "test", "-n", &user(), "-s"])
            .arg(&ca)
            .arg(&public)
            .status()
            .expect("ssh-keygen runs");
        assert!(signed.success());
        let certificate = server.text("key-cert.pub");
        server
            .connect(|config| config.ssh_certificate_file = certificate)
            .await;
    }
}

#[tokio::test]
async fn rsa_keys_reach_servers_that_know_only_sha1() {
    let server = fakes::ancient().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("key");
    let pair = KeyPair::generate_blocking(KeyKind::Rsa(2048), "me").expect("random bytes");
    write_private(&file, &pair.private_openssh());
    let mut options = config("me", "");
    options.ssh_private_key_file = file.display().to_string();
    let machine = open(options, server.address.clone(), &Environment::default()).await;
    machine.expect("the key is signed for as the server wants it");
}

/// An agent with one key.
struct Agent {
    socket: std::path::PathBuf,
    child: Child,
}

impl Agent {
    fn start(server: &Sshd) -> Self {
        let socket = server.path("agent");
        let child = Program::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("ssh-agent runs");
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            std::thread::yield_now();
        }
        let added = Program::new("ssh-add")
            .arg("-q")
            .arg(server.path("key"))
            .env("SSH_AUTH_SOCK", &socket)
            .status()
            .expect("ssh-add runs");
        assert!(added.success());
        Self { socket, child }
    }

    fn environment(&self) -> Environment {
        Environment {
            home: None,
            agent: Some(self.socket.clone()),
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_signs_and_can_be_used_from_the_guest() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    if program("ssh-agent").is_none() || program("ssh-add").is_none() {
        skip("ssh-agent or ssh-add is not installed");
        return;
    }
    let agent = Agent::start(&server);
    let mut options = server.config();
    options.ssh_private_key_file.clear();
    options.ssh_agent_auth = true;
    let machine = open(options.clone(), server.address(), &agent.environment()).await;
    let machine = machine.unwrap_or_else(|error| panic!("{error}\n{}", server.log()));
    let list = capture(&machine, Command::new("ssh-add -l"))
        .await
        .expect("it runs");
    assert!(list.stdout.contains("ED25519"), "{list:?}");
    options.ssh_disable_agent_forwarding = true;
    let machine = open(options, server.address(), &agent.environment()).await;
    let machine = machine.unwrap_or_else(|error| panic!("{error}\n{}", server.log()));
    let list = capture(&machine, Command::new("ssh-add -l"))
        .await
        .expect("it runs");
    assert_ne!(list.exit, Exit::Code(0), "{list:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_temporary_key_is_taken_out_again() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let machine = server.connect(|_| {}).await;
    let home = server.path("home");
    std::fs::create_dir_all(home.join(".ssh")).expect("ours");
    let file = home.join(".ssh/authorized_keys");
    std::fs::write(
        &file,
        "ssh-rsa AAAA me\nssh-rsa BBBB packer_1\nssh-rsa CCCC packer_12\n",
    )
    .expect("ours");
    // Only the user's part: without root's own file there is nothing to do with sudo.
    let command = sdk_ssh::clear_authorized_keys_command("packer_1").expect("a plain name");
    let user_part = command
        .split("; if command -v sudo")
        .next()
        .expect("the first part");
    let command = format!(
        "HOME={} sh -c '{}'",
        home.display(),
        user_part.replace('\'', r"'\''")
    );
    let run = capture(&machine, Command::new(command))
        .await
        .expect("it runs");
    assert_eq!(run.exit, Exit::Code(0), "{run:?}");
    let left = std::fs::read_to_string(&file).expect("ours");
    assert_eq!(left, "ssh-rsa AAAA me\nssh-rsa CCCC packer_12\n");
    assert!(!file.with_extension("bak").exists());
}
