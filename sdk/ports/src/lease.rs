//! One lease, and the search for it.

use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, TcpListener};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use rand::Rng;
use rustix::fs::{FlockOperation, flock};

use crate::error::PortError;

/// Where to look for a port.
#[derive(Clone, Debug)]
pub struct PortSearch {
    /// Folder that all runs share; leases are files in its folder `port`.
    pub cache_dir: PathBuf,
    /// Where the port must be free.
    pub address: IpAddr,
    /// Ports that may be chosen, both ends included.
    pub ports: RangeInclusive<u16>,
}

/// A port that no other process of ours takes. Dropping it gives the port back.
#[derive(Debug)]
pub struct PortLease {
    port: u16,
    listener: Option<TcpListener>,
    /// Holds the lock; closing it gives the port back.
    _file: File,
}

impl PortLease {
    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Takes the socket that already listens at the port, so that nobody can come in between.
    ///
    /// It is blocking. `None` after the first call or [`Self::release_listener`].
    pub fn take_listener(&mut self) -> Option<TcpListener> {
        self.listener.take()
    }

    /// Stops listening but keeps the lease, for another program that is about to listen there.
    pub fn release_listener(&mut self) {
        self.listener = None;
    }
}

/// Leases a port and listens at it.
///
/// Starts at a random place of the range and tries each port once.
///
/// # Errors
///
/// [`PortError::NoFreePort`] when all are taken, [`PortError::Listen`] when the address is not one
/// of this machine or the port is forbidden, [`PortError::File`] when leases cannot be recorded.
///
/// # Source
///
/// Packer options such as `http_port_min` and `http_port_max`. Differs: Packer never chooses the
/// last port of a range, and tries for ever when none is free.
pub fn lease(search: &PortSearch) -> Result<PortLease, PortError> {
    let (first, last) = (*search.ports.start(), *search.ports.end());
    if first == 0 || first > last {
        return Err(PortError::Range { first, last });
    }
    let folder = search.cache_dir.join("port");
    fs::create_dir_all(&folder).map_err(|source| PortError::File {
        path: folder.clone(),
        source,
    })?;
    let count = u32::from(last - first) + 1;
    let start = rand::rng().random_range(0..count);
    let (mut in_use, mut leased) = (0, 0);
    for step in 0..count {
        let offset = u16::try_from((start + step) % count).unwrap_or(0);
        let port = first + offset;
        let Some(file) = lock(&folder, port)? else {
            leased += 1;
            continue;
        };
        match TcpListener::bind((search.address, port)) {
            Ok(listener) => {
                tracing::debug!(port, address = %search.address, "port leased");
                return Ok(PortLease {
                    port,
                    listener: Some(listener),
                    _file: file,
                });
            }
            Err(err) if err.kind() == io::ErrorKind::AddrInUse => in_use += 1,
            Err(source) => {
                return Err(PortError::Listen {
                    address: search.address,
                    port,
                    source,
                });
            }
        }
    }
    Err(PortError::NoFreePort {
        address: search.address,
        first,
        last,
        in_use,
        leased,
    })
}

