use std::sync::Arc;

use kiln_sdk::communicator::{Memory, Scripted, Stored};
use kiln_sdk::{Value, decode};
use kiln_sdk_test_kit::{FakeHost, check_options};

use super::{FileConfig, FileProvisioner, Provisioner};

fn options(entries: &[(&str, &str)]) -> Value {
    entries.iter().copied().collect()
}

fn problems(entries: &[(&str, &str)]) -> Vec<String> {
    let found = match decode::<FileConfig>(&options(entries)) {
        Ok((mut config, _)) => {
            FileProvisioner
                .prepare(&mut config, &kiln_sdk::BuildInfo::default())
                .diagnostics
        }
        Err(found) => found,
    };
    found
        .iter()
        .map(|problem| format!("{}: {}", problem.path, problem.summary))
        .collect()
}

#[test]
fn options_are_checked() {
    check_options::<FileConfig>();
    assert_eq!(
        problems(&[("content", "x"), ("destination", "/a")]),
        Vec::<String>::new()
    );
    assert_eq!(
        problems(&[("source", "no-such"), ("destination", "/a")]).len(),
        1
    );
    let generated = [
        ("source", "no-such"),
        ("destination", "/a"),
        ("generated", "true"),
    ];
    assert_eq!(problems(&generated), Vec::<String>::new());
    let both = problems(&[("content", "x"), ("source", "/etc"), ("destination", "/a")]);
    assert_eq!(both, ["source: More than one kind of source"]);
}

#[tokio::test]
async fn a_folder_without_slash_arrives_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("conf");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("a"), "A").unwrap();
    for (slash, expected) in [("", "/etc/app/conf/a"), ("/", "/etc/app/a")] {
        let machine = Memory::new();
        let source = format!("{}{slash}", source.display());
        let given = options(&[("source", &source), ("destination", "/etc/app")]);
        let run = FakeHost::new()
            .provision(
                FileProvisioner,
                given,
                Arc::new(machine.clone()),
                Value::null(),
            )
            .await;
        run.outcome.unwrap();
        assert_eq!(machine.file(expected).unwrap(), "A", "{slash:?}");
    }
}

#[tokio::test]
async fn a_download_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let machine = Memory::new();
    machine.store("/var/log/x", Stored::File(0o600, "log".into()));
    let target = format!("{}/sub/", folder.path().display());
    let download = |source: &str| {
        options(&[
            ("source", source),
            ("destination", &target),
            ("direction", "download"),
        ])
    };
    let host = FakeHost::new();
    let run = host
        .provision(
            FileProvisioner,
            download("/var/log/x"),
            Arc::new(machine.clone()),
            Value::null(),
        )
        .await;
    run.outcome.unwrap();
    assert_eq!(
        std::fs::read_to_string(folder.path().join("sub/x")).unwrap(),
        "log"
    );
    let run = FakeHost::new()
        .provision(
            FileProvisioner,
            download("/no/such"),
            Arc::new(machine),
            Value::null(),
        )
        .await;
    assert!(run.outcome.is_err());
    assert_eq!(
        std::fs::read_dir(folder.path().join("sub"))
            .unwrap()
            .count(),
        1
    );
}

#[tokio::test]
async fn names_a_hostile_machine_lists_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let machine = Memory::new();
    machine.script("for path in", [Scripted::stdout("/var/..\n")]);
    let target = folder.path().display().to_string();
    let given = options(&[
        ("source", "/var/*"),
        ("destination", &target),
        ("direction", "download"),
    ]);
    let run = FakeHost::new()
        .provision(FileProvisioner, given, Arc::new(machine), Value::null())
        .await;
    assert!(run.outcome.unwrap_err().message.contains("no usable name"));
}
