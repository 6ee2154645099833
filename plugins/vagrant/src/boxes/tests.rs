//! What is in boxes, read with an ordinary tar.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use kiln_sdk::{Artifact, BuildInfo, Failure, PostProcessed, Value};
use kiln_sdk_test_kit::{FakeHost, check_options};
use serde_json::json;
use tempfile::TempDir;

use super::Vagrant;
use super::config::VagrantConfig;

const OVF: &str = "<Machine><Adapter slot=\"0\" enabled=\"true\" MACAddress=\"080027AABBCC\" \
                   cable=\"true\"/></Machine>";

/// A folder with the files of an artifact.
struct World {
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn artifact(&self, builder_id: &str, files: &[&str]) -> Artifact {
        let files = files.iter().map(|name| self.write(name, name));
        Artifact {
            builder_id: builder_id.to_owned(),
            id: "VM".to_owned(),
            files: files.collect(),
            description: format!("VM files in directory: {}", self.path("out").display()),
            ..Artifact::default()
        }
    }

    async fn run(&self, input: Artifact, mut options: Value) -> Result<PostProcessed, Failure> {
        if options.get("output").is_none() {
            options.insert("output", self.path("b.box").display().to_string());
        }
        if options.get("architecture").is_none() {
            options.insert("architecture", "amd64");
        }
        let build = BuildInfo {
            source_name: "debian".to_owned(),
            ..BuildInfo::default()
        };
        let host = FakeHost::new().with_build(build);
        let run = host
            .post_process(Vagrant, options, input, Value::null())
            .await;
        assert_eq!(run.left, []);
        run.outcome
    }

    /// The files of the box that `input` becomes.
    async fn files(&self, input: Artifact, options: Value) -> BTreeMap<String, String> {
        let result = self.run(input, options).await.unwrap();
        unpacked(&result.artifact.unwrap().files[0])
    }
}

fn unpacked(path: &Path) -> BTreeMap<String, String> {
    let data = std::fs::read(path).unwrap();
    let reader: Box<dyn Read> = if data.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::read::MultiGzDecoder::new(std::io::Cursor::new(
            data,
        )))
    } else {
        Box::new(std::io::Cursor::new(data))
    };
    let mut archive = tar::Archive::new(reader);
    let members = archive.entries().unwrap();
    let read = members.map(|member| {
        let mut member = member.unwrap();
        let name = member.path().unwrap().display().to_string();
        let mut text = String::new();
        member.read_to_string(&mut text).unwrap();
        (name, text)
    });
    read.collect()
}

fn options<const N: usize>(options: [(&str, Value); N]) -> Value {
    options.into_iter().collect()
}

fn none() -> Value {
    Value::empty_map()
}

fn metadata(files: &BTreeMap<String, String>) -> serde_json::Value {
    serde_json::from_str(&files["metadata.json"]).unwrap()
}

fn names(files: &BTreeMap<String, String>) -> Vec<&str> {
    files.keys().map(String::as_str).collect()
}

fn qemu(world: &World, files: &[&str], accelerator: &str) -> Artifact {
    let mut artifact = world.artifact("transcend.qemu", files);
    artifact.state.insert("diskName", "vm");
    artifact.state.insert("diskType", "qcow2");
    artifact.state.insert("domainType", accelerator);
    artifact
}

#[tokio::test]
async fn libvirt_gets_the_disks_by_number_and_nothing_else() {
    let world = World::new();
    let files = [
        "out/vm",
        "out/vm-1",
        "out/vm-10",
        "out/vm-2",
        "out/efivars.fd",
        "out/vmx",
    ];
    let files = world.files(qemu(&world, &files, "tcg"), none()).await;
    assert_eq!(
        names(&files),
        [
            "Vagrantfile",
            "box_0.img",
            "box_1.img",
            "box_2.img",
            "box_3.img",
            "metadata.json"
        ]
    );
    assert_eq!(files["box_2.img"], "out/vm-2");
    assert_eq!(files["box_3.img"], "out/vm-10");
    let disk = |number: u32| json!({ "format": "qcow2", "path": format!("box_{number}.img") });
    let expected = json!({
        "architecture": "amd64",
        "provider": "libvirt",
        "disks": [disk(0), disk(1), disk(2), disk(3)],
    });
    assert_eq!(metadata(&files), expected);
    assert!(files["Vagrantfile"].contains("libvirt.driver = \"qemu\""));
}

