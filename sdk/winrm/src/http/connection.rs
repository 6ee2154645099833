//! One HTTP connection that is logged in.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{
    AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, PROXY_AUTHORIZATION, USER_AGENT, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use sdk_ssh::Address;
use tokio::task::JoinHandle;

use super::dial::{Dialled, Stream, Through};
use super::ntlm::NtlmLogin;
use super::{binding, sealed};
use crate::error::{AttemptError, LoginFailure};
use crate::settings::{Login, Settings};

/// The largest answer that is read, in bytes; no guest's limit of an envelope is that high.
const ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// How long each message of a login may take.
const LOGIN_LIMIT: Duration = Duration::from_secs(30);
/// How long the end of a connection is waited for that failed.
const LAST_LOOK: Duration = Duration::from_secs(1);
/// How long a connection may rest before it is not used again; Windows closes it after a while,
/// and a request must not meet that moment.
const REST: Duration = Duration::from_secs(30);

/// A connection that is logged in, or logs in with every request.
pub(super) struct Connection {
    wire: Wire,
    session: Session,
    used: Instant,
}

/// How requests prove who sends them.
enum Session {
    /// With this header, each.
    Header(String),
    /// The connection is logged in; messages are sealed.
    Sealed(Box<NtlmLogin>),
    /// The connection is logged in, and TLS seals.
    LoggedIn,
}

type Driver = JoinHandle<Result<(), hyper::Error>>;

/// Sends and receives, whoever is logged in.
struct Wire {
    sender: SendRequest<Full<Bytes>>,
    /// What reads and writes; its end tells why the connection ended.
    driver: Driver,
    /// What goes into the request line.
    target: String,
    host: String,
    proxy_login: Option<String>,
}

/// An answer with its body.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// Names of the logins the server offers.
    fn offers(&self) -> Vec<String> {
        let all = self.headers.get_all(WWW_AUTHENTICATE);
        all.iter()
            .filter_map(|value| value.to_str().ok())
            .filter_map(|value| value.split([' ', ',']).next())
            .map(str::to_owned)
            .collect()
    }

    fn offers_one(&self, name: &str) -> bool {
        let offers = self.offers();
        offers.iter().any(|offer| offer.eq_ignore_ascii_case(name))
    }

    /// The token the server sent for the login `name`.
    fn token(&self, name: &str) -> Option<Vec<u8>> {
        let all = self.headers.get_all(WWW_AUTHENTICATE);
        all.iter()
            .filter_map(|value| value.to_str().ok()?.split_once(' '))
            .filter(|(offer, _)| offer.eq_ignore_ascii_case(name))
            .find_map(|(_, token)| STANDARD.decode(token.trim()).ok())
    }

    fn is_sealed(&self) -> bool {
        let kind = self.headers.get(CONTENT_TYPE);
        kind.and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/encrypted"))
    }
}

impl Wire {
    /// Speaks HTTP on `stream`.
    async fn open(
        address: &Address,
        stream: Box<dyn Stream>,
        through: Option<Through>,
    ) -> Result<Self, AttemptError> {
        let (sender, driver) = handshake(TokioIo::new(stream))
            .await
            .map_err(|error| judge(&error))?;
        // It ends with the sender, or with the connection.
        let driver = tokio::spawn(driver);
        let path = "/wsman";
        let (target, proxy_login) = match through {
            Some(through) => (format!("http://{address}{path}"), through.authorization),
            None => (path.to_owned(), None),
        };
        Ok(Self {
            sender,
            driver,
            target,
            host: address.to_string(),
            proxy_login,
        })
    }

