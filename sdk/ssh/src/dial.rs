//! TCP connections to hosts that may have several addresses.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::net::TcpStream;

/// How long an address is tried alone before the next one is tried beside it.
///
/// # Source
///
/// RFC 8305, section 5; Go's dialer takes 300 ms.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to `host`, at whichever of its addresses answers first: that of a network which swallows
/// everything does not hold up the others.
///
/// # Errors
///
/// When the name is not known or no address answers. A refusal is told before anything else, because
/// it comes from the host itself.
pub async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let addresses = tokio::net::lookup_host((host, port)).await?;
    let stream = first(alternating(addresses), TcpStream::connect).await?;
    // Messages are whole; waiting to join them only costs time.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set nodelay");
    }
    Ok(stream)
}

/// The addresses in their order, but the two families by turns.
fn alternating(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses: Vec<SocketAddr> = addresses.collect();
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    // Sorting is stable: each address has its number within its own family.
    let (mut same, mut other) = (0, 0);
    addresses.sort_by_cached_key(|address| {
        let is_other = address.is_ipv6() != first_is_v6;
        let count = if is_other { &mut other } else { &mut same };
        *count += 1;
        (*count, is_other)
    });
    addresses
}

/// The first stream there is.
async fn first<S, C>(addresses: Vec<SocketAddr>, connect: impl Fn(SocketAddr) -> C) -> io::Result<S>
where
    C: Future<Output = io::Result<S>>,
{
    let mut waiting = addresses.into_iter();
    let mut running = FuturesUnordered::new();
    let mut failure: Option<io::Error> = None;
    loop {
        running.extend(waiting.next().map(&connect));
        let finished = tokio::select! {
            finished = running.next() => finished,
            () = tokio::time::sleep(HEAD_START), if waiting.len() > 0 => continue,
        };
        match finished {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => {
                let told = failure.filter(|known| known.kind() == io::ErrorKind::ConnectionRefused);
                failure = told.or(Some(error));
            }
            None => {
                let nothing = || io::Error::other("the name has no address");
                return Err(failure.unwrap_or_else(nothing));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::SocketAddr;

    use super::{alternating, first};

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        let parse = |text: &&str| text.parse().expect("an address");
        texts.iter().map(parse).collect()
    }

    #[test]
    fn families_take_turns() {
        let given = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"];
        let expected = ["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"];
        let found = alternating(addresses(&given).into_iter());
        assert_eq!(found, addresses(&expected));
    }

    /// An address of IPv6 swallows everything, the others do what their first number says.
    async fn connect(address: SocketAddr) -> io::Result<SocketAddr> {
        match address {
            SocketAddr::V6(_) => std::future::pending().await,
            SocketAddr::V4(four) => match four.ip().octets()[0] {
                1 => Err(io::ErrorKind::ConnectionRefused.into()),
                2 => Err(io::ErrorKind::NetworkUnreachable.into()),
                _ => Ok(address),
            },
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_swallows_everything_holds_nobody_up() {
        let all = addresses(&["[::1]:1", "1.0.0.1:1", "3.0.0.1:1"]);
        let found = first(all.clone(), connect).await.expect("one answers");
        assert_eq!(found, all[2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_what_is_told() {
        for order in [["1.0.0.1:1", "2.0.0.1:1"], ["2.0.0.1:1", "1.0.0.1:1"]] {
            let error = first(addresses(&order), connect).await;
            let kind = error.expect_err("none answers").kind();
            assert_eq!(kind, io::ErrorKind::ConnectionRefused);
        }
        assert!(first(Vec::new(), connect).await.is_err());
    }
}
