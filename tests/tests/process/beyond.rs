//! What templates can do that Packer's cannot: `for_each`, `count` and modules.

use anyhow::Result;
use kiln_tests::{Kiln, project};

fn example() -> String {
    project()
        .join("tests/examples/modules")
        .display()
        .to_string()
}

#[test]
fn the_example_builds_every_instance_and_the_module() -> Result<()> {
    let kiln = Kiln::new();
    let example = example();
    let finished = kiln
        .run(&["build", "-color=false", "-var", "output=out", &example])?
        .success()
        .says("==> file.system.bookworm: step 2 of system.bookworm")
        .says("Build 'base.file.base' finished after ");
    for (name, text) in [
        ("bookworm.txt", "Debian 12, on the base of 2 systems\n"),
        ("trixie.txt", "Debian 13, on the base of 2 systems\n"),
    ] {
        let found = std::fs::read_to_string(kiln.work().join("out").join(name))?;
        assert_eq!(found, text, "{finished}");
    }
    for name in ["base.txt", "system.trixie.sha256", "system.trixie.sha512"] {
        assert!(
            kiln.work().join("out").join(name).is_file(),
            "{name}: {finished}"
        );
    }
    Ok(())
}

#[test]
fn instances_are_chosen_by_name() -> Result<()> {
    let kiln = Kiln::new();
    let example = example();
    let words = ["build", "-only=*.trixie", "-var", "output=out", &example];
    drop(
        kiln.run(&words)?
            .success()
            .lacks("bookworm")
            .lacks("base.file"),
    );
    let words = ["plan", "-except=base.*", "-var", "output=out", &example];
    drop(
        kiln.run(&words)?
            .success()
            .says("==> file.system.bookworm\n")
            .says("source \"file\" \"system\" [\"bookworm\"]")
            .lacks("==> base."),
    );
    Ok(())
}

#[test]
fn the_module_is_a_template_of_its_own() -> Result<()> {
    let kiln = Kiln::new();
    let base = format!("{}/base", example());
    let words = ["build", "-var", "output=out", "-var", "title=alone", &base];
    drop(kiln.run(&words)?.success());
    let text = std::fs::read_to_string(kiln.work().join("out/base.txt"))?;
    assert!(text.starts_with("alone, described in "), "{text}");
    let words = ["validate", "-var", "output=out", &base];
    drop(kiln.run(&words)?.failure().says("Unset variable \"title\""));
    Ok(())
}

#[test]
fn a_problem_in_a_module_is_shown_where_it_is() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "part/p.pkr.hcl",
        "source \"null\" \"a\" {\n  comunicator = \"none\"\n}\n\
        build { sources = [\"null.a\"] }\n",
    );
    kiln.write("t.pkr.hcl", "module \"part\" { source = \"./part\" }\n");
    drop(
        kiln.run(&["validate", "t.pkr.hcl"])?
            .failure()
            .says("part/p.pkr.hcl line 2")
            .says("communicator"),
    );
    Ok(())
}
