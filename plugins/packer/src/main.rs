//! The bridge: runs a plugin that was made for Packer, unmodified, as a plugin of kiln.
//!
//! The host starts it with the path of the plugin in its environment. [`description`] asks the
//! plugin what it offers, [`component`] presents each of that to the host, [`process`](mod@process)
//! starts the plugin's process for one component and ends it, [`run`] carries a run between the
//! two. Not here: the wire itself, which is `sdk-packer-protocol`, and finding plugins, which is
//! the host's.

mod component;
mod description;
mod options;
mod process;
mod run;
mod values;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use kiln_sdk::Plugin;
use plugin_wire::handshake::{COOKIE_VARIABLE, PACKER_NAME_VARIABLE, PACKER_PLUGIN_VARIABLE};

use component::Bridged;
use description::Description;
use process::Executable;

fn main() -> ExitCode {
    if let Some(status) = process::run_as_launcher() {
        return status;
    }
    let version = env!("CARGO_PKG_VERSION");
    let path = std::env::var_os(PACKER_PLUGIN_VARIABLE).map(PathBuf::from);
    let started_by_host = std::env::var_os(COOKIE_VARIABLE).is_some();
    let Some(path) = path.filter(|path| path.is_absolute() && started_by_host) else {
        // Without a plugin there is nothing to offer; started by hand it says what it is.
        return Plugin::new("packer", version).serve();
    };
    match bridge(path) {
        Ok(plugin) => plugin.serve(),
        Err(error) => {
            description::complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// What the plugin at `path` offers, as a plugin of kiln.
fn bridge(path: PathBuf) -> Result<Plugin, description::DescribeError> {
    let described = Description::of(&path)?;
    let family = std::env::var(PACKER_NAME_VARIABLE).ok();
    let family = family.filter(|name| !name.is_empty());
    let family = family.unwrap_or_else(|| description::name_of(&path));
    let executable = Arc::new(Executable::new(path, described.encoding()));
    // Packer's plugins cannot declare what they need; most talk to a cloud or to a machine.
    let plugin = Plugin::new(&family, &described.version).needs(["network"]);
    let offered = described.components(&family);
    Ok(offered.into_iter().fold(plugin, |plugin, offered| {
        let component = Bridged::new(Arc::clone(&executable), offered.kind, offered.raw_name);
        plugin.component(offered.name, Arc::new(component))
    }))
}
