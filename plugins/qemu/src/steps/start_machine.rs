//! Starts QEMU.

use std::path::Path;

use kiln_sdk::{Failure, Resource, RunContext};

use super::watch_machine::Running;
use crate::command_line::{Launch, Options, defaults, merge};
use crate::driver::{Driver, Machine, Service};
use crate::reclaim::PIDFILE;
use crate::record::Record;

/// Starts QEMU with the default options of `launch` and the template's own.
///
/// Two records keep a killed build from leaving QEMU behind: the file it writes its process number
/// to, on record before it starts, and then the process itself.
pub(crate) async fn start_machine<D: Driver>(
    cx: &RunContext,
    driver: &D,
    launch: &Launch<'_>,
    user: Options,
) -> Result<Running, Failure> {
    let config = launch.config;
    let from = if config.disk_image {
        "booting disk image"
    } else {
        "booting from CD-ROM"
    };
    cx.say(format!("Starting VM, {from}")).await;
    if config.headless {
        let (address, port) = (&launch.screen.address, launch.screen.port);
        cx.say(format!(
            "The VM runs without a window; its screen is at vnc://{address}:{port}"
        ))
        .await;
    }
    let arguments = merge(defaults(launch), user, &config.net_device);
    let service = Service {
        program: config.qemu_binary.clone(),
        arguments,
        ready: launch.pidfile.to_owned(),
    };
    let (machine, record) = announce_service(cx, &service, launch.pidfile, driver).await?;
    Ok(Running::new(
        machine,
        record,
        config.output_directory.clone().into(),
    ))
}

/// Starts a service that writes its process number to `pidfile`, with everything on record.
pub(crate) async fn announce_service<D: Driver>(
    cx: &RunContext,
    service: &Service,
    pidfile: &Path,
    driver: &D,
) -> Result<(Machine, Record), Failure> {
    let pidfile = Resource::of(PIDFILE, pidfile.display().to_string());
    let record = Record::from(cx.announce(pidfile).await?);
    let started = cx.until_cancelled(driver.start(service)).await;
    let machine = match started {
        Ok(Ok(machine)) => machine,
        Ok(Err(error)) => {
            record.release().await;
            return Err(Failure::from_error(&error));
        }
        Err(cancelled) => {
            // The service was killed when its start was given up.
            record.release().await;
            return Err(cancelled);
        }
    };
    if let Some(process) = machine.pid.and_then(Resource::process) {
        record.add(cx.announce(process).await?);
    }
    Ok((machine, record))
}
