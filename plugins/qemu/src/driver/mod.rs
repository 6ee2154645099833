//! The programs that do the work: QEMU, `qemu-img` and `swtpm`.
//!
//! Here are the [`Driver`] trait, its real implementation ([`Installed`]) and a recording one for
//! tests, the running machine ([`Machine`]) and the control protocol ([`qmp`]). Not here: which
//! arguments they get (`command_line`, `steps`).

mod error;
mod installed;
mod machine;
mod output;
pub(crate) mod qmp;
#[cfg(test)]
pub(crate) mod recording;
mod version;

use std::path::{Path, PathBuf};

pub(crate) use error::{DriverError, advice};
pub(crate) use installed::Installed;
pub(crate) use machine::{Ended, Machine};
pub(crate) use version::Version;

use crate::config::Accelerator;

/// A program that serves the machine as long as the build runs: QEMU itself or the TPM emulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// Its executable, a name looked up in `PATH` or a path.
    pub(crate) program: String,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// The file that it makes when it is ready.
    pub(crate) ready: PathBuf,
}

/// What the builder needs from the programs.
pub(crate) trait Driver: Send + Sync + 'static {
    /// The version of QEMU.
    ///
    /// # Errors
    ///
    /// When it is missing or does not tell.
    fn version(&self, program: &str) -> impl Future<Output = Result<Version, DriverError>> + Send;

    /// Whether QEMU can run a guest with `accelerator` here, found out by trying.
    fn accelerates(
        &self,
        program: &str,
        accelerator: Accelerator,
    ) -> impl Future<Output = bool> + Send;

    /// Runs `qemu-img` and returns what it prints. `progress` hears of hundredths of the whole.
    ///
    /// # Errors
    ///
    /// When it is missing or fails. Dropping the future ends the program.
    fn image_tool(
        &self,
        arguments: &[String],
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> impl Future<Output = Result<String, DriverError>> + Send;

    /// Starts a service in a process group of its own and waits until it is ready or has ended.
    ///
    /// # Errors
    ///
    /// When it is missing, does not start, or ends with a failure right away.
    fn start(&self, service: &Service)
    -> impl Future<Output = Result<Machine, DriverError>> + Send;
}

/// The package that holds `program` on Debian and Ubuntu, for messages.
pub(crate) fn package(program: &str) -> Option<&'static str> {
    let name = Path::new(program).file_name()?.to_str()?;
    match name {
        "qemu-img" => return Some("qemu-utils"),
        "swtpm" => return Some("swtpm"),
        _ => {}
    }
    Some(match name.strip_prefix("qemu-system-")? {
        "x86_64" | "i386" => "qemu-system-x86",
        "aarch64" | "arm" => "qemu-system-arm",
        "ppc" | "ppc64" | "ppc64le" => "qemu-system-ppc",
        "mips" | "mipsel" | "mips64" | "mips64el" => "qemu-system-mips",
        "sparc" | "sparc64" => "qemu-system-sparc",
        _ => "qemu-system-misc",
    })
}
