//! `vsphere` with a stand-in for `ovftool`, and `vsphere-template` with `vcsim`, a simulator of
//! vCenter that others wrote.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use kiln_tests::{Finished, Kiln, tools};

use super::chain;

/// A world whose `ovftool` writes down what it is asked and then does `then`.
fn world(then: &str) -> Result<Kiln> {
    let mut kiln = Kiln::new();
    let calls = kiln.work().join("calls").display().to_string();
    let script = format!("#!/bin/sh\necho \"$*\" >> '{calls}'\n{then}\n");
    let tool = kiln.write("bin/ovftool", &script);
    std::fs::set_permissions(tool, std::fs::Permissions::from_mode(0o755))?;
    let path = format!("{}:/usr/bin:/bin", kiln.work().join("bin").display());
    kiln.env("PATH", &path);
    kiln.write("out/debian.ovf", "<Envelope/>");
    Ok(kiln)
}

fn upload(kiln: &Kiln, host: &str, more: &str) -> Result<Finished> {
    chain(
        kiln,
        &format!(
            "post-processors {{
              post-processor \"artifice\" {{ files = [\"out/*\"] }}
              post-processor \"vsphere\" {{
                host                = \"{host}\"
                username            = \"user\"
                password            = \"p@ss word\"
                datacenter          = \"DC0\"
                cluster             = \"DC0_H0\"
                datastore           = \"LocalDS_0\"
                vm_name             = \"DC0_H0_VM0\"
                max_retries         = 3
                keep_input_artifact = true
              }}
              {more}
            }}"
        ),
    )
}

fn calls(kiln: &Kiln) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(kiln.work().join("calls"))?;
    Ok(text.lines().map(str::to_owned).collect())
}

#[test]
fn ovftool_is_asked_to_look_and_then_to_upload() -> Result<()> {
    let kiln = world("printf 'Disk progress: 50%%\\rDisk progress: 99%%\\n'")?;
    drop(
        upload(&kiln, "vc.example.com", "")?
            .success()
            .says("Validating username and password...")
            .says("Uploading virtual machine...")
            .says("VM: DC0_H0_VM0 Folder:  Datastore: LocalDS_0")
            .lacks("p%40ss%20word"),
    );
    let command = "--acceptAllEulas --name=DC0_H0_VM0 --datastore=LocalDS_0 --diskMode=thick \
                   out/debian.ovf vi://user:p%40ss%20word@vc.example.com/DC0/host/DC0_H0";
    assert_eq!(
        calls(&kiln)?,
        [format!("--verifyOnly {command}"), command.to_owned()]
    );
    Ok(())
}

#[test]
fn a_failed_upload_is_tried_again_and_fails_the_build() -> Result<()> {
    let kiln = world("echo 'Error: cURL error: Couldn'\"'\"'t connect'; exit 1")?;
    drop(
        upload(&kiln, "vc.example.com", "")?
            .failure()
            .says("error uploading virtual machine in 3 tries: `ovftool` ended with status 1: ")
            .says("Couldn't connect"),
    );
    assert_eq!(calls(&kiln)?.len(), 4);
    Ok(())
}

#[test]
fn wrong_credentials_are_told_before_the_upload() -> Result<()> {
    let kiln = world("echo 'Enter login information for source vi://vc'; exit 1")?;
    drop(
        upload(&kiln, "vc.example.com", "")?
            .failure()
            .says("the server refused `username` or `password`"),
    );
    assert_eq!(calls(&kiln)?.len(), 1);
    Ok(())
}

#[test]
fn a_missing_ovftool_is_told_before_the_build() -> Result<()> {
    let mut kiln = world("")?;
    let empty = kiln.work().join("empty");
    std::fs::create_dir(&empty)?;
    kiln.env("PATH", &empty.display().to_string());
    drop(
        upload(&kiln, "vc.example.com", "")?
            .failure()
            .says("`ovftool`, which uploads machines, is not installed")
            .says("Install VMware's OVF Tool")
            .says("t.pkr.hcl line 8")
            .lacks("Using these artifact files"),
    );
    Ok(())
}

#[test]
fn options_that_contradict_each_other_are_refused() -> Result<()> {
    let kiln = Kiln::new();
    let both = "post-processor \"vsphere\" {
      host              = \"h\"
      username          = \"u\"
      password          = \"p\"
      datacenter        = \"d\"
      cluster           = \"c\"
      vm_name           = \"v\"
      datastore         = \"a\"
      datastore_cluster = \"b\"
    }";
    drop(chain(&kiln, both)?.failure().says("are mutually exclusive"));
    Ok(())
}

/// A simulated vCenter that ends with the test.
struct Simulator {
    process: Child,
    host: String,
}

impl Simulator {
    fn start() -> Result<Self> {
        let mut process = Command::new("vcsim")
            .args(["-l", "127.0.0.1:0", "-username", "user"])
            .args(["-password", "p@ss word", "-autostart=false"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = process.stdout.take().context("it is a pipe")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line
            .rsplit('@')
            .next()
            .and_then(|rest| rest.split('/').next());
        let host = address.context("it says its address")?.to_owned();
        Ok(Self { process, host })
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // Asked kindly, it removes its temporary files. It may have ended by itself.
        drop(tools::output(
            "kill",
            &["-TERM", &self.process.id().to_string()],
        ));
        drop(self.process.wait());
    }
}

#[test]
fn an_uploaded_machine_becomes_a_template() -> Result<()> {
    if !tools::installed(&["vcsim"]) {
        return Ok(());
    }
    let simulator = Simulator::start()?;
    let kiln = world("")?;
    let template = format!(
        "post-processor \"vsphere-template\" {{
          host            = \"{}\"
          username        = \"user\"
          password        = \"p@ss word\"
          insecure        = true
          folder          = \"images\"
          snapshot_enable = true
          snapshot_name   = \"first\"
        }}",
        simulator.host
    );
    drop(
        upload(&kiln, &simulator.host, &template)?
            .success()
            .says("Creating virtual machine folder images...")
            .says("Creating virtual machine snapshot...")
            .says("Registering virtual machine as a template: DC0_H0_VM0"),
    );
    drop(
        upload(&kiln, &simulator.host, &template)?
            .failure()
            .says("error finding virtual machine at path DC0/vm/DC0_H0_VM0"),
    );
    Ok(())
}
