//! Sessions with a real process: the scripted plugin of `examples/`.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host_diag::{FileId, Span};
use host_eval::Value;
use host_plugin_client::{
    Artifact, BuildInfo, ClientError, CommunicatorEndpoint, Event, Finished, OnError, PauseKind,
    Registry, Reply, Role, Run, RunDirectory, Session, Settings, reclaim_leftovers,
};
use host_template::{ComponentKind, Components, Configured, PathStep};
use tempfile::TempDir;

/// Folders of a host that has the scripted plugin.
struct Host {
    root: TempDir,
    registry: Registry,
}

fn scripted_plugin() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("examples/scripted-plugin")
}

fn settings(root: &Path) -> Settings {
    Settings {
        plugin_folders: vec![root.join("plugins")],
        description_folder: root.join("descriptions"),
        run_folder: root.join("runs"),
        socket_folder: root.to_path_buf(),
        plugin_tree: None,
        cache_folder: root.join("cache"),
        facts: BuildInfo::default(),
        isolation: host_plugin_client::Isolation::default(),
    }
}

impl Host {
    async fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("plugins")).unwrap();
        let plugin = root.path().join("plugins/kiln-plugin-scripted");
        std::os::unix::fs::symlink(scripted_plugin(), plugin).unwrap();
        let registry = Registry::scan(settings(root.path())).await;
        assert!(
            registry.rejected.is_empty(),
            "{}",
            registry.rejected[0].report()
        );
        Self { root, registry }
    }

    /// The file that builders make.
    fn file(&self) -> PathBuf {
        self.root.path().join("made")
    }

    fn config(&self) -> Configured {
        let file = self.file().display().to_string();
        let path = vec![PathStep::Attribute("file".to_owned())];
        Configured {
            value: Value::object_of([("file", Value::string(file))]),
            spans: HashMap::from([(path, Span::new(FileId(0), 5, 9))]),
            header: "source \"x\" \"y\"".to_owned(),
            ..Configured::default()
        }
    }

    async fn launch(&self, name: &str) -> (Session, Arc<RunDirectory>) {
        let directory = self.registry.run_directory().await.unwrap();
        let kind = ComponentKind::Builder;
        let session = Session::launch(&self.registry, &directory, kind, name, None)
            .await
            .unwrap();
        (session, directory)
    }

    async fn start(&self, name: &str, on_error: OnError) -> (Session, Run, Arc<RunDirectory>) {
        let (mut session, directory) = self.launch(name).await;
        let build = BuildInfo {
            on_error,
            ..BuildInfo::default()
        };
        let run = session
            .run(&self.config(), &build, Role::Plain)
            .await
            .unwrap();
        (session, run, directory)
    }

    /// Nothing may be left after the run.
    async fn finish(self, directory: Arc<RunDirectory>) {
        assert_eq!(directory.finish(&self.registry).await, []);
        assert!(!self.file().exists());
        drop(directory);
        let names = std::fs::read_dir(self.root.path()).unwrap().flatten();
        let mut names: Vec<_> = names.map(|entry| entry.file_name()).collect();
        names.sort();
        assert_eq!(names, ["descriptions", "plugins", "runs"]);
        assert_eq!(
            std::fs::read_dir(self.root.path().join("runs"))
                .unwrap()
                .count(),
            0
        );
    }
}

/// The events up to the last one, as text, and how the run ended.
async fn rest(run: &mut Run) -> (Vec<String>, Result<Finished, ClientError>) {
    let mut seen = Vec::new();
    loop {
        match run.next().await {
            Ok(Event::Finished(finished)) => return (seen, Ok(finished)),
            Ok(event) => seen.push(format!("{event:?}")),
            Err(error) => return (seen, Err(error)),
        }
    }
}

fn failure(ended: Result<Finished, ClientError>) -> String {
    match ended.unwrap() {
        Finished::Failure { message, .. } => message,
        Finished::Success { .. } => panic!("it should have failed"),
    }
}

#[tokio::test]
async fn a_plugin_is_described_once() {
    let host = Host::new().await;
    let schema = host
        .registry
        .schema(ComponentKind::Builder, "good")
        .unwrap();
    assert_eq!(schema.attributes[0].name, "file");
    assert_eq!(host.registry.usable[0].version, "1.2.3");
    // An unusable socket folder shows that nothing is started the second time.
    let settings = Settings {
        socket_folder: "/nonexistent".into(),
        ..settings(host.root.path())
    };
    let again = Registry::scan(settings).await;
    assert_eq!(again.names(ComponentKind::Builder).len(), 6);
    assert!(again.made_run_directory().is_none());
}

