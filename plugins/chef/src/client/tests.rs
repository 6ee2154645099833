//! `chef-client` against a guest in memory.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kiln_sdk::communicator::{
    Command, CommunicatorError, Exit, FileTarget, Output, Reader, Writer, tree,
};
use kiln_sdk::{BuildInfo, Communicator, Value};
use kiln_sdk_test_kit::{FakeHost, Memory, Recording, Scripted, Told, check_options};
use tokio::sync::mpsc;

use super::ChefClient;
use super::config::ClientConfig;

type Options<'a> = &'a [(&'a str, &'a str)];

async fn run(
    host: FakeHost,
    machine: Arc<dyn Communicator>,
    entries: Options<'_>,
) -> Recording<()> {
    let mut options: Value = [
        ("server_url", "https://chef.example"),
        ("skip_install", "true"),
        ("staging_directory", "/s"),
        ("node_name", "web"),
    ]
    .into_iter()
    .collect();
    for (name, value) in entries {
        options.insert(*name, *value);
    }
    let host = host.with_build(BuildInfo::default());
    host.provision(ChefClient, options, machine, Value::empty_map())
        .await
}

async fn provision(machine: &Memory, entries: Options<'_>) -> Recording<()> {
    run(FakeHost::new(), Arc::new(machine.clone()), entries).await
}

/// A machine where Chef never ends.
struct Stuck(Memory);

#[async_trait]
impl Communicator for Stuck {
    async fn exec(
        &self,
        command: Command,
        output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        if command.command == CHEF {
            std::future::pending::<()>().await;
        }
        self.0.exec(command, output).await
    }

    async fn upload(&self, target: FileTarget, source: Reader) -> Result<u64, CommunicatorError> {
        self.0.upload(target, source).await
    }

    async fn download(&self, path: &str, sink: Writer) -> Result<u64, CommunicatorError> {
        self.0.download(path, sink).await
    }

    async fn upload_tree(
        &self,
        path: &str,
        entries: tree::Entries,
    ) -> Result<u64, CommunicatorError> {
        self.0.upload_tree(path, entries).await
    }

    async fn download_tree(
        &self,
        path: &str,
        exclude: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        self.0.download_tree(path, exclude).await
    }

    async fn reconnect(&self, limit: Option<Duration>) -> Result<(), CommunicatorError> {
        self.0.reconnect(limit).await
    }

    async fn forward(&self, host: &str, port: u16) -> Result<(Reader, Writer), CommunicatorError> {
        self.0.forward(host, port).await
    }
}

/// What was run, without the looks for programs.
fn commands(machine: &Memory) -> Vec<String> {
    let commands = machine.commands().into_iter();
    let commands = commands.map(|recorded| recorded.command);
    commands.filter(|one| !one.contains("command -v")).collect()
}

fn text(machine: &Memory, path: &str) -> String {
    let content = machine
        .file(path)
        .unwrap_or_else(|| panic!("{path} is not there"));
    String::from_utf8_lossy(&content).into_owned()
}

fn file(content: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), content).expect("it can be written");
    file
}

const CHEF: &str = "sudo chef-client --no-color -c /s/client.rb -j /s/first-boot.json";
const NODE: &str = "sudo knife node delete web -y -c /s/knife.rb";
const CLIENT: &str = "sudo knife client delete web -y -c /s/knife.rb";

#[tokio::test]
async fn a_node_is_made_and_forgotten() {
    let machine = Memory::new();
    provision(&machine, &[])
        .await
        .outcome
        .expect("all commands end with 0");
    let expected = [
        "sudo mkdir -p '/s'",
        "sudo chmod 0777 '/s'",
        CHEF,
        NODE,
        CLIENT,
        "sudo rm -rf '/s'",
    ];
    assert_eq!(commands(&machine), expected);
    let head = "log_level :info\nlog_location STDOUT\nchef_server_url \"https://chef.example\"\n\
                client_key \"/s/client.pem\"\n";
    assert_eq!(
        text(&machine, "/s/client.rb"),
        format!("{head}chef_license \"\"\nnode_name \"web\"\n")
    );
    assert_eq!(
        text(&machine, "/s/knife.rb"),
        format!("{head}node_name \"web\"\n")
    );
    assert_eq!(text(&machine, "/s/first-boot.json"), "{}");
}

