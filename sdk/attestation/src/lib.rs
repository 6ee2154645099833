//! Signed statements about files: DSSE envelopes around in-toto statements, and the keys for them.
//!
//! Here are [`Envelope`] (sign, read, verify), [`Statement`] with its [`Subject`]s and how a file is
//! compared with them, [`FileDigests`], [`PrivateKey`] and [`PublicKey`] from PEM, and the
//! [`PredicateKind`]s kiln knows. Both sides use it: the post-processors that sign, and the host's
//! command that verifies. Not here: what a predicate says, command lines, making keys (nothing in
//! kiln makes one).
//!
//! Start with [`Envelope::sign`] and [`Envelope::verify`].

mod digests;
mod envelope;
mod error;
mod key;
mod pem;
mod predicate;
mod statement;

pub use digests::{DigestError, FileDigests, sha256_hex};
pub use envelope::{Envelope, PAYLOAD_TYPE, Signature, Signed, pre_authentication_encoding};
pub use error::{EnvelopeError, KeyError, StatementError, VerifyError};
pub use key::{Algorithm, PrivateKey, PublicKey};
pub use predicate::PredicateKind;
pub use statement::{Compared, Mismatch, STATEMENT_TYPE, Statement, Subject};

#[cfg(test)]
mod tests;
