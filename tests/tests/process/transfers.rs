//! Files and trees over real SSH, through the real plugins.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use kiln_tests::sshd::Sshd;
use kiln_tests::{Kiln, leftovers, tools};

const LARGE_BYTES: u64 = 512 << 20;
/// What all processes of kiln together may have resident at once, in KiB. It does not depend on the
/// size of the file.
const RESIDENT_KIB: u64 = 250 << 10;

fn template(server: &Sshd, method: &str, blocks: &str) -> String {
    format!(
        r#"
source "null" "n" {{
  ssh_host                 = "127.0.0.1"
  ssh_port                 = {}
  ssh_username             = "{}"
  ssh_private_key_file     = "{}"
  ssh_file_transfer_method = "{method}"
}}
build {{
  sources = ["null.n"]
{blocks}
}}
"#,
        server.port,
        server.user,
        server.key.display()
    )
}

fn file_block(source: &Path, destination: &Path, direction: &str) -> String {
    let (source, destination) = (source.display(), destination.display());
    format!(
        "provisioner \"file\" {{\n  source = \"{source}\"\n  destination = \"{destination}\"\n  \
         direction = \"{direction}\"\n}}\n"
    )
}

fn large(path: &Path) -> Result<()> {
    let file = std::fs::File::create(path)?;
    let mut writer = std::io::BufWriter::with_capacity(1 << 20, file);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..LARGE_BYTES / 8 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        std::io::Write::write_all(&mut writer, &state.to_le_bytes())?;
    }
    std::io::Write::flush(&mut writer)?;
    Ok(())
}

