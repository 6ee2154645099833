//! Rules about the source tree that no compiler checks.

use std::path::{Path, PathBuf};

use kiln_tests::kiln::project;

/// Files over the size limit, with the reason for each.
const LARGE: [(&str, &str); 0] = [];
const LIMIT_LINES: usize = 500;
const BANNED: [&str; 6] = ["utils", "util", "helpers", "common", "misc", "helper"];

fn sources() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() && name != "target" && name != "gen" && name != ".git" {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for root in ["host", "sdk", "plugins", "proto", "tests"] {
        walk(&project().join(root), &mut found);
    }
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.strip_prefix(project())
        .expect("sources lie in the project")
        .display()
        .to_string()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a source file can be read")
}

/// Whether the file is a unit test beside the module it tests.
fn is_unit_test(path: &Path) -> bool {
    let name = name(path);
    let (_, below) = name.split_once("/src/").unwrap_or_default();
    below.ends_with("tests.rs") || below.contains("tests/")
}

/// Non-blank lines before the first inline test module.
fn code_lines(text: &str) -> usize {
    let code = text
        .split("\n#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    code.lines().filter(|line| !line.trim().is_empty()).count()
}

#[test]
fn files_are_short() {
    let long: Vec<String> = sources()
        .iter()
        .filter(|path| !is_unit_test(path))
        .map(|path| (name(path), code_lines(&text(path))))
        .filter(|(name, lines)| {
            *lines > LIMIT_LINES && !LARGE.iter().any(|(large, _)| large == name)
        })
        .map(|(name, lines)| format!("{name}: {lines} lines"))
        .collect();
    assert_eq!(
        long,
        Vec::<String>::new(),
        "split these, or give a reason in LARGE"
    );
}

#[test]
fn every_module_says_what_it_is() {
    let silent: Vec<String> = sources()
        .iter()
        .filter(|path| !is_unit_test(path))
        .filter(|path| !text(path).trim_start().starts_with("//!"))
        .map(|path| name(path))
        .collect();
    assert_eq!(
        silent,
        Vec::<String>::new(),
        "these files lack a module doc on their first line"
    );
}

#[test]
fn no_module_is_a_drawer_for_everything() {
    let drawers: Vec<String> = sources()
        .iter()
        .map(|path| name(path))
        .filter(|name| {
            name.trim_end_matches(".rs")
                .split('/')
                .any(|part| BANNED.contains(&part))
        })
        .collect();
    assert_eq!(drawers, Vec::<String>::new());
}

#[test]
fn todos_name_an_issue() {
    let marker = concat!("TO", "DO");
    let nameless: Vec<String> = sources()
        .iter()
        .flat_map(|path| {
            let found: Vec<String> = text(path)
                .lines()
                .filter(|line| line.contains(marker) && !line.contains(&format!("{marker}(#")))
                .map(|line| format!("{}: {}", name(path), line.trim()))
                .collect();
            found
        })
        .collect();
    assert_eq!(nameless, Vec::<String>::new());
}

/// Workspace crates that a manifest depends on, outside its development dependencies.
fn dependencies(manifest: &Path) -> Vec<String> {
    let text = text(manifest);
    let section = text.split("[dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    section
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn manifests(root: &str) -> Vec<PathBuf> {
    std::fs::read_dir(project().join(root))
        .expect("a root folder")
        .flatten()
        .map(|entry| entry.path().join("Cargo.toml"))
        .filter(|path| path.exists())
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    // Go's templates are a language of their own without any I/O; both sides render them. What a
    // post-processor signs, the host's command verifies: that is one format, read and written once.
    let shared = ["plugin-wire", "sdk-go-template", "sdk-attestation"];
    let mut wrong = Vec::new();
    for (root, forbidden) in [
        ("host", &["sdk-", "plugin-", "kiln-sdk"][..]),
        ("sdk", &["host-", "plugin-"][..]),
    ] {
        for manifest in manifests(root) {
            for dependency in dependencies(&manifest) {
                let bad = forbidden
                    .iter()
                    .any(|prefix| dependency.starts_with(prefix));
                let own = dependency == "host-plugin-client" || dependency == "sdk-plugin-server";
                if bad && !own && !shared.contains(&dependency.as_str()) {
                    wrong.push(format!("{} → {dependency}", name(&manifest)));
                }
            }
        }
    }
    // The bridge speaks Packer's protocol, and is told by the host what to run.
    let bridge = ["sdk-packer-protocol", "plugin-wire"];
    for manifest in manifests("plugins") {
        for dependency in dependencies(&manifest) {
            let bad = ["host-", "sdk-", "plugin-"]
                .iter()
                .any(|prefix| dependency.starts_with(prefix));
            let is_bridge = name(&manifest) == "plugins/packer/Cargo.toml";
            if bad && !(is_bridge && bridge.contains(&dependency.as_str())) {
                wrong.push(format!("{} → {dependency}", name(&manifest)));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "plugins → sdk → proto ← host");
}

#[test]
fn wire_types_stay_at_the_border() {
    let border = [
        "proto/",
        "host/plugin-client/",
        "sdk/plugin-server/",
        "sdk/test-kit/",
        "plugins/packer/",
        "tests/",
    ];
    let strays: Vec<String> = sources()
        .iter()
        .filter(|path| !border.iter().any(|prefix| name(path).starts_with(prefix)))
        .filter(|path| text(path).contains("plugin_wire"))
        .map(|path| name(path))
        .collect();
    assert_eq!(strays, Vec::<String>::new());
}

#[test]
fn the_readme_names_every_crate_and_only_paths_that_exist() {
    let readme = text(&project().join("README.md"));
    for root in ["host", "sdk", "plugins"] {
        for manifest in manifests(root) {
            let folder = name(manifest.parent().expect("a manifest has a folder"));
            assert!(
                readme.contains(&format!("`{folder}`")),
                "the README does not name `{folder}`"
            );
        }
    }
    for word in readme.split('`').skip(1).step_by(2) {
        let path = word.split([' ', '#']).next().unwrap_or_default();
        let rooted = ["host/", "sdk/", "plugins/", "proto/", "tests/"]
            .iter()
            .any(|root| path.starts_with(root));
        let placeholder = path.contains(['<', '*', '{', '…']);
        if rooted && !placeholder {
            assert!(
                project().join(path).exists(),
                "the README names `{path}`, which does not exist"
            );
        }
    }
}
