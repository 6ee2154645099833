//! Guests in memory, and text that wants to be more than text.

use kiln_sdk_test_kit::{FakeHost, Memory, Recording, Scripted, Told};
use sdk_component::{BuildInfo, Failure, RunContext};
use sdk_config::{Diagnostics, Field, Path, Value};

use crate::elevated::{Account, prepare};
use crate::{BuildFacts, Guest, GuestOs, Late, Sudo, check, quote};

fn guest<'a>(cx: &'a RunContext, machine: &'a Memory, os: GuestOs, sudo: Sudo) -> Guest<'a> {
    Guest {
        cx,
        machine,
        os,
        sudo,
    }
}

async fn with_guest(
    machine: &Memory,
    os: GuestOs,
    work: impl AsyncFnOnce(Guest<'_>) -> Result<(), Failure>,
) -> Recording<()> {
    let machine = machine.clone();
    FakeHost::new()
        .drive(async |cx| work(guest(&cx, &machine, os, Sudo::unless(false, os))).await)
        .await
}

fn commands(machine: &Memory) -> Vec<String> {
    let commands = machine.commands().into_iter();
    commands.map(|recorded| recorded.command).collect()
}

#[test]
fn a_guest_is_unix_or_windows() {
    let check = |text: &str, expected: Option<GuestOs>| {
        let mut diagnostics = Diagnostics::new();
        let read = GuestOs::read(
            &Value::from(text),
            &Path::attribute("guest_os_type"),
            &mut diagnostics,
        );
        assert_eq!(
            (read, diagnostics.is_empty()),
            (expected, expected.is_some())
        );
    };
    check("", Some(GuestOs::Unix));
    check("<unknown>", Some(GuestOs::Unix));
    check("Windows", Some(GuestOs::Windows));
    check("linux", None);
}

#[test]
fn words_mean_only_themselves() {
    for (text, expected) in [
        ("a", "'a'"),
        ("it's", r"'it'\''s'"),
        ("$(reboot)\n", "'$(reboot)\n'"),
        ("", "''"),
    ] {
        assert_eq!(quote::posix(text), expected);
    }
    assert_eq!(quote::posix_when_needed("/srv/salt"), "/srv/salt");
    assert_eq!(quote::posix_when_needed("/srv/my salt"), "'/srv/my salt'");
    assert_eq!(quote::posix_when_needed(""), "''");
    assert_eq!(quote::powershell("it's $x"), "'it''s $x'");
    assert!(quote::breaks_lines("a\nb") && !quote::breaks_lines("a b"));
}

#[test]
fn a_real_shell_reads_quoted_words_back() {
    for text in [
        "it's",
        "a b",
        "$HOME `id` \\ \"x\"",
        "two\nlines",
        "*",
        "-n",
    ] {
        let script = format!("printf %s {}", quote::posix(text));
        let shell = std::process::Command::new("/bin/sh")
            .args(["-c", &script])
            .output();
        assert_eq!(shell.expect("a shell runs").stdout, text.as_bytes());
    }
}

#[tokio::test]
async fn folders_of_a_unix_guest_are_made_moved_and_removed_whatever_their_names() {
    let machine = Memory::new();
    let recording = with_guest(&machine, GuestOs::Unix, async |guest| {
        guest.make_open_folder("/tmp/it's").await?;
        guest.make_own_folder("/tmp/a b").await?;
        guest.rename("/tmp/a", "/srv/$x").await?;
        assert!(guest.exists("/srv/$x").await?);
        guest.remove("/tmp/*").await
    })
    .await;
    recording.outcome.expect("all commands end with 0");
    assert_eq!(
        commands(&machine),
        [
            r"sudo mkdir -p '/tmp/it'\''s'",
            r"sudo chmod 0777 '/tmp/it'\''s'",
            "mkdir -p '/tmp/a b'",
            "sudo mv '/tmp/a' '/srv/$x'",
            "sudo test -e '/srv/$x'",
            "sudo rm -rf '/tmp/*'",
        ]
    );
}

#[tokio::test]
async fn folders_of_a_windows_guest_are_made_by_powershell_without_sudo() {
    let machine = Memory::new();
    let recording = with_guest(&machine, GuestOs::Windows, async |guest| {
        guest.make_open_folder("C:/it's").await?;
        guest.remove("C:/x").await
    })
    .await;
    recording.outcome.expect("all commands end with 0");
    let commands = commands(&machine);
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert!(commands[0].contains("New-Item"), "{commands:?}");
    assert!(
        commands[0].ends_with("-Path 'C:/it''s' | Out-Null\""),
        "{commands:?}"
    );
    assert!(commands.iter().all(|command| !command.contains("sudo")));
}

#[tokio::test]
async fn a_command_that_fails_says_what_was_tried() {
    let check = async |answer: Scripted, expected: &str| {
        let machine = Memory::new();
        machine.script("rm", [answer]);
        let recording = with_guest(&machine, GuestOs::Unix, async |guest| {
            guest.remove("/x").await
        })
        .await;
        assert_eq!(recording.outcome.expect_err("it failed").message, expected);
    };
    let what = "cannot remove `/x` from the machine";
    check(Scripted::status(3), &format!("{what}: exit status 3")).await;
    check(
        Scripted::disconnect(),
        &format!("{what}: the connection broke: scripted"),
    )
    .await;
}

#[tokio::test]
async fn files_and_folders_get_there() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("sub")).expect("a folder in it");
    std::fs::write(folder.path().join("sub/a b"), "x").expect("a file in it");
    std::os::unix::fs::symlink("sub/a b", folder.path().join("link")).expect("a link in it");
    let machine = Memory::new();
    let recording = with_guest(&machine, GuestOs::Unix, async |guest| {
        guest.upload_folder(folder.path(), "/s/tree").await?;
        guest
            .upload_file(&folder.path().join("sub/a b"), "/s/file")
            .await?;
        guest.upload_text("y", "/s/text", 0o600).await
    })
    .await;
    recording.outcome.expect("everything is uploaded");
    for (path, expected) in [
        ("/s/tree/sub/a b", "x"),
        ("/s/tree/link", "x"),
        ("/s/file", "x"),
        ("/s/text", "y"),
    ] {
        assert_eq!(machine.file(path).expect(path), expected);
    }
    let missing = with_guest(&machine, GuestOs::Unix, async |guest| {
        guest.upload_file("/no/such/file".as_ref(), "/x").await
    })
    .await;
    let message = missing.outcome.expect_err("it is not there").message;
    assert!(
        message.starts_with("cannot read `/no/such/file`: "),
        "{message}"
    );
}

