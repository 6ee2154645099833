//! The fault suite: 500 seeded random moments at which the way between the SSH client and a real
//! server is cut, reset, stalled, half closed or slowed down, during commands, uploads and downloads.
//!
//! Every outcome must be success with the right bytes, or an error that says what broke; none may
//! hang, and none may leave a socket, a file that is open, or a process behind. Right after, the
//! machine must be usable again over the same proxy. `KILN_FAULT_SEED` repeats a run, and
//! `KILN_FAULT_MOMENTS` changes how many there are.

mod leaks;
mod moment;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use kiln_tests::fault::{Fault, FaultProxy};
use kiln_tests::sshd::Sshd;
use kiln_tests::{leftovers, tools};
use sdk_communicator::tree::{ReadOptions, read_local, write_local};
use sdk_communicator::{Command, Communicator, CommunicatorError, Exit, FileTarget, capture};
use sdk_ssh::{
    Address, CommunicatorConfig, Environment, Prepare, Settings, SshCommunicator, connect,
};
use tokio_util::sync::CancellationToken;

use self::leaks::{no_process_left, no_session_left, no_socket_left, open_files};
use self::moment::{Means, Moment, WORKS, Work, content, make_tree};

/// Moments in one run.
const MOMENTS: u64 = 500;
/// Moments at the same time.
const AT_ONCE: usize = 20;
/// Silence after which a connection counts as broken (`ssh_read_write_timeout`).
const SILENCE: Duration = Duration::from_secs(4);
/// How long one moment may take in all. A hang would be for ever; a loaded machine is slow.
const HANG: Duration = Duration::from_secs(100);

/// The servers, and a folder for everything.
struct Ground {
    with_tar: Sshd,
    without_tar: Sshd,
    folder: PathBuf,
}

impl Ground {
    fn new(folder: &Path) -> anyhow::Result<Self> {
        let inside = |name: &str| -> anyhow::Result<PathBuf> {
            let path = folder.join(name);
            std::fs::create_dir_all(&path)?;
            Ok(path)
        };
        let programs = inside("programs")?;
        for name in ["sh", "scp", "cat", "mkdir", "ln", "rm", "true", "ls"] {
            let program = ["/bin", "/usr/bin"]
                .iter()
                .map(|place| Path::new(place).join(name))
                .find(|path| path.is_file());
            let program = program.ok_or_else(|| anyhow::anyhow!("{name} is missing"))?;
            std::os::unix::fs::symlink(program, programs.join(name))?;
        }
        let path = format!("SetEnv PATH={}", programs.display());
        Ok(Self {
            with_tar: Sshd::start(&inside("with-tar")?)?,
            without_tar: Sshd::start_with(&inside("without-tar")?, &path)?,
            folder: inside("work")?,
        })
    }

    fn server(&self, means: Means) -> &Sshd {
        match means {
            Means::Usual | Means::Sftp => &self.with_tar,
            Means::OnlyScp | Means::OnlySftp => &self.without_tar,
        }
    }

