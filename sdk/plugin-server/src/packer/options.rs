//! Options as Packer hands them over, made ready for a component of kiln.
//!
//! Packer leaves template calls to the plugin, kiln's host renders them before the component sees
//! them, except in options that the component renders by itself.

use std::path::PathBuf;
use std::time::SystemTime;

use sdk_component::{BuildInfo, OnError};
use sdk_config::{Diagnostic, Path, PathStep, Schema, Severity, Type, Value, ValueKind};
use sdk_go_template::{Context, Data};
use sdk_packer_protocol::value::CoreVariables;

/// Environment variable with the identity of the host's run.
const RUN_UUID: &str = "PACKER_RUN_UUID";

/// Environment variable with the folder that outlives runs.
const CACHE_DIRECTORY: &str = "PACKER_CACHE_DIR";

/// What is known of the build from what the host says and its environment.
pub(super) fn build_info(core: &CoreVariables) -> BuildInfo {
    let template_path = PathBuf::from(&core.template_path);
    let folder = template_path.parent().map(PathBuf::from);
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let here = || std::env::current_dir().unwrap_or_default();
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos());
    let secrets = core.sensitive_variables.iter();
    let secrets = secrets.filter_map(|name| core.user_variables.get(name));
    BuildInfo {
        name: format!("{}.{}", core.builder_type, core.build_name),
        source_name: core.build_name.clone(),
        builder_type: core.builder_type.clone(),
        core_version: core.core_version.clone(),
        debug: core.debug,
        force: core.force,
        on_error: match core.on_error.as_str() {
            "abort" => OnError::Abort,
            "ask" => OnError::Ask,
            "run-cleanup-provisioner" => OnError::RunCleanupProvisioner,
            _ => OnError::Cleanup,
        },
        template_dir: folder.map_or_else(here, |folder| here().join(folder)),
        template_path,
        run_uuid: std::env::var(RUN_UUID).unwrap_or_default(),
        cache_dir: cache_directory(),
        user_variables: core.user_variables.clone(),
        started_at_unix_nanos: i64::try_from(nanos).unwrap_or(i64::MAX),
        secrets: secrets
            .filter(|secret| !secret.is_empty())
            .cloned()
            .collect(),
        ..BuildInfo::default()
    }
}

/// Packer's own rule for its cache.
fn cache_directory() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = set(CACHE_DIRECTORY) {
        return folder.into();
    }
    let base = set("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || set("HOME").map(|home| PathBuf::from(home).join(".cache"));
    base.or_else(home)
        .unwrap_or_else(std::env::temp_dir)
        .join("packer")
}

/// The options with their template calls rendered, single values where lists are wanted put into
/// lists, as far as the component does not do it.
///
/// # Errors
///
/// All problems, each with the option.
pub(super) fn rendered(
    options: &Value,
    schema: &Schema,
    context: &Context,
) -> Result<Value, Vec<String>> {
    let mut problems = Vec::new();
    let rendered = body(options, schema, context, &Path::default(), &mut problems);
    if problems.is_empty() {
        Ok(rendered)
    } else {
        Err(problems)
    }
}

fn body(
    options: &Value,
    schema: &Schema,
    context: &Context,
    path: &Path,
    problems: &mut Vec<String>,
) -> Value {
    let entries = match &options.kind {
        ValueKind::Map(entries) => entries,
        ValueKind::List(bodies) => {
            let bodies = bodies.iter().enumerate();
            let bodies = bodies.map(|(index, one)| {
                body(
                    one,
                    schema,
                    context,
                    &path.then(PathStep::Index(index)),
                    problems,
                )
            });
            return Value::from(bodies.collect::<Vec<_>>());
        }
        _ => return options.clone(),
    };
    let mut ready = Value::empty_map();
    for (name, value) in entries {
        let at = path.then(PathStep::Attribute(name.clone()));
        let attribute = schema.attributes.iter().find(|one| one.name == *name);
        let block = schema.blocks.iter().find(|one| one.name == *name);
        let value = match (attribute, block) {
            (Some(attribute), _) => {
                let value = listed(value, &attribute.ty);
                if attribute.late {
                    value
                } else {
                    text(&value, context, &at, problems)
                }
            }
            (None, Some(block)) => body(value, &block.schema, context, &at, problems),
            // The component refuses what it does not know, or renders it by itself.
            (None, None) => value.clone(),
        };
        ready.insert(name.clone(), value);
    }
    ready
}

/// One value where a list is wanted is a list of one, as in Packer's plugins.
fn listed(value: &Value, ty: &Type) -> Value {
    let single = !matches!(
        value.kind,
        ValueKind::List(_) | ValueKind::Null | ValueKind::Unknown
    );
    match ty {
        Type::List(_) if single => Value::from(vec![value.clone()]),
        _ => value.clone(),
    }
}

fn text(value: &Value, context: &Context, path: &Path, problems: &mut Vec<String>) -> Value {
    match &value.kind {
        ValueKind::String(call) if call.contains("{{") => {
            let nothing = Data::Map(std::collections::BTreeMap::new());
            match sdk_go_template::render(call, &nothing, context) {
                Ok(rendered) => Value::from(rendered),
                Err(error) => {
                    problems.push(format!("Failed to render template call: `{path}`: {error}"));
                    Value::null()
                }
            }
        }
        ValueKind::List(items) => {
            let items = items.iter().enumerate();
            let items = items.map(|(index, item)| {
                text(item, context, &path.then(PathStep::Index(index)), problems)
            });
            Value::from(items.collect::<Vec<_>>())
        }
        ValueKind::Map(entries) => {
            let mut map = Value::empty_map();
            for (name, item) in entries {
                let at = path.then(PathStep::Attribute(name.clone()));
                map.insert(name.clone(), text(item, context, &at, problems));
            }
            map
        }
        _ => value.clone(),
    }
}

/// A problem in words, since Packer knows no more than words.
pub(super) fn words(problem: &Diagnostic) -> String {
    let mut words = if problem.detail.is_empty() {
        problem.summary.clone()
    } else {
        format!("{}: {}", problem.summary, problem.detail)
    };
    let place = problem.path.to_string();
    if !place.is_empty() && !words.contains(&place) {
        words = format!("`{place}`: {words}");
    }
    if !problem.hint.is_empty() {
        words = format!("{words} ({})", problem.hint.trim_end_matches('.'));
    }
    words
}

/// The errors and the warnings among problems, in words.
pub(super) fn sorted(problems: &[Diagnostic]) -> (Vec<String>, Vec<String>) {
    let (errors, warnings): (Vec<_>, Vec<_>) = problems
        .iter()
        .partition(|problem| problem.severity == Severity::Error);
    let words = |list: Vec<&Diagnostic>| list.into_iter().map(words).collect();
    (words(errors), words(warnings))
}

/// Several errors as one text.
pub(super) fn joined(errors: &[String]) -> Option<String> {
    match errors {
        [] => None,
        [one] => Some(one.clone()),
        many => {
            let list: Vec<String> = many.iter().map(|error| format!("* {error}")).collect();
            Some(format!(
                "{} errors occurred:\n{}",
                many.len(),
                list.join("\n")
            ))
        }
    }
}
