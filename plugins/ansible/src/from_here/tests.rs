//! `ansible` with programs that stand in for Ansible and record how they are called.

use std::path::Path;
use std::sync::Arc;

use kiln_sdk::{BuildInfo, Value};
use kiln_sdk_test_kit::{FakeHost, Memory, Recording, Told, check_options};

use super::Ansible;
use super::config::AnsibleConfig;

/// Options out of text.
pub fn config(entries: &[(&str, &str)]) -> AnsibleConfig {
    let options: Value = entries.iter().copied().collect();
    kiln_sdk::config::decode::<AnsibleConfig>(&options)
        .expect("the options fit")
        .0
}

/// A folder with a playbook and a program that stands in for Ansible: it writes down its arguments,
/// its environment, its inventory and the files it is given, then does what `then` says.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new(then: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        std::fs::create_dir(path.join("run")).expect("a folder in it");
        std::fs::write(path.join("site.yml"), "- hosts: all\n").expect("a playbook");
        let script = format!(
            r#"#!/bin/sh
if [ "$1" = --version ]; then echo 'ansible-playbook [core 2.14.18]'; exit 0; fi
cd {folder}
printf '%s\n' "$@" >> arguments
env > environment
previous=
for word in "$@"; do
  case $previous$word in
    -i*) if [ "$previous" = -i ]; then cat "$word" > inventory; fi ;;
    -e@*) cat "${{word#@}}" > variables ;;
    -eansible_ssh_private_key_file=*) stat -c %a "${{word#*=}}" > key_mode; head -1 "${{word#*=}}" > key ;;
  esac
  previous=$word
done
{then}
"#,
            folder = path.display()
        );
        std::fs::write(path.join("ansible"), script).expect("a program");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path.join("ansible"), mode).expect("it can be run");
        Self { folder }
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    async fn provision(
        &self,
        host: FakeHost,
        entries: &[(&str, &str)],
        generated: &[(&str, &str)],
    ) -> Recording<()> {
        let build = BuildInfo {
            source_name: "debian".to_owned(),
            builder_type: "null".to_owned(),
            run_dir: self.folder.path().join("run"),
            ..BuildInfo::default()
        };
        let mut options: Value = [
            ("playbook_file", self.path("site.yml")),
            ("command", self.path("ansible")),
            ("galaxy_command", self.path("ansible")),
        ]
        .into_iter()
        .collect();
        for (name, value) in entries {
            options.insert(*name, *value);
        }
        let generated: Value = generated.iter().copied().collect();
        host.with_build(build)
            .provision(Ansible, options, Arc::new(Memory::new()), generated)
            .await
    }

    /// What is left in the run's private folder.
    fn left(&self) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("run"));
        let entries = entries.expect("it is there").flatten();
        entries.map(|entry| entry.path()).collect()
    }
}

const SSH: [(&str, &str); 5] = [
    ("ConnType", "ssh"),
    ("Host", "10.0.0.7"),
    ("Port", "2222"),
    ("User", "packer"),
    ("SSHPrivateKey", "-----BEGIN X-----"),
];

