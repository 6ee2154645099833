//! Vagrant boxes of an image that was installed before, judged by Debian's `vagrant`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kiln_tests::{Kiln, leftovers, tools};

use crate::install::example;

/// Packs the image `base` for libvirt and VirtualBox, and has `vagrant` add both boxes.
///
/// # Errors
///
/// When a program fails.
///
/// # Panics
///
/// When something is not as it should be.
pub fn are_added(kiln: &Kiln, base: &Path) -> Result<()> {
    if !tools::installed(&["vagrant"]) {
        return Ok(());
    }
    drop(
        kiln.run(&[
            "build",
            "-color=false",
            "-var",
            &format!("base={}", base.display()),
            "-var",
            "output=boxes",
            &example("box.pkr.hcl"),
        ])?
        .success()
        .says("'libvirt' provider box: boxes/mini-debian-libvirt.box")
        .says("'virtualbox' provider box: boxes/mini-debian-virtualbox.box"),
    );
    let image = kiln.work().join("boxes/image/mini-debian");
    for (provider, disk) in [("libvirt", "box_0.img"), ("virtualbox", "disk.vmdk")] {
        let file = kiln
            .work()
            .join(format!("boxes/mini-debian-{provider}.box"));
        let file = file.display().to_string();
        vagrant(kiln, &["box", "add", "--name", "mini-debian", &file])?;
        let listed = vagrant(kiln, &["box", "list"])?;
        assert!(
            listed.contains(&format!("mini-debian ({provider}, 0)")),
            "{listed}"
        );
        let metadata = std::fs::read(added(kiln, provider, "metadata.json")?)?;
        let metadata: serde_json::Value = serde_json::from_slice(&metadata)?;
        assert_eq!(metadata["provider"], provider);
        // The disk that was added has every byte of the machine that was built.
        let disk = added(kiln, provider, disk)?;
        let [disk, image] = [&disk, &image].map(|path| path.display().to_string());
        let verdict = tools::output("qemu-img", &["compare", &disk, &image])?;
        assert!(verdict.contains("identical"), "{provider}: {verdict}");
    }
    let ovf = std::fs::read_to_string(added(kiln, "virtualbox", "box.ovf")?)?;
    assert!(ovf.contains("MACAddress=\"080027AD0001\""), "{ovf}");
    Ok(())
}

/// Runs `vagrant` in the world.
fn vagrant(kiln: &Kiln, words: &[&str]) -> Result<String> {
    let mut command = Command::new("vagrant");
    kiln.surround(&mut command);
    let output = command
        .args(words)
        .env("VAGRANT_HOME", kiln.root().join("home/vagrant"))
        .env("VAGRANT_CHECKPOINT_DISABLE", "1")
        .env("VAGRANT_NO_COLOR", "1")
        .output()?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    ensure!(output.status.success(), "vagrant {words:?}: {text}");
    Ok(text)
}

/// The file `name` of the box that was added for `provider`.
fn added(kiln: &Kiln, provider: &str, name: &str) -> Result<PathBuf> {
    let found = leftovers::files(&kiln.root().join("home/vagrant/boxes"));
    found
        .into_iter()
        .find(|path| {
            let folder = path.parent().and_then(Path::file_name);
            path.file_name().is_some_and(|found| found == name)
                && folder.is_some_and(|folder| folder == provider)
        })
        .with_context(|| format!("{name} of the box for {provider} is not there"))
}
