//! What surprises about provisioners.

use anyhow::Result;
use kiln_tests::sshd::Sshd;
use kiln_tests::tools;
use kiln_tests::trial::Trial;

use super::{LIMIT, NULL, file, null};

#[test]
fn provisioners_are_configured_again_when_the_machine_has_its_values() -> Result<()> {
    let body = r#"
  provisioner "trial" { actions = ["say:${build.ID == "<unknown>" ? "not yet" : "now"} ${uuidv4()}"] }"#;
    let trial = Trial::with("", body);
    drop(
        trial
            .start(&["validate", "t.pkr.hcl"])?
            .finish(LIMIT)?
            .success(),
    );
    drop(trial.build(&[])?.success().says(": now ").lacks("not yet"));
    Ok(())
}

#[test]
fn overrides_go_by_the_sources_own_name_and_only_by_type_and_name() -> Result<()> {
    let trial = null(
        r#"
  provisioner "shell-local" {
    only     = ["null.n"]
    inline   = ["echo plain"]
    override = { n = { inline = ["echo overridden"] } }
  }
  provisioner "shell-local" {
    inline   = ["echo kept"]
    override = { "null.n" = { inline = ["echo wrong"] } }
  }
  provisioner "shell-local" {
    except = ["null.*"]
    inline = ["echo no globs"]
  }"#,
    );
    let finished = trial.build(&[])?.success().lacks("wrong").lacks("plain");
    drop(
        finished
            .says(": overridden")
            .says(": kept")
            .says(": no globs"),
    );
    Ok(())
}

#[test]
fn packer_build_name_is_the_label_of_the_source_even_when_it_is_used_by_another_name() -> Result<()>
{
    let trial = Trial::new(&format!(
        "{NULL}build {{\n  source \"null.n\" {{ name = \"other\" }}\n  provisioner \"shell-local\" {{\n    \
         inline = [\"echo $PACKER_BUILD_NAME of $PACKER_BUILDER_TYPE\"]\n  }}\n}}\n"
    ));
    drop(
        trial
            .build(&[])?
            .success()
            .says("==> null.other: n of null"),
    );
    Ok(())
}

#[test]
fn pause_before_disables_the_timeout() -> Result<()> {
    let trial = null(
        r#"
  provisioner "trial" {
    pause_before = "100ms"
    timeout      = "300ms"
    actions      = ["pause:900", "say:still there"]
  }"#,
    );
    let finished = trial.build(&[])?.success().says(": still there");
    drop(
        finished
            .says(": Pausing 100ms before the next provisioner...")
            .lacks("timeout for the next"),
    );
    Ok(())
}

#[test]
fn retries_report_the_first_error_only() -> Result<()> {
    let trial = null(
        r#"
  provisioner "trial" {
    max_retries = 1
    actions     = ["fail_once:marker", "fail:another"]
  }"#,
    );
    let finished = trial.build(&[])?.failure().lacks("another");
    drop(
        finished
            .says(": retry limit reached.")
            .says("--> null.n: the first try"),
    );
    Ok(())
}

#[test]
fn provisioners_of_the_file_builder_succeed_without_a_machine() -> Result<()> {
    let trial = file(
        r#"
  provisioner "shell" { inline = ["exit 1"] }
  provisioner "file" {
    content     = "x"
    destination = "/nowhere"
  }
  error-cleanup-provisioner "trial" { actions = ["say:never"] }"#,
    );
    drop(
        trial
            .build(&[])?
            .success()
            .says(": Provisioning with shell script: "),
    );
    let trial = file(
        r#"
  provisioner "trial" { actions = ["fail:broken"] }
  error-cleanup-provisioner "trial" { actions = ["say:never"] }"#,
    );
    drop(
        trial
            .build(&[])?
            .failure()
            .says("--> file.f: broken")
            .lacks("never"),
    );
    Ok(())
}

#[test]
fn with_communicator_none_uploads_fail_and_shell_does_so_at_once_unlike_packers() -> Result<()> {
    let trial = null("provisioner \"shell\" { inline = [\"true\"] }");
    let finished = trial.build(&[])?.failure();
    drop(finished.says("Upload is not implemented when communicator = 'none'"));
    Ok(())
}

#[test]
fn a_download_of_a_folder_or_a_pattern_does_not_end_the_list_unlike_packers() -> Result<()> {
    if !tools::installed(&["sshd", "ssh-keygen"]) {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let server = Sshd::start(folder.path())?;
    let trial = Trial::default();
    for name in [
        "from/dir/a",
        "from/dir/b",
        "from/one.txt",
        "from/two.txt",
        "from/last",
    ] {
        trial.kiln.write(name, name);
    }
    let from = trial.kiln.work().join("from").display().to_string();
    trial.kiln.write(
        "t.pkr.hcl",
        &format!(
            r#"
source "null" "n" {{
  ssh_host             = "127.0.0.1"
  ssh_port             = {}
  ssh_username         = "{}"
  ssh_private_key_file = "{}"
}}
build {{
  sources = ["null.n"]
  provisioner "file" {{
    direction   = "download"
    sources     = ["{from}/dir/", "{from}/*.txt", "{from}/last"]
    destination = "to/"
  }}
}}
"#,
            server.port,
            server.user,
            server.key.display()
        ),
    );
    drop(trial.build(&[])?.success());
    for name in ["dir/a", "dir/b", "one.txt", "two.txt", "last"] {
        assert!(trial.kiln.work().join("to").join(name).is_file(), "{name}");
    }
    Ok(())
}

#[test]
fn the_cleanup_provisioner_is_announced_even_when_there_is_none() -> Result<()> {
    let trial = null("provisioner \"trial\" { actions = [\"fail:broken\"] }");
    let text = "Provisioning step had errors: Running the cleanup provisioner, if present...";
    drop(trial.build(&[])?.failure().says(text));
    Ok(())
}
