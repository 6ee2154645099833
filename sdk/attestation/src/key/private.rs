//! Keys that sign.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_SHA256,
};
use pkcs8::der::Decode;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};

use super::{Algorithm, PublicKey};
use crate::{KeyError, pem};

/// A private key. `Debug` shows the public half only.
pub struct PrivateKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaPair),
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivateKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

impl PrivateKey {
    /// Reads a key from PEM: PKCS #8, plain or encrypted, SEC 1 (`EC PRIVATE KEY`) or PKCS #1
    /// (`RSA PRIVATE KEY`). `password` opens an encrypted one and is ignored otherwise.
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that says what was found instead.
    pub fn from_pem(text: &str, password: Option<&str>) -> Result<Self, KeyError> {
        let blocks = pem::blocks(text)?;
        let found = blocks
            .iter()
            .position(|block| block.label.ends_with("PRIVATE KEY"));
        let mut blocks = blocks.into_iter();
        let Some(block) = blocks.nth(found.unwrap_or(0)) else {
            return Err(KeyError::NotPem);
        };
        if block.old_encryption {
            return Err(KeyError::Encryption {
                found: "the old PEM headers".to_owned(),
                advice: "convert it with `openssl pkcs8 -topk8`",
            });
        }
        match block.label.as_str() {
            "PRIVATE KEY" => Self::from_pkcs8(&block.der),
            "ENCRYPTED PRIVATE KEY" => Self::from_encrypted(&block.der, password),
            "EC PRIVATE KEY" => Self::from_sec1(&block.der),
            "RSA PRIVATE KEY" => Self::rsa(RsaPair::from_der(&block.der)),
            "OPENSSH PRIVATE KEY" => Err(wrong(
                block.label,
                "convert it with `ssh-keygen -p -m PKCS8 -f FILE`",
            )),
            "ENCRYPTED SIGSTORE PRIVATE KEY" | "ENCRYPTED COSIGN PRIVATE KEY" => Err(wrong(
                block.label,
                "it can be used by cosign only; make a key with `openssl genpkey` and, for cosign, \
                 import that with `cosign import-key-pair`",
            )),
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Err(wrong(
                block.label,
                "signing needs the private half of the pair",
            )),
            _ => Err(wrong(
                block.label,
                "it has to be a private key in PEM, for example from `openssl genpkey`",
            )),
        }
    }

    /// The half that may be known.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message`.
    ///
    /// # Errors
    ///
    /// [`KeyError::Signing`] when the library refuses.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let algorithm = self.public.algorithm();
        let failed = |_| KeyError::Signing { algorithm };
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let information = PrivateKeyInfoRef::from_der(der).map_err(|error| KeyError::Damaged {
            label: "PRIVATE KEY".to_owned(),
            reason: error.to_string(),
        })?;
        match Algorithm::of(&information.algorithm)? {
            curve @ (Algorithm::EcdsaP256 | Algorithm::EcdsaP384) => Self::ecdsa(curve, der),
            Algorithm::Rsa => Self::rsa(RsaPair::from_pkcs8(der)),
            Algorithm::Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8(der);
                let pair = pair.map_err(|error| rejected(Algorithm::Ed25519, &error))?;
                let public = PublicKey::from_document(pair.public_key().as_der())?;
                let pair = Pair::Ed25519(pair);
                Ok(Self { pair, public })
            }
        }
    }

    fn from_encrypted(der: &[u8], password: Option<&str>) -> Result<Self, KeyError> {
        let encrypted =
            EncryptedPrivateKeyInfoRef::from_der(der).map_err(|error| KeyError::Encryption {
                found: error.to_string(),
                advice: "convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc`",
            })?;
        let password = password.ok_or(KeyError::PasswordMissing)?;
        let plain = encrypted
            .decrypt(password)
            .map_err(|_| KeyError::PasswordWrong)?;
        Self::from_pkcs8(plain.as_bytes())
    }

    /// The block does not always name its curve; the one the key fits is it.
    fn from_sec1(der: &[u8]) -> Result<Self, KeyError> {
        let smaller = Self::ecdsa(Algorithm::EcdsaP256, der);
        smaller.or_else(|_| {
            let larger = Self::ecdsa(Algorithm::EcdsaP384, der);
            larger.map_err(|_| KeyError::Unsupported {
                found: "ECDSA with another curve than P-256 and P-384".to_owned(),
            })
        })
    }

    fn ecdsa(curve: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let way = match curve {
            Algorithm::EcdsaP384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
            _ => &ECDSA_P256_SHA256_ASN1_SIGNING,
        };
        let pair = EcdsaKeyPair::from_private_key_der(way, der);
        let pair = pair.map_err(|error| rejected(curve, &error))?;
        let public = PublicKey::from_document(pair.public_key().as_der())?;
        let pair = Pair::Ecdsa(pair);
        Ok(Self { pair, public })
    }

    fn rsa(pair: Result<RsaPair, KeyRejected>) -> Result<Self, KeyError> {
        let pair = pair.map_err(|error| rejected(Algorithm::Rsa, &error))?;
        let public = PublicKey::from_document(pair.public_key().as_der())?;
        let pair = Pair::Rsa(pair);
        Ok(Self { pair, public })
    }
}

fn rejected(algorithm: Algorithm, error: &KeyRejected) -> KeyError {
    KeyError::Rejected {
        algorithm: algorithm.to_string(),
        reason: error.to_string(),
    }
}

fn wrong(label: String, advice: &'static str) -> KeyError {
    KeyError::WrongKind {
        label,
        wanted: "private key",
        advice,
    }
}
