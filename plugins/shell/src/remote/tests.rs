//! The `shell` provisioner against a machine in memory.

use std::sync::Arc;

use kiln_sdk::communicator::{Memory, Scripted};
use kiln_sdk::{BuildInfo, Config, Failure, HostLink, Provisioner, RunContext, Value};
use tokio_util::sync::CancellationToken;

use super::{Shell, ShellConfig};

/// Provisions `machine` with options given as text, booleans and lists of text.
async fn provision(options: Value, machine: &Memory) -> Result<(), Failure> {
    let folder = tempfile::tempdir().unwrap();
    let build = BuildInfo {
        source_name: "n".into(),
        builder_type: "null".into(),
        run_dir: folder.path().to_owned(),
        ..BuildInfo::default()
    };
    let (mut config, _) = kiln_sdk::config::decode::<ShellConfig>(&options).unwrap();
    let prepared = Shell.prepare(&mut config, &build);
    assert_eq!(prepared.diagnostics, []);
    let (link, mut events) = HostLink::new();
    let listening = tokio::spawn(async move { while events.recv().await.is_some() {} });
    let cx = RunContext::new(link, CancellationToken::new(), build);
    let generated = [("ID", "i-7")].into_iter().collect();
    let result = Shell
        .provision(cx, config, Arc::new(machine.clone()), generated)
        .await;
    listening.await.unwrap();
    result
}

fn options(entries: &[(&str, Value)]) -> Value {
    let mut all = Value::empty_map();
    all.insert("remote_path", "/tmp/s.sh");
    all.insert("start_retry_timeout", "0s");
    for (name, value) in entries {
        all.insert(*name, value.clone());
    }
    all
}

fn commands(machine: &Memory) -> Vec<String> {
    machine
        .commands()
        .into_iter()
        .map(|recorded| recorded.command)
        .collect()
}

#[tokio::test]
async fn a_script_is_uploaded_run_and_removed() {
    let machine = Memory::new();
    let inline = options(&[("inline", Value::from("echo {{.ID}}"))]);
    provision(inline, &machine).await.unwrap();
    assert_eq!(
        commands(&machine),
        [
            "chmod 0755 /tmp/s.sh",
            "chmod +x /tmp/s.sh; PACKER_BUILDER_TYPE='null' PACKER_BUILD_NAME='n'  /tmp/s.sh",
            "rm -f /tmp/s.sh",
        ]
    );
    assert_eq!(
        machine.file("/tmp/s.sh").unwrap(),
        "#!/bin/sh -e\necho i-7\n"
    );
}

#[tokio::test]
async fn the_exit_code_counts() {
    let check = async |code: u32, valid: Option<&str>, expected: Option<&str>| {
        let machine = Memory::new();
        machine.script("/tmp/s.sh; ", [Scripted::status(0)]);
        machine.script("chmod +x", [Scripted::status(code)]);
        let mut all = options(&[("inline", Value::from("x"))]);
        if let Some(valid) = valid {
            all.insert("valid_exit_codes", valid);
        }
        let result = provision(all, &machine).await;
        assert_eq!(
            result.err().map(|failure| failure.message).as_deref(),
            expected
        );
    };
    check(0, None, None).await;
    check(3, Some("3"), None).await;
    let text = "Script exited with non-zero exit status: 3. Allowed exit codes are: [0]";
    check(3, None, Some(text)).await;
}

#[tokio::test]
async fn a_disconnect_is_an_error_unless_expected() {
    let disconnected = async |expect: bool| {
        let machine = Memory::new();
        machine.script("chmod +x", [Scripted::disconnect()]);
        let all = options(&[
            ("inline", Value::from("reboot")),
            ("expect_disconnect", Value::from(expect)),
            ("skip_clean", Value::from(true)),
        ]);
        provision(all, &machine).await
    };
    assert!(disconnected(true).await.is_ok());
    let message = disconnected(false).await.unwrap_err().message;
    assert!(
        message.starts_with("Script disconnected unexpectedly"),
        "{message}"
    );
}

#[tokio::test]
async fn variables_can_go_into_a_file() {
    let machine = Memory::new();
    let all = options(&[
        ("inline", Value::from("x")),
        ("use_env_var_file", Value::from(true)),
        ("environment_vars", Value::from("A=it's")),
    ]);
    provision(all, &machine).await.unwrap();
    let run = &commands(&machine)[1];
    let file = run
        .split(" . ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .unwrap();
    let text = machine.file(file).unwrap();
    assert!(text.starts_with(b"export A='it'\"'\"'s'\n"), "{text:?}");
    assert_eq!(commands(&machine).last().unwrap(), &format!("rm -f {file}"));
}

#[test]
fn every_option_is_documented() {
    for attribute in ShellConfig::schema().attributes {
        assert!(!attribute.doc.is_empty(), "{}", attribute.name);
    }
}
