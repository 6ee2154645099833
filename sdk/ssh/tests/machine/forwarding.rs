//! Streams through the machine, and tunnels both ways.

use sdk_communicator::{Command, Communicator, capture};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fakes::{Fake, listen};
use crate::support::{Sshd, free_port, program, skip};

/// Sends back what it gets.
async fn echo() -> Fake {
    listen(|mut stream| async move {
        let (mut reader, mut writer) = stream.split();
        drop(tokio::io::copy(&mut reader, &mut writer).await);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_lead_to_where_the_guest_can_reach() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let (machine, echo) = (server.connect(|_| {}).await, echo().await);
    let forwarded = machine.forward("127.0.0.1", echo.address.port).await;
    let (mut reader, mut writer) = forwarded.expect("someone listens");
    let content: Vec<u8> = (0..1_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let sent = content.clone();
    let sending = async move {
        writer.write_all(&sent).await.expect("it takes");
        writer.shutdown().await.expect("it takes");
    };
    let mut received = Vec::new();
    let (read, ()) = tokio::join!(reader.read_to_end(&mut received), sending);
    read.expect("it gives");
    assert!(received == content);
    let error = machine
        .forward("127.0.0.1", free_port())
        .await
        .err()
        .expect("nobody listens");
    assert!(
        error.to_string().contains("from the guest failed"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn local_tunnels_listen_here_and_survive_a_new_connection() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let (echo, port) = (echo().await, free_port());
    let tunnel = format!("{port}:127.0.0.1:{}", echo.address.port);
    let machine = server
        .connect(|config| config.ssh_local_tunnels = vec![tunnel])
        .await;
    for _ in 0..2 {
        let mut stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .expect("the tunnel listens");
        stream.write_all(b"hello").await.expect("it takes");
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.expect("it gives");
        assert_eq!(&answer, b"hello");
        server.kill_sessions();
    }
    drop(machine);
    while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_tunnels_listen_on_the_guest() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    if program("bash").is_none() {
        skip("bash is not installed");
        return;
    }
    let (echo, port) = (echo().await, free_port());
    let tunnel = format!("{port}:127.0.0.1:{}", echo.address.port);
    let machine = server
        .connect(|config| config.ssh_remote_tunnels = vec![tunnel])
        .await;
    let talk = format!(
        "bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}; echo hello >&3; read -u 3 line; echo $line'"
    );
    let run = capture(&machine, Command::new(talk))
        .await
        .expect("it starts");
    assert_eq!(run.stdout, "hello\n", "{run:?}");
}
