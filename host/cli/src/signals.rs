//! Ctrl-C and SIGTERM: once for a clean end, twice for an end at once.

use std::time::Duration;

use host_ui::Ui;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::exit::FAILED;

/// Signals this soon after the first one are the same wish.
const ECHO: Duration = Duration::from_millis(500);

/// Watches for signals until the program ends. The first one cancels `cancel`, so that everything
/// is undone; the second ends the program, and its plugins undo what they made by themselves.
///
/// Differs: Packer swallows the second one.
pub fn watch(ui: &Ui, cancel: &CancellationToken) {
    let (ui, cancel) = (ui.clone(), cancel.clone());
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        tracing::warn!("signals cannot be watched");
        return;
    };
    tokio::spawn(async move {
        let name = next(&mut interrupt, &mut terminate).await;
        ui.error(&format!("Cancelling build after receiving {name}"));
        cancel.cancel();
        // A wrapper such as `timeout` or `make` passes on what the terminal sent already.
        let echoes = async {
            loop {
                next(&mut interrupt, &mut terminate).await;
            }
        };
        drop(tokio::time::timeout(ECHO, echoes).await);
        next(&mut interrupt, &mut terminate).await;
        ui.error("Stopping at once; plugins clean up by themselves in the background");
        crate::exit::now(FAILED);
    });
}

async fn next(interrupt: &mut Signal, terminate: &mut Signal) -> &'static str {
    tokio::select! {
        _ = interrupt.recv() => "interrupt",
        _ = terminate.recv() => "terminated",
    }
}
