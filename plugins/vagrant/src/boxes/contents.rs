//! What a box for each provider consists of.
//!
//! # Source
//!
//! Packer's `vagrant` post-processor: which files under which names, which metadata, which settings
//! in the Vagrantfile.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use kiln_sdk::archive::{Content, Entry};
use kiln_sdk::{Artifact, Failure};
use regex::Regex;
use serde_json::{Map, Value as Json, json};

use super::provider::Provider;
use super::{base_name, ova};

/// Parts of a Parallels machine that a box does without.
const PARALLELS_SKIPPED: [&str; 5] = [".log", ".backup", ".Backup", ".app/", "/Windows Disks/"];

/// What a provider wants in its box.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// Files, each with what the person building is told about it.
    pub(crate) files: Vec<(String, Entry)>,
    /// The start of `metadata.json`.
    pub(crate) metadata: Map<String, Json>,
    /// The provider's part of the Vagrantfile.
    pub(crate) vagrantfile: String,
}

impl Provider {
    /// What a box of `input` for this provider consists of.
    ///
    /// # Errors
    ///
    /// When the artifact does not have what the provider needs.
    pub(crate) fn contents(self, input: &Artifact) -> Result<Contents, Failure> {
        let mut contents = match self {
            Self::Aws => aws(input)?,
            Self::Azure => azure(input)?,
            Self::DigitalOcean => region_image(input, ":digital_ocean", "digital_ocean")?,
            Self::Scaleway => region_image(input, ":scaleway", "scaleway")?,
            Self::Google => settings(":google", "google", &[("google.image", &input.id)]),
            Self::Docker => settings(
                ":docker",
                "docker, override",
                &[("docker.image", &input.id)],
            ),
            Self::File | Self::Vmware => flat(input),
            Self::Lxc => lxc(input),
            Self::HyperV => hyper_v(input)?,
            Self::Parallels => parallels(input)?,
            Self::Libvirt => libvirt(input)?,
            Self::VirtualBox => virtual_box(input)?,
        };
        let name = self.metadata_name();
        contents.metadata.insert("provider".to_owned(), name.into());
        Ok(contents)
    }
}

/// Contents that are settings only.
fn settings(provider: &str, variables: &str, settings: &[(&str, &str)]) -> Contents {
    let lines: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("{name} = {}", ruby(value)))
        .collect();
    Contents {
        vagrantfile: provider_block(provider, variables, &lines),
        ..Contents::default()
    }
}

/// A Vagrantfile with settings for one provider.
fn provider_block(provider: &str, variables: &str, lines: &[String]) -> String {
    let mut text = format!(
        "Vagrant.configure(\"2\") do |config|\n  config.vm.provider {provider} do |{variables}|\n"
    );
    for line in lines {
        text.push_str(&format!("    {line}\n"));
    }
    text.push_str("  end\nend\n");
    text
}

