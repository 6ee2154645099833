//! A machine in another process.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use sdk_communicator::tree::{Entries, Entry};
use sdk_communicator::{
    Command, Communicator, CommunicatorError, Exit, FileTarget, Inert, Memory, Output, Reader,
    Scripted, Stored, Writer, capture,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::sync::{Notify, mpsc};

use super::host::folder;
use crate::{MachineServer, RemoteCommunicator};

const MIB: u64 = 1024 * 1024;
/// More than windows, queues and buffers of both sides hold together.
const FLAT: u64 = 24 * MIB;

struct Served {
    remote: RemoteCommunicator,
    server: MachineServer,
    _folder: tempfile::TempDir,
}

fn serve(machine: impl Communicator) -> Served {
    let folder = folder();
    let server = MachineServer::start(folder.path(), Arc::new(machine)).expect("it serves");
    let remote = RemoteCommunicator::connect(server.endpoint()).expect("the token is text");
    Served {
        remote,
        server,
        _folder: folder,
    }
}

fn target(path: &str) -> FileTarget {
    FileTarget {
        path: path.to_owned(),
        mode: 0o640,
        size: None,
    }
}

#[tokio::test]
async fn commands_get_input_and_give_output_and_status() {
    let machine = Memory::new();
    machine.script("fail", [Scripted::stdout("out").stderr("err")]);
    let mut failing = Scripted::stdout("out").stderr("err");
    failing.exit = Exit::Code(7);
    machine.script("fail", [failing]);
    let served = serve(machine.clone());
    let stdin: Reader = Box::new(&b"input"[..]);
    let command = Command {
        pty: true,
        stdin: Some(stdin),
        ..Command::new("fail now")
    };
    let run = capture(&served.remote, command).await.expect("it runs");
    assert_eq!(run.exit, Exit::Code(7));
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("out", "err"));
    let recorded = &machine.commands()[0];
    assert!(recorded.pty && &recorded.stdin[..] == b"input");

    machine.script("reboot", [Scripted::disconnect()]);
    let run = capture(&served.remote, Command::new("reboot"))
        .await
        .expect("it runs");
    assert_eq!(run.exit, Exit::Disconnected("scripted".to_owned()));
    served
        .remote
        .reconnect(Some(Duration::from_secs(1)))
        .await
        .expect("it comes back");
    assert_eq!(machine.reconnects(), 1);
}

#[tokio::test]
async fn files_arrive_whole() {
    let machine = Memory::new();
    let served = serve(machine.clone());
    let content: Vec<u8> = (0..5 * MIB).map(|byte| (byte % 251) as u8).collect();
    let source: Reader = Box::new(std::io::Cursor::new(content.clone()));
    let sent = served
        .remote
        .upload(target("/a"), source)
        .await
        .expect("it is written");
    assert_eq!(sent, content.len() as u64);
    assert_eq!(
        machine.stored()["/a"],
        Stored::File(0o640, content.clone().into())
    );
    let (mut reader, writer) = tokio::io::simplex(64 * 1024);
    let mut back = Vec::new();
    let (read, copied) = tokio::join!(
        served.remote.download("/a", Box::new(writer)),
        reader.read_to_end(&mut back)
    );
    copied.expect("memory does not fail");
    assert_eq!(
        (read.expect("it is read"), back == content),
        (content.len() as u64, true)
    );

    let missing = served
        .remote
        .download("/nowhere", Box::new(tokio::io::sink()))
        .await;
    let missing = missing.expect_err("it is not there");
    assert!(
        matches!(missing, CommunicatorError::Refused { .. }),
        "{missing:?}"
    );
}

#[tokio::test]
async fn a_source_that_fails_leaves_no_file_that_looks_whole() {
    let machine = Memory::new();
    let served = serve(machine.clone());
    let error = std::io::Error::other("bad disk");
    let pieces = [Ok(Bytes::from_static(b"half")), Err(error)];
    let source = tokio_util::io::StreamReader::new(futures::stream::iter(pieces));
    let refused = served.remote.upload(target("/a"), Box::new(source)).await;
    assert!(
        matches!(refused, Err(CommunicatorError::Io { .. })),
        "{refused:?}"
    );
    assert!(machine.stored().is_empty());
}

