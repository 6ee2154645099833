//! `kiln plugins`: what is published is installed or refused, listed, removed and explained.

mod on_disk;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use kiln_tests::Kiln;
use kiln_tests::releases::{
    Answer, PLATFORM, Releases, archive, binary, described, folder, plugin, sha256,
};

const SOURCE: &str = "github.com/acme/rocket";

fn world(server: &Releases) -> Kiln {
    let mut kiln = Kiln::new();
    server.use_in(&mut kiln);
    kiln
}

fn tree(kiln: &Kiln) -> PathBuf {
    kiln.root().join("home/.config/packer/plugins")
}

/// Files below a folder, without it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path.display().to_string()),
        }
    }
    found
}

/// Version 1.0.0 is published as `publish` does it, and must not be installed.
fn refused(publish: impl Fn(&Releases), expected: &str) -> Result<()> {
    let server = Releases::start()?;
    let kiln = world(&server);
    publish(&server);
    let done = kiln.run(&["plugins", "install", SOURCE])?.failure();
    assert!(
        done.stdout.contains(expected),
        "{expected:?} is missing: {done}"
    );
    assert_eq!(files(&tree(&kiln)), Vec::<String>::new(), "{expected}");
    Ok(())
}

fn zipped(server: &Releases, members: &[(&str, &[u8])]) {
    server.publish_archive("acme", "rocket", "1.0.0", &archive(members));
}

fn zip_path() -> String {
    let folder = folder("acme", "rocket", "1.0.0");
    format!("{folder}/{}.zip", binary("rocket", "1.0.0"))
}

#[test]
fn tampered_and_truncated_archives_are_refused() -> Result<()> {
    let good = |server: &Releases| server.publish("acme", "rocket", "1.0.0", &plugin("1.0.0"));
    let tampered = |server: &Releases| {
        good(server);
        let mut bytes = server.bytes(&zip_path());
        bytes[50] ^= 1;
        server.answer(&zip_path(), Answer::Bytes(bytes));
    };
    refused(tampered, "it is not used")?;
    let shorter = |server: &Releases| {
        good(server);
        let bytes = server.bytes(&zip_path());
        server.answer(&zip_path(), Answer::Bytes(bytes[..60].to_vec()));
    };
    refused(shorter, "it is not used")?;
    let cut = |server: &Releases| {
        good(server);
        let bytes = server.bytes(&zip_path());
        server.answer(&zip_path(), Answer::Cut(bytes, 0, 100));
    };
    refused(cut, "breaks off after 0 bytes; run the command again")?;
    let sums = |text: &'static str| {
        move |server: &Releases| server.publish_sums("acme", "rocket", "1.0.0", text)
    };
    refused(sums("<html>login</html>"), "line 1 is not a SHA-256")?;
    refused(sums("00ff  packer-plugin"), "line 1 is not a SHA-256")?;
    Ok(())
}

#[test]
fn hostile_archives_are_refused() -> Result<()> {
    let name = binary("rocket", "1.0.0");
    let good = plugin("1.0.0");
    let check = |members: Vec<(&str, &[u8])>, expected: &str| {
        refused(|server| zipped(server, &members), expected)
    };
    check(
        vec![(&name, &good), ("../../../evil", b"x")],
        "leads out of the archive",
    )?;
    check(
        vec![("/etc/passwd", b"x"), (&name, &good)],
        "leads out of the archive",
    )?;
    check(vec![("another", &good)], "does not have")?;
    let garbage = |server: &Releases| {
        server.publish_archive("acme", "rocket", "1.0.0", b"no archive at all");
    };
    refused(garbage, "no sound zip file")?;
    let linked = |server: &Releases| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        zip.add_symlink(name.as_str(), "/bin/sh", options).unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        server.publish_archive("acme", "rocket", "1.0.0", &bytes);
    };
    refused(linked, "is a link")
}

