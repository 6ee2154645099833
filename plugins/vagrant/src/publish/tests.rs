//! Against stand-ins that keep what they are told, and refuse what the real services refuse.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use kiln_sdk::archive::{self, Compression, Container, Content, Entry, Plan};
use kiln_sdk::{Artifact, Failure, PostProcessed, Value};
use kiln_sdk_test_kit::{FakeHost, Recording, check_options};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::cloud::CloudConfig;
use super::registry::RegistryConfig;
use super::{VagrantCloud, VagrantRegistry};
use crate::boxes::{ARTIFICE, BUILDER_ID};

/// A service with a memory.
#[derive(Default)]
struct Memory {
    address: String,
    /// `METHOD path`, in order.
    calls: Vec<String>,
    /// What was made, by path.
    made: BTreeSet<String>,
    /// Bodies of what was made.
    bodies: Vec<Json>,
    uploaded: Vec<u8>,
    released: bool,
    /// Uploads that fail before one works.
    bad_uploads: u32,
}

type Shared = Arc<Mutex<Memory>>;

/// What a service answers: status and body.
type Reply = (u16, Json);

struct Call<'a> {
    method: &'a Method,
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

impl Call<'_> {
    fn json(&self) -> Json {
        serde_json::from_slice(self.body).unwrap_or_default()
    }

    fn authorization(&self) -> &str {
        let header = self.headers.get("authorization");
        header
            .and_then(|text| text.to_str().ok())
            .unwrap_or_default()
    }
}

