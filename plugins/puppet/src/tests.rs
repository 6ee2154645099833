//! Both provisioners against a guest in memory.

use std::sync::Arc;

use kiln_sdk::staging::{BuildFacts, GuestOs};
use kiln_sdk::{BuildInfo, Provisioner, Value};
use kiln_sdk_test_kit::{FakeHost, Memory, Recording, Scripted, check_options};

use crate::facts;
use crate::masterless::{MasterlessConfig, PuppetMasterless};
use crate::server::{PuppetServer, ServerConfig};

type Options<'a> = &'a [(&'a str, &'a str)];

async fn provision<P: Provisioner>(
    provisioner: P,
    machine: &Memory,
    entries: Options<'_>,
) -> Recording<()> {
    let build = BuildInfo {
        source_name: "it's".to_owned(),
        builder_type: "null".to_owned(),
        ..BuildInfo::default()
    };
    let options: Value = entries.iter().copied().collect();
    let generated: Value = [("Host", "h")].into_iter().collect();
    let host = FakeHost::new().with_build(build);
    host.provision(provisioner, options, Arc::new(machine.clone()), generated)
        .await
}

fn commands(machine: &Memory) -> Vec<String> {
    let commands = machine.commands().into_iter();
    commands.map(|recorded| recorded.command).collect()
}

/// A folder with a manifest, a module and a configuration of Hiera.
fn files() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    std::fs::create_dir_all(path.join("modules/ntp/manifests")).expect("folders");
    std::fs::create_dir_all(path.join("more")).expect("a folder");
    std::fs::write(path.join("modules/ntp/manifests/init.pp"), "class ntp {}").expect("a file");
    std::fs::write(path.join("more/other.pp"), "# other").expect("a file");
    std::fs::write(path.join("site.pp"), "include ntp").expect("a file");
    std::fs::write(path.join("hiera.yaml"), "version: 5").expect("a file");
    folder
}

#[tokio::test]
async fn everything_is_staged_and_applied() {
    let files = files();
    let path = |name: &str| files.path().join(name).display().to_string();
    let machine = Memory::new();
    machine.script("--version", [Scripted::stdout("7.23.0\n")]);
    let modules = format!("{},{}", path("modules"), path("more"));
    let recording = provision(
        PuppetMasterless,
        &machine,
        &[
            ("manifest_file", &path("site.pp")),
            ("manifest_dir", &path("more")),
            ("module_paths", &modules),
            ("hiera_config_path", &path("hiera.yaml")),
            ("extra_arguments", "--verbose,--certname={{.Host}}"),
            ("clean_staging_directory", "true"),
            ("staging_directory", "/s"),
        ],
    )
    .await;
    recording.outcome.expect("all commands end with 0");
    let apply = "cd /s && sudo -E env FACTER_packer_build_name='it'\\''s' \
                 FACTER_packer_builder_type='null' puppet apply --detailed-exitcodes \
                 --modulepath='/s/module-0:/s/module-1' --hiera_config='/s/hiera.yaml' --verbose \
                 --certname=h /s/manifests/site.pp";
    let all = commands(&machine);
    assert_eq!(all[all.len() - 2], apply);
    let read = all[all.len() - 3].starts_with("sh -c 'exec ");
    assert!(read, "{all:?}");
    assert_eq!(all[all.len() - 1], "sudo rm -rf '/s'");
    assert_eq!(all[..2], ["sudo mkdir -p '/s'", "sudo chmod 0777 '/s'"]);
    for (path, expected) in [
        ("/s/manifests/site.pp", "include ntp"),
        ("/s/manifests/other.pp", "# other"),
        ("/s/module-0/ntp/manifests/init.pp", "class ntp {}"),
        ("/s/module-1/other.pp", "# other"),
        ("/s/hiera.yaml", "version: 5"),
    ] {
        assert_eq!(machine.file(path).expect(path), expected);
    }
}

/// The command that runs Puppet.
async fn puppet_command<P: Provisioner>(provisioner: P, entries: Options<'_>) -> String {
    let machine = Memory::new();
    machine.script("--version", [Scripted::stdout("3.8.7\n")]);
    let recording = provision(provisioner, &machine, entries).await;
    recording.outcome.expect("all commands end with 0");
    commands(&machine).pop().expect("a command")
}

#[tokio::test]
async fn an_empty_command_is_one_that_is_not_set() {
    let files = files();
    let manifest = files.path().join("site.pp").display().to_string();
    let (plain, empty) = (("manifest_file", &*manifest), ("execute_command", ""));
    assert_eq!(
        puppet_command(PuppetMasterless, &[plain, empty]).await,
        puppet_command(PuppetMasterless, &[plain]).await
    );
    assert_eq!(
        puppet_command(PuppetServer, &[empty]).await,
        puppet_command(PuppetServer, &[]).await
    );
}

