//! What every command that reads a template has in common.

use host_diag::{Diagnostic, Diagnostics, SourceMap};
use host_template::{LoadOptions, Template};
use host_ui::Ui;

use crate::arguments::TemplateArguments;
use crate::version;
use crate::world::World;

/// Turns the flags into what the template's reader takes.
///
/// # Errors
///
/// What is wrong with the command line.
pub fn options(
    world: &World,
    arguments: &TemplateArguments,
    warn_undeclared: bool,
) -> Result<LoadOptions, String> {
    if arguments.template.is_empty() {
        return Err("The template is missing.".to_owned());
    }
    let mut options = optional(world, arguments)?;
    options.warn_undeclared = warn_undeclared;
    Ok(options)
}

/// As [`options`], for a command whose template may be left out; then the path is empty.
///
/// # Errors
///
/// What is wrong with the command line.
pub fn optional(world: &World, arguments: &TemplateArguments) -> Result<LoadOptions, String> {
    let path = match arguments.template.as_slice() {
        [] => String::new(),
        [path] => path.clone(),
        [_, second, ..] if second.starts_with('-') => {
            return Err(format!(
                "`{second}` stands behind the template; flags must come before it."
            ));
        }
        more => {
            let count = more.len();
            return Err(format!("Exactly one template is expected, not {count}."));
        }
    };
    let mut variables = Vec::new();
    for text in &arguments.var {
        let Some((name, value)) = text.split_once('=') else {
            return Err(format!("No '=' value in arg: {text}"));
        };
        variables.push((name.to_owned(), value.to_owned()));
    }
    Ok(LoadOptions {
        path,
        config_type: arguments.config_type,
        variables,
        variable_files: arguments.var_file.clone(),
        environment: world.environment.clone(),
        working_dir: world.working_dir.clone(),
        only: arguments.only.clone(),
        except: arguments.except.clone(),
        core_version: version::PACKER.to_owned(),
        started_at_unix_nanos: world.started_at_unix_nanos,
        ..LoadOptions::default()
    })
}

/// Reads the template and prints what is wrong with it; `None` when it cannot be used.
pub fn load(ui: &Ui, options: &LoadOptions, sources: &mut SourceMap) -> Option<Template> {
    let (template, diagnostics) = host_template::load(options, sources);
    // Variables have their values already; data sources must not show them before locals are known.
    if let Some(template) = &template {
        hide_secrets(ui, template);
    }
    let usable = report(ui, &diagnostics, sources);
    template.filter(|_| usable)
}

/// Prints problems, all at once; returns whether none of them is an error.
pub fn report(ui: &Ui, diagnostics: &Diagnostics, sources: &SourceMap) -> bool {
    ui.diagnostics(diagnostics, sources);
    !diagnostics.iter().any(Diagnostic::is_error)
}

/// Keeps everything the template calls sensitive out of outputs from now on.
pub fn hide_secrets(ui: &Ui, template: &Template) -> Vec<String> {
    let secrets = template.secrets();
    for secret in &secrets {
        ui.redactor().add(secret);
    }
    secrets
}
