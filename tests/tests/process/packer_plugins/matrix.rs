//! Builders × provisioners × what can be done to a machine: all give the same.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use kiln_tests::{Kiln, leftovers};

use super::{OwnMachine, world};

/// kiln's own, one that speaks gob, one that speaks protobuf; and as both, those that the plugin SDK
/// reaches by SSH.
const SOURCES: [&str; 7] = [
    "null.own",
    "gofive-folder.b",
    "gosix-folder.b",
    "gofive-folder.scp",
    "gofive-folder.sftp",
    "gosix-folder.scp",
    "gosix-folder.sftp",
];

/// Those whose commands end with them, also when nobody tells them to.
const OWN_ENDS: usize = 3;

/// The beginning of a template that builds all `sources`, those by SSH on `machine`.
fn template(machine: &OwnMachine, sources: &[&str]) -> String {
    let list: Vec<String> = sources
        .iter()
        .map(|source| format!("\"source.{source}\""))
        .collect();
    let (mut text, server) = (machine.block(), &machine.server);
    for plugin in ["gofive", "gosix"] {
        text += &format!("source \"{plugin}-folder\" \"b\" {{}}\n");
        for (name, sftp) in [("scp", false), ("sftp", true)] {
            text += &format!(
                "source \"{plugin}-folder\" \"{name}\" {{\n  address = \"127.0.0.1:{}\"\n  user = \
                 \"{}\"\n  key = \"{}\"\n  sftp = {sftp}\n}}\n",
                server.port,
                server.user,
                server.key.display(),
            );
        }
    }
    text + &format!("build {{\n  sources = [{}]\n", list.join(", "))
}

/// The part of a path that is a source's own.
fn place(source: &str) -> String {
    source.replace('.', "-")
}

/// What each build says after `marker`, in order.
fn said(output: &str, marker: &str) -> BTreeMap<String, Vec<String>> {
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in output.lines() {
        let line = line.trim_start_matches("==> ").trim();
        if let Some((build, text)) = line.split_once(": ")
            && let Some(at) = text.find(marker)
            && SOURCES.contains(&build)
        {
            let lines = said.entry(build.to_owned()).or_default();
            lines.push(text[at..].to_owned());
        }
    }
    said
}

/// The files of the tree that the provisioners send, below the folder `above`.
fn tree(above: &str) -> String {
    let names = ["a", "d", "sub/b", "sub/deep/c"];
    let files = names.map(|name| format!("{above}{name}=content of {name}"));
    files.join(",")
}

#[test]
fn provisioners_in_go_find_the_same_machine_whoever_made_it() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    let machine = OwnMachine::start()?;
    for provisioner in ["gotwo", "gofive", "gosix"] {
        for source in SOURCES.map(place) {
            kiln.write(&format!("on-{source}/.keep"), "");
        }
        let check = format!(
            "  provisioner \"{provisioner}-check\" {{ folder = \
             \"${{path.cwd}}/on-${{source.type}}-${{source.name}}\" }}\n}}\n"
        );
        kiln.write("t.pkr.hcl", &(template(&machine, &SOURCES) + &check));
        let done = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.success();
        let said = said(&done.stdout, "check ");
        let expected = [
            r#"check exec 7 "from stdin" "err""#,
            "check long output 0 3000000",
            "check file 3000000 true 750",
            "check missing file true",
            &format!("check tree {}", tree("go-tree/")),
            &format!("check tree/ {}", tree("go-tree/")),
            &format!("check tree/. {}", tree("")),
        ];
        assert_eq!(said.len(), SOURCES.len(), "{done}");
        for (source, lines) in said {
            assert_eq!(lines, expected, "{provisioner} on {source}:\n{done}");
        }
    }
    Ok(())
}

