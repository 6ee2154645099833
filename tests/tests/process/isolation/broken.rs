//! Plugins that break the protocol: each way has its own diagnostic, the other build is done, and
//! nothing stays.

use std::time::Duration;

use kiln_tests::leftovers;

use super::World;

/// How a build with a broken plugin ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The broken build fails, the good one is done.
    OneFails,
    /// Nothing is built: the template is refused.
    Refused,
    /// Both are done: what is broken does no harm.
    Fine,
}

/// Builds with the plugin in this mode, and checks the end and that the output has `texts`.
fn check(mode: &str, end: End, texts: &[&str]) {
    let mut world = World::new();
    let output = match mode.starts_with("describe") {
        true => world.run(mode, &["build", "-color=false", "t.pkr.hcl"]),
        false => world.build(mode),
    };
    let code = if end == End::Fine { 0 } else { 1 };
    assert_eq!(output.code(), code, "{mode}: {output}");
    assert_eq!(
        world.good_build_is_done(),
        end != End::Refused,
        "{mode}: {output}"
    );
    for text in texts {
        assert!(
            output.stdout.contains(text),
            "{mode} lacks {text:?}: {output}"
        );
    }
    let length = output.stdout.len();
    assert!(length < 20_000, "{mode}: {length} bytes of output");
    let left = leftovers::of(&world.kiln, Duration::from_secs(20));
    assert!(left.is_empty(), "{mode} leaves {left:?}");
}

const REFUSED: &str = "No installed plugin is what this template requires";

#[test]
fn handshakes() {
    let check = |mode, text| check(mode, End::OneFails, &["Failed to check source", text]);
    check("silent", "printed no handshake within 10 s");
    check("huge", "printed no handshake within 10 s");
    check(
        "exits",
        "exit status: 3\nIts last log lines:\n  the licence has expired",
    );
    check("aborts", "died while it should start: signal: 6 (SIGABRT)");
    check("garbage", "printed a wrong handshake");
    check("closes", "died while it should start");
    check(
        "major",
        "it speaks protocol 99, this kiln\nspeaks 1; use a newer kiln",
    );
    check(
        "hello_version",
        "its handshake has version 77, this\nkiln reads version 1",
    );
    check(
        "elsewhere",
        "its socket `/run/elsewhere.sock` is\nnot in the folder it was given",
    );
    check("absent", "cannot connect to plugin `broken` at");
    // It is noticed when connecting, or at the first call.
    check("noise", "plugin `broken`");
}

#[test]
fn descriptions() {
    let check = |mode, text| check(mode, End::Refused, &[REFUSED, text]);
    check(
        "describe_dies",
        "died while it should describe itself: signal: 6 (SIGABRT)",
    );
    check("describe_hangs", "did not describe itself within 10 s");
    check("describe_huge", "decoded message length too large");
    check("describe_nothing", "it offers no component");
    check("describe_need", "it declares the need `everything`");
    check("describe_root", "it declares the need `write:/`");
}

#[test]
fn checks_of_options() {
    let check = |mode, text| check(mode, End::OneFails, &["t.pkr.hcl line 10", text]);
    check(
        "prepare_dies",
        "SIGABRT)\nIts last log lines:\n  options are not for me",
    );
    check("prepare_refuses", "out of\ncheese (Internal)");
    check("prepare_huge", "decoded message length too large");
    check("prepare_nowhere", "Something is wrong somewhere");
}

#[test]
fn runs() {
    let check = |mode, text| check(mode, End::OneFails, &["Build 'broken.x' errored", text]);
    check(
        "run_dies",
        "signal: 6 (SIGABRT)\nIts last log lines:\n  famous last words",
    );
    check("run_ends", "the run ended without saying how");
    check(
        "run_refuses",
        "could not run the builder `broken`: no more (Internal)",
    );
    check("run_empty_event", "the field `event` is missing");
    check("run_huge_event", "decoded message length too large");
    check(
        "run_forks",
        "died while it should run the builder `broken`: exit status: 0",
    );
    check(
        "run_forks_session",
        "died while it should run the builder `broken`: exit status: 0",
    );
    check(
        "run_releases",
        "resource 4711 was released but never announced",
    );
    check("run_twice", "resource 1 was announced twice");
}

#[test]
fn what_does_no_harm() {
    for mode in [
        "run_stays",
        "run_stdout",
        "run_stderr",
        "run_leaves_child",
        "run_progress",
        "run_after",
    ] {
        check(mode, End::Fine, &["Build 'broken.x' finished"]);
    }
}

#[test]
fn what_a_plugin_says_cannot_change_the_terminal() {
    let lines = "==> broken.x: \u{1b}[31mred\n==> broken.x: fake: line\n";
    check("run_tricks", End::Fine, &[lines]);
    let mut world = World::new();
    drop(world.run("", &["validate", "t.pkr.hcl"]).success());
    let words = ["build", "-color=false", "-machine-readable", "t.pkr.hcl"];
    let output = world.run("run_tricks", &words).success();
    let line = ",ui,say,==> broken.x: \u{1b}[31mred\\n==> broken.x: fake: line\n";
    for trick in ["owned", "\u{1b}[2J", "\u{7}", "\r"] {
        assert!(!output.stdout.contains(trick), "{trick:?}: {output}");
    }
    drop(output.says(line));
}

#[test]
fn a_plugin_that_does_not_listen_is_ended_by_the_second_interrupt() {
    let mut world = World::new();
    drop(world.run("", &["validate", "t.pkr.hcl"]).success());
    world.kiln.env("KILN_BROKEN", "run_deaf");
    let words = ["build", "-color=false", "t.pkr.hcl"];
    let mut running = world.kiln.start(&words).expect("kiln starts");
    let limit = Duration::from_secs(60);
    running.wait_for("not listening", limit).expect("it runs");
    running.signal("INT").expect("it can be told");
    running
        .wait_for("Cancelling build", limit)
        .expect("it is told");
    // Interrupts that come together count as one.
    std::thread::sleep(Duration::from_secs(1));
    running.signal("INT").expect("it can be told");
    let output = running.finish(limit).expect("it ends");
    assert_ne!(output.code(), 0, "{output}");
    let left = leftovers::of(&world.kiln, Duration::from_secs(20));
    let left: Vec<_> = left
        .iter()
        .filter(|one| one.starts_with("process"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
