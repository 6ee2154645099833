//! Captured messages, and both ends against each other.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    CallError, Client, Fault, Request, Response, Service, Session, SessionError, Side, Wire, serve,
};
use crate::transport::message::{field, map};

/// Names and bytes of captured messages.
fn captured() -> Vec<(String, Vec<u8>)> {
    let text = include_str!("../../testdata/calls.txt");
    let mut messages: Vec<(String, String)> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            Some(bytes) => messages.last_mut().expect("a name comes first").1 += bytes,
            None => messages.push((line.to_owned(), String::new())),
        }
    }
    let bytes = |text: String| hex::decode(text).expect("it is hexadecimal");
    messages
        .into_iter()
        .map(|(name, text)| (name, bytes(text)))
        .collect()
}

#[tokio::test]
async fn captured_messages_are_read_and_written_byte_for_byte() {
    let messages = captured();
    assert_eq!(messages.len(), 40);
    for (name, bytes) in messages {
        let mut stream = bytes.as_slice();
        let written = if name.contains("request") {
            let request = Request::read(&mut stream).await.expect("it is valid");
            request.expect("it is there").encode()
        } else if name.contains("response") {
            let response = Response::read(&mut stream).await.expect("it is valid");
            response.expect("it is there").encode()
        } else {
            panic!("{name} is neither call nor answer");
        };
        assert!(stream.is_empty(), "{name}");
        assert_eq!(hex::encode(written), hex::encode(&bytes), "{name}");
    }
}

#[tokio::test]
async fn a_message_that_is_cut_or_no_message_is_an_error() {
    for (name, bytes) in captured() {
        for length in 1..bytes.len() {
            let read = Request::read(&mut &bytes[..length]).await;
            assert!(read.is_err(), "{name} {length}");
        }
    }
    assert_eq!(Request::read(&mut &b""[..]).await.expect("the end"), None);
    // A length beyond the limit takes no memory.
    for hostile in [
        "dbffffffff",
        "ddffffffff",
        "dfffffffff",
        "c6ffffffff",
        "81a141ddffffffff",
    ] {
        let bytes = hex::decode(hostile).expect("it is hexadecimal");
        let read = Request::read(&mut bytes.as_slice()).await;
        let kind = read.expect_err("it is refused").kind();
        assert_eq!(kind, std::io::ErrorKind::InvalidData, "{hostile}");
    }
    let deep = [vec![0x91; 100_000], vec![0xc0]].concat();
    Request::read(&mut deep.as_slice())
        .await
        .expect_err("it is too deep");
}

fn pair() -> (Session, Session) {
    let (host, plugin) = tokio::io::duplex(64 * 1024);
    let host = Session::new(host, Side::Host);
    (host, Session::new(plugin, Side::Plugin))
}

/// Answers what it is asked, after what `Test.Wait` waits for.
struct Echo;

#[async_trait]
impl Service for Echo {
    fn offers(&self, name: &str) -> bool {
        name == "Test" || name == "Ui/a.b/c.iso"
    }

    async fn call(&self, _service: &str, method: &str, argument: Wire) -> Result<Wire, Fault> {
        match method {
            "Echo" | "Add" => Ok(argument),
            "Fail" => Err(Fault::Failed("as told".to_owned())),
            "Never" => std::future::pending().await,
            _ => Err(Fault::NoMethod),
        }
    }
}

async fn echo() -> (Session, Session, Client) {
    let (host, plugin) = pair();
    let (id, expected) = plugin.invite();
    tokio::spawn(async move {
        let stream = expected.accept().await.expect("it comes");
        serve(stream, Arc::new(Echo)).await;
    });
    let client = Client::new(host.dial(id).await.expect("it is expected"));
    (host, plugin, client)
}

