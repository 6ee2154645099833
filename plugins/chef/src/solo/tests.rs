//! `chef-solo` against a guest in memory.

use std::sync::Arc;

use kiln_sdk::communicator::Stored;
use kiln_sdk::{BuildInfo, Value};
use kiln_sdk_test_kit::{FakeHost, Memory, Recording, Scripted, check_options};

use super::ChefSolo;
use super::config::SoloConfig;

type Options<'a> = &'a [(&'a str, &'a str)];

async fn provision(machine: &Memory, entries: Options<'_>) -> Recording<()> {
    let options: Value = entries.iter().copied().collect();
    let build = BuildInfo {
        source_name: "n".to_owned(),
        ..BuildInfo::default()
    };
    let host = FakeHost::new().with_build(build);
    let machine = Arc::new(machine.clone());
    host.provision(ChefSolo, options, machine, Value::empty_map())
        .await
}

fn commands(machine: &Memory) -> Vec<String> {
    let commands = machine.commands().into_iter();
    commands.map(|recorded| recorded.command).collect()
}

fn text(machine: &Memory, path: &str) -> String {
    let content = machine
        .file(path)
        .unwrap_or_else(|| panic!("{path} is not there"));
    String::from_utf8_lossy(&content).into_owned()
}

/// A folder with everything chef-solo can be given.
fn files() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["one/ntp/recipes", "two", "roles", "bags", "environments"] {
        std::fs::create_dir_all(folder.path().join(name)).expect("folders");
    }
    std::fs::write(folder.path().join("one/ntp/recipes/default.rb"), "# ntp").expect("a file");
    std::fs::write(folder.path().join("secret"), "s3cret").expect("a file");
    std::fs::write(
        folder.path().join("solo.tpl"),
        "{{.CookbookPaths}}|{{.HasRolesPath}}|{{.RolesPath}}|{{.HasDataBagsPath}}|\
         {{.DataBagsPath}}|{{.HasEncryptedDataBagSecretPath}}|{{.EncryptedDataBagSecretPath}}|\
         {{.HasEnvironmentsPath}}|{{.EnvironmentsPath}}|{{.ChefEnvironment}}|{{.ChefLicense}}",
    )
    .expect("a file");
    folder
}

#[tokio::test]
async fn chef_is_installed_configured_and_run() {
    let machine = Memory::new();
    let recording = provision(&machine, &[("run_list", "recipe[a],role[b]")]).await;
    recording.outcome.expect("all commands end with 0");
    assert_eq!(
        commands(&machine),
        [
            "curl -fsSL https://omnitruck.chef.io/install.sh | sudo bash -s --",
            "sudo sh -c 'command -v chef-solo >/dev/null'",
            "sudo mkdir -p '/tmp/packer-chef-solo'",
            "sudo chmod 0777 '/tmp/packer-chef-solo'",
            "sudo chef-solo --no-color -c /tmp/packer-chef-solo/solo.rb -j \
             /tmp/packer-chef-solo/node.json",
        ]
    );
    assert_eq!(
        text(&machine, "/tmp/packer-chef-solo/solo.rb"),
        "chef_license \"accept-silent\"\ncookbook_path []\n"
    );
    assert_eq!(
        text(&machine, "/tmp/packer-chef-solo/node.json"),
        "{\n  \"run_list\": [\n    \"recipe[a]\",\n    \"role[b]\"\n  ]\n}"
    );
}

#[tokio::test]
async fn an_empty_option_is_one_that_is_not_set() {
    let (plain, empty) = (Memory::new(), Memory::new());
    let options = [("execute_command", ""), ("install_command", "")];
    provision(&plain, &[]).await.outcome.expect("it is run");
    provision(&empty, &options)
        .await
        .outcome
        .expect("it is run");
    assert_eq!(commands(&empty), commands(&plain));
    let files = plain.stored().into_keys();
    for file in files {
        assert_eq!(text(&empty, &file), text(&plain, &file));
    }
}

#[tokio::test]
async fn a_secret_need_be_no_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, b"\xff\x00\xfe").expect("a file");
    let machine = Memory::new();
    let path = secret.display().to_string();
    let options = [
        ("encrypted_data_bag_secret_path", &*path),
        ("staging_directory", "/s"),
    ];
    let recording = provision(&machine, &options).await;
    recording.outcome.expect("all commands end with 0");
    let expected = Stored::File(0o600, b"\xff\x00\xfe".as_slice().into());
    let place = "/s/encrypted_data_bag_secret";
    assert_eq!(machine.stored().get(place), Some(&expected));
}

