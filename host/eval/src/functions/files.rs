//! Files and paths.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use host_diag::{Diagnostic, SourceMap};
use host_syntax::parse_template;

use crate::evaluate::{Evaluator, Place};
use crate::limits::LONGEST_STRING_BYTES;
use crate::scope::Scope;
use crate::value::Value;

use super::arguments::text;
use super::environment::variable;
use super::{
    Context, Function, FunctionError, FunctionSet, Kind, Outcome, Parameter, ResultType, foreseen,
};

const STRING: ResultType = ResultType::Is(Kind::String);
const PATH: &[Parameter] = &[Parameter::new("path", Kind::String)];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("abspath", PATH, STRING, |_, args| {
        let path = std::path::absolute(non_empty(text(&args, 0)))
            .map_err(|error| FunctionError::call_at(0, error.to_string()))?;
        Ok(Value::string(clean(&path.to_string_lossy())))
    }),
    Function::new("basename", PATH, STRING, |_, args| {
        Ok(Value::string(base_name(text(&args, 0))))
    }),
    Function::new("dirname", PATH, STRING, |_, args| {
        let path = text(&args, 0);
        let end = path.rfind('/').map_or(0, |at| at + 1);
        Ok(Value::string(clean(&path[..end])))
    }),
    Function::new("pathexpand", PATH, STRING, |_, args| {
        Ok(Value::string(expand_home(text(&args, 0))?))
    }),
    Function::new("file", PATH, STRING, |context, args| {
        let path = resolve(context, text(&args, 0))?;
        Ok(Value::string(read_text(&path)?))
    }),
    Function::new("filebase64", PATH, STRING, |_, args| {
        Ok(Value::string(
            STANDARD.encode(read(Path::new(text(&args, 0)))?),
        ))
    }),
    Function::new("fileexists", PATH, ResultType::Is(Kind::Bool), file_exists),
    Function::new(
        "templatefile",
        &[
            Parameter::new("path", Kind::String),
            Parameter::new("vars", Kind::Any)
                .partly_known()
                .with_marks(),
        ],
        ResultType::Foreseen(Kind::Any, foreseen::template_file),
        template_file,
    ),
];

fn non_empty(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}

/// The path without `.`, `..` and doubled separators, as far as text alone can tell.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&"..") | None if !rooted => parts.push(".."),
                None => {}
                Some(_) => {
                    parts.pop();
                }
            },
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

fn base_name(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() {
        return "/";
    }
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

/// `~` in front of a path stands for the home folder.
fn expand_home(path: &str) -> Result<String, FunctionError> {
    match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            let home = variable("HOME")
                .filter(|home| !home.is_empty())
                .ok_or_else(|| {
                    FunctionError::call_at(
                        0,
                        "the home folder is not known, because HOME is not set",
                    )
                })?;
            Ok(format!("{home}{rest}"))
        }
        Some(_) => Err(FunctionError::call_at(
            0,
            "cannot expand user-specific home dir",
        )),
        None => Ok(path.to_owned()),
    }
}

/// A path relative to the template.
pub(super) fn resolve(context: &Context<'_>, path: &str) -> Result<PathBuf, FunctionError> {
    let path = PathBuf::from(expand_home(path)?);
    Ok(if path.is_absolute() {
        path
    } else {
        context.settings.base_dir.join(path)
    })
}

fn read(path: &Path) -> Result<Vec<u8>, FunctionError> {
    let shown = path.display();
    let problem = |message: String| FunctionError::call_at(0, message);
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => problem(format!("no file exists at {shown}")),
        _ => problem(format!("failed to open {shown}: {error}")),
    })?;
    if metadata.is_dir() {
        return Err(problem(format!("{shown} is a folder, not a file")));
    }
    // A pipe or a device does not say how much is in it, and may have no end.
    let mut bytes = Vec::new();
    let most = LONGEST_STRING_BYTES as u64;
    if metadata.len() <= most {
        std::fs::File::open(path)
            .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
            .map_err(|error| problem(format!("failed to read {shown}: {error}")))?;
    }
    if metadata.len().max(bytes.len() as u64) > most {
        return Err(problem(format!("{shown} is too large to be a string")));
    }
    Ok(bytes)
}

fn read_text(path: &Path) -> Result<String, FunctionError> {
    String::from_utf8(read(path)?).map_err(|_| {
        let shown = path.display();
        FunctionError::call_at(0, format!("contents of {shown} are not valid UTF-8; use the filebase64 function to obtain the Base64 encoded contents instead"))
    })
}

fn file_exists(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    let path = resolve(context, text(&args, 0))?;
    let shown = path.display();
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => Ok(Value::bool(true)),
        Ok(_) => Err(FunctionError::call_at(
            0,
            format!("{shown} is not a regular file"),
        )),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Value::bool(false))
        }
        Err(error) => Err(FunctionError::call_at(
            0,
            format!("failed to look at {shown}: {error}"),
        )),
    }
}

/// Reads a file as a template that sees nothing but the given variables.
fn template_file(context: &Context<'_>, args: Vec<Value>) -> Outcome {
    if context.place == Place::TemplateFile {
        return Err(FunctionError::new(
            "cannot recursively call templatefile from inside templatefile call",
        ));
    }
    let variables = args[1].as_mapping().ok_or_else(|| {
        FunctionError::call_at(1, "invalid vars value: must be a map or an object")
    })?;
    if let Some(name) = variables.keys().find(|name| !is_identifier(name)) {
        let message = format!(
            "invalid template variable name {name:?}: must start with a letter, followed by zero or more letters, digits, and underscores"
        );
        return Err(FunctionError::call_at(1, message));
    }
    let path = resolve(context, text(&args, 0))?;
    let source = read_text(&path)?;
    let mut sources = SourceMap::default();
    let file = sources.add(path.display().to_string(), source.as_str());
    let failed = |problems: &[Diagnostic]| {
        let first = problems.iter().find(|problem| problem.is_error())?;
        Some(FunctionError::new(located(first, &sources)))
    };
    let (expr, problems) = parse_template(file, 0, &source);
    if let Some(error) = failed(&problems) {
        return Err(error);
    }
    let Some(expr) = expr else {
        return Err(FunctionError::new("the template cannot be read"));
    };
    let sensitive = args[1].sensitive;
    let variables = variables
        .iter()
        .map(|(k, v)| (k.clone(), Arc::new(v.clone().marked_like(sensitive))));
    let scope = Scope {
        variables: Arc::new(variables.collect()),
        functions: FunctionSet::All,
        settings: Arc::new(context.settings.clone()),
    };
    let mut evaluator = Evaluator::new(&scope, context.limits, Place::TemplateFile, context.depth);
    let value = evaluator.expression(&expr);
    match failed(&evaluator.into_diagnostics()) {
        Some(error) => Err(error),
        None => Ok(value),
    }
}

/// A problem inside the file, with its place in words: the caller's own place is the call.
fn located(problem: &Diagnostic, sources: &SourceMap) -> String {
    let mut text = String::new();
    if let Some(span) = problem.subject {
        let (line, column) = sources.position(span.file, span.start);
        text.push_str(&format!("{}:{line},{column}: ", sources.name(span.file)));
    }
    text.push_str(&problem.summary);
    if !problem.detail.is_empty() {
        text.push_str("; ");
        text.push_str(&problem.detail);
    }
    text
}

fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(char::is_alphabetic)
        && characters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}
