//! Plugins that lie on this machine: installed from files, listed, removed, explained.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::Result;
use kiln_tests::Kiln;
use kiln_tests::releases::{archive, binary, described, plugin, put, sha256};

use super::{SOURCE, files, tree};

#[test]
fn files_of_this_machine_are_installed() -> Result<()> {
    let kiln = Kiln::new();
    let install = |file: &str| kiln.run(&["plugins", "install", "-path", file, SOURCE]);
    let program = |name: &str, bytes: &[u8]| -> Result<()> {
        let path = kiln.write(name, "");
        std::fs::write(&path, bytes)?;
        Ok(std::fs::set_permissions(
            path,
            std::fs::Permissions::from_mode(0o755),
        )?)
    };
    program("built", &plugin("1.2.3-dev+abc"))?;
    let target = tree(&kiln).join(SOURCE).join(binary("rocket", "1.2.3-dev"));
    drop(install("built")?.success().says(&format!(
        "Successfully installed plugin {SOURCE} from {} to {}",
        kiln.work().join("built").display(),
        target.display()
    )));
    assert!(target.is_file());
    program("beta", &plugin("1.2.3-beta1"))?;
    drop(install("beta")?.failure().says("is version `1.2.3-beta1`"));
    program("broken", b"#!/bin/sh\nexit 4\n")?;
    drop(install("broken")?.failure().says("exit status: 4"));
    // An archive as it is published, with the list of checksums beside it.
    let name = binary("rocket", "2.0.0");
    let zip = archive(&[(&name, &plugin("2.0.0"))]);
    std::fs::write(kiln.work().join(format!("{name}.zip")), &zip)?;
    let sums = "packer-plugin-rocket_v2.0.0_SHA256SUMS";
    kiln.write(sums, &format!("{}  {name}.zip\n", sha256(b"another")));
    drop(
        install(&format!("{name}.zip"))?
            .failure()
            .says("it is not used"),
    );
    kiln.write(sums, &format!("{}  {name}.zip\n", sha256(&zip)));
    drop(install(&format!("{name}.zip"))?.success());
    let other = archive(&[(&binary("boat", "2.0.0"), &plugin("2.0.0"))]);
    std::fs::write(kiln.work().join("other.zip"), other)?;
    drop(
        install("other.zip")?
            .failure()
            .says("it has the plugin `boat`, and not `rocket`"),
    );
    assert_eq!(files(&tree(&kiln)).len(), 4, "{:?}", files(&tree(&kiln)));
    Ok(())
}

#[test]
fn installed_plugins_are_listed_in_order_and_removed() -> Result<()> {
    let kiln = Kiln::new();
    let tree = tree(&kiln);
    let mut paths = Vec::new();
    for version in ["1.0.0-dev", "1.0.0", "1.2.0", "1.10.0"] {
        paths.push(put(
            &tree,
            SOURCE,
            &binary("rocket", version),
            &plugin(version),
        )?);
    }
    let boat = put(
        &tree,
        "github.com/acme/boat",
        &binary("boat", "1.0.0"),
        &plugin("1.0.0"),
    )?;
    let text = |paths: &[&PathBuf]| -> String {
        paths
            .iter()
            .map(|path| format!("{}\n", path.display()))
            .collect()
    };
    let all = kiln.run(&["plugins", "installed"])?.success();
    assert_eq!(
        all.stdout,
        text(&[&boat, &paths[0], &paths[1], &paths[2], &paths[3]])
    );
    kiln.write(
        "t.pkr.hcl",
        &format!(
            "packer {{\n  required_plugins {{\n    r = {{ source = \"{SOURCE}\", version = \"~> 1.2\" }}\n  }}\n}}\n"
        ),
    );
    let required = kiln.run(&["plugins", "required", "t.pkr.hcl"])?.success();
    let (two, ten) = (paths[2].display(), paths[3].display());
    assert_eq!(
        required.stdout,
        format!("r {SOURCE} \"~> 1.2\" {two} {ten}\n")
    );
    let removed = kiln
        .run(&["plugins", "remove", SOURCE, "~> 1.2"])?
        .success();
    assert_eq!(removed.stdout, text(&[&paths[2], &paths[3]]));
    drop(
        kiln.run(&["plugins", "remove", SOURCE, "~> 1.2"])?
            .failure()
            .says(&format!(
                "No installed plugin found matching the plugin constraints {SOURCE} ~> 1.2"
            )),
    );
    let path = paths[1].display().to_string();
    let removed = kiln.run(&["plugins", "remove", &path])?.success();
    assert_eq!(removed.stdout, format!("{path}\n"));
    drop(
        kiln.run(&["plugins", "remove", &path])?
            .failure()
            .says("There is no plugin"),
    );
    drop(
        kiln.run(&["plugins", "remove", &path, "1.0.0"])?
            .failure()
            .says("Usage:"),
    );
    drop(
        kiln.run(&["plugins", "remove", "/bin/sh"])?
            .failure()
            .says("Invalid plugin location"),
    );
    let escape = format!("{}/../../../../work/t.pkr.hcl", tree.display());
    drop(
        kiln.run(&["plugins", "remove", &escape])?
            .failure()
            .says("Invalid plugin location"),
    );
    drop(kiln.run(&["plugins", "remove"])?.failure().says("got 0"));
    drop(kiln.run(&["plugins", "remove", SOURCE])?.success());
    assert_eq!(files(&tree).len(), 2, "{:?}", files(&tree));
    assert!(!tree.join(SOURCE).exists(), "empty folders go, too");
    assert!(kiln.work().join("t.pkr.hcl").is_file());
    Ok(())
}

