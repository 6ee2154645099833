//! A real OpenSSH server in a temporary folder, and ways to talk to it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command as Program, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sdk_config::Secret;
use sdk_ssh::{
    Address, CommunicatorConfig, ConnectError, Environment, KeyKind, KeyPair, Prepare, Settings,
    SshCommunicator, connect,
};
use tokio_util::sync::CancellationToken;

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// Says loudly that a test did not run.
pub fn skip(what: &str) {
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let text = format!("\n!!! SKIPPED ({count} so far): {what}\n");
    // The harness captures what is printed through its own macros; this must be seen.
    std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).expect("stderr is open");
}

/// Where a program is; `None` when it is not installed.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/usr/local/sbin:/sbin";
    path.split(':')
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
}

/// The name of the user who runs the tests.
pub fn user() -> String {
    let output = Program::new("id")
        .arg("-un")
        .output()
        .expect("id is part of every system");
    String::from_utf8(output.stdout)
        .expect("names are text")
        .trim()
        .to_owned()
}

/// A port nobody listens on at this moment.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    listener.local_addr().expect("it is bound").port()
}

/// An OpenSSH server of our own.
pub struct Sshd {
    pub folder: tempfile::TempDir,
    pub port: u16,
    child: Option<Child>,
}

impl Sshd {
    /// Starts one; `None`, said loudly, when it is not installed.
    pub fn start(extra: &str) -> Option<Self> {
        let mut server = Self::prepare(extra)?;
        server.run();
        Some(server)
    }

    /// Prepares one that does not run yet.
    pub fn prepare(extra: &str) -> Option<Self> {
        if program("sshd").is_none() {
            skip("OpenSSH's sshd is not installed");
            return None;
        }
        // The server refuses to run as root without its folder for privilege separation.
        if user() == "root" && !Path::new("/run/sshd").exists() {
            std::fs::create_dir_all("/run/sshd").expect("root may make it");
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let host = KeyPair::generate_blocking(KeyKind::Ed25519, "host").expect("random bytes");
        let key = KeyPair::generate_blocking(KeyKind::Ed25519, "test").expect("random bytes");
        write_private(&folder.path().join("host"), &host.private_openssh());
        write_private(&folder.path().join("key"), &key.private_openssh());
        std::fs::write(folder.path().join("authorized_keys"), key.authorized_key())
            .expect("the folder is ours");
        let sftp = if extra.contains("Subsystem") {
            ""
        } else {
            "Subsystem sftp internal-sftp"
        };
        let base = folder.path().display();
        let config = format!(
            "{extra}\nListenAddress 127.0.0.1:{port}\nHostKey {base}/host\n\
             AuthorizedKeysFile {base}/authorized_keys\nStrictModes no\nUsePAM no\nPidFile none\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
             MaxStartups 200\nUseDNS no\nPrintMotd no\nPrintLastLog no\n{sftp}\n"
        );
        std::fs::write(folder.path().join("config"), config).expect("the folder is ours");
        Some(Self {
            folder,
            port,
            child: None,
        })
    }

    /// Starts the server, again if need be.
    pub fn run(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).expect("ours");
        let sshd = program("sshd").expect("it was there a moment ago");
        let child = Program::new(sshd)
            .args(["-D", "-e", "-f"])
            .arg(self.folder.path().join("config"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("sshd starts");
        self.child = Some(child);
    }

    /// Stops the server and every session.
    pub fn stop(&mut self) {
        self.kill_sessions();
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it is our child");
            child.wait().expect("it is our child");
        }
    }

    /// Kills the processes that serve connections, as a crash of the guest would.
    pub fn kill_sessions(&self) {
        let Some(child) = &self.child else { return };
        let mut all = Vec::new();
        descendants(child.id(), &mut all);
        for id in all {
            // One that is gone already is as good.
            drop(
                Program::new("kill")
                    .args(["-9", &id.to_string()])
                    .stderr(Stdio::null())
                    .status(),
            );
        }
    }

    /// Waits until the server listens.
    pub async fn listening(&self) -> Instant {
        loop {
            if tokio::net::TcpStream::connect(("127.0.0.1", self.port))
                .await
                .is_ok()
            {
                return Instant::now();
            }
            tokio::task::yield_now().await;
        }
    }

    /// What the server wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Where it is.
    pub fn address(&self) -> Address {
        Address {
            host: "127.0.0.1".to_owned(),
            port: self.port,
        }
    }

    /// Options that lead to it.
    pub fn config(&self) -> CommunicatorConfig {
        CommunicatorConfig {
            ssh_private_key_file: self.folder.path().join("key").display().to_string(),
            ..config(&user(), "")
        }
    }

    /// A connection with the options as changed.
    pub async fn connect(&self, change: impl FnOnce(&mut CommunicatorConfig)) -> SshCommunicator {
        let mut config = self.config();
        change(&mut config);
        let connected = open(config, self.address(), &Environment::default()).await;
        connected.unwrap_or_else(|error| panic!("{error}\n{}", self.log()))
    }

    /// A path in the server's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same as text.
    pub fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The processes below `id`.
fn descendants(id: u32, found: &mut Vec<u32>) {
    let path = format!("/proc/{id}/task/{id}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    for child in text
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
    {
        // The one that holds the connection first, as when a machine dies.
        found.push(child);
        descendants(child, found);
    }
}

/// Writes a file only its owner may read.
pub fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .expect("the folder is ours");
    std::io::Write::write_all(&mut file, text.as_bytes()).expect("it has room");
}

/// Options for a server that takes passwords; short limits, so that failures are quick.
pub fn config(user: &str, password: &str) -> CommunicatorConfig {
    CommunicatorConfig {
        communicator: "ssh".to_owned(),
        ssh_username: user.to_owned(),
        ssh_password: Secret::new(password.to_owned()),
        ssh_timeout: Duration::from_secs(60),
        ssh_handshake_attempts: 1,
        ..CommunicatorConfig::default()
    }
}

/// Prepares the options and connects.
pub async fn open(
    mut config: CommunicatorConfig,
    address: Address,
    environment: &Environment,
) -> Result<SshCommunicator, ConnectError> {
    let problems = config.prepare(&Prepare::default());
    assert!(problems.is_empty(), "{problems:?}");
    let settings = Settings::new(&config, &[], environment).expect("the options were prepared");
    connect(settings, Arc::new(address), &CancellationToken::new(), &()).await
}
