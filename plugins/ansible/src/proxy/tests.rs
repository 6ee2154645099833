//! The proxy in front of this machine, with OpenSSH's own clients.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kiln_sdk::Communicator;
use kiln_sdk::communicator::{
    Command, CommunicatorError, Exit, FileTarget, Output, Reader, Writer, tree,
};
use kiln_sdk::ssh::KeyPair;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::sync::mpsc;

use super::{KeyType, Proxy, Settings};

/// This machine as a guest.
struct Here {
    home: PathBuf,
    /// Whether it has a server for SFTP.
    serves_sftp: bool,
}

fn io(source: std::io::Error) -> CommunicatorError {
    CommunicatorError::Io {
        operation: "test".to_owned(),
        source,
    }
}

fn unsupported<T>() -> Result<T, CommunicatorError> {
    Err(CommunicatorError::Unsupported {
        operation: "this".to_owned(),
        communicator: "test".to_owned(),
    })
}

#[async_trait]
impl Communicator for Here {
    async fn exec(
        &self,
        command: Command,
        output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        if !self.serves_sftp && command.command.contains("sftp-server") {
            return Ok(Exit::Code(1));
        }
        let mut child = tokio::process::Command::new("/bin/sh")
            .args(["-c", &command.command])
            .current_dir(&self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(io)?;
        let mut stdin = child.stdin.take().expect("a pipe");
        let mut stdout = child.stdout.take().expect("a pipe");
        let mut stderr = child.stderr.take().expect("a pipe");
        let feed = tokio::spawn(async move {
            if let Some(mut source) = command.stdin {
                drop(copy(&mut source, &mut stdin).await);
            }
        });
        let errors = output.clone();
        let (first, second) = tokio::join!(
            async {
                let mut buffer = bytes::BytesMut::new();
                while stdout.read_buf(&mut buffer).await? > 0 {
                    drop(output.send(Output::Stdout(buffer.split().freeze())).await);
                }
                Ok::<(), std::io::Error>(())
            },
            async {
                let mut buffer = bytes::BytesMut::new();
                while stderr.read_buf(&mut buffer).await? > 0 {
                    drop(errors.send(Output::Stderr(buffer.split().freeze())).await);
                }
                Ok::<(), std::io::Error>(())
            }
        );
        first.and(second).map_err(io)?;
        let status = child.wait().await.map_err(io)?;
        feed.abort();
        let code = status.code().unwrap_or(1);
        Ok(Exit::Code(u32::try_from(code).expect("a status")))
    }

    async fn upload(
        &self,
        target: FileTarget,
        mut source: Reader,
    ) -> Result<u64, CommunicatorError> {
        let path = self.home.join(target.path);
        let mut file = tokio::fs::File::create(&path).await.map_err(io)?;
        let bytes = copy(&mut source, &mut file).await.map_err(io)?;
        file.flush().await.map_err(io)?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(target.mode);
        std::fs::set_permissions(&path, mode).map_err(io)?;
        Ok(bytes)
    }

    async fn download(&self, path: &str, mut sink: Writer) -> Result<u64, CommunicatorError> {
        let file = tokio::fs::File::open(self.home.join(path)).await;
        let bytes = copy(&mut file.map_err(io)?, &mut sink).await.map_err(io)?;
        sink.shutdown().await.map_err(io)?;
        Ok(bytes)
    }

    async fn upload_tree(
        &self,
        _path: &str,
        _entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        unsupported()
    }

    async fn download_tree(
        &self,
        _path: &str,
        _exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        unsupported()
    }

    async fn reconnect(&self, _limit: Option<Duration>) -> Result<(), CommunicatorError> {
        Ok(())
    }

    async fn forward(
        &self,
        _host: &str,
        _port: u16,
    ) -> Result<(Reader, Writer), CommunicatorError> {
        unsupported()
    }
}

/// A proxy and what its clients need.
struct World {
    folder: tempfile::TempDir,
    proxy: Proxy,
}

impl World {
    async fn new(kind: KeyType, serves_sftp: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (home, spool) = (folder.path().join("home"), folder.path().join("spool"));
        std::fs::create_dir(&home).expect("a folder in it");
        std::fs::create_dir(&spool).expect("a folder in it");
        let host = KeyPair::generate(kind.kind(), "host").await.expect("a key");
        let login = KeyPair::generate(kind.kind(), "login")
            .await
            .expect("a key");
        let other = KeyPair::generate(kind.kind(), "other")
            .await
            .expect("a key");
        for (name, pair) in [("key", &login), ("other", &other)] {
            let path = folder.path().join(name);
            std::fs::write(&path, pair.private_openssh()).expect("a file");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&path, mode).expect("a mode");
        }
        let settings = Settings {
            user: Some("me".to_owned()),
            authorized: login.private_key().public_key().key_data().clone(),
            host_key: host.private_key().as_ref().clone(),
            port: 0,
            sftp_command: String::new(),
            spool,
        };
        let machine = Arc::new(Here { home, serves_sftp });
        let proxy = Proxy::start(settings, machine).await.expect("it listens");
        Self { folder, proxy }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs one of OpenSSH's clients.
    async fn client(&self, program: &str, key: &str, words: &[&str]) -> (i32, String, String) {
        let port = if program == "ssh" { "-p" } else { "-P" };
        let identity = self.path(key).display().to_string();
        let output = tokio::process::Command::new(program)
            .args(["-F", "none", "-i", &identity, port])
            .arg(self.proxy.port.to_string())
            .args([
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "UserKnownHostsFile=/dev/null",
            ])
            .args([
                "-o",
                "IdentitiesOnly=yes",
                "-o",
                "BatchMode=yes",
                "-o",
                "LogLevel=ERROR",
            ])
            .args(words)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .expect("OpenSSH's clients are installed");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        (code, text(&output.stdout), text(&output.stderr))
    }