/// Starts a service that answers with `reply` and ends with the test.
async fn serve(reply: fn(&mut Memory, &Call<'_>) -> Reply) -> Shared {
    let memory = Shared::default();
    let shared = Arc::clone(&memory);
    let answer = move |State(memory): State<Shared>,
                       method: Method,
                       uri: Uri,
                       headers: HeaderMap,
                       body: Bytes| async move {
        let mut memory = memory.lock().unwrap();
        let call = Call {
            method: &method,
            path: uri.path(),
            query: uri.query().unwrap_or_default(),
            headers: &headers,
            body: &body,
        };
        let line = format!("{method} {}", uri.path());
        memory.calls.push(line);
        let (status, body) = reply(&mut memory, &call);
        let status = StatusCode::from_u16(status).unwrap();
        (status, body.to_string())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    memory.lock().unwrap().address = listener.local_addr().unwrap().to_string();
    let routes = Router::new().fallback(answer).with_state(shared);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    memory
}

fn error(status: u16, text: &str) -> Reply {
    (status, json!({ "errors": [text], "success": false }))
}

/// Vagrant Cloud, with one box `me/debian`.
fn cloud(memory: &mut Memory, call: &Call<'_>) -> Reply {
    if call.path == "/storage" {
        assert_eq!(call.authorization(), "", "the storage must not see the key");
        if memory.bad_uploads > 0 {
            memory.bad_uploads -= 1;
            return (500, Json::Null);
        }
        let length = call.headers["content-length"].to_str().unwrap().parse();
        assert_eq!(length, Ok(call.body.len()));
        memory.uploaded = call.body.to_vec();
        return (200, Json::Null);
    }
    if call.authorization() != "Bearer token-1" {
        return error(401, "Invalid authentication token");
    }
    let path = call.path.strip_prefix("/api/v2/").unwrap_or_default();
    let version = "box/me/debian/version/1.0";
    let provider = format!("{version}/provider/libvirt/amd64");
    let storage = format!("http://{}/storage?signature=geheim", memory.address);
    let callback = format!("http://{}/api/v2/{provider}/done?key=1", memory.address);
    match (call.method.as_str(), path) {
        ("GET", "authenticate") => (200, json!({ "success": true })),
        ("GET", "box/me/debian") => {
            let known = memory.made.contains("1.0");
            let versions = known.then(|| json!([{ "version": "1.0" }]));
            (
                200,
                json!({ "tag": "me/debian", "versions": versions.unwrap_or(json!([])) }),
            )
        }
        ("POST", "box/me/debian/versions") => {
            memory.made.insert("1.0".to_owned());
            memory.bodies.push(call.json());
            (200, json!({ "version": "1.0" }))
        }
        ("POST", path) if path == format!("{version}/providers") => {
            if !memory.made.insert(provider) {
                return error(422, "Metadata provider must be unique for version");
            }
            memory.bodies.push(call.json());
            (200, json!({ "name": "libvirt" }))
        }
        ("GET", path) if path == format!("{provider}/upload/direct") => {
            (200, json!({ "upload_path": storage, "callback": callback }))
        }
        ("PUT", path) if path == format!("{provider}/done") && call.query == "key=1" => {
            (200, Json::Null)
        }
        ("DELETE", path) if path == provider => {
            memory.made.remove(&provider);
            (200, Json::Null)
        }
        ("PUT", path) if path == format!("{version}/release") => {
            if memory.released {
                return error(422, "Version has already been released");
            }
            memory.released = true;
            (200, json!({ "status": "active" }))
        }
        _ => error(404, "Resource not found!"),
    }
}

/// A box, as an artifact of `builder_id`.
async fn a_box(folder: &TempDir, builder_id: &str, compression: Compression) -> Artifact {
    let path = folder.path().join("debian.box");
    let metadata = json!({ "provider": "libvirt", "architecture": "amd64" }).to_string();
    let plan = Plan {
        container: Container::Tar,
        compression,
        level: None,
        entries: vec![Entry {
            name: "metadata.json".to_owned(),
            content: Content::Memory(metadata.into_bytes()),
        }],
    };
    let target = path.clone();
    let host = FakeHost::new();
    let written = host.drive(async |cx| Ok(archive::write(&cx, plan, &target).await?));
    written.await.outcome.unwrap();
    Artifact {
        builder_id: builder_id.to_owned(),
        id: if builder_id == ARTIFICE {
            ""
        } else {
            "libvirt"
        }
        .to_owned(),
        files: vec![path],
        ..Artifact::default()
    }
}

fn options<const N: usize>(options: [(&str, Value); N]) -> Value {
    options.into_iter().collect()
}

async fn publish_to_cloud(
    memory: &Shared,
    more: Value,
    input: Artifact,
) -> Recording<PostProcessed> {
    let address = memory.lock().unwrap().address.clone();
    let mut options = options([
        ("box_tag", "me/debian".into()),
        ("version", "1.0".into()),
        ("access_token", "token-1".into()),
        (
            "vagrant_cloud_url",
            format!("http://{address}/api/v2").into(),
        ),
    ]);
    if let kiln_sdk::ValueKind::Map(entries) = more.kind {
        for (name, value) in entries {
            options.insert(name, value);
        }
    }
    FakeHost::new()
        .post_process(VagrantCloud, options, input, Value::null())
        .await
}

#[tokio::test]
async fn a_box_is_published_on_vagrant_cloud() {
    let folder = tempfile::tempdir().unwrap();
    let memory = serve(cloud).await;
    let input = a_box(&folder, BUILDER_ID, Compression::Gzip).await;
    let content = std::fs::read(&input.files[0]).unwrap();
    let more = options([
        ("version_description", "first".into()),
        ("default_architecture", "amd64".into()),
        ("box_checksum", "sha256:abc".into()),
    ]);
    let run = publish_to_cloud(&memory, more, input).await;
    let result = run.outcome.clone().unwrap();
    let artifact = result.artifact.unwrap();
    assert_eq!(artifact.description, "'libvirt': me/debian");
    assert_eq!(artifact.builder_id, "pearkes.post-processor.vagrant-cloud");
    assert!(result.keep_input && !result.force_keep_input);
    let memory = memory.lock().unwrap();
    assert!(memory.uploaded == content && memory.released);
    let provider = json!({
        "name": "libvirt",
        "checksum": "abc",
        "checksum_type": "sha256",
        "architecture": "amd64",
        "default_architecture": true,
    });
    let version = json!({ "version": { "version": "1.0", "description": "first" } });
    assert_eq!(memory.bodies, [version, json!({ "provider": provider })]);
    let told = format!("{:?}", run.said());
    assert!(
        !told.contains("geheim") && !told.contains("token-1"),
        "{told}"
    );
}

#[tokio::test]
async fn a_version_that_exists_and_is_released_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let memory = serve(cloud).await;
    {
        let mut memory = memory.lock().unwrap();
        memory.made.insert("1.0".to_owned());
        memory.released = true;
    }
    // From `artifice` the provider is in the box only; this one is not compressed.
    let input = a_box(&folder, ARTIFICE, Compression::None).await;
    let run = publish_to_cloud(&memory, Value::empty_map(), input).await;
    run.outcome.clone().unwrap();
    let said = run.said();
    assert!(
        said.contains(&"Version exists, skipping creation"),
        "{said:?}"
    );
    assert!(
        said.contains(&"Not releasing version, already released"),
        "{said:?}"
    );
}

#[tokio::test]
async fn what_vagrant_cloud_refuses_is_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let memory = serve(cloud).await;
    for (more, expected) in [
        (
            options([("access_token", "wrong".into())]),
            "Failed to verify authentication token: Invalid authentication token",
        ),
        (
            options([("box_tag", "me/other".into())]),
            "Error retrieving box: Resource not found!",
        ),
    ] {
        let input = a_box(&folder, BUILDER_ID, Compression::Gzip).await;
        let run = publish_to_cloud(&memory, more, input).await;
        assert_eq!(run.outcome.unwrap_err().message, expected);
    }
    assert_eq!(memory.lock().unwrap().made, BTreeSet::new());
}

