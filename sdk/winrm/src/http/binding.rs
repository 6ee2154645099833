//! Channel bindings: what ties an NTLM login to the TLS connection it is made on.

use sha2::{Digest, Sha256, Sha384, Sha512};

/// The `tls-server-end-point` binding of a server certificate in DER.
///
/// # Source
///
/// RFC 5929, section 4.1: the hash is the one of the certificate's signature, SHA-256 in place of
/// MD5 and SHA-1.
pub(crate) fn end_point(certificate: &[u8]) -> Vec<u8> {
    let mut token = b"tls-server-end-point:".to_vec();
    match signature_hash(certificate) {
        Hash::Sha256 => token.extend(Sha256::digest(certificate)),
        Hash::Sha384 => token.extend(Sha384::digest(certificate)),
        Hash::Sha512 => token.extend(Sha512::digest(certificate)),
    }
    token
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

fn signature_hash(certificate: &[u8]) -> Hash {
    let algorithm = element(certificate)
        .and_then(|(body, _)| element(body))
        .and_then(|(_, after_content)| element(after_content))
        .and_then(|(algorithm, _)| element(algorithm))
        .map(|(identifier, _)| identifier)
        .unwrap_or_default();
    match algorithm {
        // sha384WithRSAEncryption, ecdsa-with-SHA384
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03] => Hash::Sha384,
        // sha512WithRSAEncryption, ecdsa-with-SHA512
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04] => Hash::Sha512,
        _ => Hash::Sha256,
    }
}

/// The content of the DER element at the start of `bytes`, and what follows the element.
fn element(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.get(1..)?.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count > 4 || count > rest.len() {
            return None;
        }
        let (digits, rest) = rest.split_at(count);
        let length = digits
            .iter()
            .fold(0_usize, |length, &digit| length << 8 | usize::from(digit));
        (length, rest)
    };
    (length <= rest.len()).then(|| rest.split_at(length))
}

#[cfg(test)]
mod tests {
    use super::{Hash, element, signature_hash};

    fn certificate(identifier: &[u8]) -> Vec<u8> {
        let mut algorithm = vec![0x06, u8::try_from(identifier.len()).unwrap()];
        algorithm.extend(identifier);
        let mut body = vec![
            0x30,
            0x81,
            0x02,
            0xaa,
            0xbb,
            0x30,
            u8::try_from(algorithm.len()).unwrap(),
        ];
        body.extend(algorithm);
        let mut whole = vec![0x30, u8::try_from(body.len()).unwrap()];
        whole.extend(body);
        whole
    }

    #[test]
    fn the_hash_is_the_one_of_the_signature_or_sha_256() {
        let rsa = |last| [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last];
        assert_eq!(signature_hash(&certificate(&rsa(0x0b))), Hash::Sha256);
        assert_eq!(signature_hash(&certificate(&rsa(0x05))), Hash::Sha256);
        assert_eq!(signature_hash(&certificate(&rsa(0x0c))), Hash::Sha384);
        assert_eq!(signature_hash(&certificate(&rsa(0x0d))), Hash::Sha512);
        let ecdsa = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03];
        assert_eq!(signature_hash(&certificate(&ecdsa)), Hash::Sha384);
    }

    #[test]
    fn broken_certificates_are_no_trouble() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x30, 0x05, 1],
        ] {
            assert_eq!(element(bytes), None);
            assert_eq!(signature_hash(bytes), Hash::Sha256);
        }
    }
}
