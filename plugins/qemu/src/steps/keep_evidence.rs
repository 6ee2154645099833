//! Keeps what shows why a build failed.

use std::path::Path;
use std::time::Duration;

use kiln_sdk::RunContext;
use kiln_sdk::Secret;
use kiln_sdk::vnc::{ConnectOptions, VncClient};

use super::watch_machine::Running;
use crate::command_line::Screen;

/// A hanging guest must not hold up the cleanup.
const LIMIT: Duration = Duration::from_secs(5);

/// Copies the guest's serial output and a picture of its screen into the folder `evidence` of the
/// run. What cannot be kept is only logged: the build has failed already.
pub(crate) async fn keep_evidence(
    cx: &RunContext,
    running: &Running,
    screen: &Screen,
    password: Option<&Secret<String>>,
    serial: Option<&Path>,
) {
    let run_dir = &cx.build().run_dir;
    if run_dir.as_os_str().is_empty() || cx.cancel().is_cancelled() {
        return;
    }
    let folder = run_dir.join("evidence");
    if let Err(error) = std::fs::create_dir_all(&folder) {
        tracing::warn!(path = %folder.display(), %error, "evidence cannot be kept");
        return;
    }
    if let Some(serial) = serial
        && std::fs::metadata(serial).is_ok_and(|facts| facts.len() > 0)
        && let Err(error) = std::fs::copy(serial, folder.join("serial.log"))
    {
        tracing::warn!(%error, "the serial log cannot be kept");
    }
    if running.ended().is_some() {
        return;
    }
    let options = ConnectOptions {
        password: password.cloned(),
        limit: LIMIT,
        ..ConnectOptions::default()
    };
    let picture = async {
        let address = format!("{}:{}", screen.address, screen.port);
        VncClient::connect(&address, &options)
            .await?
            .screenshot()
            .await
    };
    match tokio::time::timeout(LIMIT, picture).await {
        Ok(Ok(picture)) => {
            if let Err(error) = std::fs::write(folder.join("screen.png"), picture) {
                tracing::warn!(%error, "the picture of the screen cannot be kept");
            }
        }
        Ok(Err(error)) => tracing::info!(%error, "the screen cannot be seen"),
        Err(_) => tracing::info!("the screen cannot be seen in time"),
    }
}
