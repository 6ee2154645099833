//! A TCP proxy on loopback that breaks connections at a chosen moment.
//!
//! A moment is a number of bytes that went one way after the proxy was armed, so that it is the same
//! however fast the machine is. Each proxy breaks one connection; those made before it is armed and
//! after the break pass through untouched.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// The most a slow link passes on at once, in bytes.
const SLOW_BYTES: usize = 8 * 1024;
/// The time a slow link rests after that.
const SLOW_REST: Duration = Duration::from_millis(10);

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Both sides are closed in order.
    Cut,
    /// Both sides are reset.
    Reset,
    /// Nothing is passed on any more, and both sides stay open.
    Stall,
    /// One direction ends in order, the other goes on.
    HalfClose,
    /// From then on the link is slow.
    Slow,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Cut,
        Self::Reset,
        Self::Stall,
        Self::HalfClose,
        Self::Slow,
    ];
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toward {
    /// From the client to the server.
    Server,
    /// From the server to the client.
    Client,
}

/// When what happens.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What.
    pub fault: Fault,
    /// Which way the bytes go that are counted.
    pub toward: Toward,
    /// After how many of them.
    pub after: u64,
}

/// A running proxy; ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct FaultProxy {
    /// Its port on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug)]
struct Shared {
    plan: Plan,
    armed: AtomicBool,
    /// Bytes that went the way that is counted, since the proxy was armed.
    passed: Mutex<u64>,
    happened: watch::Sender<bool>,
}

impl FaultProxy {
    /// Leads connections to `target` on 127.0.0.1; must be called inside a tokio runtime.
    ///
    /// # Errors
    ///
    /// When it cannot listen.
    pub async fn start(target: u16, plan: Plan) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            plan,
            armed: AtomicBool::new(false),
            passed: Mutex::new(0),
            happened: watch::channel(false).0,
        });
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(lead(client, target, Arc::clone(&serving)));
            }
        });
        Ok(Self { port, shared, task })
    }

    /// From now on bytes count.
    pub fn arm(&self) {
        self.shared.armed.store(true, Ordering::SeqCst);
    }

    /// Whether the fault has happened.
    #[must_use]
    pub fn happened(&self) -> bool {
        *self.shared.happened.borrow()
    }
}

impl Shared {
    /// How many of `bytes` that go `toward` pass before the fault; `None` when all of them.
    fn before_fault(&self, toward: Toward, bytes: usize) -> Option<usize> {
        if toward != self.plan.toward || !self.armed.load(Ordering::SeqCst) {
            return None;
        }
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let left = self.plan.after.saturating_sub(*passed);
        *passed += bytes as u64;
        if *self.happened.borrow() || left >= bytes as u64 {
            return None;
        }
        self.happened.send_replace(true);
        Some(usize::try_from(left).unwrap_or(bytes))
    }
}

/// One connection, whose streams stay with their pumps until the end.
async fn lead(client: TcpStream, target: u16, shared: Arc<Shared>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else {
        return;
    };
    for stream in [&client, &server] {
        drop(stream.set_nodelay(true));
    }
    let (stop, stopped) = watch::channel(None);
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = Pump {
        from: from_client,
        to: to_server,
        toward: Toward::Server,
        shared: Arc::clone(&shared),
        stop: stop.clone(),
        stopped: stopped.clone(),
    };
    let back = Pump {
        from: from_server,
        to: to_client,
        toward: Toward::Client,
        shared,
        stop,
        stopped,
    };
    let (there, back) = tokio::join!(there.run(), back.run());
    let (Ok(client), Ok(server)) = (there.0.reunite(back.1), back.0.reunite(there.1)) else {
        return;
    };
    if there.2.or(back.2) == Some(Fault::Reset) {
        for stream in [&client, &server] {
            // Closing then sends a reset.
            drop(stream.set_zero_linger());
        }
    }
}

/// One direction of a connection.
struct Pump {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    toward: Toward,
    shared: Arc<Shared>,
    stop: watch::Sender<Option<Fault>>,
    stopped: watch::Receiver<Option<Fault>>,
}