#[tokio::test]
async fn libvirt_says_what_it_cannot_use() {
    let world = World::new();
    let xen = qemu(&world, &["out/vm"], "xen");
    let failure = world.run(xen, none()).await.unwrap_err();
    assert_eq!(failure.message, "Unknown libvirt domain type: xen");
    let bare = world.artifact("transcend.qemu", &["out/vm"]);
    let failure = world.run(bare, none()).await.unwrap_err();
    assert!(
        failure.message.contains("does not tell its diskType"),
        "{failure}"
    );
    let empty = qemu(&world, &["out/other"], "kvm");
    let failure = world.run(empty, none()).await.unwrap_err();
    assert!(failure.message.contains("is a disk of `vm`"), "{failure}");
    assert!(!world.path("b.box").exists());
}

#[tokio::test]
async fn virtualbox_gets_its_appliance_as_box_ovf() {
    let world = World::new();
    let mut artifact = world.artifact("mitchellh.virtualbox", &["out/d.vmdk", "out/m.mf"]);
    artifact.files.push(world.write("out/debian.ovf", OVF));
    let files = world.files(artifact, none()).await;
    assert_eq!(
        names(&files),
        ["Vagrantfile", "box.ovf", "d.vmdk", "m.mf", "metadata.json"]
    );
    assert_eq!(files["box.ovf"], OVF);
    assert!(files["Vagrantfile"].contains("config.vm.base_mac = \"080027AABBCC\""));
    assert_eq!(metadata(&files)["provider"], "virtualbox");
}

#[tokio::test]
async fn an_ova_is_unpacked_flat_and_cannot_leave_the_box() {
    let world = World::new();
    let ova = world.path("debian.ova");
    let mut archive = tar::Builder::new(std::fs::File::create(&ova).unwrap());
    for (name, text) in [("debian.ovf", OVF), ("deep/disk.vmdk", "disk")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        archive
            .append_data(&mut header, name, text.as_bytes())
            .unwrap();
    }
    // A name that the library would refuse to write.
    let mut header = tar::Header::new_gnu();
    header.set_size(4);
    let name = b"../../escaped";
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_cksum();
    archive.append(&header, b"evil".as_slice()).unwrap();
    archive.finish().unwrap();
    let mut artifact = world.artifact("mitchellh.virtualbox", &[]);
    artifact.files.push(ova);
    let files = world.files(artifact, none()).await;
    assert_eq!(
        names(&files),
        [
            "Vagrantfile",
            "box.ovf",
            "disk.vmdk",
            "escaped",
            "metadata.json"
        ]
    );
    assert_eq!(
        (files["box.ovf"].as_str(), files["disk.vmdk"].as_str()),
        (OVF, "disk")
    );
}

#[tokio::test]
async fn virtualbox_says_what_is_wrong_with_an_appliance() {
    let world = World::new();
    for (files, expected) in [
        (vec!["a.vmdk"], "ovf file couldn't be found"),
        (
            vec!["a.ovf", "b.ovf"],
            "More than one OVF file in VirtualBox artifact.",
        ),
        (vec!["a.ovf"], "can't find base mac address in OVF"),
    ] {
        let artifact = world.artifact("mitchellh.virtualbox", &files);
        let failure = world.run(artifact, none()).await.unwrap_err();
        assert_eq!(failure.message, expected);
    }
}

/// The Vagrantfile of a box that is only settings.
async fn settings(builder_id: &str, id: &str, description: &str) -> (String, String, bool) {
    let world = World::new();
    let mut artifact = world.artifact(builder_id, &[]);
    id.clone_into(&mut artifact.id);
    description.clone_into(&mut artifact.description);
    let result = world.run(artifact, none()).await.unwrap();
    let files = unpacked(&result.artifact.unwrap().files[0]);
    assert_eq!(
        names(&files),
        ["Vagrantfile", "metadata.json"],
        "{builder_id}"
    );
    let provider = metadata(&files)["provider"].as_str().unwrap().to_owned();
    (provider, files["Vagrantfile"].clone(), result.keep_input)
}

