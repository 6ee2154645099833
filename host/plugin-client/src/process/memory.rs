//! The memory of a plugin's process, watched from outside.
//!
//! Only the process itself counts, not what it started. A limit set in the kernel would hold for
//! those, too, and for memory that is only reserved, of which Go programs have much.

use std::time::Duration;

use rustix::process::Pid;

/// How often it is looked at.
const INTERVAL: Duration = Duration::from_millis(250);
const MIB: u64 = 1024 * 1024;

/// Ends when the process has more bytes in memory than `limit`; never when there is no limit or the
/// process is gone.
pub(super) async fn exceeds(process: Pid, limit: Option<u64>) {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    let path = format!("/proc/{}/statm", process.as_raw_nonzero());
    let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    loop {
        tokio::time::sleep(INTERVAL).await;
        let Some(pages) = std::fs::read_to_string(&path)
            .ok()
            .and_then(|text| resident(&text))
        else {
            return std::future::pending().await;
        };
        if pages.saturating_mul(page) > limit {
            return;
        }
    }
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
        exceeds(own, Some(4096)).await;
        let none = tokio::time::timeout(Duration::from_secs(1), exceeds(own, Some(1 << 40)));
        assert!(none.await.is_err());
        assert_eq!(resident("100 20 3 4 0 6 0\n"), Some(20));
        assert!(told(2048 * MIB).contains("2048 MiB"));
    }
}
