//! OpenPGP signatures of lists of checksums.
//!
//! The keys are the user's: none comes with kiln, and none is fetched.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pgp::composed::{Deserializable, DetachedSignature, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::KeyDetails;

use crate::error::InstallError;

/// A longer file has no keys.
const KEYS_LIMIT: u64 = 4 << 20;

/// The keys of those whose signatures count.
#[derive(Debug)]
pub struct Keys {
    path: PathBuf,
    keys: Vec<SignedPublicKey>,
}

impl Keys {
    /// Reads public keys, binary or in ASCII armour, several as `gpg --export` writes them.
    ///
    /// # Errors
    ///
    /// [`InstallError::Keys`] when there is none, or one that is not sound.
    pub fn read(path: &Path) -> Result<Self, InstallError> {
        let wrong = |problem: String| InstallError::Keys {
            path: path.to_path_buf(),
            problem,
        };
        let facts =
            std::fs::metadata(path).map_err(|error| InstallError::file("read", path, error))?;
        if facts.len() > KEYS_LIMIT {
            return Err(wrong("it is far too long".to_owned()));
        }
        let bytes = std::fs::read(path).map_err(|error| InstallError::file("read", path, error))?;
        let mut keys = Vec::new();
        let (found, _) = SignedPublicKey::from_reader_many(&bytes[..])
            .map_err(|error| wrong(error.to_string()))?;
        for key in found {
            let key: SignedPublicKey = key.map_err(|error| wrong(error.to_string()))?;
            key.verify_bindings()
                .map_err(|error| wrong(format!("a key in it is not sound ({error})")))?;
            keys.push(key);
        }
        match keys.is_empty() {
            true => Err(wrong("it is empty".to_owned())),
            false => Ok(Self {
                path: path.to_path_buf(),
                keys,
            }),
        }
    }

    /// Whether one of the keys signed `content`.
    ///
    /// # Errors
    ///
    /// Why no signature in `signatures` counts.
    pub(crate) fn verify(
        &self,
        content: &[u8],
        signatures: &[u8],
        now: SystemTime,
    ) -> Result<(), String> {
        let (found, _) = DetachedSignature::from_reader_many(signatures)
            .map_err(|error| format!("it cannot be read ({error})"))?;
        let mut problem = "there is none".to_owned();
        for signature in found {
            let signature: DetachedSignature =
                signature.map_err(|error| format!("it cannot be read ({error})"))?;
            match self.verify_one(content, &signature.signature, now) {
                Ok(()) => return Ok(()),
                Err(reason) => problem = reason,
            }
        }
        Err(problem)
    }

    fn verify_one(
        &self,
        content: &[u8],
        signature: &Signature,
        now: SystemTime,
    ) -> Result<(), String> {
        if signature.typ() != Some(SignatureType::Binary) {
            return Err("it is not a signature of a file".to_owned());
        }
        let strong = [
            HashAlgorithm::Sha256,
            HashAlgorithm::Sha384,
            HashAlgorithm::Sha512,
            HashAlgorithm::Sha3_256,
            HashAlgorithm::Sha3_512,
        ];
        if !signature
            .hash_alg()
            .is_some_and(|hash| strong.contains(&hash))
        {
            return Err("it uses a digest that is not safe any more".to_owned());
        }
        let made = signature.created().map(SystemTime::from);
        let Some(made) = made.filter(|made| *made <= now) else {
            return Err("it was made in the future, or it does not say when".to_owned());
        };
        let lasts = signature.signature_expiration_time();
        if lasts.is_some_and(|lasts| passed(made, lasts.into(), now)) {
            return Err("it has expired".to_owned());
        }
        let mut problem = None;
        for key in &self.keys {
            match check_key(key, content, signature, made) {
                Some(Ok(())) => return Ok(()),
                Some(Err(reason)) => problem = Some(reason),
                None => {}
            }
        }
        Err(problem.unwrap_or_else(|| {
            format!(
                "it is not by a key in `{}`, or the list was changed",
                self.path.display()
            )
        }))
    }
}

/// Whether the key, or one of its parts for signing, made the signature at the time `made`; `None`
/// when it did not, an error when it was not good any more.
fn check_key(
    key: &SignedPublicKey,
    content: &[u8],
    signature: &Signature,
    made: SystemTime,
) -> Option<Result<(), String>> {
    let part = key.public_subkeys.iter().find(|part| {
        let signs = part.signatures.iter().any(|bound| bound.key_flags().sign());
        signs && signature.verify(&part.key, content).is_ok()
    });
    if part.is_none() && signature.verify(&key.primary_key, content).is_err() {
        return None;
    }
    let revoked_part = part.is_some_and(|part| {
        let revokes = |one: &Signature| one.typ() == Some(SignatureType::SubkeyRevocation);
        part.signatures.iter().any(revokes)
    });
    if revoked_part || !key.details.revocation_signatures.is_empty() {
        return Some(Err("its key has been revoked".to_owned()));
    }
    let own = key.details.users.iter().flat_map(|user| &user.signatures);
    let own = own.chain(&key.details.direct_signatures);
    let primary_lasts = own.filter_map(Signature::key_expiration_time).last();
    let created = SystemTime::from(key.primary_key.created_at());
    let mut limits = vec![(created, primary_lasts)];
    if let Some(part) = part {
        let bound = part.signatures.iter();
        let lasts = bound.filter_map(Signature::key_expiration_time).last();
        limits.push((part.key.created_at().into(), lasts));
    }
    let expired = limits
        .iter()
        .any(|(created, lasts)| lasts.is_some_and(|lasts| passed(*created, lasts.into(), made)));
    Some(match expired {
        true => Err("its key had expired when it was made".to_owned()),
        false => Ok(()),
    })
}

/// Whether the time from `start` is over; none at all is for ever.
fn passed(start: SystemTime, lasts: Duration, at: SystemTime) -> bool {
    !lasts.is_zero() && at > start + lasts
}
