//! The communicator by itself.

use std::process::Command as Program;

use anyhow::{Context, Result};
use futures::StreamExt;
use kiln_sdk::communicator::tree::{self, Entry, ReadOptions};
use kiln_sdk::communicator::{Command, Communicator, Exit, FileTarget, Output, capture};
use kiln_tests::winrm::{PASSWORD, StandIn, USER, certificate, python};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::{options, pair, reach};

/// Bytes that repeat nowhere, so that a piece in the wrong place is seen.
fn bytes(length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length + 32);
    let mut number = 0_u64;
    while bytes.len() < length {
        bytes.extend(Sha256::digest(number.to_le_bytes()));
        number += 1;
    }
    bytes.truncate(length);
    bytes
}

async fn upload(machine: &dyn Communicator, path: &str, bytes: Vec<u8>) -> Result<u64> {
    let target = FileTarget {
        path: path.to_owned(),
        mode: 0o644,
        size: Some(bytes.len() as u64),
    };
    let source = Box::new(std::io::Cursor::new(bytes));
    Ok(machine.upload(target, source).await?)
}

/// Runs something through every kind of login.
async fn check_login(
    arguments: &[&str],
    set: impl FnOnce(&mut kiln_sdk::ssh::CommunicatorConfig),
) -> Result<()> {
    let Some(guest) = StandIn::start(arguments)? else {
        return Ok(());
    };
    let mut config = options(guest.port);
    set(&mut config);
    let machine = reach(&config)
        .await
        .with_context(|| format!("{arguments:?}: {}", guest.log()))?;
    let line = "powershell -Command \"Write-Output 'grüße'; Write-Error 'bad'; exit 7\"";
    let captured = capture(&machine, Command::new(line)).await?;
    assert_eq!(captured.exit, Exit::Code(7), "{arguments:?}");
    assert_eq!(captured.stdout, "grüße\r\n", "{arguments:?}");
    assert_eq!(captured.stderr, "bad\r\n", "{arguments:?}");
    assert!(!guest.log().contains("Error"), "{}", guest.log());
    Ok(())
}

#[tokio::test]
async fn every_login_runs_commands_with_their_output_and_end() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (_, pem) = certificate(folder.path(), "IP:127.0.0.1")?;
    let pem = pem.display().to_string();
    let https = ["--certificate", &pem];
    let insecure = |config: &mut kiln_sdk::ssh::CommunicatorConfig| {
        config.winrm_use_ssl = true;
        config.winrm_insecure = true;
    };
    check_login(&[], |_| ()).await?;
    check_login(&["--logins", "NTLM"], |_| ()).await?;
    check_login(&["--allow-unencrypted"], |config| {
        config.winrm_use_ntlm = Some(false)
    })
    .await?;
    check_login(&["--allow-unencrypted"], |config| {
        config.winrm_use_ntlm = None
    })
    .await?;
    // Basic is not offered, so NTLM is used.
    check_login(&[], |config| config.winrm_use_ntlm = None).await?;
    check_login(&https, insecure).await?;
    check_login(&https, |config| {
        insecure(config);
        config.winrm_use_ntlm = Some(false);
    })
    .await
}

#[tokio::test]
async fn a_client_that_is_not_ours_accepts_the_stand_in() -> Result<()> {
    let (Some(guest), Some(python)) = (StandIn::start(&["--allow-unencrypted"])?, python()) else {
        return Ok(());
    };
    let judge = kiln_tests::project().join("tests/winrm/judge.py");
    for transport in ["ntlm", "basic"] {
        let url = format!("http://127.0.0.1:{}/wsman", guest.port);
        let judged = Program::new(&python)
            .arg("-B")
            .arg(&judge)
            .args([&url, USER, PASSWORD, transport])
            .output()?;
        let text = String::from_utf8_lossy(&judged.stderr);
        assert!(
            judged.status.success(),
            "{transport}: {text}{}",
            guest.log()
        );
    }
    Ok(())
}

#[tokio::test]
async fn output_comes_while_the_command_runs_and_giving_up_ends_it() -> Result<()> {
    let Some((guest, machine)) = pair(&[]).await? else {
        return Ok(());
    };
    let before = guest.count("deleted")?;
    let (sender, mut receiver) = mpsc::channel(4);
    let run = machine.exec(Command::new("echo one& ping -n 600 x& echo two"), sender);
    tokio::select! {
        exit = run => panic!("it ended with {exit:?}"),
        first = receiver.recv() => {
            assert_eq!(first, Some(Output::Stdout("one\r\n".into())));
        }
    }
    tokio::task::spawn_blocking(move || -> Result<()> {
        guest.wait_for("signal", 1)?;
        guest.wait_for("deleted", before + 1)
    })
    .await?
}

