//! The providers there are boxes for.

/// Who runs the machine in a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    Aws,
    Azure,
    DigitalOcean,
    Docker,
    File,
    Google,
    HyperV,
    Libvirt,
    Lxc,
    Parallels,
    Scaleway,
    VirtualBox,
    Vmware,
}

/// Every provider with its name in templates.
const ALL: [(Provider, &str); 13] = [
    (Provider::Aws, "aws"),
    (Provider::Azure, "azure"),
    (Provider::DigitalOcean, "digitalocean"),
    (Provider::Docker, "docker"),
    (Provider::File, "file"),
    (Provider::Google, "google"),
    (Provider::HyperV, "hyperv"),
    (Provider::Libvirt, "libvirt"),
    (Provider::Lxc, "lxc"),
    (Provider::Parallels, "parallels"),
    (Provider::Scaleway, "scaleway"),
    (Provider::VirtualBox, "virtualbox"),
    (Provider::Vmware, "vmware"),
];

impl Provider {
    /// The provider of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        ALL.iter()
            .find(|(_, known)| *known == name)
            .map(|(provider, _)| *provider)
    }

    /// Every name, sorted.
    pub(crate) fn names() -> Vec<&'static str> {
        ALL.iter().map(|(_, name)| *name).collect()
    }

    /// Its name in templates, texts and file names.
    pub(crate) fn name(self) -> &'static str {
        ALL.iter()
            .find(|(provider, _)| *provider == self)
            .map_or("", |(_, name)| *name)
    }

    /// Its name in a box's `metadata.json`.
    pub(crate) fn metadata_name(self) -> &'static str {
        match self {
            Self::Vmware => "vmware_desktop",
            Self::DigitalOcean => "digital_ocean",
            other => other.name(),
        }
    }

    /// The provider for artifacts of the builder with this identity.
    ///
    /// # Source
    ///
    /// Packer's `vagrant` post-processor.
    pub(crate) fn of_builder(builder_id: &str) -> Option<Self> {
        Some(match builder_id {
            "mitchellh.amazonebs" | "mitchellh.amazon.instance" => Self::Aws,
            "mitchellh.virtualbox" => Self::VirtualBox,
            "mitchellh.vmware" | "mitchellh.vmware-esx" | "vmware.desktop" => Self::Vmware,
            "pearkes.digitalocean" => Self::DigitalOcean,
            "packer.googlecompute" => Self::Google,
            "hashicorp.scaleway" => Self::Scaleway,
            "packer.parallels" => Self::Parallels,
            "MSOpenTech.hyperv" => Self::HyperV,
            "transcend.qemu" => Self::Libvirt,
            "ustream.lxc" => Self::Lxc,
            "Azure.ResourceManagement.VMImage" => Self::Azure,
            "packer.post-processor.docker-import"
            | "packer.post-processor.docker-tag"
            | "packer.post-processor.docker-push" => Self::Docker,
            "packer.file" => Self::File,
            _ => return None,
        })
    }

    /// Whether the box is only a pointer to the artifact it was made of.
    pub(crate) fn needs_its_input(self) -> bool {
        matches!(
            self,
            Self::Aws | Self::Azure | Self::DigitalOcean | Self::Google | Self::Scaleway
        )
    }
}
