//! Serves files to the guest over HTTP.
//!
//! Here are the option group [`HttpConfig`] and [`HttpServer`], which serves a folder or inline
//! texts at a leased port and tells which requests it saw. Not here: what the guest should fetch
//! (boot commands) and messages for the person building; the caller says `Starting HTTP server on
//! port N`.
//!
//! Start with [`HttpServer::start`].

mod config;
mod content;
mod directory;
mod error;
mod request;
mod request_path;
mod server;

pub use config::HttpConfig;
pub use error::HttpServerError;
pub use request::{Observer, SeenRequest};
pub use server::HttpServer;
