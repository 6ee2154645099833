//! What a template on the command line declares.

use host_diag::SourceMap;
use host_plan::Offered;
use host_plugin_client::Registry;
use host_template::{ConfigType, LoadOptions, Template};

use super::Places;
use super::paths::place_of;
use crate::version;
use crate::world::World;

/// What the command line says about the template.
#[derive(Debug, Default)]
pub(super) struct Described {
    /// The template, when it is there already.
    pub(super) path: Option<String>,
    pub(super) config_type: ConfigType,
    pub(super) variables: Vec<(String, String)>,
    pub(super) variable_files: Vec<String>,
}

impl Described {
    /// `NAME=` of every variable; with its default behind it when that is one short word.
    pub(super) fn variables(&self, world: &World, places: &Places) -> Vec<String> {
        let Some(template) = self.template(world, places) else {
            return Vec::new();
        };
        let named = template.console_variables().into_iter();
        let mut all: Vec<(String, String)> = named
            .filter_map(|(name, value)| Some((name.strip_prefix("var.")?.to_owned(), value)))
            .collect();
        // Those of legacy JSON have no values before they are rendered.
        let lines = template.inspect().1.into_iter();
        all.extend(lines.filter_map(|(kind, words)| match words.as_slice() {
            [name, default, ..] if kind == "template-variable" => {
                Some((name.clone(), default.clone()))
            }
            _ => None,
        }));
        let mut found = Vec::new();
        for (name, value) in all {
            found.push(format!("{name}="));
            let is_word = |c: char| c.is_alphanumeric() || "._-/".contains(c);
            if !value.is_empty() && value.chars().all(is_word) && value != "null" {
                found.push(format!("{name}={value}"));
            }
        }
        found
    }

    /// Names of builds, as `-only` takes them.
    pub(super) fn builds(&self, world: &World, places: &Places) -> Vec<String> {
        let Some(mut template) = self.template(world, places) else {
            return Vec::new();
        };
        let nothing = Registry::default();
        let offered = Offered::new(&nothing);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let Ok(runtime) = runtime else {
            return Vec::new();
        };
        // Names can be had without what is wrong elsewhere in the template.
        drop(runtime.block_on(template.initialize(&offered, false)));
        let machine_lines = template.inspect().1.into_iter();
        let legacy: Vec<String> = machine_lines
            .filter(|(kind, _)| kind == "template-builder")
            .filter_map(|(_, words)| words.into_iter().next())
            .collect();
        if !legacy.is_empty() {
            return legacy;
        }
        let builds = template.builds(&offered).0.into_iter();
        builds.map(|build| build.name).collect()
    }

    /// The template, or that of the working folder when none is named.
    fn template(&self, world: &World, places: &Places) -> Option<Template> {
        let path = self.path.as_deref().unwrap_or(".");
        let place = place_of(places, path)?;
        // Anything else could be waited for.
        if !place.is_file() && !place.is_dir() {
            return None;
        }
        let full = |name: &String| place_of(places, name).filter(|place| place.is_file());
        let options = LoadOptions {
            path: place.to_str()?.to_owned(),
            config_type: self.config_type,
            variables: self.variables.clone(),
            variable_files: self.variable_files.iter().filter_map(full).collect(),
            environment: world.environment.clone(),
            working_dir: world.working_dir.clone(),
            core_version: version::PACKER.to_owned(),
            started_at_unix_nanos: world.started_at_unix_nanos,
            unset_variables_allowed: true,
            ..LoadOptions::default()
        };
        host_template::load(&options, &mut SourceMap::default()).0
    }
}
