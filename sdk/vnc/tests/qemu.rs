//! Types into a real QEMU whose boot sector sends every key it gets to the serial port.
//!
//! Needs `qemu-system-x86_64`; without it each test says loudly that it was skipped.

use std::net::TcpListener;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sdk_boot_command::{
    Action, Key, KeysymDriver, Pacing, Stroke, SystemClock, parse, type_actions,
};
use sdk_config::Secret;
use sdk_vnc::{ConnectOptions, VncClient, VncError};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::{Mutex, MutexGuard};

/// Sets up the first serial port, sends `!`, then sends and shows every key the BIOS reports.
const BOOT_CODE: &[u8] = &[
    0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x7c, 0xfb, 0xb8, 0xe3, 0x00,
    0x31, 0xd2, 0xcd, 0x14, 0xb0, 0x21, 0xe8, 0x10, 0x00, 0x30, 0xe4, 0xcd, 0x16, 0xe8, 0x09, 0x00,
    0xb4, 0x0e, 0xbb, 0x07, 0x00, 0xcd, 0x10, 0xeb, 0xf0, 0x50, 0xba, 0xfd, 0x03, 0xec, 0xa8, 0x20,
    0x74, 0xfb, 0x58, 0xba, 0xf8, 0x03, 0xee, 0xc3,
];

/// A machine that runs the boot code; it ends with this value.
struct Machine {
    process: Child,
    serial: ChildStdout,
    address: String,
    folder: tempfile::TempDir,
    /// One machine at a time, so that only the test that wants load has it.
    _turn: MutexGuard<'static, ()>,
}

static TURN: Mutex<()> = Mutex::const_new(());

impl Machine {
    /// Starts it; `None`, loudly, when QEMU is missing. `vnc` is added to the `-vnc` option.
    #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
    async fn start(vnc: &str, more: &[&str]) -> Option<Self> {
        let turn = TURN.lock().await;
        let folder = tempfile::tempdir().expect("a folder");
        let mut sector = BOOT_CODE.to_vec();
        sector.resize(510, 0);
        sector.extend([0x55, 0xaa]);
        let disk = folder.path().join("boot.img");
        std::fs::write(&disk, sector).expect("the boot sector");
        let port = free_port();
        let spawned = Command::new("qemu-system-x86_64")
            .args([
                "-nodefaults",
                "-no-user-config",
                "-machine",
                "pc,accel=tcg",
                "-m",
                "16",
            ])
            .args(["-vga", "std", "-serial", "stdio", "-display", "none"])
            .args([
                "-drive",
                &format!("file={},format=raw,if=ide", disk.display()),
            ])
            .args(["-vnc", &format!("127.0.0.1:{}{vnc}", port - 5900)])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut process = match spawned {
            Ok(process) => process,
            Err(err) => {
                eprintln!("SKIPPED: qemu-system-x86_64 cannot be started: {err}");
                return None;
            }
        };
        let serial = process.stdout.take().expect("stdout is piped");
        let address = format!("127.0.0.1:{port}");
        Some(Self {
            process,
            serial,
            address,
            folder,
            _turn: turn,
        })
    }

    /// Reads until `count` more bytes came or nothing came for a while.
    async fn read(&mut self, count: usize) -> String {
        let mut got = Vec::new();
        let mut buffer = [0; 256];
        while got.len() < count {
            let read = self.serial.read(&mut buffer);
            match tokio::time::timeout(Duration::from_secs(20), read).await {
                Ok(Ok(length @ 1..)) => got.extend(&buffer[..length]),
                _ => break,
            }
        }
        String::from_utf8_lossy(&got).into_owned()
    }

    async fn stop(mut self) {
        self.process.kill().await.expect("qemu ends");
        self.folder.close().expect("the folder goes");
    }
}

/// A port at which nobody listens, from 5900 on.
fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        if port >= 5900 {
            return port;
        }
    }
}

/// 200 characters with every printable one of ASCII, and shifted ones next to each other.
fn text() -> String {
    let printable: String = (' '..='~').collect();
    let mut text = format!(
        "{printable}linux /vmlinuz auto=true url=http://10.0.2.2:8000/PreSeed.cfg ~!@#$%^&*()_+{{}}|:\"<>? -- "
    );
    let missing = 200 - text.len();
    text.push_str(&printable[1..=missing]);
    text
}

/// Keeps eight threads busy while it lives.
struct Load(Arc<AtomicBool>);

