//! Against `vcsim`, a simulator of vCenter that others wrote.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use kiln_sdk::{Artifact, Failure, Secret, Value};
use kiln_sdk_test_kit::{FakeHost, Recording, check_options};

use super::{BUILT, TemplateConfig, UPLOADED, VsphereTemplate};
use crate::soap::{Access, Argument, Reference, Session, Trust};

/// A simulated vCenter that ends with the test.
struct Simulator {
    process: Child,
    host: String,
}

impl Simulator {
    /// Starts it; `None`, said loudly, when it is not installed.
    fn start(arguments: &[&str]) -> Option<Self> {
        let started = Command::new("vcsim")
            .args([
                "-l",
                "127.0.0.1:0",
                "-username",
                "user",
                "-password",
                "pass",
            ])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut process) = started else {
            missing();
            return None;
        };
        // It prints `export GOVC_URL=https://user:pass@127.0.0.1:1234/sdk …` when it is ready.
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it is a pipe");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it says its address");
        let address = line
            .split('@')
            .nth(1)
            .and_then(|rest| rest.split('/').next());
        let host = address.expect("it says its address").to_owned();
        Some(Self { process, host })
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // Asked kindly, it removes its temporary files. It may have ended by itself.
        let id = self.process.id().to_string();
        drop(Command::new("kill").args(["-TERM", &id]).status());
        drop(self.process.wait());
    }
}

fn missing() {
    let text = "SKIPPED: this test needs vcsim; run tests/setup";
    assert!(std::env::var_os("CI").is_none(), "{text}");
    eprintln!("\n*** {text} ***\n");
}

fn options(simulator: &Simulator, more: &[(&str, &str)]) -> Value {
    let mut options: Value = [
        ("host", simulator.host.as_str()),
        ("username", "user"),
        ("password", "pass"),
        ("insecure", "true"),
    ]
    .into_iter()
    .collect();
    for (name, value) in more {
        options.insert(*name, *value);
    }
    options
}

/// A machine of the simulator's inventory that the `vsphere` post-processor uploaded.
fn uploaded(name: &str) -> Artifact {
    Artifact {
        builder_id: UPLOADED.to_owned(),
        id: format!("LocalDS_0::::{name}"),
        ..Artifact::default()
    }
}

async fn convert(
    simulator: &Simulator,
    more: &[(&str, &str)],
    input: Artifact,
) -> Recording<kiln_sdk::PostProcessed> {
    let options = options(simulator, more);
    FakeHost::new()
        .post_process(VsphereTemplate, options, input, Value::null())
        .await
}

/// Does something in the simulator.
async fn with_session<T>(
    simulator: &Simulator,
    work: impl AsyncFnOnce(&Session) -> Result<T, Failure>,
) -> T {
    let run = FakeHost::new().drive(async |cx| {
        let password = Secret::new("pass".to_owned());
        let access = Access {
            host: &simulator.host,
            username: "user",
            password: &password,
            trust: Trust::Anybody,
        };
        let session = Session::open(&cx, access).await?;
        let done = work(&session).await;
        session.close().await;
        done
    });
    run.await.outcome.expect("the simulator does it")
}

/// Whether the machine at `path` is a template; `None` when there is none.
async fn is_template(simulator: &Simulator, path: &str) -> Option<bool> {
    with_session(simulator, async |session| {
        let Some(machine) = session.find(path).await? else {
            return Ok(None);
        };
        let template = session.text(&machine, "config.template").await?;
        Ok(Some(template == "true"))
    })
    .await
}

async fn switch_off(simulator: &Simulator, path: &str) {
    with_session(simulator, async |session| {
        let machine = session.find(path).await?;
        let machine = machine.expect("the simulator has it");
        Ok(session.work(&machine, "PowerOffVM_Task", &[]).await?)
    })
    .await;
}

const MACHINE: &str = "DC0/vm/DC0_H0_VM0";

#[tokio::test]
async fn a_machine_is_registered_as_a_template_in_a_new_folder() {
    let Some(simulator) = Simulator::start(&[]) else {
        return;
    };
    switch_off(&simulator, MACHINE).await;
    // The simulator cannot register a machine under another name than its files have.
    let more = [("folder", "images/debian")];
    let run = convert(&simulator, &more, uploaded("DC0_H0_VM0")).await;
    let result = run.outcome.clone().expect("it is converted");
    assert!(result.keep_input && result.force_keep_input);
    assert_eq!(result.artifact, Some(uploaded("DC0_H0_VM0")));
    let path = "DC0/vm/images/debian/DC0_H0_VM0";
    // The simulator wants what a template's registration needs (a host, no pool), but sets no flag.
    assert!(is_template(&simulator, path).await.is_some());
    assert_eq!(is_template(&simulator, MACHINE).await, None);
    let said = run.said();
    for text in [
        "Creating virtual machine folder debian...",
        "Registering virtual machine as a template: DC0_H0_VM0",
    ] {
        assert!(said.contains(&text), "no {text:?} in {said:?}");
    }
}

