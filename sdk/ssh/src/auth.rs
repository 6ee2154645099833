//! Logging in: agent, keys, password, keyboard-interactive, in Packer's order.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg};
use russh::{MethodKind, MethodSet};

use crate::client::{Client, Ended};
use crate::settings::{Login, LoginKey};

/// Rounds of questions a server may ask.
const INTERACTIVE_ROUNDS: usize = 10;

/// A login was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthFailure {
    /// Who wanted in.
    pub user: String,
    /// What the server accepts.
    pub offered: Vec<&'static str>,
    /// What was tried, in order.
    pub tried: Vec<String>,
    /// How the server or the agent put it, when they said something.
    pub note: Option<String>,
    /// Options to look at.
    pub options: &'static str,
}

impl std::error::Error for AuthFailure {}

impl std::fmt::Display for AuthFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "SSH authentication failed: user `{}` was refused; ",
            self.user
        )?;
        match self.offered.as_slice() {
            [] => f.write_str("the server offers nothing")?,
            offered => write!(f, "the server offers {}", offered.join(","))?,
        }
        match self.tried.as_slice() {
            [] => f.write_str("; there was nothing of that to try")?,
            tried => write!(f, "; tried {}", tried.join(", "))?,
        }
        if let Some(note) = &self.note {
            write!(f, "; {note}")?;
        }
        write!(f, "; check {}", self.options)
    }
}

/// One thing to try.
enum Candidate {
    AgentKey(AgentIdentity),
    Key(LoginKey),
    Password(String),
    Interactive(String),
}

impl Candidate {
    fn kind(&self) -> MethodKind {
        match self {
            Self::AgentKey(_) | Self::Key(_) => MethodKind::PublicKey,
            Self::Password(_) => MethodKind::Password,
            Self::Interactive(_) => MethodKind::KeyboardInteractive,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::AgentKey(identity) => {
                format!(
                    "publickey ({} of the agent)",
                    identity.public_key().algorithm()
                )
            }
            Self::Key(LoginKey {
                key,
                certificate: Some(_),
            }) => {
                format!("publickey ({} with certificate)", key.algorithm())
            }
            Self::Key(LoginKey { key, .. }) => format!("publickey ({})", key.algorithm()),
            Self::Password(_) => "password".to_owned(),
            Self::Interactive(_) => "keyboard-interactive".to_owned(),
        }
    }
}

/// The agent, when there is one.
type Agent = Option<AgentClient<tokio::net::UnixStream>>;

/// Logs in.
///
/// # Errors
///
/// [`AuthFailure`] when nothing was accepted, [`russh::Error`] when the session broke.
pub(crate) async fn authenticate(
    handle: &mut Handle<Client>,
    ended: &Ended,
    login: &Login,
) -> Result<Result<(), AuthFailure>, russh::Error> {
    let mut failure = AuthFailure {
        user: login.user.clone(),
        offered: Vec::new(),
        tried: Vec::new(),
        note: None,
        options: login.options,
    };
    let mut remaining = match handle.authenticate_none(&login.user).await? {
        AuthResult::Success => return Ok(Ok(())),
        AuthResult::Failure {
            remaining_methods, ..
        } => remaining_methods,
    };
    failure.offered = remaining.iter().map(Into::into).collect();
    let (mut agent, mut candidates) = candidates(login, &mut failure.note).await;
    while let Some(next) = candidates
        .iter()
        .position(|one| remaining.contains(&one.kind()))
    {
        let candidate = candidates.remove(next);
        failure.tried.push(candidate.describe());
        match attempt(handle, &login.user, candidate, &mut agent).await {
            Ok(AuthResult::Success) => return Ok(Ok(())),
            Ok(AuthResult::Failure {
                remaining_methods,
                partial_success,
            }) => {
                if partial_success {
                    failure.note = Some("the server wants more than one method".to_owned());
                }
                if !remaining_methods.is_empty() {
                    remaining = remaining_methods;
                }
            }
            Err(problem) => failure.note = Some(problem),
        }
        if handle.is_closed() {
            // Said by servers that count attempts; nothing can follow.
            failure.note = ended.why().or(failure.note);
            break;
        }
    }
    Ok(Err(failure))
}

/// Everything to try, in order, and the agent that signs for its keys.
async fn candidates(login: &Login, note: &mut Option<String>) -> (Agent, Vec<Candidate>) {
    let mut candidates = Vec::new();
    let mut agent = None;
    if let Some(socket) = &login.agent {
        match agent_identities(socket).await {
            Ok((client, identities)) => {
                if identities.is_empty() {
                    *note = Some("the agent holds no keys".to_owned());
                }
                candidates.extend(identities.into_iter().map(Candidate::AgentKey));
                agent = Some(client);
            }
            Err(error) => *note = Some(format!("the agent does not answer: {error}")),
        }
    }
    let mut known = BTreeSet::new();
    for key in &login.keys {
        // The same key may come from a file and from the builder; servers count each attempt.
        if known.insert(key.key.public_key().to_bytes().unwrap_or_default()) {
            candidates.push(Candidate::Key(key.clone()));
        }
    }
    if let Some(password) = &login.password {
        candidates.push(Candidate::Password(password.clone()));
        candidates.push(Candidate::Interactive(password.clone()));
    }
    (agent, candidates)
}