    async fn connect(&self, moment: &Moment, port: u16) -> Result<SshCommunicator, String> {
        let server = self.server(moment.means);
        let mut config = CommunicatorConfig {
            ssh_username: server.user.clone(),
            ssh_private_key_file: server.key.display().to_string(),
            ssh_timeout: Duration::from_secs(60),
            ssh_read_write_timeout: SILENCE,
            ..CommunicatorConfig::default()
        };
        config.ssh_keep_alive_interval.nanos = 1_000_000_000;
        if matches!(moment.means, Means::Sftp | Means::OnlySftp) {
            "sftp".clone_into(&mut config.ssh_file_transfer_method);
        }
        let problems = config.prepare(&Prepare::default());
        assert!(problems.is_empty(), "{problems:?}");
        let settings = Settings::new(&config, &[], &Environment::default()).expect("a key");
        let address = Arc::new(Address {
            host: "127.0.0.1".to_owned(),
            port,
        });
        let never = CancellationToken::new();
        let connected = connect(settings, address, &never, &()).await;
        connected.map_err(|error| error.to_string())
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Success,
    Failure,
}

/// Path and content of every file below a folder.
fn picture(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut picture: Vec<_> = leftovers::files(root)
        .into_iter()
        .map(|path| {
            let content = std::fs::read(&path).unwrap_or_default();
            (path.strip_prefix(root).expect("below").to_owned(), content)
        })
        .collect();
    picture.sort();
    picture
}

/// Checks that an error says what happened, in words that lead somewhere.
fn judge_error(error: &CommunicatorError) -> Result<Outcome, String> {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    let known = matches!(
        error,
        CommunicatorError::Broken { .. } | CommunicatorError::Unreachable { .. }
    );
    if known && text.len() > 30 {
        Ok(Outcome::Failure)
    } else {
        Err(format!("an unclear error: {text} ({error:?})"))
    }
}

fn right(same: bool, what: &str) -> Result<Outcome, String> {
    if same {
        Ok(Outcome::Success)
    } else {
        Err(format!("FALSE SUCCESS: {what}"))
    }
}

/// One operation and the judgement of what came of it.
async fn work(moment: &Moment, machine: &SshCommunicator, own: &Path) -> Result<Outcome, String> {
    let bytes = content(moment.number, moment.size);
    let (here, there) = (own.join("here"), own.join("there"));
    let text = |path: &Path| path.display().to_string();
    let stored = |path: &Path| std::fs::read(path).unwrap_or_default();
    let fail = |error: std::io::Error| error.to_string();
    match moment.work {
        Work::Output => {
            std::fs::write(&here, &bytes).map_err(fail)?;
            let status = moment.status;
            let command = format!("cat {}; echo end >&2; exit {status}", text(&here));
            output(machine, Command::new(command), status, &bytes).await
        }
        Work::Input => {
            let command = Command {
                stdin: Some(Box::new(std::io::Cursor::new(bytes.clone()))),
                ..Command::new(format!("cat > {}; echo end >&2", text(&there)))
            };
            match output(machine, command, 0, b"").await? {
                Outcome::Success => right(stored(&there) == bytes, "input is missing"),
                failure => Ok(failure),
            }
        }
        Work::Upload => {
            let target = FileTarget {
                path: text(&there),
                mode: 0o640,
                size: moment
                    .number
                    .is_multiple_of(2)
                    .then_some(bytes.len() as u64),
            };
            let source = Box::new(std::io::Cursor::new(bytes.clone()));
            match machine.upload(target, source).await {
                Ok(count) => right(
                    count == bytes.len() as u64 && stored(&there) == bytes,
                    "the upload differs",
                ),
                Err(error) => judge_error(&error),
            }
        }
        Work::Download => {
            std::fs::write(&there, &bytes).map_err(fail)?;
            let sink = tokio::fs::File::create(&here).await.map_err(fail)?;
            match machine.download(&text(&there), Box::new(sink)).await {
                Ok(count) => right(
                    count == bytes.len() as u64 && stored(&here) == bytes,
                    "the download differs",
                ),
                Err(error) => judge_error(&error),
            }
        }
        Work::UploadTree => {
            make_tree(&here, moment.number, moment.size).map_err(|error| error.to_string())?;
            let entries = read_local(&here, ReadOptions::default());
            match machine.upload_tree(&text(&there), entries).await {
                Ok(_) => right(picture(&here) == picture(&there), "the tree differs"),
                Err(error) => judge_error(&error),
            }
        }
        Work::DownloadTree => {
            make_tree(&there, moment.number, moment.size).map_err(|error| error.to_string())?;
            let written = match machine.download_tree(&text(&there), &[]).await {
                Ok(entries) => write_local(entries, &here).await,
                Err(error) => Err(error),
            };
            match written {
                Ok(_) => right(picture(&here) == picture(&there), "the tree differs"),
                Err(error) => judge_error(&error),
            }
        }
    }
}

async fn output(
    machine: &SshCommunicator,
    command: Command,
    status: u32,
    expected: &[u8],
) -> Result<Outcome, String> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(16);
    let reading = async {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        while let Some(piece) = receiver.recv().await {
            match piece {
                sdk_communicator::Output::Stdout(bytes) => out.extend_from_slice(&bytes),
                sdk_communicator::Output::Stderr(bytes) => err.extend_from_slice(&bytes),
            }
        }
        (out, err)
    };
    let (exit, (out, err)) = tokio::join!(machine.exec(command, sender), reading);
    match exit {
        Ok(Exit::Code(0)) => right(
            // The user's own shell may complain first about what its machine lacks.
            status == 0 && out == expected && err.ends_with(b"end\n"),
            "output is missing",
        ),
        Ok(Exit::Code(code)) if code == status => Ok(Outcome::Success),
        Ok(Exit::Code(code)) => Err(format!("a wrong status: {code}")),
        Ok(Exit::Signal(name)) => Err(format!("a signal nobody sent: {name}")),
        Ok(Exit::Disconnected(seen)) if seen.len() > 10 => Ok(Outcome::Failure),
        Ok(Exit::Disconnected(seen)) => Err(format!("an unclear end: {seen}")),
        Err(error) => judge_error(&error),
    }
}

