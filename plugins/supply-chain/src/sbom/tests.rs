use std::path::Path;
use std::sync::Arc;

use kiln_sdk::{Artifact, BuildInfo, Provisioner, Value, decode};
use kiln_sdk_test_kit::{FakeHost, Memory, Recording, Scripted, Stored, check_options};

use super::{HcpSbom, SbomPostProcessor, SbomProvisioner};

const DPKG: &str = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n";
const RPM: &str = "b\t(none)\t2\t3.el9\tx86_64\tMIT\tV\tS\tU\n";

/// A machine with databases of dpkg and rpm.
fn machine() -> Memory {
    let machine = Memory::new();
    let present = "/var/lib/dpkg/status\nrpm\nkiln:end\n";
    machine.script("command -v rpm", [Scripted::stdout(present)]);
    machine.script(
        "os-release",
        [Scripted::stdout("ID=debian\nVERSION_ID=12\n")],
    );
    machine.script("cat \"$R/var/lib/dpkg/status\"", [Scripted::stdout(DPKG)]);
    machine.script("rpm --root", [Scripted::stdout(RPM)]);
    machine
}

fn build(folder: &Path) -> BuildInfo {
    BuildInfo {
        source_name: "web".to_owned(),
        builder_type: "qemu".to_owned(),
        run_dir: folder.to_owned(),
        ..BuildInfo::default()
    }
}

async fn provision<P: Provisioner>(
    provisioner: P,
    folder: &Path,
    options: &[(&str, &str)],
    machine: Memory,
) -> Recording<()> {
    let host = FakeHost::new().with_build(build(folder));
    let options: Value = options.iter().copied().collect();
    host.provision(provisioner, options, Arc::new(machine), Value::empty_map())
        .await
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn options_are_documented() {
    check_options::<super::provisioner::SbomConfig>();
    check_options::<super::post_processor::SbomConfig>();
    check_options::<super::hcp::HcpSbomConfig>();
}

fn problems<P: Provisioner>(provisioner: &P, entries: &[(&str, &str)]) -> Vec<String> {
    let options: Value = entries.iter().copied().collect();
    let found = match decode::<P::Config>(&options) {
        Ok((mut config, _)) => {
            provisioner
                .prepare(&mut config, &BuildInfo::default())
                .diagnostics
        }
        Err(found) => found,
    };
    found
        .iter()
        .map(|problem| problem.path.to_string())
        .collect()
}

#[test]
fn options_are_checked() {
    let none: [&str; 0] = [];
    assert_eq!(problems(&SbomProvisioner, &[]), none);
    assert_eq!(problems(&SbomProvisioner, &[("format", "xml")]), ["format"]);
    assert_eq!(problems(&SbomProvisioner, &[("destination", "")]), none);
    assert_eq!(
        problems(&SbomProvisioner, &[("destination", "{{")]),
        ["destination"]
    );
    assert_eq!(problems(&SbomProvisioner, &[("root", "mnt")]), ["root"]);

    let kept = ("destination", "x.json");
    assert_eq!(problems(&HcpSbom, &[("source", "/a"), kept]), none);
    assert_eq!(problems(&HcpSbom, &[("auto_generate", "true"), kept]), none);
    assert_eq!(problems(&HcpSbom, &[kept]), ["source"]);
    let both = [("source", "/a"), ("auto_generate", "true"), kept];
    assert_eq!(problems(&HcpSbom, &both), ["source"]);
    assert_eq!(problems(&HcpSbom, &[("source", "/a")]), [""]);
    for name in ["ab", "a b c", "a_b_c", &"a".repeat(37)] {
        let found = problems(&HcpSbom, &[("source", "/a"), ("sbom_name", name), kept]);
        assert_eq!(found, ["sbom_name"], "{name}");
    }
    let unused = [("source", "/a"), ("elevated_user", "u"), kept];
    assert_eq!(problems(&HcpSbom, &unused), ["elevated_user"]);
}

#[tokio::test]
async fn the_packages_of_a_machine_become_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("{}/sboms/", folder.path().display());
    for (format, file) in [
        ("cyclonedx", "web.cdx.json"),
        ("spdx-json", "web.spdx.json"),
    ] {
        let options = [("destination", target.as_str()), ("format", format)];
        let done = provision(SbomProvisioner, folder.path(), &options, machine()).await;
        done.outcome.as_ref().unwrap();
        assert!(
            done.said()[1].starts_with("Found 2 packages of"),
            "{:?}",
            done.said()
        );
        let text = json(&folder.path().join("sboms").join(file)).to_string();
        for url in [
            "pkg:deb/debian/a@1?arch=all&distro=debian-12",
            "pkg:rpm/debian/b@2-3.el9?arch=x86_64&distro=debian-12",
        ] {
            assert!(text.contains(url), "{url} is missing:\n{text}");
        }
    }
}

