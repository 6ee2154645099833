//! Keys: read from files, made for a build, taken away afterwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair as RsaPair, KeySize};
use base64::Engine;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::{KeypairData, RsaKeypair};
use russh::keys::{Algorithm, Certificate, EcdsaCurve, PrivateKey, decode_secret_key};

/// A key or certificate cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The private key is protected with a passphrase.
    #[error("the private key {origin} is encrypted")]
    Encrypted {
        /// Where it came from.
        origin: String,
    },
    /// The text is no private key that is understood.
    #[error("{origin} holds no usable private key")]
    Parse {
        /// Where it came from.
        origin: String,
        /// Why.
        source: Box<russh::keys::Error>,
    },
    /// The text is no OpenSSH certificate.
    #[error("`{}` holds no usable certificate", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: russh::keys::ssh_key::Error,
    },
    /// No key pair could be made.
    #[error("cannot make a {kind} key pair")]
    Generate {
        /// Of which type.
        kind: &'static str,
        /// Why, when it is known.
        #[source]
        source: Option<russh::keys::ssh_key::Error>,
    },
}

impl KeyError {
    /// What to try.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Encrypted { .. } => Some(
                "use the SSH agent (`ssh_agent_auth = true`), or a copy without passphrase: \
                 `ssh-keygen -p -N \"\" -f COPY`",
            ),
            Self::Parse { .. } => Some(
                "OpenSSH, PEM (PKCS#1), SEC1 and PKCS#8 keys of type rsa, ecdsa or ed25519 are read",
            ),
            _ => None,
        }
    }
}

/// The path a template means: `~` and `~/…` are below `home`.
#[must_use]
pub fn expand_home(file: &str, home: Option<&Path>) -> PathBuf {
    match (file.strip_prefix('~'), home) {
        (Some(""), Some(home)) => home.to_owned(),
        (Some(rest), Some(home)) if rest.starts_with('/') => home.join(&rest[1..]),
        _ => PathBuf::from(file),
    }
}

/// Reads a private key without passphrase.
///
/// # Errors
///
/// [`KeyError::Read`], [`KeyError::Encrypted`] or [`KeyError::Parse`].
pub fn load_private_key(path: &Path) -> Result<Arc<PrivateKey>, KeyError> {
    let text = std::fs::read_to_string(path).map_err(|source| KeyError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse_private_key(&text, &format!("`{}`", path.display()))
}

/// Reads a private key without passphrase from `text`; `origin` names it in errors.
///
/// # Errors
///
/// [`KeyError::Encrypted`] or [`KeyError::Parse`].
pub fn parse_private_key(text: &str, origin: &str) -> Result<Arc<PrivateKey>, KeyError> {
    let origin = origin.to_owned();
    // PEM says so in a header; the parser would only see bytes that make no sense.
    if text.lines().any(|line| line.contains("ENCRYPTED")) {
        return Err(KeyError::Encrypted { origin });
    }
    match decode_secret_key(text, None) {
        Ok(key) => Ok(Arc::new(key)),
        Err(russh::keys::Error::KeyIsEncrypted) => Err(KeyError::Encrypted { origin }),
        Err(source) => Err(KeyError::Parse {
            origin,
            source: Box::new(source),
        }),
    }
}

/// Reads an OpenSSH certificate.
///
/// # Errors
///
/// [`KeyError::Read`] or [`KeyError::Certificate`].
pub fn load_certificate(path: &Path) -> Result<Certificate, KeyError> {
    let text = std::fs::read_to_string(path).map_err(|source| KeyError::Read {
        path: path.to_owned(),
        source,
    })?;
    Certificate::from_openssh(text.trim()).map_err(|source| KeyError::Certificate {
        path: path.to_owned(),
        source,
    })
}

/// Type and size of a key pair to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with so many bits.
    Rsa(u32),
    /// ECDSA on the NIST curve with so many bits: 256, 384 or 521.
    Ecdsa(u32),
    /// Ed25519.
    Ed25519,
}

/// A type and size that is no key pair.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyKindError {
    /// The type is not known.
    #[error("`{0}` is no type of key pair; use `rsa`, `ecdsa` or `ed25519`")]
    Type(String),
    /// DSA.
    #[error("`dsa` keys are refused by every SSH server of today; use `ed25519` or `rsa`")]
    Dsa,
    /// The type has no such size.
    #[error("{kind} keys cannot have {bits} bits; {allowed}")]
    Bits {
        /// Which type.
        kind: &'static str,
        /// Which size.
        bits: u32,
        /// Which sizes it has.
        allowed: &'static str,
    },
}

impl KeyKindError {
    /// The option that is wrong.
    #[must_use]
    pub fn option(&self) -> &'static str {
        match self {
            Self::Bits { .. } => "temporary_key_pair_bits",
            _ => "temporary_key_pair_type",
        }
    }
}

