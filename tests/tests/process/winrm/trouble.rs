//! What goes wrong between here and a Windows guest, and how it is told.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use kiln_sdk::Secret;
use kiln_sdk::communicator::{Command, Communicator, Exit, FileTarget, capture};
use kiln_sdk::ssh::CommunicatorConfig;
use kiln_tests::winrm::{StandIn, certificate};

use super::{options, pair, reach};

/// Connects to a stand-in with wrong options, and looks at what is said.
async fn check_refused(
    arguments: &[&str],
    set: impl FnOnce(&mut CommunicatorConfig),
    expected: &[&str],
) -> Result<()> {
    let Some(guest) = StandIn::start(arguments)? else {
        return Ok(());
    };
    let mut config = options(guest.port);
    config.winrm_timeout = Duration::from_secs(3);
    set(&mut config);
    let error = reach(&config)
        .await
        .err()
        .context("it connects")?
        .to_string();
    for text in expected {
        assert!(error.contains(text), "{arguments:?}: {error}");
    }
    let secret = config.winrm_password.expose();
    assert!(!error.contains(secret.as_str()), "{error}");
    Ok(())
}

#[tokio::test]
async fn refusals_say_what_to_change() -> Result<()> {
    let wrong = |config: &mut CommunicatorConfig| {
        config.winrm_password = Secret::new("not this one".to_owned());
    };
    let start = "Timeout waiting for WinRM: no connection to 127.0.0.1:";
    let text = "the guest refused the NTLM login of `packer` (401); it offers Negotiate";
    check_refused(&[], wrong, &[start, text, "`winrm_password`"]).await?;
    check_refused(
        &["--logins", "Negotiate"],
        |config| config.winrm_use_ntlm = Some(false),
        &["AllowUnencrypted=false", "set `winrm_use_ntlm = true`"],
    )
    .await?;
    let text = "the guest offers no login that kiln knows (Kerberos)";
    check_refused(&["--logins", "Kerberos"], |_| (), &[text]).await?;
    check_refused(
        &["--max-shells", "0"],
        |_| (),
        &[
            "allowed a maximum number of 0 concurrent shells",
            "MaxShellsPerUser",
        ],
    )
    .await
}

#[tokio::test]
async fn certificates_are_checked_unless_told_otherwise() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (_, pem) = certificate(folder.path(), "IP:127.0.0.1")?;
    let pem = pem.display().to_string();
    let https = |config: &mut CommunicatorConfig| config.winrm_use_ssl = true;
    let text = "the guest's certificate is not trusted";
    let hint = "set `winrm_insecure = true`";
    check_refused(&["--certificate", &pem], https, &[text, hint]).await?;
    // HTTPS where HTTP is, and the other way round.
    check_refused(&[], https, &["TLS"]).await?;
    check_refused(&["--certificate", &pem], |_| (), &["closed early"]).await
}

/// Something that is not WinRM, which answers every connection with `answer`.
async fn check_other(answer: &'static [u8], expected: &str) -> Result<()> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    // It ends with the process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let mut request = [0; 4096];
            // A web server waits for the question, others greet.
            let waits = answer.starts_with(b"HTTP");
            if waits {
                drop(std::io::Read::read(&mut stream, &mut request));
            }
            drop(stream.write_all(answer));
            if !waits {
                drop(std::io::Read::read(&mut stream, &mut request));
            }
        }
    });
    let mut config = options(port);
    config.winrm_timeout = Duration::from_secs(2);
    let error = reach(&config)
        .await
        .err()
        .context("it connects")?
        .to_string();
    assert!(error.contains(expected), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_port_is_recognised() -> Result<()> {
    check_other(b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP").await?;
    let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    check_other(answer, "a web server answers, but not WinRM").await?;
    let mut config = options(1);
    config.winrm_timeout = Duration::from_secs(1);
    let error = reach(&config)
        .await
        .err()
        .context("it connects")?
        .to_string();
    assert!(error.contains("connection refused"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_restart_ends_the_command_and_the_next_one_runs_after_it() -> Result<()> {
    let Some((guest, machine)) = pair(&["--restart-seconds", "3"]).await? else {
        return Ok(());
    };
    let line = "shutdown /r /f /t 0 & ping -n 600 x";
    let captured = capture(&machine, Command::new(line)).await?;
    assert!(
        matches!(captured.exit, Exit::Disconnected(_)),
        "{captured:?}"
    );
    // Waits until the guest is back.
    let captured = capture(&machine, Command::new("echo back")).await?;
    assert_eq!(
        (captured.exit, captured.stdout.as_str()),
        (Exit::Code(0), "back\r\n")
    );
    machine.reconnect(Some(Duration::from_secs(30))).await?;
    assert_eq!(guest.count("restart")?, 1);
    Ok(())
}

#[tokio::test]
async fn a_transfer_that_a_restart_cuts_is_an_error() -> Result<()> {
    let Some((guest, machine)) = pair(&["--restart-seconds", "2", "--latency-ms", "40"]).await?
    else {
        return Ok(());
    };
    let target = FileTarget {
        path: "c:/big".to_owned(),
        mode: 0o644,
        size: None,
    };
    let source = Box::new(tokio::io::AsyncReadExt::take(
        tokio::io::repeat(7),
        64 << 20,
    ));
    let upload = machine.upload(target, source);
    let restart = async {
        let run = tokio::task::spawn_blocking(move || guest.wait_for("send", 3).map(|()| guest));
        let guest = run.await??;
        let captured = capture(&machine, Command::new("shutdown /r /t 0")).await?;
        anyhow::ensure!(captured.exit == Exit::Code(0), "{captured:?}");
        anyhow::Ok(guest)
    };
    let (uploaded, guest) = tokio::join!(upload, restart);
    let guest = guest?;
    let error = uploaded.err().context("it says that all arrived")?;
    assert!(error.to_string().contains("upload of c:/big"), "{error}");
    assert_eq!(guest.count("restart")?, 1);
    Ok(())
}

#[tokio::test]
async fn the_guests_reason_is_told() -> Result<()> {
    let Some((guest, machine)) = pair(&[]).await? else {
        return Ok(());
    };
    let upload = |path: &str| {
        let target = FileTarget {
            path: path.to_owned(),
            mode: 0o644,
            size: Some(1),
        };
        machine.upload(target, Box::new(std::io::Cursor::new(b"x".to_vec())))
    };
    let error = upload("c:/protected.txt")
        .await
        .err()
        .context("it is protected")?;
    let text = "Access to the path 'C:\\protected.txt' is denied.";
    assert!(error.to_string().contains(text), "{error}");
    let error = upload("C:\\Windows")
        .await
        .err()
        .context("it is a folder")?;
    assert!(
        error.to_string().contains("C:\\Windows is a folder"),
        "{error}"
    );
    let sink = Box::new(tokio::io::sink());
    let error = machine
        .download("c:/none", sink)
        .await
        .err()
        .context("there is none")?;
    assert!(
        error.to_string().contains("Could not find file 'C:\\none'"),
        "{error}"
    );
    assert!(machine.forward("h", 1).await.is_err());
    assert!(!guest.path("C/protected.txt").exists());
    Ok(())
}
