use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::process::owner_of;

fn write(path: &Path, text: &str, mode: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn check(files: &[(&str, u32)], found: &[&str], rejected: &[&str]) {
    let root = tempfile::tempdir().unwrap();
    for (file, mode) in files {
        write(&root.path().join(file), "", *mode);
    }
    let folders = [root.path().join("first"), root.path().join("second")];
    let mut refused = Vec::new();
    let shown = |path: &Path| {
        path.strip_prefix(root.path())
            .unwrap()
            .display()
            .to_string()
    };
    let paths: Vec<_> = executables(&folders, &mut refused)
        .iter()
        .map(|path| shown(path))
        .collect();
    assert_eq!(paths, found);
    let refused: Vec<_> = refused.iter().map(|one| shown(&one.path)).collect();
    assert_eq!(refused, rejected);
}

#[test]
fn finds_plugins_by_name() {
    check(
        &[
            ("first/kiln-plugin-b", 0o755),
            ("first/kiln-plugin-a", 0o755),
            ("first/kiln-plugin-a.d", 0o644),
            ("first/kiln-plugin-", 0o755),
            ("first/kiln", 0o755),
        ],
        &["first/kiln-plugin-a", "first/kiln-plugin-b"],
        &[],
    );
}

#[test]
fn refuses_what_cannot_be_executed() {
    check(
        &[("second/kiln-plugin-a", 0o644)],
        &[],
        &["second/kiln-plugin-a"],
    );
}

#[test]
fn the_first_folder_wins() {
    check(
        &[
            ("second/kiln-plugin-a", 0o755),
            ("first/kiln-plugin-a", 0o755),
        ],
        &["first/kiln-plugin-a"],
        &["second/kiln-plugin-a"],
    );
}

fn with(name: &str, components: &[(ComponentKind, &str)]) -> Registry {
    let components = components
        .iter()
        .map(|(kind, name)| (*kind, (*name).to_owned()))
        .collect();
    let offer = Offer {
        hash: String::new(),
        version: "1.0.0".into(),
        majors: vec![1],
        features: BTreeSet::new(),
        components,
        needs: Vec::new(),
        description: PathBuf::new(),
        described: None,
    };
    let path = PathBuf::from(format!("/p/kiln-plugin-{name}"));
    Registry {
        usable: vec![
            installed(
                owner_of(path),
                Origin::Bundled,
                offer,
                &Isolation::default(),
            )
            .unwrap(),
        ],
        ..Registry::default()
    }
}

#[test]
fn names_are_sorted_and_of_one_kind() {
    let registry = with(
        "shell",
        &[
            (ComponentKind::Provisioner, "shell-local"),
            (ComponentKind::Provisioner, "shell"),
            (ComponentKind::PostProcessor, "shell-local"),
        ],
    );
    assert_eq!(
        registry.all_names(ComponentKind::Provisioner),
        ["shell", "shell-local"]
    );
    assert_eq!(
        registry
            .installed(ComponentKind::Provisioner, "shell")
            .unwrap()
            .name,
        "shell"
    );
    assert!(
        registry
            .installed(ComponentKind::Builder, "shell")
            .is_none()
    );
}

#[test]
fn an_unknown_component_names_the_nearest() {
    let registry = with("qemu", &[(ComponentKind::Builder, "qemu")]);
    let error = registry.find(ComponentKind::Builder, "qmeu").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no installed plugin offers the builder `qmeu`; did you mean `qemu`?"
    );
}

#[test]
fn other_protocols_and_empty_plugins_are_refused() {
    let offer = |majors: &[u32]| Offer {
        hash: String::new(),
        version: "1.0.0".into(),
        majors: majors.to_vec(),
        features: BTreeSet::new(),
        components: Vec::new(),
        needs: Vec::new(),
        description: PathBuf::new(),
        described: None,
    };
    let reason = |majors: &[u32]| {
        installed(
            owner_of("/p/x".into()),
            Origin::Bundled,
            offer(majors),
            &Isolation::default(),
        )
        .unwrap_err()
        .to_string()
    };
    assert_eq!(reason(&[1]), "it offers no component");
    assert!(reason(&[9]).ends_with("use a newer kiln"));
}

#[tokio::test]
async fn a_scan_keeps_what_it_refused() {
    let root = tempfile::tempdir().unwrap();
    write(
        &root.path().join("kiln-plugin-bad"),
        "#!/bin/sh\necho hello\n",
        0o755,
    );
    let settings = Settings {
        plugin_folders: vec![root.path().to_path_buf(), root.path().join("none")],
        description_folder: root.path().join("cache"),
        socket_folder: root.path().to_path_buf(),
        ..Settings::default()
    };
    let registry = Registry::scan(settings).await;
    assert!(registry.usable.is_empty());
    assert_eq!(
        registry.rejected[0].report(),
        "it does not describe itself: plugin `bad` printed a wrong handshake: `hello` is not a \
         handshake: expected value at line 1 column 1"
    );
}
