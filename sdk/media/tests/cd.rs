//! CD images, judged by xorriso and blkid when they are installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use sdk_media::CdConfig;

/// Runs a judge and returns what it prints; says so and returns nothing when it is missing.
#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
fn judge(program: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                output.status.success(),
                "{program} {arguments:?}: {text}{errors}"
            );
            Some(text)
        }
        Err(error) => {
            eprintln!("SKIPPED a check of the image: {program}: {error}");
            None
        }
    }
}

fn cd() -> CdConfig {
    CdConfig {
        cd_label: "cidata".into(),
        ..CdConfig::default()
    }
}

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folder is made");
        fs::write(path, text).expect("file is made");
    }
    folder
}

async fn check(config: &CdConfig, expected: &[(&str, &str)]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("cd.iso");
    let image = config
        .write(&path)
        .await
        .expect("the image is written")
        .expect("there is one");
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    assert_eq!(image.entries, names);
    let (path_text, out) = (path.display().to_string(), folder.path().join("out"));
    let out_text = out.display().to_string();
    let extracted = judge(
        "xorriso",
        &[
            "-osirrox", "on", "-indev", &path_text, "-extract", "/", &out_text,
        ],
    );
    if extracted.is_some() {
        for (name, text) in expected {
            assert_eq!(
                &fs::read_to_string(out.join(name)).expect(name),
                text,
                "{name}"
            );
        }
    }
    if let Some(label) = judge("blkid", &["-p", "-s", "LABEL", "-o", "value", &path_text]) {
        assert_eq!(label.trim(), config.cd_label);
    }
    fs::read(path).expect("the image is readable")
}

#[tokio::test]
async fn carries_cloud_init_seed_files_under_their_label() {
    let config = CdConfig {
        cd_content: [
            ("/user-data".to_owned(), "#cloud-config\n".to_owned()),
            ("meta-data".to_owned(), String::new()),
            ("nested/deeper/Grüße.txt".to_owned(), "hallo".to_owned()),
        ]
        .into(),
        ..cd()
    };
    let expected = [
        ("meta-data", ""),
        ("nested/deeper/Grüße.txt", "hallo"),
        ("user-data", "#cloud-config\n"),
    ];
    let first = check(&config, &expected).await;
    let second = check(&config, &expected).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn a_folder_keeps_its_name_unless_it_ends_in_a_slash() {
    let folder = folder_with(&[("seed/a.txt", "a"), ("seed/sub/b.txt", "b"), ("c.txt", "c")]);
    let root = folder.path().display();
    let named = CdConfig {
        cd_files: vec![format!("{root}/seed")],
        ..cd()
    };
    check(&named, &[("seed/a.txt", "a"), ("seed/sub/b.txt", "b")]).await;
    let content = CdConfig {
        cd_files: vec![format!("{root}/seed/"), format!("{root}/c*")],
        ..cd()
    };
    check(
        &content,
        &[("a.txt", "a"), ("c.txt", "c"), ("sub/b.txt", "b")],
    )
    .await;
}

#[tokio::test]
async fn content_wins_over_a_file_of_the_same_path() {
    let folder = folder_with(&[("user-data", "file")]);
    let config = CdConfig {
        cd_files: vec![folder.path().join("user-data").display().to_string()],
        cd_content: [("user-data".to_owned(), "template".to_owned())].into(),
        ..cd()
    };
    check(&config, &[("user-data", "template")]).await;
}

#[tokio::test]
async fn an_unwritable_place_is_named() {
    let config = CdConfig {
        cd_content: [("a".to_owned(), "b".to_owned())].into(),
        ..cd()
    };
    let error = config
        .write(Path::new("/nonexistent/cd.iso"))
        .await
        .expect_err("no such folder");
    assert!(error.to_string().contains("/nonexistent/cd.iso"), "{error}");
}

#[test]
fn prepare_reports_missing_files_and_a_long_label() {
    let mut config = CdConfig {
        cd_files: vec![
            "/nonexistent/a".into(),
            "/nonexistent/*.cfg".into(),
            "/nonexistent/[".into(),
        ],
        cd_label: "a label of more than thirty-two bytes".into(),
        ..CdConfig::default()
    };
    let paths: Vec<String> = config
        .prepare()
        .iter()
        .map(|problem| problem.path.to_string())
        .collect();
    assert_eq!(paths, ["cd_files[0]", "cd_files[2]", "cd_label"]);
}
