//! Builds without a machine: engine, output, post-processors.

use std::time::Duration;

use anyhow::Result;
use kiln_tests::{Kiln, leftovers};

const FILE_TEMPLATE: &str = r#"
source "file" "text" {
  content = "some content"
  target  = "out/text.txt"
}
build {
  name    = "demo"
  sources = ["file.text"]

  provisioner "shell-local" {
    inline = ["echo building $PACKER_BUILD_NAME; echo oops >&2"]
  }
  post-processor "checksum" {
    checksum_types = ["md5", "sha256"]
    output         = "out/{{.BuildName}}.{{.ChecksumType}}"
  }
  post-processors {
    post-processor "compress" {
      output = "out/text.tar.zst"
    }
    post-processor "shell-local" {
      inline = ["ls out"]
    }
  }
  post-processor "manifest" {
    output = "out/manifest.json"
  }
}
"#;

#[test]
fn a_whole_build_prints_what_scripts_expect() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", FILE_TEMPLATE);
    let finished = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.success();
    let text = &finished.stdout;
    for line in [
        "==> demo.file.text: building text",
        "==> demo.file.text: oops",
        "==> demo.file.text: Running post-processor:  (type checksum)",
        "==> demo.file.text (compress): Archive out/text.tar.zst completed",
        "==> demo.file.text (shell-local): text.txt",
        "==> Builds finished. The artifacts of successful builds are:",
        "--> demo.file.text: Stored file: out/text.txt",
        "--> demo.file.text: compressed artifacts in: out/text.tar.zst",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "no line {line:?}:\n{finished}"
        );
    }
    assert!(
        text.contains("Build 'demo.file.text' finished after "),
        "{finished}"
    );
    assert!(text.contains("\n==> Wait completed after "), "{finished}");
    kiln_tests::tools::output("tar", &["--zstd", "-tf", &path(&kiln, "out/text.tar.zst")])?;
    let sums = std::fs::read_to_string(kiln.work().join("out/text.md5"))?;
    assert_eq!(sums, "9893532233caff98cd083a116b013c0b\ttext.txt\n");
    assert_eq!(
        leftovers::of(&kiln, Duration::from_secs(5)),
        Vec::<String>::new()
    );
    Ok(())
}

fn path(kiln: &Kiln, name: &str) -> String {
    kiln.work().join(name).display().to_string()
}

#[test]
fn machine_readable_output_has_its_lines() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", FILE_TEMPLATE);
    let finished = kiln
        .run(&["build", "-machine-readable", "t.pkr.hcl"])?
        .success();
    let lines: Vec<&str> = finished
        .stdout
        .lines()
        .filter_map(|line| line.split_once(',').map(|pair| pair.1))
        .collect();
    for line in [
        ",ui,say,==> demo.file.text: building text",
        "demo.file.text,artifact,0,builder-id,packer.file",
        "demo.file.text,artifact,0,id,File",
        "demo.file.text,artifact,0,string,Stored file: out/text.txt",
        "demo.file.text,artifact,0,files-count,1",
        "demo.file.text,artifact,0,file,0,out/text.txt",
        "demo.file.text,artifact,0,end",
    ] {
        assert!(lines.contains(&line), "no line {line:?}:\n{finished}");
    }
    Ok(())
}

#[test]
fn the_same_build_as_legacy_json() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.json",
        r#"{
  "variables": { "word": "hello", "home": "{{env `HOME`}}" },
  "builders": [
    { "type": "file", "name": "text", "content": "{{user `word`}} {{build_name}}", "target": "out.txt" },
    { "type": "null", "communicator": "none" }
  ],
  "provisioners": [
    { "type": "shell-local", "only": ["text"], "command": "echo {{user `home`}}",
      "override": { "text": { "command": "echo overridden" } } },
    { "type": "shell-local", "except": ["text"], "inline": ["echo null only"] }
  ],
  "post-processors": [ { "type": "manifest", "output": "m.json", "only": ["text"] } ]
}"#,
    );
    let finished = kiln.run(&["build", "-color=false", "t.json"])?.success();
    let finished = finished
        .says("==> file.text: overridden")
        .says("==> null: null only");
    assert_eq!(
        std::fs::read_to_string(kiln.work().join("out.txt"))?,
        "hello text",
        "{finished}"
    );
    assert!(kiln.work().join("m.json").exists());
    let only = kiln
        .run(&["build", "-color=false", "-only=null", "t.json"])?
        .success();
    drop(only.lacks("file.text"));
    Ok(())
}

