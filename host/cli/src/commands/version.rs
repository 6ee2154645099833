//! `kiln version`.

use host_ui::Ui;

use crate::{exit, version};

/// Prints the version. Programs get the Packer version whose behaviour this is, because that is what
/// scripts compare, and our own beside it.
pub fn run(ui: &Ui) -> u8 {
    ui.machine("", "version", &[version::PACKER]);
    ui.machine("", "version-prelease", &[""]);
    ui.machine("", "version-commit", &[""]);
    ui.machine("", "kiln-version", &[version::KILN]);
    ui.say(&format!(
        "Kiln v{} (runs templates for Packer v{})",
        version::KILN,
        version::PACKER
    ));
    exit::DONE
}