impl KeyKind {
    /// Reads the options `temporary_key_pair_type` (any case; empty is `rsa`) and
    /// `temporary_key_pair_bits` (zero is the type's default).
    ///
    /// # Errors
    ///
    /// [`KeyKindError`] when there is no such key pair.
    pub fn parse(kind: &str, bits: u32) -> Result<Self, KeyKindError> {
        let wrong = |kind, allowed| {
            Err(KeyKindError::Bits {
                kind,
                bits,
                allowed,
            })
        };
        match (kind.to_ascii_lowercase().as_str(), bits) {
            ("" | "rsa", 0) => Ok(Self::Rsa(4096)),
            ("" | "rsa", 1024..=16384) => Ok(Self::Rsa(bits)),
            ("" | "rsa", _) => wrong("RSA", "use 1024 to 16384"),
            ("ecdsa", 0) => Ok(Self::Ecdsa(521)),
            ("ecdsa", 256 | 384 | 521) => Ok(Self::Ecdsa(bits)),
            ("ecdsa", _) => wrong("ECDSA", "use 256, 384 or 521"),
            // The size is fixed; Packer ignores the option too.
            ("ed25519", _) => Ok(Self::Ed25519),
            ("dsa", _) => Err(KeyKindError::Dsa),
            _ => Err(KeyKindError::Type(kind.to_owned())),
        }
    }

    /// As people write it: `RSA`, `ECDSA`, `ED25519`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa(_) => "RSA",
            Self::Ecdsa(_) => "ECDSA",
            Self::Ed25519 => "ED25519",
        }
    }
}

/// A key pair made for one build.
#[derive(Clone, Debug)]
pub struct KeyPair {
    private: Arc<PrivateKey>,
    comment: String,
}

impl KeyPair {
    /// Makes a key pair on a thread of its own; `comment` ends its public line.
    ///
    /// # Errors
    ///
    /// [`KeyError::Generate`] when the system has no randomness to give.
    pub async fn generate(kind: KeyKind, comment: &str) -> Result<Self, KeyError> {
        let comment = comment.to_owned();
        tokio::task::spawn_blocking(move || Self::generate_blocking(kind, &comment))
            .await
            .unwrap_or(Err(KeyError::Generate {
                kind: kind.name(),
                source: None,
            }))
    }

    /// [`KeyPair::generate`] on this thread; RSA takes up to seconds.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn generate_blocking(kind: KeyKind, comment: &str) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Generate {
            kind: kind.name(),
            source: Some(source),
        };
        let mut random = russh::keys::key::safe_rng();
        let key = match kind {
            KeyKind::Ed25519 => PrivateKey::random(&mut random, Algorithm::Ed25519),
            KeyKind::Ecdsa(bits) => {
                let curve = match bits {
                    256 => EcdsaCurve::NistP256,
                    384 => EcdsaCurve::NistP384,
                    _ => EcdsaCurve::NistP521,
                };
                PrivateKey::random(&mut random, Algorithm::Ecdsa { curve })
            }
            KeyKind::Rsa(bits) => match fast_rsa(bits) {
                Some(key) => Ok(key),
                None => RsaKeypair::random(&mut random, bits as usize)
                    .and_then(|pair| PrivateKey::new(KeypairData::Rsa(pair), "")),
            },
        };
        let mut key = key.map_err(failed)?;
        key.set_comment(comment);
        Ok(Self {
            private: Arc::new(key),
            comment: comment.to_owned(),
        })
    }

    /// The private key, to log in with.
    #[must_use]
    pub fn private_key(&self) -> Arc<PrivateKey> {
        Arc::clone(&self.private)
    }

    /// The private key as OpenSSH writes it; a secret.
    ///
    /// # Panics
    ///
    /// Never for a key made here: each can be written.
    #[must_use]
    pub fn private_openssh(&self) -> String {
        let text = self.private.to_openssh(LineEnding::LF);
        text.expect("a key made in memory can be written")
            .to_string()
    }

    /// The line for `authorized_keys`, with line end: type, key and, when there is one, comment.
    ///
    /// # Source
    ///
    /// Packer's `SSHPublicKey`. Differs: it ends with the comment, so that
    /// `ssh_clear_authorized_keys` finds the line again also where the builder wrote it.
    #[must_use]
    pub fn authorized_key(&self) -> String {
        authorized_key(&self.private, &self.comment)
    }
}

/// The line for `authorized_keys` of any private key, with line end.
///
/// # Panics
///
/// Never for a key that was read or made: its public half can be written.
#[must_use]
pub fn authorized_key(key: &PrivateKey, comment: &str) -> String {
    let mut public = key.public_key().clone();
    public.set_comment(comment);
    let line = public.to_openssh().expect("a public key can be written");
    format!("{}\n", line.trim_end())
}

