//! The options about signing, and signing.

use std::path::Path;

use kiln_sdk::attestation::{Envelope, KeyError, PrivateKey, PublicKey, Statement};
use kiln_sdk::{Config, Diagnostic, Diagnostics, Failure, RunContext, Secret};

use crate::sidecar;

/// Variables that can hold the key's password; the first that is set counts.
const PASSWORD_VARIABLES: [&str; 2] = ["KILN_KEY_PASSWORD", "COSIGN_PASSWORD"];
/// What an option is worth whose value only a build knows.
const UNKNOWN: &str = "<unknown>";

/// How attestations are signed.
///
/// # Source
///
/// Packer's options of the same names; `key_password` is kiln's.
#[derive(Clone, Debug, Default, Config)]
pub struct SigningConfig {
    /// How to sign: `none` writes bare statements, `key` signed envelopes. `kms` and `keyless` need
    /// services on the network and are refused.
    #[config(default = "none", choices("none", "key", "kms", "keyless"))]
    pub signing_mode: String,
    /// The private key in PEM: ECDSA P-256 or P-384, Ed25519 or RSA; PKCS #8 (also encrypted),
    /// SEC 1 or PKCS #1. kiln makes no key: `openssl genpkey -algorithm ED25519 -out key.pem` does.
    pub signer: String,
    /// The same; only one of the two may be set, or both to the same file.
    pub key: String,
    /// The public key in PEM that each signature is verified with before it is written. The
    /// private key's own when not set.
    pub verifier: String,
    /// The password of an encrypted key. When not set, the environment variable
    /// `KILN_KEY_PASSWORD` is used, or `COSIGN_PASSWORD`.
    pub key_password: Secret<String>,
    /// For `keyless` only.
    pub fulcio_url: String,
    /// For `keyless` only.
    pub rekor_url: String,
    /// For `keyless` only.
    pub upload_tlog: bool,
    /// For `keyless` only.
    pub trusted_root_path: String,
    /// For `keyless` only.
    pub keyless_identity: String,
    /// For `keyless` only.
    pub keyless_oidc_issuer: String,
}

/// A key that is ready, and the one to verify with.
pub struct Signer {
    key: PrivateKey,
    verifier: PublicKey,
}

impl SigningConfig {
    /// Checks the options. A key that is there has to be usable; one that is missing is only worth
    /// a warning, because templates are checked where no keys are.
    pub fn prepare(&self) -> Diagnostics {
        let mut found = Diagnostics::new();
        match self.signing_mode.as_str() {
            mode @ ("kms" | "keyless") => found.push(
                Diagnostic::error(
                    "Signing mode is not available",
                    format!("`{mode}` needs services on the network, which kiln does not use."),
                )
                .on("signing_mode")
                .hint("Sign with a key in a file (`key`), or write statements (`none`) and sign them with cosign."),
            ),
            "key" => self.prepare_key(&mut found),
            _ => self.prepare_none(&mut found),
        }
        for (name, set) in self.keyless_options() {
            if set && self.signing_mode != "keyless" {
                found.push(
                    Diagnostic::warning(
                        "Option has no effect",
                        format!("`{name}` is about keyless signing only."),
                    )
                    .on(name),
                );
            }
        }
        found
    }

