//! `kiln lsp`.

use host_plugin_client::Prereleases;
use host_ui::{Outlet, Patience};

use crate::arguments::LspArguments;
use crate::world::World;
use crate::{exit, needed, version};

/// Serves an editor on standard input and output until it ends the session. Nothing else may be
/// printed, so failures are for the log and the exit code.
pub async fn run(world: &World, arguments: &LspArguments) -> u8 {
    if !arguments.stdio {
        tracing::error!("standard input and output are the only way to talk to an editor");
        return exit::FAILED;
    }
    let surroundings = host_lsp::World {
        settings: world.settings(),
        needs: host_lsp::NeedsOf::new({
            let world = world.clone();
            move |template, options| needed::needs(&world, template, options, Prereleases::Used)
        }),
        core_version: version::PACKER.to_owned(),
        version: version::KILN.to_owned(),
        started_at_unix_nanos: world.started_at_unix_nanos,
    };
    // Some editors make pipes that do not block.
    let output = Outlet::new(std::io::stdout(), Patience::default());
    match host_lsp::serve(surroundings, std::io::stdin(), output).await {
        Ok(host_lsp::Ended::Properly) => exit::DONE,
        Ok(host_lsp::Ended::Abruptly) => exit::FAILED,
        Err(error) => {
            tracing::error!(%error, "the editor is gone");
            exit::FAILED
        }
    }
}