#[tokio::test]
async fn everything_given_is_in_the_configuration() {
    let (secret, key) = (file("bag"), file("pem"));
    let machine = Memory::new();
    let recording = provision(
        &machine,
        &[
            ("client_key", "/etc/chef/client.pem"),
            (
                "encrypted_data_bag_secret_path",
                &secret.path().display().to_string(),
            ),
            ("validation_key_path", &key.path().display().to_string()),
            ("chef_environment", "prod"),
            ("chef_license", "accept"),
            ("policy_group", "g"),
            ("policy_name", "p"),
            ("ssl_verify_mode", "verify_none"),
            ("trusted_certs_dir", "/certs"),
            ("rubygems_url", "https://gems.example"),
            ("skip_clean_node", "true"),
            ("skip_clean_client", "true"),
            ("skip_clean_staging_directory", "true"),
        ],
    )
    .await;
    recording.outcome.expect("all commands end with 0");
    assert_eq!(
        text(&machine, "/s/client.rb"),
        r#"log_level :info
log_location STDOUT
chef_server_url "https://chef.example"
client_key "/etc/chef/client.pem"
chef_license "accept"
encrypted_data_bag_secret "/s/encrypted_data_bag_secret"
validation_key "/s/validation.pem"
validation_client_name "chef-validator"
node_name "web"
environment "prod"
policy_group "g"
policy_name "p"
ssl_verify_mode :verify_none
trusted_certs_dir "/certs"
rubygems_url "https://gems.example"
"#
    );
    assert_eq!(
        commands(&machine)[2..],
        [
            CHEF,
            "sudo rm -rf '/s/encrypted_data_bag_secret'",
            "sudo rm -rf '/s/validation.pem'",
        ]
    );
}

#[tokio::test]
async fn a_failed_chef_is_cleaned_up_and_its_own_failure_counts() {
    let key = file("pem");
    for knife in [0, 1] {
        let machine = Memory::new();
        machine.script("knife", [Scripted::status(knife)]);
        machine.script("chef-client --no-color", [Scripted::status(3)]);
        let path = key.path().display().to_string();
        let recording = provision(&machine, &[("validation_key_path", &path)]).await;
        let message = recording.outcome.expect_err("chef failed").message;
        assert_eq!(message, "Chef failed: exit status 3");
        let removed = "sudo rm -rf '/s/validation.pem'";
        assert_eq!(commands(&machine)[2..], [CHEF, NODE, CLIENT, removed]);
    }
}

#[tokio::test]
async fn an_empty_option_is_one_that_is_not_set() {
    let (plain, empty) = (Memory::new(), Memory::new());
    provision(&plain, &[]).await.outcome.expect("it is run");
    let options = [("knife_command", ""), ("execute_command", "")];
    provision(&empty, &options)
        .await
        .outcome
        .expect("it is run");
    assert_eq!(commands(&empty), commands(&plain));
}

#[tokio::test]
async fn a_failed_clean_up_says_what_is_still_on_the_server_and_why() {
    for (found, why) in [
        (0, "exit status 1 of knife"),
        (1, "there is no `knife` in the machine"),
    ] {
        let machine = Memory::new();
        machine.script("command -v knife", [Scripted::status(found)]);
        machine.script("knife node", [Scripted::status(1)]);
        let recording = provision(&machine, &[]).await;
        let message = recording.outcome.expect_err("no knife").message;
        let start = format!("the Chef server still has the node `web`: {why}");
        assert!(message.starts_with(&start), "{message}");
        assert!(
            message.ends_with("or set `skip_clean_node = true`"),
            "{message}"
        );
        // The client is deleted all the same.
        assert!(commands(&machine).contains(&CLIENT.to_owned()));
    }
}