#[test]
fn the_doctor_says_why_a_plugin_is_not_used() -> Result<()> {
    let mut kiln = Kiln::new();
    // What is confined could not leave the mark of having been started.
    kiln.env("KILN_ISOLATION", "off");
    let tree = tree(&kiln);
    let place = |name: &str, bytes: &[u8]| put(&tree, SOURCE, name, bytes);
    place(&binary("rocket", "1.0.0"), &plugin("1.0.0"))?;
    place(&binary("rocket", "1.1.0"), &plugin("1.1.0"))?;
    place(&binary("rocket", "1.2"), &plugin("1.2.0"))?;
    place("packer-plugin-rocket", &plugin("1.0.0"))?;
    place(
        "packer-plugin-rocket_v1.0.0_x5.0_plan9_arm",
        &plugin("1.0.0"),
    )?;
    place(&binary("rocket", "1.3.0"), &plugin("1.3.1"))?;
    place(&binary("rocket", "1.4.0"), &described("1.4.0", "x4.0"))?;
    let marker = kiln.work().join("started");
    let spy = format!("#!/bin/sh\ntouch {}\n", marker.display());
    let unsummed = place(&binary("rocket", "1.5.0"), spy.as_bytes())?;
    std::fs::remove_file(format!("{}_SHA256SUM", unsummed.display()))?;
    let changed = place(&binary("rocket", "1.6.0"), spy.as_bytes())?;
    std::fs::write(
        format!("{}_SHA256SUM", changed.display()),
        sha256(b"another"),
    )?;
    let dull = place(&binary("rocket", "1.7.0"), &plugin("1.7.0"))?;
    std::fs::set_permissions(dull, std::fs::Permissions::from_mode(0o644))?;
    let done = kiln.run(&["plugins", "doctor"])?.success();
    for expected in [
        "is preferred",
        "`1.2` in its name is not a version in canonical form",
        "its name is not of the form packer-plugin-NAME_vVERSION_x5.0_OS_ARCH",
        "it was made for plan9_arm",
        "its name says version 1.3.0, the plugin itself says 1.3.1",
        "its name says version x5.0 of the plugin protocol, the plugin itself says x4.0",
        "with its SHA-256; install it again",
        "it is not what was installed",
        "file is not executable",
        "\nbundled:\n",
        "offers docker",
    ] {
        assert!(
            done.stdout.contains(expected),
            "{expected:?} is missing: {done}"
        );
    }
    assert!(
        !marker.exists(),
        "what is not as it was installed is not started"
    );
    let done = kiln.run(&["plugins", "doctor", "-json"])?.success();
    let report: serde_json::Value = serde_json::from_str(&done.stdout)?;
    let states = |state: &str| {
        let plugins = report["plugins"].as_array().into_iter().flatten();
        let installed = plugins.filter(|one| one["place"] == "installed");
        installed.filter(|one| one["state"] == state).count()
    };
    assert_eq!(
        states("refused") + states("older") + states("usable"),
        10,
        "{report:#}"
    );
    assert_eq!(report["folder"], tree.display().to_string());
    kiln.write(
        "t.pkr.hcl",
        &format!(
            "packer {{\n  required_plugins {{\n    r = {{ source = \"{SOURCE}\", version = \"~> 7.0\" }}\n  }}\n}}\n"
        ),
    );
    drop(
        kiln.run(&["plugins", "doctor", "t.pkr.hcl"])?
            .failure()
            .says("missing   r github.com/acme/rocket \"~> 7.0\""),
    );
    kiln.env("PACKER_PLUGIN_PATH", "/a:/b");
    for words in [&["plugins", "installed"][..], &["validate", "t.pkr.hcl"]] {
        drop(kiln.run(words)?.failure().says("PACKER_PLUGIN_PATH=/a"));
    }
    Ok(())
}

#[test]
fn plugins_that_a_template_does_not_need_are_not_touched() -> Result<()> {
    let mut kiln = Kiln::new();
    kiln.env("KILN_ISOLATION", "off");
    let marker = kiln.work().join("started");
    let spy = format!("#!/bin/sh\ntouch {}\n", marker.display());
    for number in 0..20 {
        let (name, source) = (format!("p{number}"), format!("github.com/acme/p{number}"));
        put(
            &tree(&kiln),
            &source,
            &binary(&name, "1.0.0"),
            spy.as_bytes(),
        )?;
    }
    kiln.write(
        "t.pkr.hcl",
        "source \"null\" \"n\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"null.n\"]\n}\n",
    );
    drop(kiln.run(&["validate", "t.pkr.hcl"])?.success());
    drop(kiln.run(&["build", "t.pkr.hcl"])?.success());
    assert!(!marker.exists());
    let index = kiln
        .root()
        .join("home/.local/state/kiln/descriptions/index.json");
    let index = std::fs::read_to_string(index)?;
    assert!(!index.contains("github.com/acme"), "none of them was read");
    Ok(())
}
