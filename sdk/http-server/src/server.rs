//! The server: start, watch, stop.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use sdk_ports::{PortLease, PortSearch, lease};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::config::HttpConfig;
use crate::error::HttpServerError;
use crate::request::{Observer, SeenRequest};
use crate::{content, directory, request_path};

/// For transfers under way when the server stops.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A running server. Dropping it stops it at once; [`Self::stop`] lets transfers end.
pub struct HttpServer {
    address: SocketAddr,
    seen: watch::Receiver<u64>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    /// Gives the port back after the server is gone.
    _lease: PortLease,
}

impl std::fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpServer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl HttpServer {
    /// Starts serving; `None` when the options name nothing to serve.
    ///
    /// The port is leased through files in `cache_dir`. `observer` is told each request.
    ///
    /// # Errors
    ///
    /// [`HttpServerError`] when the folder cannot be served or nothing can be listened at.
    pub async fn start(
        config: &HttpConfig,
        cache_dir: &Path,
        observer: Option<Observer>,
    ) -> Result<Option<Self>, HttpServerError> {
        if !config.is_needed() {
            return Ok(None);
        }
        let source = source_of(config).await?;
        let ip = address_of(config).await?;
        let search = PortSearch {
            cache_dir: cache_dir.to_owned(),
            address: ip,
            ports: config.ports(),
        };
        let mut lease = lease(&search)?;
        let address = SocketAddr::new(ip, lease.port());
        let listener = listener_of(&mut lease)
            .map_err(|source| HttpServerError::Listen { address, source })?;
        let (count, seen) = watch::channel(0);
        let service = Router::new()
            .fallback(handle)
            .with_state(Arc::new(Site {
                source,
                observer,
                count,
            }))
            .into_make_service_with_connect_info::<SocketAddr>();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let signal = async {
                // A dropped sender means stop, too.
                stopped.await.unwrap_or(());
            };
            if let Err(err) = axum::serve(listener, service)
                .with_graceful_shutdown(signal)
                .await
            {
                tracing::warn!(error = %err, "http server ended");
            }
        });
        tracing::info!(%address, "http server started");
        Ok(Some(Self {
            address,
            seen,
            stop: Some(stop),
            task,
            _lease: lease,
        }))
    }

    /// The port it listens at.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Where it listens, as configured: often the address that stands for every one.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests it has answered or begun to answer.
    #[must_use]
    pub fn requests(&self) -> u64 {
        *self.seen.borrow()
    }

    /// Returns when there have been at least `count` requests; never, when they do not come.
    pub async fn wait_for_requests(&self, count: u64) {
        let mut seen = self.seen.clone();
        if seen.wait_for(|requests| *requests >= count).await.is_err() {
            // The server has ended, so no request can come any more.
            std::future::pending::<()>().await;
        }
    }

    /// Stops: no new requests, and up to five seconds for those under way.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            let listened = stop.send(()).is_ok();
            tracing::debug!(listened, "http server stops");
        }
        if tokio::time::timeout(STOP_LIMIT, &mut self.task)
            .await
            .is_err()
        {
            tracing::debug!("http transfers were cut off");
        }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What is served.
enum Source {
    /// A canonical path.
    Directory(PathBuf),
    Content(BTreeMap<String, String>),
}

struct Site {
    source: Source,
    observer: Option<Observer>,
    count: watch::Sender<u64>,
}

async fn source_of(config: &HttpConfig) -> Result<Source, HttpServerError> {
    if !config.has_directory() {
        return Ok(Source::Content(config.http_content.clone()));
    }
    let path = config.http_directory.clone();
    let failed = |source| HttpServerError::Directory {
        path: path.clone(),
        source,
    };
    let real = tokio::fs::canonicalize(&path).await.map_err(failed)?;
    if !tokio::fs::metadata(&real).await.map_err(failed)?.is_dir() {
        return Err(failed(std::io::ErrorKind::NotADirectory.into()));
    }
    Ok(Source::Directory(real))
}

async fn address_of(config: &HttpConfig) -> Result<IpAddr, HttpServerError> {
    let protocol = config.http_network_protocol.as_str();
    if config.is_socket_file() {
        return Err(HttpServerError::Protocol {
            protocol: protocol.to_owned(),
        });
    }
    let fits = |ip: &IpAddr| match protocol {
        "tcp4" => ip.is_ipv4(),
        "tcp6" => ip.is_ipv6(),
        _ => true,
    };
    let text = config.bind_address();
    let found = match text
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
    {
        Ok(ip) => Some(ip).filter(fits),
        Err(_) => match tokio::net::lookup_host((text, 0)).await {
            Ok(mut addresses) => addresses.find_map(|it| Some(it.ip()).filter(fits)),
            Err(_) => None,
        },
    };
    found.ok_or_else(|| HttpServerError::Address {
        address: text.to_owned(),
        protocol: protocol.to_owned(),
    })
}

fn listener_of(lease: &mut PortLease) -> std::io::Result<TcpListener> {
    let listener = lease
        .take_listener()
        .expect("a new lease holds its listener");
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

async fn handle(
    State(site): State<Arc<Site>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response<Body> {
    let method = request.method().clone();
    let cleaned = request_path::clean(request.uri().path());
    let path = cleaned
        .clone()
        .unwrap_or_else(|| request.uri().path().to_owned());
    let user_agent = request.headers().get(header::USER_AGENT);
    let user_agent = user_agent
        .and_then(|text| text.to_str().ok())
        .unwrap_or("")
        .to_owned();
    let response = if cleaned.is_none() {
        content::plain(&method, StatusCode::BAD_REQUEST, "400 malformed path\n")
    } else if method != Method::GET && method != Method::HEAD {
        let mut response = content::plain(
            &method,
            StatusCode::METHOD_NOT_ALLOWED,
            "405 only GET and HEAD\n",
        );
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        response
    } else {
        match &site.source {
            Source::Directory(root) => directory::answer(root, &path, request).await,
            Source::Content(texts) => content::answer(texts, &method, &path),
        }
    };
    let status = response.status().as_u16();
    tracing::info!(%client, %method, path, status, "http request");
    if let Some(observer) = &site.observer {
        observer(&SeenRequest {
            method: method.to_string(),
            path,
            status,
            client,
            user_agent,
        });
    }
    site.count.send_modify(|count| *count += 1);
    response
}
