//! Calls and runs.

use plugin_wire::v1 as wire;
use plugin_wire::v1::finished::Outcome;
use plugin_wire::v1::run_event::Event;
use plugin_wire::v1::run_request::Request as Message;
use plugin_wire::v1::{ComponentKind, value};
use sdk_communicator::{Memory, Scripted};
use sdk_config::Value;
use tonic::Code;

use super::host::{Host, folder, id, start};
use super::sample::plugin;
use crate::convert::value_to_wire;

fn failure(outcome: Outcome) -> wire::Failure {
    match outcome {
        Outcome::Failure(failure) => failure,
        Outcome::Success(success) => panic!("the run succeeded: {success:?}"),
    }
}

fn success(outcome: Outcome) -> wire::Success {
    match outcome {
        Outcome::Success(success) => success,
        Outcome::Failure(failure) => panic!("the run failed: {failure:?}"),
    }
}

fn endpoint(event: Event) -> wire::CommunicatorEndpoint {
    match event {
        Event::Ready(ready) => ready.communicator.expect("the machine can be talked to"),
        other => panic!("{other:?} came instead of ready"),
    }
}

#[tokio::test]
async fn a_machine_is_built_and_provisioned_by_another_process() {
    let (folder, machine) = (folder(), Memory::new());
    machine.script("greet", [Scripted::stdout("hello\nworld").stderr("oh\n")]);
    let mut building = Host::start(plugin(&machine), folder.path());
    let mut provisioning = Host::start(plugin(&Memory::new()), folder.path());

    let options = [("text", Value::from("made"))];
    let mut build = building
        .run(start(ComponentKind::Builder, "sample", &options))
        .await;
    let Event::ResourceCreated(resource) = build.next().await else {
        panic!("not announced")
    };
    assert_eq!(
        (resource.kind.as_str(), resource.id.as_str()),
        ("thing", "one")
    );
    build
        .send(Message::Recorded(wire::Recorded {
            number: resource.number,
        }))
        .await;
    let communicator = endpoint(build.next().await);

    let mut touch = start(
        ComponentKind::Provisioner,
        "touch",
        &[("text", "greet".into())],
    );
    let generated = Some(value_to_wire([("ID", "sample")].into_iter().collect()));
    let role = wire::ProvisionerStart {
        communicator: Some(communicator),
        generated,
    };
    touch.role = Some(wire::start::Role::Provisioner(role));
    let (said, outcome) = provisioning.run(touch).await.finish().await;
    assert_eq!(said[0], "machine sample");
    let mut lines = said[1..4].to_vec();
    lines.sort_unstable();
    assert_eq!(lines, ["hello", "oh", "world"]);
    assert_eq!(said[4], "Code(0)");
    success(outcome);

    build
        .send(Message::Provisioned(wire::Provisioned::default()))
        .await;
    let (said, outcome) = build.finish().await;
    assert_eq!(said, ["cleaned up"]);
    assert_eq!(success(outcome).artifact.expect("an artifact").id, "made");
}

#[tokio::test]
async fn cancel_ends_a_run_after_its_cleanup() {
    let folder = folder();
    let mut host = Host::start(plugin(&Memory::new()), folder.path());
    let options = [("mode", Value::from("wait"))];
    let mut run = host
        .run(start(ComponentKind::Builder, "sample", &options))
        .await;
    assert!(matches!(run.next().await, Event::Ui(ui) if ui.text == "waiting"));
    run.send(Message::Cancel(wire::Cancel {
        reason: "test".to_owned(),
    }))
    .await;
    let (said, outcome) = run.finish().await;
    assert_eq!(said, ["cleaned up"]);
    assert!(failure(outcome).cancelled);
}

#[tokio::test]
async fn runs_end_when_the_host_leaves_or_the_process_shall_end() {
    let folder = folder();
    let options = [("mode", Value::from("wait"))];
    for leave in [true, false] {
        let mut host = Host::start(plugin(&Memory::new()), folder.path());
        let mut run = host
            .run(start(ComponentKind::Builder, "sample", &options))
            .await;
        run.next().await;
        if leave {
            drop(run);
        } else {
            host.life.shutdown.cancel();
        }
        host.life.runs.close();
        let limit = std::time::Duration::from_secs(30);
        tokio::time::timeout(limit, host.life.runs.wait())
            .await
            .expect("the run ends");
    }
}

#[tokio::test]
async fn a_panic_is_a_failure_and_cleanup_still_runs() {
    let folder = folder();
    let mut host = Host::start(plugin(&Memory::new()), folder.path());
    let options = [("mode", Value::from("panic"))];
    let mut run = host
        .run(start(ComponentKind::Builder, "sample", &options))
        .await;
    let (said, outcome) = run.finish().await;
    assert_eq!(said, ["cleaned up"]);
    assert_eq!(
        failure(outcome).message,
        "the plugin has a bug: it panicked with `no reason`"
    );
}

