//! Which ciphers and key exchanges are offered, and in which order.

use std::borrow::Cow;

use russh::{Preferred, cipher, kex};

/// AES-GCM first: with the processor's help it is the fastest by far.
const CIPHERS: [cipher::Name; 6] = [
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_128_CTR,
    cipher::AES_192_CTR,
    cipher::AES_256_CTR,
];
/// Offered only when asked for.
const OLD_CIPHERS: [cipher::Name; 3] = [
    cipher::AES_128_CBC,
    cipher::AES_192_CBC,
    cipher::AES_256_CBC,
];

/// Elliptic curves first: group exchange costs most of a second.
const KEY_EXCHANGES: [kex::Name; 9] = [
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_G14_SHA256,
    kex::DH_G16_SHA512,
    kex::DH_GEX_SHA256,
];
/// Offered last, for guests older than 2013.
const OLD_KEY_EXCHANGES: [kex::Name; 1] = [kex::DH_G14_SHA1];
/// Offered only when asked for.
const RARE_KEY_EXCHANGES: [kex::Name; 5] = [
    kex::DH_G15_SHA512,
    kex::DH_G17_SHA512,
    kex::DH_G18_SHA512,
    kex::DH_GEX_SHA1,
    kex::DH_G1_SHA1,
];
/// Not algorithms but signs of what the client can do.
const SIGNS: [kex::Name; 2] = [
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];

/// The ciphers `ssh_ciphers` may name.
pub(crate) fn cipher_names() -> Vec<&'static str> {
    CIPHERS
        .iter()
        .chain(&OLD_CIPHERS)
        .map(AsRef::as_ref)
        .collect()
}

/// The key exchanges `ssh_key_exchange_algorithms` may name.
pub(crate) fn key_exchange_names() -> Vec<&'static str> {
    let rare = RARE_KEY_EXCHANGES.iter();
    KEY_EXCHANGES
        .iter()
        .chain(&OLD_KEY_EXCHANGES)
        .chain(rare)
        .map(AsRef::as_ref)
        .collect()
}

/// What to offer; names that are not known are left out, empty lists mean the defaults.
pub(crate) fn preferred(ciphers: &[String], key_exchanges: &[String]) -> Preferred {
    let chosen: Vec<cipher::Name> = ciphers
        .iter()
        .filter_map(|name| cipher::Name::try_from(name.as_str()).ok())
        .collect();
    let ciphers = if chosen.is_empty() {
        CIPHERS.to_vec()
    } else {
        chosen
    };
    let chosen: Vec<kex::Name> = key_exchanges
        .iter()
        .filter_map(|name| kex::Name::try_from(name.as_str()).ok())
        .collect();
    let mut exchanges = if chosen.is_empty() {
        KEY_EXCHANGES
            .iter()
            .chain(&OLD_KEY_EXCHANGES)
            .copied()
            .collect()
    } else {
        chosen
    };
    exchanges.extend(SIGNS);
    let mut macs = Preferred::DEFAULT.mac.to_vec();
    // The last resort for guests older than 2013.
    macs.push(russh::mac::HMAC_SHA1);
    Preferred {
        cipher: Cow::Owned(ciphers),
        kex: Cow::Owned(exchanges),
        mac: Cow::Owned(macs),
        // Nothing we send gains from compression, and it costs time.
        compression: Cow::Borrowed(&[russh::compression::NONE]),
        ..Preferred::DEFAULT
    }
}