impl Pump {
    /// Passes bytes on until the end of the connection; gives the halves back, and what ended it.
    async fn run(mut self) -> (OwnedReadHalf, OwnedWriteHalf, Option<Fault>) {
        let mut stopped = self.stopped.clone();
        let fault = tokio::select! {
            fault = stopped.wait_for(Option::is_some) => fault.ok().and_then(|fault| *fault),
            () = self.pass() => None,
        };
        match fault {
            // Until the proxy is dropped.
            Some(Fault::Stall) => std::future::pending().await,
            // The other direction may still have something to say; when it has not, both end.
            None => drop(self.to.shutdown().await),
            Some(_) => {}
        }
        let ending = *self.stop.borrow();
        (self.from, self.to, fault.or(ending))
    }

    async fn pass(&mut self) {
        let mut buffer = vec![0; 64 * 1024];
        let mut slow = false;
        loop {
            let room = if slow { SLOW_BYTES } else { buffer.len() };
            let Ok(read @ 1..) = self.from.read(&mut buffer[..room]).await else {
                return;
            };
            let fault = self.shared.plan.fault;
            let whole = self.shared.before_fault(self.toward, read);
            let passing = match (whole, fault) {
                (None, _) | (_, Fault::Slow) => read,
                (Some(before), _) => before,
            };
            if self.to.write_all(&buffer[..passing]).await.is_err() {
                return;
            }
            match (whole, fault) {
                (Some(_), Fault::HalfClose) => return self.discard().await,
                (Some(_), Fault::Cut | Fault::Reset | Fault::Stall) => {
                    self.stop.send_replace(Some(fault));
                    return std::future::pending().await;
                }
                _ => {}
            }
            if fault == Fault::Slow && *self.shared.happened.borrow() {
                slow = true;
                tokio::time::sleep(SLOW_REST).await;
            }
        }
    }

    /// Ends the direction and reads on, so that the sender notices nothing by itself.
    async fn discard(&mut self) {
        drop(self.to.shutdown().await);
        let mut buffer = vec![0; 64 * 1024];
        while matches!(self.from.read(&mut buffer).await, Ok(1..)) {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::{Fault, FaultProxy, Plan, Toward};

    /// Sends 100 bytes through a proxy to an echo; what came back, and how it ended.
    async fn check(fault: Fault, toward: Toward, armed: bool) -> (usize, Result<(), String>) {
        let echo = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let port = echo.local_addr().expect("bound").port();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = echo.accept().await.expect("one connection");
            let (mut read, mut write) = stream.split();
            drop(tokio::io::copy(&mut read, &mut write).await);
        });
        let plan = Plan {
            fault,
            toward,
            after: 40,
        };
        let proxy = FaultProxy::start(port, plan).await.expect("loopback");
        if armed {
            proxy.arm();
        }
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port))
            .await
            .expect("it listens");
        stream.write_all(&[7; 100]).await.expect("room");
        if fault != Fault::Stall {
            drop(stream.shutdown().await);
        }
        let mut back = Vec::new();
        let reading = stream.read_to_end(&mut back);
        let limit = std::time::Duration::from_millis(300);
        let result = match tokio::time::timeout(limit, reading).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("{:?}", error.kind())),
            Err(_) => Err("silent".to_owned()),
        };
        assert_eq!(proxy.happened(), armed);
        drop(proxy);
        serving.abort();
        (back.len(), result)
    }

    #[tokio::test]
    async fn each_fault_is_what_it_says() {
        assert_eq!(
            check(Fault::Cut, Toward::Server, false).await,
            (100, Ok(()))
        );
        assert_eq!(
            check(Fault::Slow, Toward::Client, true).await,
            (100, Ok(()))
        );
        assert_eq!(
            check(Fault::HalfClose, Toward::Client, true).await,
            (40, Ok(()))
        );
        assert_eq!(
            check(Fault::HalfClose, Toward::Server, true).await,
            (40, Ok(()))
        );
        let (_, ended) = check(Fault::Reset, Toward::Client, true).await;
        assert_eq!(ended, Err("ConnectionReset".to_owned()));
        let stalled = check(Fault::Stall, Toward::Client, true).await;
        assert_eq!(stalled, (40, Err("silent".to_owned())));
    }
}
