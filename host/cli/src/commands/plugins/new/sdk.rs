//! Where a new plugin has kiln's SDK from.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::version;
use crate::world::World;

/// The crates, and their folders in a checkout.
const CRATES: [(&str, &str); 2] = [
    ("kiln-sdk", "sdk/facade"),
    ("kiln-sdk-test-kit", "sdk/test-kit"),
];
/// What the files have instead, which is right where they are.
const RELATIVE: &str = "../../../../../";

/// Where kiln's SDK is.
#[derive(Debug)]
pub(super) enum Sdk {
    /// In a checkout.
    Checkout(PathBuf),
    /// In a git repository.
    Git(String),
    /// In the registry.
    Version(String),
}

impl Sdk {
    /// What `wish` says. Without one, the checkout that this program was built in, or the version
    /// that goes with this program.
    pub(super) fn find(wish: Option<&str>, world: &World) -> Result<Self, String> {
        let Some(wish) = wish else {
            // An installed program may lie anywhere; what it was built from may still be there.
            let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
            let above = world.executable.ancestors().skip(1);
            let mut above = above.chain(sources.ancestors());
            let checkout = above.find(|folder| is_checkout(folder));
            return Ok(match checkout {
                Some(folder) => Self::Checkout(folder.to_path_buf()),
                None => Self::Version(version::KILN.to_owned()),
            });
        };
        if wish.contains("://") || wish.starts_with("git@") {
            return Ok(Self::Git(wish.to_owned()));
        }
        if is_version(wish) {
            return Ok(Self::Version(wish.to_owned()));
        }
        let folder = world.working_dir.join(wish);
        let folder = folder
            .canonicalize()
            .map_err(|error| format!("there is no SDK in `{wish}`: {error}"))?;
        let checkout = folder.ancestors().take(3).find(|above| is_checkout(above));
        let checkout = checkout.map(|above| Self::Checkout(above.to_path_buf()));
        checkout.ok_or_else(|| {
            format!(
                "there is no SDK in `{}`: -sdk takes the folder of kiln's sources (the one with \
                 `sdk/facade`), the URL of a git repository, or a version.",
                folder.display()
            )
        })
    }

    /// A manifest with the dependencies filled in.
    pub(super) fn fill(&self, manifest: &str) -> String {
        let mut text = manifest.to_owned();
        for (name, folder) in CRATES {
            let old = format!("{name} = {{ path = \"{RELATIVE}{folder}\" }}");
            let new = match self {
                Self::Checkout(root) => {
                    let path = root.join(folder).display().to_string();
                    format!("{name} = {{ path = {} }}", quoted(&path))
                }
                Self::Git(url) => format!("{name} = {{ git = {} }}", quoted(url)),
                Self::Version(version) => format!("{name} = {}", quoted(version)),
            };
            text = text.replace(&old, &new);
        }
        text
    }
}

impl fmt::Display for Sdk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkout(root) => write!(f, "that of {}", root.display()),
            Self::Git(url) => write!(f, "that of {url}"),
            Self::Version(version) => write!(
                f,
                "version {version} of the registry; -sdk takes a checkout or a git repository \
                 instead"
            ),
        }
    }
}

fn is_checkout(folder: &Path) -> bool {
    CRATES
        .iter()
        .all(|(_, inner)| folder.join(inner).join("Cargo.toml").is_file())
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "kiln-sdk = { path = \"../../../../../sdk/facade\" }\n\
                            kiln-sdk-test-kit = { path = \"../../../../../sdk/test-kit\" }\n";

    fn check(sdk: &Sdk, expected: &str) {
        assert_eq!(sdk.fill(MANIFEST), expected);
    }

    #[test]
    fn the_dependencies_are_filled_in() {
        check(
            &Sdk::Checkout(PathBuf::from("/src/a \"b\"")),
            "kiln-sdk = { path = \"/src/a \\\"b\\\"/sdk/facade\" }\n\
             kiln-sdk-test-kit = { path = \"/src/a \\\"b\\\"/sdk/test-kit\" }\n",
        );
        check(
            &Sdk::Git("https://git.example/kiln".to_owned()),
            "kiln-sdk = { git = \"https://git.example/kiln\" }\n\
             kiln-sdk-test-kit = { git = \"https://git.example/kiln\" }\n",
        );
        check(
            &Sdk::Version("0.1.0".to_owned()),
            "kiln-sdk = \"0.1.0\"\nkiln-sdk-test-kit = \"0.1.0\"\n",
        );
    }
}
