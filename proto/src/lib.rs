//! Message types of the plugin protocol and its constants.
//!
//! Here are the generated types of `kiln.plugin.v1` ([`v1`]) and what both sides must agree on
//! before the first message ([`handshake`]) and about streams ([`stream`]). Not here: any I/O and
//! any behaviour. `proto/README.md` describes the protocol byte by byte.

pub mod feature;
pub mod handshake;
pub mod stream;

/// Messages and services of protocol major 1, generated from `proto/kiln/plugin/v1/*.proto`.
///
/// `UPDATE_GENERATED=1 cargo test -p plugin-wire` writes them anew.
#[expect(
    missing_docs,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::missing_errors_doc,
    clippy::too_many_lines,
    clippy::large_enum_variant,
    reason = "generated code; the comments of the .proto files are its docs"
)]
pub mod v1 {
    include!("gen/kiln.plugin.v1.rs");
}
