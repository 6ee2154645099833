//! Machines that do not do what the template says: each gets an error that tells why.

use std::time::Duration;

use anyhow::Result;
use kiln_tests::{Finished, Kiln, fixture, leftovers, tools};

fn template(options: &str) -> String {
    format!(
        r#"
source "qemu" "t" {{
  accelerator      = "tcg"
  headless         = true
  memory           = 256
  iso_checksum     = "none"
  ssh_username     = "packer"
  output_directory = "out"
  vm_name          = "disk"
{options}
}}
build {{ sources = ["source.qemu.t"] }}
"#
    )
}

fn build(kiln: &Kiln, options: &str) -> Result<Finished> {
    kiln.write("t.pkr.hcl", &template(options));
    let finished = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.failure();
    assert_eq!(
        leftovers::of(kiln, Duration::from_secs(10)),
        Vec::<String>::new(),
        "{finished}"
    );
    assert!(
        !kiln.work().join("out").exists(),
        "the output directory is removed:\n{finished}"
    );
    Ok(finished)
}

/// A disk that ends the machine, or leaves it running, as soon as it starts.
fn boot_sector(kiln: &Kiln, code: &[u8]) -> String {
    let mut sector = code.to_vec();
    sector.resize(510, 0);
    sector.extend([0x55, 0xaa]);
    sector.resize(1 << 20, 0);
    let path = kiln.root().join("boot.raw");
    std::fs::write(&path, sector).expect("a file in a new folder");
    path.display().to_string()
}

/// `mov dx, 0x604; mov ax, 0x2000; out dx, ax`: ACPI power-off on QEMU's machines.
const POWER_OFF: [u8; 7] = [0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef];
/// `hlt; jmp $-1`.
const HALT: [u8; 3] = [0xf4, 0xeb, 0xfd];

#[test]
fn ssh_that_never_comes_tells_what_was_seen() -> Result<()> {
    if !tools::installed(&["qemu-system-x86_64", "qemu-img"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    let disk = boot_sector(&kiln, &HALT);
    let options = format!(
        "iso_url = \"{disk}\"\n disk_image = true\n format = \"raw\"\n skip_resize_disk = true\n \
         boot_wait = \"-1s\"\n ssh_password = \"packer\"\n ssh_timeout = \"8s\""
    );
    let finished = build(&kiln, &options)?.says("Timeout waiting for SSH");
    // QEMU's network takes the connection although nobody listens in the guest.
    drop(finished.says("127.0.0.1"));
    Ok(())
}

#[test]
fn a_guest_that_powers_off_is_noticed_at_once() -> Result<()> {
    if !tools::installed(&["qemu-system-x86_64", "qemu-img"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    let disk = boot_sector(&kiln, &POWER_OFF);
    let options = format!(
        "iso_url = \"{disk}\"\n disk_image = true\n format = \"raw\"\n skip_resize_disk = true\n \
         boot_wait = \"1s\"\n ssh_password = \"packer\"\n ssh_timeout = \"10m\""
    );
    let finished = build(&kiln, &options)?;
    assert!(finished.stdout.contains("powered off"), "{finished}");
    Ok(())
}

#[test]
fn a_wrong_password_names_the_methods_the_server_offers() -> Result<()> {
    let Some(fixture) = fixture::mini_debian() else {
        return Ok(());
    };
    let kiln = Kiln::new();
    let options = format!(
        "iso_url = \"{0}/mini-debian.iso\"\n memory = 1024\n disk_size = \"3G\"\n \
         http_directory = \"{0}/http\"\n boot_wait = \"3s\"\n boot_command = [\"install \
         answers=http://{{{{ .HTTPIP }}}}:{{{{ .HTTPPort }}}}/answers.cfg<enter>\"]\n \
         ssh_password = \"wrong\"\n ssh_timeout = \"15m\"\n ssh_handshake_attempts = 3",
        fixture.display()
    );
    let options = options.replacen(" memory = 1024\n", "", 1);
    kiln.write("t.pkr.hcl", &template(&options).replace("= 256", "= 1024"));
    let finished = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.failure();
    assert!(!kiln.work().join("out").exists(), "{finished}");
    for text in ["`packer`", "password", "publickey", "ssh_password"] {
        assert!(
            finished.stdout.contains(text),
            "the output lacks {text:?}:\n{finished}"
        );
    }
    Ok(())
}

#[test]
fn a_missing_qemu_is_named() -> Result<()> {
    let kiln = Kiln::new();
    let disk = boot_sector(&kiln, &HALT);
    let options = format!(
        "iso_url = \"{disk}\"\n disk_image = true\n format = \"raw\"\n ssh_password = \"x\"\n \
         qemu_binary = \"qemu-system-nothing\""
    );
    let finished = build(&kiln, &options)?;
    assert!(
        finished.stdout.contains("qemu-system-nothing"),
        "{finished}"
    );
    Ok(())
}

#[test]
fn qemus_own_words_are_shown_when_it_does_not_start() -> Result<()> {
    if !tools::installed(&["qemu-system-x86_64", "qemu-img"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    let disk = boot_sector(&kiln, &HALT);
    let options = format!(
        "iso_url = \"{disk}\"\n disk_image = true\n format = \"raw\"\n skip_resize_disk = true\n \
         ssh_password = \"x\"\n machine_type = \"no-such-machine\""
    );
    let finished = build(&kiln, &options)?;
    assert!(
        finished.stdout.contains("unsupported machine type"),
        "{finished}"
    );
    Ok(())
}

#[test]
fn a_full_disk_is_told_and_leaves_no_half_image() -> Result<()> {
    if !tools::installed(&["qemu-system-x86_64", "qemu-img", "unshare"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    let disk = boot_sector(&kiln, &HALT);
    let large = std::fs::OpenOptions::new().append(true).open(&disk)?;
    let filler = vec![7_u8; 1 << 20];
    for _ in 0..40 {
        std::io::Write::write_all(&mut &large, &filler)?;
    }
    let options = format!(
        "iso_url = \"{disk}\"\n disk_image = true\n format = \"raw\"\n skip_resize_disk = true\n \
         ssh_password = \"x\""
    );
    kiln.write(
        "t.pkr.hcl",
        &template(&options).replace("\"out\"", "\"small/out\""),
    );
    std::fs::create_dir(kiln.work().join("small"))?;
    let mut command = std::process::Command::new("unshare");
    let program = kiln_tests::kiln::program_folder().join("kiln");
    let script = format!(
        "mount -t tmpfs -o size=20m none small && {} build -color=false t.pkr.hcl; status=$?; \
         ls -A small; exit $status",
        program.display()
    );
    command.args(["-rm", "sh", "-c", &script]);
    let finished = kiln
        .start_command(command)?
        .finish(Duration::from_secs(120))?
        .failure();
    assert!(
        finished
            .stdout
            .contains("no space left on the disk of `small/out/disk`"),
        "{finished}"
    );
    assert!(
        !finished.stdout.lines().any(|line| line == "out"),
        "{finished}"
    );
    Ok(())
}
