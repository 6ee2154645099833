//! Creates the output directory.

use std::path::PathBuf;
use std::time::Duration;

use kiln_sdk::{Failure, Resource, RunContext};

use super::make_workspace::remove_folder;
use crate::config::QemuConfig;
use crate::record::Record;

/// Attempts to remove the directory; a dying QEMU may still write into it.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);
/// The file that shows that the directory can be written to.
const PROBE: &str = "_packer_perm_check";

/// The output directory.
#[derive(Debug)]
pub(crate) struct Output {
    /// As the template names it.
    pub(crate) path: PathBuf,
    record: Record,
}

impl Output {
    /// Removes it.
    pub(crate) async fn delete(&self, cx: &RunContext) -> Result<(), Failure> {
        cx.say("Deleting output directory...").await;
        for attempt in 1.. {
            match remove_folder(&self.path).await {
                Ok(()) => break,
                Err(failure) if attempt == ATTEMPTS => return Err(failure),
                Err(failure) => {
                    tracing::warn!(
                        attempt,
                        error = failure.message,
                        "an output directory stays"
                    );
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        Ok(())
    }

    /// Takes it off the record: it is gone, or holds the artifact now.
    pub(crate) async fn release(&self) {
        self.record.release().await;
    }
}

/// Creates the directory; with `-force` an old one is removed first.
pub(crate) async fn create_output(cx: &RunContext, config: &QemuConfig) -> Result<Output, Failure> {
    let path = PathBuf::from(&config.output_directory);
    let shown = path.display();
    if path.exists() {
        if !cx.build().force {
            return Err(Failure::new(format!(
                "Output directory exists: {shown}\n\nUse the force flag to delete it prior to building."
            ))
            .on("output_directory"));
        }
        cx.say("Deleting previous output directory...").await;
        remove_folder(&path).await?;
    }
    let absolute = std::path::absolute(&path)
        .map_err(|error| Failure::new(format!("cannot find `{shown}`: {error}")))?;
    let held = cx.announce(Resource::directory(&absolute)).await?;
    let probe = path.join(PROBE);
    let tried = std::fs::create_dir_all(&path)
        .and_then(|()| std::fs::write(&probe, ""))
        .and_then(|()| std::fs::remove_file(&probe));
    let output = Output {
        path: path.clone(),
        record: held.into(),
    };
    match tried {
        Ok(()) => Ok(output),
        Err(error) => {
            match output.delete(cx).await {
                Ok(()) => output.release().await,
                Err(failure) => {
                    tracing::warn!(error = failure.message, "an output directory stays");
                }
            }
            Err(Failure::new(format!(
                "cannot write to the output directory `{shown}`: {error}; choose another `output_directory`"
            ))
            .on("output_directory"))
        }
    }
}