#[tokio::test]
async fn the_root_in_the_machine_is_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("{}/x.json", folder.path().display());
    let machine = machine();
    let options = [
        ("destination", target.as_str()),
        ("root", "/mnt/it's $HOME/"),
    ];
    let done = provision(SbomProvisioner, folder.path(), &options, machine.clone()).await;
    done.outcome.unwrap();
    for command in machine.commands() {
        let begins = "env R='/mnt/it'\\''s $HOME' LC_ALL=C sh -c '";
        assert!(command.command.starts_with(begins), "{}", command.command);
    }
}

#[tokio::test]
async fn a_machine_without_databases_or_shell_fails_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let options = [("destination", "x.json")];
    let fails = async |machine: Memory, part: &str| {
        let done = provision(SbomProvisioner, folder.path(), &options, machine).await;
        let failure = done.outcome.unwrap_err();
        assert!(failure.message.contains(part), "{failure}");
    };
    fails(Memory::new(), "POSIX shell").await;
    let empty = Memory::new();
    empty.script("command -v rpm", [Scripted::stdout("kiln:end\n")]);
    fails(empty, "no package database below `/`").await;
    let broken = machine();
    broken.script("rpm --root", [Scripted::status(1).stderr("rpmdb: corrupt")]);
    fails(broken, "rpmdb: corrupt").await;
    let cut = machine();
    cut.script("cat \"$R/var/lib/dpkg/status\"", [Scripted::disconnect()]);
    fails(cut, "the connection broke").await;
    assert!(!Path::new("x.json").exists());
}

#[tokio::test]
async fn a_document_in_the_machine_is_fetched_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("{}/", folder.path().display());
    let document = "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\"}";
    let machine = Memory::new();
    machine.store("/a.json", Stored::File(0o600, document.into()));
    machine.store("/b.json", Stored::File(0o600, "{}".into()));
    let options = |source| {
        [
            ("source", source),
            ("destination", target.as_str()),
            ("sbom_name", "my-sbom"),
        ]
    };
    let done = provision(HcpSbom, folder.path(), &options("/a.json"), machine.clone()).await;
    done.outcome.unwrap();
    let kept = std::fs::read_to_string(folder.path().join("my-sbom.cdx.json")).unwrap();
    assert_eq!(kept, document);
    for (source, part) in [("/b.json", "neither a CycloneDX"), ("/c.json", "/c.json")] {
        let done = provision(HcpSbom, folder.path(), &options(source), machine.clone()).await;
        let failure = done.outcome.unwrap_err();
        assert!(failure.message.contains(part), "{failure}");
    }
}

#[tokio::test]
async fn a_generated_document_is_kept_and_its_failure_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("{}/g.json", folder.path().display());
    let options = [("auto_generate", "true"), ("destination", target.as_str())];
    let done = provision(HcpSbom, folder.path(), &options, machine()).await;
    done.outcome.unwrap();
    assert_eq!(json(Path::new(&target))["bomFormat"], "CycloneDX");

    let done = provision(HcpSbom, folder.path(), &options, Memory::new()).await;
    assert!(done.outcome.is_ok());
    let said = done.said().join("\n");
    assert!(said.contains("SBOM generation failed: "), "{said}");
    assert!(said.ends_with("Build will continue without SBOM"), "{said}");
}

async fn attest(folder: &Path, options: &[(&str, &str)]) -> Result<(), String> {
    let file = folder.join("disk.bin");
    std::fs::write(&file, "abc").unwrap();
    let artifact = Artifact {
        files: vec![file],
        ..Artifact::default()
    };
    let options: Value = options.iter().copied().collect();
    let host = FakeHost::new().with_build(build(folder));
    let done = host.post_process(SbomPostProcessor, options, artifact, Value::null());
    done.await
        .outcome
        .map(drop)
        .map_err(|failure| failure.message)
}

#[tokio::test]
async fn a_folder_or_a_document_is_attested() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir_all(root.join("var/lib/dpkg")).unwrap();
    std::fs::write(root.join("var/lib/dpkg/status"), DPKG).unwrap();
    let source = root.display().to_string();
    attest(folder.path(), &[("source", &source), ("format", "spdx")])
        .await
        .unwrap();
    let statement = json(&folder.path().join("web.disk.bin.sbom.att.json"));
    assert_eq!(statement["predicateType"], "https://spdx.dev/Document");
    assert_eq!(statement["subject"][0]["name"], "disk.bin");
    let document = folder.path().join("web.disk.bin.sbom.spdx.json");
    assert_eq!(statement["predicate"], json(&document));

    let source = document.display().to_string();
    attest(folder.path(), &[("source", &source)]).await.unwrap();
    let again = json(&folder.path().join("web.disk.bin.sbom.att.json"));
    assert_eq!(again["predicate"], statement["predicate"]);

    let fails = async |options: &[(&str, &str)], part: &str| {
        let message = attest(folder.path(), options).await.unwrap_err();
        assert!(message.contains(part), "{message}");
    };
    fails(
        &[("source", &source), ("format", "cyclonedx")],
        "it is SPDX, not CycloneDX",
    )
    .await;
    fails(&[("source", "no-such")], "cannot read `no-such`").await;
    fails(&[], "no disk image").await;
}