#[tokio::test]
async fn a_machine_without_chef_or_without_sudo_is_said_to_be_one() {
    for (prevented, sudo) in [("false", true), ("true", false)] {
        let machine = Memory::new();
        machine.script("command -v chef-client", [Scripted::status(1)]);
        let recording = provision(&machine, &[("prevent_sudo", prevented)]).await;
        let message = recording.outcome.expect_err("no chef").message;
        let start = "there is no `chef-client` in the machine: install Chef first";
        assert!(message.starts_with(start), "{message}");
        assert_eq!(message.contains("prevent_sudo"), sudo, "{message}");
        assert_eq!(commands(&machine), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_secret_does_not_stay_when_the_next_file_cannot_be_uploaded() {
    let (secret, key) = (file("bag"), file("pem"));
    let machine = Memory::new();
    let options = [
        (
            "encrypted_data_bag_secret_path",
            secret.path().display().to_string(),
        ),
        ("validation_key_path", key.path().display().to_string()),
    ];
    let options = [
        (options[0].0, &*options[0].1),
        (options[1].0, &*options[1].1),
    ];
    machine.fail_uploads(1);
    let recording = provision(&machine, &options).await;
    recording.outcome.expect_err("an upload failed");
    let removed = [
        "sudo rm -rf '/s/encrypted_data_bag_secret'",
        "sudo rm -rf '/s/validation.pem'",
    ];
    assert_eq!(commands(&machine)[2..], removed);
}

#[tokio::test]
async fn a_cancelled_run_is_forgotten_by_the_server_too() {
    let machine = Memory::new();
    let chef = Told::Said(format!("Executing Chef: {CHEF}"));
    let host = FakeHost::new().cancel_when(move |told| *told == chef);
    let recording = run(host, Arc::new(Stuck(machine.clone())), &[]).await;
    assert!(recording.outcome.expect_err("it is cancelled").cancelled);
    let commands = commands(&machine);
    assert!(
        commands.ends_with(&[NODE.to_owned(), CLIENT.to_owned()]),
        "{commands:?}"
    );
}

#[tokio::test]
async fn the_templates_own_commands_and_configuration_get_every_value() {
    let template = file(
        "{{.NodeName}}|{{.ServerUrl}}|{{.ClientKey}}|{{.ChefEnvironment}}|{{.ChefLicense}}|\
         {{.PolicyGroup}}|{{.PolicyName}}|{{.SslVerifyMode}}|{{.TrustedCertsDir}}|\
         {{.RubygemsURL}}|{{.ValidationClientName}}|{{.ValidationKeyPath}}|\
         {{.EncryptedDataBagSecretPath}}",
    );
    let machine = Memory::new();
    let recording = provision(
        &machine,
        &[
            ("config_template", &template.path().display().to_string()),
            ("knife_command", "k {{.Args}} {{.Flags}} {{.Sudo}}"),
            (
                "execute_command",
                "c {{.ConfigPath}} {{.JsonPath}} {{.Sudo}}",
            ),
            ("prevent_sudo", "true"),
            ("node_name", "it's $x"),
        ],
    )
    .await;
    recording.outcome.expect("all commands end with 0");
    assert_eq!(
        commands(&machine)[2..5],
        [
            "c /s/client.rb /s/first-boot.json false",
            "k node delete 'it'\\''s $x' -y -c /s/knife.rb false",
            "k client delete 'it'\\''s $x' -y -c /s/knife.rb false",
        ]
    );
    assert_eq!(
        text(&machine, "/s/client.rb"),
        "it's $x|https://chef.example|/s/client.pem||||||||chef-validator||"
    );
}

#[tokio::test]
async fn an_elevated_client_runs_from_a_script_without_its_password_on_the_command_line() {
    let machine = Memory::new();
    let options = [
        ("guest_os_type", "windows"),
        ("elevated_user", "admin"),
        ("elevated_password", "hunter2"),
    ];
    provision(&machine, &options)
        .await
        .outcome
        .expect("all commands end with 0");
    let all = commands(&machine).join("\n");
    assert!(
        all.contains("packer-elevated-shell-") && !all.contains("hunter2"),
        "{all}"
    );
    assert!(all.contains("c:/opscode/chef/bin/knife.bat node delete web -y -c /s/knife.rb"));
}

#[test]
fn wrong_options_are_named() {
    let check = |entries: Options<'_>, expected: &[&str]| {
        let options: Value = entries.iter().copied().collect();
        let read = kiln_sdk::config::decode::<ClientConfig>(&options);
        let problems = read.expect("the options fit").0.check();
        let paths: Vec<String> = problems.iter().map(|one| one.path.to_string()).collect();
        assert_eq!(paths, expected, "{problems:?}");
    };
    check(&[], &["server_url"]);
    check(
        &[
            ("server_url", "x"),
            ("validation_key_path", "/no/such"),
            ("policy_group", "g"),
            ("ssl_verify_mode", "x; y"),
            ("elevated_password", "x"),
            ("knife_command", "{{"),
        ],
        &[
            "validation_key_path",
            "knife_command",
            "policy_name",
            "ssl_verify_mode",
            "elevated_password",
        ],
    );
    check(
        &[("server_url", "x"), ("elevated_user", "me")],
        &["elevated_user"],
    );
    check_options::<ClientConfig>();
}