/// The usual sizes by the library that is quick at it; `None` for others.
fn fast_rsa(bits: u32) -> Option<PrivateKey> {
    let size = match bits {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        8192 => KeySize::Rsa8192,
        _ => return None,
    };
    let pair = RsaPair::generate(size).ok()?;
    let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
    let body = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    let text = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    decode_secret_key(&text, None).ok()
}

/// The command that takes the lines ending in ` NAME` out of the user's and, with `sudo`, root's
/// `authorized_keys`. `None` when there is no such line: without a name, or with one of several lines.
///
/// # Source
///
/// Packer option `ssh_clear_authorized_keys`.
#[must_use]
pub fn clear_authorized_keys_command(name: &str) -> Option<String> {
    if name.is_empty() || name.contains(char::is_control) {
        return None;
    }
    let name = sed_pattern(name).replace('\'', r"'\''");
    let edit = |sudo: &str, file: &str| {
        format!(
            "if {sudo}test -f {file}; then {sudo}sed -i.bak '/ {name}$/d' {file} && {sudo}rm -f {file}.bak; fi"
        )
    };
    let user = edit("", "~/.ssh/authorized_keys");
    let root = edit("sudo -n ", "/root/.ssh/authorized_keys");
    Some(format!(
        "{user}; if command -v sudo >/dev/null 2>&1; then {root}; fi"
    ))
}

/// The basic regular expression for `text` alone.
fn sed_pattern(text: &str) -> String {
    let mut pattern = String::new();
    for character in text.chars() {
        if r"\.*[^$/".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{KeyKind, KeyPair, clear_authorized_keys_command, expand_home, parse_private_key};

    #[test]
    fn made_keys_can_be_written_and_read_again() {
        let kinds = [
            (KeyKind::Rsa(2048), "ssh-rsa "),
            (KeyKind::Rsa(1024), "ssh-rsa "),
            (KeyKind::Ecdsa(256), "ecdsa-sha2-nistp256 "),
            (KeyKind::Ecdsa(521), "ecdsa-sha2-nistp521 "),
            (KeyKind::Ed25519, "ssh-ed25519 "),
        ];
        for (kind, prefix) in kinds {
            let pair = KeyPair::generate_blocking(kind, "packer_x").expect("random bytes");
            let line = pair.authorized_key();
            assert!(
                line.starts_with(prefix) && line.ends_with(" packer_x\n"),
                "{line}"
            );
            let text = pair.private_openssh();
            assert!(
                text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"),
                "{kind:?}"
            );
            let again = parse_private_key(&text, "it").expect("our own key");
            assert_eq!(
                again.public_key().key_data(),
                pair.private_key().public_key().key_data()
            );
        }
    }

    #[test]
    fn home_is_expanded_only_at_the_start() {
        let home = Some(Path::new("/home/me"));
        for (file, expected) in [
            ("~/.ssh/id", "/home/me/.ssh/id"),
            ("~", "/home/me"),
            ("~other/x", "~other/x"),
            ("/a/~/b", "/a/~/b"),
        ] {
            assert_eq!(expand_home(file, home), PathBuf::from(expected));
        }
    }

    #[test]
    fn the_cleanup_takes_out_one_line_whatever_its_name() {
        let command = clear_authorized_keys_command("packer_1-2").expect("a name");
        assert!(command.contains("'/ packer_1-2$/d'"), "{command}");
        let names = [
            "build-1.2",
            "it's a *[b]^$/\\$",
            "a'; touch x; '",
            "ä{2}+?|&(",
        ];
        for name in names {
            let home = tempfile::tempdir().expect("a temporary folder");
            let file = home.path().join(".ssh/authorized_keys");
            std::fs::create_dir(home.path().join(".ssh")).expect("ours");
            let others = "ssh-rsa AAAA build-1x2\nssh-rsa AAAA me@here\n";
            std::fs::write(&file, format!("ssh-rsa AAAA {name}\n{others}")).expect("ours");
            let command = clear_authorized_keys_command(name).expect("a name");
            // The other half of the command is root's.
            let own = command
                .split("; if command -v sudo")
                .next()
                .expect("one half");
            let run = std::process::Command::new("sh")
                .args(["-c", own])
                .env("HOME", home.path())
                .current_dir(home.path())
                .status();
            assert!(run.expect("a shell").success(), "{own}");
            let left = std::fs::read_to_string(&file).expect("still there");
            assert_eq!(left, others, "{name}");
            let count = std::fs::read_dir(home.path()).expect("ours").count();
            assert_eq!(count, 1, "{name} did more");
        }
        assert_eq!(clear_authorized_keys_command("a\nb"), None);
        assert_eq!(clear_authorized_keys_command(""), None);
    }
}