    async fn sftp(&self, batch: &str) -> (i32, String, String) {
        std::fs::write(self.path("batch"), batch).expect("a file");
        self.client("sftp", "key", &["-b", "batch", "me@127.0.0.1"])
            .await
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn mode(path: &Path) -> u32 {
    let metadata = std::fs::metadata(path).expect("it is there");
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777
}

#[tokio::test]
async fn commands_have_both_outputs_input_and_an_exit_status_with_every_type_of_key() {
    for kind in [KeyType::Ecdsa, KeyType::Ed25519, KeyType::Rsa] {
        let world = World::new(kind, true).await;
        let command = "echo out; echo err >&2; cat; exit 7";
        let ended = world.client("ssh", "key", &["me@127.0.0.1", command]).await;
        assert_eq!(
            ended,
            (7, "out\n".to_owned(), "err\n".to_owned()),
            "{kind:?}"
        );
        world.proxy.stop().await;
    }
}

#[tokio::test]
async fn only_the_right_user_with_the_right_key_gets_in_and_only_to_sessions() {
    let world = World::new(KeyType::Ed25519, true).await;
    let denied = "me@127.0.0.1: Permission denied (publickey).";
    let (code, _, said) = world
        .client("ssh", "other", &["me@127.0.0.1", "true"])
        .await;
    assert_eq!((code, said.trim()), (255, denied));
    let (code, _, said) = world.client("ssh", "key", &["you@127.0.0.1", "true"]).await;
    assert_eq!(
        (code, said.contains("Permission denied")),
        (255, true),
        "{said}"
    );
    let shell = world.client("ssh", "key", &["me@127.0.0.1"]).await;
    assert!(
        shell.0 != 0 && shell.2.contains("shell request failed"),
        "{shell:?}"
    );
    let words = ["-W", "127.0.0.1:22", "me@127.0.0.1"];
    let (code, _, said) = world.client("ssh", "key", &words).await;
    assert!(code != 0, "a forwarded connection was opened: {said}");
}

#[tokio::test]
async fn much_output_arrives_whole_before_the_exit_status() {
    let world = World::new(KeyType::Ed25519, true).await;
    let command = "head -c 20000000 /dev/zero; exit 3";
    let (code, stdout, _) = world.client("ssh", "key", &["me@127.0.0.1", command]).await;
    assert_eq!((code, stdout.len()), (3, 20_000_000));
}

#[tokio::test]
async fn files_are_copied_by_scp_in_both_protocols_whatever_their_names() {
    for serves_sftp in [true, false] {
        let world = World::new(KeyType::Ed25519, serves_sftp).await;
        let content: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        std::fs::write(world.path("local"), &content).expect("a file");
        let home = world.path("home");
        for protocol in ["-O", "-s"] {
            let name = format!("it's a copy{protocol}");
            // The old protocol has a shell read the path on the far side; the client itself reads
            // backslashes too, when it checks the name that comes back.
            let quoted = name.replace('\'', "\\'").replace(' ', "\\ ");
            let far = if protocol == "-O" { &quoted } else { &name };
            let far = format!("me@127.0.0.1:{far}");
            let up = world.client("scp", "key", &[protocol, "local", &far]).await;
            assert_eq!(
                up,
                (0, String::new(), String::new()),
                "{protocol} {serves_sftp}"
            );
            assert_eq!(read(&home.join(&name)), content);
            let down = world.client("scp", "key", &[protocol, &far, "back"]).await;
            assert_eq!(
                down,
                (0, String::new(), String::new()),
                "{protocol} {serves_sftp}"
            );
            assert_eq!(read(&world.path("back")), content);
            let missing = format!("me@127.0.0.1:{}/none", home.display());
            let none = world
                .client("scp", "key", &[protocol, &missing, "back"])
                .await;
            assert_eq!(none.0, 1, "{none:?}");
            assert!(none.2.to_lowercase().contains("no such file"), "{none:?}");
        }
        assert_eq!(
            std::fs::read_dir(world.path("spool"))
                .expect("it is there")
                .count(),
            0
        );
    }
}

#[tokio::test]
async fn sftp_works_without_a_server_in_the_guest() {
    let world = World::new(KeyType::Ed25519, false).await;
    std::fs::write(world.path("local"), "content").expect("a file");
    let mode_of_local = std::os::unix::fs::PermissionsExt::from_mode(0o750);
    std::fs::set_permissions(world.path("local"), mode_of_local).expect("a mode");
    let home = world.path("home");
    let batch = "mkdir folder\nput -p local \"folder/it's\"\nchmod 600 \"folder/it's\"\n\
                 rename \"folder/it's\" folder/two\nput local folder/three\nrm folder/three\n\
                 ls -l folder\nget folder/two back\nput local -r\nmkdir empty\nrmdir empty\n";
    let (code, listing, said) = world.sftp(batch).await;
    assert_eq!(code, 0, "{listing}{said}");
    assert_eq!(read(&home.join("folder/two")), b"content");
    assert_eq!(mode(&home.join("folder/two")), 0o600);
    assert_eq!(read(&world.path("back")), b"content");
    assert!(
        listing.contains("-rw-------") && listing.contains("two"),
        "{listing}"
    );
    assert!(!home.join("folder/three").exists() && !home.join("empty").exists());
}

#[tokio::test]
async fn what_sftp_cannot_do_it_says() {
    let world = World::new(KeyType::Ed25519, false).await;
    std::fs::write(world.path("local"), "x").expect("a file");
    for (batch, expected) in [
        ("get none", "not found"),
        ("rmdir none", "No such file"),
        ("put local none/x", "none/x"),
        ("cd none", "No such file"),
        ("rename none other", "No such file"),
    ] {
        let (code, _, said) = world.sftp(&format!("{batch}\n")).await;
        assert!(
            code != 0 && said.contains(expected),
            "{batch}: {code} {said}"
        );
    }
}

#[tokio::test]
async fn a_stopped_proxy_ends_its_commands_and_lets_go_of_its_port() {
    let world = World::new(KeyType::Ed25519, true).await;
    let port = world.proxy.port;
    let pid = world.path("home/pid");
    let World { folder, proxy } = world;
    let identity = folder.path().join("key").display().to_string();
    let mut client = tokio::process::Command::new("ssh")
        .args(["-F", "none", "-i", &identity, "-p", &port.to_string()])
        .args([
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
        ])
        .args(["-o", "LogLevel=ERROR", "me@127.0.0.1"])
        .arg("echo $$ > pid.new; mv pid.new pid; echo started; exec sleep 600")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("ssh is installed");
    let mut stdout = client.stdout.take().expect("a pipe");
    let mut said = [0; 8];
    stdout
        .read_exact(&mut said)
        .await
        .expect("the command runs");
    proxy.stop().await;
    let status = client.wait().await.expect("it ends");
    assert!(!status.success());
    let number = String::from_utf8(read(&pid)).expect("text");
    let number = number.trim().parse().expect("a number");
    let gone = async {
        while kiln_sdk::ProcessIdentity::of(number).is_some_and(|one| one.is_running()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone)
        .await
        .expect("the command ended");
    drop(
        tokio::net::TcpListener::bind(("127.0.0.1", port))
            .await
            .expect("the port is free"),
    );
}

#[tokio::test]
async fn a_wanted_port_that_is_taken_is_the_first_of_ten() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = taken.local_addr().expect("it is bound").port();
    // Ports of the system's own choice lie far below the last one.
    let next = super::listen(port).await.expect("one of ten is free");
    let found = next.local_addr().expect("it is bound").port();
    assert!((port + 1..port + 10).contains(&found), "{port} {found}");
}
