//! `salt-masterless` against a guest in memory.

use std::path::Path;
use std::sync::Arc;

use kiln_sdk::{BuildInfo, Value};
use kiln_sdk_test_kit::{FakeHost, Memory, Recording, Scripted, check_options};

use crate::config::SaltConfig;
use crate::formula::Formula;
use crate::provisioner::SaltMasterless;

type Options<'a> = &'a [(&'a str, &'a str)];

/// A folder with a state tree, pillars and files of the minion.
fn files() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["states/vim", "states/.git", "pillars", "run"] {
        std::fs::create_dir_all(folder.path().join(name)).expect("folders");
    }
    for (name, text) in [
        ("states/top.sls", "top"),
        ("states/.git/config", "secret"),
        ("states/vim/init.sls", "mine"),
        ("pillars/top.sls", "pillar"),
        ("minion", "file_client: local"),
        ("grains", "role: web"),
    ] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

async fn provision(files: &Path, machine: &Memory, entries: Options<'_>) -> Recording<()> {
    let mut options: Value = [("skip_bootstrap", "true")].into_iter().collect();
    options.insert(
        "local_state_tree",
        files.join("states").display().to_string(),
    );
    for (name, value) in entries {
        options.insert(*name, *value);
    }
    let build = BuildInfo {
        run_dir: files.join("run"),
        ..BuildInfo::default()
    };
    let host = FakeHost::new().with_build(build);
    host.provision(
        SaltMasterless,
        options,
        Arc::new(machine.clone()),
        Value::empty_map(),
    )
    .await
}

fn commands(machine: &Memory) -> Vec<String> {
    let commands = machine.commands().into_iter();
    commands.map(|recorded| recorded.command).collect()
}

fn empty_guest() -> Memory {
    let machine = Memory::new();
    machine.script("test -e", [Scripted::status(1)]);
    machine
}

#[tokio::test]
async fn a_state_tree_is_put_in_its_place_and_applied() {
    let files = files();
    let machine = empty_guest();
    let pillars = files.path().join("pillars").display().to_string();
    let recording = provision(files.path(), &machine, &[("local_pillar_roots", &pillars)]).await;
    recording.outcome.expect("all commands end with 0");
    assert_eq!(
        commands(&machine),
        [
            "mkdir -p '/tmp/salt'",
            "sudo rm -rf '/tmp/salt/states'",
            "sudo test -e '/srv/salt'",
            "sudo mkdir -p '/srv'",
            "sudo mv '/tmp/salt/states' '/srv/salt'",
            "sudo rm -rf '/tmp/salt/pillar'",
            "sudo test -e '/srv/pillar'",
            "sudo mkdir -p '/srv'",
            "sudo mv '/tmp/salt/pillar' '/srv/pillar'",
            "sudo salt-call --local state.highstate --file-root=/srv/salt \
             --pillar-root=/srv/pillar --retcode-passthrough -l info",
        ]
    );
    for (path, expected) in [
        ("/tmp/salt/states/top.sls", "top"),
        ("/tmp/salt/states/vim/init.sls", "mine"),
        ("/tmp/salt/pillar/top.sls", "pillar"),
    ] {
        assert_eq!(machine.file(path).expect(path), expected);
    }
    let history = machine.file("/tmp/salt/states/.git/config");
    assert!(history.is_none(), "the history went along");
}

#[tokio::test]
async fn a_state_tree_that_is_there_already_is_replaced_not_nested() {
    let files = files();
    let machine = Memory::new();
    let recording = provision(files.path(), &machine, &[("disable_sudo", "true")]).await;
    recording.outcome.expect("all commands end with 0");
    let all = commands(&machine);
    let at = |command: &str| all.iter().position(|one| one == command).expect(command);
    assert!(at("rm -rf '/srv/salt'") < at("mv '/tmp/salt/states' '/srv/salt'"));
    assert!(
        all.iter().all(|command| !command.contains("sudo")),
        "{all:?}"
    );
}