impl Load {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        for _ in 0..8 {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self(stop)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Types the text and compares what arrived.
async fn check(vnc: &str, server_key_delay: Duration, pacing: Pacing) {
    let Some(mut machine) = Machine::start(vnc, &[]).await else {
        return;
    };
    let options = ConnectOptions {
        server_key_delay,
        ..ConnectOptions::default()
    };
    let client = VncClient::connect(&machine.address, &options)
        .await
        .expect("connects");
    assert_eq!(machine.read(1).await, "!");
    let actions: Vec<Action> = text()
        .chars()
        .map(|letter| Action::Key(Key::Character(letter), Stroke::Press))
        .collect();
    let process = machine.process.id().expect("qemu runs");
    let mut driver = KeysymDriver::new(client.clone(), pacing).watching(process);
    type_actions(&actions, &mut driver, &SystemClock::new())
        .await
        .expect("types");
    client.close().await.expect("closes");
    assert_eq!(machine.read(200).await, text());
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_character_arrives_at_the_safe_pace() {
    assert_eq!(text().len(), 200);
    check("", Duration::from_millis(10), Pacing::SAFE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_character_arrives_at_the_fast_pace() {
    check(",key-delay-ms=1", Duration::from_millis(1), Pacing::FAST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_character_arrives_on_an_oversubscribed_host() {
    let load = Load::start();
    for _ in 0..2 {
        check(",key-delay-ms=1", Duration::from_millis(1), Pacing::FAST).await;
    }
    check("", Duration::from_millis(10), Pacing::SAFE).await;
    drop(load);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_run_ahead_of_the_server_are_waited_for() {
    // Far faster than QEMU passes keys on: closing must wait for its queue.
    let Some(mut machine) = Machine::start("", &[]).await else {
        return;
    };
    let client = VncClient::connect(&machine.address, &ConnectOptions::default())
        .await
        .expect("connects");
    assert_eq!(machine.read(1).await, "!");
    let actions = parse("the quick brown fox").expect("a boot command");
    let mut driver = KeysymDriver::new(client.clone(), Pacing::Fixed(Duration::from_micros(10)));
    type_actions(&actions, &mut driver, &SystemClock::new())
        .await
        .expect("types");
    drop(driver);
    drop(client);
    assert_eq!(machine.read(19).await, "the quick brown fox");
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_screen_changes_with_what_is_typed() {
    let Some(mut machine) = Machine::start("", &[]).await else {
        return;
    };
    let client = VncClient::connect(&machine.address, &ConnectOptions::default())
        .await
        .expect("connects");
    assert_eq!(machine.read(1).await, "!");
    let before = client.capture().await.expect("looks");
    let mut driver = KeysymDriver::new(client.clone(), Pacing::SAFE);
    let actions = parse("########").expect("a boot command");
    type_actions(&actions, &mut driver, &SystemClock::new())
        .await
        .expect("types");
    assert_eq!(machine.read(8).await, "########");
    let after = client.capture().await.expect("looks");
    assert_eq!((after.width, after.height), (720, 400));
    assert!(
        before.rgb != after.rgb,
        "eight characters change the screen"
    );
    assert_eq!(
        client.screenshot().await.expect("looks")[..8],
        *b"\x89PNG\r\n\x1a\n"
    );
    machine.stop().await;
    let err = client.capture().await.expect_err("the machine is gone");
    assert!(matches!(err, VncError::Closed { .. }), "{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_are_checked() {
    let secret = ["-object", "secret,id=word,data=sesame"];
    let Some(machine) = Machine::start(",password-secret=word", &secret).await else {
        return;
    };
    let with = |password: Option<&str>| ConnectOptions {
        password: password.map(|text| Secret::new(text.to_owned())),
        ..ConnectOptions::default()
    };
    let client = VncClient::connect(&machine.address, &with(Some("sesame"))).await;
    client
        .expect("the right password")
        .capture()
        .await
        .expect("looks");
    for wrong in [Some("wrong"), None] {
        let err = VncClient::connect(&machine.address, &with(wrong))
            .await
            .expect_err("refused");
        assert!(matches!(err, VncError::Refused { .. }), "{err}");
    }
    machine.stop().await;
}

#[tokio::test]
async fn nobody_at_the_address_is_an_error_in_time() {
    let options = ConnectOptions {
        limit: Duration::from_millis(250),
        ..ConnectOptions::default()
    };
    let address = format!("127.0.0.1:{}", free_port());
    let err = VncClient::connect(&address, &options)
        .await
        .expect_err("nobody there");
    assert!(matches!(err, VncError::Connect { .. }), "{err}");
}
