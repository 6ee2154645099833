//! Checks of options that name files and folders of this machine.

use std::path::{Path, PathBuf};

use sdk_config::{Diagnostic, Diagnostics, PLACEHOLDER};
use sdk_go_template as go_template;

/// Whether the text is a value that only the run will know, or none at all.
fn nothing_to_check(text: &str) -> bool {
    text.is_empty() || text.contains(PLACEHOLDER)
}

/// Checks that `path`, unless empty, is a file.
pub fn file(option: &str, path: &str, diagnostics: &mut Diagnostics) {
    entry(option, path, "file", Path::is_file, diagnostics);
}

/// Checks that `path`, unless empty, is a folder.
pub fn folder(option: &str, path: &str, diagnostics: &mut Diagnostics) {
    entry(option, path, "folder", Path::is_dir, diagnostics);
}

/// Checks that `path`, unless empty, is a file or a folder.
pub fn file_or_folder(option: &str, path: &str, diagnostics: &mut Diagnostics) {
    let any = |path: &Path| path.is_file() || path.is_dir();
    entry(option, path, "file or folder", any, diagnostics);
}

/// Checks that each of `paths` is a folder.
pub fn folders(option: &str, paths: &[String], diagnostics: &mut Diagnostics) {
    for path in paths {
        if path.is_empty() {
            diagnostics.push(empty(option));
        }
        folder(option, path, diagnostics);
    }
}

fn entry(
    option: &str,
    path: &str,
    kind: &str,
    right: impl Fn(&Path) -> bool,
    diagnostics: &mut Diagnostics,
) {
    if nothing_to_check(path) || right(&expand(path)) {
        return;
    }
    let seen = match std::fs::metadata(expand(path)) {
        Err(error) => error.to_string(),
        Ok(metadata) if metadata.is_dir() => "it is a folder".to_owned(),
        Ok(metadata) if metadata.is_file() => "it is a file".to_owned(),
        Ok(_) => "it is something else".to_owned(),
    };
    diagnostics.push(
        Diagnostic::error(
            format!("{option}: {path} is invalid"),
            format!("`{option}` must name a {kind}: {seen}."),
        )
        .on(option)
        .hint("Relative paths start at the folder kiln runs in, not at the template."),
    );
}

fn empty(option: &str) -> Diagnostic {
    Diagnostic::error(
        "Empty path",
        format!("An entry of `{option}` is empty, so it names nothing."),
    )
    .on(option)
    .hint("Remove the entry, or give it a path.")
}

/// Checks that `option` has a value.
pub fn required(option: &str, value: &str, what: &str, diagnostics: &mut Diagnostics) {
    if value.is_empty() {
        diagnostics.push(
            Diagnostic::error(
                format!("{option} must be specified"),
                format!("`{option}` is not set: {what}."),
            )
            .on(option),
        );
    }
}

/// Checks the syntax of the template calls in an option that is rendered late.
pub fn template(option: &str, text: &str, diagnostics: &mut Diagnostics) {
    if let Err(error) = go_template::check(text) {
        diagnostics.push(
            Diagnostic::error(
                format!("Invalid template in {option}"),
                format!("`{option}`: {error}."),
            )
            .on(option)
            .hint("Write braces that are meant literally as {{ \"{{\" }}."),
        );
    }
}

/// The path on this machine that an option means: `~` and `~/…` are below the home folder.
#[must_use]
pub fn expand(path: &str) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match (path.strip_prefix('~'), home) {
        (Some(""), Some(home)) => home,
        (Some(rest), Some(home)) if rest.starts_with('/') => home.join(&rest[1..]),
        _ => PathBuf::from(path),
    }
}