#[tokio::test]
async fn calls_are_answered_in_any_order_and_a_stream_outlives_failures() {
    let (_host, _plugin, client) = echo().await;
    let never = tokio::spawn({
        let client = client.clone();
        async move { client.call("Test.Never", Wire::Nil).await }
    });
    let calls = (0..50_u64).map(|number| {
        let client = client.clone();
        async move { (number, client.call("Test.Echo", number.into()).await) }
    });
    for (number, answer) in futures::future::join_all(calls).await {
        assert_eq!(answer.expect("it is answered"), number.into());
    }
    let failed = |method: &'static str| {
        let client = client.clone();
        async move {
            let failed = client.call(method, Wire::Nil).await.expect_err("it fails");
            failed.remote().expect("the other side says why").to_owned()
        }
    };
    assert_eq!(failed("Test.Fail").await, "as told");
    assert_eq!(
        failed("Test.Other").await,
        "rpc: can't find method Test.Other"
    );
    assert_eq!(
        failed("Other.Echo").await,
        "rpc: can't find service Other.Echo"
    );
    let ill = failed("Echo").await;
    assert_eq!(ill, "rpc: service/method request ill-formed: Echo");
    let dotted = client.call("Ui/a.b/c.iso.Add", 7.into()).await;
    assert_eq!(dotted.expect("it is answered"), 7.into());
    never.abort();
}

#[tokio::test]
async fn long_values_pass_and_waiting_calls_end_with_the_connection() {
    let (_host, plugin, client) = echo().await;
    for length in [31, 32, 255, 256, 65_535, 65_536, 3_000_000] {
        let argument = map([("Text", "x".repeat(length).into())]);
        let answer = client.call("Test.Echo", argument.clone()).await;
        assert_eq!(
            field(&answer.expect("it is answered"), "Text"),
            field(&argument, "Text")
        );
    }
    let waiting = client.call("Test.Never", Wire::Nil);
    let (ended, ()) = tokio::join!(waiting, async { drop(plugin) });
    assert!(matches!(ended, Err(CallError::Ended { .. })), "{ended:?}");
    let later = client.call("Test.Echo", Wire::Nil).await;
    assert!(matches!(later, Err(CallError::Ended { .. })), "{later:?}");
}

#[tokio::test]
async fn streams_are_paired_whoever_comes_first_and_read_to_their_end() {
    let (host, plugin) = pair();
    let (early, expected) = host.invite();
    let content = vec![7_u8; 1 << 20];
    let write = async {
        let mut stream = plugin.dial(early).await.expect("it is expected");
        stream.write_all(&content).await.expect("it is read");
        // Dropping closes it in order: nothing of what was written is lost.
    };
    let read = async {
        let mut stream = expected.accept().await.expect("it comes");
        let mut read = Vec::new();
        stream.read_to_end(&mut read).await.expect("it ends");
        read
    };
    let ((), read) = tokio::join!(write, read);
    assert_eq!(read.len(), content.len());

    let late = host.number();
    let dial = async { plugin.dial(late).await.map(drop) };
    let accept = async {
        tokio::task::yield_now().await;
        host.expect(late).accept().await.map(drop)
    };
    let (dialed, accepted) = tokio::join!(dial, accept);
    dialed.expect("it is taken up");
    accepted.expect("it comes");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_nobody_claims_is_refused() {
    let (_host, plugin) = pair();
    let begun = tokio::time::Instant::now();
    let refused = plugin.dial(99).await;
    assert!(
        matches!(refused, Err(SessionError::Refused { id: 99 })),
        "{refused:?}"
    );
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn three_hundred_streams_at_once_find_their_ends() {
    let (host, plugin) = pair();
    let streams = (0..300).map(|_| {
        let (id, expected) = plugin.invite();
        let host = host.clone();
        async move {
            let (dialed, accepted) = tokio::join!(host.dial(id), expected.accept());
            let (mut dialed, mut accepted) = (dialed.expect("dialed"), accepted.expect("taken"));
            dialed
                .write_all(&id.to_be_bytes())
                .await
                .expect("it is read");
            assert_eq!(accepted.read_u32().await.expect("it came"), id);
        }
    });
    futures::future::join_all(streams).await;
}
