//! The `shell` provisioner against a machine in memory.

use std::sync::Arc;
use std::time::Duration;

use kiln_sdk::communicator::{
    Command, CommunicatorError, Exit, FileTarget, Inert, Memory, Output, Reader, Scripted, Writer,
    tree,
};
use kiln_sdk::{
    BuildInfo, Communicator, Config, Event, Failure, HostLink, Provisioner, RunContext, Value,
};
use tokio_util::sync::CancellationToken;

use super::{Shell, ShellConfig};

/// Provisions `machine` with options given as text, booleans and lists of text.
async fn provision(options: Value, machine: &Memory) -> Result<(), Failure> {
    provision_with(options, Arc::new(machine.clone())).await.0
}

/// The same with any machine; also gives what was said.
async fn provision_with(
    options: Value,
    machine: Arc<dyn Communicator>,
) -> (Result<(), Failure>, Vec<String>) {
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
    let listening = tokio::spawn(async move {
        let mut said = Vec::new();
        while let Some(event) = events.recv().await {
            if let Event::Ui(_, text) = event {
                said.push(text);
            }
        }
        said
    });
    let cx = RunContext::new(link, CancellationToken::new(), build);
    let generated = [("ID", "i-7")].into_iter().collect();
    let result = Shell.provision(cx, config, machine, generated).await;
    (result, listening.await.unwrap())
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
async fn a_signal_is_an_exit_code_of_shells() {
    for (valid, ends_well) in [("0", false), ("137", true), ("9", false)] {
        let machine = Memory::new();
        machine.script("chmod +x", [Scripted::signal("KILL")]);
        let mut all = options(&[("inline", Value::from("x"))]);
        all.insert("valid_exit_codes", valid);
        let result = provision(all, &machine).await;
        assert_eq!(result.is_ok(), ends_well, "{valid}: {result:?}");
    }
}

#[tokio::test]
async fn a_script_runs_also_where_it_cannot_be_made_executable() {
    let machine = Memory::new();
    machine.script("chmod 0755", [Scripted::status(1).stderr("not permitted")]);
    let mut all = options(&[("inline", Value::from("x"))]);
    all.insert("execute_command", "sh {{.Path}}");
    provision(all, &machine).await.unwrap();
    let expected = ["chmod 0755 /tmp/s.sh", "sh /tmp/s.sh", "rm -f /tmp/s.sh"];
    assert_eq!(commands(&machine), expected);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_leaves_before_the_script_is_executable_gets_another_try() {
    let machine = Memory::new();
    let answers = [Scripted::disconnect(), Scripted::status(0)];
    machine.script("chmod 0755", answers);
    let mut all = options(&[("inline", Value::from("x"))]);
    all.insert("start_retry_timeout", "1m");
    provision(all, &machine).await.unwrap();
    let again = commands(&machine).into_iter();
    let again = again.filter(|command| command.starts_with("chmod 0755"));
    assert_eq!(again.count(), 2);
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

/// Runs `echo hi` with options and checks the commands.
async fn check_commands(given: &[(&str, &str)], expected: &[&str]) {
    let machine = Memory::new();
    let mut all = Value::empty_map();
    all.insert("inline", "echo hi");
    for (name, value) in given {
        all.insert(*name, *value);
    }
    provision(all, &machine).await.unwrap();
    assert_eq!(commands(&machine), expected, "{given:?}");
}

const VARIABLES: &str = "PACKER_BUILDER_TYPE='null' PACKER_BUILD_NAME='n' ";

#[tokio::test]
async fn the_template_says_where_a_script_lies_and_how_it_is_run() {
    let run = |path: &str| format!("chmod +x {path}; {VARIABLES} {path}");
    check_commands(
        &[("remote_folder", "/var/tmp"), ("remote_file", "x.sh")],
        &[
            "chmod 0755 /var/tmp/x.sh",
            &run("/var/tmp/x.sh"),
            "rm -f /var/tmp/x.sh",
        ],
    )
    .await;
    check_commands(
        &[
            ("remote_path", "/s"),
            ("remote_folder", "/var/tmp"),
            ("remote_file", "x.sh"),
        ],
        &["chmod 0755 /s", &run("/s"), "rm -f /s"],
    )
    .await;
    check_commands(
        &[
            ("remote_path", "/s"),
            (
                "execute_command",
                "sudo -E {{.Vars}}sh -c '{{.Path}} {{.ID}} {{build `ID`}}'",
            ),
            ("env_var_format", "%s=\"%s\" "),
            ("skip_clean", "true"),
        ],
        &[
            "chmod 0755 /s",
            "sudo -E PACKER_BUILDER_TYPE=\"null\" PACKER_BUILD_NAME=\"n\" sh -c '/s i-7 i-7'",
        ],
    )
    .await;
}

#[tokio::test]
async fn an_empty_option_is_one_that_is_not_set() {
    let machine = Memory::new();
    let mut all = options(&[("inline", Value::from("x"))]);
    for name in ["execute_command", "env_var_format", "inline_shebang"] {
        all.insert(name, "");
    }
    all.insert("valid_exit_codes", Vec::<Value>::new());
    all.insert("remote_path", "");
    all.insert("remote_folder", "");
    all.insert("remote_file", "s.sh");
    provision(all, &machine).await.unwrap();
    let run = format!("chmod +x /tmp/s.sh; {VARIABLES} /tmp/s.sh");
    let expected = ["chmod 0755 /tmp/s.sh", &run, "rm -f /tmp/s.sh"];
    assert_eq!(commands(&machine), expected);
    assert_eq!(machine.file("/tmp/s.sh").unwrap(), "#!/bin/sh -e\nx\n");
}

#[tokio::test]
async fn the_name_of_a_script_is_drawn_anew() {
    let name = async || {
        let machine = Memory::new();
        let all = [("inline", "x")].into_iter().collect();
        provision(all, &machine).await.unwrap();
        commands(&machine).remove(0)
    };
    let (first, mut others) = (name().await, Vec::new());
    for _ in 0..5 {
        others.push(name().await);
    }
    let number = first.strip_prefix("chmod 0755 /tmp/script_").unwrap();
    let number = number.strip_suffix(".sh").unwrap();
    assert!(number.parse::<u32>().unwrap() < 9999);
    assert!(others.iter().any(|other| *other != first), "{first}");
}

#[tokio::test]
async fn only_a_binary_script_keeps_its_line_ends() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("s");
    std::fs::write(&script, "a\r\nb").unwrap();
    for (binary, expected) in [(true, "a\r\nb"), (false, "a\nb\n")] {
        let machine = Memory::new();
        let all = options(&[
            ("script", Value::from(script.to_str().unwrap())),
            ("binary", Value::from(binary)),
        ]);
        provision(all, &machine).await.unwrap();
        assert_eq!(machine.file("/tmp/s.sh").unwrap(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_not_there_yet_gets_another_try() {
    let check = async |limit: &str, ends_well: bool| {
        let machine = Memory::new();
        machine.fail_uploads(2);
        let mut all = options(&[("inline", Value::from("x"))]);
        all.insert("start_retry_timeout", limit);
        let result = provision(all, &machine).await;
        assert_eq!(result.is_ok(), ends_well, "{limit}: {result:?}");
    };
    check("5m", true).await;
    check("5s", true).await;
    check("3s", false).await;
}

/// A machine that went away: whatever it is asked waits for it to come back.
struct Away;

#[async_trait::async_trait]
impl Communicator for Away {
    async fn exec(
        &self,
        _: Command,
        _: tokio::sync::mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        std::future::pending().await
    }

    async fn upload(&self, _: FileTarget, _: Reader) -> Result<u64, CommunicatorError> {
        std::future::pending().await
    }

    async fn download(&self, _: &str, _: Writer) -> Result<u64, CommunicatorError> {
        std::future::pending().await
    }

    async fn upload_tree(&self, _: &str, _: tree::Entries) -> Result<u64, CommunicatorError> {
        std::future::pending().await
    }

    async fn download_tree(
        &self,
        _: &str,
        _: &[String],
    ) -> Result<tree::Entries, CommunicatorError> {
        std::future::pending().await
    }

    async fn reconnect(&self, _: Option<Duration>) -> Result<(), CommunicatorError> {
        Err(CommunicatorError::Unreachable {
            seen: "connection refused".to_owned(),
        })
    }

    async fn forward(&self, _: &str, _: u16) -> Result<(Reader, Writer), CommunicatorError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_stays_away_is_given_up_when_the_time_is_over() {
    for (limit, expected) in [("1s", 10..15), ("1m", 60..65)] {
        let mut all = options(&[("inline", Value::from("x"))]);
        all.insert("start_retry_timeout", limit);
        let begun = tokio::time::Instant::now();
        let (result, _) = provision_with(all, Arc::new(Away)).await;
        let seconds = begun.elapsed().as_secs();
        assert!(expected.contains(&seconds), "{limit}: {seconds}");
        let message = result.unwrap_err().message;
        assert!(
            message
                .contains("(`start_retry_timeout`): cannot reach the machine: connection refused"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn what_a_communicator_cannot_do_is_not_tried_for_minutes() {
    let mut all = options(&[("inline", Value::from("x"))]);
    all.insert("start_retry_timeout", "5m");
    let (result, _) = provision_with(all, Arc::new(Inert)).await;
    let message = result.unwrap_err().message;
    assert_eq!(
        message,
        "Upload is not implemented when communicator = 'none'"
    );
}

#[tokio::test(start_paused = true)]
async fn a_script_that_ended_the_connection_is_removed_when_the_machine_is_back() {
    let machine = Memory::new();
    machine.script("chmod +x", [Scripted::disconnect()]);
    machine.script("rm -f", [Scripted::disconnect(), Scripted::status(0)]);
    let mut all = options(&[
        ("inline", Value::from("reboot")),
        ("expect_disconnect", Value::from(true)),
    ]);
    all.insert("start_retry_timeout", "5m");
    provision(all, &machine).await.unwrap();
    let removals = commands(&machine);
    let removals = removals
        .iter()
        .filter(|command| command.starts_with("rm -f"));
    assert_eq!(removals.count(), 2);
    let machine = Memory::new();
    machine.script("chmod +x", [Scripted::disconnect()]);
    let mut all = options(&[("inline", Value::from("reboot"))]);
    all.insert("valid_exit_codes", "2300218");
    provision(all, &machine).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_pause_afterwards_is_announced() {
    let mut all = options(&[("inline", Value::from("x"))]);
    all.insert("pause_after", "1m30s");
    let begun = tokio::time::Instant::now();
    let (result, said) = provision_with(all, Arc::new(Memory::new())).await;
    result.unwrap();
    assert_eq!(
        said.last().unwrap(),
        "Pausing 1m30s after this provisioner..."
    );
    assert!(begun.elapsed() >= std::time::Duration::from_secs(90));
}

#[test]
fn every_option_is_documented() {
    for attribute in ShellConfig::schema().attributes {
        assert!(!attribute.doc.is_empty(), "{}", attribute.name);
    }
}
