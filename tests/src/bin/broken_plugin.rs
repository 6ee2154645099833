//! A plugin that is broken or hostile in the way that `KILN_BROKEN` names: at the handshake, when it
//! is asked what it offers or to check options, while it runs, or after that.
//!
//! It speaks the protocol without the SDK, which would not let it. Without the variable it is good.
//! Builder `broken`, which takes the option `path`; `tests/tests/process/isolation` installs it.

#![expect(clippy::exit, reason = "a broken plugin ends when and how it likes")]

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use plugin_wire::handshake;
use plugin_wire::v1 as wire;
use plugin_wire::v1::finished::Outcome;
use plugin_wire::v1::plugin_server::{Plugin, PluginServer};
use plugin_wire::v1::run_event::Event;
use plugin_wire::v1::run_request::Request as Told;
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

const MIB: usize = 1024 * 1024;

fn mode() -> String {
    std::env::var("KILN_BROKEN").unwrap_or_default()
}

fn main() -> ExitCode {
    let folder = PathBuf::from(std::env::var(handshake::DIRECTORY_VARIABLE).unwrap_or_default());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    runtime.block_on(async {
        match greet(&folder).await {
            Some(listener) => serve(listener).await,
            None => wait_for_the_host(),
        }
        ExitCode::SUCCESS
    })
}

/// Reads standard input to its end, which comes when the host goes.
fn wait_for_the_host() {
    drop(std::io::stdin().read_to_end(&mut Vec::new()));
}

/// Prints the handshake, in the mode's way; gives what to serve on, if anything.
async fn greet(folder: &Path) -> Option<UnixListener> {
    let socket = folder.join("p.sock");
    let mut hello = serde_json::json!({
        "kiln_plugin": handshake::HANDSHAKE_VERSION,
        "protocol_majors": handshake::PROTOCOL_MAJORS,
        "features": [],
        "socket": socket,
    });
    match mode().as_str() {
        "silent" => return None,
        "exits" => {
            complain("the licence has expired");
            std::process::exit(3);
        }
        "aborts" => std::process::abort(),
        "garbage" => {
            print(b"\x7fELF\x00\xff\xfe{]\n");
            return None;
        }
        "huge" => {
            while print(&[b'x'; 65536]) {}
            return None;
        }
        "closes" => {
            let error = Command::new("sh").args(["-c", "exec >&-; cat"]).exec();
            panic!("{error}");
        }
        "major" => hello["protocol_majors"] = serde_json::json!([99]),
        "hello_version" => hello["kiln_plugin"] = serde_json::json!(77),
        "elsewhere" => hello["socket"] = serde_json::json!("/run/elsewhere.sock"),
        _ => {}
    }
    let listener = match mode().as_str() {
        "absent" => None,
        _ => Some(UnixListener::bind(&socket).expect("the host gives a folder")),
    };
    print(format!("{hello}\n").as_bytes());
    match (mode().as_str(), listener) {
        ("mute", Some(listener)) => {
            let held = listener.accept().await;
            std::future::pending::<()>().await;
            drop(held);
            None
        }
        ("noise", Some(listener)) => loop {
            let (mut stream, _) = listener.accept().await.expect("the host connects");
            let noise = b"HTTP/1.1 400 Bad Request\r\n\r\n";
            drop(tokio::io::AsyncWriteExt::write_all(&mut stream, noise).await);
        },
        (_, listener) => listener,
    }
}

async fn serve(listener: UnixListener) {
    std::thread::spawn(|| {
        wait_for_the_host();
        if mode() != "run_stays" {
            std::process::exit(0);
        }
    });
    let served = Server::builder()
        .add_service(PluginServer::new(Broken).max_encoding_message_size(usize::MAX))
        .serve_with_incoming(UnixListenerStream::new(listener));
    drop(served.await);
}

fn print(bytes: &[u8]) -> bool {
    let mut stdout = std::io::stdout();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .is_ok()
}