/// The command that runs Salt.
async fn salt_command(entries: Options<'_>) -> String {
    let files = files();
    let machine = empty_guest();
    let recording = provision(files.path(), &machine, entries).await;
    recording.outcome.expect("all commands end with 0");
    commands(&machine).pop().expect("a command")
}

#[tokio::test]
async fn an_empty_option_is_one_that_is_not_set() {
    let empty = [
        ("log_level", ""),
        ("custom_state", ""),
        ("remote_state_tree", ""),
        ("salt_bin_dir", ""),
    ];
    assert_eq!(salt_command(&empty).await, salt_command(&[]).await);
}

#[tokio::test]
async fn every_option_of_the_call_is_in_it() {
    let command = salt_command(&[
        ("custom_state", "web,db pillar='{\"a\": 1}' test=True"),
        ("remote_state_tree", "/opt/my states/"),
        ("remote_pillar_roots", "/opt/it's"),
        ("log_level", "debug"),
        ("salt_call_args", "--out=json"),
        ("salt_bin_dir", "/opt/salt/bin"),
        ("no_exit_on_failure", "true"),
    ])
    .await;
    assert_eq!(
        command,
        "sudo /opt/salt/bin/salt-call --local state.sls web,db pillar='{\"a\": 1}' test=True \
         --file-root='/opt/my states' --pillar-root='/opt/it'\\''s' -l debug --out=json"
    );
}

#[tokio::test]
async fn files_of_the_minion_go_where_the_minion_reads_them_and_say_where_states_are() {
    let files = files();
    let machine = empty_guest();
    let path = |name: &str| files.path().join(name).display().to_string();
    let options = [
        ("minion_config", path("minion")),
        ("grains_file", path("grains")),
    ];
    let options = [
        (options[0].0, &*options[0].1),
        (options[1].0, &*options[1].1),
    ];
    let recording = provision(files.path(), &machine, &options).await;
    recording.outcome.expect("all commands end with 0");
    let all = commands(&machine);
    for command in [
        "sudo mkdir -p '/etc/salt'",
        "sudo mv '/tmp/salt/minion' '/etc/salt/minion'",
        "sudo mv '/tmp/salt/grains' '/etc/salt/grains'",
    ] {
        assert!(all.iter().any(|one| one == command), "{command}: {all:?}");
    }
    let call = "sudo salt-call --local state.highstate --retcode-passthrough -l info";
    assert_eq!(all.last().expect("a command"), call);
}

#[tokio::test]
async fn windows_has_programs_and_paths_of_its_own() {
    let command = salt_command(&[("guest_os_type", "windows")]).await;
    assert_eq!(
        command,
        "salt-call --local state.highstate --file-root=C:/salt/state \
         --pillar-root=C:/salt/pillar --retcode-passthrough -l info"
    );
    let command = salt_command(&[
        ("guest_os_type", "windows"),
        ("salt_bin_dir", "C:/my salt/"),
    ]);
    let command = command.await;
    let call = "\"C:/my salt/salt-call\" --local state.highstate ";
    assert!(command.starts_with(call), "{command}");
}

#[tokio::test]
async fn on_windows_salt_is_found_and_learns_what_packages_there_are() {
    let files = files();
    let machine = empty_guest();
    machine.script("where.exe", [Scripted::status(1)]);
    machine.script(
        "Test-Path -LiteralPath 'C:/Program Files",
        [Scripted::status(1)],
    );
    let grains = files.path().join("grains").display().to_string();
    let options = [("guest_os_type", "windows"), ("grains_file", &*grains)];
    let recording = provision(files.path(), &machine, &options).await;
    recording.outcome.expect("all commands end with 0");
    let all = commands(&machine);
    let at = |part: &str| all.iter().position(|one| one.contains(part)).expect(part);
    let refresh = "& 'C:/salt/salt-call.bat' --local --config-dir=C:/salt/conf winrepo.update_git";
    assert!(at("Git-") < at(refresh), "{all:?}");
    assert!(at(refresh) < at("pkg.refresh_db"), "{all:?}");
    let call = "C:/salt/salt-call.bat --local state.highstate --file-root=C:/salt/state \
                --pillar-root=C:/salt/pillar --config-dir=C:/salt/conf --retcode-passthrough -l info";
    assert_eq!(all.last().expect("a command"), call);
    for (passes, fails) in [("false", true), ("true", false)] {
        let machine = empty_guest();
        machine.script("winrepo", [Scripted::status(1)]);
        let options = [("guest_os_type", "windows"), ("no_exit_on_failure", passes)];
        let recording = provision(files.path(), &machine, &options).await;
        assert_eq!(recording.outcome.is_err(), fails);
    }
}

