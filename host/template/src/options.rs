//! What the user said about the template.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Which language a path without a telling suffix is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ConfigType {
    /// Legacy JSON.
    #[default]
    Json,
    /// HCL2.
    Hcl2,
}

/// What the user said about the template.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// As given: a file, a folder, `-` for standard input.
    pub path: String,
    /// For paths without a telling suffix.
    pub config_type: ConfigType,
    /// `-var`, in order: name and text.
    pub variables: Vec<(String, String)>,
    /// `-var-file`, in order.
    pub variable_files: Vec<PathBuf>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// The working directory.
    pub working_dir: PathBuf,
    /// Warn about names in variable files that the template does not declare.
    pub warn_undeclared: bool,
    /// `-only`, in order.
    pub only: Vec<String>,
    /// `-except`, in order.
    pub except: Vec<String>,
    /// The version templates see, and constraints are checked against: the Packer version kiln
    /// speaks for, for example `1.16.0`.
    pub core_version: String,
    /// Start of the process, in nanoseconds since 1970 UTC.
    pub started_at_unix_nanos: i64,
}