/// One moment until its fault has happened.
async fn live(ground: &Ground, mut moment: Moment) -> Result<(Moment, Outcome), String> {
    loop {
        let living = tokio::time::timeout(HANG, once(ground, moment)).await;
        let result = living.unwrap_or_else(|_| Err(format!("it HANGS: {HANG:?}")));
        let (outcome, happened) = result.map_err(|problem| format!("{problem}\n    {moment:?}"))?;
        if happened {
            return Ok((moment, outcome));
        }
        // The work took fewer bytes than that.
        moment.plan.after /= 2;
    }
}

/// A moment from its connection to the look at what is left of it; whether the fault happened.
async fn once(ground: &Ground, moment: Moment) -> Result<(Outcome, bool), String> {
    let own = ground.folder.join(format!("m{}", moment.number));
    std::fs::create_dir(&own).map_err(|error| error.to_string())?;
    let target = ground.server(moment.means).port;
    let proxy = FaultProxy::start(target, moment.plan);
    let proxy = proxy.await.map_err(|error| error.to_string())?;
    if moment.early {
        proxy.arm();
    }
    let machine = ground.connect(&moment, proxy.port).await?;
    proxy.arm();
    let outcome = work(&moment, &machine, &own).await?;
    let happened = proxy.happened();
    let must_succeed = !happened || (moment.plan.fault == Fault::Slow);
    if must_succeed && outcome == Outcome::Failure {
        return Err("it failed although nothing had happened".to_owned());
    }
    // Whatever happened, the next operation works.
    let again = capture(&machine, Command::new("echo again")).await;
    match again {
        Ok(run) if run.exit == Exit::Code(0) && run.stdout == "again\n" => {}
        // The fault may hit this one instead.
        Ok(run) if !happened && matches!(run.exit, Exit::Disconnected(_)) => {}
        Err(CommunicatorError::Broken { .. }) if !happened => {}
        other => return Err(format!("not usable afterwards: {other:?}")),
    }
    drop(machine);
    no_socket_left(proxy.port).await?;
    let open = open_files(&own);
    if !open.is_empty() {
        return Err(format!("still open: {open:?}"));
    }
    std::fs::remove_dir_all(&own).map_err(|error| error.to_string())?;
    Ok((outcome, happened))
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn every_fault_ends_in_success_or_in_a_clear_error() -> anyhow::Result<()> {
    if !tools::installed(&["sshd", "ssh-keygen"]) {
        return Ok(());
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let seed = number_from("KILN_FAULT_SEED").unwrap_or(now.as_secs());
    let moments = number_from("KILN_FAULT_MOMENTS").unwrap_or(MOMENTS);
    let folder = tempfile::Builder::new().prefix("kt-faults-").tempdir()?;
    let ground = Ground::new(folder.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()?;
    let lives = futures::stream::iter((0..moments).map(|number| {
        let (moment, ground) = (Moment::new(seed, number), &ground);
        live(ground, moment)
    }));
    let results: Vec<_> = runtime.block_on(lives.buffer_unordered(AT_ONCE).collect());
    let problems: Vec<&String> = results
        .iter()
        .filter_map(|one| one.as_ref().err())
        .collect();
    let lived: Vec<(Moment, Outcome)> = results.iter().flatten().copied().collect();
    let summary = format!("KILN_FAULT_SEED={seed}: {}", told(&lived));
    tools::note(&summary);
    assert!(problems.is_empty(), "{summary}\n{}", join(&problems));
    if moments >= MOMENTS {
        every_fault_hit_every_work(&lived);
    }
    drop(runtime);
    no_session_left(&[&ground.with_tar, &ground.without_tar]);
    drop(ground);
    no_process_left(folder.path());
    Ok(())
}

/// How often each fault happened, and how often the work got done in spite of it.
fn told(lived: &[(Moment, Outcome)]) -> String {
    let of_fault = |fault: Fault| {
        let these = lived.iter().filter(|one| one.0.plan.fault == fault);
        let well = these.clone().filter(|one| one.1 == Outcome::Success);
        format!(
            "{fault:?} {} times, {} survived",
            these.count(),
            well.count()
        )
    };
    let faults = Fault::ALL.map(of_fault).join("; ");
    format!("{} moments: {faults}", lived.len())
}

/// A seed that leaves something out is no test of it.
fn every_fault_hit_every_work(lived: &[(Moment, Outcome)]) {
    for fault in Fault::ALL {
        for work in WORKS {
            let hit = lived
                .iter()
                .any(|(moment, _)| moment.plan.fault == fault && moment.work == work);
            assert!(hit, "{fault:?} never happened during {work:?}");
        }
    }
}

fn join(problems: &[&String]) -> String {
    let lines: Vec<&str> = problems.iter().map(|text| text.as_str()).collect();
    lines.join("\n")
}
