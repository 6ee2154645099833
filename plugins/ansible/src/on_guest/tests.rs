//! `ansible-local` against a guest in memory.

use std::path::PathBuf;
use std::sync::Arc;

use kiln_sdk::{BuildInfo, Config, Value};
use kiln_sdk_test_kit::{FakeHost, Memory, Recording, Scripted, check_options};

use super::config::LocalConfig;
use super::layout::Layout;
use super::{AnsibleLocal, layout};

fn options(entries: &[(&str, &str)]) -> Value {
    entries.iter().copied().collect()
}

fn config(entries: &[(&str, &str)]) -> LocalConfig {
    kiln_sdk::config::decode::<LocalConfig>(&options(entries))
        .expect("the options fit")
        .0
}

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

async fn provision(machine: &Memory, name: &str, entries: &[(&str, &str)]) -> Recording<()> {
    let build = BuildInfo {
        source_name: name.to_owned(),
        builder_type: "null".to_owned(),
        ..BuildInfo::default()
    };
    FakeHost::new()
        .with_build(build)
        .provision(
            AnsibleLocal,
            options(entries),
            Arc::new(machine.clone()),
            Value::empty_map(),
        )
        .await
}

fn commands(machine: &Memory) -> Vec<String> {
    let commands = machine.commands().into_iter();
    commands.map(|recorded| recorded.command).collect()
}

#[tokio::test]
async fn a_playbook_is_staged_run_and_removed() {
    let files = Files::new(&[("site.yml", "- hosts: all\n")]);
    let machine = Memory::new();
    let recording = provision(
        &machine,
        "debian",
        &[
            ("playbook_file", &files.path("site.yml")),
            ("staging_directory", "/tmp/s/"),
            ("extra_arguments", "-vv,--tags 'a b'"),
            ("clean_staging_directory", "true"),
        ],
    )
    .await;
    recording.outcome.expect("all commands end with 0");
    assert_eq!(
        commands(&machine),
        [
            "mkdir -p '/tmp/s'",
            "cd /tmp/s && ANSIBLE_FORCE_COLOR=1 PYTHONUNBUFFERED=1 ansible-playbook \
             /tmp/s/site.yml --extra-vars 'packer_build_name=\"debian\"' --extra-vars \
             packer_builder_type=null -vv --tags 'a b' -c local -i \
             /tmp/s/packer-provisioner-ansible-local-inventory",
            "rm -rf '/tmp/s'",
        ]
    );
    assert_eq!(
        machine.file("/tmp/s/site.yml").expect("it is staged"),
        "- hosts: all\n"
    );
    let inventory = machine.file("/tmp/s/packer-provisioner-ansible-local-inventory");
    assert_eq!(inventory.expect("there is one"), "127.0.0.1\n");
}

#[test]
fn an_empty_command_is_one_that_is_not_set() {
    let config = config(&[("command", ""), ("galaxy_command", "")]);
    assert!(config.command.ends_with(" ansible-playbook"));
    assert_eq!(config.galaxy_command, "ansible-galaxy");
}

#[tokio::test]
async fn everything_is_staged_where_ansible_looks() {
    let files = Files::new(&[
        ("site.yml", "x"),
        ("play/tasks/main.yml", "tasks"),
        ("g/all.yml", "group"),
        ("h/web.yml", "host"),
        ("roles/nginx/tasks/main.yml", "role"),
        ("collections/ansible_collections/x", "collection"),
        ("more/other.yml", "other"),
        ("hosts.ini", "web\n"),
    ]);
    let machine = Memory::new();
    let recording = provision(
        &machine,
        "n",
        &[
            ("playbook_file", &files.path("site.yml")),
            ("staging_directory", "/s"),
            ("playbook_dir", &files.path("play")),
            ("group_vars", &files.path("g")),
            ("host_vars", &files.path("h")),
            ("role_paths", &files.path("roles/nginx")),
            (
                "collection_paths",
                &files.path("collections/ansible_collections"),
            ),
            ("playbook_paths", &files.path("more")),
            ("inventory_file", &files.path("hosts.ini")),
        ],
    )
    .await;
    recording.outcome.expect("all commands end with 0");
    for (path, expected) in [
        ("/s/tasks/main.yml", "tasks"),
        ("/s/group_vars/all.yml", "group"),
        ("/s/host_vars/web.yml", "host"),
        ("/s/roles/nginx/tasks/main.yml", "role"),
        ("/s/collections/ansible_collections/x", "collection"),
        ("/s/playbooks/more/other.yml", "other"),
        ("/s/hosts.ini", "web\n"),
    ] {
        assert_eq!(machine.file(path).expect(path), expected);
    }
    assert!(
        commands(&machine)
            .last()
            .expect("a command")
            .ends_with("-c local -i /s/hosts.ini")
    );
}

