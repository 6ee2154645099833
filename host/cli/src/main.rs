//! The kiln program: arguments, exit status, signals.
//!
//! [`arguments`] reads the command line, [`world`] the environment; one module under `commands`
//! does each command, and [`complete`] what shells ask while a command line is typed. Everything printed goes through `host_ui::Ui`, except the text that `fmt`
//! formats.

mod arguments;
mod commands;
mod complete;
mod confined;
mod exit;
mod installing;
mod logging;
mod needed;
mod sbom_generate;
mod signals;
mod template;
mod template_files;
mod version;
mod world;

use std::io::Write;
use std::process::ExitCode;

use host_ui::{Outlet, Patience, Redactor, Ui};

use crate::arguments::{Parsed, PluginsRequest, Request};
use crate::logging::Log;
use crate::world::World;

// Large templates are many small values: a third of the time of `plan` went to the C library's heap.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if let Some(question) = complete::question() {
        complete::answer(question);
        return ExitCode::SUCCESS;
    }
    if let Some(failure) = confined::become_plugin().or_else(sbom_generate::become_plugin) {
        return failure;
    }
    host_plugin_client::raise_open_files();
    let redactor = Redactor::default();
    let patience = Patience::default();
    let world = match World::read() {
        Ok(world) => world,
        Err(error) => return early_failure(&error),
    };
    let parsed = arguments::parse(&world.words);
    let wish = logging::Wish {
        on: world.wants_log(),
        beside_output: world.shows_stderr(),
        path: world.variable("PACKER_LOG_PATH"),
        has_runs: matches!(&parsed, Parsed::Run(request) if matches!(**request, Request::Build(_))),
    };
    let log = match Log::start(wish, &redactor, &patience) {
        Ok(log) => log,
        Err(error) => return early_failure(&error),
    };
    let (kiln, packer, os) = (version::KILN, version::PACKER, std::env::consts::OS);
    tracing::info!(
        "Packer version: {packer} [kiln {kiln} {os} {}]",
        std::env::consts::ARCH
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return early_failure(&error),
    };
    let ui = Ui::new(world.mode(), redactor, &patience);
    let work = std::panic::AssertUnwindSafe(|| runtime.block_on(run(&world, &ui, parsed, &log)));
    // The panic itself has been printed; plugins see the closed input and clean up.
    let status = std::panic::catch_unwind(work).unwrap_or_else(|_| {
        let text = "kiln failed because of a bug of its own; please report what stands above";
        drop(writeln!(std::io::stderr(), "{text}"));
        exit::BUG
    });
    ExitCode::from(status)
}

async fn run(world: &World, ui: &Ui, parsed: Parsed, log: &Log) -> u8 {
    let status = Box::pin(carry_out(world, ui, parsed, log)).await;
    let Some(failure) = ui.write_failure() else {
        return status;
    };
    // There is nowhere else to report it.
    let text = format!("kiln: its output could not be written: {failure}\n");
    let mut stderr = Outlet::new(std::io::stderr(), ui.patience().clone());
    drop(stderr.write_all(text.as_bytes()));
    if status == exit::DONE {
        exit::FAILED
    } else {
        status
    }
}

async fn carry_out(world: &World, ui: &Ui, parsed: Parsed, log: &Log) -> u8 {
    if matches!(&parsed, Parsed::Run(request) if has_nothing_to_undo(request)) {
        signals::watch_for_end(ui);
    }
    match parsed {
        Parsed::Run(request) => match *request {
            Request::Build(arguments) => commands::build::run(world, ui, arguments, log).await,
            Request::Console(arguments) => commands::console::run(world, ui, arguments).await,
            Request::Fix(arguments) => commands::fix::run(world, ui, &arguments),
            Request::Fmt(arguments) => commands::fmt::run(ui, &arguments),
            Request::Gc => commands::gc::run(world, ui).await,
            Request::Hcl2Upgrade(arguments) => {
                commands::hcl2_upgrade::run(world, ui, &arguments).await
            }
            Request::Init(arguments) => commands::init::run(world, ui, &arguments).await,
            Request::Inspect(arguments) => commands::inspect::run(world, ui, arguments).await,
            Request::Lsp(arguments) => commands::lsp::run(world, &arguments).await,
            Request::Plan(arguments) => commands::plan::run(world, ui, arguments).await,
            Request::Plugins(arguments) => commands::plugins::run(world, ui, arguments).await,
            Request::Validate(arguments) => commands::validate::run(world, ui, arguments).await,
            Request::VerifyAttestation(arguments) => {
                commands::verify_attestation::run(world, ui, &arguments)
            }
            Request::Version => commands::version::run(ui),
        },
        Parsed::Help(help) => {
            ui.say(help.trim_end());
            exit::DONE
        }
        Parsed::Usage(text) if arguments::asks_for_events(&world.words) => {
            commands::build::refused(world, ui, text.trim_end())
        }
        Parsed::Usage(text) => {
            ui.error(text.trim_end());
            exit::FAILED
        }
        Parsed::InstallCompletion => complete::install(world, ui),
        Parsed::UninstallCompletion => complete::uninstall(world, ui),
        Parsed::NoCommand(help) => {
            ui.say(help.trim_end());
            exit::NO_COMMAND
        }
    }
}

/// Whether a command may end at a signal; others watch for signals themselves, and some leave them
/// to the system, as in Packer.
fn has_nothing_to_undo(request: &Request) -> bool {
    match request {
        Request::Fix(_) | Request::Hcl2Upgrade(_) | Request::VerifyAttestation(_) => true,
        Request::Plugins(arguments) => !matches!(arguments.command, PluginsRequest::Install(_)),
        _ => false,
    }
}

/// Reports a failure that comes before there is any output: the only use of standard error besides
/// the log.
fn early_failure(error: &dyn std::error::Error) -> ExitCode {
    let mut text = format!("kiln: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    // There is nowhere else to report it.
    drop(writeln!(std::io::stderr(), "{text}"));
    ExitCode::from(exit::FAILED)
}
