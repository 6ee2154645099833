//! `compress`, `checksum` and `manifest`, judged by tar, unzip, gzip and their like.

use std::time::Duration;

use anyhow::Result;
use kiln_tests::{Kiln, leftovers, tools};

use super::{chain, path, write_chain};

const TOOLS: [&str; 8] = [
    "tar",
    "unzip",
    "gzip",
    "zstd",
    "xz",
    "lz4",
    "bzip2",
    "sha256sum",
];

/// Two files of several blocks.
fn inputs(kiln: &Kiln) {
    let text = |word: &str| format!("{word} of the image\n").repeat(80_000);
    kiln.write("in/disk.img", &text("content"));
    kiln.write("in/efivars.fd", &text("variables"));
}

fn compressed(kiln: &Kiln, files: &str, more: &str) -> Result<kiln_tests::Finished> {
    chain(
        kiln,
        &format!(
            "post-processors {{
              post-processor \"artifice\" {{ files = [\"{files}\"] }}
              post-processor \"compress\" {{
                keep_input_artifact = true
                {more}
              }}
            }}"
        ),
    )
}

fn equal(kiln: &Kiln, unpacked: &str, original: &str) -> Result<()> {
    let read = |name: &str| std::fs::read(kiln.work().join(name));
    assert!(
        read(unpacked)? == read(original)?,
        "{unpacked} differs from {original}"
    );
    Ok(())
}

#[test]
fn every_archive_is_unpacked_by_the_ordinary_tools() -> Result<()> {
    if !tools::installed(&TOOLS) {
        return Ok(());
    }
    for (suffix, flag) in [
        ("tar", "-xf"),
        ("tar.gz", "-xzf"),
        ("tar.bz2", "-xjf"),
        ("tar.xz", "-xJf"),
        ("tar.zst", "-I zstd -xf"),
        ("tar.lz4", "-I lz4 -xf"),
        ("tar.bgzf", "-xzf"),
        ("zip", ""),
    ] {
        let kiln = Kiln::new();
        inputs(&kiln);
        let output = format!("output = \"out/image.{suffix}\"");
        drop(compressed(&kiln, "in/*", &output)?.success());
        let archive = path(&kiln, &format!("out/image.{suffix}"));
        let folder = path(&kiln, "unpacked");
        std::fs::create_dir(&folder)?;
        if suffix == "zip" {
            tools::output("unzip", &["-q", "-d", &folder, &archive])?;
            tools::output("unzip", &["-tq", &archive])?;
        } else {
            let mut arguments: Vec<&str> = flag.split(' ').collect();
            arguments.extend([archive.as_str(), "-C", &folder]);
            tools::output("tar", &arguments)?;
        }
        equal(&kiln, "unpacked/disk.img", "in/disk.img")?;
        equal(&kiln, "unpacked/efivars.fd", "in/efivars.fd")?;
    }
    Ok(())
}

#[test]
fn every_compressed_file_is_read_by_its_own_tool() -> Result<()> {
    if !tools::installed(&TOOLS) {
        return Ok(());
    }
    for (suffix, tool) in [
        ("gz", "gzip"),
        ("bgzf", "gzip"),
        ("bz2", "bzip2"),
        ("xz", "xz"),
        ("zst", "zstd"),
        ("lz4", "lz4"),
    ] {
        let kiln = Kiln::new();
        inputs(&kiln);
        let options = format!("output = \"image\"\nformat = \"{suffix}\"\ncompression_level = 9");
        drop(compressed(&kiln, "in/disk.img", &options)?.success());
        let packed = std::fs::File::open(kiln.work().join("image"))?;
        let unpacked = std::process::Command::new(tool)
            .arg("-dc")
            .stdin(packed)
            .output()?;
        assert!(unpacked.status.success(), "{tool}: {unpacked:?}");
        let original = std::fs::read(kiln.work().join("in/disk.img"))?;
        assert!(unpacked.stdout == original, "{suffix}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_packed_is_said_and_nothing_is_left() -> Result<()> {
    let kiln = Kiln::new();
    inputs(&kiln);
    drop(
        compressed(&kiln, "in/*", "output = \"new/image.gz\"")?
            .failure()
            .says("Can only have 1 input file when not using tar/zip. Found 2 files"),
    );
    drop(
        compressed(&kiln, "in/*", "output = \"in/disk.img\"\nformat = \"tar\"")?
            .failure()
            .says("is one of the files to pack"),
    );
    assert!(!kiln.work().join("new").exists());
    let left = leftovers::files(&kiln.work().join("in"));
    assert_eq!(left.len(), 2, "{left:?}");
    Ok(())
}

#[test]
fn a_format_that_is_none_is_a_gzipped_tar_with_a_warning() -> Result<()> {
    let kiln = Kiln::new();
    inputs(&kiln);
    for (format, warns) in [("rar", true), ("tgz", false)] {
        let output = format!("{format}-image");
        let options = format!("output = \"{output}\"\nformat = \"{format}\"");
        let built = compressed(&kiln, "in/*", &options)?.success();
        drop(match warns {
            true => built
                .says("t.pkr.hcl line 11")
                .says("`rar` is no format that can be written: a gzipped tar is written")
                .says("Use tar, zip, gz,"),
            false => built.lacks("Unknown archive format"),
        });
        let listed = tools::output("tar", &["-tzf", &path(&kiln, &output)])?;
        assert_eq!(listed, "disk.img\nefivars.fd\n", "{format}");
    }
    Ok(())
}

#[test]
fn files_of_one_name_are_not_lost_silently() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write("in/a/disk", "1");
    kiln.write("in/b/disk", "2");
    drop(
        compressed(&kiln, "in/*/disk", "output = \"x.tar\"")?
            .success()
            .says("Warning: the archive has several files named disk"),
    );
    Ok(())
}

#[test]
fn a_cancelled_compress_leaves_nothing() -> Result<()> {
    let kiln = Kiln::new();
    let big = kiln.write("in/disk.img", "");
    // Packed at this level it would take many minutes.
    std::fs::File::options()
        .write(true)
        .open(big)?
        .set_len(64 << 30)?;
    write_chain(
        &kiln,
        "post-processors {
          post-processor \"artifice\" { files = [\"in/*\"] }
          post-processor \"compress\" {
            output = \"new/image.tar.xz\"
            compression_level = 9
            keep_input_artifact = true
          }
        }",
    );
    let mut running = kiln.start(&["build", "-color=false", "t.pkr.hcl"])?;
    running.wait_for("Tarring new/image.tar.xz", Duration::from_secs(60))?;
    running.signal("INT")?;
    drop(
        running
            .finish(Duration::from_secs(60))?
            .failure()
            .says("Cleanly cancelled builds after being interrupted."),
    );
    assert!(!kiln.work().join("new").exists());
    assert!(kiln.work().join("in/disk.img").exists());
    let left = leftovers::of(&kiln, Duration::from_secs(10));
    assert_eq!(left, Vec::<String>::new());
    Ok(())
}

