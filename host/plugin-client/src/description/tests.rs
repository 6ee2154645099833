use std::fs::File;

use super::*;
use crate::process::owner_of;

fn described(version: &str) -> wire::DescribeResponse {
    let id = wire::ComponentId {
        kind: wire::ComponentKind::Builder.into(),
        name: "x".into(),
    };
    let schema = wire::Schema {
        doc: "Builds x.".into(),
        ..Default::default()
    };
    wire::DescribeResponse {
        name: "x".into(),
        version: version.into(),
        protocol_majors: vec![1],
        features: vec!["reclaim".into()],
        components: vec![wire::ComponentDescription {
            id: Some(id),
            schema: Some(schema),
        }],
        needs: Vec::new(),
    }
}

fn settings(cache: &Path) -> Settings {
    Settings {
        description_folder: cache.to_path_buf(),
        socket_folder: cache.to_path_buf(),
        ..Settings::default()
    }
}

/// A cache that knows the description of an executable, without ever having started it.
async fn primed(folder: &Path, executable: &Path) {
    let cache_settings = settings(folder);
    let cache = Descriptions::open(&cache_settings);
    cache.write(&hash_file(executable).await.unwrap(), &described("1.0.0"));
    cache.of(&owner_of(executable.to_path_buf())).await.unwrap();
    cache.save();
}

#[tokio::test]
async fn a_known_executable_is_neither_read_nor_started() {
    let folder = tempfile::tempdir().unwrap();
    let executable = folder.path().join("kiln-plugin-x");
    std::fs::write(&executable, "not a program").unwrap();
    let cache = folder.path().join("cache");
    primed(&cache, &executable).await;
    let again_settings = settings(&cache);
    let again = Descriptions::open(&again_settings);
    assert!(again.known.files.contains_key(&executable));
    let offer = again.of(&owner_of(executable.clone())).await.unwrap();
    assert_eq!(offer.version, "1.0.0");
    assert_eq!(offer.components, [(ComponentKind::Builder, "x".to_owned())]);
    assert!(again.learned.lock().unwrap().is_empty());
    let schemas = Schemas::read(&offer.description);
    assert_eq!(
        schemas.get(ComponentKind::Builder, "x").unwrap().doc,
        "Builds x."
    );
    assert!(schemas.get(ComponentKind::Provisioner, "x").is_none());
}

#[tokio::test]
async fn the_same_bytes_elsewhere_are_not_started() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    std::fs::write(&one, "not a program").unwrap();
    std::fs::write(&other, "not a program").unwrap();
    let cache = folder.path().join("cache");
    primed(&cache, &one).await;
    let again_settings = settings(&cache);
    let again = Descriptions::open(&again_settings);
    assert_eq!(
        again.of(&owner_of(other.clone())).await.unwrap().version,
        "1.0.0"
    );
}

#[tokio::test]
async fn a_changed_executable_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let executable = folder.path().join("kiln-plugin-x");
    std::fs::write(&executable, "not a program").unwrap();
    let cache = folder.path().join("cache");
    primed(&cache, &executable).await;
    std::fs::write(&executable, "still not a program").unwrap();
    let again_settings = settings(&cache);
    let again = Descriptions::open(&again_settings);
    let reason = again.of(&owner_of(executable.clone())).await.unwrap_err();
    assert!(
        matches!(reason, Reason::Undescribed(ClientError::Spawn { .. })),
        "{reason:?}"
    );
}

#[tokio::test]
async fn old_descriptions_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let executable = folder.path().join("kiln-plugin-x");
    std::fs::write(&executable, "not a program").unwrap();
    let cache = folder.path().join("cache");
    let old = cache.join(format!("abc.{SUFFIX}"));
    let young = cache.join(format!("def.{SUFFIX}"));
    std::fs::create_dir_all(&cache).unwrap();
    std::fs::write(&young, "").unwrap();
    let days_ago = std::time::SystemTime::now() - 3 * KEPT_FOR;
    File::create(&old).unwrap().set_modified(days_ago).unwrap();
    primed(&cache, &executable).await;
    assert!(!old.exists());
    assert!(young.exists(), "it may be another process's");
}

#[test]
fn a_broken_description_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("abc.{SUFFIX}"));
    std::fs::write(&path, [0xff; 9]).unwrap();
    assert!(Schemas::read(&path).is_empty());
    assert!(!path.exists());
}

#[tokio::test]
async fn a_plugin_behind_a_bridge_is_known_by_both_and_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (bridge, plugin) = (folder.path().join("bridge"), folder.path().join("plugin"));
    std::fs::write(&bridge, "one").unwrap();
    std::fs::write(&plugin, "two").unwrap();
    let owner = |name: &str| Owner {
        name: name.into(),
        source: String::new(),
        path: bridge.clone(),
        behind: Some(crate::journal::Behind {
            executable: plugin.clone(),
            name: name.into(),
        }),
        confined: None,
    };
    let cache = folder.path().join("cache");
    let first_settings = settings(&cache);
    let first = Descriptions::open(&first_settings);
    let hashes = first.hashes(&owner("a")).await.unwrap();
    first.write(&key(&owner("a"), &hashes), &described("1.0.0"));
    let offer = first.of(&owner("a")).await.unwrap();
    assert_eq!(offer.hash, hashes[1], "the hash is that of the plugin");
    first.save();
    let again_settings = settings(&cache);
    let again = Descriptions::open(&again_settings);
    assert_eq!(again.of(&owner("a")).await.unwrap().version, "1.0.0");
    assert!(again.learned.lock().unwrap().is_empty());
    again.of(&owner("b")).await.unwrap_err();
    std::fs::write(&bridge, "three").unwrap();
    let changed_settings = settings(&cache);
    let changed = Descriptions::open(&changed_settings);
    changed.of(&owner("a")).await.unwrap_err();
}
