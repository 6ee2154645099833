//! Builders × provisioners × what can be done to a machine: all give the same.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use kiln_tests::{Kiln, leftovers};

use super::{own_machine, world};

/// kiln's own, one that speaks gob, one that speaks protobuf.
const SOURCES: [&str; 3] = ["null.own", "gofive-folder.b", "gosix-folder.b"];

fn sources(own: &str) -> String {
    let list = SOURCES
        .map(|source| format!("\"source.{source}\""))
        .join(", ");
    format!(
        "{own}source \"gofive-folder\" \"b\" {{}}\nsource \"gosix-folder\" \"b\" {{}}\nbuild {{\n  \
         sources = [{list}]\n"
    )
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

#[test]
fn provisioners_in_go_find_the_same_machine_whoever_made_it() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    let (_server, own) = own_machine(&kiln)?;
    for provisioner in ["gotwo", "gofive", "gosix"] {
        for source in ["null", "gofive-folder", "gosix-folder"] {
            kiln.write(&format!("on-{source}/.keep"), "");
        }
        let check = format!(
            "  provisioner \"{provisioner}-check\" {{ folder = \
             \"${{path.cwd}}/on-${{source.type}}\" }}\n}}\n"
        );
        kiln.write("t.pkr.hcl", &(sources(&own) + &check));
        let done = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.success();
        let said = said(&done.stdout, "check ");
        let expected = [
            r#"check exec 7 "from stdin" "err""#,
            "check long output 0 3000000",
            "check file 3000000 true 750",
            "check missing file true",
            "check tree a=content of a,sub/b=content of sub/b,sub/deep/c=content of sub/deep/c",
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
    let (_server, own) = own_machine(&kiln)?;
    kiln.write("up/a", "content of a");
    kiln.write("up/sub/b", "content of b");
    kiln.write("file", &"line of a file\n".repeat(200_000));
    for source in ["null", "gofive-folder", "gosix-folder"] {
        kiln.write(&format!("on-{source}/.keep"), "");
        kiln.write(&format!("from-{source}/.keep"), "");
    }
    let steps = r#"
  provisioner "file" {
    source      = "file"
    destination = "${path.cwd}/on-${source.type}/file"
  }
  provisioner "file" {
    source      = "up/"
    destination = "${path.cwd}/on-${source.type}/tree"
  }
  provisioner "shell" {
    inline           = ["cd $ON; echo check $(cksum < file) $(cat tree/sub/b); echo check err >&2; exit 5"]
    environment_vars = ["ON=${path.cwd}/on-${source.type}"]
    valid_exit_codes = [5]
  }
  provisioner "file" {
    direction   = "download"
    source      = "${path.cwd}/on-${source.type}/file"
    destination = "from-${source.type}/file"
  }
  provisioner "file" {
    direction   = "download"
    source      = "${path.cwd}/on-${source.type}/tree/"
    destination = "from-${source.type}/tree"
  }
}
"#;
    kiln.write("t.pkr.hcl", &(sources(&own) + steps));
    let done = kiln.run(&["build", "-color=false", "t.pkr.hcl"])?.success();
    let mut said = said(&done.stdout, "check ");
    assert_eq!(said.len(), SOURCES.len(), "{done}");
    for lines in said.values_mut() {
        // Standard output and error are two streams.
        lines.sort();
        assert_eq!(lines.len(), 2, "{done}");
        assert!(lines[0].ends_with(" 3000000 content of b"), "{done}");
        assert_eq!(lines[1], "check err", "{done}");
    }
    for source in ["null", "gofive-folder", "gosix-folder"] {
        let read = |name: &str| std::fs::read(kiln.work().join(format!("from-{source}/{name}")));
        assert_eq!(read("file")?.len(), 3_000_000);
        assert_eq!(read("tree/a")?, b"content of a");
        assert_eq!(read("tree/sub/b")?, b"content of b");
    }
    Ok(())
}

#[test]
fn an_interrupt_ends_every_pair_and_leaves_nothing() -> Result<()> {
    let Some(kiln) = world()? else { return Ok(()) };
    let (_server, own) = own_machine(&kiln)?;
    let provisioners = [
        "provisioner \"shell\" { inline = [\"echo waiting\", \"exec sleep 600\"] }",
        "provisioner \"gofive-check\" { trouble = \"wait\" }",
        "provisioner \"gosix-check\" { trouble = \"wait\" }",
    ];
    for provisioner in provisioners {
        cancelled(&kiln, &format!("{}  {provisioner}\n}}\n", sources(&own)))?;
    }
    Ok(())
}

fn cancelled(kiln: &Kiln, template: &str) -> Result<()> {
    let limit = Duration::from_secs(120);
    kiln.write("t.pkr.hcl", template);
    let mut running = kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
    for source in SOURCES {
        running.wait_for(&format!("{source}: waiting"), limit)?;
    }
    running.signal("INT")?;
    drop(running.finish(limit)?.failure().says("cleaned up"));
    // The test's own server mentions the world's folder too.
    let left = leftovers::of(kiln, Duration::from_secs(20));
    let left: Vec<_> = left.iter().filter(|line| !line.contains("sshd")).collect();
    assert!(left.is_empty(), "{template}\n{left:#?}");
    Ok(())
}
