//! What surrounds the program: outputs that nobody reads, a terminal that belongs to somebody else,
//! limits, homes, signals.

use std::io::{PipeReader, Read};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use kiln_tests::kiln::program_folder;
use kiln_tests::terminal::Terminal;
use kiln_tests::trial::Trial;
use kiln_tests::{Kiln, leftovers, tools};
use rustix::fs::{OFlags, fcntl_setfl};

const LIMIT: Duration = Duration::from_secs(120);
/// Much more than a pipe holds.
const LINES: usize = 20_000;

/// A build that prints many lines.
fn loud() -> Trial {
    let trial = Trial::with(
        "",
        "provisioner \"trial\" { actions = [\"file:many.json\"] }",
    );
    let lines = vec!["\"say:a line of some length\""; LINES / 20].join(",");
    trial.kiln.write("lines.json", &format!("[{lines}]"));
    let many = ["\"file:lines.json\""; 20].join(",");
    trial.kiln.write("many.json", &format!("[{many}]"));
    trial
}

/// Starts a build whose standard output and error are a pipe.
fn into_pipe(trial: &Trial, flags: OFlags) -> Result<(Child, PipeReader)> {
    let (reader, writer) = std::io::pipe()?;
    fcntl_setfl(&writer, flags)?;
    let mut command = trial.command(&["build", "-color=false", "t.pkr.hcl"])?;
    trial.kiln.surround(&mut command);
    let error = OwnedFd::from(writer.try_clone()?);
    command
        .stdin(Stdio::null())
        .stdout(OwnedFd::from(writer))
        .stderr(error);
    let child = command.spawn()?;
    // The command holds the pipe open, too.
    drop(command);
    Ok((child, reader))
}

/// Waits for the end of a program, which is killed when it does not come.
fn end_of(child: &mut Child) -> Result<ExitStatus> {
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    bail!("it did not end");
}

#[test]
fn an_output_that_does_not_block_loses_nothing() -> Result<()> {
    let mut trial = loud();
    trial.kiln.env("PACKER_LOG", "1");
    let (mut child, mut reader) = into_pipe(&trial, OFlags::NONBLOCK)?;
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    assert!(end_of(&mut child)?.success());
    let count = |what: &str| text.matches(what).count();
    assert_eq!(count("] ui: ==> trial.t: a line of some length\n"), LINES);
    assert_eq!(count("==> trial.t: a line of some length\n"), 2 * LINES);
    Ok(())
}

#[test]
fn an_interrupt_ends_a_build_whose_output_nobody_reads() -> Result<()> {
    let trial = loud();
    let (mut child, reader) = into_pipe(&trial, OFlags::empty())?;
    let begun = Instant::now();
    // Full as soon as it says so; the child is not asked, since it could not answer.
    while rustix::io::ioctl_fionread(&reader)? < 60_000 {
        assert!(begun.elapsed() < LIMIT, "the output does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
    tools::output("kill", &["-TERM", &child.id().to_string()])?;
    assert_eq!(end_of(&mut child)?.code(), Some(1));
    drop(reader);
    let left = leftovers::of(&trial.kiln, Duration::from_secs(30));
    assert_eq!(left, Vec::<String>::new());
    Ok(())
}

#[test]
fn builds_may_open_more_files_than_the_user_and_scripts_may_not() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.pkr.hcl",
        r#"
source "null" "n" {
  communicator = "none"
  count        = 16
}
build {
  sources = ["null.n"]
  provisioner "shell-local" {
    inline = ["echo no more than $(ulimit -S -n) of $(ulimit -H -n)", "sleep 1"]
  }
}
"#,
    );
    let program = program_folder().join("kiln");
    let script = "ulimit -S -n 64; ulimit -H -n; exec \"$0\" build -color=false t.pkr.hcl";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(program);
    let finished = kiln.start_command(command)?.finish(LIMIT)?.success();
    let hard = finished.stdout.lines().next().unwrap_or_default();
    let said = format!("no more than 64 of {hard}");
    let count = finished.stdout.matches(&said).count();
    assert_eq!(count, 16, "{finished}");
    Ok(())
}

#[test]
fn the_log_on_a_terminal_does_not_repeat_the_output() -> Result<()> {
    let mut trial = Trial::with("", "provisioner \"trial\" { actions = [\"say:hello\"] }");
    trial.kiln.env("PACKER_LOG", "1");
    let words = ["build", "-color=false", "t.pkr.hcl"];
    let (code, text) = trial.terminal(&words)?.finish()?;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("[INFO] Packer version: "), "{text}");
    assert_eq!(text.matches("==> trial.t: hello").count(), 1, "{text}");
    let finished = trial.build(&[])?.success();
    let told = "[INFO] ui: ==> trial.t: hello";
    assert!(finished.stderr.contains(told), "{finished}");
    Ok(())
}

#[test]
fn a_log_that_is_off_leaves_the_display_on() -> Result<()> {
    let mut trial = Trial::with("", "");
    trial.kiln.env("PACKER_LOG", "0");
    let words = ["build", "-color=false", "t.pkr.hcl"];
    let (code, text) = trial.terminal(&words)?.finish()?;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("==> Timings:"), "{text}");
    Ok(())
}

