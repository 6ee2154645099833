//! Commands: output, input, ends of every kind, and connections that break.

use std::time::{Duration, Instant};

use sdk_communicator::{Command, Communicator, Exit, Output, capture};
use sdk_ssh::SshCommunicator;
use tokio::sync::mpsc;

use crate::support::{Sshd, program, skip};

async fn check(machine: &SshCommunicator, command: &str, exit: Exit, out: &str, err: &str) {
    let run = capture(machine, Command::new(command))
        .await
        .expect("it starts");
    assert_eq!(
        (run.exit, run.stdout.as_str(), run.stderr.as_str()),
        (exit, out, err),
        "{command}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn output_and_ends_come_back_as_they_are() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let machine = server.connect(|_| {}).await;
    check(
        &machine,
        "echo out; echo err >&2; exit 7",
        Exit::Code(7),
        "out\n",
        "err\n",
    )
    .await;
    check(&machine, "true", Exit::Code(0), "", "").await;
    check(
        &machine,
        "kill -TERM $$",
        Exit::Signal("TERM".to_owned()),
        "",
        "",
    )
    .await;
    check(&machine, "printf 'no end'", Exit::Code(0), "no end", "").await;
    let run = capture(&machine, Command::new("/nowhere/program"))
        .await
        .expect("it starts");
    assert_eq!(run.exit, Exit::Code(127));
}

#[tokio::test(flavor = "multi_thread")]
async fn input_is_streamed_to_its_end() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let machine = server.connect(|_| {}).await;
    let content = vec![b'x'; 3_000_000];
    let input = std::io::Cursor::new(content);
    let command = Command {
        stdin: Some(Box::new(input)),
        ..Command::new("wc -c; echo done >&2")
    };
    let run = capture(&machine, command).await.expect("it starts");
    assert_eq!(
        (run.stdout.trim(), run.stderr.as_str()),
        ("3000000", "done\n")
    );
    // A command that does not read its input ends all the same.
    let input = std::io::Cursor::new(vec![b'x'; 8_000_000]);
    let command = Command {
        stdin: Some(Box::new(input)),
        ..Command::new("exit 3")
    };
    let run = capture(&machine, command).await.expect("it starts");
    assert_eq!(run.exit, Exit::Code(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn output_arrives_while_the_command_runs() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let machine = server.connect(|_| {}).await;
    let (sender, mut receiver) = mpsc::channel(1);
    let (input, mut writer) = tokio::io::duplex(64);
    let command = Command {
        stdin: Some(Box::new(input)),
        ..Command::new("echo one; cat")
    };
    let running = machine.exec(command, sender);
    let talking = async {
        let first = receiver.recv().await;
        assert_eq!(first, Some(Output::Stdout("one\n".into())));
        tokio::io::AsyncWriteExt::write_all(&mut writer, b"two\n")
            .await
            .expect("it reads");
        let second = receiver.recv().await;
        assert_eq!(second, Some(Output::Stdout("two\n".into())));
        drop(writer);
    };
    let (exit, ()) = tokio::join!(running, talking);
    assert_eq!(exit.expect("it starts"), Exit::Code(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_there_when_asked_for() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let machine = server.connect(|_| {}).await;
    let run = capture(&machine, Command::new("tty"))
        .await
        .expect("it starts");
    assert_eq!(run.exit, Exit::Code(1), "{run:?}");
    let command = Command {
        pty: true,
        ..Command::new("stty size; stty -a; echo $TERM")
    };
    let run = capture(&machine, command).await.expect("it starts");
    assert!(run.stdout.starts_with("40 80\r\n"), "{run:?}");
    assert!(
        run.stdout.contains(" -echo ") && run.stdout.contains("xterm"),
        "{run:?}"
    );
    let machine = server.connect(|config| config.ssh_pty = true).await;
    let run = capture(&machine, Command::new("tty"))
        .await
        .expect("it starts");
    assert_eq!(run.exit, Exit::Code(0), "{run:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_is_never_success_and_is_made_again() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let machine = server.connect(|_| {}).await;
    let (sender, mut receiver) = mpsc::channel(8);
    let running = machine.exec(Command::new("echo started; sleep 60"), sender);
    let breaking = async {
        assert!(receiver.recv().await.is_some());
        server.kill_sessions();
    };
    let (exit, ()) = tokio::join!(running, breaking);
    assert!(matches!(exit, Ok(Exit::Disconnected(_))), "{exit:?}");
    check(&machine, "echo again", Exit::Code(0), "again\n", "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_after_a_reboot_waits_for_the_server() {
    let Some(mut server) = Sshd::start("") else {
        return;
    };
    let machine = server.connect(|_| {}).await;
    server.stop();
    let waiting = machine.clone();
    let running = tokio::spawn(async move { capture(&waiting, Command::new("echo back")).await });
    tokio::task::yield_now().await;
    server.run();
    let listening = server.listening().await;
    let run = running
        .await
        .expect("it does not panic")
        .expect("it comes back");
    assert_eq!(run.stdout, "back\n");
    assert!(
        listening.elapsed() < Duration::from_secs(5),
        "{:?}",
        listening.elapsed()
    );
    machine
        .reconnect(Some(Duration::from_secs(10)))
        .await
        .expect("the server is there");
    server.stop();
    let started = Instant::now();
    let error = machine
        .reconnect(Some(Duration::from_secs(1)))
        .await
        .expect_err("it is gone");
    assert!(error.to_string().contains("connection refused"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_ends_when_nobody_waits_for_it_any_more() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    if program("pgrep").is_none() {
        skip("pgrep is not installed");
        return;
    }
    let machine = server.connect(|_| {}).await;
    let (sender, mut receiver) = mpsc::channel(8);
    let mark = server.text("mark");
    let command = format!("echo $$; exec tail -f /dev/null --pid=1 {mark} 2>/dev/null");
    {
        let running = machine.exec(Command::new(command), sender);
        tokio::pin!(running);
        tokio::select! {
            _ = &mut running => panic!("it runs for ever"),
            started = receiver.recv() => assert!(started.is_some()),
        }
    }
    let gone = async {
        loop {
            let check = Command::new(format!("pgrep -f '[t]ail -f /dev/null --pid=1 {mark}'"));
            let run = capture(&machine, check).await.expect("it starts");
            if run.exit == Exit::Code(1) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .expect("it was stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_machine_is_given_up_after_the_io_limit() {
    let Some(server) = Sshd::start("") else {
        return;
    };
    let machine = server
        .connect(|config| {
            config.ssh_read_write_timeout = Duration::from_secs(2);
            config.ssh_keep_alive_interval.nanos = -1;
        })
        .await;
    let run = capture(&machine, Command::new("sleep 30"))
        .await
        .expect("it starts");
    let Exit::Disconnected(seen) = run.exit else {
        panic!("{:?}", run.exit)
    };
    assert!(seen.contains("ssh_read_write_timeout"), "{seen}");
}
