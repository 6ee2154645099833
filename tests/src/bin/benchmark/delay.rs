//! A TCP proxy on loopback that delays what passes through, for kernels without netem.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Result;

/// Pieces that may be under way in one direction. With [`PIECE_BYTES`] more than any window.
const PIECES: usize = 8192;
/// The most that is read at once, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// A proxy that runs until the benchmark ends.
pub struct Delay {
    /// Its port on 127.0.0.1.
    pub port: u16,
}

impl Delay {
    /// Leads to `target` on 127.0.0.1; every byte takes `one_way` longer.
    ///
    /// # Errors
    ///
    /// When it cannot listen.
    pub fn start(target: u16, one_way: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                std::thread::spawn(move || lead(client, target, one_way));
            }
        });
        Ok(Self { port })
    }
}

fn lead(client: TcpStream, target: u16, one_way: Duration) {
    // The handshake of TCP takes a round trip, too.
    std::thread::sleep(2 * one_way);
    let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else {
        return;
    };
    for stream in [&client, &server] {
        drop(stream.set_nodelay(true));
    }
    let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    delayed(client, server, one_way);
    delayed(server_too, client_too, one_way);
}

/// Starts one direction: a thread that reads and one that writes later.
fn delayed(from: TcpStream, to: TcpStream, one_way: Duration) {
    let (sender, receiver) = sync_channel(PIECES);
    std::thread::spawn(move || read(from, &sender));
    std::thread::spawn(move || write(to, &receiver, one_way));
}

fn read(mut from: TcpStream, sender: &SyncSender<(Instant, Vec<u8>)>) {
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let Ok(count @ 1..) = from.read(&mut piece) else {
            return;
        };
        piece.truncate(count);
        if sender.send((Instant::now(), piece)).is_err() {
            return;
        }
    }
}

fn write(mut to: TcpStream, receiver: &Receiver<(Instant, Vec<u8>)>, one_way: Duration) {
    while let Ok((read, piece)) = receiver.recv() {
        std::thread::sleep((read + one_way).saturating_duration_since(Instant::now()));
        if to.write_all(&piece).is_err() {
            return;
        }
    }
    // The other direction may still have something to say; when it has not, it is over already.
    drop(to.shutdown(Shutdown::Write));
}
