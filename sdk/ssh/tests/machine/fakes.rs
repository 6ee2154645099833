//! Servers in this process: one with passwords, a silent one, a SOCKS5 proxy.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use russh::keys::Algorithm;
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handler, Msg, Response, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use sdk_ssh::{Address, KeyKind, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;

/// Something that listens on loopback until it is dropped.
pub struct Fake {
    pub address: Address,
    pub connections: Arc<AtomicUsize>,
    _task: AbortOnDropHandle<()>,
}

/// Listens and hands each connection to `serve`.
pub async fn listen<Serving>(serve: impl Fn(TcpStream) -> Serving + Send + 'static) -> Fake
where
    Serving: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback is there");
    let port = listener.local_addr().expect("it is bound").port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    let task = tokio::spawn(async move {
        let mut running = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            running.spawn(serve(stream));
        }
    });
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port,
    };
    Fake {
        address,
        connections,
        _task: AbortOnDropHandle::new(task),
    }
}

/// Accepts and never says a word.
pub async fn silent() -> Fake {
    listen(|stream| async move {
        let _kept = stream;
        std::future::pending::<()>().await;
    })
    .await
}

/// Accepts and stays silent until `awake`; connections made after that lead to `target`.
pub async fn sleepy(awake: Arc<AtomicBool>, target: u16) -> Fake {
    listen(move |mut stream| {
        let is_awake = awake.load(Ordering::SeqCst);
        async move {
            if !is_awake {
                std::future::pending::<()>().await;
            }
            let mut inner = TcpStream::connect(("127.0.0.1", target))
                .await
                .expect("it listens");
            drop(copy_bidirectional(&mut stream, &mut inner).await);
        }
    })
    .await
}

/// Leads to `target`, but only after `delay` on each connection.
pub async fn slow(delay: std::time::Duration, target: u16) -> Fake {
    listen(move |mut stream| async move {
        tokio::time::sleep(delay).await;
        let mut inner = TcpStream::connect(("127.0.0.1", target))
            .await
            .expect("it listens");
        drop(copy_bidirectional(&mut stream, &mut inner).await);
    })
    .await
}

/// A server of before 2006.
pub async fn version_one() -> Fake {
    listen(|mut stream| async move {
        stream
            .write_all(b"SSH-1.5-1.2.27\n")
            .await
            .expect("someone listens");
        std::future::pending::<()>().await;
    })
    .await
}

/// A server that has nothing anybody else has any more.
pub async fn fossil() -> Fake {
    listen(|mut stream| async move {
        let mut packet = vec![20];
        packet.extend_from_slice(&[7; 16]);
        let cipher = "3des-cbc,arcfour";
        for list in [
            "diffie-hellman-group1-md5",
            "ssh-dss",
            cipher,
            cipher,
            "hmac-md5",
            "hmac-md5",
        ] {
            packet.extend_from_slice(&u32::try_from(list.len()).expect("short").to_be_bytes());
            packet.extend_from_slice(list.as_bytes());
        }
        // No compression, no languages, no guess, and the reserved word.
        for list in ["none", "none", "", ""] {
            packet.extend_from_slice(&u32::try_from(list.len()).expect("short").to_be_bytes());
            packet.extend_from_slice(list.as_bytes());
        }
        packet.extend_from_slice(&[0; 5]);
        let padding = 8 - (packet.len() + 5) % 8 + 8;
        let length = u32::try_from(packet.len() + 1 + padding).expect("short");
        let mut bytes = b"SSH-2.0-Fossil_1\r\n".to_vec();
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.push(u8::try_from(padding).expect("short"));
        bytes.extend_from_slice(&packet);
        bytes.resize(bytes.len() + padding, 0);
        stream.write_all(&bytes).await.expect("someone listens");
        std::future::pending::<()>().await;
    })
    .await
}

/// Answers like a web server.
pub async fn web() -> Fake {
    listen(|mut stream| async move {
        let answer = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).await.expect("someone listens");
    })
    .await
}