#[tokio::test]
async fn a_bootstrap_that_fails_ends_the_run() {
    let files = files();
    let check = async |part: &str, expected: &str| {
        let machine = empty_guest();
        machine.script(part, [Scripted::status(1)]);
        let options = [
            ("skip_bootstrap", "false"),
            ("bootstrap_args", "-X stable 3007"),
        ];
        let recording = provision(files.path(), &machine, &options).await;
        let message = recording.outcome.expect_err("it failed").message;
        assert!(message.starts_with(expected), "{message}");
        let all = commands(&machine);
        assert!(!all.iter().any(|one| one.contains("salt-call")), "{all:?}");
        all
    };
    check("curl", "cannot fetch Salt's bootstrap script").await;
    let all = check("sh /tmp", "Salt's bootstrap script failed").await;
    let run = "sudo sh /tmp/install_salt.sh -X stable 3007";
    assert_eq!(all.last().expect("a command"), run);
}

#[tokio::test]
async fn the_exit_status_counts_unless_it_shall_not() {
    let files = files();
    let check = async |answer: Scripted, passes: &str, expected: Option<&str>| {
        let machine = empty_guest();
        machine.script("salt-call", [answer]);
        let recording = provision(files.path(), &machine, &[("no_exit_on_failure", passes)]).await;
        let message = recording.outcome.err().map(|failure| failure.message);
        match (message, expected) {
            (None, None) => {}
            (Some(message), Some(part)) => assert!(message.contains(part), "{message}"),
            (message, _) => panic!("{message:?}"),
        }
    };
    check(Scripted::status(0), "false", None).await;
    check(Scripted::status(2), "false", Some("exit status 2")).await;
    check(Scripted::status(2), "true", None).await;
    check(
        Scripted::status(127),
        "true",
        Some("salt-call is not in the machine"),
    )
    .await;
    check(Scripted::disconnect(), "true", Some("the connection broke")).await;
    // `sudo` that does not find Salt ends with 1, as Salt does when something failed.
    let expected = Some("salt-call is not in the machine");
    check(Scripted::status(1), "true", expected).await;
}

#[test]
fn formulas_name_a_repository_and_a_folder() {
    let check = |text: &str, expected: Option<(&str, &str, Option<&str>)>| {
        let read = Formula::parse(text).ok();
        let expected = expected.map(|(repository, folder, reference)| Formula {
            repository: repository.to_owned(),
            folder: folder.to_owned(),
            reference: reference.map(str::to_owned),
        });
        assert_eq!(read, expected, "{text}");
    };
    let vim = "https://github.com/saltstack-formulas/vim-formula.git";
    check(&format!("{vim}//vim"), Some((vim, "vim", None)));
    check(
        &format!("git::{vim}//vim/?ref=v1&depth=1"),
        Some((vim, "vim", Some("v1"))),
    );
    check(
        "github.com/saltstack-formulas/vim-formula.git//vim",
        Some((vim, "vim", None)),
    );
    check(
        "git@host:a/b.git//c/d",
        Some(("git@host:a/b.git", "c/d", None)),
    );
    for wrong in [
        vim,
        "https://host/a.git//",
        "https://host/a.git//../x",
        "--upload-pack=x.git//y",
        "https://host/a.git//x?ref=--x",
        "",
    ] {
        check(wrong, None);
    }
}

