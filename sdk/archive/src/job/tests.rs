use std::path::{Path, PathBuf};
use std::process::Command;

use sdk_component::{BuildInfo, Event, HostLink, RunContext};
use tokio_util::sync::CancellationToken;

use super::{Container, Plan, write};
use crate::{ArchiveError, Compression, Content, Entry};

/// A context whose host puts everything on record.
fn context(cancel: &CancellationToken) -> RunContext {
    let (link, mut events) = HostLink::new();
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if let Event::Created(_, _, recorded) = event {
                // A run that was cancelled does not wait for it.
                recorded.send(()).unwrap_or_default();
            }
        }
    });
    RunContext::new(link, cancel.clone(), BuildInfo::default())
}

fn plan(container: Container, compression: Compression, entries: Vec<Entry>) -> Plan {
    Plan {
        container,
        compression,
        level: None,
        entries,
    }
}

fn listed(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn sample(folder: &Path) -> Vec<Entry> {
    let (one, two) = (folder.join("one"), folder.join("two"));
    std::fs::write(&one, "first".repeat(300_000)).unwrap();
    std::fs::write(&two, "..second..").unwrap();
    vec![
        Entry::file(&one),
        Entry {
            name: "deep/two".to_owned(),
            content: Content::Part {
                path: two,
                offset: 2,
                bytes: 6,
            },
        },
        Entry {
            name: format!("{}/three", "long".repeat(40)),
            content: Content::Memory(b"third".to_vec()),
        },
    ]
}

async fn unpacks(container: Container, compression: Compression, tool: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let entries = sample(folder.path());
    let target = folder.path().join("out/deep/archive");
    let cx = context(&CancellationToken::new());
    let plan = plan(container, compression, entries);
    write(&cx, plan, &target).await.unwrap();
    assert_eq!(listed(target.parent().unwrap()), ["archive"]);
    let place = folder.path().join("unpacked");
    std::fs::create_dir(&place).unwrap();
    let status = Command::new(tool[0])
        .args(&tool[1..])
        .arg(&target)
        .current_dir(&place)
        .status();
    assert!(status.unwrap().success(), "{tool:?}");
    let read = |name: PathBuf| std::fs::read_to_string(place.join(name)).unwrap();
    assert_eq!(read("one".into()), "first".repeat(300_000));
    assert_eq!(read("deep/two".into()), "second");
    assert_eq!(
        read(PathBuf::from("long".repeat(40)).join("three")),
        "third"
    );
}

#[tokio::test]
async fn tar_and_unzip_read_what_is_written() {
    unpacks(Container::Tar, Compression::None, &["tar", "-xf"]).await;
    unpacks(Container::Tar, Compression::Bzip2, &["tar", "-xjf"]).await;
    unpacks(Container::Tar, Compression::Zstd, &["tar", "--zstd", "-xf"]).await;
    unpacks(Container::Zip, Compression::None, &["unzip", "-q"]).await;
}

#[tokio::test]
async fn an_archive_in_place_of_its_own_content_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.tar");
    std::fs::write(&file, "x").unwrap();
    let cx = context(&CancellationToken::new());
    let plan = plan(Container::Tar, Compression::None, vec![Entry::file(&file)]);
    let error = write(&cx, plan, &file).await.unwrap_err();
    assert!(
        matches!(error, ArchiveError::OutputIsInput { .. }),
        "{error}"
    );
    assert_eq!(std::fs::read(&file).unwrap(), b"x");
}

#[tokio::test]
async fn a_missing_file_is_named_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let cx = context(&CancellationToken::new());
    let missing = Entry::file(&folder.path().join("missing"));
    for container in [Container::Single, Container::Tar, Container::Zip] {
        let plan = plan(container, Compression::Gzip, vec![missing.clone()]);
        let target = folder.path().join("new/folder/archive");
        let error = write(&cx, plan, &target).await.unwrap_err();
        assert!(error.to_string().contains("missing"), "{error}");
        assert_eq!(listed(folder.path()), [""; 0]);
    }
}

#[tokio::test]
async fn a_full_disk_is_named_with_the_archive() {
    let folder = tempfile::tempdir().unwrap();
    let entries = sample(folder.path());
    let cx = context(&CancellationToken::new());
    // Everything written to it is refused for lack of room.
    let file = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let plan = plan(Container::Tar, Compression::Gzip, entries);
    let result = super::in_thread(&cx, plan, file.unwrap(), Path::new("box.tar.gz")).await;
    match result {
        Err(ArchiveError::Write { path, source }) => {
            assert_eq!(path, Path::new("box.tar.gz"));
            assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_cancelled_archive_leaves_nothing_and_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let big = folder.path().join("big");
    // XZ at its best takes minutes for this.
    std::fs::File::create(&big)
        .unwrap()
        .set_len(8 << 30)
        .unwrap();
    for (container, compression) in [
        (Container::Single, Compression::Xz),
        (Container::Tar, Compression::Gzip),
        (Container::Zip, Compression::None),
    ] {
        let cancel = CancellationToken::new();
        let cx = context(&cancel);
        let mut plan = plan(container, compression, vec![Entry::file(&big)]);
        plan.level = Some(9);
        let target = folder.path().join("out/archive");
        let writing = write(&cx, plan, &target);
        let soon = async {
            while !target.parent().unwrap().exists() {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
        };
        let (result, ()) = tokio::join!(writing, soon);
        assert!(matches!(result, Err(ArchiveError::Cancelled)), "{result:?}");
        assert_eq!(listed(folder.path()), ["big"]);
    }
}
