//! Names of installed plugin executables.

use std::cmp::Ordering;
use std::fmt;

use host_template::Version;
use plugin_wire::handshake;

/// The major of Packer's plugin protocol that kiln's bridge speaks.
const PACKER_API_MAJOR: u64 = 5;
/// The highest minor of it.
const PACKER_API_MINOR: u64 = 0;

/// Whose protocol a plugin speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Packer's: `packer-plugin-NAME_v1.2.3_x5.0_linux_amd64`, run through the bridge.
    Packer,
    /// kiln's own: `kiln-plugin-NAME_v1.2.3_k1_linux_amd64`.
    Kiln,
}

impl Family {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Packer, Self::Kiln];

    /// What names begin with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Packer => "packer-plugin-",
            Self::Kiln => "kiln-plugin-",
        }
    }

    /// The version of the protocol as names have it, for an executable built for this program.
    #[must_use]
    pub fn api(self) -> String {
        match self {
            Self::Packer => format!("x{PACKER_API_MAJOR}.{PACKER_API_MINOR}"),
            Self::Kiln => format!("k{}", handshake::PROTOCOL_MAJOR),
        }
    }
}

/// An operating system and a processor, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// For example `linux`.
    pub os: String,
    /// For example `amd64`.
    pub arch: String,
}

impl Platform {
    /// The one this program runs on.
    #[must_use]
    pub fn current() -> Self {
        let os = match std::env::consts::OS {
            "macos" => "darwin",
            other => other,
        };
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            "powerpc64" => "ppc64",
            other => other,
        };
        Self {
            os: os.to_owned(),
            arch: arch.to_owned(),
        }
    }

    /// What executables' names end with: `.exe` on Windows.
    #[must_use]
    pub fn executable_suffix(&self) -> &'static str {
        if self.os == "windows" { ".exe" } else { "" }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.os, self.arch)
    }
}

/// The name of an installed executable, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// Whose protocol it speaks.
    pub family: Family,
    /// Its plugin: `amazon`.
    pub name: String,
    /// Its version, in canonical form.
    pub version: Version,
    /// Version of the protocol: `x5.0` or `k1`.
    pub api: String,
    /// What it runs on.
    pub platform: Platform,
}

/// Why a file is not the executable of a plugin that can be used here, as its name tells.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameProblem {
    /// It does not have the parts that Packer gives names.
    #[error(
        "its name is not of the form {}NAME_vVERSION_{}_OS_ARCH", .0.prefix(), .0.api()
    )]
    Form(Family),
    /// It was made for other machines.
    #[error("it was made for {made}, and this is {here}")]
    Platform {
        /// What it runs on.
        made: String,
        /// What this program runs on.
        here: Platform,
    },
    /// The version is no version, or written in another way than Packer writes versions.
    #[error("`{0}` in its name is not a version in canonical form, such as 1.2.3")]
    Version(String),
    /// The version has build metadata.
    #[error("its version has build metadata (`{0}`), which cannot be compared")]
    Metadata(String),
    /// It lies in the folder of plugins itself, so it has no source.
    #[error("it lies in the folder of plugins itself, and not below its source (HOST/OWNER/NAME)")]
    NoSource,
    /// It speaks a version of the protocol that kiln does not speak.
    #[error("it speaks version {found} of the plugin protocol, and kiln speaks {}", family.api())]
    Api {
        /// What it speaks.
        found: String,
        /// Whose protocol that is.
        family: Family,
    },
}

/// Whether a file may be the executable of a plugin, as its name begins and ends.
#[must_use]
pub fn is_plugin_name(name: &str) -> bool {
    Family::ALL
        .iter()
        .any(|family| name.starts_with(family.prefix()))
        && !name.ends_with(super::CHECKSUM_SUFFIX)
}

impl FileName {
    /// Takes a name apart; it has to be for `here`.
    ///
    /// # Errors
    ///
    /// The first [`NameProblem`]. Whether kiln speaks its protocol is asked with
    /// [`FileName::check_api`].
    ///
    /// # Source
    ///
    /// Packer 1.11 to 1.16; names without the part of the protocol make those versions crash.
    pub fn parse(name: &str, here: &Platform) -> Result<Self, NameProblem> {
        let family = match name.starts_with(Family::Kiln.prefix()) {
            true => Family::Kiln,
            false => Family::Packer,
        };
        let form = || NameProblem::Form(family);
        let rest = name.strip_prefix(family.prefix()).ok_or_else(form)?;
        let rest = rest.strip_suffix(".exe").unwrap_or(rest);
        let parts: Vec<&str> = rest.split('_').collect();
        let [plugin, version, api, os, arch] = parts.as_slice() else {
            return Err(form());
        };
        let version = version.strip_prefix('v').ok_or_else(form)?;
        if !is_name(plugin) || !api.starts_with(['x', 'k']) {
            return Err(form());
        }
        let platform = Platform {
            os: (*os).to_owned(),
            arch: (*arch).to_owned(),
        };
        let suffix = if name.ends_with(".exe") { ".exe" } else { "" };
        if platform != *here || suffix != here.executable_suffix() {
            return Err(NameProblem::Platform {
                made: platform.to_string(),
                here: here.clone(),
            });
        }
        Ok(Self {
            family,
            name: (*plugin).to_owned(),
            version: canonical(version)?,
            api: (*api).to_owned(),
            platform,
        })
    }