#[test]
fn what_is_not_what_it_says_is_refused() -> Result<()> {
    let published =
        |bytes: Vec<u8>| move |server: &Releases| server.publish("acme", "rocket", "1.0.0", &bytes);
    refused(
        published(plugin("1.0.1")),
        "it says that it is version 1.0.1",
    )?;
    refused(
        published(plugin("1.0.0-dev")),
        "a prerelease; only releases are installed",
    )?;
    refused(
        published(described("1.0.0", "x5.1")),
        "it says that it speaks version x5.1",
    )?;
    refused(
        published(b"#!/bin/sh\necho hello\n".to_vec()),
        "does not print a description",
    )?;
    refused(
        published(b"not a program".to_vec()),
        "it does not describe itself",
    )?;
    let elsewhere = |server: &Releases| {
        let sums = format!(
            "{}  packer-plugin-rocket_v1.0.0_x5.0_plan9_arm.zip\n",
            sha256(b"")
        );
        server.publish_sums("acme", "rocket", "1.0.0", &sums);
    };
    refused(elsewhere, &format!("it has nothing for {PLATFORM}"))?;
    let newer = |server: &Releases| {
        let file = format!("packer-plugin-rocket_v1.0.0_x6.0_{PLATFORM}.zip");
        server.publish_sums(
            "acme",
            "rocket",
            "1.0.0",
            &format!("{}  {file}\n", sha256(b"")),
        );
    };
    refused(newer, "it speaks version x6.0 of the plugin protocol")
}

#[test]
fn servers_that_do_not_answer_are_told_apart() -> Result<()> {
    refused(|_| {}, "the server answers 404")?;
    let tags = "api/repos/acme/packer-plugin-rocket/git/matching-refs/tags";
    let limited = |server: &Releases| {
        let headers = "x-ratelimit-remaining: 0\r\nx-ratelimit-reset: 1700000000\r\n";
        server.answer(tags, Answer::Status(403, headers.to_owned(), String::new()));
    };
    refused(limited, "until 22:13:20 UTC; set PACKER_GITHUB_API_TOKEN")?;
    let looping = |server: &Releases| {
        server.answer(tags, Answer::Redirect(server.url(tags)));
    };
    refused(looping, "leads from one address to the next without end")?;
    let nonsense = |server: &Releases| {
        server.answer(tags, Answer::Bytes(b"<html>".to_vec()));
    };
    refused(nonsense, "is not what it should be")?;
    let nothing = |server: &Releases| server.answer(tags, Answer::Bytes(b"[]".to_vec()));
    refused(nothing, "it has no version")
}

#[test]
fn a_download_goes_on_where_it_broke_off() -> Result<()> {
    let server = Releases::start()?;
    let kiln = world(&server);
    // What can be compressed would fit into the first part.
    let noise: String = (0..2000)
        .map(|number| sha256(&[number as u8, (number >> 8) as u8]))
        .collect();
    let big = [plugin("1.0.0"), format!("# {noise}\n").into_bytes()].concat();
    server.publish("acme", "rocket", "1.0.0", &big);
    let bytes = server.bytes(&zip_path());
    assert!(bytes.len() > 40_000, "{}", bytes.len());
    // Nine breaks are more than are tried when nothing comes.
    server.answer(&zip_path(), Answer::Cut(bytes.clone(), 4000, 9));
    drop(
        kiln.run(&["plugins", "install", SOURCE])?
            .success()
            .says("Installed plugin github.com/acme/rocket v1.0.0"),
    );
    let requests = server.requests();
    let resumed = requests
        .iter()
        .filter(|one| one.to_lowercase().contains("range: bytes="));
    assert_eq!(resumed.count(), 9, "{requests:?}");
    let installed = tree(&kiln).join(SOURCE).join(binary("rocket", "1.0.0"));
    assert_eq!(std::fs::read(installed)?, big);
    // What an earlier run left is gone on with, and is thrown away when it is of no use.
    let parts = kiln.root().join("home/.cache/packer/plugins");
    std::fs::create_dir_all(&parts)?;
    let part = parts.join(format!("{}.part", sha256(&bytes)));
    for (beginning, wanted) in [(&bytes[..1000], 1), (&b"nonsense"[..], 2)] {
        std::fs::write(&part, beginning)?;
        drop(
            kiln.run(&["plugins", "install", "-force", SOURCE])?
                .success(),
        );
        let requests = server.requests();
        let archives = requests.iter().filter(|one| one.contains(".zip HTTP"));
        assert_eq!(archives.count(), wanted, "{requests:?}");
        assert!(!part.exists());
    }
    Ok(())
}

