//! What a moment must not leave: open files, sockets, sessions, processes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kiln_tests::leftovers;
use kiln_tests::sshd::Sshd;

/// Files of this process below `folder` that are open.
pub(super) fn open_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    entries
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter(|path| path.starts_with(folder))
        .collect()
}

/// Waits until no socket of a process leads to `port` any more.
pub(super) async fn no_socket_left(port: u16) -> Result<(), String> {
    let wanted = format!("0100007F:{port:04X}");
    let begun = Instant::now();
    loop {
        let table = std::fs::read_to_string("/proc/net/tcp").map_err(|error| error.to_string())?;
        // The remote address is the third column; sockets without a process have no inode.
        let held = table.lines().skip(1).any(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            columns.get(2) == Some(&wanted.as_str()) && columns.get(9) != Some(&"0")
        });
        if !held {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(20) {
            return Err(format!("a socket to port {port} was left open"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until the servers serve nobody any more.
pub(super) fn no_session_left(servers: &[&Sshd]) {
    let begun = Instant::now();
    loop {
        let left: Vec<u32> = servers.iter().flat_map(|one| one.sessions()).collect();
        if left.is_empty() {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "processes were left: {left:?}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until nothing runs any more that was started for this test, wherever it went.
pub(super) fn no_process_left(folder: &Path) {
    let begun = Instant::now();
    loop {
        let left = leftovers::processes(folder);
        if left.is_empty() {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "processes were left: {left:?}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
