//! The mini Debian installer, made once.

use std::path::PathBuf;
use std::sync::OnceLock;

use crate::kiln::project;
use crate::tools;

/// Folder with `mini-debian.iso` and `http/`; made when missing, which takes two minutes. `None`
/// when the tools for that are missing.
///
/// # Panics
///
/// When it cannot be made.
pub fn mini_debian() -> Option<PathBuf> {
    static MADE: OnceLock<()> = OnceLock::new();
    let programs = [
        "qemu-system-x86_64",
        "qemu-img",
        "mmdebstrap",
        "xorriso",
        "busybox",
        "sshpass",
    ];
    if !tools::installed(&programs) {
        return None;
    }
    let folder = project().join("target/fixtures/mini-debian");
    MADE.get_or_init(|| {
        let script = project().join("tests/fixtures/mini-debian/build");
        let arguments = [folder.to_str().expect("the project's path is UTF-8")];
        let script = script.to_str().expect("the project's path is UTF-8");
        tools::output(script, &arguments).expect("the fixture builds");
    });
    Some(folder)
}
