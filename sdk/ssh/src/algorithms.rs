//! Which ciphers and key exchanges are offered, and in which order.

use std::borrow::Cow;

use russh::{AlgorithmKind, Preferred, cipher, kex};

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
        .filter(|name| cipher_names().contains(&name.as_str()))
        .filter_map(|name| cipher::Name::try_from(name.as_str()).ok())
        .collect();
    let ciphers = if chosen.is_empty() {
        CIPHERS.to_vec()
    } else {
        chosen
    };
    let chosen: Vec<kex::Name> = key_exchanges
        .iter()
        .filter(|name| key_exchange_names().contains(&name.as_str()))
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

/// Why two sides that share no algorithm of `kind` cannot talk, and which option changes that.
pub(crate) fn no_match(kind: &AlgorithmKind, ours: &[String], theirs: &[String]) -> String {
    let real = |name: &&String| !name.starts_with("ext-info-") && !name.starts_with("kex-strict-");
    let list = |names: &[String]| {
        let names: Vec<&str> = names.iter().filter(real).map(String::as_str).collect();
        names.join(",")
    };
    let (what, option, known) = match kind {
        AlgorithmKind::Kex => (
            "key exchange",
            Some("ssh_key_exchange_algorithms"),
            key_exchange_names(),
        ),
        AlgorithmKind::Cipher => ("cipher", Some("ssh_ciphers"), cipher_names()),
        AlgorithmKind::Key => ("type of host key", None, Vec::new()),
        AlgorithmKind::Mac => ("message authentication code", None, Vec::new()),
        AlgorithmKind::Compression => ("compression", None, Vec::new()),
    };
    let (ours_text, theirs_text) = (list(ours), list(theirs));
    let seen =
        format!("no {what} in common; we offer {ours_text}, the server offers {theirs_text}");
    let usable: Vec<String> = theirs
        .iter()
        .filter(|name| known.contains(&name.as_str()))
        .map(|name| format!("\"{name}\""))
        .collect();
    match option {
        Some(option) if !usable.is_empty() => format!(
            "{seen}; to use what the server has, set `{option} = [{}]`",
            usable.join(", ")
        ),
        _ => format!(
            "{seen}; none of that is supported, so the server needs a newer one, or a bastion \
             (`ssh_bastion_host`) beside it"
        ),
    }
}

#[cfg(test)]
mod tests {
    use russh::AlgorithmKind;

    use super::{no_match, preferred};

    fn check(kind: AlgorithmKind, ours: &[&str], theirs: &[&str], expected: &str) {
        let owned = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        assert_eq!(no_match(&kind, &owned(ours), &owned(theirs)), expected);
    }

    #[test]
    fn names_that_are_not_known_are_not_offered() {
        let ciphers = ["none", "aes128-ctr", "3des-cbc"].map(str::to_owned);
        let offered = preferred(&ciphers, &[]).cipher;
        let offered: Vec<&str> = offered.iter().map(AsRef::as_ref).collect();
        assert_eq!(offered, ["aes128-ctr"]);
    }

    #[test]
    fn what_would_help_is_named() {
        check(
            AlgorithmKind::Cipher,
            &["aes128-gcm@openssh.com"],
            &["aes128-cbc", "3des-cbc"],
            "no cipher in common; we offer aes128-gcm@openssh.com, the server offers \
             aes128-cbc,3des-cbc; to use what the server has, set `ssh_ciphers = [\"aes128-cbc\"]`",
        );
        check(
            AlgorithmKind::Kex,
            &["curve25519-sha256", "ext-info-c"],
            &["diffie-hellman-group1-sha1", "kex-strict-s-v00@openssh.com"],
            "no key exchange in common; we offer curve25519-sha256, the server offers \
             diffie-hellman-group1-sha1; to use what the server has, set \
             `ssh_key_exchange_algorithms = [\"diffie-hellman-group1-sha1\"]`",
        );
        check(
            AlgorithmKind::Key,
            &["ssh-ed25519"],
            &["ssh-dss"],
            "no type of host key in common; we offer ssh-ed25519, the server offers ssh-dss; none \
             of that is supported, so the server needs a newer one, or a bastion \
             (`ssh_bastion_host`) beside it",
        );
    }
}
