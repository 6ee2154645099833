//! Which language a template is in.

use std::path::Path;

use host_diag::{Diagnostic, Diagnostics, SourceMap};

use crate::model::{Template, TemplateKind};
use crate::options::{ConfigType, LoadOptions};
use crate::remedies::with_remedies;
use crate::{hcl, legacy};

/// Reads a template and its variable values (Packer's parse phase). Nothing is evaluated yet but
/// the values of variables. With errors there is no template.
pub fn load(options: &LoadOptions, sources: &mut SourceMap) -> (Option<Template>, Diagnostics) {
    let language = match language(options) {
        Ok(language) => language,
        Err(problem) => return (None, vec![*problem]),
    };
    match language {
        ConfigType::Hcl2 => {
            let (template, problems) = hcl::load(options, sources);
            (
                template.map(|template| Template {
                    inner: TemplateKind::Hcl(Box::new(template)),
                }),
                with_remedies(problems),
            )
        }
        ConfigType::Json => {
            let (template, problems) = legacy::load(options, sources);
            (
                template.map(|template| Template {
                    inner: TemplateKind::Legacy(Box::new(template)),
                }),
                with_remedies(problems),
            )
        }
    }
}

/// A template that is only looked at, not used.
#[derive(Debug)]
pub struct Examined {
    /// What could be read of it, with errors, too; values and builds of it are worth a look.
    pub template: Option<Template>,
    /// What is wrong so far.
    pub problems: Diagnostics,
    /// Whether there are errors by which something may have been left out: what seems to be missing
    /// later may be there.
    pub incomplete: bool,
}

/// As [`load`], for somebody who wants to know all that is wrong. Everything found later belongs
/// through [`without_consequences`](crate::without_consequences).
pub fn load_for_check(options: &LoadOptions, sources: &mut SourceMap) -> Examined {
    let (template, problems) = match language(options) {
        Err(problem) => (None, vec![*problem]),
        Ok(ConfigType::Hcl2) => {
            let (template, problems) = hcl::load_for_check(options, sources);
            let template = template.map(|template| Template {
                inner: TemplateKind::Hcl(Box::new(template)),
            });
            (template, with_remedies(problems))
        }
        Ok(ConfigType::Json) => {
            let (template, problems) = legacy::load_for_check(options, sources);
            let template = template.map(|template| Template {
                inner: TemplateKind::Legacy(Box::new(template)),
            });
            (template, with_remedies(problems))
        }
    };
    let loses = |one: &Diagnostic| one.is_error() && !is_of_value(one) && !is_unknown_part(one);
    let incomplete = problems.iter().any(loses);
    Examined {
        template,
        problems,
        incomplete,
    }
}

/// Whether a problem is that a block has something that it cannot have: all blocks are known then.
fn is_unknown_part(problem: &Diagnostic) -> bool {
    let starts = ["Unsupported ", "Extraneous JSON object property"];
    let is_unknown = starts
        .iter()
        .any(|start| problem.summary.starts_with(start));
    is_unknown && problem.context.is_some()
}

/// Whether a problem is about a value only, so that nothing is left out because of it.
pub(crate) fn is_of_value(problem: &Diagnostic) -> bool {
    let starts = [
        "Invalid value for ",
        "Invalid argument value for ",
        "Invalid default value for variable",
        "Invalid variable validation ",
        "Invalid reference in variable validation",
        "Invalid type specification",
        "Invalid default value for optional attribute",
        "Variables not allowed",
        "Function calls not allowed",
        "Invalid validation error message",
        "Unset variable ",
    ];
    starts
        .iter()
        .any(|start| problem.summary.starts_with(start))
}

/// Suffix and kind of the path decide; what they leave open, `-config-type` decides.
fn language(options: &LoadOptions) -> Result<ConfigType, Box<Diagnostic>> {
    let path = options.path.as_str();
    if path == "-" && options.config_type == ConfigType::Hcl2 {
        return Err(Box::new(
            Diagnostic::error("HCL2 templates cannot be read from standard input")
                .detail("Only a legacy JSON template can come from standard input.")
                .hint("Save the template as a file ending in `.pkr.hcl`.".to_owned()),
        ));
    }
    if matches!(path, "" | "-") {
        return Ok(options.config_type);
    }
    if path.ends_with(".pkr.hcl") || path.ends_with(".pkr.json") {
        return Ok(ConfigType::Hcl2);
    }
    if legacy::is_yaml(path) {
        return Ok(ConfigType::Json);
    }
    let full: &Path = &options.working_dir.join(path);
    match full.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(ConfigType::Hcl2),
        Ok(_) => Ok(options.config_type),
        Err(error) => Err(Box::new(
            Diagnostic::error(format!("\"{path}\": {error}"))
                .detail("A template is a file, a folder of HCL2 files, or `-` for standard input.")
                .hint("Check the path, and that you may read it.".to_owned()),
        )),
    }
}