#[tokio::test]
async fn clouds_get_settings_that_point_to_their_images() {
    let azure = "Azure.ResourceManagement.VMImage:\n\nOSType: Linux\nManagedImageId: /s/img\n\
                 ManagedImageLocation: westeurope\n";
    let disk = "OSType: Windows\nOSDiskUri: https://x/d.vhd\nStorageAccountLocation: here";
    for (builder, id, description, provider, lines) in [
        (
            "mitchellh.amazonebs",
            "eu-west-1:ami-1,us-east-1:ami-2",
            "",
            "aws",
            vec![
                "aws.region_config \"eu-west-1\", ami: \"ami-1\"",
                "aws.region_config \"us-east-1\", ami: \"ami-2\"",
            ],
        ),
        (
            "pearkes.digitalocean",
            "nyc3:123",
            "",
            "digital_ocean",
            vec![
                "digital_ocean.image = \"123\"",
                "digital_ocean.region = \"nyc3\"",
            ],
        ),
        (
            "hashicorp.scaleway",
            "par1:abc",
            "",
            "scaleway",
            vec!["scaleway.image = \"abc\"", "scaleway.region = \"par1\""],
        ),
        (
            "packer.googlecompute",
            "img",
            "",
            "google",
            vec!["google.image = \"img\""],
        ),
        (
            "Azure.ResourceManagement.VMImage",
            "",
            azure,
            "azure",
            vec![
                "azure.location = \"westeurope\"",
                "azure.vm_managed_image_id = \"/s/img\"",
                "override.winrm.port = 5986",
            ],
        ),
        (
            "Azure.ResourceManagement.VMImage",
            "",
            disk,
            "azure",
            vec![
                "azure.vm_vhd_uri = \"https://x/d.vhd\"",
                "azure.vm_operating_system = \"Windows\"",
            ],
        ),
        (
            "packer.post-processor.docker-tag",
            "team/app:1",
            "",
            "docker",
            vec!["docker.image = \"team/app:1\""],
        ),
        (
            "packer.googlecompute",
            "\"; system(\"x#{1}\")",
            "",
            "google",
            vec!["google.image = \"\\\"; system(\\\"x\\#{1}\\\")\""],
        ),
    ] {
        let (found, vagrantfile, keep) = settings(builder, id, description).await;
        assert_eq!(found, provider);
        assert_eq!(keep, provider != "docker", "{builder}");
        for line in lines {
            assert!(vagrantfile.contains(line), "no {line:?} in {vagrantfile}");
        }
    }
}

#[tokio::test]
async fn an_identity_in_another_form_is_refused() {
    for builder in [
        "mitchellh.amazonebs",
        "pearkes.digitalocean",
        "hashicorp.scaleway",
    ] {
        let world = World::new();
        let artifact = world.artifact(builder, &[]);
        let failure = world.run(artifact, none()).await.unwrap_err();
        assert_eq!(failure.message, "Poorly formatted artifact ID: VM");
    }
}

#[tokio::test]
async fn folders_are_kept_where_providers_need_them() {
    let world = World::new();
    let files = [
        "out/Virtual Machines/a.vmcx",
        "out/Virtual Hard Disks/d.vhdx",
    ];
    let files = world
        .files(world.artifact("MSOpenTech.hyperv", &files), none())
        .await;
    assert!(files.contains_key("Virtual Machines/a.vmcx"), "{files:?}");
    let files = [
        "out/d.pvm/config.pvs",
        "out/d.pvm/harddisk.hdd/disk",
        "out/d.pvm/parallels.log",
        "out/d.pvm/x.app/y",
        "out/d.pvm/Windows Disks/c",
        "out/elsewhere",
    ];
    let files = world
        .files(world.artifact("packer.parallels", &files), none())
        .await;
    assert_eq!(
        names(&files),
        [
            "Vagrantfile",
            "d.pvm/config.pvs",
            "d.pvm/harddisk.hdd/disk",
            "metadata.json"
        ]
    );
    let none_of_it = world.artifact("packer.parallels", &["out/elsewhere"]);
    let failure = world.run(none_of_it, none()).await.unwrap_err();
    assert_eq!(failure.message, "No VM file found in source artifact");
}

#[tokio::test]
async fn flat_boxes_have_every_file_and_their_own_name_in_the_metadata() {
    for (builder, provider) in [
        ("vmware.desktop", "vmware_desktop"),
        ("mitchellh.vmware-esx", "vmware_desktop"),
        ("ustream.lxc", "lxc"),
        ("packer.file", "file"),
    ] {
        let world = World::new();
        let files = world
            .files(world.artifact(builder, &["out/a", "out/b"]), none())
            .await;
        assert_eq!(
            names(&files),
            ["Vagrantfile", "a", "b", "metadata.json"],
            "{builder}"
        );
        assert_eq!(metadata(&files)["provider"], provider);
        let version = metadata(&files)["version"].clone();
        assert_eq!(version == "1.0.0", provider == "lxc", "{version}");
    }
}

