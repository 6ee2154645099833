//! Whose move it is after an error.

/// Who can mend an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The user, in the template or on the command line.
    User,
    /// The machine kiln runs on: a missing program, a full disk, the network.
    Environment,
    /// The plugin.
    Plugin,
    /// We: a bug in kiln.
    Bug,
}
