//! Types of the keys that are made for the proxy.

use kiln_sdk::ssh::KeyKind;

/// The type of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum KeyType {
    /// On the curve P-384.
    #[default]
    Ecdsa,
    /// Ed25519.
    Ed25519,
    /// With 3072 bits.
    Rsa,
}

impl KeyType {
    /// Reads `ansible_proxy_key_type`, in any case; empty is the default.
    ///
    /// # Source
    ///
    /// Packer knows `ECDSA` and `RSA`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "" | "ECDSA" => Some(Self::Ecdsa),
            "ED25519" => Some(Self::Ed25519),
            "RSA" => Some(Self::Rsa),
            _ => None,
        }
    }

    /// The key pair to make.
    pub fn kind(self) -> KeyKind {
        match self {
            Self::Ecdsa => KeyKind::Ecdsa(384),
            Self::Ed25519 => KeyKind::Ed25519,
            Self::Rsa => KeyKind::Rsa(3072),
        }
    }
}
