//! What a plugin that did not come with kiln can reach.

use std::net::TcpListener;
use std::path::Path;

use kiln_tests::kiln::program_folder;
use tempfile::TempDir;

use super::World;

/// A folder that is neither temporary for plugins nor where kiln works.
fn elsewhere() -> TempDir {
    let home = std::env::home_dir().unwrap_or_default();
    let is_temporary = |path: &Path| ["/tmp", "/var/tmp"].iter().any(|one| path.starts_with(one));
    let mut parents = [program_folder(), home].into_iter();
    let parent = parents.find(|path| !is_temporary(path));
    let parent = parent.expect("the project or the home folder lies in no temporary folder");
    tempfile::Builder::new()
        .prefix("elsewhere-")
        .tempdir_in(parent)
        .expect("a folder")
}

fn can_confine() -> bool {
    let whole = host_confine::support().files == host_confine::Files::All;
    if !whole {
        kiln_tests::tools::missing("Landlock in the kernel");
    }
    whole
}

#[test]
fn a_plugin_writes_where_its_options_say_and_nowhere_else() {
    if !can_confine() {
        return;
    }
    let place = elsewhere();
    let named = place.path().join("named");
    std::fs::create_dir(&named).expect("a folder");
    let file = named.join("x");
    let mut world = World::with_path(&file.to_string_lossy());
    drop(world.build("run_outside").success());
    assert!(file.exists());

    let home = place.path().join("home");
    std::fs::create_dir(&home).expect("a folder");
    let mut world = World::with_path(&home.join("x").to_string_lossy());
    world.kiln.env("HOME", &home.to_string_lossy());
    let output = world.build("run_outside").failure();
    let output = output
        .says("Permission denied")
        .says("Plugin `broken` is confined");
    let output = output
        .says("KILN_ISOLATION_WRITE")
        .says("KILN_ISOLATION=off:example.com/odd/broken");
    drop(output);
    assert!(!home.join("x").exists());
    assert!(world.good_build_is_done());
    world
        .kiln
        .env("KILN_ISOLATION_WRITE", &home.to_string_lossy());
    drop(world.build("run_outside").success());
    assert!(home.join("x").exists());
}

#[test]
fn a_plugin_reads_no_private_keys() {
    if !can_confine() {
        return;
    }
    let home = elsewhere();
    let key = home.path().join(".ssh/id_ed25519");
    std::fs::create_dir(home.path().join(".ssh")).expect("a folder");
    std::fs::write(&key, "secret").expect("a file");
    let link = home.path().join("innocent");
    std::os::unix::fs::symlink(&key, &link).expect("a link");
    // A path that an option names from the root is opened for the plugin.
    let relative = |path: &Path| format!("../../..{}", path.display());
    let mut world = World::with_path(&relative(&link));
    world.kiln.env("HOME", &home.path().to_string_lossy());
    drop(
        world
            .build("run_secret")
            .failure()
            .says("Permission denied"),
    );
    world
        .kiln
        .env("KILN_ISOLATION", "off:example.com/odd/broken");
    drop(world.build("run_secret").success());
}

#[test]
fn a_plugin_talks_to_others_when_it_declared_that() {
    if !can_confine() {
        return;
    }
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("an address").to_string();
    let mut world = World::with_path(&address);
    let output = world.build("run_network").failure();
    let output = output.says("Operation not permitted");
    drop(output.says("it did not declare that it needs `network`"));
    world.kiln.env("KILN_ISOLATION", "off");
    drop(world.build("run_network").success());

    let mut world = World::with_path(&address);
    let words = ["build", "-color=false", "t.pkr.hcl"];
    drop(world.run("run_network_declared", &words).success());
}

#[test]
fn a_plugin_ends_nobody_else() {
    if !can_confine() {
        return;
    }
    let mut world = World::new();
    let output = world.build("run_kills").failure().says("not permitted");
    drop(output);
    assert!(world.good_build_is_done());
}

#[test]
fn a_plugin_that_eats_memory_is_ended() {
    let mut world = World::new();
    world.kiln.env("KILN_ISOLATION_MEMORY", "200");
    let output = world.build("run_memory").failure();
    let output = output.says("more than 200 MiB in memory");
    drop(output.says("KILN_ISOLATION_MEMORY"));
    assert!(world.good_build_is_done());
}

#[test]
fn a_plugin_is_confined_before_it_is_installed() {
    if !can_confine() {
        return;
    }
    let home = elsewhere();
    let mut kiln = kiln_tests::Kiln::new();
    kiln.env("HOME", &home.path().to_string_lossy());
    kiln.env("KILN_BROKEN", "describe_writes");
    let plugin = kiln.work().join("kiln-plugin-broken");
    std::fs::copy(program_folder().join("broken_plugin"), &plugin).expect("the plugin is built");
    let plugin = plugin.to_string_lossy();
    let words = [
        "plugins",
        "install",
        "-path",
        &plugin,
        "example.com/odd/broken",
    ];
    let installed = kiln.run(&words).expect("kiln runs").success();
    assert!(!home.path().join("trace").exists(), "{installed}");
    // Without confinement it writes, so it was asked.
    kiln.env("KILN_ISOLATION", "off");
    drop(std::fs::remove_dir_all(home.path().join(".local")));
    drop(kiln.run(&words).expect("kiln runs").success());
    assert!(home.path().join("trace").exists());
}

#[test]
fn nothing_is_removed_for_a_plugin_that_it_may_not_remove_itself() {
    if !can_confine() {
        return;
    }
    let home = elsewhere();
    let precious = home.path().join("precious");
    std::fs::create_dir(&precious).expect("a folder");
    // Not named from the root, which would open it.
    let path = format!("../../..{}", precious.display());
    let template = |world: &World| {
        let text =
            std::fs::read_to_string(world.kiln.work().join("t.pkr.hcl")).expect("a template");
        let more = "  post-processor \"artifice\" {\n    files = [\"t.pkr.hcl\"]\n    keep_input_artifact = false\n  }\n}\n";
        let text = format!("{}{more}", text.trim_end().trim_end_matches('}'));
        world.kiln.write("t.pkr.hcl", &text);
    };
    let mut world = World::with_path(&path);
    template(&world);
    drop(world.build("run_destroys").success());
    assert!(precious.exists());
    world.kiln.env("KILN_ISOLATION", "off");
    drop(world.build("run_destroys").success());
    assert!(!precious.exists());
}

#[test]
fn evidence_that_is_no_file_is_left_out() {
    let home = elsewhere();
    let key = home.path().join("key");
    std::fs::write(&key, "secret").expect("a file");
    let mut world = World::with_path(&key.to_string_lossy());
    let output = world.build("run_evidence").failure();
    drop(output.says("evidence is left"));
    let runs = world.kiln.root().join("home/.local/state/kiln/runs");
    let kept: Vec<_> = walk(&runs);
    assert!(
        kept.iter().any(|path| path.ends_with("screen.txt")),
        "{kept:?}"
    );
    for name in ["pipe", "link"] {
        assert!(!kept.iter().any(|path| path.ends_with(name)), "{kept:?}");
    }
}

/// Everything below a folder.
fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| {
            let path = entry.path();
            let below = match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                true => walk(&path),
                false => Vec::new(),
            };
            below.into_iter().chain([path])
        })
        .collect()
}