#[tokio::test]
async fn a_puppet_of_old_is_told_about_the_folder_of_manifests() {
    let files = files();
    let path = |name: &str| files.path().join(name).display().to_string();
    let options = [
        ("manifest_file", &*path("site.pp")),
        ("manifest_dir", &*path("more")),
    ];
    let command = puppet_command(PuppetMasterless, &options).await;
    assert!(
        command.ends_with(
            " --manifestdir='/tmp/packer-puppet-masterless/manifests' \
             /tmp/packer-puppet-masterless/manifests/site.pp"
        ),
        "{command}"
    );
}

#[tokio::test]
async fn a_folder_of_manifests_is_applied_as_one() {
    let files = files();
    let more = files.path().join("more").display().to_string();
    let command = puppet_command(
        PuppetMasterless,
        &[
            ("manifest_file", &more),
            ("prevent_sudo", "true"),
            ("puppet_bin_dir", "/opt/my puppet/"),
            ("working_directory", "/work dir"),
        ],
    )
    .await;
    assert_eq!(
        command,
        "cd '/work dir' && FACTER_packer_build_name='it'\\''s' FACTER_packer_builder_type='null' \
         '/opt/my puppet/puppet' apply --detailed-exitcodes /tmp/packer-puppet-masterless/manifests"
    );
}

#[tokio::test]
async fn windows_has_commands_and_paths_of_its_own() {
    let files = files();
    let path = |name: &str| files.path().join(name).display().to_string();
    let modules = format!("{},{}", path("modules"), path("more"));
    let command = puppet_command(
        PuppetMasterless,
        &[
            ("manifest_file", &path("site.pp")),
            ("module_paths", &modules),
            ("guest_os_type", "windows"),
        ],
    )
    .await;
    let staging = "C:/Windows/Temp/packer-puppet-masterless";
    assert_eq!(
        command,
        format!(
            "cd {staging} && SET \"FACTER_packer_build_name=it's\" & SET \
             \"FACTER_packer_builder_type=null\" && puppet apply --detailed-exitcodes \
             --modulepath=\"{staging}/module-0;{staging}/module-1\" {staging}/manifests/site.pp"
        )
    );
}

#[tokio::test]
async fn the_templates_own_command_gets_every_value() {
    let files = files();
    let path = |name: &str| files.path().join(name).display().to_string();
    let command = "{{.WorkingDir}}|{{.FacterVars}}|{{.Sudo}}|{{.PuppetBinDir}}|{{.Debug}}|\
                   {{.ModulePath}}|{{.ModulePathJoiner}}|{{.HieraConfigPath}}|{{.ManifestDir}}|\
                   {{.ExtraArguments}}|{{.ManifestFile}}|{{build `Host`}}";
    let rendered = puppet_command(
        PuppetMasterless,
        &[
            ("manifest_file", &path("site.pp")),
            ("manifest_dir", &path("more")),
            ("module_paths", &path("modules")),
            ("staging_directory", "/s"),
            ("execute_command", command),
            ("puppet_bin_dir", "/b"),
            ("extra_arguments", "-x"),
        ],
    )
    .await;
    assert_eq!(
        rendered,
        "/s|FACTER_packer_build_name='it'\\''s' FACTER_packer_builder_type='null'|true|/b|false|\
         /s/module-0|:||/s/manifests|-x|/s/manifests/site.pp|h"
    );
    let server = "{{.PuppetServer}}|{{.PuppetNode}}|{{.ClientCertPath}}|{{.ClientPrivateKeyPath}}";
    let rendered = puppet_command(
        PuppetServer,
        &[
            ("execute_command", server),
            ("puppet_server", "p"),
            ("client_cert_path", &path("more")),
        ],
    )
    .await;
    assert_eq!(rendered, "p||/tmp/packer-puppet-server/certs|");
}

#[tokio::test]
async fn an_agent_gets_its_certificates_and_says_what_it_does() {
    let files = files();
    let path = |name: &str| files.path().join(name).display().to_string();
    let machine = Memory::new();
    let recording = provision(
        PuppetServer,
        &machine,
        &[
            ("puppet_server", "puppet.example"),
            ("puppet_node", "it's"),
            ("client_cert_path", &path("more")),
            ("client_private_key_path", &path("modules")),
            ("staging_dir", "/s"),
            ("prevent_sudo", "true"),
        ],
    )
    .await;
    recording.outcome.expect("all commands end with 0");
    assert_eq!(
        commands(&machine).pop().expect("a command"),
        "cd /s && FACTER_packer_build_name='it'\\''s' FACTER_packer_builder_type='null' puppet \
         agent --onetime --no-daemonize --detailed-exitcodes --server='puppet.example' \
         --certname='it'\\''s' --certdir='/s/certs' --privatekeydir='/s/private_keys' --verbose"
    );
    assert!(machine.file("/s/certs/other.pp").is_some());
    for (extra, expected) in [
        ("--test", "--test"),
        ("--logdest=/var/log/x", "--logdest=/var/log/x"),
        ("--noop", "--verbose --noop"),
    ] {
        let command = puppet_command(PuppetServer, &[("extra_arguments", extra)]).await;
        assert!(
            command.ends_with(&format!("--detailed-exitcodes {expected}")),
            "{command}"
        );
    }
}