#[test]
fn a_build_in_the_background_of_a_terminal_draws_nothing() -> Result<()> {
    let source = "  actions = [\"progress:percent:10:100:copying\", \"pause:500\"]";
    let trial = Trial::with(source, "");
    let command = trial.command(&[])?;
    let program = command.get_program().to_string_lossy().into_owned();
    let on_terminal = |script: &str| {
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait", "sh", "-c", script, &program]);
        Terminal::start(&trial.kiln, command)?.finish()
    };
    let build = "\"$0\" build -color=false t.pkr.hcl";
    let (code, text) = on_terminal(build)?;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("trial.t: copying ["), "{text:?}");
    // With jobs, as in an interactive shell.
    let (code, text) = on_terminal(&format!("set -m; {build} & wait $!"))?;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("Build 'trial.t' finished"), "{text:?}");
    assert!(!text.contains("copying"), "{text:?}");
    Ok(())
}

#[test]
fn the_answer_after_a_question_that_ended_by_itself_is_heard() -> Result<()> {
    let trial = Trial::with(
        "",
        r#"
  provisioner "breakpoint" {
    timeout           = "1s"
    continue_on_error = true
  }
  provisioner "trial" { actions = ["ask:and now?"] }
"#,
    );
    let mut terminal = trial.terminal(&["build", "-color=false", "t.pkr.hcl"])?;
    terminal.wait_for("Press enter to continue.")?;
    terminal.wait_for("and now?")?;
    terminal.press("yes\r")?;
    terminal.wait_for("answered yes")?;
    let (code, text) = terminal.finish()?;
    assert_eq!(code, 0, "{text}");
    Ok(())
}

#[test]
fn who_has_no_home_folder_builds_in_a_private_one() -> Result<()> {
    let mut kiln = Kiln::new();
    kiln.env("HOME", "/dev/null");
    kiln.env("PACKER_CACHE_DIR", "cache");
    kiln.write(
        "t.json",
        r#"{"builders": [{"type": "null", "communicator": "none"}]}"#,
    );
    drop(kiln.run(&["build", "t.json"])?.success());
    let found: Vec<_> = std::fs::read_dir(kiln.root().join("tmp"))?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].join("runs").is_dir(), "{found:?}");
    Ok(())
}

#[test]
fn plugins_that_cannot_be_asked_are_not_just_unknown() -> Result<()> {
    let kiln = Kiln::new();
    let state = kiln.root().join("home/.local/state/kiln");
    std::fs::create_dir_all(&state)?;
    std::fs::write(state.join("s"), "in the way of the folder of sockets")?;
    kiln.write(
        "t.json",
        r#"{"builders": [{"type": "null", "communicator": "none"}]}"#,
    );
    for command in ["build", "validate"] {
        let finished = kiln.run(&[command, "t.json"])?.failure();
        let reason = "it does not describe itself: cannot create folder";
        let said = finished.says("Plugin of kiln's own is not used");
        let unbroken = said.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(unbroken.contains(reason), "{said}");
    }
    Ok(())
}

#[test]
fn an_interrupt_at_a_data_source_leaves_nothing() -> Result<()> {
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let kiln = Kiln::new();
    let template = format!(
        "data \"http\" \"d\" {{ url = \"http://{}/x\" }}\nsource \"null\" \"n\" {{\n  \
         communicator = \"none\"\n}}\nbuild {{\n  name    = data.http.d.body\n  sources = \
         [\"null.n\"]\n}}\n",
        silent.local_addr()?
    );
    kiln.write("t.pkr.hcl", &template);
    for words in [
        "validate -evaluate-datasources",
        "plan -evaluate-datasources",
        "inspect",
    ] {
        let words: Vec<&str> = words.split(' ').chain(["t.pkr.hcl"]).collect();
        let running = kiln.start(&words)?;
        let asked = silent.accept()?;
        running.signal("INT")?;
        let finished = running.finish(LIMIT)?.failure();
        drop(finished.says("Cancelling build after receiving interrupt"));
        drop(asked);
        let left = leftovers::of(&kiln, Duration::from_secs(30));
        assert_eq!(left, Vec::<String>::new(), "{words:?}");
    }
    Ok(())
}

#[test]
fn a_signal_ends_commands_that_have_nothing_to_undo() -> Result<()> {
    for command in ["fix", "hcl2_upgrade"] {
        let kiln = Kiln::new();
        let template = kiln.work().join("t.json");
        tools::output("mkfifo", &[&template.display().to_string()])?;
        let running = kiln.start(&[command, "t.json"])?;
        // Opens when the command does, which reads it to an end that does not come.
        let writer = std::fs::OpenOptions::new().write(true).open(&template)?;
        running.signal("TERM")?;
        let finished = running.finish(LIMIT)?.failure();
        drop(finished.says("Cancelling build after receiving terminated"));
        drop(writer);
    }
    Ok(())
}