#[tokio::test]
async fn trees_go_there_and_back() {
    let machine = Memory::new();
    let served = serve(machine.clone());
    let entries = vec![
        Entry::Directory {
            path: "d".to_owned(),
            mode: 0o755,
        },
        Entry::File {
            path: "d/f".to_owned(),
            mode: 0o600,
            size: 3,
        },
        Entry::Data(Bytes::from_static(b"abc")),
        Entry::Symlink {
            path: "l".to_owned(),
            target: "d/f".to_owned(),
        },
    ];
    let tree: Entries = futures::stream::iter(entries.clone().into_iter().map(Ok)).boxed();
    assert_eq!(
        served
            .remote
            .upload_tree("/t", tree)
            .await
            .expect("it is written"),
        3
    );
    let back = served
        .remote
        .download_tree("/t", &[])
        .await
        .expect("it is there");
    let back: Vec<Entry> = back.try_collect().await.expect("it is whole");
    assert_eq!(back, entries);
    let some = served
        .remote
        .download_tree("/t", &["d".to_owned()])
        .await
        .expect("it is there");
    let some: Vec<Entry> = some.try_collect().await.expect("it is whole");
    assert_eq!(
        some,
        [Entry::Symlink {
            path: "l".to_owned(),
            target: "d/f".to_owned()
        }]
    );
}

#[tokio::test]
async fn bytes_are_forwarded_both_ways() {
    let served = serve(Memory::new());
    let (mut reader, mut writer) = served
        .remote
        .forward("localhost", 80)
        .await
        .expect("it opens");
    writer.write_all(b"ping").await.expect("it is written");
    let mut answer = [0; 4];
    reader.read_exact(&mut answer).await.expect("it echoes");
    assert_eq!(&answer, b"ping");
    writer.shutdown().await.expect("it closes");
    assert_eq!(reader.read(&mut answer).await.expect("it ends"), 0);
}

#[tokio::test]
async fn what_a_machine_cannot_do_is_said_in_its_words() {
    let served = serve(Inert);
    let refused = served
        .remote
        .upload(target("/a"), Box::new(tokio::io::empty()))
        .await;
    let text = refused.expect_err("it cannot").to_string();
    assert_eq!(text, "Upload is not implemented when communicator = 'none'");
    let run = served
        .remote
        .exec(Command::new("x"), mpsc::channel(1).0)
        .await;
    assert_eq!(run.expect("it does nothing"), Exit::Code(0));
}

#[tokio::test]
async fn after_the_run_the_machine_is_out_of_reach() {
    let served = serve(Memory::new());
    capture(&served.remote, Command::new("x"))
        .await
        .expect("it runs");
    drop(served.server);
    let late = served
        .remote
        .upload(target("/a"), Box::new(tokio::io::empty()))
        .await;
    assert!(late.is_err(), "{late:?}");
}

/// A machine that reads and writes much slower than it could, and never ends a command.
#[derive(Clone, Default)]
struct Slow {
    /// Bytes the other side has handled so far.
    others: Arc<AtomicU64>,
    /// Most bytes that were under way at once.
    most: Arc<AtomicU64>,
    started: Arc<Notify>,
    dropped: Arc<Notify>,
}

struct NotifyOnDrop(Arc<Notify>);

impl Drop for NotifyOnDrop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// As many zeros as wanted; counts those that were taken.
struct Zeros {
    left: u64,
    taken: Arc<AtomicU64>,
}

