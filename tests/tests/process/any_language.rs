//! Plugins that are made without kiln's SDK: in Python, in Go, and a shared library in C.

use std::path::Path;

use anyhow::Result;
use kiln_sdk_test_kit::process;
use kiln_tests::foreign::{self, Host};

fn folder() -> Result<tempfile::TempDir> {
    Ok(tempfile::Builder::new().prefix("kf-").tempdir()?)
}

/// The contract of plugin processes.
fn keeps_the_contract(path: &Path) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(process::check(path));
    Ok(())
}

/// A build with a component of each kind called `name`.
fn template(name: &str) -> String {
    format!(
        "data \"{name}\" \"greeting\" {{
  text = \"hello from {name}\"
}}

source \"{name}\" \"machine\" {{
  folder = \"made\"
}}

build {{
  sources = [\"source.{name}.machine\"]

  provisioner \"{name}\" {{
    content = data.{name}.greeting.capitals
  }}

  provisioner \"shell-local\" {{
    inline = [\"echo the folder is ${{build.Folder}}\"]
  }}

  provisioner \"file\" {{
    source      = \"tree\"
    destination = \"copied\"
  }}

  provisioner \"file\" {{
    direction   = \"download\"
    source      = \"greeting.txt\"
    destination = \"back.txt\"
  }}

  post-processor \"{name}\" {{
    output = \"list.txt\"
  }}
}}
"
    )
}

/// A whole build with the plugin, whose other components are those of kiln.
fn builds(host: &Host, name: &str) -> Result<()> {
    let kiln = &host.kiln;
    kiln.write("t.pkr.hcl", &template(name));
    kiln.write("tree/a", "one");
    kiln.write("tree/b/c", "two");
    drop(host.run(&["validate", "t.pkr.hcl"])?.success());
    let built = host.run(&["build", "-color=false", "t.pkr.hcl"])?;
    let built = built.success().says("the folder is ").says("/made");
    drop(built);
    let read = |path: &str| std::fs::read_to_string(kiln.work().join(path));
    let upper = format!("HELLO FROM {}", name.to_uppercase());
    assert_eq!(read("made/greeting.txt")?.trim_end(), upper);
    assert_eq!(read("back.txt")?.trim_end(), upper);
    assert_eq!(
        read("made/copied/tree/b/c").or_else(|_| read("made/copied/b/c"))?,
        "two"
    );
    assert!(
        read("list.txt")?.contains("greeting.txt"),
        "{}",
        read("list.txt")?
    );

    // The folder is in the way now, and the plugin names the option.
    drop(
        host.run(&["build", "-color=false", "t.pkr.hcl"])?
            .failure()
            .says("exists already")
            .says("t.pkr.hcl line 6"),
    );
    let wrong = template(name).replace("folder = ", "foldr = ");
    kiln.write("t.pkr.hcl", &wrong);
    drop(
        host.run(&["validate", "t.pkr.hcl"])?
            .failure()
            .says("foldr")
            .says("folder"),
    );
    let left = host
        .run(&["gc"])?
        .success()
        .says("Nothing was left behind.");
    drop(left);
    Ok(())
}

/// A build whose provisioner fails leaves nothing of the machine.
fn undoes(host: &Host, name: &str) -> Result<()> {
    let failing = format!(
        "source \"{name}\" \"m\" {{\n  folder = \"undone\"\n}}\nbuild {{\n  sources = [\"{name}.m\"]\n  \
         provisioner \"shell-local\" {{\n    inline = [\"exit 7\"]\n  }}\n}}\n"
    );
    host.kiln.write("f.pkr.hcl", &failing);
    drop(
        host.run(&["build", "-color=false", "f.pkr.hcl"])?
            .failure()
            .says("7"),
    );
    assert!(!host.kiln.work().join("undone").exists());
    Ok(())
}

#[test]
fn a_plugin_in_python_keeps_the_contract_and_builds() -> Result<()> {
    let folder = folder()?;
    let Some(path) = foreign::python(folder.path())? else {
        return Ok(());
    };
    keeps_the_contract(&path)?;
    let host = Host::new()?;
    host.add(&path)?;
    builds(&host, "python")?;
    undoes(&host, "python")
}

#[test]
fn a_plugin_in_go_keeps_the_contract_and_builds() -> Result<()> {
    let folder = folder()?;
    let Some(path) = foreign::go(folder.path())? else {
        return Ok(());
    };
    keeps_the_contract(&path)?;
    let host = Host::new()?;
    host.add(&path)?;
    builds(&host, "go")?;
    undoes(&host, "go")
}

#[test]
fn a_shared_library_keeps_the_contract_and_builds() -> Result<()> {
    let folder = folder()?;
    let library = foreign::c(folder.path())?;
    // What the host does: the loader, told by a variable which library it is for.
    let launcher = folder.path().join("kiln-plugin-c");
    let loader = kiln_tests::kiln::program_folder().join("kiln-plugin-dylib");
    let script = format!(
        "#!/bin/sh\nKILN_PLUGIN_LIBRARY='{}' exec '{}'\n",
        library.display(),
        loader.display()
    );
    std::fs::write(&launcher, script)?;
    std::fs::set_permissions(
        &launcher,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )?;
    keeps_the_contract(&launcher)?;
    let host = Host::new()?;
    host.add(&library)?;
    builds(&host, "c")?;
    undoes(&host, "c")
}

#[test]
fn a_library_that_is_none_is_named_with_the_reason() -> Result<()> {
    let host = Host::new()?;
    let wrong = host.kiln.write("kiln-plugin-wrong.so", "no library");
    host.add(&wrong)?;
    drop(
        host.run(&["plugins", "docs", "wrong"])?
            .failure()
            .says("kiln-plugin-wrong.so is not used")
            .says("it does not describe itself"),
    );
    Ok(())
}
