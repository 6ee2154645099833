//! The memory of a plugin's process, watched from outside.
//!
//! Only the process itself counts, not what it started; of a bridge, each of its children, because
//! one of them is the plugin. A limit set in the kernel would hold for
//! those, too, and for memory that is only reserved, of which Go programs have much.

use std::time::Duration;

use rustix::process::Pid;

/// How often it is looked at.
const INTERVAL: Duration = Duration::from_millis(250);
const MIB: u64 = 1024 * 1024;

/// Ends when the process, or one of its children when they count, has more bytes in memory than
/// `limit`; never when there is no limit or the process is gone.
pub(super) async fn exceeds(process: Pid, children_count: bool, limit: Option<u64>) {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    let process = process.as_raw_nonzero().get();
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    loop {
        tokio::time::sleep(INTERVAL).await;
        let Some(own) = pages(process) else {
            return std::future::pending().await;
        };
        let children = match children_count {
            true => children(process),
            false => Vec::new(),
        };
        let most = children.into_iter().filter_map(pages).fold(own, u64::max);
        if most.saturating_mul(page) > limit {
            return;
        }
    }
}

/// Pages of a process in memory; `None` when it is gone.
fn pages(process: i32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    resident(&text)
}

/// What a process started, by all its threads, and has not waited for.
fn children(process: i32) -> Vec<i32> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task"));
    let threads = threads.into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| {
        let list = thread.path().join("children");
        std::fs::read_to_string(list).ok()
    });
    let ids = |list: String| -> Vec<i32> {
        let ids = list.split_whitespace();
        ids.filter_map(|id| id.parse().ok()).collect()
    };
    lists.flat_map(ids).collect()
}

/// The second number of `statm`: pages in memory.
fn resident(text: &str) -> Option<u64> {
    text.split_whitespace().nth(1)?.parse().ok()
}

/// How a process ended that had more.
pub(super) fn told(limit: u64) -> String {
    let (mib, variable) = (limit / MIB, crate::isolation::MEMORY_VARIABLE);
    format!("it had more than {mib} MiB in memory and was ended; {variable}=MIB allows more")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_that_has_more_is_found() {
        let own = rustix::process::getpid();
        exceeds(own, false, Some(4096)).await;
        let none = exceeds(own, true, Some(1 << 40));
        let none = tokio::time::timeout(Duration::from_secs(1), none);
        assert!(none.await.is_err());
        assert_eq!(resident("100 20 3 4 0 6 0\n"), Some(20));
        assert!(told(2048 * MIB).contains("2048 MiB"));
    }
}
