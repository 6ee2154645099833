//! Trees there and back, and trees that want to break out.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use tokio_util::io::StreamReader;

use super::{Entries, Entry, ReadOptions, Symlinks, from_tar, read_local, to_tar, write_local};

fn make_tree(root: &Path) {
    let long = "n".repeat(120);
    std::fs::create_dir_all(root.join("sub/deep")).expect("the folder is writable");
    std::fs::create_dir_all(root.join(".git")).expect("the folder is writable");
    std::fs::write(root.join("b.txt"), b"bee").expect("the folder is writable");
    std::fs::write(root.join("a file"), vec![7_u8; 600_000]).expect("the folder is writable");
    std::fs::write(root.join("sub/empty"), b"").expect("the folder is writable");
    std::fs::write(root.join("sub/deep").join(&long), b"x").expect("the folder is writable");
    std::fs::write(root.join(".git/config"), b"x").expect("the folder is writable");
    let mode = std::fs::Permissions::from_mode(0o750);
    std::fs::set_permissions(root.join("b.txt"), mode).expect("the file is ours");
    std::os::unix::fs::symlink("../b.txt", root.join("sub/link")).expect("links work");
    std::os::unix::fs::symlink("t".repeat(130), root.join("sub/long")).expect("links work");
}

fn list(root: &Path, relative: &str, out: &mut Vec<String>) {
    let mut names: Vec<String> = std::fs::read_dir(root.join(relative))
        .expect("the folder is readable")
        .map(|item| {
            item.expect("readable")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    names.sort();
    for name in names {
        let inner = if relative.is_empty() {
            name
        } else {
            format!("{relative}/{name}")
        };
        let path = root.join(&inner);
        let metadata = std::fs::symlink_metadata(&path).expect("it was listed");
        let mode = metadata.permissions().mode() & 0o7777;
        if metadata.is_dir() {
            out.push(format!("{inner}/ {mode:o}"));
            list(root, &inner, out);
        } else if metadata.file_type().is_symlink() {
            let target = std::fs::read_link(&path).expect("it is a link");
            out.push(format!("{inner} -> {}", target.display()));
        } else {
            let content = std::fs::read(&path).expect("it is a file");
            out.push(format!(
                "{inner} {mode:o} {} {:?}",
                content.len(),
                content.first()
            ));
        }
    }
}

fn listing(root: &Path) -> Vec<String> {
    let mut out = Vec::new();
    list(root, "", &mut out);
    out
}

fn through_tar(entries: Entries) -> Entries {
    let pieces = to_tar(entries).map_err(std::io::Error::other);
    from_tar(Box::new(StreamReader::new(pieces)), Vec::new())
}

#[tokio::test]
async fn a_folder_comes_out_as_it_went_in() {
    let from = tempfile::tempdir().expect("a temporary folder");
    make_tree(from.path());
    for pack in [false, true] {
        let to = tempfile::tempdir().expect("a temporary folder");
        let mut entries = read_local(from.path(), ReadOptions::default());
        if pack {
            entries = through_tar(entries);
        }
        let bytes = write_local(entries, &to.path().join("new"))
            .await
            .expect("it has room");
        assert_eq!(bytes, 600_005);
        assert_eq!(
            listing(&to.path().join("new")),
            listing(from.path()),
            "packed: {pack}"
        );
    }
}

#[tokio::test]
async fn names_are_sorted_and_excluded_ones_left_out() {
    let from = tempfile::tempdir().expect("a temporary folder");
    make_tree(from.path());
    let options = ReadOptions {
        exclude: vec![".git".to_owned(), "sub".to_owned()],
        ..Default::default()
    };
    let entries: Vec<Entry> = read_local(from.path(), options)
        .try_collect()
        .await
        .expect("readable");
    let names: Vec<&str> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::File { path, .. } => Some(path.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["a file", "b.txt"]);
}

#[tokio::test]
async fn a_single_file_is_a_tree_of_one() {
    let from = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(from.path().join("one"), b"1").expect("writable");
    let entries: Vec<Entry> = read_local(from.path().join("one"), ReadOptions::default())
        .try_collect()
        .await
        .expect("readable");
    assert!(matches!(&entries[0], Entry::File { path, size: 1, .. } if path == "one"));
}

#[tokio::test]
async fn links_are_followed_on_request_and_loops_are_named() {
    let from = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(from.path().join("real"), b"content").expect("writable");
    std::os::unix::fs::symlink("real", from.path().join("link")).expect("links work");
    let follow = ReadOptions {
        symlinks: Symlinks::Follow,
        ..Default::default()
    };
    let entries: Vec<Entry> = read_local(from.path(), follow.clone())
        .try_collect()
        .await
        .expect("readable");
    assert!(matches!(&entries[0], Entry::File { path, size: 7, .. } if path == "link"));
    std::os::unix::fs::symlink(".", from.path().join("loop")).expect("links work");
    let error = read_local(from.path(), follow)
        .try_collect::<Vec<Entry>>()
        .await
        .expect_err("the loop is seen");
    assert!(format!("{error:?}").contains("leads back"), "{error:?}");
}

fn file(path: &str) -> Vec<Entry> {
    vec![
        Entry::File {
            path: path.to_owned(),
            mode: 0o4755,
            size: 2,
        },
        Entry::Data(Bytes::from_static(b"hi")),
    ]
}

fn link(path: &str, target: &str) -> Entry {
    Entry::Symlink {
        path: path.to_owned(),
        target: target.to_owned(),
    }
}

async fn refused(entries: Vec<Entry>, expected: &str) {
    let outer = tempfile::tempdir().expect("a temporary folder");
    let inside = outer.path().join("in");
    let entries = futures::stream::iter(entries.into_iter().map(Ok)).boxed();
    let error = write_local(entries, &inside)
        .await
        .expect_err("it must be refused")
        .to_string();
    assert!(error.contains(expected), "{error}");
    assert_eq!(
        std::fs::read_dir(outer.path()).expect("readable").count(),
        1,
        "{error}"
    );
}

#[tokio::test]
async fn nothing_is_written_outside_the_destination() {
    refused(file("../evil"), "`..` step").await;
    refused(file("/tmp/evil"), "absolute").await;
    let through = [vec![link("d", "..")], file("d/evil")].concat();
    refused(through, "passes through a symbolic link").await;
    let folder = Entry::Directory {
        path: "d/evil".to_owned(),
        mode: 0o755,
    };
    refused(
        vec![link("d", ".."), folder],
        "passes through a symbolic link",
    )
    .await;
    let below_file = [file("f"), file("f/g")].concat();
    refused(below_file, "a file stands where").await;
}

#[tokio::test]
async fn sizes_must_fit() {
    let short = vec![Entry::File {
        path: "f".to_owned(),
        mode: 0o644,
        size: 3,
    }];
    refused(short, "3 bytes of it are missing").await;
    let mut long = file("f");
    long.push(Entry::Data(Bytes::from_static(b"!")));
    refused(long, "more data than").await;
    refused(
        vec![Entry::Data(Bytes::from_static(b"!"))],
        "data without a file",
    )
    .await;
}

#[tokio::test]
async fn a_link_is_replaced_not_followed_and_privileges_are_dropped() {
    let outer = tempfile::tempdir().expect("a temporary folder");
    let inside = outer.path().join("in");
    let entries = [vec![link("f", "../evil")], file("f")].concat();
    let entries = futures::stream::iter(entries.into_iter().map(Ok)).boxed();
    write_local(entries, &inside)
        .await
        .expect("it replaces the link");
    assert!(!outer.path().join("evil").exists());
    assert_eq!(listing(&inside), ["f 755 2 Some(104)"]);
}
