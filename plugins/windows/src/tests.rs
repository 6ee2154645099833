//! The provisioners against a machine in memory, and their options.

use kiln_sdk::communicator::{Memory, Scripted};
use kiln_sdk::{BuildInfo, Config, Failure, HostLink, Provisioner, RunContext, Severity, Value};
use kiln_sdk_test_kit::check_options;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use crate::powershell::{PowerShell, PowerShellConfig};
use crate::restart::{RestartConfig, WindowsRestart};
use crate::windows_shell::{WindowsShell, WindowsShellConfig};

fn options(entries: &[(&str, Value)]) -> Value {
    let mut all = Value::empty_map();
    for (name, value) in entries {
        all.insert(*name, value.clone());
    }
    all
}

/// Provisions `machine` and returns the commands it got.
async fn provision<P: Provisioner>(
    provisioner: P,
    given: &[(&str, Value)],
    machine: &Memory,
) -> (Result<(), Failure>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let build = BuildInfo {
        source_name: "n".into(),
        builder_type: "null".into(),
        run_dir: folder.path().to_owned(),
        ..BuildInfo::default()
    };
    let decoded = kiln_sdk::config::decode::<P::Config>(&options(given));
    let (mut config, _) = decoded.unwrap();
    let prepared = provisioner.prepare(&mut config, &build);
    assert_eq!(prepared.diagnostics, []);
    let (link, mut events) = HostLink::new();
    let listening = tokio::spawn(async move { while events.recv().await.is_some() {} });
    let cx = RunContext::new(link, CancellationToken::new(), build);
    let generated = [("ID", "i-7"), ("Password", "geheim")]
        .into_iter()
        .collect();
    let result = provisioner
        .provision(cx, config, Arc::new(machine.clone()), generated)
        .await;
    listening.await.unwrap();
    let commands = machine.commands().into_iter();
    (result, commands.map(|recorded| recorded.command).collect())
}

fn check_problems<P: Provisioner>(
    provisioner: &P,
    given: &[(&str, Value)],
    expected: &[(&str, &str)],
) {
    let mut problems = match kiln_sdk::config::decode::<P::Config>(&options(given)) {
        Ok((mut config, _)) => {
            provisioner
                .prepare(&mut config, &BuildInfo::default())
                .diagnostics
        }
        Err(problems) => problems,
    };
    problems.retain(|problem| problem.severity == Severity::Error);
    let found: Vec<(String, &str)> = problems
        .iter()
        .map(|problem| (problem.path.to_string(), problem.summary.as_str()))
        .collect();
    let expected: Vec<(String, &str)> = expected
        .iter()
        .map(|(path, summary)| ((*path).to_owned(), *summary))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn wrong_options_are_named() {
    let inline = ("inline", Value::from("x"));
    check_problems(&PowerShell, &[], &[("", "Nothing to run")]);
    check_problems(
        &PowerShell,
        &[
            inline.clone(),
            ("script", "/etc/hostname".into()),
            ("execution_policy", "sometimes".into()),
            ("elevated_password", "x".into()),
            ("debug_mode", "3".into()),
        ],
        &[
            ("script", "Too many kinds of scripts"),
            ("execution_policy", "Unknown execution policy"),
            ("elevated_password", "Password without user"),
            ("debug_mode", "Unknown debug mode"),
        ],
    );
    check_problems(
        &WindowsShell,
        &[inline.clone(), ("environment_vars", "novalue".into())],
        &[(
            "environment_vars[0]",
            "Environment variable not in format 'key=value': novalue",
        )],
    );
    check_problems(
        &WindowsShell,
        &[inline, ("execute_comand", "x".into())],
        &[("execute_comand", "Unknown configuration key")],
    );
    let missing = "Bad script 'no-such-file': No such file or directory (os error 2)";
    check_problems(
        &WindowsShell,
        &[("script", "no-such-file".into())],
        &[("script", missing)],
    );
}

#[test]
fn every_option_is_documented() {
    check_options::<PowerShellConfig>();
    check_options::<WindowsShellConfig>();
    check_options::<RestartConfig>();
    assert!(!PowerShellConfig::schema().doc.is_empty());
}

#[tokio::test]
async fn windows_shell_sends_packers_command() {
    let machine = Memory::new();
    let given = [
        ("inline", Value::from("echo {{.ID}}")),
        ("environment_vars", Value::from("A=it's 100%")),
        ("env", [("Z", "{{.ID}}")].into_iter().collect()),
    ];
    let (result, commands) = provision(WindowsShell, &given, &machine).await;
    result.unwrap();
    assert_eq!(
        commands,
        [
            "set \"A=it's 100%\" && set \"PACKER_BUILDER_TYPE=null\" && \
          set \"PACKER_BUILD_NAME=n\" && set \"Z=i-7\" && \"c:/Windows/Temp/script.bat\""
        ]
    );
    let script = machine.file("c:/Windows/Temp/script.bat").unwrap();
    assert_eq!(script, "echo i-7\n");
}

#[tokio::test]
async fn a_batch_file_arrives_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("s.bat");
    std::fs::write(&script, b"a\nb\r\n\xff\x1a").unwrap();
    for binary in [false, true] {
        let machine = Memory::new();
        let given = [
            ("script", Value::from(script.to_str().unwrap())),
            ("binary", Value::from(binary)),
        ];
        let (result, _) = provision(WindowsShell, &given, &machine).await;
        result.unwrap();
        let arrived = machine.file("c:/Windows/Temp/script.bat").unwrap();
        assert_eq!(arrived, &b"a\nb\r\n\xff\x1a"[..]);
    }
}