#[tokio::test]
async fn input_reaches_the_command_and_ends() -> Result<()> {
    let Some((_guest, machine)) = pair(&[]).await? else {
        return Ok(());
    };
    let lines: String = (0..20_000)
        .map(|number| format!("line {number}\r\n"))
        .collect();
    let command = Command {
        command: "more".to_owned(),
        stdin: Some(Box::new(std::io::Cursor::new(lines.clone().into_bytes()))),
        ..Command::default()
    };
    let captured = capture(&machine, command).await?;
    assert_eq!(captured.exit, Exit::Code(0));
    assert!(
        captured.stdout == lines,
        "{} bytes came",
        captured.stdout.len()
    );
    Ok(())
}

#[tokio::test]
async fn files_of_all_sizes_arrive_and_come_back() -> Result<()> {
    let Some((guest, machine)) = pair(&[]).await? else {
        return Ok(());
    };
    // Nothing, one byte, around the size of a piece, and several shells at once.
    for length in [0, 1, 250_000, 259_200, 600_001, 9 * 1024 * 1024 + 1] {
        let given = bytes(length);
        let path = "c:/Windows/Temp/new folder/it's ü.bin";
        assert_eq!(upload(&machine, path, given.clone()).await?, length as u64);
        let there = std::fs::read(guest.path("C/Windows/Temp/new folder/it's ü.bin"))?;
        assert!(there == given, "{length} bytes did not arrive");
        let (sink, mut back) = tokio::io::duplex(1 << 20);
        let reading = async {
            let mut all = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut back, &mut all).await?;
            anyhow::Ok(all)
        };
        let (read, back) = tokio::join!(machine.download(path, Box::new(sink)), reading);
        assert_eq!(read?, length as u64);
        assert!(back? == given, "{length} bytes did not come back");
    }
    assert!(!guest.log().contains("Error"), "{}", guest.log());
    Ok(())
}

#[tokio::test]
async fn a_file_takes_few_round_trips_and_small_envelopes_more() -> Result<()> {
    let length = 4 * 1024 * 1024;
    for (arguments, limit) in [
        (&["--envelope-kb", "500"][..], 18),
        (&["--envelope-kb", "150"], 60),
        // Whoever may not ask gets the smallest.
        (&["--envelope-kb", "500", "--no-config"], 60),
    ] {
        let Some((guest, machine)) = pair(arguments).await? else {
            return Ok(());
        };
        upload(&machine, "$env:TEMP\\x", bytes(length)).await?;
        let there = std::fs::read(guest.path("C/Windows/Temp/x"))?;
        assert!(there == bytes(length), "{arguments:?}");
        let sends = guest.count("send")?;
        assert!(sends <= limit, "{arguments:?}: {sends} messages");
    }
    Ok(())
}

#[tokio::test]
async fn trees_arrive_and_come_back() -> Result<()> {
    let Some((guest, machine)) = pair(&[]).await? else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let write = |name: &str, bytes: &[u8]| -> Result<()> {
        let path = folder.path().join("tree").join(name);
        std::fs::create_dir_all(path.parent().context("a parent")?)?;
        Ok(std::fs::write(path, bytes)?)
    };
    for number in 0..300 {
        write(&format!("many/{number}"), format!("{number}\n").as_bytes())?;
    }
    write("big.bin", &bytes(700_000))?;
    write("a b/ü.txt", b"x")?;
    write("empty.txt", b"")?;
    std::fs::create_dir_all(folder.path().join("tree/hollow"))?;
    let entries = tree::read_local(folder.path().join("tree"), ReadOptions::default());
    let sent = machine.upload_tree("c:/data/", entries).await?;
    assert!(sent > 700_000);
    let difference = |other: &std::path::Path| -> Result<()> {
        let both = Program::new("diff")
            .arg("-r")
            .arg(folder.path().join("tree"))
            .arg(other)
            .output()?;
        assert!(
            both.status.success(),
            "{}",
            String::from_utf8_lossy(&both.stdout)
        );
        Ok(())
    };
    difference(&guest.path("C/data"))?;
    // One shell for all, not one for each file.
    let receivers = guest
        .journal()?
        .into_iter()
        .filter(|(kind, _)| kind == "command");
    assert_eq!(receivers.count(), 2);

    let back = machine.download_tree("C:\\data", &[]).await?;
    let target = folder.path().join("back");
    tree::write_local(back, &target).await?;
    difference(&target)?;

    let exclude = ["many".to_owned(), "big.bin".to_owned()];
    let some = machine.download_tree("C:\\data", &exclude).await?;
    let names: Vec<String> = some
        .filter_map(async |entry| match entry {
            Ok(Entry::File { path, .. } | Entry::Directory { path, .. }) => Some(path),
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        })
        .collect()
        .await;
    assert_eq!(names, ["empty.txt", "a b", "a b/ü.txt", "hollow"]);
    Ok(())
}
