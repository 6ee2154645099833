//! A host of Packer's protocol in this process, plugins that serve, a machine in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sdk_communicator::{Command as Guest, Memory, Scripted, capture};
use sdk_config::{Value, ValueKind};
use sdk_packer_protocol::Kind;
use sdk_packer_protocol::endpoint::{
    Artifact, ArtifactFacts, ArtifactService, Hook, HookCall, HookService, MachineService,
    PROVISION, RemoteComponent, RemoteMachine, Services, Track, Ui, UiService,
};
use sdk_packer_protocol::spec::{Encoding, Spec, read_body};
use sdk_packer_protocol::transport::{Client, Session, Side, Wire};
use sdk_packer_protocol::value::{Configs, CoreVariables, Typed};
use tokio::task::JoinHandle;

use super::start::{choose, serve_connection};
use super::{Command, command, describe};
use crate::tests::sample::plugin;

/// A component that a host has started.
struct Started {
    component: RemoteComponent,
    plugin: JoinHandle<()>,
    encoding: Encoding,
    folder: tempfile::TempDir,
}

async fn start(machine: &Memory, kind: Kind, name: &str, encoding: Encoding) -> Started {
    let (host, guest) = tokio::io::duplex(64 * 1024);
    let mut words = vec![kind.argument().to_owned(), name.to_owned()];
    if encoding == Encoding::Protobuf {
        words.insert(1, "--protobuf".to_owned());
    }
    let chosen = choose(&plugin(machine), &words).expect("the plugin has it");
    assert_eq!(chosen.encoding, encoding);
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = tokio::spawn(serve_connection(guest, chosen, folder.path().join("run")));
    let session = Session::new(host, Side::Host);
    let component = RemoteComponent::connect(session, kind).await;
    Started {
        component: component.expect("the plugin takes the control stream up"),
        plugin,
        encoding,
        folder,
    }
}

impl Started {
    /// Hands over options as an HCL2 template does.
    async fn prepare(&self, options: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let spec = self
            .component
            .config_spec()
            .await
            .expect("it says what it takes");
        let spec = Spec::decode(&spec, self.encoding).expect("a description");
        let options: Value = options.iter().copied().collect();
        let typed = read_body(&spec, &options).expect("the options fit");
        let configs = Configs::hcl(self.component.kind(), &core(), &typed, None);
        self.prepare_with(&configs).await
    }

    async fn prepare_with(&self, configs: &Configs) -> Result<Vec<String>, String> {
        let prepared = self.component.prepare(configs).await.expect("it answers");
        match prepared.error {
            Some(error) => Err(error),
            None => Ok([prepared.generated, prepared.warnings].concat()),
        }
    }

    /// Leaves, and waits until the plugin has noticed and removed its folder.
    async fn leave(self) {
        drop(self.component);
        self.plugin.await.expect("it ends by itself");
        assert!(!self.folder.path().join("run").exists());
    }
}

fn core() -> CoreVariables {
    CoreVariables {
        build_name: "one".to_owned(),
        builder_type: "sample".to_owned(),
        core_version: "1.16.0".to_owned(),
        user_variables: BTreeMap::from([("greeting".to_owned(), "hello".to_owned())]),
        template_path: "sample.json".to_owned(),
        ..CoreVariables::default()
    }
}

/// What a host's person sees.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn note(&self, text: String) {
        self.0.lock().expect("no test panics with it").push(text);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().expect("no test panics with it").clone()
    }
}

struct Silent;

#[async_trait]
impl Track for Silent {
    async fn add(&self, _bytes: u64) {}

    async fn close(&self) {}
}

#[async_trait]
impl Ui for Heard {
    async fn say(&self, text: String) {
        self.note(text);
    }

    async fn error(&self, text: String) {
        self.note(format!("error: {text}"));
    }

    async fn machine(&self, category: String, _facts: Vec<String>) {
        self.note(category);
    }

    async fn ask(&self, _question: String) -> Result<String, String> {
        Err("nobody is here".to_owned())
    }

