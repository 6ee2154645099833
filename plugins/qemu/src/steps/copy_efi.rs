//! Finds the UEFI volumes and copies the one that is written to.

use std::path::{Path, PathBuf};

use kiln_sdk::{Failure, RunContext};

use crate::config::QemuConfig;

/// Name of the copied variables in the output directory.
pub(crate) const VARIABLES: &str = "efivars.fd";

/// Where distributions keep code and variables, the usual place first.
const PLACES: [(&str, &str); 6] = [
    (
        "/usr/share/OVMF/OVMF_CODE.fd",
        "/usr/share/OVMF/OVMF_VARS.fd",
    ),
    (
        "/usr/share/OVMF/OVMF_CODE_4M.fd",
        "/usr/share/OVMF/OVMF_VARS_4M.fd",
    ),
    (
        "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
        "/usr/share/edk2/x64/OVMF_VARS.4m.fd",
    ),
    (
        "/usr/share/edk2/ovmf/OVMF_CODE.fd",
        "/usr/share/edk2/ovmf/OVMF_VARS.fd",
    ),
    (
        "/usr/share/qemu/ovmf-x86_64-code.bin",
        "/usr/share/qemu/ovmf-x86_64-vars.bin",
    ),
    (
        "/opt/homebrew/share/qemu/edk2-x86_64-code.fd",
        "/opt/homebrew/share/qemu/edk2-i386-vars.fd",
    ),
];
const ARM_PLACES: [(&str, &str); 3] = [
    (
        "/usr/share/AAVMF/AAVMF_CODE.fd",
        "/usr/share/AAVMF/AAVMF_VARS.fd",
    ),
    (
        "/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw",
        "/usr/share/edk2/aarch64/vars-template-pflash.raw",
    ),
    (
        "/opt/homebrew/share/qemu/edk2-aarch64-code.fd",
        "/opt/homebrew/share/qemu/edk2-arm-vars.fd",
    ),
];

/// The UEFI volumes of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Firmware {
    /// Code, only read.
    pub(crate) code: PathBuf,
    /// Variables; a copy that belongs to the machine.
    pub(crate) vars: PathBuf,
}

/// Copies the variables into the output directory; none when the guest boots without UEFI.
pub(crate) async fn copy_efi(
    cx: &RunContext,
    config: &QemuConfig,
    output: &Path,
) -> Result<Option<Firmware>, Failure> {
    if !config.efi_boot {
        return Ok(None);
    }
    let (code, original) = volumes(config, &|path| Path::new(path).exists());
    for (path, option) in [
        (&code, "efi_firmware_code"),
        (&original, "efi_firmware_vars"),
    ] {
        if !path.exists() {
            return Err(Failure::new(format!(
                "the UEFI volume `{}` does not exist; install the firmware (on Debian and Ubuntu \
                 the package `ovmf`) or set `{option}`",
                path.display()
            ))
            .on(option));
        }
    }
    let vars = output.join(VARIABLES);
    let failed = |error: std::io::Error| {
        Failure::new(format!(
            "cannot copy the UEFI variables `{}` to `{}`: {error}",
            original.display(),
            vars.display()
        ))
    };
    cx.until_cancelled(tokio::fs::copy(&original, &vars))
        .await?
        .map_err(failed)?;
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(0o660);
    tokio::fs::set_permissions(&vars, mode)
        .await
        .map_err(failed)?;
    Ok(Some(Firmware { code, vars }))
}

/// The volumes the template names, or the first pair that is there.
fn volumes(config: &QemuConfig, exists: &dyn Fn(&str) -> bool) -> (PathBuf, PathBuf) {
    let (code, vars) = (&config.efi_firmware_code, &config.efi_firmware_vars);
    let arm = config.qemu_binary.contains("aarch64");
    let places: &[(&str, &str)] = if arm { &ARM_PLACES } else { &PLACES };
    let usual = PLACES[0];
    let pair = if code.is_empty() && vars.is_empty() {
        places
            .iter()
            .find(|(code, vars)| exists(code) && exists(vars))
            .copied()
            .unwrap_or(usual)
    } else {
        usual
    };
    let given = |option: &String, place: &str| {
        PathBuf::from(if option.is_empty() {
            place
        } else {
            option.as_str()
        })
    };
    (given(code, pair.0), given(vars, pair.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: (&str, &str), there: &[&str], expected: (&str, &str)) {
        let config = QemuConfig {
            efi_firmware_code: options.0.into(),
            efi_firmware_vars: options.1.into(),
            ..QemuConfig::default()
        };
        let found = volumes(&config, &|path| there.contains(&path));
        assert_eq!(found, (expected.0.into(), expected.1.into()), "{there:?}");
    }

    #[test]
    fn the_usual_place_comes_first_and_others_when_it_is_missing() {
        let usual = (
            "/usr/share/OVMF/OVMF_CODE.fd",
            "/usr/share/OVMF/OVMF_VARS.fd",
        );
        let large = (
            "/usr/share/OVMF/OVMF_CODE_4M.fd",
            "/usr/share/OVMF/OVMF_VARS_4M.fd",
        );
        check(("", ""), &[usual.0, usual.1, large.0, large.1], usual);
        check(("", ""), &[large.0, large.1], large);
        check(("", ""), &[], usual);
    }

    #[test]
    fn what_the_template_names_is_never_replaced() {
        check(("/c", "/v"), &[], ("/c", "/v"));
        check(
            ("/c", ""),
            &["/usr/share/OVMF/OVMF_VARS_4M.fd"],
            ("/c", "/usr/share/OVMF/OVMF_VARS.fd"),
        );
    }
}