#[tokio::test]
async fn diagnostics_have_places() {
    let host = Host::new().await;
    let (mut session, directory) = host.launch("good").await;
    let (found, names) = session
        .prepare(&host.config(), &BuildInfo::default())
        .await
        .unwrap();
    assert_eq!(found[0].subject.unwrap().start, 5);
    assert_eq!(names, ["Colour"]);
    session.stop().await;
    host.finish(directory).await;
}

#[tokio::test]
async fn a_plugin_that_dies_while_checking_is_quoted() {
    let host = Host::new().await;
    let (mut session, directory) = host.launch("dies").await;
    let error = session
        .prepare(&host.config(), &BuildInfo::default())
        .await
        .unwrap_err();
    let report = error.report();
    assert!(report.starts_with(
        "plugin `scripted` died while it should check the options of the builder `dies`: signal: 6"
    ));
    assert!(report.ends_with("no checks today"), "{report}");
    drop(session);
    host.finish(directory).await;
}

#[tokio::test]
async fn a_good_run_leaves_an_artifact_and_nothing_else() {
    let host = Host::new().await;
    let (session, mut run, directory) = host.start("good", OnError::Cleanup).await;
    assert!(matches!(run.next().await.unwrap(), Event::Ui(_, text) if text == "made"));
    assert_eq!(directory.journal().unreleased().len(), 1);
    let Event::Ready(Some(endpoint), generated) = run.next().await.unwrap() else {
        panic!("the machine should be ready");
    };
    assert_eq!(endpoint.socket, Path::new("/there"));
    assert_eq!(generated["Colour"].as_str(), Some("red"));
    run.reply(Reply::Provisioned(None, false)).await;
    let Ok(Finished::Success {
        artifact: Some(artifact),
        ..
    }) = rest(&mut run).await.1
    else {
        panic!("it should have an artifact");
    };
    assert_eq!(artifact.id, "image");
    session.stop().await;
    host.finish(directory).await;
}

async fn said_by(kind: ComponentKind, role: Role) -> String {
    let host = Host::new().await;
    let directory = host.registry.run_directory().await.unwrap();
    let mut session = Session::launch(&host.registry, &directory, kind, "tell", None)
        .await
        .unwrap();
    let config = Configured {
        value: Value::object_of([("file", Value::string("x"))]),
        ..host.config()
    };
    let mut run = session
        .run(&config, &BuildInfo::default(), role)
        .await
        .unwrap();
    let Event::Ui(_, text) = run.next().await.unwrap() else {
        panic!("it should say something")
    };
    let Finished::Success { artifact, .. } = rest(&mut run).await.1.unwrap() else {
        panic!("it should succeed");
    };
    session.stop().await;
    host.finish(directory).await;
    format!(
        "{text}; {}",
        artifact.map(|artifact| artifact.id).unwrap_or_default()
    )
}

#[tokio::test]
async fn a_provisioner_gets_the_machine() {
    let communicator = Some(CommunicatorEndpoint {
        socket: "/there".into(),
        token: "t".to_owned(),
    });
    let generated = BTreeMap::from([("Colour".to_owned(), Value::string("red"))]);
    let role = Role::Provisioner {
        communicator,
        generated,
    };
    assert_eq!(
        said_by(ComponentKind::Provisioner, role).await,
        "x /there red; "
    );
}

#[tokio::test]
async fn a_post_processor_gets_the_artifact() {
    let artifact = Artifact {
        builder_id: String::new(),
        id: "image".to_owned(),
        files: Vec::new(),
        description: String::new(),
        state: Value::object(BTreeMap::new()),
        destroy: Vec::new(),
        resources: Vec::new(),
    };
    let role = Role::PostProcessor {
        artifact,
        generated: BTreeMap::new(),
    };
    assert_eq!(
        said_by(ComponentKind::PostProcessor, role).await,
        "x image; image+x"
    );
}

#[tokio::test]
async fn a_dead_builders_resources_are_gone_when_the_engine_hears_of_it() {
    let host = Host::new().await;
    let (session, mut run, directory) = host.start("dies", OnError::Cleanup).await;
    let error = rest(&mut run).await.1.unwrap_err();
    assert!(matches!(error, ClientError::Died { .. }), "{error:?}");
    assert!(
        error.report().ends_with("famous last words"),
        "{}",
        error.report()
    );
    assert!(!host.file().exists());
    drop(session);
    host.finish(directory).await;
}

