//! Plugins that are built on kiln's SDK, loaded as Packer loads plugins: by hosts in Go, with three
//! versions of Packer's plugin SDK.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use kiln_tests::kiln::program_folder;
use kiln_tests::{Finished, Kiln, leftovers, project};

use super::world;

/// The versions of Packer's plugin SDK, each with an encoding that it has.
const HOSTS: [(&str, &str); 4] = [
    ("0.2.0", "gob"),
    ("0.5.4", "gob"),
    ("0.6.10", "gob"),
    ("0.6.10", "protobuf"),
];

/// The name of a component that has its plugin's.
const OWN_NAME: &str = "-packer-default-plugin-name-";

/// Has a component of the bundled plugin `plugin` work under every host, and looks at what each
/// said.
fn under_every_host(
    kiln: &Kiln,
    plugin: &str,
    [kind, name, options]: [&str; 3],
    check: impl Fn(Finished) -> Result<()>,
) -> Result<()> {
    for (sdk, encoding) in HOSTS {
        let mut command = Command::new(project().join(format!("target/packer-plugins/sdk-{sdk}")));
        let program = program_folder().join(format!("kiln-plugin-{plugin}"));
        command.args(["host", encoding]).arg(program);
        command.args([kind, name, options]);
        kiln.write("image", "image");
        let running = kiln.start_command(command)?;
        check(running.finish(Duration::from_secs(60))?)?;
    }
    let left = leftovers::of(kiln, Duration::from_secs(20));
    assert!(left.is_empty(), "{left:#?}");
    Ok(())
}

#[test]
fn a_provisioner_works_under_packer() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    let options = "inline = [\"echo $GREETING > made\", \"cat made\"]\n\
                   environment_vars = [\"GREETING=hello from kiln\"]";
    let words = ["provisioner", OWN_NAME, options];
    under_every_host(&kiln, "shell", words, |done| {
        drop(done.success().says("hello from kiln"));
        std::fs::remove_file(kiln.work().join("made"))?;
        Ok(())
    })
}

#[test]
fn options_that_are_wrong_are_refused_under_packer() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    let words = ["provisioner", OWN_NAME, "valid_exit_codes = [3]"];
    under_every_host(&kiln, "shell", words, |done| {
        drop(done.failure().says("refused: ").says("inline"));
        Ok(())
    })
}

#[test]
fn folders_arrive_whole_on_a_machine_of_packers() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    kiln.write("up/sub/a", "content of a");
    for (source, destination, arrived) in [
        ("up", "there", "there/up/sub/a"),
        ("up/", "there", "there/sub/a"),
        ("up/", "there/new", "there/new/sub/a"),
    ] {
        let options = format!("source = \"{source}\"\ndestination = \"{destination}\"");
        let words = ["provisioner", OWN_NAME, options.as_str()];
        kiln.write("there/.keep", "");
        under_every_host(&kiln, "file", words, |done| {
            drop(done.success());
            let file = std::fs::read_to_string(kiln.work().join(arrived))?;
            assert_eq!(file, "content of a");
            std::fs::remove_dir_all(kiln.work().join("there"))?;
            kiln.write("there/.keep", "");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn a_post_processor_hands_its_input_back_under_packer() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    let words = ["post-processor", "manifest", "output = \"manifest.json\""];
    under_every_host(&kiln, "artifact", words, |done| {
        drop(
            done.success()
                .says("made kiln.folder image-1 [image] a-name"),
        );
        let manifest = std::fs::read_to_string(kiln.work().join("manifest.json"))?;
        assert!(manifest.contains("image-1"), "{manifest}");
        // The host destroys what it got back, which is for the artifact's maker to do.
        assert!(!kiln.work().join("image").exists());
        Ok(())
    })
}