#[tokio::test]
async fn galaxy_installs_first_and_ansible_finds_it() {
    let check = async |text: &str, calls: &[&str], paths: &str| {
        let files = Files::new(&[("site.yml", "x"), ("requirements.yml", text)]);
        let machine = Memory::new();
        let recording = provision(
            &machine,
            "",
            &[
                ("playbook_file", &files.path("site.yml")),
                ("staging_directory", "/s"),
                ("galaxy_file", &files.path("requirements.yml")),
                ("galaxy_force_install", "true"),
            ],
        )
        .await;
        recording.outcome.expect("all commands end with 0");
        let commands = commands(&machine);
        assert_eq!(commands[1..commands.len() - 1], *calls);
        let play = commands.last().expect("a command");
        assert!(
            play.starts_with(&format!("cd /s && {paths}ANSIBLE_FORCE")),
            "{play}"
        );
    };
    let roles = "cd /s && ansible-galaxy install -r /s/requirements.yml -f -p /s/galaxy_roles";
    let collections = "cd /s && ansible-galaxy collection install -r /s/requirements.yml -f -p \
                       /s/galaxy_collections";
    let roles_path = "ANSIBLE_ROLES_PATH=\"$ANSIBLE_ROLES_PATH\":/s/galaxy_roles ";
    let collections_path =
        "ANSIBLE_COLLECTIONS_PATH=\"$ANSIBLE_COLLECTIONS_PATH\":/s/galaxy_collections ";
    check("- src: a.b\n", &[roles], roles_path).await;
    check("collections:\n- a.b\n", &[collections], collections_path).await;
    let both = format!("{collections_path}{roles_path}");
    check("roles: []\ncollections: []\n", &[roles, collections], &both).await;
}

#[test]
fn playbooks_keep_their_paths_below_the_staging_folder() {
    let files = Files::new(&[("dir/a.yml", "x"), ("dir-other/b.yml", "x")]);
    let list = format!(
        "{},{}",
        files.path("dir/a.yml"),
        files.path("dir-other/b.yml")
    );
    let config = config(&[
        ("playbook_dir", &files.path("dir")),
        ("playbook_files", &list),
        ("staging_directory", "/s"),
    ]);
    let layout = Layout::new(&config);
    assert_eq!(layout.playbooks[0].remote, "/s/a.yml");
    assert_eq!(layout.playbooks[0].upload, None);
    let outside = files.path("dir-other/b.yml");
    // A folder whose name only begins like `playbook_dir` is another folder.
    assert_eq!(layout.playbooks[1].remote, format!("/s{outside}"));
    assert_eq!(layout.playbooks[1].upload, Some(PathBuf::from(outside)));
    let up = self::config(&[
        ("playbook_files", "../x/y.yml"),
        ("staging_directory", "/s"),
    ]);
    assert_eq!(Layout::new(&up).playbooks[0].remote, "/s/x/y.yml");
}