#[tokio::test]
async fn a_cancelled_upload_takes_the_provider_back() {
    let folder = tempfile::tempdir().unwrap();
    let memory = serve(cloud).await;
    memory.lock().unwrap().bad_uploads = 99;
    let address = memory.lock().unwrap().address.clone();
    let options = options([
        ("box_tag", "me/debian".into()),
        ("version", "1.0".into()),
        ("access_token", "token-1".into()),
        (
            "vagrant_cloud_url",
            format!("http://{address}/api/v2").into(),
        ),
    ]);
    let input = a_box(&folder, BUILDER_ID, Compression::Gzip).await;
    let host = FakeHost::new().cancel_when(|told| match told {
        kiln_sdk_test_kit::Told::Said(text) => text.contains("Will retry in 10 seconds"),
        _ => false,
    });
    let run = host
        .post_process(VagrantCloud, options, input, Value::null())
        .await;
    assert!(run.outcome.unwrap_err().cancelled);
    let memory = memory.lock().unwrap();
    assert_eq!(memory.made, BTreeSet::from(["1.0".to_owned()]));
    assert!(
        memory.calls.last().unwrap().starts_with("DELETE "),
        "{:?}",
        memory.calls
    );
}

#[tokio::test]
async fn a_box_that_is_hosted_elsewhere_is_not_uploaded() {
    let folder = tempfile::tempdir().unwrap();
    let memory = serve(cloud).await;
    let input = a_box(&folder, BUILDER_ID, Compression::Gzip).await;
    let url = "https://example.com/{{ .Provider }}-{{ .Architecture }}.box";
    let more = options([
        ("box_download_url", url.into()),
        ("no_release", true.into()),
    ]);
    publish_to_cloud(&memory, more, input)
        .await
        .outcome
        .unwrap();
    let memory = memory.lock().unwrap();
    let url = &memory.bodies[1]["provider"]["url"];
    assert_eq!(url, "https://example.com/libvirt-amd64.box");
    assert!(memory.uploaded.is_empty() && !memory.released);
}

/// HCP's Vagrant Box Registry with its token service, without any box.
fn registry(memory: &mut Memory, call: &Call<'_>) -> Reply {
    let said = |status, message: &str| (status, json!({ "code": 5, "message": message }));
    if call.path == "/storage" {
        memory.uploaded = call.body.to_vec();
        return (200, Json::Null);
    }
    if call.path == "/oauth2/token" {
        let form = std::str::from_utf8(call.body).unwrap();
        // `id:secret` in base64.
        if call.authorization() != "Basic aWQ6c2VjcmV0" {
            return (401, json!({ "error": "invalid_client" }));
        }
        assert!(form.contains("grant_type=client_credentials"), "{form}");
        assert!(
            form.contains("audience=https%3A%2F%2Fapi.hashicorp.cloud"),
            "{form}"
        );
        return (200, json!({ "access_token": "key-1", "expires_in": 3600 }));
    }
    if call.authorization() != "Bearer key-1" {
        return said(401, "unauthorized");
    }
    if call.path == "/operation/2020-05-05/organizations/o/projects/p/operations/op-1/wait" {
        assert_eq!(call.query, "timeout=60s");
        memory.made.insert("box ready".to_owned());
        return (
            200,
            json!({ "operation": { "id": "op-1", "state": "DONE" } }),
        );
    }
    let Some(path) = call.path.strip_prefix("/vagrant/2022-09-30/registry/me/") else {
        return said(404, "no such registry");
    };
    let architecture = "box/debian/version/1.0/provider/libvirt/architecture/amd64";
    let made = |memory: &mut Memory, path: &str| {
        memory.made.insert(path.to_owned());
        memory.bodies.push(call.json());
    };
    match (call.method.as_str(), path) {
        ("POST", "boxes") => {
            made(memory, "box/debian");
            let place = json!({ "organization_id": "o", "project_id": "p" });
            (
                200,
                json!({ "box": {}, "operation": { "id": "op-1", "location": place } }),
            )
        }
        ("POST", "box/debian/versions") => {
            assert!(
                memory.made.contains("box ready"),
                "the box is not there yet"
            );
            made(memory, "box/debian/version/1.0");
            (
                200,
                json!({ "version": { "name": "1.0", "state": "UNRELEASED" } }),
            )
        }
        ("POST", "box/debian/version/1.0/providers") => {
            made(memory, "box/debian/version/1.0/provider/libvirt");
            (200, json!({}))
        }
        ("POST", "box/debian/version/1.0/provider/libvirt/architectures") => {
            made(memory, architecture);
            (200, json!({}))
        }
        ("PUT", path) if path == architecture => {
            memory.bodies.push(call.json());
            (200, json!({}))
        }
        ("GET", path) if path == format!("{architecture}/direct/upload") => {
            let url = format!("http://{}/storage", memory.address);
            (200, json!({ "url": url, "object": "object 1" }))
        }
        ("PUT", path) if path == format!("{architecture}/direct/complete/object%201") => {
            (200, json!({}))
        }
        ("PUT", "box/debian/version/1.0/release") => {
            memory.released = true;
            (200, json!({}))
        }
        ("GET", path) if memory.made.contains(path) => {
            let state = if memory.released {
                "ACTIVE"
            } else {
                "UNRELEASED"
            };
            (200, json!({ "version": { "state": state } }))
        }
        _ => said(404, "not found"),
    }
}

