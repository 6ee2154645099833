//! One session channel: its input and outputs as byte streams.

use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

/// Bytes that may be on their way in each direction.
const BUFFER: usize = 256 << 10;
/// The extended data that standard error is.
const STDERR: u32 = 1;

/// What a session has: the streams of a program.
pub struct Streams {
    /// What the client sends; ends when it says so.
    pub input: DuplexStream,
    /// What the client gets as standard output.
    pub output: DuplexStream,
    /// What it gets as standard error.
    pub errors: DuplexStream,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With this exit status; that of shells when it was by a signal.
    Status(u32),
    /// Nobody knows: the connection to the guest broke. The client takes that for a broken
    /// connection of its own.
    Unknown,
}

/// Runs `work` with the streams of `channel`, then tells the client how it ended. A client that
/// leaves before that ends `work`.
pub async fn serve<Work>(channel: Channel<Msg>, work: impl FnOnce(Streams) -> Work)
where
    Work: Future<Output = Ending>,
{
    let (reading, writing) = channel.split();
    let (feed, input) = duplex(BUFFER);
    let (output, stdout) = duplex(BUFFER);
    let (errors, stderr) = duplex(BUFFER);
    let work = work(Streams {
        input,
        output,
        errors,
    });
    let outputs = async {
        let (ending, (), ()) = tokio::join!(
            work,
            send(stdout, &writing, None),
            send(stderr, &writing, Some(STDERR))
        );
        ending
    };
    let ending = tokio::select! {
        () = receive(reading, feed) => return,
        ending = outputs => ending,
    };
    if let Err(error) = finish(&writing, ending).await {
        tracing::debug!(%error, "a client of the ssh proxy did not wait for the end");
    }
}

async fn finish(writing: &ChannelWriteHalf<Msg>, ending: Ending) -> Result<(), russh::Error> {
    match ending {
        Ending::Status(status) => writing.exit_status(status).await?,
        Ending::Unknown => {}
    }
    writing.eof().await?;
    writing.close().await
}

/// Hands on what the client sends, until it leaves.
async fn receive(mut reading: ChannelReadHalf, feed: DuplexStream) {
    let mut feed = Some(feed);
    while let Some(message) = reading.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                // A program that does not read its input any more is no reason to end it.
                let refused = match &mut feed {
                    Some(stream) => stream.write_all(&data).await.is_err(),
                    None => false,
                };
                if refused {
                    feed = None;
                }
            }
            ChannelMsg::Eof => feed = None,
            ChannelMsg::Close => return,
            _ => {}
        }
    }
}

/// Sends everything from `stream` to the client.
async fn send(mut stream: DuplexStream, writing: &ChannelWriteHalf<Msg>, extended: Option<u32>) {
    let mut buffer = bytes::BytesMut::with_capacity(BUFFER);
    while let Ok(1..) = stream.read_buf(&mut buffer).await {
        let piece = buffer.split().freeze();
        let sent = match extended {
            None => writing.data_bytes(piece).await,
            Some(kind) => writing.extended_data_bytes(kind, piece).await,
        };
        if sent.is_err() {
            return;
        }
        buffer.reserve(BUFFER);
    }
}
