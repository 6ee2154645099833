//! Single files, by scp and by sftp.

use std::os::unix::fs::PermissionsExt;

use sdk_communicator::{Communicator, CommunicatorError, FileTarget, Writer, tree};
use sdk_ssh::SshCommunicator;

use crate::support::{Sshd, program};

const METHODS: [&str; 2] = ["scp", "sftp"];

fn target(path: String, mode: u32, size: Option<u64>) -> FileTarget {
    FileTarget { path, mode, size }
}

/// Content that repeats nowhere soon.
fn content(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut content = Vec::with_capacity(bytes + 8);
    while content.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend_from_slice(&state.to_le_bytes());
    }
    content.truncate(bytes);
    content
}

fn mode(server: &Sshd, name: &str) -> u32 {
    let metadata = std::fs::metadata(server.path(name)).expect("it was uploaded");
    metadata.permissions().mode() & 0o7777
}

async fn machine(server: &Sshd, method: &str) -> SshCommunicator {
    server
        .connect(|config| config.ssh_file_transfer_method = method.to_owned())
        .await
}

async fn download(machine: &SshCommunicator, path: &str) -> Result<Vec<u8>, CommunicatorError> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let sink = tokio::fs::File::from_std(file.reopen().expect("it is ours"));
    let sink: Writer = Box::new(sink);
    let size = machine.download(path, sink).await?;
    let content = std::fs::read(file.path()).expect("it is ours");
    assert_eq!(content.len() as u64, size);
    Ok(content)
}

#[tokio::test(flavor = "multi_thread")]
async fn big_files_arrive_bit_by_bit_both_ways() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let content = content(64 * 1024 * 1024 + 17);
    for method in METHODS {
        let machine = machine(&server, method).await;
        let to = target(server.text("big"), 0o640, Some(content.len() as u64));
        let source = Box::new(std::io::Cursor::new(content.clone()));
        let sent = machine.upload(to, source).await.expect("it has room");
        assert_eq!(sent, content.len() as u64);
        assert!(
            std::fs::read(server.path("big")).expect("it is there") == content,
            "{method}"
        );
        assert_eq!(mode(&server, "big"), 0o640, "{method}");
        assert!(
            download(&machine, &server.text("big"))
                .await
                .expect("it is there")
                == content
        );
        std::fs::remove_file(server.path("big")).expect("it is ours");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_sizes_and_modes_of_every_kind() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    for method in METHODS {
        let machine = machine(&server, method).await;
        for name in ["with space", "it's $HOME", "-dash", "ünï*cødé"] {
            for (size, bytes) in [(Some(0), ""), (None, "unknown size"), (Some(5), "known")] {
                let to = target(server.text(name), 0o755, size);
                let source = Box::new(bytes.as_bytes());
                machine.upload(to, source).await.expect("it has room");
                let read = std::fs::read(server.path(name)).expect("it is there");
                assert_eq!(read, bytes.as_bytes(), "{method} {name}");
                assert_eq!(mode(&server, name), 0o755, "{method} {name}");
                let back = download(&machine, &server.text(name))
                    .await
                    .expect("it is there");
                assert_eq!(back, bytes.as_bytes(), "{method} {name}");
            }
            std::fs::remove_file(server.path(name)).expect("it is ours");
        }
        // A file that is there is replaced, and gets the new mode.
        std::fs::write(server.path("old"), "a longer text than the new one").expect("ours");
        let to = target(server.text("old"), 0o600, Some(3));
        machine
            .upload(to, Box::new(&b"new"[..]))
            .await
            .expect("it has room");
        assert_eq!(
            std::fs::read(server.path("old")).expect("it is there"),
            b"new"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_say_what_the_guest_said() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    for method in METHODS {
        let machine = machine(&server, method).await;
        let nowhere = server.text("no/such/folder/file");
        let to = target(nowhere.clone(), 0o644, Some(2));
        let error = machine
            .upload(to, Box::new(&b"hi"[..]))
            .await
            .expect_err("no such folder");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("upload of {nowhere} failed: ")),
            "{method}: {text}"
        );
        assert!(
            text.to_lowercase().contains("no such file"),
            "{method}: {text}"
        );
        let error = download(&machine, &nowhere)
            .await
            .expect_err("no such file");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("download of {nowhere} failed: ")),
            "{method}: {text}"
        );
        assert!(
            text.to_lowercase().contains("no such file"),
            "{method}: {text}"
        );
        let to = target(server.text("short"), 0o644, Some(100));
        let error = machine
            .upload(to, Box::new(&b"hi"[..]))
            .await
            .expect_err("too short");
        assert!(
            matches!(error, CommunicatorError::Io { .. }),
            "{method}: {error:?}"
        );
        // The connection is as good as before.
        let to = target(server.text("fine"), 0o644, Some(2));
        machine
            .upload(to, Box::new(&b"hi"[..]))
            .await
            .expect("it has room");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guests_shell_finds_the_folder_and_a_missing_one_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("a b")).expect("ours");
    let home = folder.path().display();
    let Some(server) = Sshd::start(&format!("SetEnv PLACE={home}")) else {
        return;
    };
    let machine = machine(&server, "scp").await;
    let to = target("$PLACE/a b/f1".to_owned(), 0o644, Some(2));
    let sent = machine.upload(to, Box::new(&b"hi"[..])).await;
    sent.expect("it has room");
    let read = std::fs::read(folder.path().join("a b/f1"));
    assert_eq!(read.expect("it is there"), b"hi");
    let back = download(&machine, "$PLACE/a b/f1").await;
    assert_eq!(back.expect("it is there"), b"hi");
    let entries = tree::read_local(folder.path().join("a b"), tree::ReadOptions::default());
    let sent = machine.upload_tree("${PLACE}/tree", entries).await;
    sent.expect("it has room");
    let read = std::fs::read(folder.path().join("tree/f1"));
    assert_eq!(read.expect("it is there"), b"hi");
    let to = target(format!("{home}/missing/f1"), 0o644, Some(2));
    let error = machine.upload(to, Box::new(&b"hi"[..])).await;
    let text = error.expect_err("there is no such folder").to_string();
    assert!(text.contains("No such file or directory"), "{text}");
    assert!(!folder.path().join("missing").exists());
}