#[tokio::test]
async fn a_failed_run_is_cleared_unless_failures_shall_stay() {
    let host = Host::new().await;
    let (session, mut run, directory) = host.start("leaves", OnError::Cleanup).await;
    assert_eq!(failure(rest(&mut run).await.1), "it did not work");
    assert!(!host.file().exists());
    session.stop().await;
    let (session, mut run, _) = host.start("leaves", OnError::Abort).await;
    assert_eq!(failure(rest(&mut run).await.1), "it did not work");
    assert!(host.file().exists());
    assert!(directory.journal().unreleased().is_empty());
    session.stop().await;
    std::fs::remove_file(host.file()).unwrap();
    host.finish(directory).await;
}

#[tokio::test]
async fn a_stream_that_just_ends_is_an_error() {
    let host = Host::new().await;
    let (session, mut run, directory) = host.start("ends", OnError::Cleanup).await;
    let error = rest(&mut run).await.1.unwrap_err();
    assert!(matches!(error, ClientError::Protocol { .. }), "{error:?}");
    assert!(!host.file().exists());
    drop(session);
    host.finish(directory).await;
}

#[tokio::test]
async fn a_deaf_plugin_can_be_killed() {
    let host = Host::new().await;
    let (session, mut run, directory) = host.start("deaf", OnError::Cleanup).await;
    assert!(matches!(run.next().await.unwrap(), Event::Ui(..)));
    run.reply(Reply::Cancel("enough".to_owned())).await;
    session.kill().await;
    let (_, ended) = rest(&mut run).await;
    assert!(matches!(ended, Err(ClientError::Died { .. })));
    assert!(!host.file().exists());
    host.finish(directory).await;
}

#[tokio::test]
async fn answers_reach_the_component() {
    for (answer, expected) in [(Some("yes".to_owned()), "7 yes"), (None, "nobody there")] {
        let host = Host::new().await;
        let (session, mut run, directory) = host.start("asks", OnError::Cleanup).await;
        let Event::Pause(number, prompt, PauseKind::Question) = run.next().await.unwrap() else {
            panic!("it should ask");
        };
        assert_eq!(prompt, "really?");
        run.reply(Reply::Continue(number, answer)).await;
        assert_eq!(failure(rest(&mut run).await.1), expected);
        session.stop().await;
        host.finish(directory).await;
    }
}

#[tokio::test]
async fn leftovers_of_a_dead_run_are_removed_by_the_next() {
    let host = Host::new().await;
    // A journal as a killed host leaves it: its lock is not held, its resource not released.
    let dead = host.root.path().join("runs/1-00000001");
    std::fs::create_dir_all(&dead).unwrap();
    std::fs::write(host.file(), "x").unwrap();
    let line = serde_json::json!({"created": {
        "number": 1,
        "owner": {"name": "scripted", "path": "/gone/kiln-plugin-scripted"},
        "resource": {"kind": "file", "id": host.file()},
    }});
    std::fs::write(dead.join("journal.jsonl"), format!("{line}\n")).unwrap();
    let directory = host.registry.run_directory().await.unwrap();
    let leftovers = reclaim_leftovers(&host.registry, &directory).await;
    assert_eq!(leftovers.len(), 1);
    assert_eq!(leftovers[0].error, None);
    assert!(!dead.exists());
    host.finish(directory).await;
}

#[tokio::test]
async fn what_cannot_be_removed_stays_on_record() {
    let host = Host::new().await;
    let dead = host.root.path().join("runs/1-00000001");
    std::fs::create_dir_all(&dead).unwrap();
    let line = serde_json::json!({"created": {
        "number": 1,
        "owner": {"name": "scripted", "path": "/gone/kiln-plugin-scripted"},
        "resource": {"kind": "file", "id": "/nonexistent/file"},
    }});
    std::fs::write(dead.join("journal.jsonl"), format!("{line}\n")).unwrap();
    let directory = host.registry.run_directory().await.unwrap();
    let leftovers = reclaim_leftovers(&host.registry, &directory).await;
    assert!(
        leftovers[0]
            .error
            .as_deref()
            .unwrap()
            .contains("No such file")
    );
    assert!(dead.exists());
    std::fs::remove_dir_all(&dead).unwrap();
    host.finish(directory).await;
}