#[test]
fn a_failed_provisioner_runs_the_cleanup_one_and_fails_the_build() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.hcl",
        r#"
source "null" "bad" { communicator = "none" }
source "null" "good" { communicator = "none" }
build {
  sources = ["null.bad", "null.good"]
  provisioner "shell-local" {
    only        = ["null.bad"]
    max_retries = 1
    inline      = ["echo try; exit 7"]
  }
  provisioner "shell-local" {
    only              = ["null.good"]
    continue_on_error = true
    inline            = ["exit 3"]
  }
  error-cleanup-provisioner "shell-local" {
    inline = ["echo cleaning $PACKER_BUILD_NAME"]
  }
}
"#,
    );
    let finished = kiln
        .run(&["build", "-color=false", "t.pkr.hcl"])?
        .failure()
        .says("retrying with 1 trie(s) left")
        .says("retry limit reached.")
        .says("Provisioning step had errors: Running the cleanup provisioner, if present...")
        .says("==> null.bad: cleaning bad")
        .lacks("cleaning good")
        .says("but continue_on_error is set; continuing the build.")
        .says("Build 'null.good' finished after ")
        .says("==> Some builds didn't complete successfully and had errors:")
        .says(
            "--> null.bad: Script exited with non-zero exit status: 7. Allowed exit codes are: [0]",
        );
    assert_eq!(
        finished.stdout.matches("==> null.bad: try").count(),
        2,
        "{finished}"
    );
    Ok(())
}

#[test]
fn a_timeout_ends_a_provisioner() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.hcl",
        r#"
source "null" "n" { communicator = "none" }
build {
  sources = ["null.n"]
  provisioner "shell-local" {
    timeout = "1s"
    inline  = ["sleep 600"]
  }
}
"#,
    );
    let finished = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.failure();
    drop(finished.says("Setting a 1s timeout for the next provisioner..."));
    assert_eq!(
        leftovers::of(&kiln, Duration::from_secs(10)),
        Vec::<String>::new()
    );
    Ok(())
}

#[test]
fn many_builds_run_side_by_side_and_in_order_when_asked() -> Result<()> {
    let kiln = Kiln::new();
    let mut template = String::new();
    let mut sources = Vec::new();
    for number in 0..20 {
        template.push_str(&format!(
            "source \"null\" \"n{number}\" {{ communicator = \"none\" }}\n"
        ));
        sources.push(format!("\"null.n{number}\""));
    }
    template.push_str(&format!(
        "build {{\n sources = [{}]\n provisioner \"shell-local\" {{ inline = [\"echo at work\"] }}\n}}\n",
        sources.join(", ")
    ));
    kiln.write("t.pkr.hcl", &template);
    let finished = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.success();
    assert_eq!(
        finished.stdout.matches(": at work\n").count(),
        20,
        "{finished}"
    );
    let finished = kiln
        .run(&["build", "-color=false", "-parallel-builds=1", "t.pkr.hcl"])?
        .success();
    let order: Vec<String> = finished
        .stdout
        .lines()
        .filter_map(|line| {
            line.strip_prefix("Build 'null.n")?
                .split_once('\'')
                .map(|p| p.0.to_owned())
        })
        .collect();
    let expected: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(order, expected, "{finished}");
    Ok(())
}

#[test]
fn inspect_shows_the_parts() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", FILE_TEMPLATE);
    let finished = kiln.run(&["inspect", "t.pkr.hcl"])?.success();
    drop(
        finished
            .says("Packer Inspect: HCL2 mode")
            .says("  > demo:")
            .says("      file.text"),
    );
    Ok(())
}