/// A SOCKS5 proxy that asks for the login `me`, `secret`.
pub async fn socks() -> Fake {
    listen(|mut stream| async move {
        let mut greeting = [0; 2];
        stream.read_exact(&mut greeting).await.expect("a greeting");
        let mut methods = vec![0; usize::from(greeting[1])];
        stream.read_exact(&mut methods).await.expect("methods");
        stream.write_all(&[5, 2]).await.expect("someone listens");
        let mut login = [0; 11];
        stream.read_exact(&mut login).await.expect("a login");
        let right = &login == b"\x01\x02me\x06secret";
        stream
            .write_all(&[1, u8::from(!right)])
            .await
            .expect("someone listens");
        if !right {
            return;
        }
        let mut request = [0; 10];
        stream
            .read_exact(&mut request)
            .await
            .expect("a request with an IPv4 address");
        let port = u16::from_be_bytes([request[8], request[9]]);
        let mut target = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("it listens");
        stream
            .write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
            .await
            .expect("someone listens");
        drop(copy_bidirectional(&mut stream, &mut target).await);
    })
    .await
}

/// How the server with passwords asks for them.
#[derive(Clone, Copy)]
pub enum Asking {
    Password,
    /// Two questions, then none, as PAM does.
    Interactive,
}

/// An SSH server that lets `me` in with `secret` and answers every command with 0.
pub async fn ssh(asking: Asking) -> Fake {
    let host = KeyPair::generate_blocking(KeyKind::Ed25519, "host").expect("random bytes");
    let method = match asking {
        Asking::Password => MethodKind::Password,
        Asking::Interactive => MethodKind::KeyboardInteractive,
    };
    let methods: &[MethodKind] = &[MethodKind::PublicKey, method];
    let config = Arc::new(Config {
        keys: vec![host.private_key().as_ref().clone()],
        methods: MethodSet::from(methods),
        auth_rejection_time: std::time::Duration::from_millis(1),
        ..Config::default()
    });
    listen(move |stream| {
        let config = Arc::clone(&config);
        async move {
            if let Ok(session) =
                russh::server::run_stream(config, stream, Server { round: 0 }).await
            {
                drop(session.await);
            }
        }
    })
    .await
}

/// An SSH server of before 2016: it takes RSA keys, signed for with SHA-1 only, and does not say so.
pub async fn ancient() -> Fake {
    let host = KeyPair::generate_blocking(KeyKind::Ed25519, "host").expect("random bytes");
    let config = Arc::new(Config {
        keys: vec![host.private_key().as_ref().clone()],
        methods: MethodSet::from(&[MethodKind::PublicKey][..]),
        auth_rejection_time: std::time::Duration::from_millis(1),
        preferred: russh::Preferred {
            kex: Cow::Borrowed(&[russh::kex::CURVE25519]),
            key: Cow::Borrowed(&[Algorithm::Ed25519, Algorithm::Rsa { hash: None }]),
            ..russh::Preferred::DEFAULT
        },
        ..Config::default()
    });
    listen(move |stream| {
        let config = Arc::clone(&config);
        async move {
            if let Ok(session) = russh::server::run_stream(config, stream, Ancient).await {
                drop(session.await);
            }
        }
    })
    .await
}

struct Ancient;

impl Handler for Ancient {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        _user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(match key.algorithm {
            Algorithm::Rsa { hash: None } => Auth::Accept,
            _ => Auth::reject(),
        })
    }
}

struct Server {
    round: usize,
}

impl Handler for Server {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(if (user, password) == ("me", "secret") {
            Auth::Accept
        } else {
            Auth::reject()
        })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, Self::Error> {
        let answers: Vec<bytes::Bytes> = response.into_iter().flatten().collect();
        self.round += 1;
        let prompts: Vec<(Cow<'static, str>, bool)> = match self.round {
            1 => vec![
                (Cow::Borrowed("Password: "), false),
                (Cow::Borrowed("Again: "), false),
            ],
            2 if answers.len() == 2 && answers.iter().all(|one| one == "secret") => Vec::new(),
            3 if answers.is_empty() => return Ok(Auth::Accept),
            _ => {
                self.round = 0;
                return Ok(Auth::reject());
            }
        };
        let (name, instructions) = (Cow::Borrowed(""), Cow::Borrowed(""));
        Ok(Auth::Partial {
            name,
            instructions,
            prompts: prompts.into(),
        })
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        session.exit_status_request(channel, 0)?;
        session.close(channel)
    }
}
