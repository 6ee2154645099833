//! Both ends of the calls against each other.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sdk_communicator::{Command, Communicator, Exit, FileTarget, Memory, Scripted, capture, tree};
use tokio_util::sync::CancellationToken;

use super::{
    Artifact, ArtifactFacts, Component, ComponentService, Hook, HookCall, HookService,
    MachineService, Prepared, Processed, RemoteArtifact, RemoteComponent, RemoteHook,
    RemoteMachine, RemoteUi, Services, Track, Ui, UiService,
};
use crate::Kind;
use crate::transport::{Client, Fault, Service, Session, Side, Wire};
use crate::transport::{field, lossy_text, map, wire_text};
use crate::value::{Configs, Element};

fn pair() -> (Session, Session) {
    let (host, plugin) = tokio::io::duplex(64 * 1024);
    let host = Session::new(host, Side::Host);
    (host, Session::new(plugin, Side::Plugin))
}

/// A machine behind both ends, and the folder trees pass through.
async fn machine(memory: Arc<Memory>) -> (RemoteMachine, Ends) {
    machine_of(|plugin| MachineService::new(plugin.clone(), memory)).await
}

/// What a machine needs to stay: both ends, and the folder trees pass through.
type Ends = (Session, Session, tempfile::TempDir);

async fn machine_of<S: Service>(service: impl FnOnce(&Session) -> S) -> (RemoteMachine, Ends) {
    let (host, plugin) = pair();
    let id = Services::new().with(service(&plugin)).offer(&plugin);
    let client = Client::new(host.dial(id).await.expect("it is offered"));
    let folder = tempfile::tempdir().expect("a folder can be made");
    let machine = RemoteMachine::new(host.clone(), client, folder.path());
    (machine, (host, plugin, folder))
}

/// Notes how trees are asked for.
struct Noted {
    machine: MachineService,
    calls: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Service for Noted {
    fn offers(&self, name: &str) -> bool {
        self.machine.offers(name)
    }

    async fn call(&self, service: &str, method: &str, argument: Wire) -> Result<Wire, Fault> {
        let text = |key| lossy_text(field(&argument, key)).unwrap_or_default();
        // The names of temporary folders differ from run to run.
        let source = text("Src");
        let source = source.split_once("/tree-").map_or(&*source, |(_, rest)| {
            rest.split_once('/').map_or("", |(_, name)| name)
        });
        let call = match method {
            "UploadDir" => Some(format!("up {source} to {}", text("Dst"))),
            "DownloadDir" => Some(format!("down {source}")),
            _ => None,
        };
        self.calls.lock().expect("nobody panics").extend(call);
        self.machine.call(service, method, argument).await
    }
}

#[tokio::test]
async fn trees_are_asked_for_so_that_scp_makes_what_is_meant() {
    let memory = Arc::new(Memory::new());
    memory.script("test -d", [Scripted::status(1)]);
    memory.script("test -d '/there'", [Scripted::status(0)]);
    let calls = Arc::new(Mutex::new(Vec::new()));
    let noted = |plugin: &Session| Noted {
        machine: MachineService::new(plugin.clone(), memory.clone()),
        calls: Arc::clone(&calls),
    };
    let (machine, (.., folder)) = machine_of(noted).await;
    let tree = folder.path().join("source");
    std::fs::create_dir(&tree).expect("it can be made");
    std::fs::write(tree.join("a"), "content").expect("it can be written");
    for target in ["/new/up", "/there/", "/"] {
        let entries = tree::read_local(&tree, tree::ReadOptions::default());
        let sent = machine.upload_tree(target, entries).await;
        assert_eq!(sent.expect("it is taken"), 7);
        let file = format!("{}/a", target.trim_end_matches('/'));
        assert!(memory.file(&file).is_some(), "{target}");
    }
    let entries = machine.download_tree("/new/up/", &[]).await;
    let back = folder.path().join("back");
    let got = tree::write_local(entries.expect("it is given"), &back).await;
    assert_eq!(got.expect("it can be written"), 7);
    let wanted = [
        "up up to /new",
        "up there/ to /there",
        "up tree/ to /",
        "down /new/up/.",
    ];
    assert_eq!(*calls.lock().expect("nobody panics"), wanted);
}

#[tokio::test]
async fn a_folder_that_is_fetched_keeps_its_name_unless_its_contents_are_meant() {
    let memory = Arc::new(Memory::new());
    let (machine, (host, plugin, folder)) = machine(Arc::clone(&memory)).await;
    let tree = folder.path().join("source");
    std::fs::create_dir(&tree).expect("it can be made");
    std::fs::write(tree.join("a"), "content").expect("it can be written");
    let entries = tree::read_local(&tree, tree::ReadOptions::default());
    let sent = machine.upload_tree("/t", entries).await;
    assert_eq!(sent.expect("it is taken"), 7);
    let service = MachineService::new(plugin.clone(), memory);
    let id = Services::new().with(service).offer(&plugin);
    let client = Client::new(host.dial(id).await.expect("it is offered"));
    for (source, place) in [("/t", "t/a"), ("/t/", "t/a"), ("/t/.", "a")] {
        let target = tempfile::tempdir().expect("a folder can be made");
        let argument = map([
            ("Src", wire_text(source)),
            ("Dst", wire_text(target.path().to_string_lossy())),
            ("Exclude", Wire::Nil),
        ]);
        let fetched = client.call("Communicator.DownloadDir", argument).await;
        fetched.expect("it is given");
        assert!(target.path().join(place).is_file(), "{source}");
    }
}

/// Answers nothing.
struct Silent;

#[async_trait]
impl Service for Silent {
    fn offers(&self, _name: &str) -> bool {
        true
    }

