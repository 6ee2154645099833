//! The way to the machine and back: bastions, a SOCKS proxy, tunnels.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, ensure};
use kiln_tests::kiln::program_folder;
use kiln_tests::sshd::{PASSWORD, Sshd};
use kiln_tests::terminal::Terminal;

use super::login::{Authority, with_agent};
use super::{GREETED, Place, closed_port, greeting, inline, logged, text};

/// Builds through `bastion` and checks that it was used and which way it let us in.
fn through(
    place: &Place,
    (server, bastion): (&Sshd, &Sshd),
    options: &[(&str, &str)],
    accepted: &str,
) -> Result<()> {
    let (port, user) = (bastion.port.to_string(), text(&bastion.user));
    let mut all = vec![
        ("ssh_bastion_host", "\"127.0.0.1\""),
        ("ssh_bastion_port", port.as_str()),
        ("ssh_bastion_username", user.as_str()),
    ];
    all.extend_from_slice(options);
    let finished = place.build(server.into(), &all, &greeting())?;
    drop(finished.success().says(GREETED));
    logged(&bastion.log(), accepted)?;
    logged(&bastion.log(), "direct-tcpip")
}

pub(super) fn bastion_with_the_same_key(place: &Place) -> Result<()> {
    let (server, bastion) = (place.sshd("")?, place.sshd("")?);
    std::fs::copy(server.authorized_keys(), bastion.authorized_keys())?;
    through(place, (&server, &bastion), &[], "Accepted publickey")
}

pub(super) fn bastion_with_its_own_key(place: &Place) -> Result<()> {
    let (server, bastion) = (place.sshd("")?, place.sshd("")?);
    let key = text(bastion.key.display());
    let options = [("ssh_bastion_private_key_file", key.as_str())];
    through(place, (&server, &bastion), &options, "Accepted publickey")?;
    // With the key for the machine alone, the bastion is blamed.
    let port = bastion.port.to_string();
    let options = [
        ("ssh_bastion_host", "\"127.0.0.1\""),
        ("ssh_bastion_port", port.as_str()),
        ("ssh_bastion_username", "\"nobody-here\""),
    ];
    let finished = place.build((&server).into(), &options, "")?.failure();
    drop(
        finished
            .says("bastion 127.0.0.1: SSH authentication failed: user `nobody-here` was refused")
            .says("check ssh_bastion_username")
            .says("on t.pkr.hcl line 10, in source"),
    );
    Ok(())
}

pub(super) fn bastion_with_certificate(place: &Place) -> Result<()> {
    let authority = Authority::new(place)?;
    let (server, bastion) = (place.sshd("")?, place.sshd(&authority.server_options())?);
    let certificate = authority.sign(&bastion)?;
    let key = text(bastion.key.display());
    let options = [
        ("ssh_bastion_private_key_file", key.as_str()),
        ("ssh_bastion_certificate_file", certificate.as_str()),
    ];
    through(
        place,
        (&server, &bastion),
        &options,
        "ID test (serial 0) CA ED25519",
    )
}

pub(super) fn bastion_with_password(place: &Place) -> Result<()> {
    let server = place.sshd("")?;
    let password = text(PASSWORD);
    for (method, interactive, accepted) in [
        ("PasswordAuthentication", "false", "Accepted password"),
        (
            "KbdInteractiveAuthentication",
            "true",
            "Accepted keyboard-interactive/pam",
        ),
    ] {
        let bastion = place.sshd_with_password(method)?;
        let options = [
            ("ssh_bastion_password", password.as_str()),
            ("ssh_bastion_interactive", interactive),
        ];
        through(place, (&server, &bastion), &options, accepted)?;
    }
    Ok(())
}

pub(super) fn bastion_with_questions(place: &Place) -> Result<()> {
    let server = place.sshd("")?;
    let bastion = place.sshd_with_password("KbdInteractiveAuthentication")?;
    let (port, user) = (bastion.port.to_string(), text(&bastion.user));
    // Another way to log in must be there, and this one leads nowhere.
    let key = text(server.key.display());
    let options = [
        ("ssh_bastion_host", "\"127.0.0.1\""),
        ("ssh_bastion_port", port.as_str()),
        ("ssh_bastion_username", user.as_str()),
        ("ssh_bastion_private_key_file", key.as_str()),
        ("ssh_bastion_interactive", "true"),
    ];
    place.write((&server).into(), &options, &greeting());
    let mut command = Command::new("setsid");
    command
        .args(["--ctty", "--wait"])
        .arg(program_folder().join("kiln"))
        .args(["build", "-color=false", "t.pkr.hcl"]);
    let mut terminal = Terminal::start(&place.kiln, command)?;
    for answer in ["a guess", PASSWORD] {
        terminal.wait_for("127.0.0.1 asks: ")?;
        terminal.press(&format!("{answer}\r"))?;
    }
    let (code, screen) = terminal.finish()?;
    ensure!(code == 0 && screen.contains("hello from 42"), "{screen}");
    for answer in ["a guess", PASSWORD] {
        ensure!(!screen.contains(answer), "{answer} is shown: {screen}");
    }
    logged(&bastion.log(), "Accepted keyboard-interactive/pam")?;
    let alone = place.build((&server).into(), &options, "")?.failure();
    drop(
        alone
            .says("SSH authentication failed")
            .says("there is nobody at a terminal to answer")
            .says("check ssh_bastion_username"),
    );
    Ok(())
}

