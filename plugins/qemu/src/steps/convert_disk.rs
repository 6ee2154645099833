//! Makes the primary disk small.

use std::path::Path;
use std::time::Duration;

use kiln_sdk::{Failure, RunContext};

use super::create_disks::Tool;
use crate::config::QemuConfig;
use crate::driver::Driver;

/// Attempts while QEMU is still closing the image.
const ATTEMPTS: u32 = 10;

/// Rewrites the primary disk without its unused parts, compressed when the template asks for it.
pub(crate) async fn convert_disk<D: Driver>(
    cx: &RunContext,
    driver: &D,
    config: &QemuConfig,
    disk: &Path,
) -> Result<(), Failure> {
    if config.skip_compaction && !config.disk_compression {
        return Ok(());
    }
    cx.say("Converting hard drive...").await;
    let mut name = disk.as_os_str().to_owned();
    name.push(".convert");
    let target = Path::new(&name);
    let mut arguments = vec!["convert".to_owned(), "-p".to_owned()];
    if config.disk_compression {
        arguments.push("-c".to_owned());
    }
    arguments.extend(config.image_tool().convert);
    arguments.extend(["-O".to_owned(), config.format.clone()]);
    arguments.extend([disk.display().to_string(), target.display().to_string()]);
    let tool = Tool { cx, driver };
    for attempt in 1.. {
        match tool.try_run(&arguments, disk).await? {
            Ok(_) => break,
            Err(error) if error.is_locked_image() && attempt < ATTEMPTS => {
                cx.say(format!(
                    "The disk is still locked, trying again ({attempt} of {ATTEMPTS})"
                ))
                .await;
                let pause = Duration::from_secs(u64::from(attempt));
                cx.until_cancelled(tokio::time::sleep(pause)).await?;
            }
            Err(error) => return Err(Failure::from_error(&error)),
        }
    }
    std::fs::rename(target, disk).map_err(|error| {
        Failure::new(format!(
            "cannot replace `{}` by its conversion: {error}",
            disk.display()
        ))
    })
}