    fn track(&self, _source: String, _done: u64, _total: u64) -> Arc<dyn Track> {
        Arc::new(Silent)
    }
}

/// Runs a command on the builder's machine.
struct Provisioners {
    session: Session,
    heard: Heard,
    spool: tempfile::TempDir,
    /// Gets a message when a machine is ready; the run then waits for its end.
    waits: Option<tokio::sync::mpsc::Sender<()>>,
    cancelled: tokio_util::sync::CancellationToken,
}

impl Provisioners {
    fn new(started: &Started, heard: &Heard) -> Self {
        Self {
            session: started.component.session().clone(),
            heard: heard.clone(),
            spool: tempfile::tempdir().expect("a folder"),
            waits: None,
            cancelled: tokio_util::sync::CancellationToken::new(),
        }
    }
}

#[async_trait]
impl Hook for Provisioners {
    async fn run(&self, call: HookCall) -> Result<(), String> {
        assert_eq!(call.name, PROVISION);
        self.heard.note(format!("facts {}", call.data));
        if let Some(ready) = &self.waits {
            ready.send(()).await.expect("the test listens");
            self.cancelled.cancelled().await;
            return Err("stopped".to_owned());
        }
        let stream = self
            .session
            .dial(call.stream)
            .await
            .map_err(|error| error.to_string())?;
        let machine =
            RemoteMachine::new(self.session.clone(), Client::new(stream), self.spool.path());
        let run = capture(&machine, Guest::new("uname")).await;
        let run = run.map_err(|error| error.to_string())?;
        self.heard.note(format!("{} {:?}", run.stdout, run.exit));
        if run.stdout == "bad" {
            Err("no good".to_owned())
        } else {
            Ok(())
        }
    }

    async fn cancel(&self) {
        self.cancelled.cancel();
    }
}

fn services(hook: Provisioners, heard: &Heard) -> Services {
    Services::new()
        .with(HookService::new(Arc::new(hook)))
        .with(UiService::new(Arc::new(heard.clone())))
}

const BOTH: [Encoding; 2] = [Encoding::Gob, Encoding::Protobuf];

#[tokio::test]
async fn a_builder_is_provisioned_and_leaves_its_artifact() {
    for encoding in BOTH {
        let machine = Memory::new();
        machine.script("uname", [Scripted::stdout("Linux")]);
        let builder = start(
            &machine,
            Kind::Builder,
            "-packer-default-plugin-name-",
            encoding,
        )
        .await;
        let prepared = builder
            .prepare(&[("mode", "warn"), ("text", "stuck"), ("words", "x")])
            .await;
        let old = "Deprecated option: `words` still works but is going away. (use text)";
        let wanted = ["ID", old, "`mode`: Sample warning: It is on."];
        assert_eq!(prepared, Ok(wanted.map(str::to_owned).to_vec()));
        let heard = Heard::default();
        let services = services(Provisioners::new(&builder, &heard), &heard);
        let made = builder.component.build(services).await.expect("it builds");
        let made = made.expect("there is an artifact");
        assert_eq!(made.facts().await.expect("it answers").id, "stuck");
        assert_eq!(
            made.state("unheard of").await.expect("it answers"),
            Wire::Nil
        );
        let error = made.destroy().await.expect_err("the plugin cannot");
        let wanted = "cannot remove thing `stuck`: it is stuck";
        assert!(error.to_string().contains(wanted), "{error}");
        let wanted = ["facts {\"ID\": \"sample\"}", "Linux Code(0)", "cleaned up"];
        assert_eq!(heard.all(), wanted);
        drop(made);
        builder.leave().await;
    }
}

