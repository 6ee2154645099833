//! What a build leaves.

use std::path::PathBuf;

use sdk_config::Value;

/// A finished thing: files, or something that lives elsewhere.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Artifact {
    /// Which component's kind of artifact it is, for example `transcend.qemu`.
    pub builder_id: String,
    /// Its identity, for example a cloud image id; empty for plain files.
    pub id: String,
    /// Files it consists of.
    pub files: Vec<PathBuf>,
    /// What the summary prints.
    pub description: String,
    /// Facts for post-processors; `generated_data` holds the machine's values.
    pub state: Value,
    /// Files and folders to remove, in order, to destroy it.
    pub destroy: Vec<PathBuf>,
}

/// What a post-processor made.
#[derive(Clone, Debug, PartialEq)]
pub struct PostProcessed {
    /// The result; `None` ends the chain quietly.
    pub artifact: Option<Artifact>,
    /// Whether the input should stay.
    pub keep_input: bool,
    /// Whether the template may not override `keep_input`.
    pub force_keep_input: bool,
}
