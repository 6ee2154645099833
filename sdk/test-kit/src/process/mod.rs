//! What every plugin executable owes, checked from outside.

mod launched;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use plugin_wire::handshake::{COOKIE_VARIABLE, PROTOCOL_MAJOR};
use plugin_wire::v1 as wire;
use plugin_wire::v1::run_event::Event;
use plugin_wire::v1::run_request::Request as Message;
use sdk_config::Value;
use tonic::{Code, Streaming};

use crate::options::{POST_PROCESSOR_WORDS, PROVISIONER_WORDS, UNKNOWN, check_reserved};
use launched::Launched;

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Checks the plugin executable at `path`:
///
/// - started by hand it explains itself and ends with status 1;
/// - its handshake is right, its socket private, and only its token opens it;
/// - everything it offers is documented;
/// - no component accepts an option that does not exist, neither when checking nor when running;
/// - it ends with status 0 when its standard input does, and leaves no socket.
///
/// # Panics
///
/// When one of that does not hold.
pub async fn check(path: impl AsRef<Path>) {
    let path = path.as_ref();
    explains_itself(path).await;
    let plugin = Launched::start(path).await;
    let refused = plugin
        .client("wrong")
        .describe(wire::DescribeRequest {})
        .await;
    let code = refused.err().map(|status| status.code());
    assert_eq!(
        code,
        Some(Code::Unauthenticated),
        "a wrong token has to be refused"
    );

    let mut client = plugin.client(&plugin.token);
    let described = client.describe(wire::DescribeRequest {}).await;
    let described = described.expect("`Describe` is answered").into_inner();
    assert!(
        described.protocol_majors.contains(&PROTOCOL_MAJOR),
        "{described:?}"
    );
    assert!(
        !described.name.is_empty() && !described.version.is_empty(),
        "{described:?}"
    );
    assert!(
        !described.components.is_empty(),
        "the plugin offers nothing"
    );
    for component in described.components {
        let schema = component.schema.expect("a component has a schema");
        documented(&schema, "");
        let kind = component.id.as_ref().map(|id| id.kind());
        check_reserved(&names(&schema), words_of_blocks(kind));
        if !schema.open {
            refuses_unknown_options(&plugin, component.id).await;
        }
    }
    plugin.stop().await;
}

/// The words that mean the block in which such a component stands.
fn words_of_blocks(kind: Option<wire::ComponentKind>) -> &'static [&'static str] {
    match kind {
        Some(wire::ComponentKind::Provisioner) => &PROVISIONER_WORDS,
        Some(wire::ComponentKind::PostProcessor) => &POST_PROCESSOR_WORDS,
        _ => &[],
    }
}

/// What may stand in a block of the component.
fn names(schema: &wire::Schema) -> Vec<String> {
    let options = schema.attributes.iter().map(|option| option.name.clone());
    let blocks = schema.blocks.iter().map(|block| block.name.clone());
    options.chain(blocks).collect()
}

/// Starts a component of the executable at `path`, cancels it at once, and checks that it ends in
/// time. `kind` is `builder`, `provisioner`, `post-processor` or `data-source`.
///
/// # Panics
///
/// When it does not, or when there is no such kind.
pub async fn check_cancel(path: impl AsRef<Path>, kind: &str, name: &str, options: Value) {
    let kind = match kind {
        "builder" => wire::ComponentKind::Builder,
        "provisioner" => wire::ComponentKind::Provisioner,
        "post-processor" => wire::ComponentKind::PostProcessor,
        "data-source" => wire::ComponentKind::DataSource,
        other => panic!("there is no kind of component named `{other}`"),
    };
    let plugin = Launched::start(path.as_ref()).await;
    let start = wire::Start {
        component: Some(wire::ComponentId {
            kind: kind.into(),
            name: name.to_owned(),
        }),
        config: Some(sdk_plugin_server::value_to_wire(options)),
        ..wire::Start::default()
    };
    let (requests, mut events) = plugin.run(start).await;
    let cancel = Message::Cancel(wire::Cancel {
        reason: "test".to_owned(),
    });
    let request = wire::RunRequest {
        request: Some(cancel),
    };
    // A component that is done already does not listen any more.
    drop(requests.send(request).await);
    finished(&mut events).await;
    plugin.stop().await;
}

async fn explains_itself(path: &Path) {
    let run = tokio::process::Command::new(path)
        .env_remove(COOKIE_VARIABLE)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(LIMIT, run)
        .await
        .expect("started by hand, it ends");
    let output = ended.expect("the plugin can be started");
    assert_eq!(
        output.status.code(),
        Some(1),
        "started by hand, it has to end with status 1"
    );
    assert!(
        output.stdout.is_empty(),
        "started by hand, it has to leave standard output alone"
    );
    assert!(
        !output.stderr.is_empty(),
        "started by hand, it has to explain itself"
    );
}

fn documented(schema: &wire::Schema, prefix: &str) {
    for attribute in schema.attributes.iter().chain(&schema.outputs) {
        let name = &attribute.name;
        assert!(
            !attribute.doc.is_empty(),
            "the option `{prefix}{name}` has no documentation"
        );
        assert!(
            attribute.r#type.is_some(),
            "the option `{prefix}{name}` has no type"
        );
    }
    for block in &schema.blocks {
        let name = format!("{prefix}{}", block.name);
        assert!(
            !block.doc.is_empty(),
            "the block `{name}` has no documentation"
        );
        documented(
            block.schema.as_ref().expect("a block has a schema"),
            &format!("{name}."),
        );
    }
}

async fn refuses_unknown_options(plugin: &Launched, component: Option<wire::ComponentId>) {
    let options: Value = [(UNKNOWN, "x")].into_iter().collect();
    let config = Some(sdk_plugin_server::value_to_wire(options));
    let request = wire::PrepareRequest {
        component: component.clone(),
        config: config.clone(),
        build: None,
    };
    let answer = plugin.client(&plugin.token).prepare(request).await;
    let problems = answer
        .expect("`Prepare` is answered")
        .into_inner()
        .diagnostics;
    assert!(
        names_unknown(&problems),
        "{component:?} accepts `{UNKNOWN}`: {problems:?}"
    );

    let start = wire::Start {
        component: component.clone(),
        config,
        ..wire::Start::default()
    };
    let (_requests, mut events) = plugin.run(start).await;
    let outcome = finished(&mut events).await;
    let Some(wire::finished::Outcome::Failure(failure)) = outcome else {
        panic!("{component:?} runs with `{UNKNOWN}`");
    };
    // A provisioner or post-processor may complain about the missing role first.
    assert!(
        names_unknown(&failure.diagnostics) || failure.diagnostics.is_empty(),
        "{component:?}: {failure:?}"
    );
}

fn names_unknown(problems: &[wire::Diagnostic]) -> bool {
    let name = wire::path_step::Step::Attribute(UNKNOWN.to_owned());
    problems.iter().any(|problem| {
        problem
            .path
            .first()
            .is_some_and(|step| step.step.as_ref() == Some(&name))
    })
}

/// How a run ends.
async fn finished(events: &mut Streaming<wire::RunEvent>) -> Option<wire::finished::Outcome> {
    let wait = async {
        loop {
            let event = events
                .message()
                .await
                .expect("the stream of a run is whole");
            let event = event.expect("a run ends with `finished`").event;
            if let Some(Event::Finished(finished)) = event {
                return finished.outcome;
            }
        }
    };
    tokio::time::timeout(LIMIT, wait).await.expect("a run ends")
}