    async fn send(
        &mut self,
        login: Option<&str>,
        kind: &str,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Answer, AttemptError> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.target.as_str())
            .header(HOST, self.host.as_str())
            .header(USER_AGENT, "kiln")
            .header(CONTENT_TYPE, kind);
        if let Some(login) = login {
            request = request.header(AUTHORIZATION, login);
        }
        if let Some(login) = &self.proxy_login {
            request = request.header(PROXY_AUTHORIZATION, login.as_str());
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| AttemptError::Protocol(format!("cannot ask: {error}")))?;
        let (sender, driver) = (&mut self.sender, &mut self.driver);
        let work = async {
            sender.ready().await?;
            let answer = sender.send_request(request).await?;
            let (head, body) = answer.into_parts();
            Ok::<_, hyper::Error>((head, Limited::new(body, ANSWER_BYTES)))
        };
        let whole = async {
            let (head, body) = match work.await {
                Ok(answer) => answer,
                Err(error) => return Err(reason(&error, driver).await),
            };
            let body = body
                .collect()
                .await
                .map_err(|error| AttemptError::Closed(format!("its end is missing: {error}")))?;
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
            })
        };
        let done = tokio::time::timeout(limit, whole).await;
        done.unwrap_or(Err(AttemptError::Silent(limit)))
    }
}

/// Why there is no answer. Who speaks before being asked may have ended the connection before the
/// request was sent: then only the connection's own end tells that this is no HTTP.
async fn reason(error: &hyper::Error, driver: &mut Driver) -> AttemptError {
    if error.is_parse() {
        return judge(error);
    }
    match tokio::time::timeout(LAST_LOOK, driver).await {
        Ok(Ok(Err(end))) => match judge(&end) {
            not_http @ AttemptError::NotHttp(_) => not_http,
            _ => judge(error),
        },
        _ => judge(error),
    }
}

fn judge(error: &hyper::Error) -> AttemptError {
    // What is left has no other name: an answer before there was a question.
    let unasked = std::error::Error::source(error).is_none()
        && !error.is_canceled()
        && !error.is_closed()
        && !error.is_incomplete_message()
        && !error.is_body_write_aborted()
        && !error.is_shutdown()
        && !error.is_timeout();
    if error.is_parse() || unasked {
        AttemptError::NotHttp(error.to_string())
    } else {
        AttemptError::Closed(crate::chain(error))
    }
}

/// Asks the service on `dialled` which login it takes. Many close the connection after that answer.
pub(super) async fn ask(
    settings: &Settings,
    address: &Address,
    dialled: Dialled,
) -> Result<Login, AttemptError> {
    let mut wire = Wire::open(address, dialled.stream, dialled.through).await?;
    let answer = wire.send(None, PLAIN, Vec::new(), LOGIN_LIMIT).await?;
    if answer.status != StatusCode::UNAUTHORIZED {
        let status = answer.status.as_u16();
        return Err(AttemptError::Status { status });
    }
    if answer.offers_one("Basic") {
        Ok(Login::Basic)
    } else if answer.offers_one("Negotiate") || answer.offers_one("NTLM") {
        Ok(Login::Ntlm)
    } else {
        Err(refused(settings, "", &answer))
    }
}

impl Connection {
    /// Speaks HTTP on `dialled` and logs in.
    pub(super) async fn open(
        settings: &Settings,
        login: Login,
        address: &Address,
        dialled: Dialled,
    ) -> Result<Self, AttemptError> {
        let certificate = dialled.certificate;
        let mut wire = Wire::open(address, dialled.stream, dialled.through).await?;
        let session = match login {
            Login::Basic => {
                let text = format!("{}:{}", settings.user, settings.password.expose());
                Session::Header(format!("Basic {}", STANDARD.encode(text)))
            }
            Login::Ntlm => ntlm(settings, address, &mut wire, certificate.as_deref()).await?,
        };
        Ok(Self {
            wire,
            session,
            used: Instant::now(),
        })
    }

    /// Whether it can be used for another request.
    pub(super) fn is_fresh(&self) -> bool {
        !self.wire.sender.is_closed() && self.used.elapsed() < REST
    }

