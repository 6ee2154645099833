//! What can be wrong with keys, envelopes and statements.

use crate::Algorithm;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There is no PEM block in the text.
    #[error("there is no PEM block (`-----BEGIN …-----`) in it")]
    NotPem,
    /// A PEM block that does not end, or is not base64.
    #[error("its PEM block `{label}` is damaged: {reason}")]
    Damaged {
        /// What stands behind `BEGIN`.
        label: String,
        /// What is wrong.
        reason: String,
    },
    /// A PEM block of another kind.
    #[error("`{label}` is not a {wanted}; {advice}")]
    WrongKind {
        /// What stands behind `BEGIN`.
        label: String,
        /// What is needed.
        wanted: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A kind of key nothing is signed with.
    #[error(
        "keys of type {found} are not supported; use ECDSA P-256 or P-384, Ed25519, or RSA with \
         2048 to 8192 bits"
    )]
    Unsupported {
        /// Name or object identifier of the type.
        found: String,
    },
    /// The key itself is wrong, for example too short or inconsistent.
    #[error("it is not a usable {algorithm} key: {reason}")]
    Rejected {
        /// Its type.
        algorithm: String,
        /// What the cryptographic library says.
        reason: String,
    },
    /// The key is encrypted and there is no password.
    #[error("it is encrypted, and no password was given")]
    PasswordMissing,
    /// The password does not open the key.
    #[error("its password is wrong, or the key is damaged")]
    PasswordWrong,
    /// Encrypted in a way that cannot be opened.
    #[error("it is encrypted in a way that is not supported ({found}); {advice}")]
    Encryption {
        /// What was found.
        found: String,
        /// What to do.
        advice: &'static str,
    },
    /// Signing failed inside the library.
    #[error("signing with a {algorithm} key failed")]
    Signing {
        /// Type of the key.
        algorithm: Algorithm,
    },
}

/// Why a text is not an envelope.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// It is no JSON, or lacks parts of an envelope.
    #[error("it is not a DSSE envelope: {reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
    /// A bare statement.
    #[error("it is a statement that nobody signed (signing_mode \"none\")")]
    Unsigned,
    /// A payload that is not base64.
    #[error("its payload is not base64")]
    Payload,
    /// Something else was signed.
    #[error("its payload is of type `{found}`, not `{}`", crate::PAYLOAD_TYPE)]
    PayloadType {
        /// What it says.
        found: String,
    },
    /// Nobody signed it.
    #[error("it has no signature")]
    NoSignature,
    /// The statement cannot be written.
    #[error("the statement cannot be written as JSON: {reason}")]
    Unwritable {
        /// What is wrong.
        reason: String,
    },
}

/// Why no signature of an envelope is good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The envelope itself is wrong.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// It names other keys than the one given.
    #[error(
        "bad signature: it was signed with another key: {signers}, and the {algorithm} key given \
         is {given}"
    )]
    OtherKey {
        /// What the envelope says of its keys.
        signers: String,
        /// Type of the key given.
        algorithm: Algorithm,
        /// Identity of the key given.
        given: String,
    },
    /// A signature that the key's type cannot make.
    #[error(
        "bad signature: wrong key type: no signature in it can be one of the {algorithm} key given"
    )]
    KeyType {
        /// Type of the key given.
        algorithm: Algorithm,
    },
    /// The signature names this key, or none, and does not fit.
    #[error(
        "bad signature: the payload was changed after it was signed, or it was signed with another \
         {algorithm} key than the one given ({given})"
    )]
    Tampered {
        /// Type of the key given.
        algorithm: Algorithm,
        /// Identity of the key given.
        given: String,
    },
}

/// Why a payload is not a statement.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// It is no JSON, or lacks parts of a statement.
    #[error("the payload is not an in-toto statement: {reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
    /// Another version.
    #[error("the statement is of type `{found}`, not `{}`", crate::STATEMENT_TYPE)]
    Type {
        /// What it says.
        found: String,
    },
    /// It is about nothing.
    #[error("the statement has no subject")]
    NoSubject,
    /// A subject without a digest.
    #[error("subject `{name}` of the statement has no digest")]
    NoDigest {
        /// The subject.
        name: String,
    },
}