#[tokio::test]
async fn through_the_proxy_ansible_gets_a_key_a_port_and_the_guests_user() {
    let world = World::new("echo played");
    let recording = world.provision(FakeHost::new(), &[], &SSH).await;
    assert!(recording.told.contains(&Told::Said("played".to_owned())));
    recording.outcome.expect("it plays");
    let inventory = world.text("inventory");
    assert!(
        inventory.starts_with("default ansible_host=127.0.0.1 ansible_user=packer ansible_port="),
        "{inventory}"
    );
    assert_eq!(world.text("key_mode"), "600\n");
    assert_eq!(world.text("key"), "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    let environment = world.text("environment");
    assert!(
        environment.contains("ANSIBLE_HOST_KEY_CHECKING=False\n"),
        "{environment}"
    );
    assert!(!environment.contains("ANSIBLE_SCP_IF_SSH"), "{environment}");
    assert_eq!(world.left(), Vec::<std::path::PathBuf>::new());
    assert!(recording.left.is_empty(), "{:?}", recording.left);
}

#[tokio::test]
async fn without_proxy_ansible_gets_the_builders_host_and_key_and_the_key_is_removed() {
    let world = World::new("");
    let recording = world
        .provision(FakeHost::new(), &[("use_proxy", "false")], &SSH)
        .await;
    recording.outcome.expect("it plays");
    assert_eq!(
        world.text("inventory"),
        "default ansible_host=10.0.0.7 ansible_user=packer ansible_port=2222\n"
    );
    assert_eq!(world.text("key"), "-----BEGIN X-----\n");
    assert_eq!(world.left(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_password_is_in_a_private_file_and_nowhere_else() {
    let world = World::new("");
    let generated = [
        ("ConnType", "winrm"),
        ("Host", "10.0.0.7"),
        ("Port", "5985"),
        ("User", "Administrator"),
        ("Password", "s3cret \"x"),
    ];
    let options = [("use_proxy", "false"), ("ansible_winrm_use_http", "true")];
    let recording = world.provision(FakeHost::new(), &options, &generated).await;
    assert!(!format!("{:?}", recording.told).contains("s3cret"));
    recording.outcome.expect("it plays");
    assert!(!world.text("arguments").contains("s3cret"));
    assert_eq!(
        world.text("variables"),
        r#"{"ansible_password":"s3cret \"x"}"#
    );
    assert!(
        world
            .text("inventory")
            .contains(" ansible_connection=winrm ")
    );
    assert!(
        world
            .text("arguments")
            .contains("ansible_winrm_scheme=http\n")
    );
    assert_eq!(world.left(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_key_that_the_builder_made_is_joined_by_the_password_where_ansible_can_use_one() {
    let world = World::new("");
    let generated = [&SSH[..], &[("Password", "s3cret")]].concat();
    let options = [("use_proxy", "false")];
    let recording = world.provision(FakeHost::new(), &options, &generated).await;
    recording.outcome.expect("it plays");
    assert_eq!(world.text("key"), "-----BEGIN X-----\n");
    let expected = if super::config::is_installed("sshpass") {
        r#"{"ansible_password":"s3cret"}"#
    } else {
        ""
    };
    assert_eq!(world.text("variables"), expected);
    assert_eq!(world.left(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn without_a_host_the_proxy_is_used_with_a_warning() {
    let check = async |generated: &[(&str, &str)], expected: &str| {
        let world = World::new("");
        let recording = world
            .provision(FakeHost::new(), &[("use_proxy", "false")], generated)
            .await;
        let said = recording.said().join("\n");
        assert!(said.contains(expected), "{said}");
        recording.outcome.expect("it plays");
        assert!(world.text("inventory").contains("ansible_host=127.0.0.1 "));
    };
    check(&[], "does not say how it connects").await;
    check(&[("ConnType", "ssh")], "does not say where the machine is").await;
    check(
        &[("ConnType", "docker"), ("Host", "x")],
        "cannot connect by `docker`",
    )
    .await;
}

#[tokio::test]
async fn late_options_see_the_machine() {
    let world = World::new("");
    let recording = world
        .provision(
            FakeHost::new(),
            &[
                ("extra_arguments", "--limit={{.Host}}"),
                ("ansible_env_vars", "WHERE={{build `Port`}}"),
                ("inventory_file_template", "{{.HostAlias}} at={{.ID}}"),
                ("use_sftp", "false"),
            ],
            &[("Host", "h"), ("Port", "7"), ("ID", "i-1")],
        )
        .await;
    recording.outcome.expect("it plays");
    assert!(world.text("arguments").contains("--limit=h\n"));
    let environment = world.text("environment");
    assert!(environment.contains("WHERE=7\n"), "{environment}");
    assert!(
        environment.contains("ANSIBLE_SCP_IF_SSH=True\n"),
        "{environment}"
    );
    assert_eq!(world.text("inventory"), "default at=i-1\n");
}

#[tokio::test]
async fn a_file_or_a_template_that_cannot_be_used_is_named() {
    let world = World::new("");
    let check = async |option: &str, value: &str, expected: &str| {
        let recording = world
            .provision(FakeHost::new(), &[(option, value)], &SSH)
            .await;
        let message = recording.outcome.expect_err("it failed").message;
        assert!(message.starts_with(expected), "{message}");
    };
    let junk = world.path("site.yml");
    check("ssh_host_key_file", &junk, "`ssh_host_key_file`: `").await;
    let expected = "`ssh_authorized_key_file` ";
    check("ssh_authorized_key_file", &junk, expected).await;
    let expected = "`inventory_file_template` asks for a value";
    check("inventory_file_template", "a b={{.Nope}}", expected).await;
    assert_eq!(world.left(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn galaxy_installs_roles_and_collections_first() {
    let world = World::new("");
    std::fs::write(world.path("r.yml"), "roles: []\ncollections: []\n").expect("a file");
    let recording = world
        .provision(
            FakeHost::new(),
            &[
                ("galaxy_file", &world.path("r.yml")),
                ("roles_path", "/r"),
                ("collections_path", "/c"),
            ],
            &[],
        )
        .await;
    recording.outcome.expect("it plays");
    let file = world.path("r.yml");
    let expected =
        format!("install\n-r\n{file}\n-p\n/r\ncollection\ninstall\n-r\n{file}\n-p\n/c\n-e\n");
    let arguments = world.text("arguments");
    assert!(arguments.starts_with(&expected), "{arguments}");
}

#[tokio::test]
async fn a_failed_play_fails_the_build_and_leaves_nothing() {
    let world = World::new("exit 4");
    let recording = world.provision(FakeHost::new(), &[], &SSH).await;
    let message = recording.outcome.expect_err("it failed").message;
    assert_eq!(message, "Ansible failed: exit status 4");
    assert_eq!(world.left(), Vec::<std::path::PathBuf>::new());
    assert!(recording.left.is_empty());
}

#[tokio::test]
async fn a_cancelled_play_is_gone_with_everything_it_was_given() {
    let world = World::new("echo $$ > pid; echo playing; sleep 600");
    let host = FakeHost::new().cancel_when(|told| *told == Told::Said("playing".to_owned()));
    let recording = world.provision(host, &[], &SSH).await;
    assert!(recording.outcome.expect_err("it is cancelled").cancelled);
    let pid: u32 = world.text("pid").trim().parse().expect("a number");
    let running = kiln_sdk::ProcessIdentity::of(pid).is_some_and(|one| one.is_running());
    assert!(!running, "ansible outlived the cancellation");
    assert_eq!(world.left(), Vec::<std::path::PathBuf>::new());
    assert!(recording.left.is_empty(), "{:?}", recording.left);
}

#[tokio::test]
async fn an_inventory_can_be_kept_or_given() {
    let world = World::new("");
    std::fs::create_dir(world.path("kept")).expect("a folder");
    let options = [
        ("inventory_directory", world.path("kept")),
        ("keep_inventory_file", "true".to_owned()),
    ];
    let options: Vec<(&str, &str)> = options
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let recording = world.provision(FakeHost::new(), &options, &[]).await;
    recording.outcome.expect("it plays");
    let kept = std::fs::read_dir(world.path("kept"))
        .expect("it is there")
        .count();
    assert_eq!(kept, 1);
    std::fs::write(world.path("mine"), "mine\n").expect("an inventory");
    let own = world.path("mine");
    let recording = world
        .provision(FakeHost::new(), &[("inventory_file", &own)], &[])
        .await;
    recording.outcome.expect("it plays");
    assert_eq!(world.text("inventory"), "mine\n");
    assert!(
        Path::new(&own).exists(),
        "the template's own inventory was removed"
    );
}

#[test]
fn an_empty_option_is_one_that_is_not_set() {
    let names = [
        "command",
        "galaxy_command",
        "host_alias",
        "ansible_proxy_key_type",
    ];
    let config = config(&names.map(|name| (name, "")));
    let found = [
        &config.command,
        &config.galaxy_command,
        &config.host_alias,
        &config.ansible_proxy_key_type,
    ];
    let expected = ["ansible-playbook", "ansible-galaxy", "default", "ECDSA"];
    assert_eq!(found, expected);
}

#[test]
fn wrong_options_are_named() {
    let check = |entries: &[(&str, &str)], expected: &[&str]| {
        let mut all = vec![("playbook_file", "/bin/sh"), ("command", "/bin/sh")];
        all.retain(|(name, _)| entries.iter().all(|(other, _)| other != name));
        all.extend(entries);
        let problems = config(&all).check();
        let paths: Vec<String> = problems.iter().map(|one| one.path.to_string()).collect();
        assert_eq!(paths, expected, "{problems:?}");
    };
    check(&[], &[]);
    check(&[("playbook_file", "")], &["playbook_file"]);
    check(&[("playbook_file", "/no/such")], &["playbook_file"]);
    check(&[("command", "no-such-ansible -v")], &["command"]);
    check(
        &[
            ("command", "no-such-ansible"),
            ("skip_version_check", "true"),
        ],
        &[],
    );
    check(&[("command", "/etc/passwd")], &["command"]);
    check(
        &[
            ("inventory_file", "/etc/passwd"),
            ("groups", "a"),
            ("empty_groups", "b"),
            ("inventory_file_template", "x"),
        ],
        &["groups", "empty_groups", "inventory_file_template"],
    );
    check(
        &[
            ("command", "no-such-ansible"),
            ("ansible_env_vars", "PATH=/opt"),
        ],
        &[],
    );
    check(
        &[
            ("galaxy_file", "/no/such"),
            ("ssh_host_key_file", "/no/such"),
            ("inventory_directory", "/bin/sh"),
            ("inventory_file", "/no/such"),
            ("extra_arguments", "{{"),
            ("ansible_env_vars", "novalue"),
            ("host_alias", "a b"),
            ("groups", "x]"),
            ("ansible_proxy_key_type", "DSA"),
            ("galaxy_command", "/bin/sh"),
        ],
        &[
            "galaxy_file",
            "ssh_host_key_file",
            "inventory_directory",
            "inventory_file",
            "extra_arguments",
            "ansible_env_vars",
            "groups",
            "host_alias",
            "groups",
            "ansible_proxy_key_type",
        ],
    );
    check_options::<AnsibleConfig>();
}