#[tokio::test]
async fn a_builder_fails_with_the_provisioners_words() {
    let machine = Memory::new();
    machine.script("uname", [Scripted::stdout("bad")]);
    let builder = start(
        &machine,
        Kind::Builder,
        "-packer-default-plugin-name-",
        Encoding::Gob,
    )
    .await;
    builder
        .prepare(&[("mode", "build"), ("text", "made")])
        .await
        .expect("the options are good");
    let heard = Heard::default();
    let services = services(Provisioners::new(&builder, &heard), &heard);
    let failed = builder
        .component
        .build(services)
        .await
        .expect_err("it fails");
    assert_eq!(failed.to_string(), "no good");
    builder.leave().await;
}

/// A builder whose options are checked already.
async fn prepared_builder(machine: &Memory, encoding: Encoding) -> Started {
    let name = "-packer-default-plugin-name-";
    let builder = start(machine, Kind::Builder, name, encoding).await;
    builder
        .prepare(&[("mode", "build"), ("text", "made")])
        .await
        .expect("the options are good");
    builder
}

#[tokio::test]
async fn a_cancelled_builder_cancels_its_provisioners_and_cleans_up() {
    let machine = Memory::new();
    let builder = prepared_builder(&machine, Encoding::Protobuf).await;
    let heard = Heard::default();
    let (ready, mut is_ready) = tokio::sync::mpsc::channel(1);
    let hook = Provisioners {
        waits: Some(ready),
        ..Provisioners::new(&builder, &heard)
    };
    let cancel = async {
        is_ready.recv().await.expect("the machine becomes ready");
        builder.component.cancel().await.expect("it answers");
    };
    let build = builder.component.build(services(hook, &heard));
    let (failed, ()) = tokio::join!(build, cancel);
    assert_eq!(
        failed.expect_err("it was cancelled").to_string(),
        "context canceled"
    );
    assert_eq!(heard.all().last().map(String::as_str), Some("cleaned up"));
    builder.leave().await;
}

#[tokio::test]
async fn a_host_that_leaves_ends_the_run() {
    let machine = Memory::new();
    let builder = prepared_builder(&machine, Encoding::Gob).await;
    let heard = Heard::default();
    let (ready, mut is_ready) = tokio::sync::mpsc::channel(1);
    let hook = Provisioners {
        waits: Some(ready),
        ..Provisioners::new(&builder, &heard)
    };
    let component = builder.component.clone();
    let services = services(hook, &heard);
    let build = tokio::spawn(async move { component.build(services).await.map(drop) });
    is_ready.recv().await.expect("the machine becomes ready");
    builder.component.session().end().cancel();
    drop(is_ready);
    assert!(build.await.expect("it does not panic").is_err());
    builder.leave().await;
}

#[tokio::test]
async fn a_provisioner_works_on_the_hosts_machine() {
    for encoding in BOTH {
        let machine = Memory::new();
        machine.script("uname", [Scripted::stdout("Linux")]);
        let provisioner = start(&machine, Kind::Provisioner, "touch", encoding).await;
        let text = "uname {{build `ID`}}";
        let options: Value = [("mode", "build"), ("text", text)].into_iter().collect();
        let configs = Configs::json(Kind::Provisioner, &core(), &options, None, &[]);
        provisioner
            .prepare_with(&configs)
            .await
            .expect("the options are good");
        let heard = Heard::default();
        let session = provisioner.component.session();
        let services = Services::new()
            .with(MachineService::new(
                session.clone(),
                Arc::new(machine.clone()),
            ))
            .with(UiService::new(Arc::new(heard.clone())));
        let data = Wire::Map(vec![(Wire::from("ID"), Wire::from("i-1"))]);
        provisioner
            .component
            .provision(data, services)
            .await
            .expect("it provisions");
        let wanted = ["machine i-1", "Linux", "Code(0)"];
        assert_eq!(heard.all(), wanted);
        assert_eq!(machine.commands()[0].command, "uname i-1");
        provisioner.leave().await;
    }
}

/// An artifact of the host, which counts how often it is removed.
#[derive(Default)]
struct Input(AtomicUsize);