#[test]
fn provisioners_of_kiln_work_on_machines_of_plugins_in_go() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    let machine = OwnMachine::start()?;
    kiln.write("up/a", "content of a");
    kiln.write("up/sub/b", "content of b, ");
    std::os::unix::fs::symlink("a", kiln.work().join("up/link"))?;
    kiln.write("more/sub/c", "more");
    kiln.write("file", &"line of a file\n".repeat(200_000));
    for source in SOURCES.map(place) {
        kiln.write(&format!("on-{source}/.keep"), "");
        kiln.write(&format!("from-{source}/.keep"), "");
    }
    let steps = r#"
  provisioner "file" {
    source      = "file"
    destination = "${path.cwd}/on-${source.type}-${source.name}/file"
  }
  provisioner "file" {
    source      = "up/"
    destination = "${path.cwd}/on-${source.type}-${source.name}/tree"
  }
  provisioner "file" {
    source      = "up"
    destination = "${path.cwd}/on-${source.type}-${source.name}"
  }
  provisioner "file" {
    source      = "more/"
    destination = "${path.cwd}/on-${source.type}-${source.name}/tree"
  }
  provisioner "shell" {
    inline           = ["cd $ON; echo check $(cksum < file) $(cat up/link tree/sub/b up/sub/b tree/sub/c); echo check err >&2; exit 5"]
    environment_vars = ["ON=${path.cwd}/on-${source.type}-${source.name}"]
    valid_exit_codes = [5]
  }
  provisioner "file" {
    direction   = "download"
    source      = "${path.cwd}/on-${source.type}-${source.name}/file"
    destination = "from-${source.type}-${source.name}/file"
  }
  provisioner "file" {
    direction   = "download"
    source      = "${path.cwd}/on-${source.type}-${source.name}/tree/"
    destination = "from-${source.type}-${source.name}"
  }
}
"#;
    kiln.write("t.pkr.hcl", &(template(&machine, &SOURCES) + steps));
    let done = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.success();
    let mut said = said(&done.stdout, "check ");
    assert_eq!(said.len(), SOURCES.len(), "{done}");
    for lines in said.values_mut() {
        // Standard output and error are two streams.
        lines.sort();
        assert_eq!(lines.len(), 2, "{done}");
        assert!(
            lines[0].ends_with(" 3000000 content of acontent of b, content of b, more"),
            "{done}"
        );
        assert_eq!(lines[1], "check err", "{done}");
    }
    for source in SOURCES.map(place) {
        let read = |name: &str| std::fs::read(kiln.work().join(format!("from-{source}/{name}")));
        assert_eq!(read("file")?.len(), 3_000_000);
        assert_eq!(read("tree/a")?, b"content of a");
        assert_eq!(read("tree/sub/b")?, b"content of b, ");
    }
    Ok(())
}

#[test]
fn an_interrupt_ends_every_pair_and_leaves_nothing() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    let machine = OwnMachine::start()?;
    // What runs in the machine ends when nobody reads what it says.
    let provisioners = [
        "provisioner \"shell\" { inline = [\"echo waiting\", \"while sleep 1; do echo more; done\"] }",
        "provisioner \"gofive-check\" { trouble = \"wait\" }",
        "provisioner \"gosix-check\" { trouble = \"wait\" }",
    ];
    for provisioner in provisioners {
        let template = template(&machine, &SOURCES[..OWN_ENDS]);
        cancelled(&kiln, &format!("{template}  {provisioner}\n}}\n"))?;
    }
    Ok(())
}

fn cancelled(kiln: &Kiln, template: &str) -> Result<()> {
    let limit = Duration::from_secs(120);
    kiln.write("t.pkr.hcl", template);
    let mut running = kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
    for source in &SOURCES[..OWN_ENDS] {
        running.wait_for(&format!("{source}: waiting"), limit)?;
    }
    running.signal("INT")?;
    let done = running.finish(limit)?.failure();
    for source in &SOURCES[1..OWN_ENDS] {
        let cleaned = done
            .stdout
            .matches(&format!("{source}: cleaned up"))
            .count();
        assert_eq!(cleaned, 1, "{source}:\n{done}");
    }
    let left = leftovers::of(kiln, Duration::from_secs(20));
    assert!(left.is_empty(), "{template}\n{left:#?}");
    Ok(())
}
