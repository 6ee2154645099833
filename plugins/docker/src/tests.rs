//! The post-processors with a stand-in for the `docker` program that writes down what it was asked.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use kiln_sdk::{Artifact, Value};
use kiln_sdk_test_kit::{FakeHost, check_options};
use tempfile::TempDir;

use crate::identity::{EXPORTED, IMPORTED, TAGGED, generated, tags};
use crate::import::DockerImport;
use crate::push::{DockerPush, PushConfig};
use crate::save::DockerSave;
use crate::tag::DockerTag;

/// A folder with a `docker` that logs its words, and what it read, to `calls`.
struct StandIn {
    folder: TempDir,
}

impl StandIn {
    /// `answers` are more branches of the `case "$words"` in it.
    fn new(answers: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let stand_in = Self { folder };
        let calls = stand_in.path("calls");
        let script = format!(
            "#!/bin/sh\nwords=\"$*\"\necho \"$words\" >> '{calls}'\ncase \"$words\" in\n\
             {answers}\n\
             -v) echo 'Docker version 28.2.2, build e6534b4';;\n\
             *login*) echo \"password $(cat)\" >> '{calls}';;\n\
             *import*) echo \"read $(cat)\" >> '{calls}'; echo sha256:0123;;\n\
             save*) echo 'layers';;\n\
             inspect*) echo 'repo@sha256:4567';;\n\
             esac\n",
            calls = calls.display()
        );
        std::fs::write(stand_in.docker(), script).unwrap();
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(stand_in.docker(), mode).unwrap();
        stand_in
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn docker(&self) -> PathBuf {
        self.path("docker")
    }

    fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn options<const N: usize>(&self, options: [(&str, Value); N]) -> Value {
        let mut all: Value = options.into_iter().collect();
        all.insert("docker_path", self.docker().display().to_string());
        all
    }
}

fn image(builder_id: &str, id: &str, names: &[&str]) -> Artifact {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let values: Value = [("ImageSha256", "abc")].into_iter().collect();
    let docker = crate::cli::Docker::new("docker");
    crate::identity::image(&docker, builder_id, id.to_owned(), &names, values)
}

fn list(items: &[&str]) -> Value {
    Value::from(
        items
            .iter()
            .map(|item| Value::from(*item))
            .collect::<Vec<_>>(),
    )
}

#[tokio::test]
async fn an_exported_file_is_imported_with_its_changes() {
    let stand_in = StandIn::new("");
    let file = stand_in.path("root.tar");
    std::fs::write(&file, "content").unwrap();
    let options = stand_in.options([
        ("repository", "team/app".into()),
        ("tag", "1".into()),
        ("changes", list(&["CMD [\"/bin/sh\"]", "USER nobody"])),
        ("platform", "linux/arm64".into()),
    ]);
    let input = Artifact {
        builder_id: EXPORTED.to_owned(),
        id: "Container".to_owned(),
        files: vec![file],
        ..Artifact::default()
    };
    let run = FakeHost::new()
        .post_process(DockerImport, options, input, Value::null())
        .await;
    let result = run.outcome.unwrap();
    let artifact = result.artifact.unwrap();
    assert_eq!(
        (artifact.id.as_str(), &*artifact.builder_id),
        ("team/app:1", IMPORTED)
    );
    assert!(!result.keep_input && !result.force_keep_input);
    let expected = [
        "import --change CMD [\"/bin/sh\"] --change USER nobody --platform linux/arm64 - team/app:1",
        "read content",
    ];
    assert_eq!(stand_in.calls(), expected);
}

#[tokio::test]
async fn an_image_gets_every_tag_by_both_names_of_the_option() {
    let stand_in = StandIn::new("");
    let options = stand_in.options([
        ("repository", "team/app".into()),
        ("tags", list(&["1", "2"])),
        ("tag", list(&["3"])),
        ("force", true.into()),
    ]);
    let input = image(IMPORTED, "sha256:1", &[]);
    let run = FakeHost::new()
        .post_process(DockerTag, options, input, Value::null())
        .await;
    let result = run.outcome.unwrap();
    assert!(result.keep_input && result.force_keep_input);
    let artifact = result.artifact.unwrap();
    assert_eq!(
        (artifact.id.as_str(), &*artifact.builder_id),
        ("team/app:3", TAGGED)
    );
    assert_eq!(tags(&artifact), ["team/app:1", "team/app:2", "team/app:3"]);
    let value = generated(&artifact);
    assert_eq!(
        value.get("ImageSha256").and_then(Value::as_str),
        Some("abc")
    );
    let expected = [
        "-v",
        "tag sha256:1 team/app:1",
        "-v",
        "tag sha256:1 team/app:2",
        "-v",
        "tag sha256:1 team/app:3",
    ];
    assert_eq!(stand_in.calls(), expected);
}

#[tokio::test]
async fn force_is_a_flag_of_old_engines_only() {
    let stand_in = StandIn::new("-v) echo 'Docker version 1.9.1, build a34a1d5';;");
    let options = stand_in.options([("repository", "app".into()), ("force", true.into())]);
    let input = image(TAGGED, "x", &[]);
    let run = FakeHost::new()
        .post_process(DockerTag, options, input, Value::null())
        .await;
    assert_eq!(run.outcome.unwrap().artifact.unwrap().id, "app");
    assert_eq!(stand_in.calls(), ["-v", "tag -f x app"]);
}

#[tokio::test]
async fn a_push_logs_in_and_out_in_a_folder_of_its_own() {
    let stand_in = StandIn::new("");
    let options = stand_in.options([
        ("login", true.into()),
        ("login_username", "me".into()),
        ("login_password", "hunter2".into()),
        ("login_server", "registry.example.com".into()),
        ("platform", "linux/amd64".into()),
    ]);
    let input = image(TAGGED, "app:2", &["app:1", "app:2"]);
    let run = FakeHost::new()
        .post_process(DockerPush, options, input, Value::null())
        .await;
    let result = run.outcome.unwrap();
    assert!(result.keep_input && !result.force_keep_input);
    let artifact = result.artifact.unwrap();
    assert_eq!(
        (artifact.id.as_str(), &*artifact.builder_id),
        ("app:2", IMPORTED)
    );
    let digest = generated(&artifact);
    let digest = digest.get("Digest").and_then(Value::as_str);
    assert_eq!(digest, Some("repo@sha256:4567"));
    let calls = stand_in.calls();
    let folder = calls
        .iter()
        .find_map(|call| call.strip_prefix("--config ")?.split(' ').next())
        .expect("a configuration of its own");
    assert!(!Path::new(folder).exists(), "{folder} stays");
    let own = |rest: &str| format!("--config {folder} {rest}");
    let expected = [
        "-v".to_owned(),
        own("login -u me --password-stdin registry.example.com"),
        "password hunter2".to_owned(),
        own("push app:2 --platform linux/amd64"),
        own("push app:1 --platform linux/amd64"),
        own("logout registry.example.com"),
        "inspect --format {{ ( index .RepoDigests 0 ) }} app:2".to_owned(),
    ];
    assert_eq!(calls, expected);
}

#[tokio::test]
async fn a_failed_push_says_why_and_logs_out() {
    let stand_in = StandIn::new("*push*) echo 'denied: no' >&2; exit 1;;");
    let options = stand_in.options([("login", true.into())]);
    let input = image(IMPORTED, "app", &[]);
    let run = FakeHost::new()
        .post_process(DockerPush, options, input, Value::null())
        .await;
    let failure = run.outcome.unwrap_err();
    assert!(failure.message.contains("denied: no"), "{failure}");
    assert!(stand_in.calls().last().unwrap().ends_with("logout"));
}

#[tokio::test]
async fn a_saved_image_has_its_name_when_it_is_complete() {
    let stand_in = StandIn::new("save\\ bad*) echo half; exit 1;;");
    let path = stand_in.path("image.tar");
    for (id, expected) in [("bad", None), ("good", Some("layers\n"))] {
        let options = stand_in.options([("path", path.display().to_string().into())]);
        let input = image(TAGGED, id, &[]);
        let run = FakeHost::new()
            .post_process(DockerSave, options, input.clone(), Value::null())
            .await;
        let kept = run.outcome.ok().and_then(|result| result.artifact);
        assert_eq!(kept, expected.map(|_| input), "{id}");
        assert_eq!(std::fs::read_to_string(&path).ok().as_deref(), expected);
        let parts = std::fs::read_dir(stand_in.folder.path()).unwrap();
        let parts = parts.flatten().filter(|entry| {
            let name = entry.file_name();
            name.to_string_lossy().ends_with(".part")
        });
        assert_eq!(parts.count(), 0, "{id}");
    }
}

#[tokio::test]
async fn artifacts_of_other_kinds_are_refused() {
    let stand_in = StandIn::new("");
    let other = image("mitchellh.virtualbox", "x", &[]);
    let name = || ("repository", Value::from("x"));
    let import = FakeHost::new()
        .post_process(
            DockerImport,
            stand_in.options([name()]),
            other.clone(),
            Value::null(),
        )
        .await;
    let tag = FakeHost::new()
        .post_process(
            DockerTag,
            stand_in.options([name()]),
            other.clone(),
            Value::null(),
        )
        .await;
    let push = FakeHost::new()
        .post_process(
            DockerPush,
            stand_in.options([]),
            other.clone(),
            Value::null(),
        )
        .await;
    let save = FakeHost::new()
        .post_process(
            DockerSave,
            stand_in.options([("path", "x".into())]),
            other,
            Value::null(),
        )
        .await;
    for outcome in [import.outcome, tag.outcome, push.outcome, save.outcome] {
        let failure = outcome.unwrap_err();
        let expected = "an artifact of `mitchellh.virtualbox` cannot be used here";
        assert!(failure.message.starts_with(expected), "{failure}");
    }
    assert_eq!(stand_in.calls(), [""; 0]);
}

#[test]
fn options_are_documented() {
    check_options::<PushConfig>();
    check_options::<crate::import::ImportConfig>();
    check_options::<crate::tag::TagConfig>();
    check_options::<crate::save::SaveConfig>();
}