    /// Sends an envelope and returns the one that answers, which may be a fault; `None` when the
    /// login is refused.
    pub(super) async fn call(
        &mut self,
        settings: &Settings,
        envelope: &str,
        limit: Duration,
    ) -> Result<String, AttemptError> {
        let (login, kind, body) = match &mut self.session {
            Session::Header(header) => (Some(header.as_str()), PLAIN, envelope.into()),
            Session::LoggedIn => (None, PLAIN, envelope.into()),
            Session::Sealed(login) => (
                None,
                sealed::CONTENT_TYPE,
                sealed::seal(login, envelope.as_bytes())?,
            ),
        };
        let answer = self.wire.send(login, kind, body, limit).await?;
        self.used = Instant::now();
        if answer.status == StatusCode::UNAUTHORIZED {
            let tried = match self.session {
                Session::Header(_) => "basic",
                Session::Sealed(_) | Session::LoggedIn => "NTLM",
            };
            return Err(refused(settings, tried, &answer));
        }
        let body = match &mut self.session {
            Session::Sealed(login) if answer.is_sealed() => sealed::unseal(login, &answer.body)?,
            // Nobody can forge a sealed answer, but anybody an open one; only a failure is taken.
            Session::Sealed(_) if answer.status.is_success() => {
                let text = "the guest did not seal its answer".to_owned();
                return Err(AttemptError::Protocol(text));
            }
            _ => answer.body.to_vec(),
        };
        let text = String::from_utf8_lossy(&body).into_owned();
        let is_envelope = text.contains("Envelope");
        if !is_envelope && !answer.status.is_success() {
            let status = answer.status.as_u16();
            return Err(AttemptError::Status { status });
        }
        Ok(text)
    }
}

const PLAIN: &str = "application/soap+xml;charset=UTF-8";

fn refused(settings: &Settings, tried: &str, answer: &Answer) -> AttemptError {
    AttemptError::Login(LoginFailure {
        user: settings.user.clone(),
        tried: tried.to_owned(),
        offered: answer.offers(),
        plain: settings.tls.is_none(),
    })
}

/// Logs the connection in.
///
/// # Source
///
/// RFC 4559, with NTLM's own tokens, which Windows takes under the name `Negotiate`.
async fn ntlm(
    settings: &Settings,
    address: &Address,
    wire: &mut Wire,
    certificate: Option<&[u8]>,
) -> Result<Session, AttemptError> {
    let binding = certificate.map(binding::end_point);
    let mut login = NtlmLogin::new(settings, &address.host, binding.as_deref())?;
    let mut scheme = "Negotiate";
    let first = login.token(None)?;
    let header = |scheme: &str, token: &[u8]| format!("{scheme} {}", STANDARD.encode(token));
    let ask = header(scheme, &first);
    let mut answer = wire
        .send(Some(&ask), PLAIN, Vec::new(), LOGIN_LIMIT)
        .await?;
    if answer.status == StatusCode::UNAUTHORIZED
        && answer.token(scheme).is_none()
        && !answer.offers_one(scheme)
        && answer.offers_one("NTLM")
    {
        scheme = "NTLM";
        let ask = header(scheme, &first);
        answer = wire
            .send(Some(&ask), PLAIN, Vec::new(), LOGIN_LIMIT)
            .await?;
    }
    if answer.status != StatusCode::UNAUTHORIZED {
        let status = answer.status.as_u16();
        return Err(AttemptError::Status { status });
    }
    let Some(challenge) = answer.token(scheme) else {
        let tried = if answer.offers_one(scheme) {
            "NTLM"
        } else {
            ""
        };
        return Err(refused(settings, tried, &answer));
    };
    let last = header(scheme, &login.token(Some(challenge))?);
    let answer = wire
        .send(Some(&last), PLAIN, Vec::new(), LOGIN_LIMIT)
        .await?;
    match answer.status {
        StatusCode::UNAUTHORIZED => Err(refused(settings, "NTLM", &answer)),
        status if status.is_server_error() || status == StatusCode::NOT_FOUND => {
            let status = status.as_u16();
            Err(AttemptError::Status { status })
        }
        _ if settings.tls.is_some() => Ok(Session::LoggedIn),
        _ => Ok(Session::Sealed(Box::new(login))),
    }
}
