//! The kind of system in the machine.

use sdk_config::{Diagnostic, Diagnostics, Field, PLACEHOLDER, Path, Type, Value};

/// The kind of system in the machine: what its shell, its paths and its tools look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum GuestOs {
    /// A POSIX shell, `/` in paths, `sudo`.
    #[default]
    Unix,
    /// `cmd.exe` and PowerShell.
    Windows,
}

/// # Source
///
/// Packer option `guest_os_type`: `unix` or `windows`, in any case.
impl Field for GuestOs {
    fn ty() -> Type {
        String::ty()
    }

    fn read(value: &Value, path: &Path, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(value, path, diagnostics)?;
        match text.to_ascii_lowercase().as_str() {
            "" | "unix" | PLACEHOLDER => Some(Self::Unix),
            "windows" => Some(Self::Windows),
            _ => {
                let detail = format!("`{path}` is `unix` or `windows`, not `{text}`.");
                diagnostics.push(
                    Diagnostic::error("Unknown kind of guest", detail)
                        .at(path.clone())
                        .hint("Write `unix` for everything that has a POSIX shell."),
                );
                None
            }
        }
    }
}
