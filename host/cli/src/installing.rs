//! What commands that install plugins have in common.

use std::path::PathBuf;

use host_install::{InstallError, Installer, Keys, Origin, Placed, Watcher, base_url};
use host_plugin_client::Settings;
use host_ui::Ui;

use crate::arguments::OriginArguments;
use crate::world::World;

/// Where plugins of the owner `hashicorp` are published.
const HASHICORP_URL: &str = "https://releases.hashicorp.com";
/// Where GitHub lists releases.
const GITHUB_API_URL: &str = "https://api.github.com";
/// Where GitHub has their files.
const GITHUB_URL: &str = "https://github.com";

/// What shows progress.
pub struct Shown<'a>(pub &'a Ui);

impl Watcher for Shown<'_> {
    fn progress(&self, what: &str, done: u64, total: Option<u64>) {
        self.0.download(what, done, total);
    }

    fn ended(&self, what: &str) {
        self.0.download_ended(what);
    }
}

/// What installs into `tree`, as flags and environment say. The token is a secret from now on.
///
/// # Errors
///
/// When an address or the keys cannot be used.
pub fn installer<'a>(
    world: &World,
    origin: &OriginArguments,
    tree: PathBuf,
    settings: &'a Settings,
    shown: &'a Shown<'a>,
) -> Result<Installer<'a>, InstallError> {
    let variable = |name: &str| world.variable(name).filter(|value| !value.is_empty());
    let mirror = origin.mirror.as_deref();
    let origins = match mirror.or_else(|| variable("KILN_PLUGIN_MIRROR")) {
        Some(mirror) => vec![Origin::mirror(mirror, &world.working_dir)?],
        None => {
            let url = |name: &str, usual: &str| base_url(variable(name).unwrap_or(usual));
            vec![
                Origin::HashiCorp(url("KILN_HASHICORP_RELEASES_URL", HASHICORP_URL)?),
                Origin::GitHub {
                    api: url("KILN_GITHUB_API_URL", GITHUB_API_URL)?,
                    site: url("KILN_GITHUB_URL", GITHUB_URL)?,
                },
            ]
        }
    };
    let keys = origin.keys.clone();
    let keys = keys.or_else(|| variable("KILN_PLUGIN_KEYS").map(PathBuf::from));
    let keys = keys.map(|path| Keys::read(&world.working_dir.join(path)));
    let token = variable("PACKER_GITHUB_API_TOKEN").map(str::to_owned);
    if let Some(token) = &token {
        shown.0.redactor().add(token);
    }
    Ok(Installer {
        origins,
        keys: keys.transpose()?,
        github_token: token,
        tree,
        downloads: settings.cache_folder.join("plugins"),
        settings,
        watcher: shown,
    })
}

/// What is said of a plugin that was installed just now.
pub fn installed_line(placed: &Placed) -> String {
    format!(
        "Installed plugin {} v{} in {:?}",
        placed.source,
        placed.version,
        placed.path.display().to_string()
    )
}

/// What is said of a plugin that could not be.
pub fn failed_text(source: &str, error: &InstallError) -> String {
    format!("Failed getting the {source:?} plugin:\n{}", error.report())
}
