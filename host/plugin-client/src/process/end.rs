//! The end of a plugin's process: what is known of it before, and what becomes of what it leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{memory, strays};

/// How long the last log lines of a dead process are waited for.
const LOG_LIMIT: Duration = Duration::from_millis(300);

/// What is known of the end of a process before it comes.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// Somebody told it to end.
    pub(super) wanted: AtomicBool,
    /// It does not end by itself.
    pub(super) forced: AtomicBool,
    /// It has been heard of.
    pub(super) begun: AtomicBool,
}

/// What becomes of processes that a plugin leaves in its group when it ends as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leftovers {
    /// They are on record where that matters: a machine may be meant to stay.
    Stay,
    /// They end: nobody vouches for the plugin of this name, whose process was marked with this word.
    /// Those outside its group, too, when it did not end well.
    End(String, String),
}

/// How a process is watched.
pub(super) struct Watched {
    pub(super) ending: Arc<Ending>,
    /// The most bytes it may have in memory.
    pub(super) memory: Option<u64>,
    /// Whether its children count, because one of them is the plugin.
    pub(super) has_bridge: bool,
    pub(super) leftovers: Leftovers,
}

/// Watches for the end of the process. When nobody wanted it, whatever the process had started in
/// its group ends with it.
pub(super) fn watch_exit(
    mut child: Child,
    group: Pid,
    mut reader: JoinHandle<()>,
    watched: Watched,
) -> watch::Receiver<Option<String>> {
    let (sender, receiver) = watch::channel(None);
    tokio::spawn(async move {
        let Watched {
            ending,
            memory,
            has_bridge,
            leftovers,
        } = watched;
        let ended = tokio::select! {
            ended = child.wait() => Ok(ended),
            () = memory::exceeds(group, has_bridge, memory) => Err(memory.unwrap_or_default()),
        };
        let exit = match ended {
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(error)) => format!("its end could not be seen: {error}"),
            Err(limit) => {
                signal_group(group, Signal::KILL);
                drop(child.wait().await);
                memory::told(limit)
            }
        };
        let wanted = ending.wanted.load(Ordering::Relaxed);
        if !wanted || leftovers != Leftovers::Stay {
            signal_group(group, Signal::KILL);
        }
        // What a plugin that ends well left outside its group may serve others, too: a tool's daemon
        // is started by whoever needs it first.
        if let Leftovers::End(plugin, run) = leftovers
            && (!wanted || ending.forced.load(Ordering::Relaxed))
        {
            strays::end(&plugin, &run).await;
        }
        if !wanted {
            // Another holder of the pipe must not keep the news from being told.
            drop(tokio::time::timeout(LOG_LIMIT, &mut reader).await);
        }
        sender.send_replace(Some(exit));
    });
    receiver
}

/// Signals a process group; one that is gone is as good.
pub(super) fn signal_group(group: Pid, signal: Signal) {
    if let Err(error) = kill_process_group(group, signal)
        && error != rustix::io::Errno::SRCH
    {
        tracing::debug!(%error, "cannot signal a process group");
    }
}
