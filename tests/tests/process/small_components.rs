//! Components with one idea: `sleep`, `breakpoint`, `artifice`, and the data sources.

use anyhow::Result;
use kiln_tests::Kiln;

const SOURCE: &str = "source \"null\" \"a\" {\n  communicator = \"none\"\n}\n";

fn build(kiln: &Kiln, body: &str) -> Result<kiln_tests::Finished> {
    let template = format!("{SOURCE}build {{\n  sources = [\"null.a\"]\n{body}\n}}\n");
    kiln.write("t.pkr.hcl", &template);
    kiln.run(&["build", "-color=false", "t.pkr.hcl"])
}

#[test]
fn sleep_waits_and_its_duration_is_checked() -> Result<()> {
    let kiln = Kiln::new();
    let before = std::time::Instant::now();
    drop(build(&kiln, "provisioner \"sleep\" {\n duration = \"1200ms\"\n}")?.success());
    assert!(before.elapsed() >= std::time::Duration::from_millis(1200));
    drop(
        build(&kiln, "provisioner \"sleep\" {\n duration = \"soon\"\n}")?
            .failure()
            .says("t.pkr.hcl line 7")
            .says("duration"),
    );
    drop(
        build(&kiln, "provisioner \"sleep\" {}")?
            .failure()
            .says("The argument \"duration\" is required"),
    );
    Ok(())
}

#[test]
fn a_breakpoint_goes_on_when_disabled_and_fails_when_nobody_is_there() -> Result<()> {
    let kiln = Kiln::new();
    let off = "provisioner \"breakpoint\" {\n disable = true\n note = \"look\"\n}";
    drop(
        build(&kiln, off)?
            .success()
            .says("==> null.a: Breakpoint provisioner with note \"look\" disabled; continuing..."),
    );
    drop(
        build(&kiln, "provisioner \"breakpoint\" {}")?
            .failure()
            .says("==> null.a: Pausing at breakpoint provisioner.")
            .says("Error asking for input: "),
    );
    Ok(())
}

#[test]
fn artifice_replaces_the_artifact_by_the_files_that_match() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("out/a.img", "a");
    kiln.write("out/b.img", "bb");
    let chain = "post-processors {
      post-processor \"artifice\" { files = [\"out/*.img\", \"out/a.img\", \"none/*\"] }
      post-processor \"manifest\" { output = \"m.json\" }
    }";
    drop(
        build(&kiln, chain)?
            .success()
            .says("Using these artifact files: out/a.img, out/b.img")
            .says("Created artifact from files: out/a.img, out/b.img"),
    );
    let manifest: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(kiln.work().join("m.json"))?)?;
    assert_eq!(manifest["builds"][0]["files"][1]["name"], "out/b.img");
    drop(
        build(&kiln, "post-processor \"artifice\" {\n files = []\n}")?
            .failure()
            .says("No files specified in artifice configuration"),
    );
    Ok(())
}

#[test]
fn a_method_that_is_none_comes_with_what_to_write() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.hcl",
        "data \"http\" \"a\" {\n  url = \"http://127.0.0.1:1/\"\n  method = \"get\"\n}\n",
    );
    drop(
        kiln.run(&["validate", "-evaluate-datasources", "t.pkr.hcl"])?
            .failure()
            .says("t.pkr.hcl line 3")
            .says("`get` is none of GET, HEAD,")
            .says("Methods have capital letters: write `GET`.")
            .lacks("another block"),
    );
    Ok(())
}

#[test]
fn data_is_read_for_a_build_and_not_for_a_check() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.hcl",
        r#"
data "null" "greeting" { input = "hello ${upper("you")}" }
data "http" "gone" { url = "http://127.0.0.1:1/${data.null.greeting.output}" }
locals { text = data.null.greeting.output }
source "null" "a" { communicator = "none" }
build {
  sources = ["null.a"]
  provisioner "shell-local" { inline = ["echo '${local.text}' ${data.http.gone.body}"] }
}
"#,
    );
    drop(kiln.run(&["validate", "t.pkr.hcl"])?.success());
    drop(
        kiln.run(&["validate", "-evaluate-datasources", "t.pkr.hcl"])?
            .failure()
            .says("cannot ask http://127.0.0.1:1/")
            .says("t.pkr.hcl line 3"),
    );
    drop(
        kiln.run(&["build", "t.pkr.hcl"])?
            .failure()
            .says("cannot ask http://127.0.0.1:1/"),
    );
    drop(
        kiln.run(&["plan", "-evaluate-datasources", "t.pkr.hcl"])?
            .failure()
            .says("cannot ask http://127.0.0.1:1/"),
    );
    Ok(())
}

#[test]
fn an_option_without_a_value_is_one_that_is_not_set() -> Result<()> {
    let kiln = Kiln::new();
    let block = r#"provisioner "shell-local" {
    inline           = ["echo it is $NAME", "false", "exit 0"]
    env              = { NAME = "run" }
    execute_command  = []
    inline_shebang   = var.nothing
    env_var_format   = var.nothing
    valid_exit_codes = []
  }"#;
    let template = format!(
        "variable \"nothing\" {{\n  default = \"\"\n}}\n{SOURCE}build {{\n  sources = \
         [\"null.a\"]\n  {block}\n}}\n"
    );
    kiln.write("t.pkr.hcl", &template);
    let build = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.failure();
    let said = "Script exited with non-zero exit status: 1. Allowed exit codes are: [0]";
    drop(build.says("null.a: it is run").says(said));
    Ok(())
}

#[test]
fn a_deprecated_option_is_warned_of_once() -> Result<()> {
    let kiln = Kiln::new();
    let options = "  communicator     = \"none\"\n  ssh_wait_timeout = \"5m\"\n";
    let template =
        format!("source \"null\" \"a\" {{\n{options}}}\nbuild {{\n  sources = [\"null.a\"]\n}}\n");
    kiln.write("t.pkr.hcl", &template);
    let checked = kiln.run(&["validate", "t.pkr.hcl"])?.success();
    let said = format!("{}{}", checked.stdout, checked.stderr);
    assert_eq!(said.matches("Deprecated").count(), 1, "{checked}");
    assert_eq!(said.matches("deprecated").count(), 1, "{checked}");
    drop(checked.says("ssh_timeout").says("t.pkr.hcl line 3"));
    Ok(())
}
