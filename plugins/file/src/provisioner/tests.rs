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
async fn links_give_what_they_point_to_unless_the_way_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("up");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(folder.path().join("outside"), "text").unwrap();
    std::os::unix::fs::symlink("../outside", source.join("out")).unwrap();
    let upload = async |communicator: &str| {
        let machine = Memory::new();
        let path = format!("{}/", source.display());
        let given = options(&[("source", &path), ("destination", "/x")]);
        let shared = Arc::new(machine.clone());
        let generated = options(&[("ConnType", communicator)]);
        let host = FakeHost::new();
        let run = host.provision(FileProvisioner, given, shared, generated);
        (run.await.outcome, machine.file("/x/out"))
    };
    for communicator in ["ssh", "winrm", ""] {
        let (outcome, file) = upload(communicator).await;
        outcome.unwrap();
        assert_eq!(file.unwrap(), "text", "{communicator}");
    }
    let (outcome, file) = upload("docker").await;
    outcome.unwrap();
    assert_eq!(file, None);
    std::fs::remove_file(folder.path().join("outside")).unwrap();
    let message = upload("ssh").await.0.unwrap_err().message;
    let link = source.join("out").display().to_string();
    assert!(message.contains(&link), "{message}");
    assert!(
        message.contains("leads to `../outside`, which is not there"),
        "{message}"
    );
}

#[tokio::test]
async fn a_backslash_at_the_end_makes_a_folder_too() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("a.txt"), folder.path().join("b.txt"));
    std::fs::write(&one, "A").unwrap();
    std::fs::write(&two, "B").unwrap();
    let machine = Memory::new();
    let sources = [&one, &two].map(|path| Value::from(path.to_str().unwrap()));
    let mut given = options(&[("destination", r"C:\dir\")]);
    given.insert("sources", sources.to_vec());
    let shared = Arc::new(machine.clone());
    let host = FakeHost::new();
    let run = host.provision(FileProvisioner, given, shared, Value::null());
    run.await.outcome.unwrap();
    assert_eq!(machine.file(r"C:\dir\a.txt").unwrap(), "A");
    assert_eq!(machine.file(r"C:\dir\b.txt").unwrap(), "B");
    let target = format!("{}/", folder.path().join("down").display());
    let given = options(&[
        ("source", r"C:\dir\a.txt"),
        ("destination", &target),
        ("direction", "download"),
    ]);
    let host = FakeHost::new();
    let run = host.provision(FileProvisioner, given, Arc::new(machine), Value::null());
    run.await.outcome.unwrap();
    let read = std::fs::read_to_string(folder.path().join("down/a.txt"));
    assert_eq!(read.unwrap(), "A");
}

#[tokio::test]
async fn a_folder_comes_down_under_its_name_and_what_follows_comes_too() {
    let folder = tempfile::tempdir().unwrap();
    let machine = Memory::new();
    machine.store("/x/sy/d/x", Stored::File(0o644, "deep".into()));
    machine.store("/x/f", Stored::File(0o644, "flat".into()));
    let target = format!("{}/out/", folder.path().display());
    let mut given = options(&[("destination", &target), ("direction", "download")]);
    let sources = ["/x/sy/", "/x/f"].map(Value::from);
    given.insert("sources", sources.to_vec());
    let machine = Arc::new(machine);
    let run = FakeHost::new().provision(FileProvisioner, given, machine, Value::null());
    run.await.outcome.unwrap();
    for (name, expected) in [("sy/d/x", "deep"), ("f", "flat")] {
        let read = std::fs::read_to_string(folder.path().join("out").join(name));
        assert_eq!(read.unwrap(), expected, "{name}");
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
