//! Getting in: passwords, keys of every format, certificates, the agent.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use kiln_tests::sshd::{Dropbear, PASSWORD, Sshd};
use kiln_tests::tools;

use super::{Base, GREETED, LIMIT, PASSWORD_ONLY, Place, greeting, inline, logged, text};

pub(super) fn passwords(place: &Place) -> Result<()> {
    for method in ["PasswordAuthentication", "KbdInteractiveAuthentication"] {
        let server = place.sshd_with_password(method)?;
        let password = text(PASSWORD);
        let right = [PASSWORD_ONLY[0], ("ssh_password", &password)];
        let finished = place.build((&server).into(), &right, &greeting())?;
        drop(finished.success().says(GREETED).lacks(PASSWORD));
        let wrong = [PASSWORD_ONLY[0], ("ssh_password", "\"wrong battery\"")];
        let finished = place.build((&server).into(), &wrong, "")?.failure();
        let tried = match method {
            "PasswordAuthentication" => "tried password;",
            _ => "tried keyboard-interactive;",
        };
        drop(
            finished
                .says("SSH authentication failed")
                .says(tried)
                .lacks("battery"),
        );
    }
    Ok(())
}

pub(super) fn password_of_dropbear(place: &Place) -> Result<()> {
    let server = Dropbear::start(&place.folder()?)?;
    let password = text(PASSWORD);
    let options = [PASSWORD_ONLY[0], ("ssh_password", &password)];
    let finished = place.build((&server).into(), &options, &greeting())?;
    drop(finished.success().says(GREETED));
    logged(&server.log(), "Password auth succeeded")
}

fn make_key(place: &Place, name: &str, words: &[&str]) -> Result<PathBuf> {
    let path = place.kiln.work().join(name);
    let file = path.display().to_string();
    let all = [&["-q"], words, &["-f", &file]].concat();
    tools::output("ssh-keygen", &all)?;
    Ok(path)
}

pub(super) fn keys_of_every_format(place: &Place) -> Result<()> {
    let server = place.sshd("")?;
    for (index, words) in [
        ["-t", "rsa", "-m", "PEM"],
        ["-t", "rsa", "-m", "PKCS8"],
        ["-t", "rsa", "-m", "RFC4716"],
        ["-t", "ecdsa", "-m", "PEM"],
        ["-t", "ecdsa", "-m", "PKCS8"],
        ["-t", "ecdsa", "-m", "RFC4716"],
        ["-t", "ed25519", "-m", "RFC4716"],
    ]
    .iter()
    .enumerate()
    {
        let name = format!("key{index}");
        let key = make_key(place, &name, &[&words[..], &["-N", ""]].concat())?;
        std::fs::copy(key.with_extension("pub"), server.authorized_keys())?;
        let base = Base {
            key: &key,
            ..(&server).into()
        };
        drop(place.build(base, &[], "")?.success());
    }
    Ok(())
}

pub(super) fn encrypted_keys_are_told_so(place: &Place) -> Result<()> {
    for (name, format) in [("a", "PEM"), ("b", "PKCS8"), ("c", "RFC4716")] {
        let key = make_key(
            place,
            name,
            &["-t", "rsa", "-m", format, "-N", "a passphrase"],
        )?;
        let base = Base {
            port: 1,
            user: "me",
            key: &key,
        };
        place.write(base, &[], "");
        let finished = place.kiln.run(&["validate", "t.pkr.hcl"])?.failure();
        drop(
            finished
                .says("is encrypted")
                .says("ssh_agent_auth = true")
                .says("on t.pkr.hcl line 5, in source"),
        );
    }
    Ok(())
}

/// Certificates for the key of `server`, which shall trust only them: the options of the server, and
/// the certificate that will be there.
pub(super) struct Authority {
    folder: PathBuf,
}

impl Authority {
    pub(super) fn new(place: &Place) -> Result<Self> {
        make_key(place, "authority", &["-t", "ed25519", "-N", ""])?;
        let folder = place.kiln.work();
        Ok(Self { folder })
    }

    pub(super) fn server_options(&self) -> String {
        let file = self.folder.join("authority.pub");
        format!("TrustedUserCAKeys {}\n", file.display())
    }

    /// Signs the key of `server` and takes the key itself away from it.
    pub(super) fn sign(&self, server: &Sshd) -> Result<String> {
        let public = server.key.with_extension("pub").display().to_string();
        let ca = self.folder.join("authority").display().to_string();
        let words = ["-q", "-I", "test", "-n", &server.user, "-s", &ca, &public];
        tools::output("ssh-keygen", &words)?;
        std::fs::write(server.authorized_keys(), "")?;
        Ok(text(format!("{}-cert.pub", server.key.display())))
    }
}

pub(super) fn certificate(place: &Place) -> Result<()> {
    let authority = Authority::new(place)?;
    let server = place.sshd(&authority.server_options())?;
    let certificate = authority.sign(&server)?;
    let without = place.build((&server).into(), &[], "")?.failure();
    drop(without.says("SSH authentication failed"));
    let options = [("ssh_certificate_file", certificate.as_str())];
    let finished = place.build((&server).into(), &options, &greeting())?;
    drop(finished.success().says(GREETED));
    Ok(())
}

/// An SSH agent that holds the key of a server; ended when dropped.
pub(super) struct Agent {
    child: Child,
}

impl Agent {
    fn start(place: &mut Place, key: &Path) -> Result<Self> {
        let socket = place.kiln.root().join("agent");
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()?;
        let agent = Self { child };
        let begun = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            ensure!(begun.elapsed() < LIMIT, "ssh-agent does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        let added = Command::new("ssh-add")
            .arg("-q")
            .arg(key)
            .env("SSH_AUTH_SOCK", &socket)
            .status()?;
        ensure!(added.success(), "ssh-add failed");
        let socket = socket.display().to_string();
        place.kiln.env("SSH_AUTH_SOCK", &socket);
        Ok(agent)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A place like `place`, whose world has an agent with the key.
pub(super) fn with_agent(key: &Path) -> Result<(Place, Agent)> {
    let mut place = Place::new();
    let agent = Agent::start(&mut place, key)?;
    Ok((place, agent))
}

pub(super) fn agent(place: &Place) -> Result<()> {
    let server = place.sshd("")?;
    let (with, _agent) = with_agent(&server.key)?;
    let list = inline("ssh-add -l || echo no agent here");
    let options = [PASSWORD_ONLY[0], ("ssh_agent_auth", "true")];
    let finished = with.build((&server).into(), &options, &list)?.success();
    drop(finished.says("(ED25519)"));
    let hidden = [
        options[0],
        options[1],
        ("ssh_disable_agent_forwarding", "true"),
    ];
    let finished = with.build((&server).into(), &hidden, &list)?.success();
    drop(finished.lacks("(ED25519)").says("no agent here"));
    // Without an agent the option cannot be kept, and that is said.
    let finished = place.build((&server).into(), &options, "")?.failure();
    drop(
        finished
            .says("SSH_AUTH_SOCK names no agent")
            .says("on t.pkr.hcl line 7, in source"),
    );
    Ok(())
}
