//! Floppy images, judged by mtools and fsck.fat when they are installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use sdk_media::{FloppyConfig, MediaError};

/// Runs a judge and returns what it prints; says so and returns nothing when it is missing.
#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
fn judge(program: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(program)
        .args(arguments)
        .env("MTOOLS_SKIP_CHECK", "0")
        .output()
    {
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

fn floppy() -> FloppyConfig {
    FloppyConfig {
        floppy_label: "packer".into(),
        ..FloppyConfig::default()
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

async fn check(config: &FloppyConfig, expected: &[(&str, &str)]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("floppy.img");
    let image = config
        .write(&path)
        .await
        .expect("the image is written")
        .expect("there is one");
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    assert_eq!(image.entries, names);
    let path_text = path.display().to_string();
    judge("fsck.fat", &["-n", &path_text]);
    for (name, text) in expected {
        if let Some(read) = judge("mtype", &["-i", &path_text, &format!("::{name}")]) {
            assert_eq!(&read, text, "{name}");
        }
    }
    if let Some(listing) = judge("mdir", &["-i", &path_text, "::"]) {
        assert!(
            listing.contains(&config.floppy_label.to_uppercase()),
            "{listing}"
        );
    }
    fs::read(path).expect("the image is readable")
}

#[tokio::test]
async fn files_are_flattened_and_folders_keep_their_structure() {
    let folder = folder_with(&[
        ("answers/Autounattend.xml", "<xml/>"),
        ("answers/deep/er/script with a long name.ps1", "echo"),
        ("drivers/net/e1000.inf", "inf"),
        ("one.txt", "1"),
    ]);
    let root = folder.path().display();
    let config = FloppyConfig {
        floppy_files: vec![format!("{root}/answers"), format!("{root}/*.txt")],
        floppy_dirs: vec![format!("{root}/drivers")],
        ..floppy()
    };
    check(
        &config,
        &[
            ("Autounattend.xml", "<xml/>"),
            ("drivers/net/e1000.inf", "inf"),
            ("one.txt", "1"),
            ("script with a long name.ps1", "echo"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_trailing_slash_leaves_out_the_name_of_the_folder() {
    let folder = folder_with(&[("drivers/net/e1000.inf", "inf")]);
    let config = FloppyConfig {
        floppy_dirs: vec![format!("{}/drivers/", folder.path().display())],
        ..floppy()
    };
    check(&config, &[("net/e1000.inf", "inf")]).await;
}

#[tokio::test]
async fn content_wins_over_a_file_of_the_same_name() {
    let folder = folder_with(&[("ks.cfg", "from the file")]);
    let config = FloppyConfig {
        floppy_files: vec![folder.path().join("ks.cfg").display().to_string()],
        floppy_content: [("/ks.cfg".to_owned(), "from the template".to_owned())].into(),
        ..floppy()
    };
    check(&config, &[("ks.cfg", "from the template")]).await;
}

#[tokio::test]
async fn is_a_1440_kib_disk_with_its_geometry_and_the_same_bytes_each_time() {
    let config = FloppyConfig {
        floppy_content: [("a".to_owned(), "b".to_owned())].into(),
        ..floppy()
    };
    let first = check(&config, &[("a", "b")]).await;
    let second = check(&config, &[("a", "b")]).await;
    assert_eq!(first.len(), 1_474_560);
    assert_eq!(first[24..28], [18, 0, 2, 0]);
    assert_eq!(first, second);
}

#[tokio::test]
async fn too_much_for_the_disk_is_an_error_that_tells_both_sizes() {
    let config = FloppyConfig {
        floppy_content: [("big".to_owned(), "x".repeat(1_500_000))].into(),
        ..floppy()
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = config
        .write(&folder.path().join("f"))
        .await
        .expect_err("it is full");
    assert!(
        matches!(
            error,
            MediaError::Full {
                needed_bytes: 1_500_000,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error.to_string().contains("do not fit on the floppy disk"),
        "{error}"
    );
}

#[tokio::test]
async fn nothing_asked_for_makes_no_image() {
    let written = floppy()
        .write(Path::new("/nonexistent/floppy"))
        .await
        .expect("no error");
    assert_eq!(written, None);
}

#[tokio::test]
async fn a_path_out_of_the_disk_is_refused() {
    let config = FloppyConfig {
        floppy_content: [("../a".to_owned(), String::new())].into(),
        ..floppy()
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = config
        .write(&folder.path().join("f"))
        .await
        .expect_err("refused");
    assert!(matches!(error, MediaError::Path { .. }), "{error}");
}

#[test]
fn prepare_reports_missing_files_but_not_empty_wildcards() {
    let mut config = FloppyConfig {
        floppy_files: vec!["/nonexistent/a".into(), "/nonexistent/*.cfg".into()],
        floppy_dirs: vec!["/nonexistent/d".into()],
        floppy_label: "a label that is too long".into(),
        ..FloppyConfig::default()
    };
    let paths: Vec<String> = config
        .prepare()
        .iter()
        .map(|problem| problem.path.to_string())
        .collect();
    assert_eq!(paths, ["floppy_files[0]", "floppy_dirs[0]", "floppy_label"]);
}
