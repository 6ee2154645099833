//! `kiln init`: what a template asks for is installed, once, and locked.

use std::path::PathBuf;

use anyhow::Result;
use kiln_tests::Kiln;
use kiln_tests::kiln::program_folder;
use kiln_tests::releases::{self, Answer, PLATFORM, Releases, archive, plugin, sha256};

/// A world whose plugins come from `server`.
fn world(server: &Releases) -> Kiln {
    let mut kiln = Kiln::new();
    server.use_in(&mut kiln);
    kiln
}

fn template(requirements: &[(&str, &str, &str)]) -> String {
    let lines: String = requirements
        .iter()
        .map(|(name, source, version)| {
            format!("    {name} = {{ source = \"{source}\", version = \"{version}\" }}\n")
        })
        .collect();
    format!("packer {{\n  required_plugins {{\n{lines}  }}\n}}\nvariable \"unset\" {{}}\n")
}

fn tree(kiln: &Kiln) -> PathBuf {
    kiln.root().join("home/.config/packer/plugins")
}

fn lock(kiln: &Kiln) -> String {
    std::fs::read_to_string(kiln.work().join(".kiln.lock.hcl")).unwrap_or_default()
}

#[test]
fn the_newest_allowed_version_is_installed_and_locked() -> Result<()> {
    let server = Releases::start()?;
    for version in ["1.0.0", "1.4.2", "1.10.0", "2.0.0", "1.11.0-beta1"] {
        server.publish("acme", "rocket", version, &plugin(version));
    }
    let kiln = world(&server);
    kiln.write(
        "t.pkr.hcl",
        &template(&[("rocket", "github.com/acme/rocket", ">= 1.0, < 2.0")]),
    );
    let path = tree(&kiln)
        .join("github.com/acme/rocket")
        .join(releases::binary("rocket", "1.10.0"));
    let expected = format!(
        "Installed plugin github.com/acme/rocket v1.10.0 in \"{}\"\n",
        path.display()
    );
    let done = kiln.run(&["init", "t.pkr.hcl"])?.success();
    assert_eq!(done.stdout, expected);
    assert_eq!(std::fs::read(&path)?, plugin("1.10.0"));
    let sum = format!("{}_SHA256SUM", path.display());
    assert_eq!(std::fs::read_to_string(sum)?, sha256(&plugin("1.10.0")));
    let text = lock(&kiln);
    assert!(text.contains("plugin \"github.com/acme/rocket\""), "{text}");
    assert!(text.contains("version = \"1.10.0\""), "{text}");
    assert!(text.contains("_plan9_arm.zip\" = \"sha256:"), "{text}");
    let own = format!("\"{PLATFORM}\" = \"sha256:{}\"", sha256(&plugin("1.10.0")));
    assert!(text.contains(&own), "{text}");
    // Nothing is asked when everything is there.
    assert!(!server.requests().is_empty());
    let again = kiln.run(&["init", "."])?.success();
    assert_eq!(again.stdout, "");
    assert_eq!(server.requests(), Vec::<String>::new());
    Ok(())
}

#[test]
fn what_is_locked_stays_until_it_is_upgraded() -> Result<()> {
    let server = Releases::start()?;
    server.publish("acme", "rocket", "1.0.0", &plugin("1.0.0"));
    let kiln = world(&server);
    kiln.write(
        "t.pkr.hcl",
        &template(&[("rocket", "github.com/acme/rocket", ">= 1.0")]),
    );
    drop(kiln.run(&["init", "."])?.success().says("v1.0.0"));
    server.publish("acme", "rocket", "1.1.0", &plugin("1.1.0"));
    drop(kiln.run(&["init", "."])?.success().lacks("Installed"));
    // On another machine the same version is installed.
    std::fs::remove_dir_all(tree(&kiln))?;
    drop(kiln.run(&["init", "."])?.success().says("v1.0.0"));
    drop(kiln.run(&["init", "-force", "."])?.success().says("v1.0.0"));
    drop(
        kiln.run(&["init", "-upgrade", "."])?
            .success()
            .says("v1.1.0"),
    );
    assert!(lock(&kiln).contains("1.1.0") && !lock(&kiln).contains("1.0.0"));
    drop(
        kiln.run(&["init", "-upgrade", "."])?
            .success()
            .lacks("Installed"),
    );
    // A template that does not allow the locked version any more gets another one.
    kiln.write(
        "t.pkr.hcl",
        &template(&[("rocket", "github.com/acme/rocket", "= 1.0.0")]),
    );
    drop(kiln.run(&["init", "."])?.success());
    assert!(
        lock(&kiln).contains("version = \"1.0.0\""),
        "{}",
        lock(&kiln)
    );
    Ok(())
}

