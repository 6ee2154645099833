//! What a template needs of the plugins that are installed.

use std::path::PathBuf;

use host_template::{ComponentKind, RequiredPlugin, Version};

/// What a template needs of the plugins that are installed.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// The components it uses; nothing else is looked for.
    pub components: Vec<(ComponentKind, String)>,
    /// The plugins it asks for.
    pub required: Vec<RequiredPlugin>,
    /// What its lock file holds.
    pub locked: Vec<Locked>,
    /// The folder beside the template with plugins of its own, which are used for what it asks for.
    pub vendored: Option<PathBuf>,
    /// Which versions are welcome.
    pub prereleases: Prereleases,
}

/// Which versions are welcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prereleases {
    /// All of them.
    #[default]
    Used,
    /// Releases only.
    Ignored,
}

/// A plugin in a lock file.
#[derive(Clone, Debug)]
pub struct Locked {
    /// Its source.
    pub source: String,
    /// Its version.
    pub version: Version,
    /// SHA-256 of its executable for this platform, in hexadecimal, when the file has it.
    pub sha256: Option<String>,
}

impl Needs {
    /// What the lock file holds of a plugin.
    pub(crate) fn locked(&self, source: &str) -> Option<&Locked> {
        self.locked.iter().find(|locked| locked.source == source)
    }
}

/// Whether a component called `component` would come from the plugin that templates call `plugin`.
pub(crate) fn is_of(plugin: &str, component: &str) -> bool {
    let rest = component.strip_prefix(plugin);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
