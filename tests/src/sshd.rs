//! Private SSH servers on loopback: OpenSSH for the current user with a key, OpenSSH and dropbear
//! with accounts of their own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::tools;

/// A running server; ended when dropped, with its sessions.
#[derive(Debug)]
pub struct Sshd {
    child: Option<Child>,
    /// Sessions of a listener that was stopped.
    orphans: Vec<u32>,
    folder: PathBuf,
    world: World,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Private key that it accepts.
    pub key: PathBuf,
    /// Name of the user it is for.
    pub user: String,
}

/// What a server sees of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum World {
    /// All of it.
    Real,
    /// All of it, and no longer than the thread that starts it.
    Bound,
    /// Its own accounts: the user's password is [`PASSWORD`]. Needs root.
    OwnAccounts,
}

/// The password of servers with accounts of their own.
pub const PASSWORD: &str = "correct horse";
/// The same as accounts have it.
const PASSWORD_HASH: &str = "$6$kiln$QDft7ySMTpGw4J27vyN4kZGkfJJ7KBp41bni.TFuT8ExOnHqgxZv3ox9TAiGTIahQ0wHV791n8dh29T4lmCNQ/";

impl Sshd {
    /// Starts a server with its files in `folder`.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn start(folder: &Path) -> Result<Self> {
        Self::start_with(folder, "")
    }

    /// The same; the server also ends with the thread that starts it, however that ends.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn start_bound(folder: &Path) -> Result<Self> {
        let mut server = Self::prepare(folder, "", World::Bound)?;
        server.run()?;
        Ok(server)
    }

    /// Starts a server whose configuration begins with the lines `extra`, which win.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn start_with(folder: &Path, extra: &str) -> Result<Self> {
        let mut server = Self::prepare(folder, extra, World::Real)?;
        server.run()?;
        Ok(server)
    }

    /// Starts a server that asks PAM, which knows [`PASSWORD`]; needs root.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn start_with_accounts(folder: &Path, extra: &str) -> Result<Self> {
        let accounts = format!("root:{PASSWORD_HASH}:19000:0:99999:7:::\n");
        std::fs::write(folder.join("shadow"), accounts)?;
        let service = "auth required pam_unix.so\naccount required pam_permit.so\n\
                       session required pam_permit.so\n";
        std::fs::write(folder.join("pam"), service)?;
        let mut server = Self::prepare(folder, extra, World::OwnAccounts)?;
        server.run()?;
        Ok(server)
    }

    fn prepare(folder: &Path, extra: &str, world: World) -> Result<Self> {
        let path = |name: &str| folder.join(name);
        for (name, kind) in [
            ("host", "ed25519"),
            ("host-rsa", "rsa"),
            ("user", "ed25519"),
        ] {
            let file = path(name).display().to_string();
            tools::output("ssh-keygen", &["-q", "-t", kind, "-N", "", "-f", &file])?;
        }
        std::fs::copy(path("user.pub"), path("authorized_keys"))?;
        let port = free_port()?;
        let sftp = "/usr/lib/openssh/sftp-server";
        let pam = if world == World::OwnAccounts {
            "yes"
        } else {
            "no"
        };
        let config = format!(
            "{extra}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {}\nHostKey {}\n\
             AuthorizedKeysFile {}\nStrictModes no\nUsePAM {pam}\nPidFile none\n\
             Subsystem sftp {sftp}\nMaxStartups 100\nMaxSessions 100\nPermitRootLogin yes\n\
             UseDNS no\nPrintMotd no\nPrintLastLog no\n",
            path("host").display(),
            path("host-rsa").display(),
            path("authorized_keys").display(),
        );
        std::fs::write(path("config"), config)?;
        Ok(Self {
            child: None,
            orphans: Vec::new(),
            folder: folder.to_owned(),
            world,
            port,
            key: path("user"),
            user: tools::output("id", &["-un"])?.trim().to_owned(),
        })
    }

    /// Starts it again after [`Sshd::stop`] or [`Sshd::stop_listening`].
    ///
    /// # Errors
    ///
    /// When it does not listen in time.
    pub fn run(&mut self) -> Result<()> {
        if rustix::process::getuid().is_root() {
            std::fs::create_dir_all("/run/sshd")?;
        }
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))?;
        let config = self.folder.join("config");
        let mut command = match self.world {
            World::Real => Command::new("/usr/sbin/sshd"),
            World::Bound => {
                let mut command = Command::new("setpriv");
                command.args(["--pdeathsig", "KILL", "/usr/sbin/sshd"]);
                command
            }
            World::OwnAccounts => {
                let folder = self.folder.display();
                in_own_mounts(&format!(
                    "mount --bind {folder}/shadow /etc/shadow && \
                     mount --bind {folder}/pam /etc/pam.d/sshd && exec /usr/sbin/sshd \"$@\""
                ))
            }
        };
        let child = command
            .args(["-D", "-e", "-f"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("cannot start sshd")?;
        self.child = Some(child);
        wait_for_port(self.port, &self.folder.join("log"))
    }

    /// Stops listening; sessions go on.
    pub fn stop_listening(&mut self) {
        self.orphans = self.sessions();
        end(self.child.take());
    }

    /// Stops the server and kills every session, as the end of a machine would.
    pub fn stop(&mut self) {
        for id in self.sessions() {
            kill(id);
        }
        self.stop_listening();
    }

    /// The processes that serve connections, and what they started.
    #[must_use]
    pub fn sessions(&self) -> Vec<u32> {
        let lives = |id: &&u32| {
            let name = std::fs::read_to_string(format!("/proc/{id}/comm"));
            name.is_ok_and(|name| name.starts_with("sshd"))
        };
        let mut found: Vec<u32> = self.orphans.iter().filter(lives).copied().collect();
        if let Some(child) = &self.child {
            descendants(child.id(), &mut found);
        }
        found
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Its file of public keys that may log in.
    #[must_use]
    pub fn authorized_keys(&self) -> PathBuf {
        self.folder.join("authorized_keys")
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A real dropbear on loopback, for root with the key or with [`PASSWORD`]; ended when dropped.
/// Needs root, because it looks for keys in the home folder only: it gets one of its own.
#[derive(Debug)]
pub struct Dropbear {
    child: Option<Child>,
    folder: PathBuf,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Private key that it accepts.
    pub key: PathBuf,
}

impl Dropbear {
    /// Starts a server with its files in `folder`.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn start(folder: &Path) -> Result<Self> {
        let path = |name: &str| folder.join(name);
        let text = |name: &str| path(name).display().to_string();
        let key = text("user");
        tools::output("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &key])?;
        let host = text("host");
        tools::output("dropbearkey", &["-t", "ed25519", "-f", &host])?;
        std::fs::create_dir_all(path("home/.ssh"))?;
        std::fs::copy(path("user.pub"), path("home/.ssh/authorized_keys"))?;
        let accounts = format!("root:{PASSWORD_HASH}:19000:0:99999:7:::\n");
        std::fs::write(path("shadow"), accounts)?;
        let port = free_port()?;
        let at = folder.display();
        let child = in_own_mounts(&format!(
            "mount --bind {at}/shadow /etc/shadow && mount --bind {at}/home /root && \
             exec /usr/sbin/dropbear \"$@\""
        ))
        .args(["-F", "-E", "-p", &format!("127.0.0.1:{port}"), "-r", &host])
        .args(["-P", &text("pid")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(path("log"))?)
        .spawn()
        .context("cannot start dropbear")?;
        let server = Self {
            child: Some(child),
            folder: folder.to_owned(),
            port,
            key: path("user"),
        };
        wait_for_port(port, &server.folder.join("log"))?;
        Ok(server)
    }

    /// The home folder of its user.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Dropbear {
    fn drop(&mut self) {
        let mut sessions = Vec::new();
        if let Some(child) = &self.child {
            descendants(child.id(), &mut sessions);
        }
        sessions.into_iter().for_each(kill);
        end(self.child.take());
    }
}

/// Whether servers with accounts of their own can be started; says so loudly when not.
pub fn may_have_accounts() -> bool {
    let root = rustix::process::getuid().is_root();
    if !root {
        tools::missing("to run as root, for an SSH server with accounts of its own");
    }
    root
}

/// A shell command, to which arguments can be added, whose mounts nobody else sees.
fn in_own_mounts(script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-ec", script, "sh"]);
    command
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn wait_for_port(port: u16, log: &Path) -> Result<()> {
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        if begun.elapsed() > Duration::from_secs(20) {
            let log = std::fs::read_to_string(log).unwrap_or_default();
            bail!("nothing listens on port {port}: {log}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn end(child: Option<Child>) {
    if let Some(mut child) = child {
        // It may have ended by itself.
        drop(child.kill());
        drop(child.wait());
    }
}

fn kill(id: u32) {
    let id = i32::try_from(id)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    // One that is gone already is as good.
    let _gone = id.map(|id| rustix::process::kill_process(id, rustix::process::Signal::KILL));
}

/// The processes below `id`, parents first.
fn descendants(id: u32, found: &mut Vec<u32>) {
    let path = format!("/proc/{id}/task/{id}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    for child in text
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
    {
        found.push(child);
        descendants(child, found);
    }
}