#[test]
fn a_release_that_was_changed_afterwards_is_refused() -> Result<()> {
    let server = Releases::start()?;
    server.publish("acme", "rocket", "1.0.0", &plugin("1.0.0"));
    let kiln = world(&server);
    kiln.write(
        "t.pkr.hcl",
        &template(&[("rocket", "github.com/acme/rocket", ">= 1.0")]),
    );
    drop(kiln.run(&["init", "."])?.success());
    let before = lock(&kiln);
    std::fs::remove_dir_all(tree(&kiln))?;
    let evil = [plugin("1.0.0"), b"# and more\n".to_vec()].concat();
    server.publish("acme", "rocket", "1.0.0", &evil);
    drop(
        kiln.run(&["init", "."])?
            .failure()
            .says("Failed getting the \"github.com/acme/rocket\" plugin:")
            .says("and the lock file has"),
    );
    assert_eq!(lock(&kiln), before);
    kiln.write(".kiln.lock.hcl", "<<<<<<< HEAD\n");
    drop(
        kiln.run(&["init", "."])?
            .failure()
            .says(".kiln.lock.hcl` is damaged: line 1"),
    );
    drop(
        kiln.run(&["validate", "."])?
            .failure()
            .says("Unusable lock file"),
    );
    Ok(())
}

#[test]
fn several_plugins_are_installed_and_one_failure_is_told() -> Result<()> {
    let server = Releases::start()?;
    for name in ["a", "b", "c"] {
        server.publish("acme", name, "1.0.0", &plugin("1.0.0"));
    }
    let kiln = world(&server);
    kiln.write(
        "t.pkr.hcl",
        &template(&[
            ("a", "github.com/acme/a", ">= 1.0"),
            ("b", "github.com/acme/b", ">= 1.0"),
            ("nothing", "github.com/acme/nothing", ">= 1.0"),
            ("c", "github.com/acme/c", ">= 1.0"),
            ("far", "git.example/acme/far", ">= 1.0"),
        ]),
    );
    let done = kiln.run(&["init", "."])?.failure();
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(
        lines[0].starts_with("Installed plugin github.com/acme/a"),
        "{done}"
    );
    assert!(
        lines[1].starts_with("Installed plugin github.com/acme/b"),
        "{done}"
    );
    assert!(
        lines[2].starts_with("Failed getting the \"github.com/acme/nothing\""),
        "{done}"
    );
    let done = done
        .says("the server answers 404")
        .says("Installed plugin github.com/acme/c")
        .says("use a mirror (-mirror)");
    assert_eq!(done.stdout.matches("Failed getting").count(), 2, "{done}");
    assert!(lock(&kiln).contains("acme/a") && !lock(&kiln).contains("nothing"));
    Ok(())
}

#[test]
fn a_template_without_its_plugins_says_what_to_do() -> Result<()> {
    let server = Releases::start()?;
    let kiln = world(&server);
    let text = template(&[("rocket", "github.com/acme/rocket", ">= 2.0")]);
    kiln.write("t.pkr.hcl", &text.replace("{}", "{ default = 1 }"));
    releases::put(
        &tree(&kiln),
        "github.com/acme/rocket",
        &releases::binary("rocket", "1.0.0"),
        &plugin("1.0.0"),
    )?;
    drop(
        kiln.run(&["validate", "."])?
            .failure()
            .says("Error: Missing plugins")
            .says("the template asks for version `>= 2.0`")
            .says("Run `kiln init TEMPLATE`"),
    );
    assert_eq!(server.requests(), Vec::<String>::new(), "only init asks");
    Ok(())
}

