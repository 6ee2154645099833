//! What expressions can see.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::functions::FunctionSet;
use crate::value::Value;

/// What functions need to know of the world.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Folder that `file`, `fileset`, `templatefile` are relative to.
    pub base_dir: PathBuf,
    /// Start of the process, in nanoseconds since 1970 UTC; `legacy_isotime` tells it.
    pub started_at_unix_nanos: i64,
}

/// The names an expression can use. Names that `for` binds are added by evaluation itself.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Values by root name: `var`, `local`, `source`, `build`, …. Each is shared, so that a scope
    /// with a few more names costs only these.
    pub variables: Arc<HashMap<String, Arc<Value>>>,
    /// The functions that can be called.
    pub functions: FunctionSet,
    /// What functions need to know of the world.
    pub settings: Arc<Settings>,
}

impl Scope {
    /// A scope without variables.
    #[must_use]
    pub fn new(functions: FunctionSet, settings: Arc<Settings>) -> Self {
        Self {
            variables: Arc::default(),
            functions,
            settings,
        }
    }

    /// The same scope with one more variable; one of the same name is replaced.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>, value: Value) -> Self {
        Arc::make_mut(&mut self.variables).insert(name.into(), Arc::new(value));
        self
    }
}