fn complain(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

struct Broken;

#[tonic::async_trait]
impl Plugin for Broken {
    async fn describe(
        &self,
        _: Request<wire::DescribeRequest>,
    ) -> Result<Response<wire::DescribeResponse>, Status> {
        let mut doc = "Is broken.".to_owned();
        let mut needs = Vec::new();
        match mode().as_str() {
            "describe_dies" => {
                complain("I do not know who I am");
                std::process::abort();
            }
            "describe_hangs" => std::future::pending().await,
            "describe_huge" => doc = "x".repeat(256 * MIB),
            "describe_writes" => {
                let home = std::env::var("HOME").unwrap_or_default();
                drop(std::fs::write(Path::new(&home).join("trace"), "x"));
            }
            "describe_need" => needs.push("everything".to_owned()),
            "describe_root" => needs.push("write:/".to_owned()),
            "run_network_declared" => needs.push("network".to_owned()),
            _ => {}
        }
        let text = wire::r#type::Kind::Primitive(wire::r#type::Primitive::String.into());
        let path = wire::AttributeSchema {
            name: "path".to_owned(),
            r#type: Some(wire::Type { kind: Some(text) }),
            ..Default::default()
        };
        let builder = wire::ComponentDescription {
            id: Some(wire::ComponentId {
                kind: wire::ComponentKind::Builder.into(),
                name: "broken".to_owned(),
            }),
            schema: Some(wire::Schema {
                doc,
                attributes: vec![path],
                ..Default::default()
            }),
        };
        Ok(Response::new(wire::DescribeResponse {
            name: "broken".to_owned(),
            version: "1.0.0".to_owned(),
            protocol_majors: handshake::PROTOCOL_MAJORS.to_vec(),
            features: Vec::new(),
            components: match mode().as_str() {
                "describe_nothing" => Vec::new(),
                _ => vec![builder],
            },
            needs,
        }))
    }

    async fn schema(
        &self,
        _: Request<wire::SchemaRequest>,
    ) -> Result<Response<wire::SchemaResponse>, Status> {
        Err(Status::unimplemented("the description has the schema"))
    }

    async fn prepare(
        &self,
        _: Request<wire::PrepareRequest>,
    ) -> Result<Response<wire::PrepareResponse>, Status> {
        let mut answer = wire::PrepareResponse::default();
        match mode().as_str() {
            "prepare_dies" => {
                complain("options are not for me");
                std::process::abort();
            }
            "prepare_refuses" => return Err(Status::internal("out of cheese")),
            "prepare_huge" => answer.generated = vec!["x".repeat(256 * MIB)],
            "prepare_nowhere" => {
                let step = wire::path_step::Step::Index(u64::MAX);
                answer.diagnostics = vec![wire::Diagnostic {
                    severity: wire::diagnostic::Severity::Error.into(),
                    summary: "Something is wrong somewhere".to_owned(),
                    path: vec![wire::PathStep { step: Some(step) }],
                    ..Default::default()
                }];
            }
            _ => {}
        }
        Ok(Response::new(answer))
    }

    type RunStream = ReceiverStream<Result<wire::RunEvent, Status>>;

    async fn run(
        &self,
        request: Request<Streaming<wire::RunRequest>>,
    ) -> Result<Response<Self::RunStream>, Status> {
        let (events, stream) = mpsc::channel(8);
        let told = request.into_inner();
        drop(tokio::spawn(
            async move { Run { events, told }.play().await },
        ));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn reclaim(
        &self,
        request: Request<wire::ReclaimRequest>,
    ) -> Result<Response<wire::ReclaimResponse>, Status> {
        let done = |resource: wire::Resource| wire::ReclaimResult {
            number: resource.number,
            error: String::new(),
        };
        let resources = request.into_inner().resources;
        Ok(Response::new(wire::ReclaimResponse {
            results: resources.into_iter().map(done).collect(),
        }))
    }
}

struct Run {
    events: mpsc::Sender<Result<wire::RunEvent, Status>>,
    told: Streaming<wire::RunRequest>,
}

impl Run {
    async fn play(mut self) {
        let first = self.told.message().await.ok().flatten();
        let Some(Told::Start(start)) = first.and_then(|first| first.request) else {
            return;
        };
        let path = option(start.config, "path");
        let files = start.build.map(|build| build.run_dir).unwrap_or_default();
        match mode().as_str() {
            "run_dies" => {
                complain("famous last words");
                std::process::abort();
            }
            "run_ends" => return,
            "run_refuses" => {
                drop(self.events.send(Err(Status::internal("no more"))).await);
                return;
            }
            "run_empty_event" => drop(self.events.send(Ok(wire::RunEvent { event: None })).await),
            "run_huge_event" => self.say(&"x".repeat(256 * MIB)).await,
            "run_deaf" => {
                self.say("not listening").await;
                std::future::pending().await
            }
            "run_stdout" => assert!((0..1024).all(|_| print(&[b'x'; 65536])), "it is read"),
            "run_stderr" => (0..20_000).for_each(|line| complain(&format!("line {line}"))),
            "run_forks" => {
                sleep_forever("sleep", &[]);
                std::process::exit(0);
            }
            // A session of its own is outside the plugin's process group.
            "run_forks_session" => {
                sleep_forever("setsid", &["sleep"]);
                std::process::exit(0);
            }
            "run_leaves_child" => sleep_forever("sleep", &[]),
            "run_releases" => {
                let number = 4711;
                let released = wire::ResourceReleased { number };
                self.tell(Event::ResourceReleased(released)).await;
            }
            "run_twice" => {
                self.create().await;
                self.create().await;
            }
            "run_progress" => self.much_progress().await,
            "run_tricks" => {
                self.say("\x1b]0;owned\x07\x1b[2J\x1b[31mred\r\nfake: line")
                    .await
            }
            "run_outside" => return self.attempt(std::fs::write(&path, "x")).await,
            "run_secret" => return self.attempt(std::fs::read(&path)).await,
            "run_network" | "run_network_declared" => {
                return self.attempt(std::net::TcpStream::connect(&path)).await;
            }
            "run_kills" => {
                let host = std::os::unix::process::parent_id().to_string();
                let killed = Command::new("kill").args(["-9", &host]).output();
                return self.attempt(killed.and_then(said)).await;
            }
            "run_evidence" => {
                let evidence = Path::new(&files).join("evidence");
                let made = std::fs::create_dir(&evidence)
                    .and_then(|()| Command::new("mkfifo").arg(evidence.join("pipe")).status())
                    .and_then(|_| std::os::unix::fs::symlink(&path, evidence.join("link")))
                    .and_then(|()| std::fs::write(evidence.join("screen.txt"), "all is dark"));
                return self
                    .attempt(made.and(Err::<(), _>(std::io::Error::other("evidence is left"))))
                    .await;
            }
            "run_memory" => {
                let mut all = Vec::new();
                loop {
                    all.push(vec![1u8; 8 * MIB]);
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            _ => {}
        }
        let artifact = wire::Artifact {
            id: "image".to_owned(),
            destroy: match mode().as_str() {
                "run_destroys" => vec![path],
                _ => Vec::new(),
            },
            ..Default::default()
        };
        self.finish(Outcome::Success(wire::Success {
            artifact: Some(artifact),
            ..Default::default()
        }))
        .await;
        if mode() == "run_after" {
            self.say("one more thing").await;
        }
    }

    /// Fails with what the operating system says, and succeeds when it allows everything.
    async fn attempt<T>(&self, outcome: std::io::Result<T>) {
        let outcome = match outcome {
            Ok(_) => Outcome::Success(wire::Success {
                artifact: Some(wire::Artifact {
                    id: "allowed".to_owned(),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            Err(error) => Outcome::Failure(wire::Failure {
                message: format!("it was not allowed: {error}"),
                ..Default::default()
            }),
        };
        self.finish(outcome).await;
    }

    async fn create(&mut self) {
        let resource = wire::Resource {
            number: 1,
            kind: "thing".to_owned(),
            id: "a".to_owned(),
            reclaim: Default::default(),
        };
        self.tell(Event::ResourceCreated(resource)).await;
        drop(self.told.message().await);
    }

    async fn much_progress(&self) {
        for done in 0..100_000 {
            self.tell(Event::Progress(wire::Progress {
                number: done,
                label: format!("part {done}"),
                done,
                ..Default::default()
            }))
            .await;
        }
    }

    async fn say(&self, text: &str) {
        self.tell(Event::Ui(wire::Ui {
            level: wire::ui::Level::Say.into(),
            text: text.to_owned(),
        }))
        .await;
    }

    async fn finish(&self, outcome: Outcome) {
        let outcome = Some(outcome);
        self.tell(Event::Finished(wire::Finished { outcome })).await;
    }

    async fn tell(&self, event: Event) {
        // The host may have left.
        drop(
            self.events
                .send(Ok(wire::RunEvent { event: Some(event) }))
                .await,
        );
    }
}

/// Starts a program that sleeps, by way of `program`.
fn sleep_forever(program: &str, words: &[&str]) {
    let child = Command::new(program)
        .args(words)
        .arg("86400")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    drop(child.expect("sleep is there"));
}

/// A failed command's words as an error.
fn said(output: std::process::Output) -> std::io::Result<()> {
    match output.status.success() {
        true => Ok(()),
        false => Err(std::io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )),
    }
}

/// The text of an option; empty when it is not set.
fn option(config: Option<wire::Value>, name: &str) -> String {
    let Some(wire::value::Kind::Map(map)) = config.and_then(|config| config.kind) else {
        return String::new();
    };
    let mut entries = map.entries.into_iter();
    let entry = entries.find(|entry| entry.key == name);
    match entry
        .and_then(|entry| entry.value)
        .and_then(|value| value.kind)
    {
        Some(wire::value::Kind::String(text)) => text,
        _ => String::new(),
    }
}
