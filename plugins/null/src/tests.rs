use kiln_sdk::{Severity, Value, ValueKind};
use kiln_sdk_test_kit::{FakeHost, check_options, contract};

use crate::builder::Null;
use crate::config::NullConfig;

fn options(text: &[(&str, &str)]) -> Value {
    text.iter().copied().collect()
}

fn check(given: &[(&str, &str)], expected: &[&str]) {
    let mut problems = match kiln_sdk::decode::<NullConfig>(&options(given)) {
        Ok((mut config, _)) => config.prepare(),
        Err(problems) => problems,
    };
    problems.retain(|problem| problem.severity == Severity::Error);
    let problems: Vec<String> = problems
        .iter()
        .map(|problem| format!("{}: {}", problem.path, problem.summary))
        .collect();
    assert_eq!(problems, expected, "{given:?}");
}

#[test]
fn options_are_checked_before_anything_is_touched() {
    let good = [
        ("ssh_host", "h"),
        ("ssh_username", "u"),
        ("ssh_password", "p"),
    ];
    check(&good, &[]);
    check(&[("communicator", "none")], &[]);
    check(&good[1..], &["ssh_host: Missing host"]);
    check(&good[..2], &["ssh_password: Missing login"]);
    let both = [good[0], good[1], good[2], ("ssh_agent_auth", "true")];
    check(&both, &["ssh_agent_auth: Several logins"]);
    let winrm = [
        ("communicator", "winrm"),
        ("winrm_username", "u"),
        ("winrm_host", "h"),
    ];
    check(&winrm, &["winrm_password: Missing login"]);
    let password = ("winrm_password", "p");
    check(&[winrm[0], winrm[1], winrm[2], password], &[]);
    check(
        &[winrm[0], winrm[1], password],
        &["winrm_host: Missing host"],
    );
    check(
        &[winrm[0], winrm[2], password],
        &["winrm_username: Missing WinRM user name"],
    );
    check(
        &[("comunicator", "none")],
        &["comunicator: Unknown configuration key"],
    );
}

#[tokio::test]
async fn the_artifact_is_packers() {
    let built = FakeHost::new()
        .build(Null, options(&[("communicator", "none")]))
        .await;
    let artifact = built
        .outcome
        .expect("it builds")
        .expect("there is an artifact");
    assert_eq!(artifact.builder_id, "fnoeding.null");
    assert_eq!(artifact.id, "Null");
    assert_eq!(
        artifact.description,
        "Did not export anything. This is the null builder"
    );
    assert!(artifact.files.is_empty());
    let generated = artifact
        .state
        .get("generated_data")
        .expect("post-processors learn something");
    assert_eq!(
        generated.kind,
        ValueKind::Map([("ID".to_owned(), "Null".into())].into())
    );
}

#[tokio::test]
async fn provisioners_learn_how_the_machine_is_reached() {
    let built = FakeHost::new()
        .build(Null, options(&[("communicator", "none")]))
        .await;
    let generated = &built.ready[0].generated;
    for (name, value) in [
        ("ID", "Null"),
        ("ConnType", "none"),
        ("PackerHTTPAddr", "ERR_HTTP_ADDR_NOT_IMPLEMENTED_BY_BUILDER"),
    ] {
        assert_eq!(
            generated.get(name).and_then(Value::as_str),
            Some(value),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_contract_holds() {
    contract::check_builder(|| Null, options(&[("communicator", "none")])).await;
    check_options::<NullConfig>();
}
