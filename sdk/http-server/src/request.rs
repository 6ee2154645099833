//! Requests the server saw.

use std::net::SocketAddr;
use std::sync::Arc;

/// A request and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// `GET`, `HEAD`, ….
    pub method: String,
    /// Path as it was asked for, decoded.
    pub path: String,
    /// Status of the answer.
    pub status: u16,
    /// Who asked.
    pub client: SocketAddr,
    /// What the client calls itself; empty when it does not say.
    pub user_agent: String,
}

/// Called for each request, when its answer begins. It must not block.
pub type Observer = Arc<dyn Fn(&SeenRequest) + Send + Sync>;
