//! What a session is made of and how long things may take.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use kiln_tests::Finished;
use kiln_tests::sshd::Dropbear;

use super::{Base, GREETED, PASSWORD_ONLY, Place, closed_port, greeting, inline, logged, text};

pub(super) fn reaches_openssh(place: &Place) -> Result<()> {
    let server = place.sshd("")?;
    let finished = place.build(
        (&server).into(),
        &[("communicator", "\"ssh\"")],
        &greeting(),
    )?;
    drop(finished.success().says(GREETED).says("Connected to SSH!"));
    Ok(())
}

pub(super) fn reaches_dropbear(place: &Place) -> Result<()> {
    let server = Dropbear::start(&place.folder()?)?;
    let file = server.home().join("uploaded");
    let blocks = format!(
        "{}  provisioner \"file\" {{\n    content = \"over dropbear\"\n    destination = \
         \"/root/uploaded\"\n  }}\n  provisioner \"shell\" {{\n    inline = [\"exit 7\"]\n    \
         valid_exit_codes = [7]\n  }}\n",
        greeting()
    );
    for method in ["\"scp\"", "\"sftp\""] {
        let options = [("ssh_file_transfer_method", method)];
        let finished = place.build((&server).into(), &options, &blocks)?;
        drop(finished.success().says(GREETED));
        ensure!(std::fs::read_to_string(&file)? == "over dropbear");
        std::fs::remove_file(&file)?;
    }
    Ok(())
}

pub(super) fn transfer_method(place: &Place) -> Result<()> {
    for method in ["scp", "sftp"] {
        let server = place.sshd("")?;
        let value = text(method);
        let options = [("ssh_file_transfer_method", value.as_str())];
        let finished = place.build((&server).into(), &options, &greeting())?;
        drop(finished.success().says(GREETED));
        let sftp = server.log().contains("subsystem 'sftp'");
        ensure!(sftp == (method == "sftp"), "{method}: {}", server.log());
    }
    Ok(())
}

pub(super) fn ciphers(place: &Place) -> Result<()> {
    let server = place.sshd("Ciphers aes256-ctr,aes128-cbc\n")?;
    let asked = [("ssh_ciphers", "[\"aes128-cbc\"]")];
    drop(place.build((&server).into(), &asked, "")?.success());
    logged(&server.log(), "client->server cipher: aes128-cbc")?;
    let old = place.sshd("Ciphers aes128-cbc\nMACs hmac-sha1\n")?;
    let short = [("ssh_timeout", "\"2s\"")];
    let finished = place.build((&old).into(), &short, "")?.failure();
    drop(
        finished
            .says("no cipher in common; we offer aes128-gcm@openssh.com,")
            .says("the server offers aes128-cbc; to use what the server has, set")
            .says("`ssh_ciphers = [\"aes128-cbc\"]`"),
    );
    drop(place.build((&old).into(), &asked, "")?.success());
    place.write((&old).into(), &[("ssh_ciphers", "[\"aes128-cbd\"]")], "");
    let finished = place.kiln.run(&["validate", "t.pkr.hcl"])?.failure();
    drop(
        finished
            .says("`aes128-cbd` is not supported")
            .says("aes128-cbc"),
    );
    Ok(())
}

pub(super) fn key_exchanges(place: &Place) -> Result<()> {
    // Servers of before 2013 still work as they are: this is the best such a server has.
    let old = "KexAlgorithms diffie-hellman-group14-sha1\nHostKeyAlgorithms ssh-rsa\n\
               PubkeyAcceptedAlgorithms ssh-rsa,ssh-ed25519\nCiphers aes128-ctr\nMACs hmac-sha1\n";
    let server = place.sshd(old)?;
    let finished = place.build((&server).into(), &[], &greeting())?;
    drop(finished.success().says(GREETED));
    logged(&server.log(), "kex: algorithm: diffie-hellman-group14-sha1")?;
    // Even older ones need a word in the template, and the message is that word.
    let older = place.sshd("KexAlgorithms diffie-hellman-group1-sha1\n")?;
    let short = [("ssh_timeout", "\"2s\"")];
    let finished = place.build((&older).into(), &short, "")?.failure();
    let word = "`ssh_key_exchange_algorithms = [\"diffie-hellman-group1-sha1\"]`";
    drop(finished.says("no key exchange in common").says(word));
    let asked = [(
        "ssh_key_exchange_algorithms",
        "[\"diffie-hellman-group1-sha1\"]",
    )];
    drop(place.build((&older).into(), &asked, "")?.success());
    logged(&older.log(), "kex: algorithm: diffie-hellman-group1-sha1")
}

