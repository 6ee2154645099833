//! Keys that verify.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicKey as RsaPublic;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, VerificationAlgorithm,
};
use pkcs8::der::Decode;
use pkcs8::spki::SubjectPublicKeyInfoRef;

use super::Algorithm;
use crate::{KeyError, PrivateKey, pem};

/// A public key.
#[derive(Clone, Debug)]
pub struct PublicKey {
    algorithm: Algorithm,
    /// `SubjectPublicKeyInfo`.
    der: Vec<u8>,
    id: String,
}

impl PublicKey {
    /// Reads a key from PEM: a public key, or a private key, whose public half is used. `password`
    /// opens the latter when it is encrypted.
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that says what was found instead.
    pub fn from_pem(text: &str, password: Option<&str>) -> Result<Self, KeyError> {
        let blocks = pem::blocks(text)?;
        if blocks
            .iter()
            .any(|block| block.label.ends_with("PRIVATE KEY"))
        {
            return PrivateKey::from_pem(text, password).map(|key| key.public().clone());
        }
        let block = blocks.into_iter().next().ok_or(KeyError::NotPem)?;
        match block.label.as_str() {
            "PUBLIC KEY" => Self::from_der(&block.der),
            "RSA PUBLIC KEY" => {
                let key = RsaPublic::from_der(&block.der);
                let der = key.map_err(|error| KeyError::Rejected {
                    algorithm: Algorithm::Rsa.to_string(),
                    reason: error.to_string(),
                })?;
                Self::from_document(der.as_der())
            }
            "CERTIFICATE" => Err(KeyError::WrongKind {
                label: block.label,
                wanted: "public key",
                advice: "take the key out with `openssl x509 -pubkey -noout`",
            }),
            _ => Err(KeyError::WrongKind {
                label: block.label,
                wanted: "public key",
                advice: "it has to begin with `-----BEGIN PUBLIC KEY-----`",
            }),
        }
    }

    pub(super) fn from_document(
        document: Result<PublicKeyX509Der<'static>, aws_lc_rs::error::Unspecified>,
    ) -> Result<Self, KeyError> {
        let document = document.map_err(|_| KeyError::Rejected {
            algorithm: "public".to_owned(),
            reason: "it cannot be encoded".to_owned(),
        })?;
        Self::from_der(document.as_ref())
    }

    /// Reads a `SubjectPublicKeyInfo`.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let information =
            SubjectPublicKeyInfoRef::from_der(der).map_err(|error| KeyError::Damaged {
                label: "PUBLIC KEY".to_owned(),
                reason: error.to_string(),
            })?;
        let key = Self {
            algorithm: Algorithm::of(&information.algorithm)?,
            id: hex::encode(digest::digest(&digest::SHA256, der)),
            der: der.to_vec(),
        };
        for way in key.ways() {
            key.parsed(way).map_err(|reason| KeyError::Rejected {
                algorithm: key.algorithm.to_string(),
                reason,
            })?;
        }
        Ok(key)
    }

    /// How it signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// SHA-256 of its `SubjectPublicKeyInfo` in DER, as lower-case hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether `signature` over `message` is this key's.
    ///
    /// Differs from signing in accepting more: RSA-PSS, and P-384 with SHA-256, which other tools
    /// make with the same keys.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.ways().into_iter().any(|way| {
            let key = self.parsed(way);
            key.is_ok_and(|key| key.verify_sig(message, signature).is_ok())
        })
    }

    /// Whether a key of this type can make a signature of this form.
    pub(crate) fn could_have_made(&self, signature: &[u8]) -> bool {
        match self.algorithm {
            Algorithm::Ed25519 => signature.len() == 64,
            // A DER sequence of two numbers, each as long as the curve's order or shorter.
            Algorithm::EcdsaP256 => signature.first() == Some(&0x30) && signature.len() <= 72,
            Algorithm::EcdsaP384 => {
                signature.first() == Some(&0x30) && (73..=104).contains(&signature.len())
            }
            // As long as the modulus, of which the key consists but for a few bytes.
            Algorithm::Rsa => {
                signature.len() >= 256
                    && signature.len() < self.der.len()
                    && self.der.len() - signature.len() < 64
            }
        }
    }

    fn ways(&self) -> Vec<&'static dyn VerificationAlgorithm> {
        match self.algorithm {
            Algorithm::EcdsaP256 => vec![&ECDSA_P256_SHA256_ASN1],
            Algorithm::EcdsaP384 => vec![&ECDSA_P384_SHA384_ASN1, &ECDSA_P384_SHA256_ASN1],
            Algorithm::Ed25519 => vec![&ED25519],
            Algorithm::Rsa => vec![&RSA_PKCS1_2048_8192_SHA256, &RSA_PSS_2048_8192_SHA256],
        }
    }

    fn parsed(&self, way: &'static dyn VerificationAlgorithm) -> Result<ParsedPublicKey, String> {
        ParsedPublicKey::new(way, &self.der).map_err(|error| error.to_string())
    }
}
