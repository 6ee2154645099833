//! `kiln init`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use host_diag::SourceMap;
use host_install::{Again, InstallError, LockFile, LockedPlugin, Wanted};
use host_plugin_client::tree::Platform;
use host_plugin_client::{Registry, Settings, Shelf, Verified};
use host_template::{Constraints, RequiredPlugin, SourceAddress, Template, Version};
use host_ui::Ui;
use tokio_util::sync::CancellationToken;

use crate::arguments::InitArguments;
use crate::commands::build::usage;
use crate::commands::fix::is_json;
use crate::installing::{Shown, failed_text, installed_line, installer};
use crate::needed::{VENDORED, template_folder};
use crate::world::World;
use crate::{exit, signals, template};

/// What is said when there is nothing to do.
pub const NOTHING_REQUIRED: &str = "No plugins requirement found: the template has no required_plugins block in its packer block, \
     so there is nothing to install. `kiln plugins install SOURCE` installs a plugin by itself.";

/// Installs what a template asks for, and locks it.
pub async fn run(world: &World, ui: &Ui, arguments: &InitArguments) -> u8 {
    let mut options = match template::options(world, &arguments.template, false) {
        Ok(options) => options,
        Err(message) => return usage(ui, &message, "init"),
    };
    if is_json(&options) {
        ui.error(
            "kiln init only works with HCL2 templates: those in JSON cannot say which plugins they \
             need. `kiln plugins install SOURCE` installs one.",
        );
        return exit::FAILED;
    }
    options.unset_variables_allowed = true;
    let mut sources = SourceMap::default();
    let Some(template) = template::load(ui, &options, &mut sources) else {
        return exit::FAILED;
    };
    if template.required_plugins().is_empty() {
        ui.say(NOTHING_REQUIRED);
        return exit::DONE;
    }
    let cancel = CancellationToken::new();
    signals::watch(ui, &cancel);
    let work = Box::pin(install(
        world,
        ui,
        arguments,
        &template,
        template_folder(&options),
    ));
    match cancel.run_until_cancelled(work).await {
        Some(Ok(status)) => status,
        Some(Err(error)) => {
            ui.error(&error.report());
            exit::FAILED
        }
        None => {
            ui.error("Interrupted; downloads go on where they ended when it is run again.");
            exit::FAILED
        }
    }
}

/// The requirements of a template and its modules for one plugin.
struct Requirement {
    source: SourceAddress,
    constraints: Vec<Constraints>,
}

impl Requirement {
    fn allows(&self, version: &Version) -> bool {
        self.constraints.iter().all(|limits| limits.allow(version))
    }
}

async fn install(
    world: &World,
    ui: &Ui,
    arguments: &InitArguments,
    template: &Template,
    folder: PathBuf,
) -> Result<u8, InstallError> {
    let settings = world.settings();
    let own = folder.join(VENDORED);
    let tree = match arguments.vendor {
        true => own.clone(),
        false => match world.plugin_tree() {
            Ok(tree) => tree,
            Err(error) => {
                ui.error(&format!("{error}."));
                return Ok(exit::FAILED);
            }
        },
    };
    let mut places = vec![tree.clone()];
    if own.is_dir() && own != tree {
        places.insert(0, own);
    }
    let mut lock = LockFile::read(&folder)?;
    let registry = Registry::scan(settings.clone()).await;
    let mut wanted = Vec::new();
    for requirement in requirements(template, &registry) {
        let source = requirement.source.to_string();
        let found = newest_installed(&settings, &places, &requirement, &lock).await;
        let one = to_install(requirement, found.as_ref(), &lock, arguments);
        match (one, found) {
            (Some(one), _) => wanted.push(one),
            (None, Some(found)) => {
                let version = &found.name.version;
                if arguments.lock && !lock.plugins.contains_key(&source) {
                    ui.say(&format!(
                        "{source} is installed already and is locked for this platform only; \
                         `kiln init -force` installs it again and locks it for all."
                    ));
                }
                note(
                    &mut lock,
                    &source,
                    (version, &found.sha256),
                    &BTreeMap::new(),
                );
            }
            (None, None) => {}
        }
    }
    let shown = Shown(ui);
    let installer = installer(world, &arguments.origin, tree, &settings, &shown)?;
    let results = installer.install_all(&wanted).await;
    let mut status = exit::DONE;
    for (one, result) in wanted.iter().zip(results) {
        match result {
            Ok(placed) => {
                if placed.is_new {
                    ui.say(&installed_line(&placed));
                }
                let (version, sha256) = (&placed.version, &*placed.sha256);
                note(
                    &mut lock,
                    one.source.as_str(),
                    (version, sha256),
                    &placed.archives,
                );
            }
            Err(error) => {
                ui.error(&failed_text(one.source.as_str(), &error));
                status = exit::FAILED;
            }
        }
    }
    if arguments.lock {
        write_lock(ui, &lock, &folder);
    }
    Ok(status)
}