async fn agent_identities(
    socket: &Path,
) -> Result<(AgentClient<tokio::net::UnixStream>, Vec<AgentIdentity>), russh::keys::Error> {
    let mut client = AgentClient::connect_uds(socket).await?;
    let identities = client.request_identities().await?;
    Ok((client, identities))
}

/// One attempt; the error is a note, after which others can follow.
async fn attempt(
    handle: &mut Handle<Client>,
    user: &str,
    candidate: Candidate,
    agent: &mut Agent,
) -> Result<AuthResult, String> {
    let text = |error: russh::Error| crate::chain(&error);
    match candidate {
        Candidate::Password(password) => handle
            .authenticate_password(user, password)
            .await
            .map_err(text),
        Candidate::Interactive(password) => {
            interactive(handle, user, &password).await.map_err(text)
        }
        Candidate::Key(key) => key_attempt(handle, user, key).await,
        Candidate::AgentKey(identity) => {
            let Some(agent) = agent else {
                return Err("the agent is gone".to_owned());
            };
            let hash = rsa_hash(handle, identity.public_key().algorithm()).await;
            let result = match identity {
                AgentIdentity::PublicKey { key, .. } => {
                    handle
                        .authenticate_publickey_with(user, key, hash, agent)
                        .await
                }
                AgentIdentity::Certificate { certificate, .. } => {
                    handle
                        .authenticate_certificate_with(user, certificate, hash, agent)
                        .await
                }
            };
            result.map_err(|error| format!("the agent did not sign: {error}"))
        }
    }
}

async fn key_attempt(
    handle: &mut Handle<Client>,
    user: &str,
    key: LoginKey,
) -> Result<AuthResult, String> {
    let hash = rsa_hash(handle, key.key.algorithm()).await;
    if let Some(certificate) = key.certificate {
        let mut signer = KeySigner(Arc::clone(&key.key));
        let result = handle
            .authenticate_certificate_with(user, certificate, hash, &mut signer)
            .await;
        match result.map_err(|error| crate::chain(&error))? {
            AuthResult::Failure { .. } if !handle.is_closed() => {}
            result => return Ok(result),
        }
    }
    let with_hash = PrivateKeyWithHashAlg::new(key.key, hash);
    handle
        .authenticate_publickey(user, with_hash)
        .await
        .map_err(|error| crate::chain(&error))
}

/// Which hash to sign with: none but RSA keys have a choice.
async fn rsa_hash(handle: &Handle<Client>, algorithm: russh::keys::Algorithm) -> Option<HashAlg> {
    if !algorithm.is_rsa() {
        return None;
    }
    match handle.best_supported_rsa_hash().await {
        Ok(Some(hash)) => hash,
        // The server does not say; every one since 2016 knows this.
        Ok(None) | Err(_) => Some(HashAlg::Sha256),
    }
}

async fn interactive(
    handle: &mut Handle<Client>,
    user: &str,
    password: &str,
) -> Result<AuthResult, russh::Error> {
    let mut answer = handle
        .authenticate_keyboard_interactive_start(user, None::<String>)
        .await?;
    for _ in 0..INTERACTIVE_ROUNDS {
        match answer {
            KeyboardInteractiveAuthResponse::Success => return Ok(AuthResult::Success),
            KeyboardInteractiveAuthResponse::Failure {
                remaining_methods,
                partial_success,
            } => {
                return Ok(AuthResult::Failure {
                    remaining_methods,
                    partial_success,
                });
            }
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                let answers = vec![password.to_owned(); prompts.len()];
                answer = handle
                    .authenticate_keyboard_interactive_respond(answers)
                    .await?;
            }
        }
    }
    Ok(AuthResult::Failure {
        remaining_methods: MethodSet::empty(),
        partial_success: false,
    })
}

/// Signs for a certificate with a key in memory, with the hash the server asks for.
struct KeySigner(Arc<PrivateKey>);

/// Signing for a certificate failed.
#[derive(Debug, thiserror::Error)]
enum SignError {
    #[error("the session is gone")]
    Session(#[from] russh::SendError),
    #[error("the key does not sign")]
    Key(#[from] russh::keys::signature::Error),
    #[error("the signature cannot be written")]
    Encoding(#[from] russh::keys::ssh_encoding::Error),
}

impl russh::Signer for KeySigner {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, Self::Error> {
        let signature = match self.0.key_data() {
            KeypairData::Rsa(pair) => (pair, hash).try_sign(&to_sign)?,
            pair => pair.try_sign(&to_sign)?,
        };
        let mut encoded = Vec::new();
        signature.encode(&mut encoded)?;
        encoded.encode(&mut to_sign)?;
        Ok(to_sign)
    }
}

#[cfg(test)]
mod tests {
    use super::AuthFailure;

    #[test]
    fn the_text_says_who_what_and_where_to_look() {
        let mut failure = AuthFailure {
            user: "root".to_owned(),
            offered: vec!["publickey", "password"],
            tried: vec!["password".to_owned()],
            note: None,
            options: "ssh_username and ssh_password",
        };
        assert_eq!(
            failure.to_string(),
            "SSH authentication failed: user `root` was refused; the server offers \
             publickey,password; tried password; check ssh_username and ssh_password"
        );
        failure.tried.clear();
        failure.note = Some("the agent holds no keys".to_owned());
        assert!(
            failure
                .to_string()
                .contains("nothing of that to try; the agent holds no keys;")
        );
    }
}