/// A folder with some programs, to be the guest's only ones.
pub fn programs(folder: &std::path::Path, names: &[&str]) {
    for name in names {
        let program = program(name).unwrap_or_else(|| panic!("{name} is part of every system"));
        std::os::unix::fs::symlink(program, folder.join(name)).expect("ours");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_guest_lacks_is_replaced() {
    let tools = tempfile::tempdir().expect("a temporary folder");
    programs(tools.path(), &["sh", "cat"]);
    let path = format!("SetEnv PATH={}", tools.path().display());
    let without_scp = Sshd::start(&path);
    let without_sftp = Sshd::start("Subsystem nothing /bin/false");
    let broken_sftp = Sshd::start("Subsystem sftp /nowhere/sftp-server");
    for (server, method) in [
        (without_scp, "scp"),
        (without_sftp, "sftp"),
        (broken_sftp, "sftp"),
    ] {
        let Some(server) = server else { return };
        let machine = machine(&server, method).await;
        for _ in 0..2 {
            let to = target(server.text("file"), 0o644, None);
            let sent = machine.upload(to, Box::new(&b"hello"[..])).await;
            assert_eq!(sent.expect("the other way works"), 5, "{method}");
            let back = download(&machine, &server.text("file"))
                .await
                .expect("it is there");
            assert_eq!(back, b"hello", "{method}");
            std::fs::remove_file(server.path("file")).expect("it is ours");
        }
        let error = download(&machine, &server.text("file"))
            .await
            .expect_err("it is gone");
        assert!(
            error.to_string().to_lowercase().contains("no such file"),
            "{method}: {error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_with_neither_is_told_so() {
    let tools = tempfile::tempdir().expect("a temporary folder");
    programs(tools.path(), &["sh"]);
    let extra = format!(
        "SetEnv PATH={}\nSubsystem nothing /bin/false",
        tools.path().display()
    );
    let Some(server) = Sshd::start(&extra) else {
        return;
    };
    let machine = machine(&server, "scp").await;
    let to = target(server.text("file"), 0o644, None);
    let error = machine
        .upload(to, Box::new(&b"hello"[..]))
        .await
        .expect_err("there is no way");
    assert!(
        error
            .to_string()
            .contains("the guest has neither scp nor sftp"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_fails_the_transfer() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    for method in METHODS {
        let machine = machine(&server, method).await;
        // The source gives a little and then nothing, until the server is killed.
        let (reader, mut writer) = tokio::io::duplex(1 << 20);
        let to = target(server.text("cut"), 0o644, Some(1 << 30));
        let sending = machine.upload(to, Box::new(reader));
        let breaking = async {
            let piece = vec![0; 1 << 20];
            tokio::io::AsyncWriteExt::write_all(&mut writer, &piece)
                .await
                .expect("it reads");
            while std::fs::metadata(server.path("cut")).map_or(0, |found| found.len()) == 0 {
                tokio::task::yield_now().await;
            }
            server.kill_sessions();
            // What is written now finds out.
            while tokio::io::AsyncWriteExt::write_all(&mut writer, &piece)
                .await
                .is_ok()
            {}
        };
        let sent = tokio::select! {
            sent = sending => sent,
            () = async { breaking.await; std::future::pending().await } => unreachable!(),
        };
        let error = sent.expect_err("the connection broke");
        assert!(
            matches!(error, CommunicatorError::Broken { .. }),
            "{method}: {error:?}"
        );
        std::fs::remove_file(server.path("cut")).expect("it is ours");
    }
}