pub(super) fn bastion_with_agent(place: &Place) -> Result<()> {
    let (server, bastion) = (place.sshd("")?, place.sshd("")?);
    let (with, _agent) = with_agent(&bastion.key)?;
    let options = [("ssh_bastion_agent_auth", "true")];
    through(&with, (&server, &bastion), &options, "Accepted publickey")
}

/// A SOCKS5 proxy that wants the login `me`, `secret`, and counts who it let through.
fn socks() -> Result<(u16, Arc<AtomicUsize>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let passed = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&passed);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counter = Arc::clone(&counter);
            std::thread::spawn(move || socks_connection(stream, &counter));
        }
    });
    Ok((port, passed))
}

fn socks_connection(mut client: TcpStream, passed: &AtomicUsize) -> std::io::Result<()> {
    let mut head = [0; 2];
    client.read_exact(&mut head)?;
    let mut methods = vec![0; usize::from(head[1])];
    client.read_exact(&mut methods)?;
    client.write_all(&[5, 2])?;
    let mut login = [0; 11];
    client.read_exact(&mut login)?;
    if &login != b"\x01\x02me\x06secret" {
        return client.write_all(&[1, 1]);
    }
    client.write_all(&[1, 0])?;
    let mut request = [0; 10];
    client.read_exact(&mut request)?;
    let port = u16::from_be_bytes([request[8], request[9]]);
    let server = TcpStream::connect(("127.0.0.1", port))?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    passed.fetch_add(1, Ordering::SeqCst);
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let (mut from, mut to) = (server, client);
    std::io::copy(&mut from, &mut to).map(drop)
}

pub(super) fn proxy(place: &Place) -> Result<()> {
    let server = place.sshd("")?;
    let (port, passed) = socks()?;
    let port = port.to_string();
    let mut options = vec![
        ("ssh_proxy_host", "\"127.0.0.1\""),
        ("ssh_proxy_port", port.as_str()),
        ("ssh_proxy_username", "\"me\""),
        ("ssh_proxy_password", "\"secret\""),
    ];
    let finished = place.build((&server).into(), &options, &greeting())?;
    drop(finished.success().says(GREETED).lacks("secret"));
    ensure!(passed.load(Ordering::SeqCst) == 1, "it went past the proxy");
    options[3].1 = "\"sesame\"";
    options.push(("ssh_timeout", "\"2s\""));
    let finished = place.build((&server).into(), &options, "")?.failure();
    drop(
        finished
            .says("SOCKS5 proxy: it refused ssh_proxy_username or ssh_proxy_password")
            .lacks("sesame"),
    );
    Ok(())
}

/// Says `words` to everybody who connects.
fn speaker(words: &'static str) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // Who looks only whether the port is open does not listen.
            drop(stream.write_all(words.as_bytes()));
        }
    });
    Ok(port)
}

pub(super) fn tunnels(place: &Place) -> Result<()> {
    let server = place.sshd("")?;
    let (here, there) = (
        speaker("spoken on the host\n")?,
        speaker("spoken in the guest\n")?,
    );
    let (local, remote) = (closed_port()?, closed_port()?);
    let locals = format!("[\"{local}:127.0.0.1:{there}\"]");
    let remotes = format!("[\"{remote}:127.0.0.1:{here}\"]");
    let options = [
        ("ssh_local_tunnels", locals.as_str()),
        ("ssh_remote_tunnels", remotes.as_str()),
    ];
    let read = |port: u16| format!("head -n 1 < /dev/tcp/127.0.0.1/{port}");
    let blocks = format!(
        "{}  provisioner \"shell-local\" {{\n    execute_command = [\"bash\", \"-c\", \
         \"{}\"]\n    inline = [\"true\"]\n  }}\n",
        inline(&read(remote)),
        read(local)
    );
    let finished = place.build((&server).into(), &options, &blocks)?.success();
    drop(
        finished
            .says("spoken on the host")
            .says("spoken in the guest"),
    );
    // A port that is taken is named.
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port();
    let locals = format!("[\"{port}:127.0.0.1:{there}\"]");
    let options = [("ssh_local_tunnels", locals.as_str())];
    let finished = place.build((&server).into(), &options, "")?.failure();
    drop(finished.says(&format!("cannot listen on 127.0.0.1:{port}")));
    Ok(())
}