    async fn call(&self, _service: &str, _method: &str, _argument: Wire) -> Result<Wire, Fault> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn what_is_under_way_on_a_machine_that_is_given_up_fails() {
    let (machine, _kept) = machine_of(|_| Silent).await;
    let given_up = CancellationToken::new();
    let machine = machine.until(given_up.clone());
    let run = capture(&machine, Command::new("sleep"));
    let (ran, ()) = tokio::join!(run, async { given_up.cancel() });
    let error = ran.expect_err("it is given up").to_string();
    assert!(error.contains("gave the provisioning up"), "{error}");
}

#[tokio::test]
async fn commands_have_input_output_and_status() {
    let memory = Arc::new(Memory::new());
    memory.script("speak", [Scripted::stdout("out").stderr("err")]);
    memory.script("fail", [Scripted::status(7)]);
    memory.script("break", [Scripted::disconnect()]);
    let (machine, _kept) = machine(Arc::clone(&memory)).await;
    let command = Command {
        stdin: Some(Box::new(&b"in"[..])),
        ..Command::new("speak")
    };
    let said = capture(&machine, command).await.expect("it starts");
    assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("out", "err"));
    assert_eq!(said.exit, Exit::Code(0));
    assert_eq!(memory.commands()[0].stdin, "in");
    let failed = capture(&machine, Command::new("fail")).await;
    assert_eq!(failed.expect("it starts").exit, Exit::Code(7));
    let broken = capture(&machine, Command::new("break")).await;
    let exit = broken.expect("it starts").exit;
    assert!(matches!(exit, Exit::Disconnected(_)), "{exit:?}");
}

#[tokio::test]
async fn files_and_trees_pass_both_ways() {
    let memory = Arc::new(Memory::new());
    let (machine, (.., folder)) = machine(Arc::clone(&memory)).await;
    let content = vec![b'x'; 600_000];
    for size in [Some(content.len() as u64), None] {
        let target = FileTarget {
            path: "/tmp/file".to_owned(),
            mode: 0o750,
            size,
        };
        let source = Box::new(std::io::Cursor::new(content.clone()));
        let sent = machine.upload(target, source).await.expect("it is taken");
        assert_eq!(sent, content.len() as u64);
        assert_eq!(memory.file("/tmp/file").expect("it is there"), content);
    }
    let copy = folder.path().join("copy");
    let sink = tokio::fs::File::create(&copy)
        .await
        .expect("it can be made");
    let got = machine.download("/tmp/file", Box::new(sink)).await;
    assert_eq!(got.expect("it is given"), content.len() as u64);
    assert_eq!(std::fs::read(&copy).expect("it is there"), content);
    let sink = Box::new(tokio::io::sink());
    machine
        .download("/tmp/none", sink)
        .await
        .expect_err("it is missing");

    let tree = folder.path().join("tree");
    std::fs::create_dir_all(tree.join("sub")).expect("folders can be made");
    std::fs::write(tree.join("sub/a"), "content").expect("a file can be written");
    let entries = tree::read_local(&tree, tree::ReadOptions::default());
    machine
        .upload_tree("/t", entries)
        .await
        .expect("it is taken");
    assert_eq!(memory.file("/t/sub/a").expect("it is there"), "content");
    let entries = machine.download_tree("/t", &[]).await.expect("it is given");
    let back = folder.path().join("back");
    tree::write_local(entries, &back)
        .await
        .expect("it can be written");
    assert_eq!(
        std::fs::read(back.join("sub/a")).expect("it is there"),
        b"content"
    );
}

/// Writes down what it hears.
#[derive(Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn note(&self, text: String) {
        self.0.lock().expect("nobody panics").push(text);
    }
}

