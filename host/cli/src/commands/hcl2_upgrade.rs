//! `kiln hcl2_upgrade`.

use std::path::PathBuf;

use host_diag::{FileId, SourceMap};
use host_plugin_client::Registry;
use host_template::ComponentKind;
use host_ui::Ui;
use host_upgrade::{Annotations, Document, UpgradeError, Upgraded};

use super::fix::is_hcl;
use crate::arguments::Hcl2UpgradeArguments;
use crate::commands::build::usage;
use crate::world::World;
use crate::{exit, template};

/// Writes a legacy template's translation into HCL2. Nothing is written before all of the input
/// has been read, and a file that was there is replaced as one step.
pub async fn run(world: &World, ui: &Ui, arguments: &Hcl2UpgradeArguments) -> u8 {
    let options = match template::options(world, &arguments.template, false) {
        Ok(options) => options,
        Err(message) => return usage(ui, &message, "hcl2_upgrade"),
    };
    if is_hcl(&options) {
        ui.error(
            "kiln hcl2_upgrade only works with JSON templates and the same in YAML; this one is in \
             HCL2 already.",
        );
        return exit::FAILED;
    }
    let Some(output) = output(arguments, &options.path) else {
        ui.error("Standard input has no name to go by; say with -output-file what to write.");
        return exit::FAILED;
    };
    let same = |path: &std::path::Path| options.working_dir.join(path).canonicalize().ok();
    let input = same(options.path.as_ref());
    if input.is_some() && input == same(&output) {
        ui.error("-output-file is the template itself, which would be lost; name another file.");
        return exit::FAILED;
    }
    let mut sources = SourceMap::default();
    if template::load(ui, &options, &mut sources).is_none() {
        return exit::FAILED;
    }
    // The template is the first file that was read.
    let file = FileId(0);
    let read = if host_template::is_yaml(&options.path) {
        Document::read_yaml
    } else {
        Document::read
    };
    let document = match read(file, sources.text(file)) {
        Ok(document) => document,
        Err(problems) => {
            template::report(ui, &problems, &sources);
            return exit::FAILED;
        }
    };
    let annotations = if arguments.with_annotations {
        Annotations::Written
    } else {
        Annotations::LeftOut
    };
    let upgraded = match host_upgrade::upgrade(&document, annotations) {
        Ok(upgraded) => upgraded,
        Err(error) => return failed(ui, &error),
    };
    let path = options.working_dir.join(&output);
    if let Err(error) = host_upgrade::write(&path, &upgraded.text) {
        return failed(ui, &error);
    }
    for note in &upgraded.notes {
        ui.say(note);
    }
    let status = check_builders(world, ui, &upgraded).await;
    ui.say(&format!(
        "Successfully created {}. Exit {status}",
        output.display()
    ));
    status
}

/// The file to write; `None` for standard input without a name for the result.
fn output(arguments: &Hcl2UpgradeArguments, input: &str) -> Option<PathBuf> {
    match &arguments.output_file {
        Some(path) => Some(path.clone()),
        None if matches!(input, "" | "-") => None,
        None => Some(PathBuf::from(format!("{input}.pkr.hcl"))),
    }
}

/// Whether every builder is one that an installed plugin has; those of the plugins that the result
/// asks for need not be installed yet.
async fn check_builders(world: &World, ui: &Ui, upgraded: &Upgraded) -> u8 {
    if upgraded.builder_types.is_empty() {
        return exit::DONE;
    }
    let registry = Registry::scan(world.settings()).await;
    let mut status = exit::DONE;
    for kind in &upgraded.builder_types {
        if registry.installed(ComponentKind::Builder, kind).is_none() {
            ui.error(&format!(
                "unknown builder type: {kind:?}; its options were taken over as they are. Install \
                 the plugin that has it, or correct the name."
            ));
            status = exit::FAILED;
        }
    }
    status
}

fn failed(ui: &Ui, error: &UpgradeError) -> u8 {
    let mut text = format!("Cannot upgrade the template: {error}");
    if let Some(cause) = std::error::Error::source(error) {
        text.push_str(&format!(": {cause}"));
    }
    if let UpgradeError::Layout { problems } = error {
        for problem in problems {
            text.push_str(&format!("\n{}: {}", problem.summary, problem.detail));
        }
    }
    ui.error(&text);
    exit::FAILED
}
