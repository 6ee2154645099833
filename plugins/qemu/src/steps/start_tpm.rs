//! Starts the TPM emulator.

use std::path::PathBuf;

use kiln_sdk::{Failure, RunContext};

use super::make_workspace::Workspace;
use super::start_machine::announce_service;
use crate::config::QemuConfig;
use crate::driver::{Driver, Machine, Service};
use crate::record::Record;

/// A running TPM emulator.
#[derive(Debug)]
pub(crate) struct Tpm {
    /// The socket QEMU talks to.
    pub(crate) socket: PathBuf,
    emulator: Machine,
    record: Record,
}

impl Tpm {
    /// Ends it; it also ends by itself with QEMU's connection.
    pub(crate) async fn undo(&self) -> Result<(), Failure> {
        self.emulator.kill().await;
        self.record.release().await;
        Ok(())
    }
}

/// Starts the emulator and waits for its socket; none when the template has no TPM.
pub(crate) async fn start_tpm<D: Driver>(
    cx: &RunContext,
    driver: &D,
    config: &QemuConfig,
    workspace: &Workspace,
) -> Result<Option<Tpm>, Failure> {
    if !config.vtpm {
        return Ok(None);
    }
    let state = workspace.file("tpm");
    std::fs::create_dir_all(&state)
        .map_err(|error| Failure::new(format!("cannot create `{}`: {error}", state.display())))?;
    let (socket, pidfile) = (state.join("vtpm.sock"), workspace.file("swtpm.pid"));
    let mut arguments = vec![
        "socket".to_owned(),
        "--tpmstate".to_owned(),
        format!("dir={}", state.display()),
        "--ctrl".to_owned(),
        format!("type=unixio,path={}", socket.display()),
        "--pid".to_owned(),
        format!("file={}", pidfile.display()),
    ];
    if !config.use_tpm1 {
        arguments.push("--tpm2".to_owned());
    }
    let service = Service {
        program: "swtpm".to_owned(),
        arguments,
        ready: socket.clone(),
    };
    let started = announce_service(cx, &service, &pidfile, driver);
    let (emulator, record) = started.await?;
    Ok(Some(Tpm {
        socket,
        emulator,
        record,
    }))
}