#[async_trait]
impl Ui for Heard {
    async fn say(&self, text: String) {
        self.note(format!("say {text}"));
    }

    async fn error(&self, text: String) {
        self.note(format!("error {text}"));
    }

    async fn machine(&self, category: String, facts: Vec<String>) {
        self.note(format!("machine {category} {}", facts.join(",")));
    }

    async fn ask(&self, question: String) -> Result<String, String> {
        if question.is_empty() {
            return Err("nobody is there".to_owned());
        }
        Ok(format!("{question}!"))
    }

    fn track(&self, source: String, done: u64, total: u64) -> Arc<dyn Track> {
        self.note(format!("track {source} {done} {total}"));
        Arc::new(Heard(Arc::clone(&self.0)))
    }
}

#[async_trait]
impl Track for Heard {
    async fn add(&self, bytes: u64) {
        self.note(format!("add {bytes}"));
    }

    async fn close(&self) {
        self.note("close".to_owned());
    }
}

#[async_trait]
impl Hook for Heard {
    async fn run(&self, call: HookCall) -> Result<(), String> {
        self.note(format!("hook {} {}", call.name, call.data));
        Err("the provisioner failed".to_owned())
    }

    async fn cancel(&self) {
        self.note("hook cancel".to_owned());
    }
}

#[async_trait]
impl Artifact for Heard {
    fn facts(&self) -> ArtifactFacts {
        ArtifactFacts {
            builder_id: "b".to_owned(),
            id: "i".to_owned(),
            description: "d".to_owned(),
            files: vec!["f".to_owned()],
        }
    }

    async fn state(&self, name: String) -> Wire {
        if ["known", "diskName"].contains(&&*name) {
            7.into()
        } else {
            Wire::Nil
        }
    }

    async fn destroy(&self) -> Result<(), String> {
        Err("it stays".to_owned())
    }
}

/// A component of every kind.
struct Sample(Kind);

#[async_trait]
impl Component for Sample {
    fn kind(&self) -> Kind {
        self.0
    }

    async fn config_spec(&self) -> Result<Vec<u8>, String> {
        Ok(vec![1, 2, 3])
    }

    async fn prepare(&self, configs: Configs) -> Prepared {
        Prepared {
            error: configs.0.is_empty().then(|| "no options".to_owned()),
            generated: vec!["Fruit".to_owned()],
            warnings: Vec::new(),
        }
    }

    async fn build(
        &self,
        hook: RemoteHook,
        ui: RemoteUi,
    ) -> Result<Option<Arc<dyn Artifact>>, String> {
        let failed = |error: crate::transport::CallError| error.to_string();
        ui.say("hello").await.map_err(failed)?;
        ui.error("oh").await.map_err(failed)?;
        ui.machine("c", &["a".to_owned()]).await.map_err(failed)?;
        assert_eq!(ui.ask("why").await.map_err(failed)?, "why!");
        ui.ask("").await.expect_err("nobody is there");
        let name = ui.track("http://x/y.iso", 1, 10).await.map_err(failed)?;
        ui.add(&name, 9).await.map_err(failed)?;
        ui.close(&name).await.map_err(failed)?;
        ui.add(&name, 9).await.expect_err("it is over");
        hook.cancel().await.map_err(failed)?;
        let refused = hook
            .run("packer_provision", 5.into(), Services::new())
            .await;
        let refused = refused.expect_err("the hook fails");
        assert_eq!(refused.to_string(), "the provisioner failed");
        Ok(Some(Arc::new(Heard::default())))
    }

