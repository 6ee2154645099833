//! Protects the screen with a password.

use std::path::Path;

use kiln_sdk::{Failure, RunContext, Secret};
use rand::Rng;
use rand::distr::Alphanumeric;

use super::watch_machine::Running;
use crate::config::QemuConfig;
use crate::driver::qmp::Qmp;

/// VNC authentication uses no more, RFC 6143 7.2.2.
const LENGTH: usize = 8;

/// The screen's password: the template's, or a random one; none when the screen has none.
pub(crate) async fn screen_password(
    cx: &RunContext,
    config: &QemuConfig,
) -> Option<Secret<String>> {
    if !config.vnc_use_password {
        return None;
    }
    let password = match config.vnc_password.expose().as_str() {
        "" => rand::rng()
            .sample_iter(Alphanumeric)
            .take(LENGTH)
            .map(char::from)
            .collect(),
        password => password.to_owned(),
    };
    cx.secret(password.clone()).await;
    Some(Secret::new(password))
}

/// Tells QEMU the password; until then nobody can log in.
pub(crate) async fn protect_screen(
    cx: &RunContext,
    config: &QemuConfig,
    running: &Running,
    password: Option<&Secret<String>>,
) -> Result<(), Failure> {
    let Some(password) = password else {
        return Ok(());
    };
    let told = async {
        let mut qmp = Qmp::connect(Path::new(&config.qmp_socket_path)).await?;
        qmp.set_vnc_password(password.expose()).await
    };
    let told = running.during(cx, "its screen was protected", told).await?;
    told.map_err(|error| Failure::from_error(&error))
}
