//! Memory stays flat while big files go through. Alone in its program, so that nothing else counts.

#[path = "machine/support.rs"]
#[expect(
    dead_code,
    reason = "shared with the other tests, which need more of it"
)]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sdk_communicator::{Communicator, FileTarget};
use tokio::io::AsyncReadExt;

/// Size of the file, in bytes.
const FILE_BYTES: u64 = 256 * 1024 * 1024;
/// What may be kept at once on the way, in bytes: windows, requests under way, buffers.
const ALLOWED_BYTES: u64 = 64 * 1024 * 1024;

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("it is listed");
    let number = line.split_whitespace().nth(1).expect("it has a number");
    number.parse::<u64>().expect("it is a number") * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn big_files_need_no_more_memory_than_small_ones() {
    let Some(server) = support::Sshd::start("") else {
        return;
    };
    for method in ["scp", "sftp"] {
        let machine = server
            .connect(|config| config.ssh_file_transfer_method = method.to_owned())
            .await;
        let before = resident_bytes();
        let peak = Arc::new(AtomicU64::new(0));
        let watched = Arc::clone(&peak);
        let watching = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                watched.fetch_max(resident_bytes(), Ordering::Relaxed);
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        }));
        let target = FileTarget {
            path: server.text("big"),
            mode: 0o600,
            size: Some(FILE_BYTES),
        };
        let source = Box::new(tokio::io::repeat(7).take(FILE_BYTES));
        let started = std::time::Instant::now();
        let sent = machine.upload(target, source).await.expect("it has room");
        let up = started.elapsed();
        let started = std::time::Instant::now();
        let path = server.text("big");
        let read = machine
            .download(&path, Box::new(tokio::io::sink()))
            .await
            .expect("there");
        let down = started.elapsed();
        assert_eq!((sent, read), (FILE_BYTES, FILE_BYTES));
        drop(watching);
        let grown = peak.load(Ordering::Relaxed).saturating_sub(before);
        let mib = |bytes: u64| bytes / (1024 * 1024);
        let text = format!(
            "{method}: up {up:?}, down {down:?}, {} MiB more\n",
            mib(grown)
        );
        std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).expect("stderr");
        assert!(grown < ALLOWED_BYTES, "{text}");
        std::fs::remove_file(server.path("big")).expect("it is ours");
    }
}