#[tokio::test]
async fn everything_is_staged_and_the_secret_does_not_stay() {
    let files = files();
    let path = |name: &str| files.path().join(name).display().to_string();
    let cookbooks = format!("{},{}", path("one"), path("two"));
    for answer in [0, 1] {
        let machine = Memory::new();
        machine.script("chef-solo --no-color", [Scripted::status(answer)]);
        let recording = provision(
            &machine,
            &[
                ("cookbook_paths", &cookbooks),
                ("remote_cookbook_paths", "/opt/it's"),
                ("roles_path", &path("roles")),
                ("data_bags_path", &path("bags")),
                ("encrypted_data_bag_secret_path", &path("secret")),
                ("environments_path", &path("environments")),
                ("chef_environment", "a\"b#{x}"),
                ("skip_install", "true"),
                ("staging_directory", "/s"),
                ("prevent_sudo", "true"),
            ],
        )
        .await;
        assert_eq!(recording.outcome.is_err(), answer == 1);
        let commands = commands(&machine);
        let run = "chef-solo --no-color -c /s/solo.rb -j /s/node.json";
        assert_eq!(commands[commands.len() - 2], run);
        assert_eq!(
            commands[commands.len() - 1],
            "rm -rf '/s/encrypted_data_bag_secret'"
        );
        assert_eq!(
            text(&machine, "/s/solo.rb"),
            r#"chef_license ""
cookbook_path ["/opt/it's","/s/cookbooks-0","/s/cookbooks-1"]
role_path "/s/roles"
data_bag_path "/s/data_bags"
encrypted_data_bag_secret "/s/encrypted_data_bag_secret"
environment_path "/s/environments"
environment "a\"b\#{x}"
"#
        );
        assert_eq!(
            text(&machine, "/s/cookbooks-0/ntp/recipes/default.rb"),
            "# ntp"
        );
        assert_eq!(text(&machine, "/s/encrypted_data_bag_secret"), "s3cret");
    }
}

#[tokio::test]
async fn the_templates_own_commands_and_configuration_get_every_value() {
    let files = files();
    let path = |name: &str| files.path().join(name).display().to_string();
    let machine = Memory::new();
    let recording = provision(
        &machine,
        &[
            ("cookbook_paths", &path("one")),
            ("roles_path", &path("roles")),
            ("config_template", &path("solo.tpl")),
            ("chef_environment", "no folder"),
            ("staging_directory", "/s"),
            ("install_command", "install {{.Version}} {{.Sudo}}"),
            ("version", "16.1"),
            (
                "execute_command",
                "run {{.ConfigPath}} {{.JsonPath}} {{.Sudo}}",
            ),
        ],
    )
    .await;
    recording.outcome.expect("all commands end with 0");
    let commands = commands(&machine);
    assert_eq!(commands[0], "install 16.1 true");
    assert_eq!(
        commands[commands.len() - 1],
        "run /s/solo.rb /s/node.json true"
    );
    assert_eq!(
        text(&machine, "/s/solo.rb"),
        "\"/s/cookbooks-0\"|true|/s/roles|false||false||false|||"
    );
}

#[tokio::test]
async fn windows_has_programs_and_paths_of_its_own() {
    let machine = Memory::new();
    let options = [("guest_os_type", "windows"), ("version", "15.8")];
    provision(&machine, &options)
        .await
        .outcome
        .expect("all commands end with 0");
    let commands = commands(&machine);
    assert!(
        commands[0].ends_with("| iex; Install-Project -version 15.8\""),
        "{commands:?}"
    );
    assert_eq!(
        commands[commands.len() - 1],
        "c:/opscode/chef/bin/chef-solo.bat --no-color -c C:/Windows/Temp/packer-chef-solo/solo.rb \
         -j C:/Windows/Temp/packer-chef-solo/node.json"
    );
}

#[tokio::test]
async fn failures_say_what_to_do() {
    let check = async |part: &str, answer: Scripted, expected: &str| {
        let machine = Memory::new();
        machine.script(part, [answer]);
        let recording = provision(&machine, &[]).await;
        let message = recording.outcome.expect_err("it failed").message;
        assert!(message.contains(expected), "{message}");
    };
    check(
        "curl",
        Scripted::status(22),
        "Install script failed: exit status 22",
    )
    .await;
    check("command -v", Scripted::status(1), "set `install_command`").await;
    check(
        "--no-color",
        Scripted::status(1),
        "Chef failed: exit status 1",
    )
    .await;
    check(
        "--no-color",
        Scripted::status(127),
        "there is no `chef-solo` in the machine",
    )
    .await;
    check("--no-color", Scripted::disconnect(), "the connection broke").await;
}

#[test]
fn wrong_options_are_named() {
    let check = |entries: Options<'_>, expected: &[&str]| {
        let options: Value = entries.iter().copied().collect();
        let read = kiln_sdk::config::decode::<SoloConfig>(&options);
        let problems = read.expect("the options fit").0.check();
        let paths: Vec<String> = problems.iter().map(|one| one.path.to_string()).collect();
        assert_eq!(paths, expected, "{problems:?}");
    };
    check(&[], &[]);
    check(&[("chef_environment", "prod")], &["chef_environment"]);
    check(
        &[
            ("cookbook_paths", "<unknown>"),
            ("json_string", "<unknown>"),
        ],
        &[],
    );
    check(
        &[
            ("cookbook_paths", "/no/such"),
            ("roles_path", "/no/such"),
            ("config_template", "/bin"),
            ("execute_command", "{{"),
            ("json_string", "["),
            ("version", "1; reboot"),
        ],
        &[
            "cookbook_paths",
            "roles_path",
            "config_template",
            "execute_command",
            "json_string",
            "version",
        ],
    );
    check_options::<SoloConfig>();
}