/// Locks the file of a port; `None` when another lease holds it.
fn lock(folder: &Path, port: u16) -> Result<Option<File>, PortError> {
    let path = folder.join(port.to_string());
    let failed = |source: io::Error| PortError::File {
        path: path.clone(),
        source,
    };
    // The file stays when the lease ends: removing it would let two processes lock two files of
    // the same name.
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(err) => Err(failed(err.into())),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, TcpListener};
    use std::ops::RangeInclusive;
    use std::path::Path;

    use rand::Rng;

    use super::{PortSearch, lease};
    use crate::PortError;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn search(folder: &Path, ports: RangeInclusive<u16>) -> PortSearch {
        PortSearch {
            cache_dir: folder.to_owned(),
            address: HERE,
            ports,
        }
    }

    /// The first of `count` ports in a row that were free a moment ago, below those that the
    /// system gives to whoever asks for any.
    fn free_range(count: u16) -> u16 {
        loop {
            let first = rand::rng().random_range(20_000..30_000);
            let free = |port: u16| TcpListener::bind((HERE, port)).is_ok();
            if (first..first + count).all(free) {
                return first;
            }
        }
    }

    #[test]
    fn each_port_of_the_range_is_leased_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = free_range(4);
        let search = search(folder.path(), first..=first + 3);
        let mut leases: Vec<_> = (0..4)
            .map(|_| lease(&search).expect("a free port"))
            .collect();
        let mut ports: Vec<u16> = leases.iter().map(super::PortLease::port).collect();
        ports.sort_unstable();
        assert_eq!(
            ports,
            (first..=first + 3).collect::<Vec<_>>(),
            "both ends are included"
        );
        let err = lease(&search).expect_err("all taken").to_string();
        assert!(err.ends_with("0 in use, 4 leased by other builds"), "{err}");
        let port = leases.pop().expect("four leases").port();
        assert_eq!(lease(&search).expect("one was given back").port(), port);
    }

    #[test]
    fn a_lease_is_kept_without_its_listener() {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_range(1);
        let search = search(folder.path(), port..=port);
        let mut held = lease(&search).expect("a free port");
        assert_eq!(
            held.take_listener()
                .expect("listens")
                .local_addr()
                .expect("bound")
                .port(),
            port
        );
        assert!(held.take_listener().is_none());
        assert!(matches!(
            lease(&search),
            Err(PortError::NoFreePort { leased: 1, .. })
        ));
        drop(held);
        let mut again = lease(&search).expect("given back");
        again.release_listener();
        TcpListener::bind((HERE, port)).expect("another program can listen");
    }

    #[test]
    fn ports_of_strangers_are_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let stranger = TcpListener::bind((HERE, 0)).expect("a port");
        let port = stranger.local_addr().expect("bound").port();
        let err = lease(&search(folder.path(), port..=port))
            .expect_err("in use")
            .to_string();
        assert!(err.ends_with("1 in use, 0 leased by other builds"), "{err}");
    }

    #[test]
    fn nonsense_is_refused_with_its_subject() {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = RangeInclusive::new(9, 8);
        assert!(matches!(
            lease(&search(folder.path(), empty)),
            Err(PortError::Range { .. })
        ));
        assert!(matches!(
            lease(&search(folder.path(), 0..=8)),
            Err(PortError::Range { .. })
        ));
        let elsewhere = PortSearch {
            address: [192, 0, 2, 1].into(),
            ..search(folder.path(), 9..=9)
        };
        assert!(matches!(
            lease(&elsewhere),
            Err(PortError::Listen { port: 9, .. })
        ));
        let file = folder.path().join("file");
        std::fs::write(&file, "").expect("writes");
        assert!(matches!(
            lease(&search(&file, 9..=9)),
            Err(PortError::File { .. })
        ));
    }

    #[test]
    fn a_dead_process_holds_no_lease() {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_range(1);
        let search = search(folder.path(), port..=port);
        drop(lease(&search).expect("a free port"));
        let file = folder.path().join("port").join(port.to_string());
        let mut holder = match std::process::Command::new("flock")
            .arg(&file)
            .args(["sh", "-c", "echo held; read line"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
        {
            Ok(holder) => holder,
            Err(_) => return,
        };
        let mut said = [0; 5];
        let stdout = holder.stdout.as_mut().expect("piped");
        std::io::Read::read_exact(stdout, &mut said).expect("the lock is held");
        assert!(matches!(
            lease(&search),
            Err(PortError::NoFreePort { leased: 1, .. })
        ));
        // Its child ends with its input, and takes the inherited lock with it.
        drop(holder.stdin.take());
        holder.wait().expect("ends");
        lease(&search).expect("the kernel dropped the lock");
    }
}
