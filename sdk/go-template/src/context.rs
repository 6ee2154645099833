//! What the engine functions need to know.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use crate::data::Data;

/// What the engine functions need to know.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Result of `{{build_name}}`; without it the call is an error.
    pub build_name: Option<String>,
    /// Result of `{{build_type}}`; without it the call is an error.
    pub build_type: Option<String>,
    /// Result of `{{template_dir}}`, an absolute path; without it the call is an error.
    pub template_dir: Option<String>,
    /// Result of `{{pwd}}`.
    pub working_dir: String,
    /// Result of `{{packer_version}}`.
    pub core_version: String,
    /// Time that `{{isotime}}`, `{{timestamp}}` and `{{strftime}}` tell, in nanoseconds since 1970.
    pub started_at_unix_nanos: i64,
    /// What `{{user "name"}}` finds.
    pub user: BTreeMap<String, String>,
    /// Whether the template is HCL2, where `{{user}}` is an error.
    pub hcl: bool,
    /// What `{{build "key"}}` finds.
    pub build: BuildValues,
    /// What `{{env "NAME"}}` finds; `None` where environment variables are not allowed. The same
    /// places make an unknown `{{user "name"}}` an error instead of empty text.
    pub env: Option<BTreeMap<String, String>>,
    /// Functions of the caller, asked before the built-in ones.
    pub custom: Option<Arc<dyn CustomFunctions>>,
}

/// What `{{build "key"}}` finds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum BuildValues {
    /// Nothing: the call is an error.
    #[default]
    Unavailable,
    /// Names of values that are not known yet: the call renders as `{{.key}}`, to be rendered
    /// again when they are.
    Placeholders(BTreeSet<String>),
    /// The values.
    Values(BTreeMap<String, Data>),
}

/// Functions a caller adds or replaces.
pub trait CustomFunctions: Send + Sync + Debug {
    /// Calls `name`; `None` when it is not one of these functions. Asked first for every call but
    /// `and` and `or`, whose arguments are not all evaluated. The error text says what went wrong.
    fn call(&self, name: &str, args: &[Data]) -> Option<Result<Data, String>>;

    /// Whether `name` may be one of these functions although it is no built-in one. Where this is
    /// false, a template that names it is refused before anything in it is rendered, as in Go.
    fn may_define(&self, _name: &str) -> bool {
        true
    }
}