#[test]
fn what_comes_with_kiln_needs_no_plugin() -> Result<()> {
    let server = Releases::start()?;
    let kiln = world(&server);
    let text = template(&[("docker", "github.com/hashicorp/docker", ">= 1.0")]);
    let text = text.replace("{}", "{ default = 1 }");
    kiln.write("t.pkr.hcl", &text);
    let done = kiln.run(&["init", "."])?.success();
    assert_eq!(done.stdout, "");
    assert_eq!(server.requests(), Vec::<String>::new());
    assert_eq!(lock(&kiln), "");
    // kiln has post-processors for Vagrant, and no builder.
    server.publish_hashicorp("vagrant", "1.0.0", &plugin("1.0.0"));
    let text = template(&[("vagrant", "github.com/hashicorp/vagrant", ">= 1.0")]);
    let builder = "source \"vagrant\" \"x\" {}\nbuild {\n  sources = [\"vagrant.x\"]\n}\n";
    kiln.write("t.pkr.hcl", &(text + builder));
    drop(
        kiln.run(&["init", "."])?
            .success()
            .says("hashicorp/vagrant v1.0.0"),
    );
    Ok(())
}

#[test]
fn templates_that_ask_for_nothing_are_told_so() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", "variable \"unset\" {}\n");
    drop(
        kiln.run(&["init", "t.pkr.hcl"])?
            .success()
            .says("No plugins requirement found"),
    );
    drop(
        kiln.run(&["plugins", "required", "t.pkr.hcl"])?
            .success()
            .says("No plugins requirement found"),
    );
    kiln.write("t.json", "{\"builders\": []}");
    drop(
        kiln.run(&["init", "t.json"])?
            .failure()
            .says("only works with HCL2"),
    );
    drop(
        kiln.run(&["init"])?
            .failure()
            .says("The template is missing"),
    );
    drop(kiln.run(&["init", "-h"])?.success().says("-upgrade"));
    Ok(())
}

/// The executable of a plugin of kiln's own kind, which offers the builder `trial`.
fn own_plugin() -> Result<(String, Vec<u8>)> {
    let bytes = std::fs::read(program_folder().join("trial_plugin"))?;
    let version = env!("CARGO_PKG_VERSION");
    Ok((format!("kiln-plugin-trial_v{version}_k1_{PLATFORM}"), bytes))
}

const TRIAL: &str = "source \"trial\" \"t\" {\n  actions = [\"say:hello from the plugin\"]\n}\n\
                     build {\n  sources = [\"trial.t\"]\n}\n";

#[test]
fn a_plugin_of_kilns_own_kind_is_installed_from_a_mirror_and_builds() -> Result<()> {
    let kiln = Kiln::new();
    let (name, bytes) = own_plugin()?;
    let version = env!("CARGO_PKG_VERSION");
    let zip = archive(&[(&name, &bytes)]);
    let folder = format!("mirror/example.com/tests/trial/{version}");
    let text = template(&[("trial", "example.com/tests/trial", "~> 0.1")]);
    kiln.write(
        "t.pkr.hcl",
        &(text.replace("{}", "{ default = 1 }") + TRIAL),
    );
    let sums = format!("{}  {name}.zip\n", sha256(&zip));
    kiln.write(
        &format!("{folder}/kiln-plugin-trial_v{version}_SHA256SUMS"),
        &sums,
    );
    std::fs::write(kiln.work().join(format!("{folder}/{name}.zip")), &zip)?;
    drop(
        kiln.run(&["validate", "."])?
            .failure()
            .says("Missing plugins"),
    );
    drop(
        kiln.run(&["init", "-mirror=mirror", "-vendor", "."])?
            .success()
            .says("Installed plugin example.com/tests/trial"),
    );
    assert!(
        kiln.work()
            .join("plugins/example.com/tests/trial")
            .join(&name)
            .is_file()
    );
    assert!(!tree(&kiln).exists(), "it is in the template's folder");
    drop(
        kiln.run(&["build", "-color=false", "."])?
            .success()
            .says("hello from the plugin"),
    );
    // The user's own folder of plugins works the same, from the same files on a web server.
    std::fs::remove_dir_all(kiln.work().join("plugins"))?;
    drop(kiln.run(&["validate", "."])?.failure());
    let server = Releases::start()?;
    let base = format!("m/example.com/tests/trial/{version}");
    server.answer(&format!("{base}/{name}.zip"), Answer::Bytes(zip));
    let list = format!("{base}/kiln-plugin-trial_v{version}_SHA256SUMS");
    server.answer(&list, Answer::Bytes(sums.into_bytes()));
    let index = format!("{{\"versions\":{{\"{version}\":{{}}}}}}");
    server.answer(
        "m/example.com/tests/trial/index.json",
        Answer::Bytes(index.into_bytes()),
    );
    drop(
        kiln.run(&["init", &format!("-mirror={}", server.url("m")), "."])?
            .success(),
    );
    assert!(
        tree(&kiln)
            .join("example.com/tests/trial")
            .join(&name)
            .is_file()
    );
    drop(kiln.run(&["validate", "."])?.success());
    // One that does not fit its lock is not started.
    let path = tree(&kiln).join("example.com/tests/trial").join(&name);
    let changed = lock(&kiln).replace(&sha256(&bytes), &sha256(b"another"));
    kiln.write(".kiln.lock.hcl", &changed);
    drop(
        kiln.run(&["validate", "."])?
            .failure()
            .says("and the lock file has"),
    );
    assert!(path.is_file());
    Ok(())
}

