use std::path::Path;

use kiln_sdk::attestation::{Envelope, PublicKey, Statement};
use kiln_sdk::{Artifact, BuildInfo, PostProcessor, Severity, Value, ValueKind, decode};
use kiln_sdk_test_kit::{FakeHost, Recording, check_options};

use super::secrecy::REDACTED;
use super::{Provenance, ProvenanceConfig, from_environment};

fn problems(entries: &[(&str, &str)]) -> Vec<String> {
    let options: Value = entries.iter().copied().collect();
    let found = match decode::<ProvenanceConfig>(&options) {
        Ok((mut config, _)) => {
            Provenance
                .prepare(&mut config, &BuildInfo::default())
                .diagnostics
        }
        Err(found) => found,
    };
    let severity = |severity| match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let found = found.iter();
    found
        .map(|problem| format!("{} {}", severity(problem.severity), problem.path))
        .collect()
}

#[test]
fn options_are_checked() {
    check_options::<ProvenanceConfig>();
    let check = |entries: &[(&str, &str)], expected: &[&str]| {
        assert_eq!(problems(entries), expected, "{entries:?}");
    };
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    check(&[], &[]);
    check(&[("signing_mode", "keyless")], &["error signing_mode"]);
    check(
        &[("signing_mode", "kms"), ("key", "awskms://x")],
        &["error signing_mode"],
    );
    check(&[("signing_mode", "other")], &["error signing_mode"]);
    check(&[("signing_mode", "key")], &["error signer"]);
    check(
        &[("signing_mode", "key"), ("key", "no-such.pem")],
        &["warning key"],
    );
    check(
        &[("signing_mode", "key"), ("signer", key)],
        &["error signer"],
    );
    check(&[("signing_mode", "key"), ("signer", "<unknown>")], &[]);
    let two = [("signing_mode", "key"), ("signer", "a"), ("key", "b")];
    check(&two, &["error key", "warning signer"]);
    check(&[("signer", "a.pem")], &["warning signer"]);
    check(&[("fulcio_url", "https://f")], &["warning fulcio_url"]);
    check(&[("build_type", "no uri")], &["error build_type"]);
    check(&[("builder_id", "me")], &["error builder_id"]);
    check(&[("source_uri", "git+https://h/r@main")], &[]);
    check(&[("sbom_scope", "all-layers")], &["error sbom_scope"]);
    check(&[("sbom_format", "xml")], &["error sbom_format"]);
    check(&[("sbom_scan_path", "out/*")], &["error sbom_scan_path"]);
}

fn key(name: &str) -> String {
    format!(
        "{}/../../sdk/attestation/testdata/{name}.pem",
        env!("CARGO_MANIFEST_DIR")
    )
}

fn artifact(folder: &Path) -> Artifact {
    let file = folder.join("disk.img");
    std::fs::write(&file, "abc").unwrap();
    let source: Value = [
        ("uri", Value::from("https://example.com/a.iso")),
        ("sha256", Value::from("00ff")),
    ]
    .into_iter()
    .collect();
    let mut state = Value::empty_map();
    state.insert("sources", vec![source]);
    Artifact {
        builder_id: "b".to_owned(),
        files: vec![file],
        state,
        ..Artifact::default()
    }
}

fn build(folder: &Path) -> BuildInfo {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    BuildInfo {
        name: "release.qemu.debian".to_owned(),
        source_name: "debian".to_owned(),
        builder_type: "qemu".to_owned(),
        core_version: "1.16.0".to_owned(),
        run_uuid: "11111111-2222-4333-8444-555555555555".to_owned(),
        template_dir: folder.to_owned(),
        template_files: [pair("t.pkr.hcl", &"a".repeat(64))].into(),
        variables: [pair("region", "eu"), pair("registry", "untold")].into(),
        secrets: vec!["hunter2".to_owned()],
        started_at_unix_nanos: 1_700_000_000_000_000_000,
        ..BuildInfo::default()
    }
}

async fn run(folder: &Path, options: &[(&str, Value)]) -> Recording<kiln_sdk::PostProcessed> {
    let options: Value = options.iter().cloned().collect();
    FakeHost::new()
        .with_build(build(folder))
        .post_process(Provenance, options, artifact(folder), Value::empty_map())
        .await
}

