//! A plugin for tests: its builders behave as their names say, well or badly. It has a provisioner
//! and a post-processor, too, both named `tell`, which tell what they were given.
//!
//! It speaks the protocol without the SDK, so that the host is tested against the protocol and not
//! against the SDK's idea of it.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use plugin_wire::handshake;
use plugin_wire::v1 as wire;
use plugin_wire::v1::plugin_server::{Plugin, PluginServer};
use plugin_wire::v1::run_event::Event;
use plugin_wire::v1::run_request::Request as Told;
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

/// What the builders do; see [`Script::play`].
const BUILDERS: [&str; 6] = ["good", "dies", "leaves", "ends", "deaf", "asks"];

fn main() -> ExitCode {
    let variable = |name| std::env::var(name).unwrap_or_default();
    if variable(handshake::COOKIE_VARIABLE) != handshake::COOKIE {
        return ExitCode::FAILURE;
    }
    let folder = PathBuf::from(variable(handshake::DIRECTORY_VARIABLE));
    let token = format!(
        "{}{}",
        handshake::BEARER,
        variable(handshake::TOKEN_VARIABLE)
    );
    let (end, ended) = oneshot::channel();
    std::thread::spawn(move || {
        // Whatever comes, the end of the input is the end of the plugin.
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        end.send(())
    });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    runtime.block_on(async {
        tokio::select! {
            served = serve(&folder, token) => served.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
            _ = ended => ExitCode::SUCCESS,
        }
    })
}

async fn serve(folder: &Path, token: String) -> Result<(), Box<dyn std::error::Error>> {
    let socket = folder.join("p.sock");
    let listener = UnixListener::bind(&socket)?;
    let line = serde_json::json!({
        "kiln_plugin": handshake::HANDSHAKE_VERSION,
        "protocol_majors": handshake::PROTOCOL_MAJORS,
        "features": [],
        "socket": socket,
    });
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    let check = move |request: Request<()>| {
        let given = request.metadata().get(handshake::AUTHORIZATION);
        match given.is_some_and(|given| given.as_bytes() == token.as_bytes()) {
            true => Ok(request),
            false => Err(Status::unauthenticated("wrong token")),
        }
    };
    Server::builder()
        .add_service(PluginServer::with_interceptor(Scripted, check))
        .serve_with_incoming(UnixListenerStream::new(listener))
        .await?;
    Ok(())
}

struct Scripted;

fn described((kind, name): (wire::ComponentKind, &str)) -> wire::ComponentDescription {
    let text = wire::r#type::Kind::Primitive(wire::r#type::Primitive::String.into());
    let attribute = wire::AttributeSchema {
        name: "file".to_owned(),
        r#type: Some(wire::Type { kind: Some(text) }),
        doc: "The file to make.".to_owned(),
        ..Default::default()
    };
    wire::ComponentDescription {
        id: Some(wire::ComponentId {
            kind: kind.into(),
            name: name.to_owned(),
        }),
        schema: Some(wire::Schema {
            attributes: vec![attribute],
            ..Default::default()
        }),
    }
}

#[tonic::async_trait]
impl Plugin for Scripted {
    async fn describe(
        &self,
        _request: Request<wire::DescribeRequest>,
    ) -> Result<Response<wire::DescribeResponse>, Status> {
        let builders = BUILDERS
            .into_iter()
            .map(|name| (wire::ComponentKind::Builder, name));
        let others = [
            (wire::ComponentKind::Provisioner, "tell"),
            (wire::ComponentKind::PostProcessor, "tell"),
        ];
        Ok(Response::new(wire::DescribeResponse {
            name: "scripted".to_owned(),
            version: "1.2.3".to_owned(),
            protocol_majors: vec![1],
            features: Vec::new(),
            components: builders.chain(others).map(described).collect(),
            needs: Vec::new(),
        }))
    }

    async fn schema(
        &self,
        _request: Request<wire::SchemaRequest>,
    ) -> Result<Response<wire::SchemaResponse>, Status> {
        Err(Status::unimplemented("the description has the schemas"))
    }

