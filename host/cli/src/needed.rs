//! The plugins that a template needs: what is beside it decides which versions are used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use host_diag::Diagnostic;
use host_install::LockFile;
use host_plugin_client::tree::TreeError;
use host_plugin_client::{Installed, Isolation, Needs, Prereleases, Reason, Registry, Rejected};
use host_template::{LoadOptions, Template};

use crate::world::World;

/// The folder of a template's own plugins, beside it.
pub const VENDORED: &str = "plugins";

/// The folder that a template is in.
pub fn template_folder(options: &LoadOptions) -> PathBuf {
    let path = options.working_dir.join(&options.path);
    if options.path == "-" || options.path.is_empty() {
        return options.working_dir.clone();
    }
    match path.parent() {
        Some(parent) if !path.is_dir() => parent.to_path_buf(),
        _ => path,
    }
}

/// What a template needs of the plugins that are installed.
///
/// # Errors
///
/// When the lock file is damaged, or the folder of plugins is not one.
pub fn needs(
    world: &World,
    template: &Template,
    options: &LoadOptions,
    prereleases: Prereleases,
) -> Result<Needs, Box<Diagnostic>> {
    if let Err(error @ TreeError::SeveralFolders(_)) = world.plugin_tree() {
        let problem = Diagnostic::error("Unusable folder of plugins");
        return Err(Box::new(problem.detail(format!("{error}."))));
    }
    let folder = template_folder(options);
    let lock = LockFile::read(&folder).map_err(|error| {
        let problem = Diagnostic::error("Unusable lock file");
        Box::new(problem.detail(format!("{}.", error.report())))
    })?;
    let required = template.required_plugins().to_vec();
    let vendored = Some(folder.join(VENDORED)).filter(|folder| folder.is_dir());
    Ok(Needs {
        components: template.used_components(),
        required,
        locked: lock.locked(),
        vendored,
        prereleases,
    })
}

/// The plugins that a template needs; no others are looked at.
///
/// # Errors
///
/// As [`needs`].
pub async fn registry(
    world: &World,
    template: &Template,
    options: &LoadOptions,
    prereleases: Prereleases,
) -> Result<Registry, Box<Diagnostic>> {
    let needs = needs(world, template, options, prereleases)?;
    Ok(Registry::scan_for(world.settings(), &needs).await)
}

/// A warning for each installed plugin that could have offered what the template uses, and cannot be
/// used; the same for plugins that came with kiln when something is missing; and one when those that
/// are used cannot be confined.
pub fn refused(world: &World, template: &Template, registry: &Registry) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    let used = template.used_components();
    let mut missing = used.iter();
    if missing.any(|(kind, name)| registry.installed(*kind, name).is_none()) {
        warnings.extend(unanswering(world, registry));
    }
    let Ok(tree) = world.plugin_tree() else {
        return warnings;
    };
    let refused = registry.rejected.iter();
    let refused = refused.filter(|one| one.path.starts_with(&tree));
    if registry.usable.iter().any(Installed::is_confined)
        && Isolation::is_missing()
        && let Some(gap) = Isolation::gap()
    {
        let detail = format!("They are not confined in what files they touch: {gap}.");
        warnings.push(Diagnostic::warning("Installed plugins are used").detail(detail));
    }
    let warn = |one: &Rejected| {
        let detail = format!("`{}`: {}.", one.path.display(), one.report());
        Diagnostic::warning("Installed plugin is not used").detail(detail)
    };
    warnings.extend(refused.map(warn));
    warnings
}

/// A warning for each reason why plugins that came with kiln could not be asked what they offer.
fn unanswering(world: &World, registry: &Registry) -> Vec<Diagnostic> {
    let folders = world.settings().plugin_folders;
    let mut reasons: BTreeMap<String, Vec<&Path>> = BTreeMap::new();
    for one in &registry.rejected {
        let is_bundled = folders.iter().any(|folder| one.path.starts_with(folder));
        if is_bundled && matches!(one.reason, Reason::Undescribed(_) | Reason::Unreadable(_)) {
            reasons.entry(one.report()).or_default().push(&one.path);
        }
    }
    let warn = |(reason, paths): (String, Vec<&Path>)| {
        let first = paths[0].display();
        let plugins = match paths.len() - 1 {
            0 => format!("`{first}`"),
            others => format!("`{first}` and {others} more"),
        };
        Diagnostic::warning("Plugin of kiln's own is not used")
            .detail(format!("{plugins}: {reason}."))
    };
    reasons.into_iter().map(warn).collect()
}

/// The flag that leaves prereleases alone.
pub fn prereleases(ignored: bool) -> Prereleases {
    if ignored {
        Prereleases::Ignored
    } else {
        Prereleases::Used
    }
}
