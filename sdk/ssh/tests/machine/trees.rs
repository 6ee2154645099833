//! Trees, by every way there is.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sdk_communicator::Communicator;
use sdk_communicator::tree::{ReadOptions, read_local, write_local};
use sdk_ssh::SshCommunicator;

use crate::support::{Sshd, program};
use crate::transfers::programs;

/// A server whose guest has only these programs, and sftp or not.
fn server(tools: &Path, names: &[&str], sftp: bool) -> Option<Sshd> {
    programs(tools, names);
    let subsystem = if sftp {
        ""
    } else {
        "\nSubsystem nothing /bin/false"
    };
    Sshd::start(&format!("SetEnv PATH={}{subsystem}", tools.display()))
}

fn make(root: &Path, files: usize) {
    for number in 0..files {
        let folder = root.join(format!("folder {}", number % 20));
        std::fs::create_dir_all(&folder).expect("ours");
        let content = format!("{number}\n").repeat(number % 50);
        std::fs::write(folder.join(format!("file {number}")), content).expect("ours");
    }
    std::fs::create_dir_all(root.join("deep/er/empty")).expect("ours");
    std::fs::write(root.join("deep/big"), vec![9; 700_000]).expect("ours");
    std::fs::write(root.join("deep/er/run.sh"), "#!/bin/sh\n").expect("ours");
    let mode = std::fs::Permissions::from_mode(0o750);
    std::fs::set_permissions(root.join("deep/er/run.sh"), mode).expect("ours");
    std::os::unix::fs::symlink("er/run.sh", root.join("deep/link")).expect("ours");
}

