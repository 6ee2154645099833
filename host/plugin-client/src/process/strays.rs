//! What a plugin's process leaves outside its process group: programs that made a session of their
//! own inherit the mark that the plugin was started with, and are found by it.
//!
//! Not found is what gave up its environment, and what may not be looked into, such as a program
//! that belongs to another user by then.

use std::time::Duration;

use plugin_wire::handshake::RUN_VARIABLE;

/// A stray may start the next one while it is being ended; this often it is looked again.
const ROUNDS: usize = 5;
/// How long to wait before it is looked again.
const PAUSE: Duration = Duration::from_millis(20);

/// Ends every process whose environment has the mark `run`.
pub(super) async fn end(plugin: &str, run: &str) {
    for _ in 0..ROUNDS {
        let marked = format!("{RUN_VARIABLE}={run}");
        let ended = tokio::task::spawn_blocking(move || end_marked(&marked)).await;
        match ended {
            Ok(0) | Err(_) => return,
            Ok(count) => tracing::warn!(plugin, count, "the plugin left processes, they are ended"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Ends the processes that have the variable `marked`; how many there were.
#[cfg(target_os = "linux")]
fn end_marked(marked: &str) -> usize {
    use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    let Ok(processes) = std::fs::read_dir("/proc") else {
        return 0;
    };
    let ids = processes.flatten().filter_map(|entry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        Pid::from_raw(id)
    });
    let mut count = 0;
    for id in ids {
        // Held before it is looked at, so that the number cannot mean another process by then.
        let Ok(process) = pidfd_open(id, PidfdFlags::empty()) else {
            continue;
        };
        let environment = std::fs::read(format!("/proc/{}/environ", id.as_raw_nonzero()));
        let is_marked = environment.is_ok_and(|environment| {
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == marked.as_bytes())
        });
        if is_marked && pidfd_send_signal(&process, Signal::KILL).is_ok() {
            count += 1;
        }
    }
    count
}

/// There is no such view of processes here.
#[cfg(not(target_os = "linux"))]
fn end_marked(_marked: &str) -> usize {
    0
}