    /// Whether kiln speaks its protocol.
    ///
    /// # Errors
    ///
    /// [`NameProblem::Api`] when it does not.
    pub fn check_api(&self) -> Result<(), NameProblem> {
        match self.api_numbers() {
            Some((major, minor)) if speaks(self.family, major, minor) => Ok(()),
            _ => Err(NameProblem::Api {
                found: self.api.clone(),
                family: self.family,
            }),
        }
    }

    /// The order in which plugins are preferred: by name, then version, then protocol; of two that
    /// are the same in all that, kiln's own is preferred.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        self.name
            .cmp(&other.name)
            .then_with(|| self.version.compare(&other.version))
            .then_with(|| self.family.cmp(&other.family))
            .then_with(|| self.api_numbers().cmp(&other.api_numbers()))
    }

    fn api_numbers(&self) -> Option<(u64, u64)> {
        let number = |text: &str| text.parse::<u64>().ok();
        match self.family {
            Family::Packer => {
                let (major, minor) = self.api.strip_prefix('x')?.split_once('.')?;
                Some((number(major)?, number(minor)?))
            }
            Family::Kiln => Some((number(self.api.strip_prefix('k')?)?, 0)),
        }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{}_v{}_{}_{}{}",
            self.family.prefix(),
            self.name,
            self.version,
            self.api,
            self.platform,
            self.platform.executable_suffix()
        )
    }
}

/// Letters, digits and inner dashes.
fn is_name(name: &str) -> bool {
    let allowed = |c: char| c == '-' || c.is_alphanumeric();
    !name.is_empty() && name.chars().all(allowed)
}

fn canonical(text: &str) -> Result<Version, NameProblem> {
    if text.contains('+') {
        return Err(NameProblem::Metadata(text.to_owned()));
    }
    let version = Version::parse(text).map_err(|_| NameProblem::Version(text.to_owned()))?;
    match version.to_string() == text {
        true => Ok(version),
        false => Err(NameProblem::Version(text.to_owned())),
    }
}

fn speaks(family: Family, major: u64, minor: u64) -> bool {
    match family {
        Family::Packer => major == PACKER_API_MAJOR && (0..=PACKER_API_MINOR).contains(&minor),
        Family::Kiln => handshake::PROTOCOL_MAJORS
            .iter()
            .any(|known| u64::from(*known) == major),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linux() -> Platform {
        Platform {
            os: "linux".into(),
            arch: "amd64".into(),
        }
    }

    fn check(name: &str, expected: &str) {
        let parsed = FileName::parse(name, &linux());
        let found = match parsed.and_then(|name| name.check_api().map(|()| name)) {
            Ok(parsed) => {
                assert_eq!(parsed.to_string(), name);
                format!("{} {} {}", parsed.name, parsed.version, parsed.api)
            }
            Err(problem) => problem.to_string(),
        };
        assert!(found.starts_with(expected), "{name}: {found}");
    }

    #[test]
    fn names_are_taken_apart() {
        check(
            "packer-plugin-amazon_v1.2.3_x5.0_linux_amd64",
            "amazon 1.2.3 x5.0",
        );
        check(
            "packer-plugin-windows-update_v0.16.9-dev_x5.0_linux_amd64",
            "windows-update 0.16.9-dev x5.0",
        );
        check("kiln-plugin-oxide_v0.1.0_k1_linux_amd64", "oxide 0.1.0 k1");
    }

    #[test]
    fn names_in_another_form_are_refused() {
        for name in [
            "packer-plugin-amazon",
            "packer-plugin-amazon_v1.2.3_linux_amd64",
            "packer-plugin-amazon_1.2.3_x5.0_linux_amd64",
            "packer-plugin-_v1.2.3_x5.0_linux_amd64",
            "packer-plugin-a/b_v1.2.3_x5.0_linux_amd64",
            "kiln-plugin-qemu",
        ] {
            check(name, "its name is not of the form");
        }
    }

    #[test]
    fn versions_have_to_be_canonical() {
        for version in ["1.0", "001.00.010", "1.0.0.x", "1.0.0-"] {
            check(
                &format!("packer-plugin-a_v{version}_x5.0_linux_amd64"),
                &format!("`{version}` in its name is not a version"),
            );
        }
        check(
            "packer-plugin-a_v1.0.0+x_x5.0_linux_amd64",
            "its version has build metadata",
        );
    }

    #[test]
    fn other_platforms_and_protocols_are_refused() {
        check(
            "packer-plugin-a_v1.0.0_x5.0_darwin_arm64",
            "it was made for darwin_arm64, and this is linux_amd64",
        );
        check(
            "packer-plugin-a_v1.0.0_x5.0_linux_amd64.exe",
            "it was made for linux_amd64",
        );
        for api in ["x4.0", "x5.1", "x6.0", "x5", "xa.b", "k1"] {
            check(
                &format!("packer-plugin-a_v1.0.0_{api}_linux_amd64"),
                &format!("it speaks version {api} of the plugin protocol, and kiln speaks x5.0"),
            );
        }
        check(
            "kiln-plugin-a_v1.0.0_k9_linux_amd64",
            "it speaks version k9",
        );
    }
}
