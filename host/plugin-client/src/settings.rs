//! Where kiln's folders are and what data sources are told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::isolation::Isolation;
use crate::session::BuildInfo;

/// Where kiln's folders are and what data sources are told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Folders with plugin executables; the first one that has a name wins.
    pub plugin_folders: Vec<PathBuf>,
    /// The folder that other plugins are installed in, when there is one; see
    /// [`crate::tree::plugin_tree`].
    pub plugin_tree: Option<PathBuf>,
    /// Folder of the descriptions of plugins; made when needed.
    pub description_folder: PathBuf,
    /// Folder that has one folder for each run; made when needed.
    pub run_folder: PathBuf,
    /// Folder for sockets; its path is short, because that of a socket may have 107 bytes only.
    pub socket_folder: PathBuf,
    /// Folder that outlives runs and is shared between them, for downloads.
    pub cache_folder: PathBuf,
    /// Which plugins are confined.
    pub isolation: Isolation,
    /// Facts that data sources are told; they belong to no build.
    pub facts: BuildInfo,
}

/// A longer socket folder leaves too little room for the socket's own name.
const SOCKET_FOLDER_LIMIT: usize = 50;

impl Settings {
    /// The usual places: plugins beside the host's executable and in `../libexec/kiln` as seen from
    /// it, everything else as the XDG rules say.
    ///
    /// # Source
    ///
    /// XDG Base Directory Specification 0.8; `PACKER_CACHE_DIR` as Packer reads it.
    #[must_use]
    pub fn from_environment(executable: &Path, environment: &BTreeMap<String, String>) -> Self {
        let variable = |name: &str| {
            environment
                .get(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        let temp = absolute("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
        let home = absolute("HOME").unwrap_or_else(|| temp.clone());
        let cache = absolute("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
        let state = absolute("XDG_STATE_HOME").unwrap_or_else(|| home.join(".local/state"));
        let short = |path: &PathBuf| path.as_os_str().len() <= SOCKET_FOLDER_LIMIT;
        let runtime = absolute("XDG_RUNTIME_DIR").filter(|path| path.is_dir());
        // Confined plugins may change what is in temporary folders, but not what is in these.
        let own = state.join("kiln");
        let sockets = [runtime, Some(own.join("s")), Some(temp)];
        let socket_folder = sockets.into_iter().flatten().find(short);
        Self {
            plugin_folders: beside(executable),
            plugin_tree: None,
            description_folder: own.join("descriptions"),
            run_folder: own.join("runs"),
            socket_folder: socket_folder.unwrap_or_else(|| PathBuf::from("/tmp")),
            cache_folder: variable("PACKER_CACHE_DIR").unwrap_or_else(|| cache.join("packer")),
            isolation: Isolation::from_environment(executable, environment, &own),
            facts: BuildInfo::default(),
        }
    }
}

fn beside(executable: &Path) -> Vec<PathBuf> {
    let Some(folder) = executable.parent() else {
        return Vec::new();
    };
    let installed = folder.parent().map(|prefix| prefix.join("libexec/kiln"));
    installed
        .into_iter()
        .chain([folder.to_path_buf()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        let environment = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::from_environment(Path::new("/usr/bin/kiln"), &environment.collect())
    }

    #[test]
    fn plugins_are_beside_the_host() {
        let folders = settings(&[]).plugin_folders;
        assert_eq!(
            folders,
            [Path::new("/usr/libexec/kiln"), Path::new("/usr/bin")]
        );
    }

    #[test]
    fn folders_follow_the_environment() {
        let found = settings(&[("HOME", "/home/a"), ("PACKER_CACHE_DIR", "cache")]);
        assert_eq!(
            found.run_folder,
            Path::new("/home/a/.local/state/kiln/runs")
        );
        assert_eq!(
            found.description_folder,
            Path::new("/home/a/.local/state/kiln/descriptions")
        );
        assert_eq!(found.cache_folder, Path::new("cache"));
        let found = settings(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "/s")]);
        assert_eq!(found.run_folder, Path::new("/s/kiln/runs"));
        assert_eq!(found.cache_folder, Path::new("/home/a/.cache/packer"));
    }

    #[test]
    fn relative_xdg_folders_are_ignored() {
        let found = settings(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "s")]);
        assert_eq!(
            found.run_folder,
            Path::new("/home/a/.local/state/kiln/runs")
        );
    }

    #[test]
    fn long_socket_folders_are_avoided() {
        let long = format!("/{}", "x".repeat(60));
        assert_eq!(
            settings(&[("HOME", "/home/a"), ("TMPDIR", &long)]).socket_folder,
            Path::new("/home/a/.local/state/kiln/s")
        );
        assert_eq!(
            settings(&[("HOME", &long), ("TMPDIR", &long)]).socket_folder,
            Path::new("/tmp")
        );
    }
}
