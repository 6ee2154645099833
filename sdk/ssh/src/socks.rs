//! A SOCKS5 client: just enough to be let through (RFC 1928, RFC 1929).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Protocol version.
const VERSION: u8 = 5;
/// Method: no authentication.
const NO_AUTHENTICATION: u8 = 0;
/// Method: user and password.
const PASSWORD: u8 = 2;

/// Asks the proxy behind `stream` for a connection to `host`, which the proxy resolves.
///
/// # Errors
///
/// What the proxy refused, in words.
pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    host: &str,
    port: u16,
    login: Option<&(String, String)>,
) -> io::Result<()> {
    let methods: &[u8] = if login.is_some() {
        &[NO_AUTHENTICATION, PASSWORD]
    } else {
        &[0]
    };
    let mut greeting = vec![VERSION, length(methods)?];
    greeting.extend_from_slice(methods);
    stream.write_all(&greeting).await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    match (answer, login) {
        ([VERSION, NO_AUTHENTICATION], _) => {}
        ([VERSION, PASSWORD], Some((user, password))) => {
            authenticate(stream, user, password).await?;
        }
        ([VERSION, _], _) => {
            return Err(io::Error::other("it accepts none of our ways to log in"));
        }
        _ => return Err(io::Error::other("it does not speak SOCKS5")),
    }
    let mut request = vec![VERSION, 1, 0];
    match host.parse() {
        Ok(std::net::IpAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.octets());
        }
        Ok(std::net::IpAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            request.extend_from_slice(&[3, length(host.as_bytes())?]);
            request.extend_from_slice(host.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    stream.write_all(&request).await?;
    read_reply(stream).await
}

async fn authenticate<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    user: &str,
    password: &str,
) -> io::Result<()> {
    let mut request = vec![1, length(user.as_bytes())?];
    request.extend_from_slice(user.as_bytes());
    request.push(length(password.as_bytes())?);
    request.extend_from_slice(password.as_bytes());
    stream.write_all(&request).await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    if answer[1] == 0 {
        Ok(())
    } else {
        Err(io::Error::other(
            "it refused ssh_proxy_username or ssh_proxy_password",
        ))
    }
}

async fn read_reply<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) -> io::Result<()> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let rest = match head[3] {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await?),
        _ => return Err(io::Error::other("its answer makes no sense")),
    };
    let mut bound = vec![0; rest + 2];
    stream.read_exact(&mut bound).await?;
    let refusal = match head[1] {
        0 => return Ok(()),
        1 => "general failure",
        2 => "its rules do not allow the connection",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "time to live expired",
        7 => "it cannot connect",
        8 => "it does not know this type of address",
        _ => "unknown failure",
    };
    Err(io::Error::other(refusal))
}

fn length(bytes: &[u8]) -> io::Result<u8> {
    u8::try_from(bytes.len())
        .map_err(|_| io::Error::other("a name or password is longer than 255 bytes"))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Runs the client against a proxy that answers with `answers` and returns all it was sent.
    async fn check(answers: &[&[u8]], login: bool, expected: Result<(), &str>) -> Vec<u8> {
        let (mut ours, mut theirs) = tokio::io::duplex(4096);
        let answers = answers.concat();
        theirs.write_all(&answers).await.expect("it fits");
        let login = login.then(|| ("me".to_owned(), "secret".to_owned()));
        let result = super::connect(&mut ours, "guest.example", 22, login.as_ref()).await;
        assert_eq!(
            result.map_err(|error| error.to_string()),
            expected.map_err(str::to_owned)
        );
        drop(ours);
        let mut sent = Vec::new();
        theirs.read_to_end(&mut sent).await.expect("it was closed");
        sent
    }

    const OK: &[u8] = &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

    #[tokio::test]
    async fn asks_by_name_and_logs_in_when_told_to() {
        let sent = check(&[&[5, 0], OK], false, Ok(())).await;
        assert_eq!(
            sent,
            b"\x05\x01\x00\x05\x01\x00\x03\x0dguest.example\x00\x16"
        );
        let sent = check(&[&[5, 2], &[1, 0], OK], true, Ok(())).await;
        assert!(sent.starts_with(b"\x05\x02\x00\x02\x01\x02me\x06secret\x05\x01"));
    }

    #[tokio::test]
    async fn refusals_are_told_in_words() {
        check(
            &[&[5, 0xff]],
            false,
            Err("it accepts none of our ways to log in"),
        )
        .await;
        check(&[b"HTTP/1.1"], false, Err("it does not speak SOCKS5")).await;
        let refused: &[u8] = &[5, 5, 0, 1, 0, 0, 0, 0, 0, 0];
        check(&[&[5, 0], refused], false, Err("connection refused")).await;
        let wrong = "it refused ssh_proxy_username or ssh_proxy_password";
        check(&[&[5, 2], &[1, 1]], true, Err(wrong)).await;
    }
}