#[tokio::test]
async fn late_options_see_the_machine_and_what_is_added() {
    let generated: Value = [("Host", "h"), ("PackerHTTPAddr", "ERR_NONE")]
        .into_iter()
        .collect();
    let build = BuildInfo {
        source_name: "debian".to_owned(),
        builder_type: "qemu".to_owned(),
        ..BuildInfo::default()
    };
    let recording = FakeHost::new()
        .with_build(build)
        .drive(async |cx| {
            let late = Late::new(&cx, &generated).with("Sudo", true);
            let text = "{{if .Sudo}}sudo {{end}}x {{.Host}} {{build `Host`}} {{build_name}}";
            assert_eq!(late.render("o", text)?, "sudo x h h debian");
            let facts = BuildFacts::new(&cx, &generated);
            let expected = [
                ("packer_build_name", "debian"),
                ("packer_builder_type", "qemu"),
            ];
            assert_eq!(facts.variables(), expected);
            late.render("my_option", "{{")
        })
        .await;
    let message = recording.outcome.expect_err("it is no template").message;
    assert!(
        message.starts_with("cannot render `my_option`: "),
        "{message}"
    );
}

#[test]
fn files_and_folders_of_options_are_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().display().to_string();
    let mut diagnostics = Diagnostics::new();
    check::file("a", "/bin/sh", &mut diagnostics);
    check::file("a", "", &mut diagnostics);
    check::file("a", "x/<unknown>", &mut diagnostics);
    check::folder("a", &folder, &mut diagnostics);
    check::file_or_folder("a", "/bin/sh", &mut diagnostics);
    check::template("a", "{{.Path}}", &mut diagnostics);
    check::required("a", "x", "it names it", &mut diagnostics);
    assert_eq!(diagnostics, []);
    check::file("b", &folder, &mut diagnostics);
    check::folder("c", "/bin/sh", &mut diagnostics);
    check::folders(
        "d",
        &[String::new(), "no-such".to_owned()],
        &mut diagnostics,
    );
    check::template("e", "{{", &mut diagnostics);
    check::required("f", "", "it names it", &mut diagnostics);
    let paths: Vec<String> = diagnostics
        .iter()
        .map(|problem| problem.path.to_string())
        .collect();
    assert_eq!(paths, ["b", "c", "d", "d", "e", "f"]);
}

#[tokio::test]
async fn an_elevated_command_and_its_password_are_only_in_a_private_file_that_goes() {
    let machine = Memory::new();
    let recording = with_guest(&machine, GuestOs::Windows, async |guest| {
        let account = Account {
            user: "admin",
            password: "s3cret'$x",
        };
        let command = prepare(&guest, account, "puppet apply \"x\"", 7).await?;
        assert!(!command.contains("s3cret"));
        assert!(command.ends_with("packer-elevated-shell-0000000000000007.ps1"));
        Ok(())
    })
    .await;
    let secret = Told::Secret("s3cret'$x".to_owned());
    assert!(recording.told.contains(&secret), "{:?}", recording.told);
    recording.outcome.expect("the script is written");
    let script = machine
        .file("C:/Windows/Temp/packer-elevated-shell-0000000000000007.ps1")
        .expect("it is there");
    let script = String::from_utf8_lossy(&script).into_owned();
    assert!(
        !script.contains("s3cret") && script.contains("czNjcmV0JyR4"),
        "{script}"
    );
    assert!(script.contains("Remove-Item -LiteralPath $PSCommandPath"));
}
