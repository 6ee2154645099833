//! How QEMU runs the guest's code.

/// The values of the option `accelerator`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accelerator {
    /// QEMU's own choice: none is named on its command line.
    None,
    /// The kernel's virtual machines, Linux.
    Kvm,
    /// Translation in software, everywhere.
    Tcg,
    /// The Xen hypervisor.
    Xen,
    /// Intel HAXM, old macOS and Windows.
    Hax,
    /// Apple's hypervisor framework.
    Hvf,
    /// The Windows hypervisor platform.
    Whpx,
}

impl Accelerator {
    const ALL: [Self; 7] = [
        Self::None,
        Self::Kvm,
        Self::Tcg,
        Self::Xen,
        Self::Hax,
        Self::Hvf,
        Self::Whpx,
    ];

    /// The accelerator a template names.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|accelerator| accelerator.name() == name)
    }

    /// Its name in templates and for QEMU.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
            Self::Xen => "xen",
            Self::Hax => "hax",
            Self::Hvf => "hvf",
            Self::Whpx => "whpx",
        }
    }

    /// All names, for messages.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}