    async fn prepare(
        &self,
        request: Request<wire::PrepareRequest>,
    ) -> Result<Response<wire::PrepareResponse>, Status> {
        let request = request.into_inner();
        let name = request
            .component
            .map(|component| component.name)
            .unwrap_or_default();
        if name == "dies" {
            complain("no checks today");
            std::process::abort();
        }
        let step = wire::path_step::Step::Attribute("file".to_owned());
        let diagnostic = wire::Diagnostic {
            severity: wire::diagnostic::Severity::Warning.into(),
            summary: "Odd file".to_owned(),
            path: vec![wire::PathStep { step: Some(step) }],
            ..Default::default()
        };
        let generated = vec!["Colour".to_owned()];
        Ok(Response::new(wire::PrepareResponse {
            diagnostics: vec![diagnostic],
            generated,
        }))
    }

    type RunStream = ReceiverStream<Result<wire::RunEvent, Status>>;

    async fn run(
        &self,
        request: Request<Streaming<wire::RunRequest>>,
    ) -> Result<Response<Self::RunStream>, Status> {
        let (events, stream) = mpsc::channel(8);
        let script = Script {
            events,
            told: request.into_inner(),
        };
        drop(tokio::spawn(script.play()));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn reclaim(
        &self,
        request: Request<wire::ReclaimRequest>,
    ) -> Result<Response<wire::ReclaimResponse>, Status> {
        let remove = |resource: wire::Resource| wire::ReclaimResult {
            number: resource.number,
            error: std::fs::remove_file(&resource.id)
                .map_or_else(|error| error.to_string(), |()| String::new()),
        };
        let results = request
            .into_inner()
            .resources
            .into_iter()
            .map(remove)
            .collect();
        Ok(Response::new(wire::ReclaimResponse { results }))
    }
}

fn complain(text: &str) {
    // Nobody can be told when standard error is closed.
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// One run.
struct Script {
    events: mpsc::Sender<Result<wire::RunEvent, Status>>,
    told: Streaming<wire::RunRequest>,
}

impl Script {
    async fn play(mut self) {
        let Some(Told::Start(start)) = self.hear().await else {
            return;
        };
        let name = start
            .component
            .map(|component| component.name)
            .unwrap_or_default();
        let text = option(start.config, "file");
        if let Some(role) = start.role {
            return self.tell_role(role, &text).await;
        }
        let file = PathBuf::from(text);
        match name.as_str() {
            "good" => self.good(&file).await,
            "dies" => {
                self.make(&file).await;
                complain("famous last words");
                std::process::abort();
            }
            "leaves" => {
                self.make(&file).await;
                self.fail("it did not work").await;
            }
            "ends" => self.make(&file).await,
            "deaf" => {
                self.make(&file).await;
                self.say("not listening").await;
                std::future::pending().await
            }
            _ => self.asks().await,
        }
    }

    async fn good(&mut self, file: &Path) {
        self.make(file).await;
        self.say("made").await;
        let colour = wire::value::Kind::String("red".to_owned());
        let value = Some(wire::Value {
            kind: Some(colour),
            sensitive: false,
        });
        let entries = vec![wire::Entry {
            key: "Colour".to_owned(),
            value,
        }];
        let generated = wire::value::Kind::Map(wire::Map { entries });
        self.tell(Event::Ready(wire::Ready {
            communicator: Some(wire::CommunicatorEndpoint {
                socket: "/there".to_owned(),
                token: "t".to_owned(),
            }),
            generated: Some(wire::Value {
                kind: Some(generated),
                sensitive: false,
            }),
        }))
        .await;
        match self.hear().await {
            Some(Told::Provisioned(verdict)) if verdict.error.is_empty() => {}
            Some(Told::Provisioned(verdict)) => {
                self.release(file).await;
                return self.fail(&verdict.error).await;
            }
            other => return self.fail(&format!("unexpected {other:?}")).await,
        }
        self.release(file).await;
        let artifact = wire::Artifact {
            id: "image".to_owned(),
            ..Default::default()
        };
        let success = wire::Success {
            artifact: Some(artifact),
            ..Default::default()
        };
        self.finish(wire::finished::Outcome::Success(success)).await;
    }

    /// A provisioner fails when its option says `fail`, and waits to be cancelled when it says
    /// `wait`.
    async fn tell_role(&mut self, role: wire::start::Role, text: &str) {
        let mut success = wire::Success::default();
        match role {
            wire::start::Role::Provisioner(given) => {
                let socket = given.communicator.map(|endpoint| endpoint.socket);
                let colour = option(given.generated, "Colour");
                self.say(&format!("{text} {} {colour}", socket.unwrap_or_default()))
                    .await;
            }
            wire::start::Role::PostProcessor(given) => {
                let input = given
                    .artifact
                    .map(|artifact| artifact.id)
                    .unwrap_or_default();
                self.say(&format!("{text} {input}")).await;
                let id = format!("{input}+{text}");
                success.artifact = Some(wire::Artifact {
                    id,
                    ..Default::default()
                });
                success.keep_input = true;
            }
        }
        match text {
            "fail" => self.fail("as it was told").await,
            "wait" => {
                while !matches!(self.hear().await, Some(Told::Cancel(_)) | None) {}
                self.fail("told to stop").await;
            }
            _ => self.finish(wire::finished::Outcome::Success(success)).await,
        }
    }

    async fn asks(&mut self) {
        let prompt = "really?".to_owned();
        self.tell(Event::Pause(wire::Pause {
            number: 7,
            prompt,
            debug: false,
            hidden: false,
        }))
        .await;
        let text = match self.hear().await {
            Some(Told::Continue(answer)) if answer.unattended => "nobody there".to_owned(),
            Some(Told::Continue(answer)) => format!("{} {}", answer.number, answer.answer),
            other => format!("{other:?}"),
        };
        self.fail(&text).await;
    }

    /// Makes the file once the host has it on record.
    async fn make(&mut self, file: &Path) {
        let id = file.display().to_string();
        let kind = "file".to_owned();
        let resource = wire::Resource {
            number: 1,
            kind,
            id,
            reclaim: Default::default(),
        };
        self.tell(Event::ResourceCreated(resource)).await;
        assert!(matches!(
            self.hear().await,
            Some(Told::Recorded(wire::Recorded { number: 1 }))
        ));
        std::fs::write(file, "x").expect("the test gives a writable place");
    }

    async fn release(&mut self, file: &Path) {
        std::fs::remove_file(file).expect("it was made before");
        self.tell(Event::ResourceReleased(wire::ResourceReleased {
            number: 1,
        }))
        .await;
    }

    async fn say(&self, text: &str) {
        let level = wire::ui::Level::Say.into();
        self.tell(Event::Ui(wire::Ui {
            level,
            text: text.to_owned(),
        }))
        .await;
    }

    async fn fail(&self, message: &str) {
        let failure = wire::Failure {
            message: message.to_owned(),
            ..Default::default()
        };
        self.finish(wire::finished::Outcome::Failure(failure)).await;
    }

    async fn finish(&self, outcome: wire::finished::Outcome) {
        self.tell(Event::Finished(wire::Finished {
            outcome: Some(outcome),
        }))
        .await;
    }

    async fn tell(&self, event: Event) {
        // The host may have left.
        drop(
            self.events
                .send(Ok(wire::RunEvent { event: Some(event) }))
                .await,
        );
    }

    async fn hear(&mut self) -> Option<Told> {
        self.told.message().await.ok()??.request
    }
}

/// The text of an option; empty when it is not set.
fn option(config: Option<wire::Value>, name: &str) -> String {
    let Some(wire::value::Kind::Map(map)) = config.and_then(|config| config.kind) else {
        return String::new();
    };
    let entry = map.entries.into_iter().find(|entry| entry.key == name);
    match entry
        .and_then(|entry| entry.value)
        .and_then(|value| value.kind)
    {
        Some(wire::value::Kind::String(text)) => text,
        _ => String::new(),
    }
}
