//! Waiting for a server: how quickly it is found, and what is said when it is not.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sdk_communicator::Communicator;
use sdk_ssh::{
    Address, AddressSource, ConnectError, ConnectEvent, ConnectObserver, Environment, NoAddress,
    Prepare, Settings, connect,
};
use tokio_util::sync::CancellationToken;

use crate::fakes;
use crate::support::{Sshd, config, free_port, open, user};

/// The text of the failure to connect to `address` within `limit`.
async fn failure(address: Address, limit: Duration) -> String {
    let mut config = config("me", "secret");
    config.ssh_timeout = limit;
    let started = Instant::now();
    let result = open(config, address, &Environment::default()).await;
    let error = result.expect_err("there is no server");
    assert!(
        started.elapsed() < limit + Duration::from_secs(5),
        "it took too long"
    );
    assert!(matches!(error, ConnectError::Timeout { .. }), "{error:?}");
    error.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_later_is_found() {
    let Some(mut server) = Sshd::prepare("") else {
        return;
    };
    let (address, options) = (server.address(), server.config());
    let connecting =
        tokio::spawn(async move { open(options, address, &Environment::default()).await });
    tokio::task::yield_now().await;
    server.run();
    server.listening().await;
    let connected = connecting.await.expect("it does not panic");
    connected.unwrap_or_else(|error| panic!("{error}\n{}", server.log()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_accepts_before_the_guest_listens_does_not_hold_us_up() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    server.listening().await;
    let awake = Arc::new(AtomicBool::new(false));
    let port = fakes::sleepy(Arc::clone(&awake), server.port).await;
    let (address, options) = (port.address.clone(), server.config());
    let connecting =
        tokio::spawn(async move { open(options, address, &Environment::default()).await });
    // Two silent attempts side by side: the second is never far from being made anew.
    while port.connections.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    awake.store(true, Ordering::SeqCst);
    let woken = Instant::now();
    connecting
        .await
        .expect("it does not panic")
        .expect("it connects");
    assert!(
        woken.elapsed() < Duration::from_secs(5),
        "{:?}",
        woken.elapsed()
    );
}

#[tokio::test]
async fn a_refused_port_is_named() {
    let address = Address {
        host: "127.0.0.1".to_owned(),
        port: free_port(),
    };
    let text = failure(address.clone(), Duration::from_secs(1)).await;
    assert!(
        text.starts_with(&format!(
            "Timeout waiting for SSH: no connection to {address} within 1 s ("
        )),
        "{text}"
    );
    assert!(
        text.contains("connection refused ") && text.contains(" times"),
        "{text}"
    );
}

#[tokio::test]
async fn a_silent_port_is_told_from_a_refused_one() {
    let port = fakes::silent().await;
    let text = failure(port.address.clone(), Duration::from_millis(2500)).await;
    assert!(text.contains("accepted but no SSH banner"), "{text}");
    assert!(port.connections.load(Ordering::SeqCst) >= 2);
}

#[tokio::test]
async fn something_else_than_ssh_is_quoted() {
    let port = fakes::web().await;
    let text = failure(port.address.clone(), Duration::from_secs(1)).await;
    assert!(
        text.contains("answer is not SSH: `HTTP/1.1 400 Bad Request`"),
        "{text}"
    );
}

#[tokio::test]
async fn algorithms_without_a_match_are_listed() {
    let Some(server) = Sshd::start("Ciphers aes256-ctr") else {
        return;
    };
    let mut config = server.config();
    config.ssh_ciphers = vec!["aes128-ctr".to_owned()];
    config.ssh_timeout = Duration::from_secs(2);
    let result = open(config, server.address(), &Environment::default()).await;
    let text = result.expect_err("there is no common cipher").to_string();
    assert!(
        text.contains("we offer aes128-ctr, the server offers aes256-ctr; to use what the server")
            && text.contains("set `ssh_ciphers = [\"aes256-ctr\"]`"),
        "{text}"
    );
}

#[tokio::test]
async fn servers_of_another_age_are_told_what_is_wanted() {
    let old = fakes::version_one().await;
    let text = failure(old.address.clone(), Duration::from_secs(1)).await;
    assert!(
        text.contains("speaks only version 1 of SSH (`SSH-1.5-1.2.27`)"),
        "{text}"
    );
    let fossil = fakes::fossil().await;
    let text = failure(fossil.address.clone(), Duration::from_secs(1)).await;
    assert!(
        text.contains("no key exchange in common; we offer mlkem768x25519-sha256,")
            && text
                .contains("the server offers diffie-hellman-group1-md5; none of that is supported"),
        "{text}"
    );
}

#[tokio::test]
async fn cancelling_ends_the_wait() {
    let port = fakes::silent().await;
    let mut config = config("me", "secret");
    assert!(config.prepare(&Prepare::default()).is_empty());
    let settings = Settings::new(&config, &[], &Environment::default()).expect("no files");
    let cancel = CancellationToken::new();
    let address = Arc::new(port.address.clone());
    let connecting = connect(settings, address, &cancel, &());
    let cancelling = async {
        while port.connections.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(connecting, cancelling);
    assert!(matches!(result, Err(ConnectError::Cancelled)), "{result:?}");
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

#[async_trait]
impl ConnectObserver for Lines {
    async fn event(&self, event: ConnectEvent) {
        self.0.lock().expect("nobody panics").extend(event.line());
    }
}

/// Does not know the address the first few times it is asked.
struct Slow(Address, AtomicUsize);

#[async_trait]
impl AddressSource for Slow {
    async fn address(&self) -> Result<Address, NoAddress> {
        let left = self.1.load(Ordering::SeqCst);
        if left == 0 {
            return Ok(self.0.clone());
        }
        self.1.store(left - 1, Ordering::SeqCst);
        Err(NoAddress("no lease yet".to_owned()))
    }
}

async fn check_lines(late: usize, expected: [&str; 4]) {
    let server = fakes::ssh(fakes::Asking::Password).await;
    let mut config = config("me", "secret");
    config.pause_before_connecting = Duration::from_millis(10);
    assert!(config.prepare(&Prepare::default()).is_empty());
    let settings = Settings::new(&config, &[], &Environment::default()).expect("no files");
    let lines = Lines::default();
    let address = Arc::new(Slow(server.address.clone(), AtomicUsize::new(late)));
    let machine = connect(settings, address, &CancellationToken::new(), &lines).await;
    assert_eq!(
        machine.expect("it lets us in").address(),
        Some(server.address.clone())
    );
    assert_eq!(*lines.0.lock().expect("nobody panics"), expected);
    assert!(server.connections.load(Ordering::SeqCst) >= 2);
}

#[tokio::test]
async fn people_read_the_lines_scripts_wait_for() {
    let using = "Using SSH communicator to connect: 127.0.0.1";
    let waiting = "Waiting for SSH to become available...";
    let (pausing, connected) = ("Pausing 10ms before connecting...", "Connected to SSH!");
    check_lines(0, [using, waiting, pausing, connected]).await;
    check_lines(2, [waiting, using, pausing, connected]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_and_a_bastion_lead_to_the_machine() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let proxy = fakes::socks().await;
    let through_proxy = server.connect(|config| {
        config.ssh_proxy_host.clone_from(&proxy.address.host);
        config.ssh_proxy_port = proxy.address.port;
        config.ssh_proxy_username = "me".to_owned();
        config.ssh_proxy_password = sdk_config::Secret::new("secret".to_owned());
    });
    through_proxy
        .await
        .reconnect(None)
        .await
        .expect("the way is the same");
    assert!(proxy.connections.load(Ordering::SeqCst) >= 2);
    let through_bastion = server.connect(|config| {
        config.ssh_bastion_host = "127.0.0.1".to_owned();
        config.ssh_bastion_port = server.port;
        config.ssh_bastion_username = user();
    });
    through_bastion
        .await
        .reconnect(None)
        .await
        .expect("the way is the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_long_to_speak_is_waited_for() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    server.listening().await;
    // As long as a server takes that looks up names nobody knows.
    let slow = fakes::slow(Duration::from_secs(11), server.port).await;
    let nowhere = Environment::default();
    let to_machine = open(server.config(), slow.address.clone(), &nowhere);
    let mut through = server.config();
    through.ssh_bastion_host = "127.0.0.1".to_owned();
    through.ssh_bastion_port = slow.address.port;
    through.ssh_bastion_username = user();
    let through_bastion = open(through, server.address(), &nowhere);
    let (direct, indirect) = tokio::join!(to_machine, through_bastion);
    direct.expect("it speaks in the end");
    indirect.expect("the bastion speaks in the end");
}

#[tokio::test]
async fn a_bastion_that_does_not_speak_is_named() {
    let bastion = fakes::silent().await;
    let mut config = config("me", "secret");
    config.ssh_bastion_host.clone_from(&bastion.address.host);
    config.ssh_bastion_port = bastion.address.port;
    config.ssh_bastion_username = "me".to_owned();
    config.ssh_bastion_password = sdk_config::Secret::new("secret".to_owned());
    config.ssh_timeout = Duration::from_secs(2);
    let address = Address {
        host: "192.0.2.1".to_owned(),
        port: 22,
    };
    let result = open(config, address, &Environment::default()).await;
    let text = result.expect_err("nobody speaks").to_string();
    assert!(
        text.contains("last: bastion 127.0.0.1: SSH handshake failed: it did not end within"),
        "{text}"
    );
    assert_eq!(bastion.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_bastion_that_refuses_is_blamed() {
    let bastion = fakes::ssh(fakes::Asking::Password).await;
    let mut config = config("me", "secret");
    config.ssh_bastion_host.clone_from(&bastion.address.host);
    config.ssh_bastion_port = bastion.address.port;
    config.ssh_bastion_username = "me".to_owned();
    config.ssh_bastion_password = sdk_config::Secret::new("wrong".to_owned());
    let address = Address {
        host: "192.0.2.1".to_owned(),
        port: 22,
    };
    let result = open(config, address, &Environment::default()).await;
    let error = result.expect_err("the password is wrong");
    assert_eq!(error.option(), Some("ssh_bastion_password"));
    let text = error.to_string();
    assert!(text.contains("check ssh_bastion_username"), "{text}");
    assert!(
        text.starts_with("bastion 127.0.0.1: SSH authentication failed"),
        "{text}"
    );
}