#[tokio::test]
async fn a_statement_says_what_was_built_from_what() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("setup.sh");
    std::fs::write(&script, "abc").unwrap();
    let pattern = format!("{}/*.sh", folder.path().display());
    let variables: Value = [
        ("stage", "live"),
        ("login", "me:hunter2"),
        ("db_password", "plain"),
        ("mirror", "https://bob:plain@h/x?token=plain"),
    ]
    .into_iter()
    .collect();
    let options = [
        ("materials", Value::from(vec![Value::from(pattern)])),
        ("user_variables", variables),
    ];
    let done = run(folder.path(), &options).await;
    let result = done.outcome.as_ref().unwrap();
    assert!(result.keep_input && result.force_keep_input);
    let path = folder.path().join("debian.disk.img.provenance.json");
    assert_eq!(
        done.said(),
        [format!("Wrote attestation to {}", path.display())]
    );
    let text = std::fs::read_to_string(path).unwrap();
    let statement = Statement::read(text.as_bytes()).unwrap();
    assert_eq!(statement.subject[0].name, "disk.img");
    assert!(statement.subject[0].digest["sha256"].starts_with("ba7816bf"));
    assert!(statement.subject[0].digest.contains_key("sha512"));

    let definition = &statement.predicate["buildDefinition"];
    let parameters = &definition["externalParameters"];
    assert_eq!(parameters["build"], "release.qemu.debian");
    assert_eq!(parameters["template"]["name"], "t.pkr.hcl");
    let variables = serde_json::json!({
        "stage": "live", "login": REDACTED, "db_password": REDACTED, "mirror": "https://h/x",
    });
    assert_eq!(parameters["variables"], variables);
    for secret in ["hunter2", "plain", "untold"] {
        assert!(!text.contains(secret), "{text}");
    }
    let used = definition["resolvedDependencies"].as_array().unwrap();
    assert_eq!(used[0]["name"], "t.pkr.hcl");
    assert_eq!(used[1]["uri"], "https://example.com/a.iso");
    assert_eq!(used[1]["digest"]["sha256"], "00ff");
    assert_eq!(used[2]["name"], script.display().to_string());

    let details = &statement.predicate["runDetails"];
    assert_eq!(
        details["builder"]["version"]["kiln"],
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(details["metadata"]["startedOn"], "2023-11-14T22:13:20Z");
}

#[test]
fn only_variables_that_the_environment_gave_are_told() {
    let mut build = build(Path::new("."));
    let told = |build: &BuildInfo| {
        let names = ["PKR_VAR_region", "PKR_VAR_other", "registry", "HOME"];
        from_environment(build, names.into_iter().map(str::to_owned))
    };
    assert_eq!(
        told(&build),
        [("region".to_owned(), "eu".to_owned())].into()
    );
    build.template_path = "t.json".into();
    assert_eq!(
        told(&build),
        [].into(),
        "legacy templates take nothing from there"
    );
}

#[tokio::test]
async fn a_signed_statement_is_verified_with_the_public_half() {
    let folder = tempfile::tempdir().unwrap();
    let options = [
        ("signing_mode", Value::from("key")),
        ("signer", Value::from(key("p256-encrypted"))),
        ("key_password", Value::from("opensesame").sensitive()),
        ("verifier", Value::from(key("p256.pub"))),
        (
            "output_dir",
            Value::from(format!("{}/att", folder.path().display())),
        ),
    ];
    let done = run(folder.path(), &options).await;
    done.outcome.as_ref().unwrap();
    assert!(
        done.told
            .contains(&kiln_sdk_test_kit::Told::Secret("opensesame".to_owned()))
    );
    let text = std::fs::read(folder.path().join("att/debian.disk.img.provenance.json")).unwrap();
    let public = std::fs::read_to_string(key("p256.pub")).unwrap();
    let public = PublicKey::from_pem(&public, None).unwrap();
    let payload = Envelope::read(&text).unwrap().verify(&public).unwrap();
    assert!(Statement::read(&payload).is_ok());
}

async fn fails(options: &[(&str, Value)], part: &str) {
    let folder = tempfile::tempdir().unwrap();
    let failure = run(folder.path(), options).await.outcome.unwrap_err();
    assert!(failure.message.contains(part), "{failure}");
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "only the artifact may be there");
}

#[tokio::test]
async fn nothing_is_written_when_signing_fails() {
    let signed = |name: &str| {
        vec![
            ("signing_mode", Value::from("key")),
            ("key", Value::from(key(name))),
        ]
    };
    let mut wrong = signed("p256-encrypted");
    wrong.push(("key_password", Value::from("wrong")));
    // Refused when the options are checked, as the key is there.
    fails(&wrong, "cannot be used").await;
    let missing = [
        ("signing_mode", Value::from("key")),
        ("key", Value::from("no-such.pem")),
    ];
    fails(&missing, "cannot read the key `no-such.pem`").await;
    let mut other = signed("ed25519");
    other.push(("verifier", Value::from(key("p256.pub"))));
    fails(&other, "does not verify with `verifier`").await;
    let none = Value::new(ValueKind::List(vec![Value::from("no/such/*.sh")]));
    fails(&[("materials", none)], "no file matches `no/such/*.sh`").await;
    let template = [("template", Value::from("no-such.pkr.hcl"))];
    fails(&template, "cannot read `template`").await;
}

#[tokio::test]
async fn switched_off_it_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let done = run(folder.path(), &[("provenance", Value::from(false))]).await;
    assert!(done.outcome.unwrap().artifact.is_some());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
