//! What this executable offers, as Packer asks for it.

use std::io::Write;
use std::process::ExitCode;

use sdk_packer_protocol::Kind as PackerKind;
use serde::Serialize;

use crate::component::Kind;
use crate::plugin::Plugin;

/// The component whose name in templates is the plugin's own.
const DEFAULT_NAME: &str = "-packer-default-plugin-name-";

/// The version of the calls.
const API_VERSION: &str = "x5.0";

/// Says that `--protobuf` is understood.
const PROTOCOL_VERSION: &str = "v2";

#[derive(Serialize)]
struct Description<'a> {
    version: &'a str,
    sdk_version: &'a str,
    api_version: &'a str,
    builders: Vec<String>,
    post_processors: Vec<String>,
    provisioners: Vec<String>,
    datasources: Vec<String>,
    protocol_version: &'a str,
}

/// Prints the description to standard output.
pub(super) fn print(plugin: &Plugin) -> ExitCode {
    let mut line = text(plugin);
    line.push('\n');
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(line.as_bytes());
    match written.and_then(|()| stdout.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever asked has closed the other end.
        Err(_) => ExitCode::FAILURE,
    }
}

pub(super) fn text(plugin: &Plugin) -> String {
    let description = Description {
        version: &plugin.version,
        sdk_version: env!("CARGO_PKG_VERSION"),
        api_version: API_VERSION,
        builders: names(plugin, Kind::Builder),
        post_processors: names(plugin, Kind::PostProcessor),
        provisioners: names(plugin, Kind::Provisioner),
        datasources: names(plugin, Kind::DataSource),
        protocol_version: PROTOCOL_VERSION,
    };
    serde_json::to_string(&description).expect("texts and lists of texts have a JSON form")
}

fn names(plugin: &Plugin, kind: Kind) -> Vec<String> {
    let components = plugin.components.iter();
    let mut names: Vec<String> = components
        .filter(|(_, component)| component.kind() == kind)
        .map(|(name, _)| to_packer(&plugin.family, name).to_owned())
        .collect();
    names.sort_unstable();
    names
}

/// Packer puts the plugin's name and a dash before the name of a component; what has them already
/// loses them, so that templates name it as kiln's do.
fn to_packer<'n>(family: &str, name: &'n str) -> &'n str {
    if name == family {
        return DEFAULT_NAME;
    }
    let rest = name.strip_prefix(family);
    rest.and_then(|rest| rest.strip_prefix('-')).unwrap_or(name)
}

/// The component's own name for one that Packer asks for.
pub(super) fn own_name(plugin: &Plugin, kind: Kind, name: &str) -> Option<String> {
    let components = plugin.components.iter();
    components
        .filter(|(_, component)| component.kind() == kind)
        .find(|(own, _)| to_packer(&plugin.family, own) == name)
        .map(|(own, _)| own.clone())
}

/// The kind that a word on the command line means, in kiln's terms and on the wire.
pub(super) fn kind(word: &str) -> Option<(Kind, PackerKind)> {
    let kind = PackerKind::ALL
        .into_iter()
        .find(|kind| kind.argument() == word)?;
    Some((
        match kind {
            PackerKind::Builder => Kind::Builder,
            PackerKind::Provisioner => Kind::Provisioner,
            PackerKind::PostProcessor => Kind::PostProcessor,
            PackerKind::Datasource => Kind::DataSource,
        },
        kind,
    ))
}