    fn keyless_options(&self) -> [(&'static str, bool); 6] {
        [
            ("fulcio_url", !self.fulcio_url.is_empty()),
            ("rekor_url", !self.rekor_url.is_empty()),
            ("upload_tlog", self.upload_tlog),
            ("trusted_root_path", !self.trusted_root_path.is_empty()),
            ("keyless_identity", !self.keyless_identity.is_empty()),
            ("keyless_oidc_issuer", !self.keyless_oidc_issuer.is_empty()),
        ]
    }

    fn prepare_key(&self, found: &mut Diagnostics) {
        if !self.signer.is_empty() && !self.key.is_empty() && self.signer != self.key {
            let text = "`signer` and `key` mean the same and name different files.";
            found.push(Diagnostic::error("Two keys to sign with", text).on("key"));
        }
        if self.path().is_empty() {
            let text = "The signing mode `key` needs the private key's file.";
            found.push(
                Diagnostic::error("Key to sign with is missing", text)
                    .on("signer")
                    .hint("Set `signer` to a private key in PEM."),
            );
            return;
        }
        let option = if self.signer.is_empty() {
            "key"
        } else {
            "signer"
        };
        check_file(self.path(), option, found, |text| {
            match PrivateKey::from_pem(text, self.password().as_deref()) {
                // The password may be known to builds only.
                Err(KeyError::PasswordMissing) | Ok(_) => Ok(()),
                Err(error) => Err(error),
            }
        });
        if !self.verifier.is_empty() {
            check_file(&self.verifier, "verifier", found, |text| {
                PublicKey::from_pem(text, None).map(drop)
            });
        }
    }

    fn prepare_none(&self, found: &mut Diagnostics) {
        if !self.path().is_empty() {
            let option = if self.signer.is_empty() {
                "key"
            } else {
                "signer"
            };
            found.push(
                Diagnostic::warning(
                    "Nothing is signed",
                    "There is a key, but the signing mode is `none`.",
                )
                .on(option)
                .hint("Set `signing_mode = \"key\"`."),
            );
        }
    }

    fn path(&self) -> &str {
        match self.signer.as_str() {
            "" => &self.key,
            signer => signer,
        }
    }

    fn password(&self) -> Option<String> {
        if !self.key_password.is_empty() {
            return Some(self.key_password.expose().clone());
        }
        let set = PASSWORD_VARIABLES.iter();
        set.into_iter().find_map(|name| std::env::var(name).ok())
    }

    /// Reads the keys; `None` when nothing is to be signed.
    ///
    /// # Errors
    ///
    /// A [`Failure`] that names the file and what is wrong with it.
    pub async fn signer(&self, cx: &RunContext) -> Result<Option<Signer>, Failure> {
        if self.signing_mode != "key" {
            return Ok(None);
        }
        let password = self.password();
        if let Some(password) = password.as_ref().filter(|it| !it.is_empty()) {
            cx.secret(password.clone()).await;
        }
        let key = read(self.path(), "sign with", |text| {
            PrivateKey::from_pem(text, password.as_deref())
        })
        .map_err(|failure| with_password_hint(failure, password.is_none()))?;
        let verifier = match self.verifier.as_str() {
            "" => key.public().clone(),
            path => read(path, "verify with", |text| PublicKey::from_pem(text, None))?,
        };
        Ok(Some(Signer { key, verifier }))
    }
}

fn with_password_hint(mut failure: Failure, missing: bool) -> Failure {
    if missing && failure.message.contains("no password") {
        failure
            .message
            .push_str("; set `key_password`, or KILN_KEY_PASSWORD in the environment");
    }
    failure
}

fn check_file(
    path: &str,
    option: &str,
    found: &mut Diagnostics,
    usable: impl Fn(&str) -> Result<(), KeyError>,
) {
    if path.contains(UNKNOWN) {
        return;
    }
    let (severe, detail) = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            (false, format!("`{path}` does not exist; a build needs it."))
        }
        Err(error) => (true, format!("`{path}` cannot be read: {error}.")),
        Ok(text) => match usable(&text) {
            Ok(()) => return,
            Err(error) => (true, format!("`{path}` cannot be used: {error}.")),
        },
    };
    let make = if severe {
        Diagnostic::error
    } else {
        Diagnostic::warning
    };
    found.push(make("Key cannot be used".to_owned(), detail).on(option));
}

fn read<T>(
    path: &str,
    purpose: &str,
    parse: impl Fn(&str) -> Result<T, KeyError>,
) -> Result<T, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(format!(
            "cannot read the key `{path}` to {purpose}: {error}"
        ))
    })?;
    parse(&text)
        .map_err(|error| Failure::new(format!("cannot use the key `{path}` to {purpose}: {error}")))
}

/// Writes a statement to `path`: signed, or bare when there is no signer.
///
/// # Errors
///
/// A [`Failure`] when signing, verifying or writing fails.
pub async fn write_attestation(
    cx: &RunContext,
    statement: &Statement,
    signer: Option<&Signer>,
    path: &Path,
) -> Result<(), Failure> {
    let content = match signer {
        Some(signer) => signer.seal(statement)?,
        None => serde_json::to_string_pretty(statement)
            .map(|text| text + "\n")
            .map_err(|error| Failure::from_error(&error))?,
    };
    sidecar::write(cx, path, content.as_bytes()).await?;
    cx.say(format!("Wrote attestation to {}", path.display()))
        .await;
    Ok(())
}

impl Signer {
    fn seal(&self, statement: &Statement) -> Result<String, Failure> {
        let envelope =
            Envelope::sign(statement, &self.key).map_err(|error| Failure::from_error(&error))?;
        envelope.verify(&self.verifier).map_err(|error| {
            Failure::new(format!(
                "the signature just made does not verify with `verifier`: {error}; is it the \
                 public half of the key?"
            ))
        })?;
        envelope
            .to_line()
            .map_err(|error| Failure::from_error(&error))
    }
}