/// A text in Ruby's words. What comes from an artifact must not become code.
fn ruby(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '#' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn poorly_formatted(input: &Artifact) -> Failure {
    Failure::new(format!("Poorly formatted artifact ID: {}", input.id))
}

/// `region:image`, separated by commas.
fn aws(input: &Artifact) -> Result<Contents, Failure> {
    let mut images = BTreeMap::new();
    for pair in input.id.split(',') {
        match pair.split(':').collect::<Vec<_>>().as_slice() {
            [region, image] => images.insert(*region, *image),
            _ => return Err(poorly_formatted(input)),
        };
    }
    let lines: Vec<String> = images
        .iter()
        .map(|(region, image)| format!("aws.region_config {}, ami: {}", ruby(region), ruby(image)))
        .collect();
    Ok(Contents {
        vagrantfile: provider_block("\"aws\"", "aws", &lines),
        ..Contents::default()
    })
}

/// `region:image`.
fn region_image(input: &Artifact, provider: &str, variable: &str) -> Result<Contents, Failure> {
    let parts: Vec<&str> = input.id.split(':').collect();
    let [region, image] = parts.as_slice() else {
        return Err(poorly_formatted(input));
    };
    let (image_name, region_name) = (format!("{variable}.image"), format!("{variable}.region"));
    let lines = [(image_name.as_str(), *image), (&region_name, *region)];
    Ok(settings(provider, variable, &lines))
}

/// The artifact's description has lines of `name: value`.
fn azure(input: &Artifact) -> Result<Contents, Failure> {
    let facts: BTreeMap<&str, &str> = input
        .description
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect();
    let fact = |name| facts.get(name).copied().unwrap_or_default();
    let mut lines = Vec::new();
    let mut set = |name: &str, value: &str| lines.push(format!("azure.{name} = {}", ruby(value)));
    if !fact("ManagedImageId").is_empty() {
        set("location", fact("ManagedImageLocation"));
        set("vm_managed_image_id", fact("ManagedImageId"));
    } else if !fact("OSDiskUri").is_empty() {
        set("location", fact("StorageAccountLocation"));
        set("vm_vhd_uri", fact("OSDiskUri"));
        set("vm_operating_system", fact("OSType"));
    } else {
        return Err(Failure::new(format!(
            "No managed image nor VHD URI found in artifact: {}",
            input.description
        )));
    }
    lines.push("override.winrm.transport = :ssl".to_owned());
    lines.push("override.winrm.port = 5986".to_owned());
    Ok(Contents {
        vagrantfile: provider_block(":azure", "azure, override", &lines),
        ..Contents::default()
    })
}

/// A file under `name`, with the text Packer has for it.
fn copied(path: &Path, name: String, verb: &str) -> (String, Entry) {
    let content = Content::File(path.to_owned());
    (
        format!("{verb}: {}", path.display()),
        Entry { name, content },
    )
}

/// Every file under its base name.
fn flat(input: &Artifact) -> Contents {
    let files = input.files.iter();
    Contents {
        files: files
            .map(|path| copied(path, base_name(path), "Copying"))
            .collect(),
        ..Contents::default()
    }
}

fn lxc(input: &Artifact) -> Contents {
    let mut contents = flat(input);
    contents
        .metadata
        .insert("version".to_owned(), "1.0.0".into());
    contents
}

/// The tree below the output folder, which the description ends with.
fn hyper_v(input: &Artifact) -> Result<Contents, Failure> {
    let folder = match input.description.split_once(": ") {
        Some((_, folder)) => folder.to_owned(),
        None => {
            return Err(Failure::new(format!(
                "the artifact does not tell its folder: {}",
                input.description
            )));
        }
    };
    let mut contents = Contents::default();
    for path in &input.files {
        let inside = path
            .strip_prefix(&folder)
            .map_err(|_| Failure::new(format!("`{}` is not below `{folder}`", path.display())))?;
        contents
            .files
            .push(copied(path, slashed(inside), "Copying"));
    }
    Ok(contents)
}

/// A relative path with `/`, without what leads out of it.
fn slashed(path: &Path) -> String {
    let parts: Vec<String> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    parts.join("/")
}

/// What is below a folder `NAME.pvm` or `NAME.macvm`.
fn parallels(input: &Artifact) -> Result<Contents, Failure> {
    let mut contents = Contents::default();
    for path in &input.files {
        let text = path.display().to_string();
        let skipped = PARALLELS_SKIPPED
            .iter()
            .any(|part| match part.ends_with('/') {
                true => text.contains(part),
                false => text.ends_with(part),
            });
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        let machine = parts
            .iter()
            .position(|part| part.ends_with(".pvm") || part.ends_with(".macvm"));
        match machine {
            Some(at) if !skipped && at + 1 < parts.len() => {
                let inside: PathBuf = path.iter().skip(at).collect();
                contents
                    .files
                    .push(copied(path, slashed(&inside), "Copying"));
            }
            _ => {}
        }
    }
    if contents.files.is_empty() {
        return Err(Failure::new("No VM file found in source artifact"));
    }
    Ok(contents)
}

/// The disks, which the builder names in the artifact's state.
fn libvirt(input: &Artifact) -> Result<Contents, Failure> {
    let state = |name: &str| {
        let value = input.state.get(name).and_then(kiln_sdk::Value::as_str);
        value.map(str::to_owned).ok_or_else(|| {
            Failure::new(format!(
                "the artifact does not tell its {name}: only artifacts of the qemu builder can \
                 become libvirt boxes"
            ))
        })
    };
    let (format, disk) = (state("diskType")?, state("diskName")?);
    let driver = match state("domainType")?.as_str() {
        "none" | "tcg" | "hvf" => "qemu",
        "kvm" => "kvm",
        other => {
            return Err(Failure::new(format!(
                "Unknown libvirt domain type: {other}"
            )));
        }
    };
    let mut contents = settings(":libvirt", "libvirt", &[("libvirt.driver", driver)]);
    let mut disks = Vec::new();
    for path in disks_of(input, &disk) {
        let name = format!("box_{}.img", disks.len());
        disks.push(json!({ "format": format, "path": name }));
        contents
            .files
            .push(copied(&path, name, "Copying from artifact"));
    }
    if disks.is_empty() {
        return Err(Failure::new(format!(
            "no file of the artifact is a disk of `{disk}`"
        )));
    }
    contents.metadata.insert("disks".to_owned(), disks.into());
    Ok(contents)
}

/// The disk files: the first one and then the additional ones by their number. When a file has just
/// the disk's name, others have to be that name and a number: a log beside it is no disk.
fn disks_of(input: &Artifact, disk: &str) -> Vec<PathBuf> {
    let exact = input.files.iter().any(|path| base_name(path) == disk);
    let mut disks: Vec<(u64, &PathBuf)> = input
        .files
        .iter()
        .filter_map(|path| {
            let name = base_name(path);
            let rest = name.strip_prefix(disk)?;
            let stem = match exact {
                true => rest,
                false => rest.split('.').next().unwrap_or_default(),
            };
            match stem.strip_prefix('-') {
                Some(number) => Some((number.parse().ok()?, path)),
                None if stem.is_empty() => Some((0, path)),
                None => None,
            }
        })
        .collect();
    disks.sort();
    disks.into_iter().map(|(_, path)| path.clone()).collect()
}

/// An appliance: its only OVF as `box.ovf`, and everything else.
fn virtual_box(input: &Artifact) -> Result<Contents, Failure> {
    let mut contents = Contents::default();
    for path in &input.files {
        if path.extension().is_some_and(|extension| extension == "ova") {
            let members = ova::members(path).map_err(|error| {
                Failure::new(format!("cannot read the OVA `{}`: {error}", path.display()))
            })?;
            for member in members {
                let said = format!("Unpacking OVA: {}", path.display());
                contents.files.push((said, member));
            }
        } else {
            let name = base_name(path);
            contents
                .files
                .push(copied(path, name, "Copying from artifact"));
        }
    }
    let mut ovfs = contents
        .files
        .iter_mut()
        .filter(|(_, entry)| entry.name.ends_with(".ovf"));
    let (_, ovf) = ovfs
        .next()
        .ok_or_else(|| Failure::new("ovf file couldn't be found"))?;
    if ovfs.next().is_some() {
        return Err(Failure::new(
            "More than one OVF file in VirtualBox artifact.",
        ));
    }
    let text = ova::text(ovf)
        .map_err(|error| Failure::new(format!("cannot read `{}`: {error}", ovf.name)))?;
    ovf.name = "box.ovf".to_owned();
    let address =
        base_mac(&text).ok_or_else(|| Failure::new("can't find base mac address in OVF"))?;
    contents.vagrantfile = format!(
        "Vagrant.configure(\"2\") do |config|\n  config.vm.base_mac = {}\nend\n",
        ruby(&address)
    );
    Ok(contents)
}

/// The hardware address of the first network adapter.
fn base_mac(ovf: &str) -> Option<String> {
    let adapter = Regex::new(r#"<Adapter slot="0".+?MACAddress="(.+?)""#).ok()?;
    let found = adapter.captures(ovf)?;
    Some(found.get(1)?.as_str().to_owned())
}
