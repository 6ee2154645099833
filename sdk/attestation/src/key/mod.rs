//! Keys from PEM.

mod private;
mod public;

pub use private::PrivateKey;
pub use public::PublicKey;

use pkcs8::ObjectIdentifier;
use pkcs8::spki::AlgorithmIdentifierRef;

use crate::KeyError;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaP384,
    /// Ed25519.
    Ed25519,
    /// RSA, PKCS #1 v1.5 with SHA-256.
    Rsa,
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::EcdsaP256 => "ECDSA P-256",
            Self::EcdsaP384 => "ECDSA P-384",
            Self::Ed25519 => "Ed25519",
            Self::Rsa => "RSA",
        })
    }
}

impl Algorithm {
    fn of(identifier: &AlgorithmIdentifierRef<'_>) -> Result<Self, KeyError> {
        if identifier.oid == RSA {
            return Ok(Self::Rsa);
        }
        if identifier.oid == ED25519 {
            return Ok(Self::Ed25519);
        }
        let curve = match identifier.oid == EC {
            true => identifier.parameters_oid().ok(),
            false => None,
        };
        Self::of_curve(curve.unwrap_or(identifier.oid))
    }

    fn of_curve(curve: ObjectIdentifier) -> Result<Self, KeyError> {
        match curve {
            P256 => Ok(Self::EcdsaP256),
            P384 => Ok(Self::EcdsaP384),
            other => Err(KeyError::Unsupported {
                found: name_of(other),
            }),
        }
    }
}

/// What people call a type of key.
fn name_of(oid: ObjectIdentifier) -> String {
    let text = oid.to_string();
    let name = match text.as_str() {
        "1.3.132.0.35" => "ECDSA P-521",
        "1.3.132.0.10" => "ECDSA secp256k1",
        "1.3.101.110" => "X25519",
        "1.3.101.111" => "X448",
        "1.3.101.113" => "Ed448",
        "1.2.840.10040.4.1" => "DSA",
        "1.2.840.113549.1.1.10" => "RSA-PSS",
        "1.2.840.10045.2.1" => "ECDSA with a curve of its own",
        other => other,
    };
    name.to_owned()
}