#[tokio::test]
async fn an_empty_option_is_one_that_is_not_set() {
    let empty = |names: &[&'static str]| {
        let mut given = vec![("inline", Value::from("x"))];
        given.extend(names.iter().map(|&name| (name, Value::from(""))));
        given.push(("valid_exit_codes", Vec::<Value>::new().into()));
        given
    };
    let given = empty(&["execute_command", "env_var_format", "remote_path"]);
    let (result, commands) = provision(WindowsShell, &given, &Memory::new()).await;
    result.unwrap();
    let command = "set \"PACKER_BUILDER_TYPE=null\" && set \"PACKER_BUILD_NAME=n\" && \
                   \"c:/Windows/Temp/script.bat\"";
    assert_eq!(commands, [command]);
    let given = empty(&["execute_command", "env_var_format", "execution_policy"]);
    let (result, commands) = provision(PowerShell, &given, &Memory::new()).await;
    result.unwrap();
    let start = "powershell -executionpolicy bypass -file c:/Windows/Temp/script-";
    assert!(commands[0].starts_with(start), "{commands:?}");
}

#[tokio::test]
async fn powershell_uploads_variables_and_script_and_removes_them() {
    let machine = Memory::new();
    let given = [
        ("inline", Value::from("Get-Date")),
        ("environment_vars", Value::from("A=$x")),
        ("remote_path", Value::from("c:/t/s.ps1")),
        ("remote_env_var_path", Value::from("c:/t/v.ps1")),
    ];
    let (result, commands) = provision(PowerShell, &given, &machine).await;
    result.unwrap();
    assert_eq!(
        commands[0],
        "powershell -executionpolicy bypass -file c:/t/s.ps1"
    );
    assert!(commands[1].contains("-EncodedCommand"), "{commands:?}");
    assert_eq!(commands.len(), 2);
    let variables = machine.file("c:/t/v.ps1").unwrap();
    assert!(variables.starts_with(b"$env:A=\"`$x\"; $env:PACKER_BUILDER_TYPE=\"null\"; "));
    let script = machine.file("c:/t/s.ps1").unwrap();
    let script = String::from_utf8(script.to_vec()).unwrap();
    assert!(
        script.contains(". 'c:/t/v.ps1'\r\ntry {\r\nGet-Date\r\n} catch {"),
        "{script}"
    );
}

#[tokio::test]
async fn an_elevated_script_keeps_its_password_off_the_command_line() {
    let machine = Memory::new();
    let given = [
        ("inline", Value::from("Get-Date")),
        ("elevated_user", Value::from("Administrator")),
        ("elevated_password", Value::from("{{.Password}}")),
        ("skip_clean", Value::from(true)),
    ];
    let (result, commands) = provision(PowerShell, &given, &machine).await;
    result.unwrap();
    let [command] = commands.as_slice() else {
        panic!("{commands:?}")
    };
    assert!(
        command.contains("-File C:/Windows/Temp/packer-elevated-shell-"),
        "{command}"
    );
    assert!(!command.contains("geheim"), "{command}");
}

#[tokio::test]
async fn the_exit_code_counts() {
    let machine = Memory::new();
    machine.script("powershell", [Scripted::status(3)]);
    let given = [
        ("inline", Value::from("x")),
        ("skip_clean", Value::from(true)),
    ];
    let (result, _) = provision(PowerShell, &given, &machine).await;
    assert_eq!(
        result.unwrap_err().message,
        "Script exited with non-zero exit status: 3. Allowed exit codes are: [0]"
    );
}

#[tokio::test]
async fn a_restart_that_is_refused_is_an_error() {
    let machine = Memory::new();
    machine.script("shutdown", [Scripted::status(5)]);
    let (result, _) = provision(WindowsRestart, &[], &machine).await;
    assert_eq!(
        result.unwrap_err().message,
        "Restart script exited with non-zero exit status: 5"
    );
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_never_says_it_is_back_is_an_error() {
    let machine = Memory::new();
    let given = [
        ("restart_command", Value::from("my-restart")),
        ("restart_check_command", Value::from("echo no")),
    ];
    let (result, commands) = provision(WindowsRestart, &given, &machine).await;
    let message = result.unwrap_err().message;
    assert!(
        message.starts_with("Timeout waiting for machine to restart."),
        "{message}"
    );
    assert!(
        commands.contains(&"shutdown /a".to_owned()),
        "the probe is taken back: {commands:?}"
    );
}
