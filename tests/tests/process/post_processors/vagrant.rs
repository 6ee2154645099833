//! Boxes, judged by Debian's `vagrant`.

use anyhow::Result;
use kiln_tests::{Kiln, leftovers, tools};

use super::{chain, path};

/// Runs `vagrant` in the world.
fn vagrant(kiln: &Kiln, words: &[&str]) -> Result<String> {
    let mut command = std::process::Command::new("vagrant");
    kiln.surround(&mut command);
    let home = kiln.root().join("home/vagrant");
    let output = command
        .args(words)
        .env("VAGRANT_HOME", &home)
        .env("VAGRANT_CHECKPOINT_DISABLE", "1")
        .env("VAGRANT_NO_COLOR", "1")
        .output()?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    anyhow::ensure!(output.status.success(), "vagrant {words:?}: {text}");
    Ok(text)
}

/// The only file of that name below the boxes that were added.
fn added(kiln: &Kiln, name: &str) -> Result<String> {
    let found = leftovers::files(&kiln.root().join("home/vagrant/boxes"));
    let found: Vec<_> = found
        .iter()
        .filter(|path| path.file_name().is_some_and(|found| found == name))
        .collect();
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    Ok(std::fs::read_to_string(found[0])?)
}

/// A disk whose boot sector has the processor fail three times over, which ends a machine that may
/// not start again: no interrupt table, then an interrupt.
fn boot_sector() -> Vec<u8> {
    let mut disk = vec![0; 1 << 20];
    let code = [0xfa, 0x0f, 0x01, 0x1e, 0x20, 0x7c, 0xcc];
    disk[..code.len()].copy_from_slice(&code);
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk
}

#[test]
fn vagrant_adds_the_box_of_a_machine_that_qemu_ran() -> Result<()> {
    if !tools::installed(&["vagrant", "qemu-system-x86_64", "qemu-img"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    std::fs::write(kiln.work().join("disk.img"), boot_sector())?;
    kiln.write(
        "t.pkr.hcl",
        r#"
source "qemu" "tiny" {
  disk_image       = true
  iso_url          = "disk.img"
  iso_checksum     = "none"
  disk_size        = "16M"
  accelerator      = "tcg"
  headless         = true
  memory           = 64
  boot_wait        = "0s"
  communicator     = "none"
  qemuargs         = [["-no-reboot"]]
  vm_name          = "tiny"
  output_directory = "out"
}
build {
  sources = ["source.qemu.tiny"]
  post-processor "vagrant" {
    output       = "tiny-{{.Provider}}-{{.Architecture}}.box"
    architecture = "amd64"
    override = {
      libvirt = { compression_level = 1 }
    }
  }
}
"#,
    );
    drop(
        kiln.run(&["build", "-color=false", "t.pkr.hcl"])?
            .success()
            .says("Creating Vagrant box for 'libvirt' provider")
            .says("'libvirt' provider box: tiny-libvirt-amd64.box"),
    );
    assert!(
        !kiln.work().join("out").exists(),
        "the input should be gone"
    );
    let file = path(&kiln, "tiny-libvirt-amd64.box");
    vagrant(&kiln, &["box", "add", "--name", "tiny", &file])?;
    let listed = vagrant(&kiln, &["box", "list"])?;
    assert!(listed.contains("tiny (libvirt, 0)"), "{listed}");
    let metadata: serde_json::Value = serde_json::from_str(&added(&kiln, "metadata.json")?)?;
    assert_eq!(metadata["disks"][0]["path"], "box_0.img");
    assert!(added(&kiln, "Vagrantfile")?.contains("libvirt.driver = \"qemu\""));
    Ok(())
}

#[test]
fn vagrant_adds_the_box_of_an_appliance() -> Result<()> {
    if !tools::installed(&["vagrant", "tar"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    kiln.write(
        "a/debian.ovf",
        "<Envelope><Adapter slot=\"0\" enabled=\"true\" MACAddress=\"080027112233\"/></Envelope>",
    );
    kiln.write("a/debian-disk001.vmdk", "not a real disk");
    let (ova, folder) = (path(&kiln, "debian.ova"), path(&kiln, "a"));
    let files = ["debian.ovf", "debian-disk001.vmdk"];
    tools::output("tar", &["-cf", &ova, "-C", &folder, files[0], files[1]])?;
    kiln.write("custom.rb", "# made by {{.BuildName}} for {{.Provider}}");
    drop(
        chain(
            &kiln,
            "post-processors {
              post-processor \"artifice\" { files = [\"debian.ova\"] }
              post-processor \"vagrant\" {
                output               = \"debian.box\"
                provider_override    = \"virtualbox\"
                vagrantfile_template = \"custom.rb\"
              }
            }",
        )?
        .success(),
    );
    let file = path(&kiln, "debian.box");
    vagrant(
        &kiln,
        &[
            "box",
            "add",
            "--name",
            "debian",
            "--provider",
            "virtualbox",
            &file,
        ],
    )?;
    let listed = vagrant(&kiln, &["box", "list"])?;
    assert!(listed.contains("debian (virtualbox, 0)"), "{listed}");
    assert!(added(&kiln, "box.ovf")?.contains("080027112233"));
    assert_eq!(added(&kiln, "debian-disk001.vmdk")?, "not a real disk");
    let vagrantfile = added(&kiln, "Vagrantfile")?;
    assert!(
        vagrantfile.contains("base_mac = \"080027112233\""),
        "{vagrantfile}"
    );
    assert!(
        vagrantfile.contains("# made by a for virtualbox"),
        "{vagrantfile}"
    );
    Ok(())
}

#[test]
fn wrong_options_are_refused_where_they_stand() -> Result<()> {
    let kiln = Kiln::new();
    drop(
        chain(
            &kiln,
            "post-processor \"vagrant\" {
              provider_override = \"virtual-box\"
              override = {
                libvirt = { compresion_level = 1 }
              }
            }",
        )?
        .failure()
        .says("t.pkr.hcl line 7")
        .says("The given provider_override virtual-box is not valid.")
        .says("compresion_level"),
    );
    let missing = "post-processor \"vagrant-cloud\" {\n box_tag = \"me/x\"\n version = \"1\"\n}";
    drop(
        chain(&kiln, missing)?
            .failure()
            .says("access_token must be set"),
    );
    Ok(())
}
