//! `fileset`.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use crate::types::Type;
use crate::value::Value;

use super::arguments::text;
use super::files::{clean, resolve};
use super::{Context, Function, FunctionError, Kind, Outcome, Parameter, ResultType};

/// Deepest folder below the first one that is looked into.
const DEEPEST_FOLDER: usize = 128;

pub(super) const FUNCTIONS: &[Function] = &[Function::new(
    "fileset",
    &[
        Parameter::new("path", Kind::String),
        Parameter::new("pattern", Kind::String),
    ],
    ResultType::Is(Kind::StringSet),
    fileset,
)];

/// The files below a folder that match a pattern, relative to the folder, with `/` everywhere.
fn fileset(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let folder = resolve(context, text(&args, 0))?;
    let pattern = clean(text(&args, 1));
    let (fixed, open) = split_pattern(&pattern);
    let open = with_plain_marks(&open);
    let glob = GlobBuilder::new(&open)
        .literal_separator(true)
        .backslash_escape(true)
        .build();
    let glob = glob
        .map_err(|error| {
            FunctionError::call_at(
                1,
                format!("failed to glob pattern ({pattern}): {}", error.kind()),
            )
        })?
        .compile_matcher();
    let mut search = Search {
        context,
        glob,
        fixed: &fixed,
        found: Vec::new(),
    };
    search.folder(&folder.join(&fixed), "", 0)?;
    Ok(Value::set(
        Type::String,
        search.found.into_iter().map(Value::string).collect(),
    ))
}

/// An exclamation mark in front of a class means itself in Packer's patterns; only `^` negates.
fn with_plain_marks(pattern: &str) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once("[!") {
        text.push_str(before);
        let Some((class, behind)) = after.split_once(']') else {
            rest = &rest[before.len()..];
            break;
        };
        text.push_str(&format!("[{class}!]"));
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// The folders in front of the first wildcard, and the rest.
fn split_pattern(pattern: &str) -> (String, String) {
    let parts: Vec<&str> = pattern.split('/').collect();
    let is_open = |part: &&str| part.contains(['*', '?', '[', '{', '\\']);
    let first_open = parts.iter().position(is_open).unwrap_or(parts.len());
    let split = first_open.min(parts.len() - 1);
    let fixed: String = parts[..split]
        .iter()
        .map(|part| format!("{part}/"))
        .collect();
    (fixed, parts[split..].join("/"))
}

struct Search<'s> {
    context: &'s Context<'s>,
    glob: GlobMatcher,
    fixed: &'s str,
    found: Vec<String>,
}

impl Search<'_> {
    /// Looks into `folder`, which is `below` the first one.
    fn folder(&mut self, folder: &Path, below: &str, depth: usize) -> Result<(), FunctionError> {
        if depth > DEEPEST_FOLDER {
            return Ok(());
        }
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && depth == 0 => {
                return Ok(());
            }
            Err(error) => {
                let shown = folder.display();
                return Err(FunctionError::call_at(
                    0,
                    format!("failed to list {shown}: {error}"),
                ));
            }
        };
        for entry in entries {
            self.context.limits.spend(1)?;
            let entry = entry.map_err(|error| FunctionError::new(error.to_string()))?;
            // A name that is not Unicode cannot be a string of the template.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = format!("{below}{name}");
            let file_type = entry
                .file_type()
                .map_err(|error| FunctionError::new(error.to_string()))?;
            if file_type.is_dir() {
                self.folder(&entry.path(), &format!("{path}/"), depth + 1)?;
            } else if self.glob.is_match(&path) && entry.path().is_file() {
                self.found.push(format!("{}{path}", self.fixed));
            }
        }
        Ok(())
    }
}