#[async_trait]
impl Artifact for Input {
    fn facts(&self) -> ArtifactFacts {
        ArtifactFacts {
            builder_id: "b".to_owned(),
            id: "in".to_owned(),
            description: "input".to_owned(),
            files: vec!["/a".to_owned()],
        }
    }

    async fn state(&self, name: String) -> Wire {
        match name.as_str() {
            "diskName" | "rare" => Wire::from("vm"),
            _ => Wire::Nil,
        }
    }

    async fn destroy(&self) -> Result<(), String> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn a_post_processor_gives_another_artifact() {
    for encoding in BOTH {
        let post_processor = start(&Memory::new(), Kind::PostProcessor, "append", encoding).await;
        post_processor
            .prepare(&[("mode", "build"), ("text", "+out")])
            .await
            .expect("the options are good");
        let services = Services::new()
            .with(ArtifactService::new(Arc::new(Input::default())))
            .with(UiService::new(Arc::new(Heard::default())));
        let made = post_processor
            .component
            .post_process(services)
            .await
            .expect("it processes");
        assert!(made.keep && !made.force);
        let artifact = made.artifact.expect("there is an artifact");
        let wanted = ArtifactFacts {
            id: "in+out".to_owned(),
            ..Input::default().facts()
        };
        assert_eq!(artifact.facts().await.expect("it answers"), wanted);
        let known = artifact.state("diskName").await;
        assert_eq!(known.expect("it answers"), Wire::from("vm"));
        let rare = artifact.state("rare").await;
        assert_eq!(rare.expect("it answers"), Wire::Nil);
        drop(artifact);
        post_processor.leave().await;
    }
}

#[tokio::test]
async fn an_artifact_that_was_passed_on_is_removed_by_its_maker() {
    for encoding in BOTH {
        let post_processor = start(&Memory::new(), Kind::PostProcessor, "append", encoding).await;
        post_processor
            .prepare(&[("mode", "build"), ("text", "")])
            .await
            .expect("the options are good");
        let input = Arc::new(Input::default());
        let services = Services::new()
            .with(ArtifactService::new(Arc::clone(&input) as Arc<dyn Artifact>))
            .with(UiService::new(Arc::new(Heard::default())));
        let made = post_processor.component.post_process(services).await;
        let artifact = made.expect("it processes").artifact;
        let artifact = artifact.expect("there is an artifact");
        let rare = artifact.state("rare").await;
        assert_eq!(rare.expect("it answers"), Wire::from("vm"));
        artifact.destroy().await.expect("it is removed");
        assert_eq!(input.0.load(Ordering::SeqCst), 1);
        drop(artifact);
        post_processor.leave().await;
    }
}

#[tokio::test]
async fn what_only_the_builder_gives_may_be_named() {
    let provisioner = start(&Memory::new(), Kind::Provisioner, "touch", Encoding::Gob).await;
    let text = "{{build `Fruit`}}";
    let options: Value = [("mode", "build"), ("text", text)].into_iter().collect();
    let names = ["Fruit".to_owned()];
    let configs = Configs::json(Kind::Provisioner, &core(), &options, None, &names);
    let prepared = provisioner.prepare_with(&configs).await;
    prepared.expect("the host says that there will be one");
    let configs = Configs::json(Kind::Provisioner, &core(), &options, None, &[]);
    let refused = provisioner.prepare_with(&configs).await;
    assert!(refused.expect_err("there is none").contains("`text`"));
    provisioner.leave().await;
}

#[tokio::test]
async fn a_data_source_says_what_it_finds_and_finds_it() {
    for encoding in BOTH {
        let source = start(&Memory::new(), Kind::Datasource, "twice", encoding).await;
        let output = source
            .component
            .output_spec()
            .await
            .expect("it says what it finds");
        let output = Spec::decode(&output, encoding).expect("a description");
        source
            .prepare(&[("mode", "build"), ("text", "ab")])
            .await
            .expect("the options are good");
        let found = source
            .component
            .execute()
            .await
            .expect("it finds something");
        let found = match encoding {
            Encoding::Gob => Typed::from_gob(&found),
            Encoding::Protobuf => Typed::from_msgpack(&found),
        };
        let found = found.expect("a value");
        assert_eq!(found.ty, output.value_type());
        assert_eq!(found.value, [("twice", "abab")].into_iter().collect());
        source.leave().await;
    }
}

#[tokio::test]
async fn wrong_options_are_told_where_packer_looks_for_them() {
    let check = async |kind, name| {
        let started = start(&Memory::new(), kind, name, Encoding::Gob).await;
        let options: Value = [("mode", "nothing"), ("text", "{{user `nope"), ("txet", "x")]
            .into_iter()
            .collect();
        let configs = Configs::json(kind, &core(), &options, None, &[]);
        let refused = started
            .prepare_with(&configs)
            .await
            .expect_err("a call is broken");
        assert!(
            refused.starts_with("Failed to render template call: `text`: "),
            "{refused}"
        );
        let options: Value = [("mode", "nothing"), ("txet", "x")].into_iter().collect();
        let configs = Configs::json(kind, &core(), &options, None, &[]);
        let refused = started
            .prepare_with(&configs)
            .await
            .expect_err("nothing is right");
        for part in [
            "2 errors occurred:",
            "`mode` is one of",
            "did you mean `text`?",
        ] {
            assert!(refused.contains(part), "{refused}");
        }
        started.leave().await;
    };
    check(Kind::Builder, "-packer-default-plugin-name-").await;
    check(Kind::Provisioner, "touch").await;
    check(Kind::PostProcessor, "append").await;
}

#[tokio::test]
async fn template_calls_know_the_templates_variables() {
    let source = start(
        &Memory::new(),
        Kind::Datasource,
        "twice",
        Encoding::Protobuf,
    )
    .await;
    let mut options: Value = [
        ("mode", "build"),
        ("text", "{{user `greeting`}} {{build_name}};"),
    ]
    .into_iter()
    .collect();
    options.insert("type", "sample-twice");
    let configs = Configs::json(Kind::Datasource, &core(), &options, None, &[]);
    source
        .prepare_with(&configs)
        .await
        .expect("the options are good");
    let found = source
        .component
        .execute()
        .await
        .expect("it finds something");
    let found = Typed::from_msgpack(&found).expect("a value").value;
    let wanted = ValueKind::String("hello one;hello one;".to_owned());
    assert_eq!(found.get("twice").map(|value| &value.kind), Some(&wanted));
    source.leave().await;
}

#[test]
fn the_description_is_what_packer_reads() {
    let wanted = concat!(
        r#"{"version":"1.2.3","sdk_version":""#,
        env!("CARGO_PKG_VERSION"),
        r#"","api_version":"x5.0","builders":["-packer-default-plugin-name-"],"#,
        r#""post_processors":["append"],"provisioners":["touch"],"datasources":["twice"],"#,
        r#""protocol_version":"v2"}"#,
    );
    assert_eq!(describe::text(&plugin(&Memory::new())), wanted);
}

#[test]
fn the_command_line_is_read() {
    let words = |text: &str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(command(words("")), None);
    assert_eq!(command(words("help")), None);
    assert_eq!(
        command(words("describe --protobuf more")),
        Some(Command::Describe)
    );
    let start = Some(Command::Start(words("builder x")));
    assert_eq!(command(words("start builder x")), start);
    let refused = |text: &str| match choose(&plugin(&Memory::new()), &words(text)) {
        Ok(_) => panic!("{text} is refused"),
        Err(refusal) => refusal,
    };
    assert_eq!(
        refused("builder"),
        "`start` takes a kind of component and its name, not 1 words."
    );
    assert_eq!(
        refused("--protobuf machine x"),
        "`machine` is no kind of component; there are `builder`, `provisioner`, `post-processor`, `datasource`."
    );
    assert_eq!(
        refused("builder touch"),
        "This plugin has no builder named `touch`; `describe` lists what it has."
    );
}
