//! Logging in: agent, keys, password, keyboard-interactive, in Packer's order.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse, Prompt};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg};
use russh::{MethodKind, MethodSet};

use crate::client::{Client, Ended};
use crate::observer::{ConnectObserver, Question};
use crate::settings::{Login, LoginKey};

/// Rounds of questions a server may ask.
const INTERACTIVE_ROUNDS: usize = 10;

/// The person who answers a host's questions.
#[derive(Clone, Copy)]
pub(crate) struct Person<'a> {
    pub(crate) observer: &'a dyn ConnectObserver,
    /// Who asks.
    pub(crate) host: &'a str,
}

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
    /// The option to look at first.
    pub option: &'static str,
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
    Interactive,
}

impl Candidate {
    fn kind(&self) -> MethodKind {
        match self {
            Self::AgentKey(_) | Self::Key(_) => MethodKind::PublicKey,
            Self::Password(_) => MethodKind::Password,
            Self::Interactive => MethodKind::KeyboardInteractive,
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
            Self::Interactive => "keyboard-interactive".to_owned(),
        }
    }
}

/// The agent, when there is one.
type Agent = Option<AgentClient<tokio::net::UnixStream>>;

/// Logs in; `person` answers questions when the login is interactive.
///
/// # Errors
///
/// [`AuthFailure`] when nothing was accepted, [`russh::Error`] when the session broke.
pub(crate) async fn authenticate(
    handle: &mut Handle<Client>,
    ended: &Ended,
    login: &Login,
    person: Option<Person<'_>>,
) -> Result<Result<(), AuthFailure>, russh::Error> {
    let mut failure = AuthFailure {
        user: login.user.clone(),
        offered: Vec::new(),
        tried: Vec::new(),
        note: None,
        option: login.option,
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
        match attempt(handle, login, candidate, &mut agent, person).await {
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
    }
    if login.password.is_some() || login.interactive {
        candidates.push(Candidate::Interactive);
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
    login: &Login,
    candidate: Candidate,
    agent: &mut Agent,
    person: Option<Person<'_>>,
) -> Result<AuthResult, String> {
    let user = login.user.as_str();
    let text = |error: russh::Error| crate::chain(&error);
    match candidate {
        Candidate::Password(password) => handle
            .authenticate_password(user, password)
            .await
            .map_err(text),
        Candidate::Interactive => interactive(handle, login, person).await,
        Candidate::Key(key) => key_attempt(handle, user, key).await,
        Candidate::AgentKey(identity) => {
            let Some(agent) = agent else {
                return Err("the agent is gone".to_owned());
            };
            let (hash, _) = rsa_hash(handle, identity.public_key().algorithm()).await;
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
    let (hash, silent) = rsa_hash(handle, key.key.algorithm()).await;
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
    let with_hash = PrivateKeyWithHashAlg::new(Arc::clone(&key.key), hash);
    let result = handle.authenticate_publickey(user, with_hash).await;
    match result.map_err(|error| crate::chain(&error))? {
        AuthResult::Failure { .. } if silent && !handle.is_closed() => {
            // Servers older than 2016 know nothing but SHA-1 for RSA.
            let oldest = PrivateKeyWithHashAlg::new(key.key, None);
            let result = handle.authenticate_publickey(user, oldest).await;
            result.map_err(|error| crate::chain(&error))
        }
        result => Ok(result),
    }
}

/// Which hash to sign with, and whether the server did not say: none but RSA keys have a choice.
async fn rsa_hash(
    handle: &Handle<Client>,
    algorithm: russh::keys::Algorithm,
) -> (Option<HashAlg>, bool) {
    if !algorithm.is_rsa() {
        return (None, false);
    }
    match handle.best_supported_rsa_hash().await {
        Ok(Some(hash)) => (hash, false),
        // Every server since 2016 knows this.
        Ok(None) | Err(_) => (Some(HashAlg::Sha256), true),
    }
}

/// Answers the server's questions; the error is a note, as in [`attempt`].
async fn interactive(
    handle: &mut Handle<Client>,
    login: &Login,
    person: Option<Person<'_>>,
) -> Result<AuthResult, String> {
    let text = |error: russh::Error| crate::chain(&error);
    let mut answer = handle
        .authenticate_keyboard_interactive_start(&login.user, None::<String>)
        .await
        .map_err(text)?;
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
            KeyboardInteractiveAuthResponse::InfoRequest {
                instructions,
                prompts,
                ..
            } => {
                let mut answers = Vec::new();
                for Prompt { prompt, echo } in prompts {
                    let question = Question {
                        text: format!("{instructions}\n{prompt}").trim().to_owned(),
                        is_secret: !echo,
                    };
                    answers.push(answer_to(question, login, person).await?);
                }
                answer = handle
                    .authenticate_keyboard_interactive_respond(answers)
                    .await
                    .map_err(text)?;
            }
        }
    }
    Ok(AuthResult::Failure {
        remaining_methods: MethodSet::empty(),
        partial_success: false,
    })
}

/// The password, or what the person says.
async fn answer_to(
    mut question: Question,
    login: &Login,
    person: Option<Person<'_>>,
) -> Result<String, String> {
    let is_password = question.is_secret && question.text.to_lowercase().contains("password");
    if let Some(password) = &login.password
        && (is_password || !login.interactive)
    {
        return Ok(password.clone());
    }
    let text = question.text.clone();
    let answer = match person {
        Some(person) => {
            question.text = format!("{} asks: {text}", person.host);
            person.observer.answer(question).await
        }
        None => None,
    };
    answer.ok_or_else(|| format!("it asks `{text}`, and there is nobody at a terminal to answer"))
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
            option: "ssh_username",
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
