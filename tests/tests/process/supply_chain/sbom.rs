//! Bills of materials of machines, images and folders.

use std::path::{Path, PathBuf};

use anyhow::Result;
use kiln_tests::sshd::Sshd;
use kiln_tests::{Finished, Kiln, tools};
use serde_json::Value;

use super::{ED25519, judged, make_key, path, payload, template, text};

const DPKG: &str = "Package: libstdc++6\nStatus: install ok installed\nVersion: 12.2.0-14+deb12u1\n\
                    Architecture: amd64\nMaintainer: Debian GCC <d@example.com>\nDescription: C++\n\n\
                    Package: removed\nStatus: deinstall ok config-files\nVersion: 1\n\n";
const APK: &str = "P:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\nU:https://musl.libc.org/\n\n\
                   P:odd\nV:1-r0\nA:x86_64\nL:custom (see file)\nm:Team (x)\n\n";
const OS: &str = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n";

/// A root file system with packages.
fn make_root(kiln: &Kiln) -> PathBuf {
    kiln.write("root/var/lib/dpkg/status", DPKG);
    kiln.write("root/lib/apk/db/installed", APK);
    kiln.write("root/usr/lib/os-release", OS);
    path(kiln, "root")
}

fn machine(server: &Sshd, blocks: &str) -> String {
    format!(
        "source \"null\" \"web\" {{\n  ssh_host = \"127.0.0.1\"\n  ssh_port = {}\n  \
         ssh_username = \"{}\"\n  ssh_private_key_file = \"{}\"\n}}\nbuild {{\n  sources = \
         [\"null.web\"]\n{blocks}\n}}\n",
        server.port,
        server.user,
        server.key.display()
    )
}

#[test]
fn the_packages_of_a_machine_are_read_over_ssh_and_attested() -> Result<()> {
    if !tools::installed(&["sshd", "ssh-keygen", "openssl"]) {
        return Ok(());
    }
    let mut kiln = Kiln::new();
    kiln.env("SOURCE_DATE_EPOCH", "1700000000");
    let folder = kiln.root().join("sshd");
    std::fs::create_dir(&folder)?;
    let server = Sshd::start(&folder)?;
    let root = make_root(&kiln);
    make_key(&kiln, "k", &ED25519)?;
    let sbom = |format: &str, name: &str| {
        format!(
            "  provisioner \"sbom\" {{\n    format = \"{format}\"\n    destination = \"{name}\"\n    \
             root = \"{}\"\n  }}\n",
            root.display()
        )
    };
    let blocks = sbom("cyclonedx", "s/{{.BuildName}}.{{.Extension}}")
        + &sbom("spdx", "s/")
        + &sbom("cyclonedx", "again.json")
        + "  post-processors {\n    post-processor \"artifice\" { files = [\"root/lib/apk/db/installed\"] }\n    \
           post-processor \"sbom\" {\n      source = \"s/web.cdx.json\"\n      output_dir = \"s\"\n      \
           signing_mode = \"key\"\n      key = \"k.pem\"\n    }\n  }\n";
    kiln.write("t.pkr.hcl", &machine(&server, &blocks));
    drop(
        kiln.run(&["build", "-color=false", "t.pkr.hcl"])?
            .success()
            .says("==> null.web: Found 3 packages of Debian 12")
            .says("==> null.web: Wrote SBOM to s/web.cdx.json")
            .says("==> null.web: Wrote SBOM to s/web.spdx.json")
            .says("(sbom): Wrote attestation to s/web.installed.sbom.att.json"),
    );
    let first = std::fs::read_to_string(path(&kiln, "s/web.cdx.json"))?;
    let again = std::fs::read_to_string(path(&kiln, "again.json"))?;
    assert_eq!(first, again, "the same packages give the same document");
    let bom: Value = serde_json::from_str(&first)?;
    assert_eq!(bom["metadata"]["timestamp"], "2023-11-14T22:13:20Z");
    let url = "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12";
    assert!(first.contains(url), "{first}");
    assert!(!first.contains("removed"), "{first}");
    judged("cyclonedx", &path(&kiln, "s/web.cdx.json"))?;
    judged("spdx", &path(&kiln, "s/web.spdx.json"))?;
    let attestation = "s/web.installed.sbom.att.json";
    let words = [
        "verify-attestation",
        "-key=k.pub.pem",
        "-type=cyclonedx",
        attestation,
        "root/lib/apk/db/installed",
    ];
    drop(
        kiln.run(&words)?
            .success()
            .says("predicate: cyclonedx (https://cyclonedx.org/bom)"),
    );
    let statement: Value = serde_json::from_slice(&payload(&kiln, attestation)?)?;
    assert_eq!(statement["predicate"], bom);
    judged("statement", &path(&kiln, "payload")).map(drop)
}

