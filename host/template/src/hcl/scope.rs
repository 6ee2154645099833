//! What expressions of a template can see.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use host_diag::Diagnostics;
use host_eval::{FunctionSet, Scope, Settings, Type, Value};

use crate::options::LoadOptions;

/// A scope with no names and no functions: what literals are evaluated in.
pub(crate) fn empty() -> Scope {
    Scope {
        variables: Arc::new(HashMap::new()),
        functions: FunctionSet::None,
        settings: Arc::new(Settings::default()),
    }
}

/// A scope in which `env` is the only function: for the defaults of variables.
pub(crate) fn of_defaults(options: &LoadOptions) -> Scope {
    Scope {
        functions: FunctionSet::EnvOnly,
        ..with_names(options, Path::new(""), HashMap::new())
    }
}

/// All functions and these names; files are relative to `base_dir`.
pub(crate) fn with_names(
    options: &LoadOptions,
    base_dir: &Path,
    names: HashMap<String, Value>,
) -> Scope {
    let settings = Settings {
        base_dir: options.working_dir.join(base_dir),
        started_at_unix_nanos: options.started_at_unix_nanos,
    };
    Scope {
        variables: Arc::new(shared(names).collect()),
        functions: FunctionSet::All,
        settings: Arc::new(settings),
    }
}

/// `scope` with more names; they hide its own.
pub(crate) fn extended<'a>(
    scope: &Scope,
    names: impl IntoIterator<Item = (&'a str, Value)>,
) -> Scope {
    let mut variables = HashMap::clone(&scope.variables);
    let names = names.into_iter();
    variables.extend(shared(names.map(|(name, value)| (name.to_owned(), value))));
    Scope {
        variables: Arc::new(variables),
        ..scope.clone()
    }
}

fn shared(
    names: impl IntoIterator<Item = (String, Value)>,
) -> impl Iterator<Item = (String, Arc<Value>)> {
    let names = names.into_iter();
    names.map(|(name, value)| (name, Arc::new(value)))
}

/// `path`: where the template and the process are.
pub(crate) fn path_value(options: &LoadOptions, base_dir: &str) -> Value {
    let cwd = options.working_dir.to_string_lossy().replace('\\', "/");
    Value::object_of([
        ("root", Value::string(base_dir.replace('\\', "/"))),
        ("cwd", Value::string(cwd)),
    ])
}

/// `packer`: what runs the template. The registry's values are never known: there is none.
pub(crate) fn packer_value(options: &LoadOptions) -> Value {
    Value::object_of([
        ("version", Value::string(options.core_version.clone())),
        ("iterationID", Value::unknown(Type::String)),
        ("versionFingerprint", Value::unknown(Type::String)),
    ])
}

/// `data`: results by type, then by name.
pub(crate) fn data_value<'a>(
    results: impl IntoIterator<Item = (&'a str, &'a str, &'a Value)>,
) -> Value {
    let mut by_type: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for (type_name, name, value) in results {
        by_type
            .entry(type_name.to_owned())
            .or_default()
            .insert(name.to_owned(), value.clone());
    }
    Value::object(
        by_type
            .into_iter()
            .map(|(ty, named)| (ty, Value::object(named)))
            .collect(),
    )
}

/// Problems that say which block they are in.
pub(crate) fn in_block(problems: Diagnostics, header: &str) -> Diagnostics {
    problems
        .into_iter()
        .map(|problem| match problem.context {
            Some(_) => problem,
            None => problem.context(header),
        })
        .collect()
}

/// Adds the problems that are not there yet. Instances of one block share most of theirs.
pub(crate) fn add_new(found: Diagnostics, problems: &mut Diagnostics) {
    for problem in found {
        if !problems.iter().any(|known| known.repeats(&problem)) {
            problems.push(problem);
        }
    }
}