impl AsyncRead for Zeros {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let room = buffer
            .remaining()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        buffer.initialize_unfilled_to(room).fill(0);
        buffer.advance(room);
        self.left -= room as u64;
        self.taken.fetch_add(room as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

async fn dawdle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[async_trait]
impl Communicator for Slow {
    async fn exec(
        &self,
        _command: Command,
        _output: mpsc::Sender<Output>,
    ) -> Result<Exit, CommunicatorError> {
        let _guard = NotifyOnDrop(Arc::clone(&self.dropped));
        self.started.notify_one();
        std::future::pending().await
    }

    async fn upload(&self, _: FileTarget, mut source: Reader) -> Result<u64, CommunicatorError> {
        let mut buffer = vec![0; 1024 * 1024];
        let mut read = 0;
        loop {
            dawdle().await;
            let count = source.read(&mut buffer).await.expect("the source is whole") as u64;
            if count == 0 {
                return Ok(read);
            }
            read += count;
            let under_way = self.others.load(Ordering::Relaxed).saturating_sub(read);
            self.most.fetch_max(under_way, Ordering::Relaxed);
        }
    }

    async fn download(&self, _: &str, mut sink: Writer) -> Result<u64, CommunicatorError> {
        let taken = Arc::new(AtomicU64::new(0));
        let mut zeros = Zeros {
            left: 64 * MIB,
            taken: Arc::clone(&taken),
        };
        let mut buffer = vec![0; 256 * 1024];
        while zeros.left > 0 {
            let count = zeros.read(&mut buffer).await.expect("zeros never fail");
            sink.write_all(&buffer[..count])
                .await
                .expect("somebody reads");
            let read = self.others.load(Ordering::Relaxed);
            let under_way = taken.load(Ordering::Relaxed).saturating_sub(read);
            self.most.fetch_max(under_way, Ordering::Relaxed);
        }
        sink.shutdown().await.expect("somebody reads");
        Ok(64 * MIB)
    }

    async fn upload_tree(&self, _: &str, _: Entries) -> Result<u64, CommunicatorError> {
        Ok(0)
    }

    async fn download_tree(&self, _: &str, _: &[String]) -> Result<Entries, CommunicatorError> {
        Ok(futures::stream::empty().boxed())
    }

    async fn reconnect(&self, _: Option<Duration>) -> Result<(), CommunicatorError> {
        Ok(())
    }

    async fn forward(&self, _: &str, _: u16) -> Result<(Reader, Writer), CommunicatorError> {
        Ok((Box::new(tokio::io::empty()), Box::new(tokio::io::sink())))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_slows_the_writer_instead_of_filling_memory() {
    let machine = Slow::default();
    let served = serve(machine.clone());
    let source = Zeros {
        left: 64 * MIB,
        taken: Arc::clone(&machine.others),
    };
    let sent = served.remote.upload(target("/a"), Box::new(source)).await;
    assert_eq!(sent.expect("it is written"), 64 * MIB);
    let most = machine.most.load(Ordering::Relaxed);
    assert!(most < FLAT, "{most} bytes were under way in an upload");

    let machine = Slow::default();
    let served = serve(machine.clone());
    let (mut reader, writer) = tokio::io::simplex(1024 * 1024);
    let others = Arc::clone(&machine.others);
    let slowly = async move {
        let mut buffer = vec![0; 1024 * 1024];
        loop {
            dawdle().await;
            match reader
                .read(&mut buffer)
                .await
                .expect("memory does not fail")
            {
                0 => return,
                count => others.fetch_add(count as u64, Ordering::Relaxed),
            };
        }
    };
    let (read, ()) = tokio::join!(served.remote.download("/a", Box::new(writer)), slowly);
    assert_eq!(read.expect("it is read"), 64 * MIB);
    let most = machine.most.load(Ordering::Relaxed);
    assert!(most < FLAT, "{most} bytes were under way in a download");
}

#[tokio::test]
async fn a_command_that_is_given_up_ends_on_the_other_side() {
    let machine = Slow::default();
    let served = serve(machine.clone());
    let call = served
        .remote
        .exec(Command::new("sleep"), mpsc::channel(1).0);
    tokio::select! {
        _ = call => panic!("the command never ends"),
        () = machine.started.notified() => {}
    }
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, machine.dropped.notified())
        .await
        .expect("it is given up");
}
