//! Plugins that are broken or hostile: what becomes of them, of the other builds, and of the machine.

mod broken;
mod confined;

use std::path::PathBuf;

use kiln_tests::kiln::{Finished, Kiln, program_folder};
use sha2::{Digest, Sha256};

/// A world with the broken plugin installed, and a template that uses it beside a good build.
struct World {
    kiln: Kiln,
}

impl World {
    fn new() -> Self {
        Self::with_path("unused")
    }

    /// The same, whose broken build has this `path`.
    fn with_path(path: &str) -> Self {
        let mut kiln = Kiln::new();
        let tree = kiln.root().join("plugins");
        let folder = tree.join("example.com/odd/broken");
        std::fs::create_dir_all(&folder).expect("a folder");
        let arch = match std::env::consts::ARCH {
            "aarch64" => "arm64",
            _ => "amd64",
        };
        let file = folder.join(format!("kiln-plugin-broken_v1.0.0_k1_linux_{arch}"));
        let program = program_folder().join("broken_plugin");
        std::fs::copy(&program, &file).expect("the plugin is built");
        let sum = hex(&Sha256::digest(
            std::fs::read(&file).expect("it can be read"),
        ));
        let sums = PathBuf::from(format!("{}_SHA256SUM", file.display()));
        std::fs::write(sums, sum).expect("a file");
        kiln.env("PACKER_PLUGIN_PATH", &tree.to_string_lossy());
        kiln.write(
            "t.pkr.hcl",
            &format!(
                r#"
packer {{
  required_plugins {{
    broken = {{
      source  = "example.com/odd/broken"
      version = ">= 1.0.0"
    }}
  }}
}}
source "broken" "x" {{
  path = "{path}"
}}
source "file" "good" {{
  content = "fine"
  target  = "good.txt"
}}
build {{
  sources = ["broken.x", "file.good"]
}}
"#
            ),
        );
        Self { kiln }
    }

    /// Runs kiln with the plugin being broken in this way.
    fn run(&mut self, mode: &str, words: &[&str]) -> Finished {
        self.kiln.env("KILN_BROKEN", mode);
        self.kiln.run(words).expect("kiln runs")
    }

    /// Builds the template with the plugin being broken in this way, once kiln knows what the plugin
    /// offers.
    fn build(&mut self, mode: &str) -> Finished {
        drop(
            self.run("", &["validate", "t.pkr.hcl"])
                .success()
                .lacks("rror"),
        );
        self.run(mode, &["build", "-color=false", "t.pkr.hcl"])
    }

    fn good_build_is_done(&self) -> bool {
        self.kiln.work().join("good.txt").exists()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
