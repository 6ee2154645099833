//! The kinds of components.

/// A kind of component in Packer's plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Makes a machine and an artifact.
    Builder,
    /// Changes a machine.
    Provisioner,
    /// Works on an artifact.
    PostProcessor,
    /// Looks something up.
    Datasource,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Builder,
        Self::Provisioner,
        Self::PostProcessor,
        Self::Datasource,
    ];

    /// The name of the service that answers its calls.
    #[must_use]
    pub fn service(self) -> &'static str {
        match self {
            Self::Builder => "Builder",
            Self::Provisioner => "Provisioner",
            Self::PostProcessor => "PostProcessor",
            Self::Datasource => "Datasource",
        }
    }

    /// The word on a plugin's command line.
    #[must_use]
    pub fn argument(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Provisioner => "provisioner",
            Self::PostProcessor => "post-processor",
            Self::Datasource => "datasource",
        }
    }
}
