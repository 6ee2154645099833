//! Becoming the plugin that lists packages: `kiln sbom-generate`, which is in no help text.
//!
//! The plugin that came with kiln reads the words and answers on standard output itself; the host
//! knows neither databases of packages nor formats of documents.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use host_plugin_client::Settings;

use crate::exit;

/// The command, and what the plugin is started with.
const WORD: &str = "sbom-generate";
const PLUGIN: &str = "kiln-plugin-supply-chain";

/// Becomes the plugin when the command line asks for it; gives the status to end with when that
/// failed, and nothing when something else is asked for.
pub(crate) fn become_plugin() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != WORD {
        return None;
    }
    let executable = std::env::current_exe().and_then(|path| path.canonicalize());
    let settings = executable.map(|path| Settings::from_environment(&path, &BTreeMap::new()));
    let folders = settings.map(|settings| settings.plugin_folders);
    let mut plugins = folders.iter().flatten().map(|folder| folder.join(PLUGIN));
    let problem = match plugins.find(|plugin| plugin.is_file()) {
        Some(plugin) => {
            let error = Command::new(&plugin).arg(WORD).args(words).exec();
            format!("`{}` cannot be started: {error}", plugin.display())
        }
        None => format!("`{PLUGIN}` is missing; put it beside kiln, where it came"),
    };
    // Standard output is for the document.
    drop(writeln!(std::io::stderr(), "kiln: {problem}"));
    Some(ExitCode::from(exit::FAILED))
}
