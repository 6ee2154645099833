//! Plugins made for Packer, unmodified, through the real program: plugins in Go with three versions
//! of its plugin SDK, beside kiln's own components; and kiln's plugins under hosts in Go.

mod host;
mod kinds;
mod matrix;
mod trouble;

use anyhow::Result;
use kiln_tests::sshd::Sshd;
use kiln_tests::{Kiln, project, tools};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// The name of each plugin and the SDK it is built with; the last one speaks protobuf.
const PLUGINS: [(&str, &str); 3] = [("gotwo", "0.2.0"), ("gofive", "0.5.4"), ("gosix", "0.6.10")];

/// A world with the plugins installed; `None`, said loudly, when they are not built.
fn world() -> Result<Option<Kiln>> {
    let built = project().join("target/packer-plugins");
    if !built.join("sdk-0.6.10").exists() {
        tools::missing("the plugins in Go, which tests/setup builds");
        return Ok(None);
    }
    let mut kiln = Kiln::new();
    let folder = kiln.root().join("plugins");
    for (name, sdk) in PLUGINS {
        let place = folder.join("github.com/kiln").join(name);
        std::fs::create_dir_all(&place)?;
        let file = place.join(file_name(name));
        std::fs::copy(built.join(format!("sdk-{sdk}")), &file)?;
        let sum = hex::encode(Sha256::digest(std::fs::read(&file)?));
        std::fs::write(place.join(format!("{}_SHA256SUM", file_name(name))), sum)?;
    }
    kiln.env("PACKER_PLUGIN_PATH", &folder.display().to_string());
    // The machines of these builders are their own processes, and scripts go to the machine's /tmp.
    kiln.env("KILN_ISOLATION_WRITE", "/tmp");
    Ok(Some(kiln))
}

fn file_name(name: &str) -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("packer-plugin-{name}_v1.0.0_x5.0_linux_{architecture}")
}

/// A machine of kiln's own: a server, outside of every world.
struct OwnMachine {
    server: Sshd,
    _folder: TempDir,
}

impl OwnMachine {
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let server = Sshd::start(folder.path())?;
        Ok(Self {
            server,
            _folder: folder,
        })
    }

    /// The block of the null builder that reaches it.
    fn block(&self) -> String {
        let server = &self.server;
        format!(
            "source \"null\" \"own\" {{\n  ssh_host = \"127.0.0.1\"\n  ssh_port = {}\n  \
             ssh_username = \"{}\"\n  ssh_private_key_file = \"{}\"\n}}\n",
            server.port,
            server.user,
            server.key.display()
        )
    }
}