#[test]
fn checksum_files_are_accepted_by_the_tools_that_check_them() -> Result<()> {
    let programs = [
        "md5sum",
        "sha1sum",
        "sha224sum",
        "sha256sum",
        "sha384sum",
        "sha512sum",
    ];
    if !tools::installed(&programs) {
        return Ok(());
    }
    let kiln = Kiln::new();
    inputs(&kiln);
    drop(
        chain(
            &kiln,
            "post-processors {
              post-processor \"artifice\" { files = [\"in/*\"] }
              post-processor \"checksum\" {
                checksum_types = [\"md5\", \"sha1\", \"sha224\", \"sha256\", \"sha384\", \"sha512\"]
                output = \"in/sums.{{.ChecksumType}}\"
              }
              post-processor \"manifest\" { output = \"m.json\" }
            }",
        )?
        .success(),
    );
    for program in programs {
        let kind = program.trim_end_matches("sum");
        let checked = std::process::Command::new(program)
            .args(["-c", "--strict", &format!("sums.{kind}")])
            .current_dir(kiln.work().join("in"))
            .output()?;
        let text = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(checked.status.success(), "{program}: {checked:?}");
        assert_eq!(text, "disk.img: OK\nefivars.fd: OK\n");
    }
    let manifest = std::fs::read_to_string(kiln.work().join("m.json"))?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest)?;
    let files = manifest["builds"][0]["files"].as_array();
    assert_eq!(files.map(Vec::len), Some(8), "{manifest}");
    Ok(())
}

#[test]
fn late_texts_know_the_machine_and_what_is_gone_is_said() -> Result<()> {
    let kiln = Kiln::new();
    inputs(&kiln);
    drop(
        chain(
            &kiln,
            "post-processor \"manifest\" {
              output      = \"m.json\"
              custom_data = { id = \"{{build `ID`}} of {{build_type}}\", plain = \"{{.ID}}\" }
            }
            post-processor \"checksum\" { output = \"none/sums\" }
            post-processors {
              post-processor \"artifice\" { files = [\"in/efi*\", \"in/typo*\"] }
              post-processor \"shell-local\" { inline = [\"rm in/efivars.fd\"] }
              post-processor \"manifest\" { output = \"gone.json\" }
            }",
        )?
        .success()
        .says("Warning: no file matches in/typo*")
        .says("Warning: in/efivars.fd of the artifact is not there"),
    );
    let read = |name: &str| -> Result<serde_json::Value> {
        Ok(serde_json::from_slice(&std::fs::read(
            kiln.work().join(name),
        )?)?)
    };
    let data = &read("m.json")?["builds"][0]["custom_data"];
    let expected = serde_json::json!({ "id": "Null of null", "plain": "Null" });
    assert_eq!(*data, expected);
    assert_eq!(read("gone.json")?["builds"][0]["files"][0]["size"], 0);
    assert!(
        !kiln.work().join("none").exists(),
        "an artifact without files has no checksums"
    );
    drop(
        chain(
            &kiln,
            "post-processor \"manifest\" { custom_data = { x = \"{{ nonsense\" } }",
        )?
        .failure()
        .says("t.pkr.hcl line 6")
        .says("custom_data"),
    );
    Ok(())
}
