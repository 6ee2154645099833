//! What a template would run.

use anyhow::Result;
use kiln_tests::Kiln;
use serde_json::{Value, json};

const TEMPLATE: &str = r#"
variable "password" {
  default   = "hush-hush"
  sensitive = true
}
data "null" "late" {
  input = "from data"
}
source "null" "one" {
  communicator = "ssh"
  ssh_host     = "127.0.0.1"
  ssh_username = upper("who")
  ssh_password = var.password
}
build {
  sources = ["null.one"]

  provisioner "shell" {
    inline        = ["echo ${build.Host}", "echo plain"]
    remote_folder = "/home/{{ build `User` }}"
    pause_before  = "90s"
    max_retries   = 2
  }
  provisioner "shell-local" {
    inline          = ["echo ${build.Custom} ${data.null.late.output}"]
    only_on         = ["linux"]
  }
  error-cleanup-provisioner "shell-local" {
    inline = ["echo ${source.name} failed"]
  }
  post-processors {
    post-processor "manifest" { output = "m.json" }
    post-processor "shell-local" {
      inline              = ["true"]
      keep_input_artifact = true
    }
  }
}
"#;

fn plan(kiln: &Kiln, words: &[&str]) -> Result<Value> {
    let words: Vec<&str> = ["plan", "-json"].iter().chain(words).copied().collect();
    Ok(serde_json::from_str(&kiln.run(&words)?.success().stdout)?)
}

#[test]
fn the_plan_shows_evaluated_options_and_what_is_not_known_until_when() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", TEMPLATE);
    let plan = plan(&kiln, &["t.pkr.hcl"])?;
    let build = &plan["builds"][0];
    assert_eq!(build["name"], "null.one");
    let source = &build["source"];
    assert_eq!(source["options"]["ssh_username"], "WHO");
    assert_eq!(source["options"]["ssh_password"], "<sensitive>");
    assert_eq!(source["sensitive"], json!(["ssh_password"]));
    assert_eq!(
        (&source["file"], &source["line"]),
        (&json!("t.pkr.hcl"), &json!(9))
    );
    let shell = &build["provisioners"][0];
    assert_eq!(shell["options"]["inline"], json!([null, "echo plain"]));
    let waits = json!({"inline[0]": ["build.Host"], "remote_folder": ["build.User"]});
    assert_eq!(shell["unknown"], waits);
    assert_eq!(shell["pause_before_seconds"], 90.0);
    assert_eq!(shell["max_retries"], 2);
    let local = &build["provisioners"][1];
    let waits = json!(["build.Custom", "data.null.late"]);
    assert_eq!(local["unknown"]["inline[0]"], waits);
    let cleanup = &build["error_cleanup_provisioner"];
    assert_eq!(cleanup["options"]["inline"], json!(["echo one failed"]));
    let chain = &build["post_processors"][0];
    assert_eq!(chain[0]["type"], "manifest");
    assert_eq!(chain[1]["keep_input_artifact"], true);
    assert_eq!(plan["data_sources"], json!(["data.null.late"]));
    Ok(())
}

#[test]
fn the_text_of_a_plan_has_no_secret_and_nothing_is_run() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("t.pkr.hcl", TEMPLATE);
    let shown = kiln.run(&["plan", "t.pkr.hcl"])?.success();
    let shown = shown
        .says("Plan of t.pkr.hcl: 1 build. Nothing was run.")
        .says("ssh_password = <sensitive>")
        .says("remote_folder = (known when the machine runs: build.User)")
        .says("1. provisioner \"shell\"  (after a pause of 90s; up to 3 tries; t.pkr.hcl:18)")
        .lacks("hush-hush");
    assert!(!kiln.work().join("m.json").exists(), "{shown}");
    Ok(())
}

#[test]
fn plugins_that_are_missing_are_warnings_and_options_are_shown_as_they_are() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.json",
        r#"{"variables": {"size": "10"},
            "builders": [{"type": "vmware-iso", "disk_size": "{{user `size`}}"}],
            "provisioners": [{"type": "inspec", "profile": "{{build `ID`}}"}]}"#,
    );
    let plan = plan(&kiln, &["t.json"])?;
    let build = &plan["builds"][0];
    assert_eq!(build["name"], "vmware-iso");
    assert_eq!(build["source"]["options"]["disk_size"], "10");
    let inspec = &build["provisioners"][0];
    assert_eq!(inspec["unknown"], json!({"profile": ["build.ID"]}));
    let warnings = plan["diagnostics"].as_array().map(Vec::len);
    assert_eq!(warnings, Some(2), "{plan}");
    Ok(())
}

#[test]
fn a_wrong_template_has_no_plan_but_all_its_problems() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.hcl",
        "source \"null\" \"a\" {\n  comunicator = \"none\"\n}\nbuild {\n  sources = [\"null.a\"]\n  \
         provisioner \"shell-local\" {\n    inlin = [var.nothing]\n  }\n}\n",
    );
    drop(
        kiln.run(&["plan", "t.pkr.hcl"])?
            .failure()
            .says("t.pkr.hcl line 2")
            .says("t.pkr.hcl line 7")
            .lacks("Plan of"),
    );
    let finished = kiln.run(&["plan", "-json", "t.pkr.hcl"])?.failure();
    let document: Value = serde_json::from_str(&finished.stdout)?;
    assert!(
        document["diagnostics"]
            .as_array()
            .is_some_and(|all| all.len() >= 2)
    );
    drop(
        kiln.run(&["plan", "missing.pkr.hcl"])?
            .failure()
            .says("missing.pkr.hcl"),
    );
    Ok(())
}