#[test]
fn redirects_are_followed_and_the_token_stays_with_github() -> Result<()> {
    let server = Releases::start()?;
    let mut kiln = world(&server);
    kiln.env("PACKER_GITHUB_API_TOKEN", "a-secret-token");
    server.publish("acme", "rocket", "1.0.0", &plugin("1.0.0"));
    let bytes = server.bytes(&zip_path());
    server.answer("objects/1", Answer::Bytes(bytes));
    server.answer(&zip_path(), Answer::Redirect(server.url("objects/1")));
    drop(
        kiln.run(&["plugins", "install", SOURCE])?
            .success()
            .says("v1.0.0")
            .lacks("a-secret-token"),
    );
    for request in server.requests() {
        let has_token = request.contains("Bearer a-secret-token");
        assert_eq!(has_token, request.starts_with("GET /api/"), "{request}");
    }
    Ok(())
}

#[test]
fn an_older_version_is_installed_when_the_newest_is_not_for_this_machine() -> Result<()> {
    let server = Releases::start()?;
    let kiln = world(&server);
    server.publish("acme", "rocket", "1.0.0", &plugin("1.0.0"));
    let sums = format!(
        "{}  packer-plugin-rocket_v1.1.0_x5.0_plan9_arm.zip\n",
        sha256(b"")
    );
    server.publish_sums("acme", "rocket", "1.1.0", &sums);
    drop(
        kiln.run(&["plugins", "install", SOURCE])?
            .success()
            .says("v1.0.0"),
    );
    drop(
        kiln.run(&["plugins", "install", SOURCE, "1.1.0"])?
            .failure()
            .says("1.1.0: it has nothing for"),
    );
    drop(
        kiln.run(&["plugins", "install", SOURCE, ">= 3"])?
            .failure()
            .says("its versions are 1.1.0, 1.0.0"),
    );
    Ok(())
}

#[test]
fn the_words_of_install_are_checked() -> Result<()> {
    let kiln = Kiln::new();
    let check = |words: &[&str], expected: &str| -> Result<()> {
        let all = [&["plugins", "install"], words].concat();
        let done = kiln.run(&all)?.failure();
        assert!(done.stdout.contains(expected), "{words:?}: {done}");
        Ok(())
    };
    check(&[], "expected either 1 or 2 positional arguments, got 0")?;
    check(
        &["a", "b", "c"],
        "expected either 1 or 2 positional arguments, got 3",
    )?;
    check(&["amazon"], "a host, an owner and a name")?;
    check(&["https://github.com/a/b"], "without `https://`")?;
    check(
        &["github.com/a/packer-plugin-b"],
        "without `packer-plugin-`: `b`",
    )?;
    check(&[SOURCE, "newest"], "Invalid version constraint")?;
    check(
        &[SOURCE, ">= 1.0.0-dev"],
        "Unsupported prerelease for constraint",
    )?;
    check(&["-path=x", SOURCE, "1.0.0"], "exclude each other")?;
    check(&["-mirror=ftp://x/", SOURCE], "`ftp` is not read")?;
    check(&["-mirror=none", SOURCE], "cannot read folder")?;
    check(&["-path=none", SOURCE], "cannot read")?;
    check(&["-keys=none", SOURCE], "cannot read")?;
    check(&["git.example/a/b"], "use a mirror (-mirror)")?;
    drop(kiln.run(&["plugins"])?.failure().says("Subcommands:"));
    drop(kiln.run(&["plugin", "-h"])?.success().says("doctor"));
    Ok(())
}