#[test]
fn the_default_staging_folder_is_new_each_time() {
    let config = config(&[("playbook_file", "x.yml")]);
    let (first, second) = (Layout::new(&config), Layout::new(&config));
    assert!(
        first
            .staging
            .starts_with("/tmp/packer-provisioner-ansible-local/")
    );
    assert_ne!(first.staging, second.staging);
}

#[tokio::test]
async fn hostile_names_stay_one_word_each() {
    let files = Files::new(&[("it's a $(play).yml", "x")]);
    let machine = Memory::new();
    let recording = provision(
        &machine,
        "a\"b'c\nd $(reboot)",
        &[
            ("playbook_file", &files.path("it's a $(play).yml")),
            ("staging_directory", "/tmp/my stage"),
        ],
    )
    .await;
    recording.outcome.expect("all commands end with 0");
    let play = commands(&machine).pop().expect("a command");
    let expected = r#"cd '/tmp/my stage' && ANSIBLE_FORCE_COLOR=1 PYTHONUNBUFFERED=1 ansible-playbook '/tmp/my stage/it'\''s a $(play).yml' --extra-vars '{"packer_build_name":"a\"b'\''c\nd $(reboot)"}' --extra-vars packer_builder_type=null"#;
    assert!(play.starts_with(expected), "{play}");
}

#[tokio::test]
async fn the_exit_status_of_ansible_counts() {
    let files = Files::new(&[("site.yml", "x"), ("requirements.yml", "- src: a.b\n")]);
    let check = async |program: &str, answer: Scripted, expected: &str| {
        let machine = Memory::new();
        machine.script(program, [answer]);
        let entries = [
            ("playbook_file", &*files.path("site.yml")),
            ("galaxy_file", &*files.path("requirements.yml")),
        ];
        let recording = provision(&machine, "n", &entries).await;
        let message = recording.outcome.expect_err("it failed").message;
        assert!(message.contains(expected), "{message}");
    };
    check(
        "ansible-playbook",
        Scripted::status(2),
        "Ansible failed: exit status 2",
    )
    .await;
    check(
        "ansible-playbook",
        Scripted::status(127),
        "there is no `ansible-playbook` on the machine's PATH; install Ansible in it first, or say \
         with `command` where it is",
    )
    .await;
    check(
        "ansible-galaxy",
        Scripted::status(127),
        "there is no `ansible-galaxy` on the machine's PATH; install Ansible in it first, or say \
         with `galaxy_command` where it is",
    )
    .await;
    check(
        "ansible-playbook",
        Scripted::disconnect(),
        "the connection broke",
    )
    .await;
}

#[test]
fn wrong_options_are_named() {
    let check = |entries: &[(&str, &str)], expected: &[&str]| {
        let problems = config(entries).check();
        let paths: Vec<String> = problems.iter().map(|one| one.path.to_string()).collect();
        assert_eq!(paths, expected);
    };
    check(&[], &["playbook_file"]);
    check(&[("playbook_file", "/no/such")], &["playbook_file"]);
    check(
        &[
            ("playbook_file", "/bin/sh"),
            ("inventory_file", "/bin/sh"),
            ("inventory_groups", "web"),
        ],
        &["inventory_groups"],
    );
    check(
        &[("playbook_file", "/bin/sh"), ("playbook_files", "/bin/sh")],
        &["playbook_files"],
    );
    check(
        &[
            ("playbook_file", "<unknown>"),
            ("role_paths", "/no/such,/bin/sh"),
            ("inventory_groups", "a\nb"),
            ("group_vars", "/bin/sh"),
        ],
        &["group_vars", "role_paths", "role_paths", "inventory_groups"],
    );
    check_options::<LocalConfig>();
    assert_eq!(LocalConfig::schema().attributes.len(), 19);
}

#[test]
fn groups_of_the_default_inventory_hold_the_machine() {
    let groups = ["web".to_owned(), "db".to_owned()];
    assert_eq!(
        layout::inventory(&groups),
        "[web]\n127.0.0.1\n[db]\n127.0.0.1\n"
    );
}
