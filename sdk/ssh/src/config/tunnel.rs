//! `PORT:HOST:PORT`.

/// A port that leads to an address on the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// Where connections are taken, on the loopback interface.
    pub listen_port: u16,
    /// Host they lead to, as the other side sees it.
    pub host: String,
    /// Port they lead to.
    pub port: u16,
}

/// Text is no tunnel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TunnelError {
    /// It does not have three parts.
    #[error("expected `PORT:HOST:PORT`")]
    Parts,
    /// A port is no number from 1 to 65535.
    #[error("`{0}` is not a port")]
    Port(String),
    /// The host is missing.
    #[error("the host is missing")]
    Host,
}

impl Tunnel {
    /// Reads `PORT:HOST:PORT`; a host with colons stands in brackets.
    ///
    /// # Errors
    ///
    /// [`TunnelError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, TunnelError> {
        let (listen, rest) = text.split_once(':').ok_or(TunnelError::Parts)?;
        let (host, port) = rest.rsplit_once(':').ok_or(TunnelError::Parts)?;
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        if host.is_empty() {
            return Err(TunnelError::Host);
        }
        let read = |text: &str| match text.trim().parse() {
            Ok(0) | Err(_) => Err(TunnelError::Port(text.to_owned())),
            Ok(port) => Ok(port),
        };
        Ok(Self {
            listen_port: read(listen)?,
            host: host.to_owned(),
            port: read(port)?,
        })
    }
}