async fn publish_to_registry(
    memory: &Shared,
    secret: &str,
    input: Artifact,
) -> Result<(), Failure> {
    let address = memory.lock().unwrap().address.clone();
    let options = options([
        ("box_tag", "me/debian".into()),
        ("version", "1.0".into()),
        ("client_id", "id".into()),
        ("client_secret", secret.into()),
        ("hcp_auth_url", format!("http://{address}").into()),
        ("hcp_api_address", format!("http://{address}").into()),
        ("box_private", true.into()),
        ("default_architecture", "amd64".into()),
        ("box_checksum", "sha256:abc".into()),
    ]);
    FakeHost::new()
        .post_process(VagrantRegistry, options, input, Value::null())
        .await
        .outcome
        .map(drop)
}

#[tokio::test]
async fn a_box_is_published_in_the_registry_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let memory = serve(registry).await;
    let input = a_box(&folder, BUILDER_ID, Compression::Gzip).await;
    let content = std::fs::read(&input.files[0]).unwrap();
    publish_to_registry(&memory, "secret", input.clone())
        .await
        .unwrap();
    {
        let memory = memory.lock().unwrap();
        assert!(memory.uploaded == content && memory.released);
        let data = json!({ "checksum": "abc", "checksum_type": "SHA256" });
        let expected = [
            json!({ "name": "debian", "is_private": true }),
            json!({ "name": "1.0" }),
            json!({ "name": "libvirt" }),
            json!({ "box_data": data, "architecture_type": "amd64", "default": true }),
        ];
        assert_eq!(memory.bodies, expected);
    }
    publish_to_registry(&memory, "secret", input).await.unwrap();
    let memory = memory.lock().unwrap();
    let data = json!({ "checksum": "abc", "checksum_type": "SHA256" });
    assert_eq!(memory.bodies[4..], [json!({ "box_data": data })]);
}

#[tokio::test]
async fn wrong_credentials_are_said_to_be_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let memory = serve(registry).await;
    let input = a_box(&folder, BUILDER_ID, Compression::Gzip).await;
    let failure = publish_to_registry(&memory, "other", input)
        .await
        .unwrap_err();
    assert!(
        failure.message.starts_with("cannot log in to HCP"),
        "{failure}"
    );
    assert!(failure.message.contains("invalid_client"), "{failure}");
}

#[tokio::test]
async fn what_is_no_box_is_refused() {
    let memory = serve(cloud).await;
    let input = |builder_id: &str, file: &str| Artifact {
        builder_id: builder_id.to_owned(),
        files: vec![PathBuf::from(file)],
        ..Artifact::default()
    };
    for (input, expected) in [
        (
            input("transcend.qemu", "x.box"),
            "Only boxes can be published",
        ),
        (input(BUILDER_ID, "x.tar"), "whose name ends in `.box`"),
        (
            input(BUILDER_ID, "gone.box"),
            "cannot read the box `gone.box`",
        ),
    ] {
        let run = publish_to_cloud(&memory, Value::empty_map(), input).await;
        let failure = run.outcome.unwrap_err();
        assert!(failure.message.contains(expected), "{failure}");
    }
    assert_eq!(memory.lock().unwrap().calls, [""; 0]);
}

#[test]
fn options_are_documented() {
    check_options::<CloudConfig>();
    check_options::<RegistryConfig>();
}