    async fn provision(&self, data: Wire, _machine: Client, ui: RemoteUi) -> Result<(), String> {
        let said = ui.say(&format!("data {data}")).await;
        said.map_err(|error| error.to_string())
    }

    async fn post_process(&self, input: RemoteArtifact, _: RemoteUi) -> Result<Processed, String> {
        let facts = input.facts().await.map_err(|error| error.to_string())?;
        assert_eq!(facts.id, "i");
        Ok(Processed {
            artifact: None,
            keep: true,
            force: false,
        })
    }

    async fn output_spec(&self) -> Result<Vec<u8>, String> {
        Ok(vec![4])
    }

    async fn execute(&self) -> Result<Vec<u8>, String> {
        Err("not found".to_owned())
    }

    async fn cancel(&self) {}
}

async fn component(kind: Kind) -> (RemoteComponent, Session) {
    let (host, plugin) = pair();
    let service = ComponentService::new(plugin.clone(), Arc::new(Sample(kind)));
    tokio::spawn(service.serve());
    let remote = RemoteComponent::connect(host, kind).await;
    (remote.expect("it is served"), plugin)
}

#[tokio::test]
async fn every_kind_is_prepared_and_says_why_not() {
    for kind in Kind::ALL {
        let (remote, _plugin) = component(kind).await;
        assert_eq!(remote.config_spec().await.expect("it has one"), [1, 2, 3]);
        let configs = Configs(vec![Element::Native(sdk_config::Value::empty_map())]);
        let prepared = remote.prepare(&configs).await.expect("it answers");
        assert_eq!(prepared.error, None);
        assert_eq!(prepared.generated.len(), usize::from(kind == Kind::Builder));
        let refused = remote
            .prepare(&Configs::default())
            .await
            .expect("it answers");
        assert_eq!(refused.error.as_deref(), Some("no options"));
        remote.cancel().await.expect("it can be cancelled");
    }
}

#[tokio::test]
async fn runs_reach_the_person_the_hook_and_the_artifact() {
    let heard = Heard::default();
    let notes = Arc::clone(&heard.0);
    let heard = Arc::new(heard);
    let services = || {
        Services::new()
            .with(UiService::new(heard.clone()))
            .with(HookService::new(heard.clone()))
            .with(super::ArtifactService::new(heard.clone()))
    };
    let (builder, _plugin) = component(Kind::Builder).await;
    let built = builder.build(services()).await.expect("it builds");
    let artifact = built.expect("there is one");
    assert_eq!(artifact.facts().await.expect("it answers").files, ["f"]);
    assert_eq!(artifact.state("known").await.expect("it answers"), 7.into());
    let known = artifact.known_facts().await.expect("it answers");
    assert_eq!(known, [("diskName", 7.into())]);
    let stays = artifact.destroy().await.expect_err("it refuses");
    assert_eq!(stays.to_string(), "it stays");
    let expected = [
        "say hello",
        "error oh",
        "machine c a",
        "track http://x/y.iso 1 10",
        "add 9",
        "close",
        "hook cancel",
        "hook packer_provision 5",
    ];
    assert_eq!(*notes.lock().expect("nobody panics"), expected);

    let (provisioner, _plugin) = component(Kind::Provisioner).await;
    let done = provisioner.provision(3.into(), services()).await;
    done.expect("it provisions");
    assert_eq!(
        notes
            .lock()
            .expect("nobody panics")
            .last()
            .expect("it spoke"),
        "say data 3"
    );

    let (post_processor, _plugin) = component(Kind::PostProcessor).await;
    let made = post_processor
        .post_process(services())
        .await
        .expect("it works");
    assert!(made.keep && !made.force && made.artifact.is_none());

    let (source, _plugin) = component(Kind::Datasource).await;
    assert_eq!(source.output_spec().await.expect("it has one"), [4]);
    let failed = source.execute().await.expect_err("it fails");
    assert_eq!(failed.to_string(), "not found");
}
