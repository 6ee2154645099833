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
        state(pid).map(|(_, started)| Self { pid, started })
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
        matches!(state(self.pid), Some((letter, started))
            if started == self.started && !matches!(letter, 'Z' | 'X'))
    }

    /// Ends the process, and with it its group when it leads one: kindly first, then by force.
    /// Nothing happens when it does not run any more.
    ///
    /// # Errors
    ///
    /// When it still runs after that, with the reason.
    pub async fn end(&self) -> Result<(), std::io::Error> {
        if !self.is_running() {
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
        let message = format!("process {} did not end after SIGKILL", self.pid);
        Err(std::io::Error::new(std::io::ErrorKind::TimedOut, message))
    }

    fn signal(&self, signal: Signal) -> Result<(), std::io::Error> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        // 1 would be the system itself and, as a group, every process there is.
        let Some(pid) = pid.filter(|pid| pid.as_raw_nonzero().get() > 1) else {
            return Err(std::io::Error::from(std::io::ErrorKind::InvalidInput));
        };
        let leads = rustix::process::getpgid(Some(pid)).is_ok_and(|group| group == pid);
        let sent = if leads {
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
            while self.is_running() {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(limit, wait).await.is_ok()
    }
}

impl std::fmt::Display for ProcessIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.pid, self.started)
    }
}

/// State letter and start time of a process.
///
/// # Source
///
/// proc_pid_stat(5): fields 3 and 22; the second field is the name in parentheses and may hold
/// anything, so fields are counted after the last closing one.
fn state(pid: u32) -> Option<(char, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let letter = fields.first()?.chars().next()?;
    Some((letter, fields.get(19)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;

    use super::ProcessIdentity;

    fn sleeper() -> std::process::Child {
        std::process::Command::new("sleep")
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