#[tokio::test]
async fn a_machine_is_marked_where_it_is_after_a_snapshot() {
    let Some(simulator) = Simulator::start(&[]) else {
        return;
    };
    switch_off(&simulator, MACHINE).await;
    let more = [
        ("reregister_vm", "false"),
        ("snapshot_enable", "true"),
        ("snapshot_name", "first"),
        ("snapshot_description", "before the template"),
    ];
    let run = convert(&simulator, &more, uploaded("DC0_H0_VM0")).await;
    run.outcome.expect("it is converted");
    assert_eq!(is_template(&simulator, MACHINE).await, Some(true));
    let snapshots = with_session(&simulator, async |session| {
        let machine = session.find(MACHINE).await?.expect("it is there");
        Ok(session.objects(&machine, "rootSnapshot").await?)
    });
    assert_eq!(snapshots.await.len(), 1);
}

/// Puts the second machine into a new folder, under the name of the first.
async fn take_the_name(simulator: &Simulator) {
    with_session(simulator, async |session| {
        let find = async |path: &str| Ok::<_, Failure>(session.find(path).await?);
        let machines = find("DC0/vm").await?.expect("the simulator has it");
        let text = |text: &str| Argument::Text(text.to_owned());
        let name = [("name", text("images"))];
        let folder = session.invoke(&machines, "CreateFolder", &name).await?;
        let folder = folder.expect("it is made");
        let other = find("DC0/vm/DC0_H0_VM1")
            .await?
            .expect("the simulator has it");
        let list = [("list", Argument::Object(other.clone()))];
        session.work(&folder, "MoveIntoFolder_Task", &list).await?;
        let name = [("newName", text("DC0_H0_VM0"))];
        Ok(session.work(&other, "Rename_Task", &name).await?)
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_or_taken_over() {
    let Some(simulator) = Simulator::start(&["-autostart=false"]) else {
        return;
    };
    take_the_name(&simulator).await;
    let path = "DC0/vm/images/DC0_H0_VM0";
    let run = convert(&simulator, &[("folder", "images")], uploaded("DC0_H0_VM0")).await;
    let failure = run.outcome.expect_err("the name is taken");
    let expected = "there is a template `DC0_H0_VM0` already; with `override = true`";
    assert!(failure.message.starts_with(expected), "{failure}");
    assert_eq!(is_template(&simulator, MACHINE).await, Some(false));
    assert_eq!(is_template(&simulator, path).await, Some(false));
    let more = [("folder", "images"), ("override", "true")];
    let run = convert(&simulator, &more, uploaded("DC0_H0_VM0")).await;
    run.outcome.expect("the other one is replaced");
    assert!(is_template(&simulator, path).await.is_some());
    assert_eq!(is_template(&simulator, MACHINE).await, None);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let Some(simulator) = Simulator::start(&["-dc", "2"]) else {
        return;
    };
    let built = Artifact {
        builder_id: BUILT.to_owned(),
        id: "debian".to_owned(),
        ..Artifact::default()
    };
    for (more, input, expected) in [
        (vec![], uploaded("x"), "there are 2 datacenters (DC0, DC1)"),
        (
            vec![("datacenter", "DC7")],
            uploaded("x"),
            "there is no datacenter `DC7`",
        ),
        (
            vec![("datacenter", "DC1")],
            uploaded("x"),
            "error finding virtual machine at path DC1/vm/x",
        ),
        (
            vec![("datacenter", "/DC1")],
            built,
            "at path DC1/vm/Discovered virtual machine/debian",
        ),
        (vec![("password", "wrong")], uploaded("x"), "Login: "),
    ] {
        let run = convert(&simulator, &more, input).await;
        let failure = run.outcome.expect_err("it is not there");
        assert!(failure.message.contains(expected), "{expected}: {failure}");
    }
}

#[tokio::test]
async fn the_datastore_with_the_most_room_is_found_in_its_cluster() {
    let Some(simulator) = Simulator::start(&["-ds", "2", "-pod", "1"]) else {
        return;
    };
    let name = with_session(&simulator, async |session| {
        let store = session.find("DC0/datastore/LocalDS_0").await?;
        let pod = session.find("DC0/datastore/DC0_POD0").await?;
        let pod: Reference = pod.expect("there is one");
        let list = Argument::Object(store.expect("there is one"));
        session
            .work(&pod, "MoveIntoFolder_Task", &[("list", list)])
            .await?;
        Ok(session.roomiest("DC0/datastore/DC0_POD0").await?)
    });
    assert_eq!(name.await, "LocalDS_0");
}

#[tokio::test]
async fn artifacts_of_other_kinds_and_removed_machines_are_refused() {
    let mut removed = uploaded("x");
    removed.state.insert("artifact.conf.skip_export", "false");
    let other = Artifact {
        builder_id: "transcend.qemu".to_owned(),
        ..Artifact::default()
    };
    for (input, expected) in [
        (other, "an artifact of `transcend.qemu` cannot be used here"),
        (removed, "`keep_registered` must be set to `true`"),
    ] {
        let options: Value = [
            ("host", "127.0.0.1:1"),
            ("username", "u"),
            ("password", "p"),
        ]
        .into_iter()
        .collect();
        let run = FakeHost::new()
            .post_process(VsphereTemplate, options, input, Value::null())
            .await;
        let failure = run.outcome.expect_err("it is refused");
        assert!(failure.message.contains(expected), "{failure}");
    }
}

#[test]
fn options_are_documented() {
    check_options::<TemplateConfig>();
}