/// The seconds after which it says it gave up: the limit, or more on a loaded machine.
fn given_up_after(finished: &Finished) -> Result<u64> {
    let text = finished.stdout.split_once("within ");
    let number = text.and_then(|(_, rest)| rest.split_once(" s ")?.0.parse().ok());
    number.with_context(|| finished.to_string())
}

pub(super) fn timeouts(place: &Place) -> Result<()> {
    let base = Base {
        port: closed_port()?,
        user: "me",
        key: Path::new("unused"),
    };
    let password = [PASSWORD_ONLY[0], ("ssh_password", "\"p\"")];
    let short = [password[0], password[1], ("ssh_timeout", "\"1s\"")];
    let finished = place.build(base, &short, "")?.failure();
    let seconds = given_up_after(&finished.says("Timeout waiting for SSH"))?;
    ensure!((1..60).contains(&seconds), "{seconds} s");
    // The old name wins.
    let both = [short[0], short[1], short[2], ("ssh_wait_timeout", "\"2s\"")];
    let finished = place.build(base, &both, "")?.failure();
    let seconds = given_up_after(&finished)?;
    ensure!((2..60).contains(&seconds), "{seconds} s");
    Ok(())
}

pub(super) fn attempts(place: &Place) -> Result<()> {
    let server = place.sshd("")?;
    std::fs::write(server.authorized_keys(), "")?;
    let options = [("ssh_handshake_attempts", "3"), ("ssh_timeout", "")];
    let finished = place.build((&server).into(), &options, "")?.failure();
    drop(
        finished
            .says("SSH authentication failed")
            .says("the server offers publickey")
            .says("(3 of 3 attempts, `ssh_handshake_attempts`)"),
    );
    let tries = server.log().matches("Connection from 127.0.0.1").count();
    // One look of the test itself whether the port is open yet is a connection, too.
    ensure!(tries == 4, "{tries} connections: {}", server.log());
    Ok(())
}

pub(super) fn keep_alive(place: &Place) -> Result<()> {
    for (interval, expected) in [("\"200ms\"", true), ("\"-1s\"", false)] {
        let server = place.sshd("")?;
        let options = [("ssh_keep_alive_interval", interval)];
        let finished = place.build((&server).into(), &options, &inline("sleep 2"))?;
        drop(finished.success());
        let asked = server.log().matches("rtype keepalive").count();
        ensure!((asked >= 3) == expected, "{interval}: {asked}");
    }
    Ok(())
}

pub(super) fn read_write_timeout(place: &Place) -> Result<()> {
    let server = place.sshd("")?;
    let options = [
        ("ssh_read_write_timeout", "\"1s\""),
        ("ssh_keep_alive_interval", "\"-1s\""),
    ];
    let finished = place.build((&server).into(), &options, &inline("sleep 20"))?;
    drop(
        finished
            .failure()
            .says("Script disconnected unexpectedly")
            .says("no data received for 1s (`ssh_read_write_timeout`)"),
    );
    // Keep-alives are answered, so a silent command is no broken connection.
    let options = [
        ("ssh_read_write_timeout", "\"4s\""),
        ("ssh_keep_alive_interval", "\"500ms\""),
    ];
    let finished = place.build((&server).into(), &options, &inline("sleep 6"))?;
    drop(finished.success());
    Ok(())
}

pub(super) fn terminal(place: &Place) -> Result<()> {
    let look = inline("tty || true");
    let server = place.sshd("")?;
    let without = place.build((&server).into(), &[], &look)?.success();
    drop(without.says("not a tty"));
    let with = place.build((&server).into(), &[("ssh_pty", "true")], &look)?;
    drop(with.success().says("/dev/pts/"));
    Ok(())
}

pub(super) fn pause(place: &Place) -> Result<()> {
    let server = place.sshd("")?;
    let options = [("pause_before_connecting", "\"1s\"")];
    let finished = place.build((&server).into(), &options, &greeting())?;
    drop(
        finished
            .success()
            .says("Pausing 1s before connecting...")
            .says(GREETED),
    );
    let logins = server.log().matches("Accepted publickey").count();
    ensure!(logins == 2, "{logins} logins");
    Ok(())
}