/// A publisher who changes a release after it was locked is noticed on every platform, and so is one
/// who adds an archive that would be preferred.
#[test]
fn what_is_locked_for_other_platforms_does_not_change_either() -> Result<()> {
    let server = Releases::start()?;
    server.publish("acme", "rocket", "1.0.0", &plugin("1.0.0"));
    let kiln = world(&server);
    kiln.write(
        "t.pkr.hcl",
        &template(&[("rocket", "github.com/acme/rocket", ">= 1.0")]),
    );
    drop(kiln.run(&["init", "."])?.success());
    let locked = lock(&kiln);
    let list = format!(
        "{}/packer-plugin-rocket_v1.0.0_SHA256SUMS",
        releases::folder("acme", "rocket", "1.0.0")
    );
    let sums = String::from_utf8(server.bytes(&list))?;
    let changed = sums.replace(&sha256(b"other"), &sha256(b"evil"));
    server.publish_sums("acme", "rocket", "1.0.0", &changed);
    std::fs::remove_dir_all(tree(&kiln))?;
    drop(
        kiln.run(&["init", "."])?
            .failure()
            .says("plan9_arm.zip")
            .says("the lock file"),
    );
    assert_eq!(lock(&kiln), locked);
    // On a platform that nobody has installed it on so far, archives are all that is locked.
    let here = format!("{PLATFORM}.zip");
    let elsewhere: String = locked
        .lines()
        .filter(|line| !line.contains(&here) && !line.contains(&format!("\"{PLATFORM}\"")))
        .map(|line| format!("{line}\n"))
        .collect();
    kiln.write(".kiln.lock.hcl", &elsewhere);
    server.publish_sums("acme", "rocket", "1.0.0", &sums);
    drop(
        kiln.run(&["init", "."])?
            .failure()
            .says("is not in the lock file")
            .says("-upgrade"),
    );
    drop(kiln.run(&["init", "-upgrade", "."])?.success());
    assert!(lock(&kiln).contains(&here));
    Ok(())
}

#[test]
fn what_does_not_fit_its_lock_is_not_started() -> Result<()> {
    let server = Releases::start()?;
    server.publish("acme", "rocket", "1.0.0", &plugin("1.0.0"));
    let mut kiln = world(&server);
    // Where it may leave a trace when it is asked what it offers.
    kiln.env("KILN_ISOLATION", "off");
    kiln.write(
        "t.pkr.hcl",
        &template(&[("rocket", "github.com/acme/rocket", ">= 1.0")])
            .replace("{}", "{ default = 1 }"),
    );
    drop(kiln.run(&["init", "."])?.success());
    let trace = kiln.root().join("tmp/trace");
    let other = format!("#!/bin/sh\ntouch '{}'\n", trace.display()).into_bytes();
    let name = releases::binary("rocket", "1.0.0");
    releases::put(
        &tree(&kiln),
        "github.com/acme/rocket",
        &name,
        &[&other[..], &plugin("1.0.0")].concat(),
    )?;
    let refused = kiln.run(&["validate", "."])?.failure();
    drop(refused.says("and the lock file has"));
    assert!(!trace.exists());
    std::fs::remove_file(kiln.work().join(".kiln.lock.hcl"))?;
    drop(kiln.run(&["validate", "."])?);
    assert!(trace.exists(), "it leaves a trace when it is started");
    Ok(())
}

#[test]
fn a_password_in_an_address_is_not_told() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.hcl",
        &template(&[("rocket", "github.com/acme/rocket", ">= 1.0")]),
    );
    let mirror = "-mirror=http://someone:hunter2@127.0.0.1:9/m";
    let refused = kiln.run(&["init", mirror, "."])?.failure();
    drop(refused.says("127.0.0.1:9/m").lacks("hunter2"));
    Ok(())
}
