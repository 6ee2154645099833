//! Names of optional behaviour. Both sides ignore names they do not know, and nobody uses a
//! feature the other side did not list.

/// `Reclaim` is served: leftovers of dead runs can be removed.
pub const RECLAIM: &str = "reclaim";

/// `Event.cleanup_provision` is sent when a build fails after its machine was ready.
pub const CLEANUP_PROVISION: &str = "cleanup-provision";

/// `Communicator.Forward` is served where the transport can do it.
pub const FORWARD: &str = "forward";

/// Everything that plugins built with this SDK have.
pub const ALL: &[&str] = &[RECLAIM, CLEANUP_PROVISION, FORWARD];