#[test]
fn half_a_gibibyte_goes_there_and_back_in_flat_memory() -> Result<()> {
    if !tools::installed(&["sshd", "ssh-keygen"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    let server = Sshd::start(&tempdir_in(&kiln, "sshd")?)?;
    let (source, remote, back) = (
        kiln.work().join("large"),
        kiln.work().join("remote"),
        kiln.work().join("back"),
    );
    large(&source)?;
    for method in ["scp", "sftp"] {
        let blocks =
            file_block(&source, &remote, "upload") + &file_block(&remote, &back, "download");
        kiln.write("t.pkr.hcl", &template(&server, method, &blocks));
        let running = kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
        let watch = peak_of(running.pid());
        drop(running.finish(Duration::from_secs(300))?.success());
        let peak = watch.join().expect("the watcher ends with the process");
        tools::output(
            "cmp",
            &[&source.display().to_string(), &back.display().to_string()],
        )?;
        assert!(peak < RESIDENT_KIB, "{method}: {peak} KiB were resident");
        std::fs::remove_file(&remote)?;
        std::fs::remove_file(&back)?;
    }
    assert_eq!(
        leftovers::of(&kiln, Duration::from_secs(5)).len(),
        leftovers_of_sshd(&kiln)
    );
    Ok(())
}

/// Processes of the server itself are no leftovers of kiln.
fn leftovers_of_sshd(kiln: &Kiln) -> usize {
    leftovers::processes(kiln.root())
        .iter()
        .filter(|line| line.contains("sshd"))
        .count()
}

/// Watches the resident memory of a process and its children until it ends; KiB at the peak.
fn peak_of(pid: u32) -> std::thread::JoinHandle<u64> {
    std::thread::spawn(move || {
        let mut peak = 0;
        loop {
            let mut sum = 0;
            let mut alive = false;
            for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
                let Ok(status) = std::fs::read_to_string(entry.path().join("status")) else {
                    continue;
                };
                let field = |name: &str| {
                    status
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
                };
                let own = field("Pid:") == Some(u64::from(pid));
                if own || field("PPid:") == Some(u64::from(pid)) {
                    alive |= own && !status.contains("State:\tZ");
                    sum += field("VmRSS:").unwrap_or(0);
                }
            }
            peak = peak.max(sum);
            if !alive {
                return peak;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    })
}

fn tempdir_in(kiln: &Kiln, name: &str) -> Result<std::path::PathBuf> {
    let folder = kiln.root().join(name);
    std::fs::create_dir(&folder)?;
    Ok(folder)
}

#[test]
fn a_tree_of_two_thousand_files_goes_there_and_back() -> Result<()> {
    if !tools::installed(&["sshd", "ssh-keygen"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    let server = Sshd::start(&tempdir_in(&kiln, "sshd")?)?;
    let tree = kiln.work().join("tree");
    for number in 0..2000 {
        let folder = tree.join(format!("d{}/with space {}", number % 10, number % 7));
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("f-ä{number}"));
        std::fs::write(&path, format!("content {number}\n").repeat(number % 50))?;
        let mode = if number % 3 == 0 { 0o755 } else { 0o640 };
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    }
    std::os::unix::fs::symlink("d1", tree.join("link"))?;
    // What links point to is what arrives.
    let (from, followed) = (tree.display().to_string(), kiln.work().join("followed"));
    tools::output("cp", &["-aL", &from, &followed.display().to_string()])?;
    for method in ["scp", "sftp"] {
        let remote = kiln.work().join(format!("remote-{method}"));
        let back = kiln.work().join(format!("back-{method}"));
        let blocks = file_block(&tree, &remote, "upload")
            + &file_block(&remote.join("tree/"), &back, "download");
        kiln.write("t.pkr.hcl", &template(&server, method, &blocks));
        drop(kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.success());
        assert_eq!(
            picture(&followed)?,
            picture(&remote.join("tree"))?,
            "{method} up"
        );
        let back = back.join("tree");
        assert_eq!(picture(&followed)?, picture(&back)?, "{method} down");
    }
    Ok(())
}

/// Path, mode and content of everything below a folder.
fn picture(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut picture = BTreeMap::new();
    for path in leftovers::files(folder) {
        let metadata = std::fs::symlink_metadata(&path)?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        let content = if metadata.is_symlink() {
            std::fs::read_link(&path)?.display().to_string()
        } else if metadata.is_file() {
            std::fs::read_to_string(&path)?
        } else {
            String::new()
        };
        let name = path.strip_prefix(folder)?.display().to_string();
        picture.insert(name, format!("{mode:o} {content}"));
    }
    Ok(picture)
}

#[test]
fn scripts_run_with_their_environment_and_exit_codes_count() -> Result<()> {
    if !tools::installed(&["sshd", "ssh-keygen"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    let server = Sshd::start(&tempdir_in(&kiln, "sshd")?)?;
    kiln.write(
        "one.sh",
        "#!/bin/sh\r\necho one $GREETING from $PACKER_BUILD_NAME\r\n",
    );
    let blocks = r#"
  provisioner "shell" {
    scripts = ["one.sh"]
    env     = { GREETING = "it's me" }
  }
  provisioner "shell" {
    inline           = ["printf 'partial' ; exit 3"]
    valid_exit_codes = [0, 3]
  }
  provisioner "shell" {
    inline           = ["echo file $A >&2"]
    environment_vars = ["A=b c"]
    use_env_var_file = true
  }
  provisioner "shell" {
    inline = ["exit 4"]
  }
"#;
    kiln.write("t.pkr.hcl", &template(&server, "scp", blocks));
    let finished = kiln
        .run(&["build", "-color=false", "t.pkr.hcl"])?
        .failure()
        .says("==> null.n: one it's me from n\n")
        .says("==> null.n: partial\n")
        .says("==> null.n: file b c\n")
        .says("Script exited with non-zero exit status: 4. Allowed exit codes are: [0]");
    drop(finished);
    Ok(())
}

#[test]
fn a_refused_connection_tells_what_was_seen() -> Result<()> {
    let kiln = Kiln::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    kiln.write(
        "t.pkr.hcl",
        &format!(
            "source \"null\" \"n\" {{\n ssh_host = \"127.0.0.1\"\n ssh_port = {port}\n \
             ssh_username = \"u\"\n ssh_password = \"p\"\n ssh_timeout = \"2s\"\n}}\n\
             build {{ sources = [\"null.n\"] }}\n"
        ),
    );
    let finished = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.failure();
    drop(
        finished
            .says("Timeout waiting for SSH")
            .says("refused")
            .says(&port.to_string()),
    );
    Ok(())
}
