//! `kiln plugins doctor`.

use std::path::{Path, PathBuf};

use host_diag::SourceMap;
use host_plugin_client::tree::Family;
use host_plugin_client::{Isolation, Origin, Registry, Rejected, Shelf, Verified, packer_bridge};
use host_template::Components;
use host_ui::Ui;
use serde::Serialize;

use crate::arguments::DoctorArguments;
use crate::commands::build::usage;
use crate::needed::{self, VENDORED, template_folder};
use crate::world::World;
use crate::{exit, template};

/// Grows with every incompatible change of what `-json` prints.
const FORMAT_VERSION: u32 = 1;

/// Everything there is to see; `doctor.schema.json` beside this program's manifest describes it.
#[derive(Debug, Default, Serialize)]
struct Report {
    format_version: u32,
    /// Where plugins are installed.
    folder: Option<PathBuf>,
    /// Why there is no such folder.
    folder_problem: Option<String>,
    /// What runs plugins made for Packer.
    bridge: Option<PathBuf>,
    /// What installed plugins can do although they are confined; `None` when there is nothing.
    confinement_gap: Option<&'static str>,
    plugins: Vec<Plugin>,
    required: Vec<Required>,
}

/// An executable that was seen.
#[derive(Debug, Serialize)]
struct Plugin {
    path: PathBuf,
    /// `bundled`, `vendored` or `installed`.
    place: &'static str,
    /// `usable`, `older` when a newer version is preferred, `shadowed` when kiln comes with everything
    /// it offers, or `refused`.
    state: &'static str,
    source: Option<String>,
    name: Option<String>,
    version: Option<String>,
    components: Vec<String>,
    /// What it declares that it needs when it is confined; those of Packer's kind declare nothing.
    needs: Vec<String>,
    reason: Option<String>,
}

/// A plugin that a template asks for.
#[derive(Debug, Serialize)]
struct Required {
    name: String,
    source: String,
    constraint: String,
    /// `bundled`, `installed` or `missing`.
    state: &'static str,
    /// The executable that is used.
    path: Option<PathBuf>,
    /// What there is instead.
    instead: Vec<String>,
}

/// Shows every plugin there is, and why one is not used.
pub async fn run(world: &World, ui: &Ui, arguments: &DoctorArguments) -> u8 {
    let mut options = match template::optional(world, &arguments.template) {
        Ok(options) => options,
        Err(message) => return usage(ui, &message, "plugins doctor"),
    };
    options.unset_variables_allowed = true;
    let settings = world.settings();
    let mut report = Report {
        format_version: FORMAT_VERSION,
        bridge: packer_bridge(&settings.plugin_folders),
        confinement_gap: Isolation::gap(),
        ..Report::default()
    };
    let bundled = Registry::scan(settings.clone()).await;
    report.bundled(&bundled);
    match world.plugin_tree() {
        Ok(tree) => {
            let shelf = Shelf::read(&settings, &tree, "").await;
            report.shelf(shelf, "installed", &bundled);
            report.folder = Some(tree);
        }
        Err(error) => report.folder_problem = Some(error.to_string()),
    }
    let mut status = exit::DONE;
    if !options.path.is_empty() {
        let mut sources = SourceMap::default();
        let Some(template) = template::load(ui, &options, &mut sources) else {
            return exit::FAILED;
        };
        let own = template_folder(&options).join(VENDORED);
        if own.is_dir() {
            let shelf = Shelf::read(&settings, &own, "").await;
            report.shelf(shelf, "vendored", &bundled);
        }
        let used = needed::prereleases(false);
        let registry = match needed::registry(world, &template, &options, used).await {
            Ok(registry) => registry,
            Err(problem) => {
                template::report(ui, &vec![*problem], &sources);
                return exit::FAILED;
            }
        };
        for required in template.required_plugins() {
            report.required.push(Required::new(required, &registry));
        }
        if report.required.iter().any(|one| one.state == "missing") {
            status = exit::FAILED;
        }
    }
    if arguments.json {
        let text = serde_json::to_string_pretty(&report)
            .expect("text and numbers can always be written as JSON");
        ui.document(&text);
    } else {
        ui.say(&report.text());
    }
    status
}

impl Report {
    fn bundled(&mut self, registry: &Registry) {
        for one in &registry.usable {
            let names = one.components.iter().map(|(_, name)| name.clone());
            self.plugins.push(Plugin {
                path: one.path.clone(),
                place: "bundled",
                state: "usable",
                source: None,
                name: Some(one.name.clone()),
                version: Some(one.version.clone()),
                components: distinct(names),
                needs: Vec::new(),
                reason: None,
            });
        }
        for one in &registry.rejected {
            self.plugins.push(Plugin::refused(one, "bundled"));
        }
    }