#[test]
fn releases_of_hashicorp_are_preferred_and_their_signatures_checked() -> Result<()> {
    if !kiln_tests::tools::installed(&["gpg", "gpgconf"]) {
        return Ok(());
    }
    let server = Releases::start()?;
    let kiln = world(&server);
    server.publish_hashicorp("rocket", "1.2.0", &plugin("1.2.0"));
    server.publish("hashicorp", "rocket", "1.3.0", &plugin("1.3.0"));
    let source = "github.com/hashicorp/rocket";
    let install = [
        "plugins",
        "install",
        "-force",
        "-keys=keys.asc",
        source,
        "~> 1.2.0",
    ];
    drop(
        kiln.run(&["plugins", "install", source])?
            .success()
            .says("v1.2.0"),
    );
    // Somebody else's plugin of the same name is not looked for there.
    let done = kiln
        .run(&["plugins", "install", "github.com/acme/rocket"])?
        .failure();
    assert!(done.stdout.contains("404"), "{done}");
    let signer = Signer::new(&kiln, "good")?;
    signer.export("keys.asc")?;
    drop(kiln.run(&install)?.failure().says("it is not signed"));
    let sums = "hashicorp/packer-plugin-rocket/1.2.0/packer-plugin-rocket_1.2.0_SHA256SUMS";
    let sign = |signer: &Signer, bytes: &[u8]| -> Result<()> {
        let signature = signer.sign(bytes)?;
        server.answer(&format!("{sums}.sig"), Answer::Bytes(signature));
        Ok(())
    };
    sign(&signer, &server.bytes(sums))?;
    drop(kiln.run(&install)?.success().says("v1.2.0"));
    sign(&signer, b"something else")?;
    drop(kiln.run(&install)?.failure().says("the list was changed"));
    let stranger = Signer::new(&kiln, "stranger")?;
    sign(&stranger, &server.bytes(sums))?;
    drop(kiln.run(&install)?.failure().says("it is not by a key in"));
    server.answer(&format!("{sums}.sig"), Answer::Bytes(b"nonsense".to_vec()));
    drop(kiln.run(&install)?.failure().says("does not hold"));
    kiln.write("keys.asc", "nonsense");
    drop(kiln.run(&install)?.failure().says("keys.asc` has no keys"));
    Ok(())
}

/// A key pair of GnuPG's. Its agent ends with it.
struct Signer {
    home: PathBuf,
    work: PathBuf,
}

impl Signer {
    fn new(kiln: &Kiln, name: &str) -> Result<Self> {
        let home = kiln.root().join(name);
        std::fs::create_dir(&home)?;
        std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700))?;
        let signer = Self {
            home,
            work: kiln.work(),
        };
        signer.gpg(&["--quick-generate-key", name, "ed25519", "sign", "never"])?;
        Ok(signer)
    }

    fn gpg(&self, words: &[&str]) -> Result<String> {
        let home = self.home.display().to_string();
        let head = [
            "--homedir",
            &home,
            "--batch",
            "--yes",
            "--passphrase",
            "",
            "--quiet",
        ];
        kiln_tests::tools::output("gpg", &[&head, words].concat())
    }

    fn export(&self, file: &str) -> Result<()> {
        let text = self.gpg(&["--export", "--armor"])?;
        Ok(std::fs::write(self.work.join(file), text)?)
    }

    fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        let (file, signature) = (self.home.join("signed"), self.home.join("signature"));
        std::fs::write(&file, bytes)?;
        let (file, output) = (file.display().to_string(), signature.display().to_string());
        self.gpg(&["--output", &output, "--detach-sign", &file])?;
        Ok(std::fs::read(signature)?)
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        let ended = Command::new("gpgconf")
            .arg("--homedir")
            .arg(&self.home)
            .args(["--kill", "all"])
            .status();
        assert!(ended.is_ok_and(|status| status.success()));
    }
}

#[test]
fn an_interrupted_installation_leaves_nothing_half() -> Result<()> {
    let server = Releases::start()?;
    let kiln = world(&server);
    server.publish("acme", "rocket", "1.0.0", &plugin("1.0.0"));
    let bytes = server.bytes(&zip_path());
    for signal in ["INT", "KILL"] {
        server.answer(&zip_path(), Answer::Stall(bytes.clone(), 100));
        let stalls = server.stalls();
        let running = kiln.start(&["plugins", "install", SOURCE])?;
        stalls.recv_timeout(Duration::from_secs(60))?;
        running.signal(signal)?;
        let done = running.finish(Duration::from_secs(60))?;
        match signal {
            "INT" => drop(done.failure().says("Interrupted; the download goes on")),
            _ => assert!(!done.status.success(), "{done}"),
        }
        assert_eq!(files(&tree(&kiln)), Vec::<String>::new());
        let listed = kiln.run(&["plugins", "installed"])?.success();
        assert_eq!(listed.stdout, "");
    }
    server.answer(&zip_path(), Answer::Bytes(bytes));
    drop(
        kiln.run(&["plugins", "install", SOURCE])?
            .success()
            .says("v1.0.0"),
    );
    assert_eq!(files(&tree(&kiln)).len(), 2);
    Ok(())
}