#[tokio::test]
async fn the_exit_status_counts_unless_it_shall_not() {
    let files = files();
    let manifest = files.path().join("site.pp").display().to_string();
    let check = async |answer: Scripted, ignore: &str, expected: Option<&str>| {
        let machine = Memory::new();
        machine.script("puppet apply", [answer]);
        let options = [("manifest_file", &*manifest), ("ignore_exit_codes", ignore)];
        let recording = provision(PuppetMasterless, &machine, &options).await;
        let message = recording.outcome.err().map(|failure| failure.message);
        assert_eq!(message.as_deref(), expected);
    };
    check(Scripted::status(0), "false", None).await;
    check(Scripted::status(2), "false", None).await;
    let failed = "Puppet exited with a non-zero exit status: 4";
    check(Scripted::status(4), "false", Some(failed)).await;
    check(Scripted::status(4), "true", None).await;
    let missing = "there is no Puppet in the machine: install it first, or say where it is with \
                   `puppet_bin_dir`; when there is no sudo, set `prevent_sudo = true`";
    check(Scripted::status(127), "false", Some(missing)).await;
    check(Scripted::status(127), "true", None).await;
    let broke = "the connection broke while Puppet ran: scripted";
    check(Scripted::disconnect(), "true", Some(broke)).await;
}

#[tokio::test]
async fn a_shell_that_does_not_get_to_puppet_is_no_success() {
    let files = files();
    let manifest = files.path().join("site.pp").display().to_string();
    let check = async |part: &str, entries: Options<'_>, expected: &str| {
        let machine = Memory::new();
        machine.script(part, [Scripted::status(2)]);
        let options = [&[("manifest_file", &*manifest)], entries].concat();
        let recording = provision(PuppetMasterless, &machine, &options).await;
        let message = recording.outcome.expect_err("it failed").message;
        assert!(message.starts_with(expected), "{message}");
        let all = commands(&machine);
        let ran = all.iter().any(|one| one.starts_with("cd "));
        assert!(!ran, "{all:?}");
    };
    check(
        "test -d '/no/such'",
        &[("working_directory", "/no/such")],
        "`working_directory`: there is no folder `/no/such` in the machine",
    )
    .await;
    check(
        "-n -c",
        &[("extra_arguments", "--tags='a")],
        "the machine's shell cannot read the command of Puppet",
    )
    .await;
}

#[tokio::test]
async fn an_elevated_puppet_runs_from_a_script_without_its_password_on_the_command_line() {
    let files = files();
    let machine = Memory::new();
    let recording = provision(
        PuppetMasterless,
        &machine,
        &[
            (
                "manifest_file",
                &files.path().join("site.pp").display().to_string(),
            ),
            ("guest_os_type", "Windows"),
            ("elevated_user", "admin"),
            ("elevated_password", "hunter2"),
        ],
    )
    .await;
    recording.outcome.expect("all commands end with 0");
    let all = commands(&machine).join("\n");
    assert!(
        all.contains("packer-elevated-shell-") && !all.contains("hunter2"),
        "{all}"
    );
}

#[test]
fn facts_of_the_template_win_and_arrive_whole() {
    let build = BuildFacts {
        name: "n".to_owned(),
        http_address: Some("10.0.2.2:80".to_owned()),
        ..BuildFacts::default()
    };
    let own = [("role", "it's $HOME\nx"), ("packer_build_name", "mine")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let all = facts::collect(&build, &own);
    assert_eq!(
        facts::text(&all, GuestOs::Unix),
        "FACTER_packer_build_name='mine' FACTER_packer_http_addr='10.0.2.2:80' \
         FACTER_role='it'\\''s $HOME\nx'"
    );
}

#[test]
fn wrong_options_are_named() {
    fn masterless(entries: Options<'_>, expected: &[&str]) {
        let options: Value = entries.iter().copied().collect();
        let read = kiln_sdk::config::decode::<MasterlessConfig>(&options);
        let problems = read.expect("the options fit").0.check();
        let paths: Vec<String> = problems.iter().map(|one| one.path.to_string()).collect();
        assert_eq!(paths, expected, "{problems:?}");
    }
    masterless(&[], &["manifest_file"]);
    masterless(&[("manifest_file", "<unknown>")], &[]);
    masterless(
        &[
            ("manifest_file", "/no/such"),
            ("manifest_dir", "/bin/sh"),
            ("module_paths", "/no/such"),
            ("hiera_config_path", "/bin"),
            ("execute_command", "{{"),
            ("elevated_user", "x"),
        ],
        &[
            "manifest_file",
            "manifest_dir",
            "module_paths",
            "hiera_config_path",
            "execute_command",
            "elevated_user",
        ],
    );
    masterless(
        &[("manifest_file", "/bin/sh"), ("elevated_password", "x")],
        &["elevated_password"],
    );
    let mut fact = Value::empty_map();
    fact.insert("a b", "x");
    let mut options = Value::empty_map();
    options.insert("facter", fact);
    let read = kiln_sdk::config::decode::<ServerConfig>(&options).expect("the options fit");
    assert_eq!(read.0.check()[0].path.to_string(), "facter");
    check_options::<MasterlessConfig>();
    check_options::<ServerConfig>();
}
