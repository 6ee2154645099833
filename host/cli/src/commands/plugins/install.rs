//! `kiln plugins install`.

use host_install::{Again, InstallError, Wanted};
use host_template::{Constraints, SourceAddress};
use host_ui::Ui;
use tokio_util::sync::CancellationToken;

use super::tree;
use crate::arguments::InstallArguments;
use crate::commands::build::usage;
use crate::installing::{Shown, failed_text, installed_line, installer};
use crate::world::World;
use crate::{exit, signals};

/// Installs a plugin from where it is published, or a file of this machine.
pub async fn run(world: &World, ui: &Ui, arguments: &InstallArguments) -> u8 {
    let wrong = |message: &str| usage(ui, message, "plugins install");
    let (source, constraint) = match arguments.template.template.as_slice() {
        [source] => (source, None),
        [source, constraint] => (source, Some(constraint)),
        words => {
            let count = words.len();
            return wrong(&format!(
                "Invalid arguments, expected either 1 or 2 positional arguments, got {count}"
            ));
        }
    };
    let source = match SourceAddress::parse(source) {
        Ok(source) => source,
        Err(error) => return wrong(&format!("Invalid plugin source: {error}.")),
    };
    let constraints = match constraint.map(|text| Constraints::parse(text)).transpose() {
        Ok(constraints) => constraints,
        Err(error) => return wrong(&format!("Invalid version constraint: {error}.")),
    };
    if let Some(limits) = constraints
        .as_ref()
        .filter(|limits| limits.name_prerelease())
    {
        ui.error(&format!(
            "Unsupported prerelease for constraint \"{limits}\": only releases are downloaded. A \
             development version is installed with -path."
        ));
        return exit::FAILED;
    }
    if arguments.path.is_some() && constraints.is_some() {
        return wrong("A file is one version already; -path and a constraint exclude each other.");
    }
    let cancel = CancellationToken::new();
    signals::watch(ui, &cancel);
    let work = Box::pin(install(world, ui, arguments, (&source, constraints)));
    match cancel.run_until_cancelled(work).await {
        Some(Ok(status)) => status,
        Some(Err(error)) => {
            ui.error(&failed_text(source.as_str(), &error));
            exit::FAILED
        }
        None => {
            ui.error("Interrupted; the download goes on where it ended when it is run again.");
            exit::FAILED
        }
    }
}

async fn install(
    world: &World,
    ui: &Ui,
    arguments: &InstallArguments,
    (source, constraints): (&SourceAddress, Option<Constraints>),
) -> Result<u8, InstallError> {
    let tree = match tree(world, ui) {
        Ok(tree) => tree,
        Err(status) => return Ok(status),
    };
    let (settings, shown) = (world.settings(), Shown(ui));
    let installer = installer(world, &arguments.origin, tree, &settings, &shown)?;
    if let Some(path) = &arguments.path {
        let path = world.working_dir.join(path);
        let placed = installer.install_file(&path, source).await?;
        ui.say(&format!(
            "Successfully installed plugin {source} from {} to {}",
            path.display(),
            placed.path.display()
        ));
        return Ok(exit::DONE);
    }
    let wanted = Wanted {
        source: source.clone(),
        constraints: constraints.into_iter().collect(),
        locked: None,
        again: match arguments.force {
            true => Again::Replace,
            false => Again::Keep,
        },
    };
    for placed in installer.install_all(std::slice::from_ref(&wanted)).await {
        let placed = placed?;
        if placed.is_new {
            ui.say(&installed_line(&placed));
        }
    }
    Ok(exit::DONE)
}