    fn shelf(&mut self, shelf: Shelf, place: &'static str, bundled: &Registry) {
        let mut rest = shelf.sound.iter().peekable();
        while let Some(one) = rest.next() {
            let newer = rest.peek().filter(|next| next.name.name == one.name.name);
            let older = newer.map(|newer| newer.path.as_path());
            let bridge = self.bridge.as_deref();
            let mut plugin = Plugin::sound(one, place, older, bridge);
            let mut offered = one.components.iter();
            let is_shadowed = offered.all(|(kind, name)| bundled.installed(*kind, name).is_some());
            if plugin.state == "usable" && is_shadowed {
                plugin.state = "shadowed";
                plugin.reason = Some(
                    "kiln comes with everything it offers, and uses its own where it is called so"
                        .to_owned(),
                );
            }
            self.plugins.push(plugin);
        }
        for one in &shelf.rejected {
            self.plugins.push(Plugin::refused(one, place));
        }
        for (path, error) in shelf.trouble {
            self.plugins
                .push(Plugin::unknown(path, place, error.to_string()));
        }
    }

    fn text(&self) -> String {
        let mut text = match (&self.folder, &self.folder_problem) {
            (Some(folder), _) => format!("Plugins are installed in {}\n", folder.display()),
            (None, problem) => format!("{}\n", problem.as_deref().unwrap_or_default()),
        };
        text.push_str(&match &self.bridge {
            Some(bridge) => format!("Plugins made for Packer are run by {}\n", bridge.display()),
            None => "Plugins made for Packer cannot be run: `kiln-plugin-packer` is not beside \
                     kiln\n"
                .to_owned(),
        });
        if let Some(gap) = self.confinement_gap {
            text.push_str(&format!("Not everything is confined: {gap}\n"));
        }
        for place in ["bundled", "vendored", "installed"] {
            let here: Vec<&Plugin> = self
                .plugins
                .iter()
                .filter(|one| one.place == place)
                .collect();
            if here.is_empty() {
                continue;
            }
            text.push_str(&format!("\n{place}:\n"));
            for one in here {
                text.push_str(&format!("  {}\n", one.line()));
            }
        }
        if !self.required.is_empty() {
            text.push_str("\nrequired by the template:\n");
        }
        for one in &self.required {
            text.push_str(&one.lines());
        }
        text.truncate(text.trim_end().len());
        text
    }
}

impl Plugin {
    fn sound(
        one: &Verified,
        place: &'static str,
        older: Option<&Path>,
        bridge: Option<&Path>,
    ) -> Self {
        let mut reason = older.map(|newer| format!("{} is preferred", newer.display()));
        let mut state = if older.is_some() { "older" } else { "usable" };
        if let Err(problem) = one.name.check_api() {
            (state, reason) = ("refused", Some(problem.to_string()));
        } else if one.name.family == Family::Packer && bridge.is_none() {
            let missing = "`kiln-plugin-packer` is not beside kiln".to_owned();
            (state, reason) = ("refused", Some(missing));
        }
        let names = one.components.iter().map(|(_, name)| name.clone());
        Self {
            path: one.path.clone(),
            place,
            state,
            source: Some(one.source.clone()),
            name: Some(one.name.name.clone()),
            version: Some(one.name.version.to_string()),
            components: distinct(names),
            needs: one.needs.clone(),
            reason,
        }
    }

    fn refused(one: &Rejected, place: &'static str) -> Self {
        Self::unknown(one.path.clone(), place, one.report())
    }

    fn unknown(path: PathBuf, place: &'static str, reason: String) -> Self {
        Self {
            path,
            place,
            state: "refused",
            source: None,
            name: None,
            version: None,
            components: Vec::new(),
            needs: Vec::new(),
            reason: Some(reason),
        }
    }

    fn line(&self) -> String {
        let known = [&self.source, &self.name].into_iter().flatten().next();
        let mut line = format!("{:<9}", self.state);
        if let (Some(known), Some(version)) = (known, &self.version) {
            line.push_str(&format!("{known} {version} "));
        }
        line.push_str(&self.path.display().to_string());
        if let Some(reason) = &self.reason {
            line.push_str(&format!("\n           {reason}"));
        }
        if !self.components.is_empty() {
            line.push_str(&format!(
                "\n           offers {}",
                self.components.join(", ")
            ));
        }
        if !self.needs.is_empty() {
            line.push_str(&format!("\n           needs {}", self.needs.join(", ")));
        }
        line
    }
}

impl Required {
    fn new(required: &host_template::RequiredPlugin, registry: &Registry) -> Self {
        let instead = registry.missing_plugin(required);
        let mut usable = registry.usable.iter();
        let used = usable
            .find(|one| one.name == required.name && matches!(one.origin, Origin::Tree { .. }));
        let state = match (&instead, used) {
            (Some(_), _) => "missing",
            (None, Some(_)) => "installed",
            (None, None) => "bundled",
        };
        Self {
            name: required.name.clone(),
            source: required.source.clone(),
            constraint: required.version.to_string(),
            state,
            path: used.map(|one| one.path.clone()),
            instead: instead.unwrap_or_default(),
        }
    }

    fn lines(&self) -> String {
        let mut text = format!(
            "  {:<10}{} {} {:?}\n",
            self.state, self.name, self.source, self.constraint
        );
        if let Some(path) = &self.path {
            text.push_str(&format!("            {}\n", path.display()));
        }
        for line in &self.instead {
            text.push_str(&format!("            {line}\n"));
        }
        if self.state == "missing" {
            text.push_str("            `kiln init TEMPLATE` installs it\n");
        }
        text
    }
}

/// Names without repetition, sorted.
fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let names: std::collections::BTreeSet<String> = names.collect();
    names.into_iter().collect()
}
