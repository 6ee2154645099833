//! Where plugins are installed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What separates the folders of a list of them.
const LIST_SEPARATOR: char = if cfg!(windows) { ';' } else { ':' };

/// Why there is no folder for plugins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The variable names several folders.
    #[error(
        "PACKER_PLUGIN_PATH has to be one folder, and not a list of them; set one of{}",
        one_by_one(.0)
    )]
    SeveralFolders(String),
    /// The home folder is not known.
    #[error(
        "there is no folder for plugins: HOME is not set; set it, PACKER_CONFIG_DIR or \
         PACKER_PLUGIN_PATH"
    )]
    NoHome,
}

fn one_by_one(list: &str) -> String {
    let parts = list.split(LIST_SEPARATOR).filter(|part| !part.is_empty());
    parts
        .map(|part| format!("\n  PACKER_PLUGIN_PATH={part}"))
        .collect()
}

/// The folder that plugins are installed in; it need not exist. A relative one is as seen from
/// `working_dir`.
///
/// # Errors
///
/// [`TreeError`].
///
/// # Source
///
/// Packer 1.11 to 1.16: `PACKER_PLUGIN_PATH`, or `plugins` in the folder of its configuration, which
/// is `PACKER_CONFIG_DIR/.packer.d`, `~/.packer.d` when that exists, and else that of the XDG rules.
pub fn plugin_tree(
    environment: &BTreeMap<String, String>,
    working_dir: &Path,
) -> Result<PathBuf, TreeError> {
    let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    if let Some(path) = variable("PACKER_PLUGIN_PATH") {
        return match path.contains(LIST_SEPARATOR) {
            true => Err(TreeError::SeveralFolders(path.clone())),
            false => Ok(working_dir.join(path)),
        };
    }
    let old = if cfg!(windows) {
        "packer.d"
    } else {
        ".packer.d"
    };
    if let Some(folder) = variable("PACKER_CONFIG_DIR") {
        return Ok(working_dir.join(folder).join(old).join("plugins"));
    }
    let home = variable("HOME").map(|home| working_dir.join(home));
    let home = home.ok_or(TreeError::NoHome)?;
    let kept = home.join(old);
    let folder = match variable("XDG_CONFIG_HOME") {
        _ if kept.exists() => kept,
        Some(folder) => working_dir.join(folder).join("packer"),
        None => home.join(".config/packer"),
    };
    Ok(folder.join("plugins"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(variables: &[(&str, &str)]) -> Result<PathBuf, TreeError> {
        let pairs = variables.iter();
        let environment = pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        plugin_tree(&environment, Path::new("/w"))
    }

    fn check(variables: &[(&str, &str)], expected: &str) {
        assert_eq!(tree(variables).unwrap(), Path::new(expected));
    }

    #[test]
    fn the_tree_is_where_packer_has_it() {
        let home = ("HOME", "/h");
        check(&[home, ("PACKER_PLUGIN_PATH", "/p")], "/p");
        check(&[home, ("PACKER_PLUGIN_PATH", "p")], "/w/p");
        check(&[home, ("PACKER_CONFIG_DIR", "/c")], "/c/.packer.d/plugins");
        check(&[home, ("XDG_CONFIG_HOME", "/x")], "/x/packer/plugins");
        check(
            &[home, ("PACKER_PLUGIN_PATH", "")],
            "/h/.config/packer/plugins",
        );
    }

    #[test]
    fn an_old_configuration_folder_stays_in_use() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".packer.d")).unwrap();
        let text = home.path().to_str().unwrap();
        assert_eq!(
            tree(&[("HOME", text), ("XDG_CONFIG_HOME", "/x")]).unwrap(),
            home.path().join(".packer.d/plugins")
        );
    }

    #[test]
    fn lists_and_missing_homes_are_refused() {
        let error = tree(&[("PACKER_PLUGIN_PATH", "/a:/b")]).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("\n  PACKER_PLUGIN_PATH=/a\n  PACKER_PLUGIN_PATH=/b"),
            "{error}"
        );
        assert_eq!(tree(&[]).unwrap_err(), TreeError::NoHome);
    }
}