#[tokio::test]
async fn problems_of_a_configuration_come_with_their_path() {
    let folder = folder();
    let mut host = Host::start(plugin(&Memory::new()), folder.path());
    let cases: [(&str, Value, &str); 4] = [
        (
            "mode",
            "biuld".into(),
            "mode: Invalid choice (did you mean `build`?)",
        ),
        (
            "tetx",
            "x".into(),
            "tetx: Unknown configuration key (did you mean `text`?)",
        ),
        ("mode", "warn".into(), "mode: Sample warning ()"),
        ("text", "fine".into(), ""),
    ];
    for (name, value, expected) in cases {
        let config = Some(value_to_wire([(name, value)].into_iter().collect()));
        let component = id(ComponentKind::Builder, "sample");
        let request = wire::PrepareRequest {
            component,
            config,
            build: None,
        };
        let response = host
            .client
            .prepare(request)
            .await
            .expect("it answers")
            .into_inner();
        let problems: Vec<String> = response
            .diagnostics
            .iter()
            .map(|it| {
                let Some(wire::path_step::Step::Attribute(name)) = &it.path[0].step else {
                    panic!("{it:?} has no option");
                };
                format!("{name}: {} ({})", it.summary, it.hint)
            })
            .collect();
        assert_eq!(problems.join("\n"), expected);
    }
}

#[tokio::test]
async fn a_panic_while_checking_is_a_diagnostic_and_the_plugin_lives_on() {
    let folder = folder();
    let mut host = Host::start(plugin(&Memory::new()), folder.path());
    // The word is not among the choices, so `prepare` is reached through a provisioner's defaults.
    let config = Some(value_to_wire(
        [("mode", "panic-early")].into_iter().collect(),
    ));
    let component = id(ComponentKind::Provisioner, "touch");
    let request = wire::PrepareRequest {
        component,
        config,
        build: None,
    };
    let response = host
        .client
        .prepare(request)
        .await
        .expect("it answers")
        .into_inner();
    assert!(
        response.diagnostics[0].detail.contains("prepared badly"),
        "{response:?}"
    );
    host.client
        .describe(wire::DescribeRequest {})
        .await
        .expect("it still answers");
}

#[tokio::test]
async fn only_the_token_opens_the_socket() {
    let folder = folder();
    for (token, expected) in [
        ("wrong", Some(Code::Unauthenticated)),
        (super::host::TOKEN, None),
    ] {
        let mut host = Host::with_token(plugin(&Memory::new()), folder.path(), token);
        let answer = host.client.describe(wire::DescribeRequest {}).await;
        assert_eq!(answer.err().map(|status| status.code()), expected);
    }
}

#[tokio::test]
async fn the_description_names_everything() {
    let folder = folder();
    let mut host = Host::start(plugin(&Memory::new()), folder.path());
    let answer = host
        .client
        .describe(wire::DescribeRequest {})
        .await
        .expect("it answers");
    let description = answer.into_inner();
    assert_eq!(
        (description.name.as_str(), description.version.as_str()),
        ("sample", "1.2.3")
    );
    let names: Vec<&str> = description
        .components
        .iter()
        .filter_map(|component| component.id.as_ref())
        .map(|id| id.name.as_str())
        .collect();
    assert_eq!(names, ["sample", "touch", "append", "twice"]);
    let request = wire::SchemaRequest {
        component: id(ComponentKind::DataSource, "twice"),
    };
    let answer = host
        .client
        .schema(request)
        .await
        .expect("it answers")
        .into_inner();
    assert_eq!(answer.schema.expect("a schema").outputs[0].name, "twice");
    let request = wire::SchemaRequest {
        component: id(ComponentKind::Builder, "twice"),
    };
    let refused = host
        .client
        .schema(request)
        .await
        .expect_err("there is none");
    assert_eq!(refused.code(), Code::NotFound);
}

#[tokio::test]
async fn artifacts_and_values_come_back() {
    let folder = folder();
    let mut host = Host::start(plugin(&Memory::new()), folder.path());
    let mut append = start(
        ComponentKind::PostProcessor,
        "append",
        &[("text", "b".into())],
    );
    let artifact = Some(wire::Artifact {
        id: "a".to_owned(),
        ..wire::Artifact::default()
    });
    let role = wire::PostProcessorStart {
        artifact,
        generated: None,
    };
    append.role = Some(wire::start::Role::PostProcessor(role));
    let made = success(host.run(append).await.finish().await.1);
    assert!(made.keep_input && made.artifact.expect("an artifact").id == "ab");

    let twice = start(ComponentKind::DataSource, "twice", &[("text", "x".into())]);
    let read = success(host.run(twice).await.finish().await.1).output;
    let Some(value::Kind::Map(map)) = read.and_then(|value| value.kind) else {
        panic!("no map")
    };
    assert_eq!(map.entries[0].key, "twice");
}

#[tokio::test]
async fn leftovers_are_reclaimed_one_by_one() {
    let folder = folder();
    let file = folder.path().join("leftover");
    std::fs::write(&file, "x").expect("a file can be written");
    let mut host = Host::start(plugin(&Memory::new()), folder.path());
    let resource = |number, kind: &str, id: &str| wire::Resource {
        number,
        kind: kind.to_owned(),
        id: id.to_owned(),
        ..wire::Resource::default()
    };
    let resources = vec![
        resource(1, "thing", "one"),
        resource(2, "thing", "stuck"),
        resource(3, "file", &file.to_string_lossy()),
        resource(4, "moon", "x"),
    ];
    let request = wire::ReclaimRequest { resources };
    let results = host
        .client
        .reclaim(request)
        .await
        .expect("it answers")
        .into_inner()
        .results;
    let errors: Vec<&str> = results.iter().map(|result| result.error.as_str()).collect();
    let expected = [
        "",
        "cannot remove thing `stuck`: it is stuck",
        "",
        "nothing here can remove a resource of kind `moon`",
    ];
    assert_eq!(errors, expected);
    assert!(!file.exists());
}
