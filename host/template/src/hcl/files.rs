//! Which files a template consists of, and what is in them.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use host_diag::{Diagnostic, Diagnostics, FileId, SourceMap};
use host_syntax::{Body, parse_hcl, parse_hcl_json};

use crate::options::LoadOptions;

/// HCL's two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Its own syntax.
    Native,
    /// JSON.
    Json,
}

/// The files of a template by name, each with its form.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Configuration, in the order it is read.
    pub(crate) configuration: Vec<(String, Form)>,
    /// Values that are always used, in the order they are assigned.
    pub(crate) values: Vec<(String, Form)>,
    /// `path.root`, as the user wrote it.
    pub(crate) base_dir: String,
}

/// Finds the files that the path of `options` stands for.
pub(crate) fn select(options: &LoadOptions, problems: &mut Diagnostics) -> Selection {
    let path = options.path.as_str();
    if options.working_dir.join(path).is_dir() && !path.is_empty() {
        return select_in_folder(options, problems);
    }
    let base_dir = match Path::new(path).parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_string_lossy().into_owned(),
        _ => ".".to_owned(),
    };
    let form = match path {
        "" => {
            return Selection {
                base_dir,
                ..Selection::default()
            };
        }
        path if path.ends_with(".pkr.json") => Some(Form::Json),
        path if path.ends_with(".pkr.hcl") => Some(Form::Native),
        _ => None,
    };
    if form.is_none() {
        problems.push(nothing_found(path));
    }
    let configuration = form
        .map(|form| (path.to_owned(), form))
        .into_iter()
        .collect();
    Selection {
        configuration,
        values: Vec::new(),
        base_dir,
    }
}

fn select_in_folder(options: &LoadOptions, problems: &mut Diagnostics) -> Selection {
    let mut selection = Selection {
        base_dir: options.path.clone(),
        ..Selection::default()
    };
    let names = match names_in(options) {
        Ok(names) => names,
        Err(error) => {
            problems.push(
                Diagnostic::error("Cannot read hcl directory").detail(format!(
                    "The folder `{}` cannot be read: {error}.",
                    options.path
                )),
            );
            return selection;
        }
    };
    let with_suffix = |suffix: &str, form: Form| {
        let matching = names.iter().filter(|name| name.ends_with(suffix));
        matching
            .map(|name| (display_name(&options.path, name), form))
            .collect::<Vec<_>>()
    };
    selection
        .configuration
        .extend(with_suffix(".pkr.hcl", Form::Native));
    selection
        .configuration
        .extend(with_suffix(".pkr.json", Form::Json));
    selection
        .values
        .extend(with_suffix(".auto.pkrvars.hcl", Form::Native));
    selection
        .values
        .extend(with_suffix(".auto.pkrvars.json", Form::Json));
    if selection.configuration.is_empty() {
        let yaml = names.iter().filter(|name| crate::legacy::is_yaml(name));
        let yaml: Vec<String> = yaml
            .map(|name| format!("`{}`", display_name(&options.path, name)))
            .collect();
        let problem = nothing_found(&options.path);
        problems.push(match yaml.as_slice() {
            [] => problem,
            [only] => with_only_hint(problem, format!("Name the YAML template itself: {only}.")),
            several => {
                let names = several.join(", ");
                with_only_hint(problem, format!("Name one of the YAML templates: {names}."))
            }
        });
    }
    selection
}

/// Names directly in a folder, sorted, without those that editors leave behind.
fn names_in(options: &LoadOptions) -> std::io::Result<Vec<String>> {
    let folder = options.working_dir.join(&options.path);
    let mut names = options.overlay.names_in(&folder);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ignored = name.starts_with('.')
            || name.ends_with('~')
            || (name.starts_with('#') && name.ends_with('#'));
        if !ignored && !entry.path().is_dir() {
            names.insert(name);
        }
    }
    Ok(names.into_iter().collect())
}

fn display_name(folder: &str, name: &str) -> String {
    let folder = folder.strip_prefix("./").unwrap_or(folder);
    match folder {
        "" | "." => name.to_owned(),
        folder if folder.ends_with('/') => format!("{folder}{name}"),
        folder => format!("{folder}/{name}"),
    }
}

fn nothing_found(path: &str) -> Diagnostic {
    Diagnostic::error(format!("Could not find any config file in {path}"))
        .detail(
            "An HCL2 template is a file ending in `.pkr.hcl` or `.pkr.json`, or a folder of them.",
        )
        .hint("Rename the file, or pass `-config-type=json` for a legacy JSON template.".to_owned())
}

fn with_only_hint(problem: Diagnostic, hint: String) -> Diagnostic {
    Diagnostic {
        hints: vec![hint],
        ..problem
    }
}

/// Reads and parses one file. `None` when nothing usable is in it; then a problem says so.
pub(crate) fn parse(
    options: &LoadOptions,
    name: &str,
    form: Form,
    sources: &mut SourceMap,
    problems: &mut Diagnostics,
) -> Option<Body> {
    let file = read(options, name, sources, problems)?;
    let text = sources.text(file);
    let (body, found) = match form {
        Form::Native => parse_hcl(file, text),
        Form::Json => parse_hcl_json(file, text),
    };
    problems.extend(found);
    body
}

/// Reads a file into `sources` under the name the user knows.
pub(crate) fn read(
    options: &LoadOptions,
    name: &str,
    sources: &mut SourceMap,
    problems: &mut Diagnostics,
) -> Option<FileId> {
    match options.read_file(name) {
        Ok(text) => Some(sources.add(name, text)),
        Err(error) => {
            let summary = match error.kind() {
                ErrorKind::InvalidData => "Invalid character encoding",
                _ => "Failed to read file",
            };
            problems.push(
                Diagnostic::error(summary)
                    .detail(format!("The file `{name}` cannot be read: {error}.")),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::display_name;

    #[test]
    fn names_read_as_the_user_would_write_them() {
        assert_eq!(display_name(".", "a.pkr.hcl"), "a.pkr.hcl");
        assert_eq!(display_name("./x/", "a.pkr.hcl"), "x/a.pkr.hcl");
        assert_eq!(display_name("/t", "a.pkr.hcl"), "/t/a.pkr.hcl");
    }
}
