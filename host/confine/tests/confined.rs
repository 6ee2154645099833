//! What a confined shell can and cannot do, as the kernel sees it.

use std::path::Path;
use std::process::{Command, Output};

use host_confine::{Files, Network, Policy, Signals};

const POLICY: &str = "CONFINED_TEST_POLICY";
const SCRIPT: &str = "CONFINED_TEST_SCRIPT";

/// Runs in the child: becomes the shell.
#[test]
fn child() {
    let (Ok(policy), Ok(script)) = (std::env::var(POLICY), std::env::var(SCRIPT)) else {
        return;
    };
    let error = host_confine::exec(&policy, "sh".into(), vec!["-c".into(), script.into()]);
    panic!("{error}");
}

/// Runs a script under the policy, in a process of its own.
fn run(policy: &Policy, script: &str) -> Output {
    let tests = std::env::current_exe().expect("the tests are a program");
    Command::new(tests)
        .args(["--exact", "child", "--nocapture", "--quiet"])
        .env(
            POLICY,
            serde_json::to_string(policy).expect("a policy is JSON"),
        )
        .env(SCRIPT, script)
        .output()
        .expect("the tests can be started")
}

/// What each of the commands does under the policy: `yes` or `no`, in order.
fn check(policy: &Policy, commands: &[(&str, &str)]) {
    for (command, expected) in commands {
        let script = format!("if ({command}) >/dev/null 2>&1; then echo =yes; else echo =no; fi");
        let output = run(policy, &script);
        let text = String::from_utf8_lossy(&output.stdout);
        let answer = text.lines().find_map(|line| line.strip_prefix('='));
        assert_eq!(answer, Some(*expected), "{command}: {output:?}");
    }
}

/// Whether the kernel can confine; CI's must.
fn can_confine() -> bool {
    let whole = host_confine::support().files == Files::All;
    assert!(
        whole || std::env::var_os("CI").is_none(),
        "this kernel cannot confine: {:?}",
        host_confine::support()
    );
    if !whole {
        writeln_to_stderr("SKIPPED: this kernel cannot confine");
    }
    whole
}

fn writeln_to_stderr(text: &str) {
    use std::io::Write;
    writeln!(std::io::stderr(), "{text}").expect("standard error is open");
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn files_are_as_the_policy_says() {
    if !can_confine() {
        return;
    }
    let world = tempfile::tempdir().expect("a folder");
    let at = |name: &str| world.path().join(name);
    for folder in ["open", "secret/shown", "work"] {
        std::fs::create_dir_all(at(folder)).expect("a folder");
    }
    for file in ["open/a", "secret/b", "secret/shown/c", "work/d"] {
        std::fs::write(at(file), "x").expect("a file");
    }
    std::os::unix::fs::symlink(at("secret/b"), at("open/way")).expect("a link");
    let policy = Policy {
        write: vec![at("work"), "/dev/null".into()],
        hidden: vec![at("secret")],
        read: vec![at("secret/shown")],
        ..Policy::default()
    };
    let root = text(world.path());
    check(
        &policy,
        &[
            (&format!("cat {root}/open/a"), "yes"),
            (&format!("echo y >{root}/open/a"), "no"),
            (&format!("echo y >{root}/open/new"), "no"),
            (&format!("rm {root}/open/a"), "no"),
            (&format!("mkdir {root}/open/folder"), "no"),
            (&format!("truncate -s 0 {root}/open/a"), "no"),
            (&format!("mv {root}/open/a {root}/work/a"), "no"),
            (&format!("ln {root}/open/a {root}/work/a"), "no"),
            (&format!("cat {root}/secret/b"), "no"),
            (&format!("cat {root}/open/way"), "no"),
            (&format!("cat {root}/secret/shown/c"), "yes"),
            (&format!("echo y >{root}/secret/shown/c"), "no"),
            (
                &format!("echo y >{root}/work/d && mkdir {root}/work/e && rm -r {root}/work/e"),
                "yes",
            ),
            (
                &format!("ln -s ../open {root}/work/out && echo y >{root}/work/out/a"),
                "no",
            ),
            ("ls / && ls /usr/bin", "yes"),
        ],
    );
    assert_eq!(std::fs::read_to_string(at("open/a")).expect("a file"), "x");
}

#[test]
fn the_network_is_as_the_policy_says() {
    if !can_confine() {
        return;
    }
    let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
    let command = format!("bash -c '{connect}'");
    let write = vec!["/dev/null".into()];
    let mut policy = Policy {
        write,
        ..Policy::default()
    };
    check(&policy, &[(&command, "yes")]);
    policy.network = Network::UnixSockets;
    check(&policy, &[(&command, "no")]);
}

#[test]
fn signals_reach_what_the_policy_says() {
    if !can_confine() {
        return;
    }
    let mut other = Command::new("sleep")
        .arg("600")
        .spawn()
        .expect("sleep starts");
    let signal = format!("kill -0 {}", other.id());
    let mut policy = Policy {
        write: vec!["/dev/null".into()],
        ..Policy::default()
    };
    check(&policy, &[(&signal, "no"), ("sleep 600 & kill $!", "yes")]);
    policy.signals = Signals::Any;
    check(&policy, &[(&signal, "yes")]);
    other.kill().expect("it can be ended");
    other.wait().expect("it ends");
}

#[test]
fn privileges_and_core_dumps_are_out_of_reach() {
    if !can_confine() {
        return;
    }
    let policy = Policy {
        write: vec!["/dev/null".into()],
        ..Policy::default()
    };
    check(
        &policy,
        &[
            ("grep -q 'NoNewPrivs:.1' /proc/self/status", "yes"),
            ("grep -q 'Seccomp:.2' /proc/self/status", "yes"),
            ("test \"$(ulimit -c)\" = 0", "yes"),
            ("mount -t tmpfs none /mnt", "no"),
            ("date -s \"$(date)\"", "no"),
        ],
    );
}

#[test]
fn a_policy_that_is_none_starts_nothing() {
    let tests = std::env::current_exe().expect("the tests are a program");
    let output = Command::new(tests)
        .args(["--exact", "child", "--nocapture"])
        .env(POLICY, "{\"write\": 1}")
        .env(SCRIPT, "echo =started")
        .output()
        .expect("the tests can be started");
    let all = format!("{output:?}");
    assert!(!all.contains("=started"), "{all}");
    assert!(all.contains("the policy cannot be read"), "{all}");
}