/// Runs Git with no configuration but its own.
fn git(folder: &Path, words: &[&str]) -> String {
    let ended = std::process::Command::new("git")
        .args([
            "-c",
            "user.name=n",
            "-c",
            "user.email=e",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(words)
        .current_dir(folder)
        .output()
        .expect("git is installed");
    assert!(ended.status.success(), "{ended:?}");
    String::from_utf8(ended.stdout).expect("git prints UTF-8")
}

#[tokio::test]
async fn a_formula_is_fetched_for_the_guest_and_the_local_tree_is_left_alone() {
    let files = files();
    let repository = files.path().join("formula.git");
    std::fs::create_dir_all(repository.join("vim")).expect("folders");
    std::fs::write(repository.join("vim/init.sls"), "theirs").expect("a file");
    for words in [
        &["init", "-q"][..],
        &["add", "."],
        &["commit", "-q", "-m", "x"],
    ] {
        drop(git(&repository, words));
    }
    let url = format!("file://{}//vim", repository.display());
    let machine = empty_guest();
    let recording = provision(files.path(), &machine, &[("formulas", &url)]).await;
    recording.outcome.expect("all commands end with 0");
    assert_eq!(
        machine
            .file("/tmp/salt/states/vim/init.sls")
            .expect("it is there"),
        "theirs"
    );
    let local = std::fs::read_to_string(files.path().join("states/vim/init.sls"));
    assert_eq!(local.expect("it is still there"), "mine");
    let left = std::fs::read_dir(files.path().join("run"))
        .expect("it is there")
        .count();
    assert_eq!(left, 0, "fetched formulas are still there");
    let commit = git(&repository, &["rev-parse", "--short=12", "HEAD"]);
    std::fs::write(repository.join("vim/init.sls"), "newer").expect("a file");
    drop(git(&repository, &["commit", "-q", "-a", "-m", "y"]));
    for (reference, expected) in [(commit.trim(), "theirs"), ("main", "newer")] {
        let url = format!("{url}?ref={reference}");
        let machine = empty_guest();
        let recording = provision(files.path(), &machine, &[("formulas", &url)]).await;
        recording.outcome.expect("all commands end with 0");
        let fetched = machine.file("/tmp/salt/states/vim/init.sls");
        assert_eq!(fetched.expect("it is there"), expected);
    }
    let none = format!("file://{}//none", repository.display());
    let recording = provision(files.path(), &machine, &[("formulas", &none)]).await;
    let message = recording
        .outcome
        .expect_err("there is no such folder")
        .message;
    assert!(message.ends_with("has no folder `none`"), "{message}");
}

#[test]
fn wrong_options_are_named() {
    let check = |entries: Options<'_>, expected: &[&str]| {
        let options: Value = entries.iter().copied().collect();
        let read = kiln_sdk::config::decode::<SaltConfig>(&options);
        let problems = read.expect("the options fit").0.check();
        let paths: Vec<String> = problems.iter().map(|one| one.path.to_string()).collect();
        assert_eq!(paths, expected, "{problems:?}");
    };
    check(&[], &["local_state_tree"]);
    check(&[("local_state_tree", "<unknown>")], &[]);
    check(
        &[
            ("local_state_tree", "/bin/sh"),
            ("local_pillar_roots", "/no/such"),
            ("minion_config", "/bin/sh"),
            ("remote_state_tree", "/x"),
            ("remote_pillar_roots", "/y"),
            ("formulas", "vim"),
            ("custom_state", "a\nb"),
        ],
        &[
            "local_state_tree",
            "local_pillar_roots",
            "remote_state_tree",
            "remote_pillar_roots",
            "formulas",
            "custom_state",
        ],
    );
    check_options::<SaltConfig>();
}