/// What the template asks for and what no plugin that came with kiln stands for, by source.
fn requirements(template: &Template, registry: &Registry) -> Vec<Requirement> {
    let used = template.used_components();
    let needed = |plugin: &&RequiredPlugin| !registry.stands_for(plugin, &used);
    let mut all: Vec<Requirement> = Vec::new();
    for plugin in template.required_plugins().iter().filter(needed) {
        let same = all
            .iter_mut()
            .find(|one| one.source.as_str() == plugin.source);
        match (same, SourceAddress::parse(&plugin.source)) {
            (Some(same), _) => same.constraints.push(plugin.version.clone()),
            (None, Ok(source)) => all.push(Requirement {
                source,
                constraints: vec![plugin.version.clone()],
            }),
            // The template was refused if one of its sources cannot be read.
            (None, Err(_)) => {}
        }
    }
    all
}

/// The newest installed release that will do; where there is a lock, what the lock has.
async fn newest_installed(
    settings: &Settings,
    places: &[PathBuf],
    requirement: &Requirement,
    lock: &LockFile,
) -> Option<Verified> {
    let here = Platform::current().to_string();
    let locked = locked_for(lock, requirement);
    for place in places {
        let shelf = Shelf::of_source(settings, place, requirement.source.as_str(), None).await;
        let good = shelf.sound.into_iter().rev().find(|one| {
            let version = &one.name.version;
            let as_locked = locked.is_none_or(|locked| {
                let hash = locked.executables.get(&here);
                locked.version.compare(version).is_eq()
                    && hash.is_none_or(|hash| *hash == one.sha256)
            });
            as_locked
                && !version.is_prerelease()
                && one.name.check_api().is_ok()
                && requirement.allows(version)
        });
        if good.is_some() {
            return good;
        }
    }
    None
}

/// What the lock file has of a plugin, unless the template does not allow that any more.
fn locked_for<'a>(lock: &'a LockFile, requirement: &Requirement) -> Option<&'a LockedPlugin> {
    let locked = lock.plugins.get(requirement.source.as_str());
    locked.filter(|locked| requirement.allows(&locked.version))
}

/// What has to be installed; `None` when all is well.
fn to_install(
    requirement: Requirement,
    found: Option<&Verified>,
    lock: &LockFile,
    arguments: &InitArguments,
) -> Option<Wanted> {
    if found.is_some() && !arguments.upgrade && !arguments.force {
        return None;
    }
    let locked = locked_for(lock, &requirement).cloned();
    let locked = locked.filter(|_| !arguments.upgrade);
    let mut constraints = requirement.constraints;
    // As in Packer, what is there is installed again, and not a newer version.
    if let (Some(found), false) = (found, arguments.upgrade) {
        let exactly = format!("= {}", found.name.version);
        constraints.extend(Constraints::parse(&exactly));
    }
    Some(Wanted {
        source: requirement.source,
        constraints,
        locked,
        again: match arguments.force {
            true => Again::Replace,
            false => Again::Keep,
        },
    })
}

/// Adds what is installed to the lock. Of another version nothing is kept.
fn note(
    lock: &mut LockFile,
    source: &str,
    (version, sha256): (&Version, &str),
    archives: &BTreeMap<String, String>,
) {
    let fresh = || LockedPlugin {
        version: version.clone(),
        archives: BTreeMap::new(),
        executables: BTreeMap::new(),
    };
    let entry = lock.plugins.entry(source.to_owned());
    let entry = entry.or_insert_with(fresh);
    if entry.version.compare(version).is_ne() {
        *entry = fresh();
    }
    entry.archives.extend(archives.clone());
    let here = Platform::current().to_string();
    entry.executables.insert(here, sha256.to_owned());
}

fn write_lock(ui: &Ui, lock: &LockFile, folder: &Path) {
    if lock.plugins.is_empty() {
        return;
    }
    if let Err(error) = lock.write(folder) {
        // Templates may lie where nothing can be written, and they work without a lock.
        ui.say(&format!("Warning: nothing is locked: {}.", error.report()));
    }
}
