//! From an address to a stream that HTTP can be spoken on.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use sdk_ssh::Address;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::tls;
use crate::error::AttemptError;

/// How long connecting may take, TLS and proxy each on their own.
const LIMIT: Duration = Duration::from_secs(15);
/// The longest answer of a proxy to `CONNECT`, in bytes.
const PROXY_ANSWER_BYTES: usize = 16 * 1024;

/// A connected stream.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// What a connection is made on.
pub(super) struct Dialled {
    pub(super) stream: Box<dyn Stream>,
    /// Certificate of the server, in DER; none without TLS.
    pub(super) certificate: Option<Vec<u8>>,
    /// Set when requests go to a proxy, which wants the whole address in each.
    pub(super) through: Option<Through>,
}

/// A proxy that passes requests on.
pub(super) struct Through {
    /// Value of `Proxy-Authorization`, when the proxy has a login.
    pub(super) authorization: Option<String>,
}

/// Connects to `address`, through the proxy the environment names for it, if any.
pub(super) async fn dial(
    address: &Address,
    tls: Option<&Arc<ClientConfig>>,
    proxies: Option<&Matcher>,
) -> Result<Dialled, AttemptError> {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let proxy = proxies.filter(|_| !is_here(&address.host));
    let proxy = proxy.and_then(|matcher| {
        let uri = format!("{scheme}://{address}/wsman").parse().ok()?;
        matcher.intercept(&uri)
    });
    let mut stream = match &proxy {
        None => connect(&address.host, address.port).await?,
        Some(proxy) => proxy_stream(proxy).await?,
    };
    let Some(config) = tls else {
        let through = proxy.map(|proxy| Through {
            authorization: authorization(&proxy),
        });
        return Ok(Dialled {
            stream: Box::new(stream),
            certificate: None,
            through,
        });
    };
    if let Some(proxy) = &proxy {
        let tunnel = tunnel(&mut stream, address, authorization(proxy));
        limited(tunnel).await?;
    }
    let name = ServerName::try_from(address.host.clone())
        .map_err(|_| AttemptError::Tls(format!("`{}` is no name of a server", address.host)))?;
    let connector = TlsConnector::from(Arc::clone(config));
    let stream = tokio::time::timeout(LIMIT, connector.connect(name, stream))
        .await
        .map_err(|_| AttemptError::Silent(LIMIT))?
        .map_err(|error| tls::failure(&error))?;
    let certificates = stream.get_ref().1.peer_certificates();
    let certificate = certificates
        .and_then(|chain| chain.first())
        .map(|certificate| certificate.as_ref().to_vec());
    Ok(Dialled {
        stream: Box::new(stream),
        certificate,
        through: None,
    })
}

/// Whether `host` is this machine, where no proxy leads.
///
/// # Source
///
/// Go's `ProxyFromEnvironment`, which Packer's client asks.
fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

async fn limited<T>(
    work: impl Future<Output = Result<T, AttemptError>>,
) -> Result<T, AttemptError> {
    let done = tokio::time::timeout(LIMIT, work).await;
    done.unwrap_or(Err(AttemptError::Silent(LIMIT)))
}

async fn connect(host: &str, port: u16) -> Result<TcpStream, AttemptError> {
    let work = async {
        sdk_ssh::dial(host, port)
            .await
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::ConnectionRefused => AttemptError::Refused,
                _ => AttemptError::Unreachable(error.to_string()),
            })
    };
    limited(work).await
}

async fn proxy_stream(proxy: &Intercept) -> Result<TcpStream, AttemptError> {
    let uri = proxy.uri();
    if uri.scheme_str() != Some("http") {
        return Err(AttemptError::Proxy(format!(
            "`{}` is not an HTTP proxy; set `winrm_no_proxy = true` to go around it",
            uri.scheme_str().unwrap_or_default()
        )));
    }
    let host = uri.host().unwrap_or_default();
    let connected = connect(host, uri.port_u16().unwrap_or(80)).await;
    connected.map_err(|error| AttemptError::Proxy(format!("{host}: {error}")))
}

fn authorization(proxy: &Intercept) -> Option<String> {
    let header = proxy.basic_auth()?;
    header.to_str().ok().map(str::to_owned).or_else(|| {
        let (user, password) = proxy.raw_auth()?;
        Some(format!(
            "Basic {}",
            STANDARD.encode(format!("{user}:{password}"))
        ))
    })
}

/// Has the proxy connect to `address`.
async fn tunnel(
    stream: &mut TcpStream,
    address: &Address,
    authorization: Option<String>,
) -> Result<(), AttemptError> {
    let failed = |error: std::io::Error| AttemptError::Proxy(error.to_string());
    let login = authorization
        .map(|login| format!("Proxy-Authorization: {login}\r\n"))
        .unwrap_or_default();
    let request = format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n{login}\r\n");
    stream.write_all(request.as_bytes()).await.map_err(failed)?;
    let mut answer = Vec::new();
    // Byte by byte, because what follows the answer belongs to TLS.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() > PROXY_ANSWER_BYTES {
            return Err(AttemptError::Proxy("its answer does not end".to_owned()));
        }
        answer.push(stream.read_u8().await.map_err(failed)?);
    }
    let answer = String::from_utf8_lossy(&answer);
    let first = answer.lines().next().unwrap_or_default();
    match first.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(AttemptError::Proxy(format!(
            "it answered `{first}` to CONNECT"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use hyper_util::client::proxy::matcher::Matcher;
    use sdk_ssh::Address;
    use tokio::net::TcpListener;

    use super::{dial, is_here};

    #[test]
    fn only_this_machine_is_here() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.3.2.1", "::1"] {
            assert!(is_here(host), "{host}");
        }
        for host in ["guest", "localhost.example", "10.0.0.1", "fe80::1"] {
            assert!(!is_here(host), "{host}");
        }
    }

    #[tokio::test]
    async fn a_guest_behind_a_forwarded_port_is_not_told_to_the_proxy() {
        let proxy = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let guest = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let port = |listener: &TcpListener| listener.local_addr().expect("it is bound").port();
        let url = format!("http://127.0.0.1:{}", port(&proxy));
        let proxies = Matcher::builder().all(url).build();
        let mut address = Address {
            host: "127.0.0.1".to_owned(),
            port: port(&guest),
        };
        let dialled = dial(&address, None, Some(&proxies)).await;
        assert!(dialled.expect("the guest listens").through.is_none());
        address.host = "guest.example".to_owned();
        let dialled = dial(&address, None, Some(&proxies)).await;
        assert!(dialled.expect("the proxy listens").through.is_some());
    }
}
