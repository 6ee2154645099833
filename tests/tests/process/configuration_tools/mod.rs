//! Ansible, Chef, Puppet and Salt: real tools against this machine, over real SSH.
//!
//! The guest is this machine, reached through a private OpenSSH server. Where a tool cannot be had,
//! a program stands in for it that records how it is called; its test says so in its name.

mod ansible;
mod ansible_local;
mod chef;
mod container;
mod mistakes;
mod puppet;
mod salt;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use kiln_tests::sshd::Sshd;
use kiln_tests::{Kiln, leftovers};

/// A world with a guest in it.
struct World {
    kiln: Kiln,
    guest: Sshd,
}

impl World {
    fn new() -> Result<Self> {
        let kiln = Kiln::new();
        let folder = kiln.root().join("sshd");
        std::fs::create_dir(&folder)?;
        let guest = Sshd::start(&folder)?;
        Ok(Self { kiln, guest })
    }

    /// Writes a template that provisions the guest with `block`.
    fn template(&self, block: &str) -> PathBuf {
        let text = format!(
            r#"source "null" "it" {{
  ssh_host             = "127.0.0.1"
  ssh_port             = {}
  ssh_username         = "{}"
  ssh_private_key_file = "{}"
}}
build {{
  sources = ["null.it"]
  {block}
}}
"#,
            self.guest.port,
            self.guest.user,
            self.guest.key.display()
        );
        self.kiln.write("t.pkr.hcl", &text)
    }

    /// Builds with `block`.
    fn build(&self, block: &str) -> Result<kiln_tests::Finished> {
        self.template(block);
        self.kiln.run(&["build", "-color=false", "t.pkr.hcl"])
    }

    /// A folder of the world, made when it is missing.
    fn folder(&self, name: &str) -> PathBuf {
        let path = self.kiln.root().join(name);
        std::fs::create_dir_all(&path).expect("a folder in a world");
        path
    }

    /// Writes a program.
    fn program(&self, path: &Path, text: &str) {
        std::fs::write(path, text).expect("a file in a world");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(path, mode).expect("it can be run");
    }

    /// What is left and does not belong to the guest.
    fn leftovers(&self) -> Vec<String> {
        let found = leftovers::of(&self.kiln, Duration::from_secs(3));
        let guests = |line: &String| !line.contains("sshd");
        found.into_iter().filter(guests).collect()
    }
}