#[test]
fn the_registrys_provisioner_fetches_checks_and_makes_documents() -> Result<()> {
    if !tools::installed(&["sshd", "ssh-keygen"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    let folder = kiln.root().join("sshd");
    std::fs::create_dir(&folder)?;
    let server = Sshd::start(&folder)?;
    let root = make_root(&kiln);
    let good = kiln.write(
        "in/good.json",
        r#"{"bomFormat":"CycloneDX","specVersion":"1.4"}"#,
    );
    let bad = kiln.write("in/bad.json", "<bom/>");
    let empty = path(&kiln, "in");
    let run = |options: &str| -> Result<Finished> {
        let block = format!("  provisioner \"hcp-sbom\" {{\n{options}\n  }}\n");
        kiln.write("t.pkr.hcl", &machine(&server, &block));
        kiln.run(&["build", "-color=false", "t.pkr.hcl"])
    };
    let fetch = |file: &Path| {
        let file = file.display();
        format!("source = \"{file}\"\ndestination = \"kept/\"\nsbom_name = \"my-sbom\"")
    };
    drop(
        run(&fetch(&good))?
            .success()
            .says("Wrote SBOM to kept/my-sbom.cdx.json"),
    );
    assert_eq!(
        std::fs::read(path(&kiln, "kept/my-sbom.cdx.json"))?,
        std::fs::read(&good)?
    );
    drop(
        run(&fetch(&bad))?
            .failure()
            .says("bad.json` of the machine cannot be used"),
    );
    drop(
        run(&fetch(Path::new("/no/such.json")))?
            .failure()
            .says("/no/such.json"),
    );
    let generate = |root: &Path| {
        format!(
            "auto_generate = true\nscanner_args = [\"-o\", \"spdx-json\"]\n\
             destination = \"kept/g.json\"\nscan_path = \"{}\"",
            root.display()
        )
    };
    drop(run(&generate(&root))?.success().says("Found 3 packages"));
    judged("spdx", &path(&kiln, "kept/g.json"))?;
    drop(
        run(&generate(&empty))?
            .success()
            .says("SBOM generation failed: the machine has no package database")
            .says("Build will continue without SBOM"),
    );
    drop(
        run("destination = \"x\"")?
            .failure()
            .says("`source` and `auto_generate`"),
    );
    Ok(())
}

#[test]
fn the_packages_of_a_disk_image_are_read_without_root() -> Result<()> {
    if !tools::installed(&["mke2fs", "debugfs", "qemu-img"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    let root = text(&make_root(&kiln));
    let [file_system, raw, compact] =
        ["fs.img", "disk.raw", "disk.qcow2"].map(|name| text(&path(&kiln, name)));
    tools::output(
        "mke2fs",
        &["-q", "-t", "ext4", "-d", &root, &file_system, "16M"],
    )?;
    // One partition, of 16 MiB behind the first MiB.
    let mut disk = vec![0; 1 << 20];
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk[446 + 4] = 0x83;
    disk[446 + 8..446 + 12].copy_from_slice(&2048_u32.to_le_bytes());
    disk[446 + 12..446 + 16].copy_from_slice(&32_768_u32.to_le_bytes());
    disk.extend(std::fs::read(&file_system)?);
    std::fs::write(&raw, disk)?;
    let convert = ["convert", "-f", "raw", "-O", "qcow2", &raw, &compact];
    tools::output("qemu-img", &convert)?;
    for (image, format) in [("disk.qcow2", "cyclonedx"), ("disk.raw", "spdx")] {
        let template = format!(
            "source \"file\" \"i\" {{\n  source = \"{image}\"\n  target = \"out/{image}\"\n}}\n\
             build {{\n  sources = [\"file.i\"]\n  post-processor \"provenance\" {{\n    sbom = \
             true\n    sbom_format = \"{format}\"\n  }}\n}}\n"
        );
        kiln.write("t.pkr.hcl", &template);
        drop(
            kiln.run(&["build", "-color=false", "t.pkr.hcl"])?
                .success()
                .says("Found 3 packages of Debian 12"),
        );
        let ending = if format == "spdx" {
            "spdx.json"
        } else {
            "cdx.json"
        };
        judged(
            format,
            &path(&kiln, &format!("out/i.{image}.sbom.{ending}")),
        )?;
    }
    kiln.write("t.pkr.hcl", &template("sbom = true"));
    drop(
        kiln.run(&["build", "-color=false", "t.pkr.hcl"])?
            .failure()
            .says("has no ext2, ext3 or ext4 file system; use the provisioner `sbom`"),
    );
    Ok(())
}

#[test]
fn a_hidden_command_prints_the_packages_of_a_folder() -> Result<()> {
    let mut kiln = Kiln::new();
    kiln.env("SOURCE_DATE_EPOCH", "1700000000");
    let root = text(&make_root(&kiln));
    for (words, marker) in [
        (vec!["sbom-generate", &root], "\"bomFormat\": \"CycloneDX\""),
        (
            vec![
                "sbom-generate",
                "-o",
                "spdx-json",
                "--exclude",
                "./x",
                &root,
            ],
            "\"spdxVersion\": \"SPDX-2.3\"",
        ),
    ] {
        let finished = kiln.run(&words)?.success().says(marker).says("libstdc++6");
        let document: Value = serde_json::from_str(&finished.stdout)?;
        assert!(document.is_object());
        assert!(finished.stderr.contains("Reading the packages of"));
        let noted = finished.stderr.contains("Without effect: `--exclude ./x`");
        assert_eq!(noted, words.len() > 2, "{finished}");
    }
    let empty = kiln.run(&["sbom-generate", "."])?.failure();
    assert!(empty.stderr.contains("has no package database"), "{empty}");
    let wrong = kiln.run(&["sbom-generate", "-o", "xml"])?.failure();
    assert!(wrong.stderr.contains("`xml` is no format"), "{wrong}");
    drop(
        kiln.run(&["sbom-generate", "-h"])?
            .success()
            .says("Usage: kiln sbom-generate"),
    );
    drop(kiln.run(&["-h"])?.lacks("sbom-generate"));
    Ok(())
}