#[tokio::test]
async fn the_template_adds_files_and_the_end_of_the_vagrantfile() {
    let world = World::new();
    let custom = world.write(
        "v.rb",
        "# {{ .Provider }} {{ .BuildName }} {{ .Architecture }}",
    );
    let include = world.write("inc/metadata.json", "{\"mine\": true}");
    let readme = world.write("inc/README", "read");
    let include = vec![
        Value::from(include.display().to_string()),
        readme.display().to_string().into(),
    ];
    let options = options([
        ("vagrantfile_template", custom.display().to_string().into()),
        ("include", Value::from(include)),
        ("architecture", "arm64".into()),
    ]);
    let files = world
        .files(world.artifact("packer.file", &["out/a"]), options)
        .await;
    assert_eq!(
        names(&files),
        ["README", "Vagrantfile", "a", "metadata.json"]
    );
    assert_eq!(files["metadata.json"], "{\"mine\": true}");
    assert!(files["Vagrantfile"].ends_with("# file debian arm64\n"));
}

#[tokio::test]
async fn options_for_one_provider_win_for_that_one() {
    let world = World::new();
    let output = world.path("{{ .Provider }}.box").display().to_string();
    let plain = options([("compression_level", Value::from(0_u64))]);
    let docker = options([("architecture", "s390x".into())]);
    let options = options([
        ("output", output.into()),
        ("override", options([("file", plain), ("docker", docker)])),
    ]);
    let result = world
        .run(world.artifact("packer.file", &["out/a"]), options)
        .await;
    let artifact = result.unwrap().artifact.unwrap();
    assert_eq!(artifact.files, [world.path("file.box")]);
    assert_eq!(artifact.id, "file");
    let data = std::fs::read(world.path("file.box")).unwrap();
    assert!(data.starts_with(b"Vagrantfile"), "it is compressed");
    assert_eq!(
        metadata(&unpacked(&world.path("file.box")))["architecture"],
        "amd64"
    );
}

async fn refused(options_given: Value) -> String {
    let world = World::new();
    let run = world
        .run(world.artifact("packer.file", &["out/a"]), options_given)
        .await;
    let failure = run.unwrap_err();
    let problems = failure.diagnostics.iter();
    let texts =
        problems.map(|problem| format!("{}: {} {}", problem.path, problem.detail, problem.hint));
    texts.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn wrong_options_are_refused_where_they_stand() {
    let inner = |name: &str, value: Value| {
        options([("override", options([("libvirt", options([(name, value)]))]))])
    };
    for (given, place, text) in [
        (
            options([("compression_level", 10_u64.into())]),
            "compression_level",
            "from -1 to 9",
        ),
        (
            options([("provider_override", "bhyve".into())]),
            "provider_override",
            "libvirt",
        ),
        (
            options([("vagrantfile_template", "none".into())]),
            "vagrantfile_template",
            "exist",
        ),
        (options([("output", "{{ .Broken".into())]), "output", ""),
        (
            inner("compression_level", 77_u64.into()),
            "override[\"libvirt\"][\"compression_level\"]",
            "77",
        ),
        (
            inner("outputs", "x".into()),
            "override[\"libvirt\"][\"outputs\"]",
            "Use ",
        ),
    ] {
        let problems = refused(given).await;
        let fits = problems
            .lines()
            .any(|line| line.starts_with(place) && line.contains(text));
        assert!(fits, "{place}: {problems}");
    }
}

#[tokio::test]
async fn the_provider_of_files_from_elsewhere_has_to_be_named() {
    let world = World::new();
    let artifact = || world.artifact(super::ARTIFICE, &["out/a.vmx"]);
    let failure = world.run(artifact(), none()).await.unwrap_err();
    assert!(failure.message.contains("provider_override"), "{failure}");
    let named = options([("provider_override", "vmware".into())]);
    assert!(world.files(artifact(), named).await.contains_key("a.vmx"));
    let other = world.artifact("lxd", &[]);
    let failure = world.run(other, none()).await.unwrap_err();
    assert_eq!(
        failure.message,
        "no Vagrant provider is known for an artifact of `lxd`; set `provider_override`"
    );
}

#[test]
fn options_are_documented() {
    check_options::<VagrantConfig>();
}
