//! `kiln fix`.

use std::path::Path;

use host_diag::{Diagnostic, FileId, SourceMap};
use host_template::{ConfigType, LoadOptions};
use host_ui::Ui;
use host_upgrade::{Document, UpgradeError};

use crate::arguments::FixArguments;
use crate::commands::build::usage;
use crate::world::World;
use crate::{exit, template};

/// Prints a legacy template with outdated options repaired; nothing is written.
pub fn run(world: &World, ui: &Ui, arguments: &FixArguments) -> u8 {
    let options = match template::options(world, &arguments.template, false) {
        Ok(options) => options,
        Err(message) => return usage(ui, &message, "fix"),
    };
    if is_hcl(&options) {
        ui.error("kiln fix only works with JSON files for now.");
        return exit::FAILED;
    }
    if host_template::is_yaml(&options.path) {
        ui.error(
            "kiln fix only works with JSON files: printed anew, a YAML template would lose its \
             comments and anchors. Correct it by hand; kiln validate names each outdated option and \
             what took its place.",
        );
        return exit::FAILED;
    }
    let text = match host_syntax::read_file(&options.working_dir.join(&options.path)) {
        Ok(text) => text,
        Err(error) => {
            ui.error(&format!(
                "Error opening template: {}: {error}",
                options.path
            ));
            return exit::FAILED;
        }
    };
    let mut sources = SourceMap::default();
    let file = sources.add(options.path.clone(), text);
    let mut document = match Document::read(file, sources.text(file)) {
        Ok(document) => document,
        Err(problems) => {
            ui.error(&format!("Error parsing template: {}", options.path));
            template::report(ui, &problems, &sources);
            return exit::FAILED;
        }
    };
    if let Err(error) = host_upgrade::fix(&mut document) {
        ui.error(&format!("Error fixing: {error}"));
        return exit::FAILED;
    }
    let fixed = host_upgrade::print(&document);
    ui.say(&fixed);
    if arguments.validate {
        validate(ui, &fixed, &document, options)
    } else {
        exit::DONE
    }
}

/// Whether the template is in HCL2, by its name, its kind or the flag; a folder is.
pub(super) fn is_hcl(options: &LoadOptions) -> bool {
    let path = options.path.as_str();
    let is_folder = || options.working_dir.join(path).is_dir();
    if host_template::is_yaml(path) {
        return false;
    }
    if matches!(path, "" | "-") {
        return options.config_type == ConfigType::Hcl2;
    }
    path.ends_with(".pkr.hcl")
        || path.ends_with(".pkr.json")
        || is_folder()
        || options.config_type == ConfigType::Hcl2
}

/// Whether the template is there and is none in HCL2.
pub(super) fn is_json(options: &LoadOptions) -> bool {
    let is_there = options.path == "-" || options.working_dir.join(&options.path).exists();
    is_there && !is_hcl(options)
}

/// Reads the result as a build would, and checks that the names in it exist.
fn validate(ui: &Ui, fixed: &str, document: &Document, mut options: LoadOptions) -> u8 {
    let folder = match copy(fixed) {
        Ok(folder) => folder,
        Err(error) => {
            ui.error(&format!("Cannot validate the fixed template: {error}"));
            return exit::FAILED;
        }
    };
    // Positions are those in the text that was printed, whose name is the template's.
    let mut shown = SourceMap::default();
    shown.add(format!("{} (fixed)", options.path), fixed);
    options.path = folder.path().join(COPY).display().to_string();
    options.config_type = ConfigType::Json;
    let (read, problems) = host_template::load(&options, &mut SourceMap::default());
    if read.is_none() || problems.iter().any(Diagnostic::is_error) {
        let list: Vec<String> = problems
            .iter()
            .map(|problem| in_one_line(problem, &shown))
            .collect();
        return failed(ui, "fails to parse", &list);
    }
    let problems = host_upgrade::validate(document);
    if problems.is_empty() {
        exit::DONE
    } else {
        failed(ui, "failed to validate", &problems)
    }
}

const COPY: &str = "template.json";

fn copy(text: &str) -> Result<tempfile::TempDir, UpgradeError> {
    let failed = |source| UpgradeError::Write {
        path: Path::new(COPY).to_owned(),
        source,
    };
    let folder = tempfile::tempdir().map_err(failed)?;
    host_upgrade::write(&folder.path().join(COPY), text)?;
    Ok(folder)
}

fn in_one_line(problem: &Diagnostic, sources: &SourceMap) -> String {
    let mut text = problem.summary.clone();
    let detail = problem.detail.trim();
    if !text.is_empty() && !detail.is_empty() {
        text.push_str(": ");
    }
    text.push_str(detail);
    if let Some(span) = problem.subject.filter(|span| span.file == FileId(0)) {
        let (line, column) = sources.position(span.file, span.start);
        text.push_str(&format!(" ({}:{line}:{column})", sources.name(span.file)));
    }
    text
}

fn failed(ui: &Ui, what: &str, problems: &[String]) -> u8 {
    let count = match problems.len() {
        1 => "1 error".to_owned(),
        count => format!("{count} errors"),
    };
    let list: String = problems
        .iter()
        .map(|problem| format!("\t* {problem}\n"))
        .collect();
    ui.error(&format!(
        "Error! Fixed template {what}: {count} occurred:\n{list}\nThe input has the same mistakes; \
         correct them there and try again."
    ));
    exit::FAILED
}
