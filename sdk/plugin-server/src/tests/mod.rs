//! The whole way over a real socket: a client in the place of the host, plugins that serve, a
//! machine in memory.

mod host;
mod machine;
mod run;
pub(crate) mod sample;
