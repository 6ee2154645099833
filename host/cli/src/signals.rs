//! Ctrl-C and SIGTERM: once for a clean end, twice for an end at once.

use std::sync::mpsc;
use std::time::Duration;

use host_ui::Ui;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::{self, FAILED};

/// Signals this soon after the first one are the same wish.
const ECHO: Duration = Duration::from_millis(500);
/// How long it may take to say what happens: nobody may be reading.
const TELL_LIMIT: Duration = Duration::from_millis(250);

/// Watches for signals until the program ends. The first one cancels `cancel`, so that everything
/// is undone; the second ends the program, and its plugins undo what they made by themselves.
///
/// Differs: Packer swallows the second one.
pub fn watch(ui: &Ui, cancel: &CancellationToken) {
    let cancel = cancel.clone();
    attend(ui, move || cancel.cancel());
}

/// As [`watch`], for a command that has nothing to undo: the first signal ends the program.
pub fn watch_for_end(ui: &Ui) {
    attend(ui, || exit::now(FAILED));
}

/// Watches for signals; `first` is done at the first one. A thread of its own does it, which nothing
/// keeps from it: those of the runtime may all wait for somebody who reads the output.
fn attend(ui: &Ui, first: impl FnOnce() + Send + 'static) {
    let ui = ui.clone();
    let (watching, is_watching) = mpsc::channel::<()>();
    let thread = std::thread::Builder::new().name("signals".to_owned());
    let started = thread.spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(take(&ui, first, watching)),
            Err(error) => tracing::warn!(%error, "signals cannot be watched"),
        }
    });
    match started {
        // It sends nothing: it drops its end as soon as no signal is missed any more.
        Ok(_) => drop(is_watching.recv()),
        Err(error) => tracing::warn!(%error, "signals cannot be watched"),
    }
}

async fn take(ui: &Ui, first: impl FnOnce(), watching: mpsc::Sender<()>) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        tracing::warn!("signals cannot be watched");
        return;
    };
    drop(watching);
    let name = next(&mut interrupt, &mut terminate).await;
    ui.hurry();
    tell(ui, format!("Cancelling build after receiving {name}"));
    first();
    // A wrapper such as `timeout` or `make` passes on what the terminal sent already.
    let echoes = async {
        loop {
            next(&mut interrupt, &mut terminate).await;
        }
    };
    drop(tokio::time::timeout(ECHO, echoes).await);
    next(&mut interrupt, &mut terminate).await;
    let text = "Stopping at once; plugins clean up by themselves in the background";
    tell(ui, text.to_owned());
    exit::now(FAILED);
}

/// Prints an error, without waiting long for somebody who reads it.
fn tell(ui: &Ui, text: String) {
    let ui = ui.clone();
    let (telling, told) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        ui.error(&text);
        drop(telling);
    });
    // It sends nothing: its end is dropped when all is told.
    let _told_or_not = told.recv_timeout(TELL_LIMIT);
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) -> &'static str {
    tokio::select! {
        _ = interrupt.recv() => "interrupt",
        _ = terminate.recv() => "terminated",
    }
}