fn list(root: &Path, relative: &str, out: &mut Vec<String>) {
    let mut names: Vec<_> = std::fs::read_dir(root.join(relative))
        .expect("readable")
        .map(|item| {
            item.expect("readable")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    names.sort();
    for name in names {
        let inner = if relative.is_empty() {
            name
        } else {
            format!("{relative}/{name}")
        };
        let metadata = std::fs::symlink_metadata(root.join(&inner)).expect("listed");
        let mode = metadata.permissions().mode() & 0o7777;
        if metadata.is_dir() {
            out.push(format!("{inner}/ {mode:o}"));
            list(root, &inner, out);
        } else if metadata.is_symlink() {
            let target = std::fs::read_link(root.join(&inner)).expect("a link");
            out.push(format!("{inner} -> {}", target.display()));
        } else {
            let content = std::fs::read(root.join(&inner)).expect("a file");
            let sum = content
                .iter()
                .fold(0_u64, |sum, byte| sum * 31 % 1_000_003 + u64::from(*byte));
            out.push(format!("{inner} {mode:o} {} {sum}", content.len()));
        }
    }
}

fn listing(root: &Path) -> Vec<String> {
    let mut out = Vec::new();
    list(root, "", &mut out);
    out
}

async fn there_and_back(server: &Sshd, machine: &SshCommunicator, files: usize, links: bool) {
    let (from, back) = (server.path("from here"), server.path("back"));
    make(&from, files);
    let to = server.text("to there/it's new");
    let entries = read_local(&from, ReadOptions::default());
    let bytes = machine
        .upload_tree(&to, entries)
        .await
        .expect("it has room");
    assert!(bytes > 700_000);
    assert_eq!(listing(Path::new(&to)), listing(&from));
    let exclude = [
        "big".to_owned(),
        "folder 3".to_owned(),
        "deep/link".to_owned(),
    ];
    let entries = machine
        .download_tree(&to, &exclude)
        .await
        .expect("it is there");
    write_local(entries, &back).await.expect("it has room");
    let expected: Vec<String> = listing(&from)
        .into_iter()
        .filter(|line| {
            !line.contains("big") && !line.contains("folder 3/") && !line.contains("link")
        })
        .collect();
    assert_eq!(listing(&back), expected);
    std::fs::remove_dir_all(&back).expect("ours");
    let entries = machine.download_tree(&to, &[]).await.expect("it is there");
    write_local(entries, &back).await.expect("it has room");
    if links {
        assert_eq!(listing(&back), listing(&from));
    }
    let error = match machine.download_tree(&server.text("nowhere"), &[]).await {
        Ok(entries) => write_local(entries, &back)
            .await
            .expect_err("it is not there"),
        Err(error) => error,
    };
    let text = error.to_string().to_lowercase();
    assert!(
        text.contains("no such file") || text.contains("can't cd"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_files_by_tar() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let machine = server.connect(|_| {}).await;
    there_and_back(&server, &machine, 2000, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_files_by_sftp() {
    let tools = tempfile::tempdir().expect("a temporary folder");
    let Some(server) = server(tools.path(), &["sh", "cat"], true) else {
        return;
    };
    let machine = server.connect(|_| {}).await;
    there_and_back(&server, &machine, 2000, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trees_by_scp_alone() {
    let tools = tempfile::tempdir().expect("a temporary folder");
    let names = ["sh", "scp", "mkdir", "ln"];
    let Some(server) = server(tools.path(), &names, false) else {
        return;
    };
    let machine = server.connect(|_| {}).await;
    there_and_back(&server, &machine, 200, false).await;
}

/// A program of the guest's own.
fn script(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("ours");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tar_of_before_2013_does_not_unpack() {
    let tools = tempfile::tempdir().expect("a temporary folder");
    let Some(server) = server(tools.path(), &["sh", "cat"], true) else {
        return;
    };
    let tar = program("tar").expect("it is part of every system");
    let text = format!(
        "case \"$*\" in *--keep-directory-symlink*) echo \"tar: unrecognized option\" >&2; \
         exit 64;; esac\nexec {} \"$@\"",
        tar.display()
    );
    script(tools.path(), "tar", &text);
    let machine = server.connect(|_| {}).await;
    there_and_back(&server, &machine, 20, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_of_windows_are_made_by_scp() {
    let tools = tempfile::tempdir().expect("a temporary folder");
    let Some(server) = server(tools.path(), &["sh"], false) else {
        return;
    };
    // Where the drive is.
    let (home, scp) = (server.text(""), program("scp").expect("it comes with sshd"));
    let text = format!("cd {home} && exec {} \"$@\"", scp.display());
    script(tools.path(), "scp", &text);
    let machine = server.connect(|_| {}).await;
    let from = server.path("from");
    std::fs::create_dir_all(from.join("sub")).expect("ours");
    std::fs::write(from.join("sub/x"), "x").expect("ours");
    std::fs::write(from.join("y"), "y").expect("ours");
    std::fs::create_dir_all(server.path("C:/there")).expect("ours");
    for place in ["there", "new"] {
        let entries = read_local(&from, ReadOptions::default());
        let sent = machine.upload_tree(&format!("C:/{place}"), entries).await;
        sent.unwrap_or_else(|error| panic!("{place}: {error}"));
        let arrived = server.path(&format!("C:/{place}"));
        assert_eq!(listing(&arrived), listing(&from), "{place}");
    }
    let entries = read_local(&from, ReadOptions::default());
    let sent = machine.upload_tree("C:/no/where", entries).await;
    let text = sent.expect_err("there is no such folder").to_string();
    assert!(text.contains("No such file or directory"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_and_links_that_are_there_stay() {
    let without_tar = tempfile::tempdir().expect("a temporary folder");
    let with_tar = Sshd::start("");
    let by_sftp = server(without_tar.path(), &["sh", "cat"], true);
    for server in [with_tar, by_sftp] {
        let Some(server) = server else { return };
        let machine = server.connect(|_| {}).await;
        let (from, to) = (server.path("from"), server.path("to"));
        std::fs::create_dir_all(from.join("lib")).expect("ours");
        std::fs::create_dir_all(from.join("tmp")).expect("ours");
        std::fs::write(from.join("lib/x"), "x").expect("ours");
        std::fs::write(from.join("tmp/y"), "y").expect("ours");
        std::fs::create_dir_all(to.join("usr/lib")).expect("ours");
        std::fs::create_dir_all(to.join("tmp")).expect("ours");
        std::os::unix::fs::symlink("usr/lib", to.join("lib")).expect("ours");
        let sticky = std::fs::Permissions::from_mode(0o1777);
        std::fs::set_permissions(to.join("tmp"), sticky).expect("ours");
        let entries = read_local(&from, ReadOptions::default());
        machine
            .upload_tree(&server.text("to"), entries)
            .await
            .expect("it has room");
        let expected = [
            "lib -> usr/lib",
            "tmp/ 1777",
            "tmp/y 644 1 121",
            "usr/ 755",
            "usr/lib/ 755",
            "usr/lib/x 644 1 120",
        ];
        assert_eq!(listing(&to), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_is_cut_off_is_an_error() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let machine = server.connect(|_| {}).await;
    let from = server.path("from");
    std::fs::create_dir_all(&from).expect("ours");
    for number in 0..40 {
        std::fs::write(from.join(number.to_string()), vec![1; 1_000_000]).expect("ours");
    }
    let mut entries = machine
        .download_tree(&server.text("from"), &[])
        .await
        .expect("there");
    let first = futures::StreamExt::next(&mut entries).await;
    assert!(matches!(first, Some(Ok(_))), "{first:?}");
    server.kill_sessions();
    let back = server.path("back");
    assert!(write_local(entries, &back).await.is_err());
}
