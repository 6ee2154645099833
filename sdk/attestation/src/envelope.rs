//! DSSE envelopes.
//!
//! # Source
//!
//! Dead Simple Signing Envelope v1.0.2, `protocol.md` and `envelope.md`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde::{Deserialize, Serialize};

use crate::{EnvelopeError, KeyError, PrivateKey, PublicKey, Statement, VerifyError};

/// The type of a payload that is an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A payload and signatures over it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// What the payload is.
    pub payload_type: String,
    /// The payload in base64.
    pub payload: String,
    /// At least one.
    pub signatures: Vec<Signature>,
}

/// One signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Identity of the key; a hint, and may be empty.
    #[serde(default)]
    pub keyid: String,
    /// The signature in base64.
    pub sig: String,
}

/// What can go wrong while signing.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
#[non_exhaustive]
pub enum Signed {
    /// The statement.
    Envelope(#[from] EnvelopeError),
    /// The key.
    Key(#[from] KeyError),
}

/// What is really signed: type and payload with their lengths, so that neither can be taken for a
/// part of the other.
#[must_use]
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut encoded = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}

impl Envelope {
    /// Signs `statement` with `key`.
    ///
    /// # Errors
    ///
    /// When the statement cannot be written, or signing fails.
    pub fn sign(statement: &Statement, key: &PrivateKey) -> Result<Self, Signed> {
        let payload = serde_json::to_vec(statement).map_err(|error| EnvelopeError::Unwritable {
            reason: error.to_string(),
        })?;
        let signature = key.sign(&pre_authentication_encoding(PAYLOAD_TYPE, &payload))?;
        Ok(Self {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: STANDARD.encode(&payload),
            signatures: vec![Signature {
                keyid: key.public().id().to_owned(),
                sig: STANDARD.encode(signature),
            }],
        })
    }

    /// The envelope as one line of JSON.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Unwritable`].
    pub fn to_line(&self) -> Result<String, EnvelopeError> {
        let text = serde_json::to_string(self).map_err(|error| EnvelopeError::Unwritable {
            reason: error.to_string(),
        })?;
        Ok(text + "\n")
    }

    /// Reads an envelope; nothing of it is verified yet.
    ///
    /// # Errors
    ///
    /// An [`EnvelopeError`] that says what is wrong.
    pub fn read(text: &[u8]) -> Result<Self, EnvelopeError> {
        let malformed = |error: serde_json::Error| EnvelopeError::Malformed {
            reason: error.to_string(),
        };
        let value: serde_json::Value = serde_json::from_slice(text).map_err(malformed)?;
        if value.get("_type").is_some() && value.get("payload").is_none() {
            return Err(EnvelopeError::Unsigned);
        }
        let envelope: Self = serde_json::from_value(value).map_err(malformed)?;
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(EnvelopeError::PayloadType {
                found: envelope.payload_type,
            });
        }
        if envelope.signatures.is_empty() {
            return Err(EnvelopeError::NoSignature);
        }
        Ok(envelope)
    }

    /// The payload, when one of the signatures is `key`'s; only then may it be looked at.
    ///
    /// # Errors
    ///
    /// A [`VerifyError`] that says why none is.
    pub fn verify(&self, key: &PublicKey) -> Result<Vec<u8>, VerifyError> {
        let payload = decode(&self.payload).ok_or(EnvelopeError::Payload)?;
        let message = pre_authentication_encoding(&self.payload_type, &payload);
        let signatures: Vec<Vec<u8>> = self
            .signatures
            .iter()
            .filter_map(|signature| decode(&signature.sig))
            .collect();
        if signatures.iter().any(|it| key.verifies(&message, it)) {
            return Ok(payload);
        }
        let (algorithm, given) = (key.algorithm(), key.id().to_owned());
        if !signatures.iter().any(|it| key.could_have_made(it)) {
            return Err(VerifyError::KeyType { algorithm });
        }
        let mut signers = self.signatures.iter().map(|it| it.keyid.as_str());
        // Only identities made as kiln makes them can be told apart; others are free text.
        let foreign = |id: &str| id.len() == given.len() && id != given;
        Err(match signers.all(foreign) {
            true => {
                let names: Vec<&str> = self.signatures.iter().map(|it| it.keyid.as_str()).collect();
                VerifyError::OtherKey {
                    signers: names.join(", "),
                    algorithm,
                    given,
                }
            }
            false => VerifyError::Tampered { algorithm, given },
        })
    }
}

/// Both alphabets are allowed.
fn decode(text: &str) -> Option<Vec<u8>> {
    let standard = STANDARD.decode(text).ok();
    standard.or_else(|| URL_SAFE.decode(text).ok())
}
