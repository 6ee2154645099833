//! Processes by number and start time, so that a reused number is never taken for the old process.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// How long a process may take to end after a kind request.
const GRACE: Duration = Duration::from_secs(5);
/// How long the system may take to end a killed process.
const KILL_LIMIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// A process that cannot be mistaken for another one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since the system did.
    pub started: u64,
}

impl ProcessIdentity {
    /// The identity of the running process `pid`; `None` when there is none, or on systems without
    /// `/proc`.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let started = stat(pid)?.started;
        Some(Self { pid, started })
    }

    /// Reads `pid:start-time`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (pid, started) = text.split_once(':')?;
        Some(Self {
            pid: pid.parse().ok()?,
            started: started.parse().ok()?,
        })
    }

    /// Whether this very process still runs. One that ended but was not waited for does not.
    #[must_use]
    pub fn is_running(&self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && stat.is_alive())
    }

    /// Ends the process, and with it its group when it leads one: kindly first, then by force. The
    /// group is ended also when its leader has ended already. Nothing happens when there is nothing
    /// left of either.
    ///
    /// # Errors
    ///
    /// When something still runs after that, with the reason.
    pub async fn end(&self) -> Result<(), std::io::Error> {
        if !self.has_any() {
            return Ok(());
        }
        self.signal(Signal::TERM)?;
        if self.gone_within(GRACE).await {
            return Ok(());
        }
        self.signal(Signal::KILL)?;
        if self.gone_within(KILL_LIMIT).await {
            return Ok(());
        }
        let message = format!(
            "process {} or its group did not end after SIGKILL",
            self.pid
        );
        Err(std::io::Error::new(std::io::ErrorKind::TimedOut, message))
    }

    fn signal(&self, signal: Signal) -> Result<(), std::io::Error> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        // 1 would be the system itself and, as a group, every process there is.
        let Some(pid) = pid.filter(|pid| pid.as_raw_nonzero().get() > 1) else {
            return Err(std::io::Error::from(std::io::ErrorKind::InvalidInput));
        };
        let leads = rustix::process::getpgid(Some(pid)).is_ok_and(|group| group == pid);
        let sent = if leads || self.has_group() {
            kill_process_group(pid, signal)
        } else {
            kill_process(pid, signal)
        };
        match sent {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn gone_within(&self, limit: Duration) -> bool {
        let wait = async {
            while self.has_any() {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(limit, wait).await.is_ok()
    }

    /// Whether the process or one of the group it leads runs.
    fn has_any(&self) -> bool {
        self.is_running() || self.has_group()
    }

    /// Whether processes of the group that this one leads, or led, run. The system gives a number
    /// to nobody while a group has it, so one that another process has now has no group of ours.
    fn has_group(&self) -> bool {
        if stat(self.pid).is_some_and(|stat| stat.started != self.started) {
            return false;
        }
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut stats = numbers.filter_map(stat);
        stats.any(|stat| {
            // What is older than the leader is of a group that had the number before.
            stat.group == self.pid && stat.started >= self.started && stat.is_alive()
        })
    }
}

impl std::fmt::Display for ProcessIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.pid, self.started)
    }
}

/// What the system says about a process.
struct Stat {
    state: char,
    group: u32,
    started: u64,
}

impl Stat {
    /// Whether it runs; one that ended but was not waited for does not.
    fn is_alive(&self) -> bool {
        !matches!(self.state, 'Z' | 'X')
    }
}

/// What the system says about the process `pid`.
///
/// # Source
///
/// proc_pid_stat(5): fields 3, 5 and 22; the second field is the name in parentheses and may hold
/// anything, so fields are counted after the last closing one.
fn stat(pid: u32) -> Option<Stat> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        group: fields.get(2)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::ProcessIdentity;

    fn sleeper() -> std::process::Child {
        Command::new("sleep")
            .arg("600")
            .process_group(0)
            .spawn()
            .expect("it starts")
    }

    #[tokio::test]
    async fn ends_the_process_it_names() {
        let mut child = sleeper();
        let identity = ProcessIdentity::of(child.id()).expect("it runs");
        assert_eq!(
            ProcessIdentity::parse(&identity.to_string()),
            Some(identity)
        );
        identity.end().await.expect("it can be ended");
        assert!(!identity.is_running());
        child.wait().expect("it ended");
        identity.end().await.expect("there is nothing to do");
    }

    /// The leader of a group, which has ended, and the one that is left of it.
    fn orphaned() -> (ProcessIdentity, ProcessIdentity) {
        let mut leader = Command::new("sh")
            .args(["-c", "sh -c 'echo $$; exec sleep 600' & read end"])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let stdout = leader.stdout.take().expect("it was asked for");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it is readable");
        let left = ProcessIdentity::of(line.trim().parse().expect("it is a number"));
        let identity = ProcessIdentity::of(leader.id()).expect("it runs");
        drop(leader.stdin.take());
        leader.wait().expect("it ended");
        (identity, left.expect("it runs"))
    }

    #[tokio::test]
    async fn a_group_without_its_leader_is_ended() {
        let (leader, left) = orphaned();
        assert!(!leader.is_running() && left.is_running());
        leader.end().await.expect("it can be ended");
        assert!(!left.is_running());
    }

    #[tokio::test]
    async fn a_group_that_is_older_than_its_leader_is_left_alone() {
        let (mut leader, left) = orphaned();
        leader.started = left.started + 1;
        leader.end().await.expect("there is nothing to do");
        assert!(left.is_running());
        left.end().await.expect("it can be ended");
    }

    #[tokio::test]
    async fn a_reused_number_is_left_alone() {
        let mut child = sleeper();
        let mut identity = ProcessIdentity::of(child.id()).expect("it runs");
        identity.started += 1;
        identity.end().await.expect("there is nothing to do");
        assert!(child.try_wait().expect("it can be asked").is_none());
        child.kill().expect("it runs");
        child.wait().expect("it ended");
    }
}
