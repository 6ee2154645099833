//! Where kiln's folders are and what data sources are told.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::process::geteuid;

use crate::isolation::Isolation;
use crate::private_folder::{Parents, make_private};
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
    /// it, everything else as the XDG rules say. Who has no home folder to write to, as in a
    /// container that runs as some number, gets a private folder in the temporary one.
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
        // `su` without `-` keeps that of another user.
        let runtime = absolute("XDG_RUNTIME_DIR").filter(|path| is_own(path));
        // Confined plugins may change what is in temporary folders, but not what is in these.
        let own = usable(state.join("kiln"), &temp);
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

/// Whether a folder is the user's own and can be written to.
fn is_own(path: &Path) -> bool {
    let facts = std::fs::metadata(path);
    let own = geteuid().as_raw();
    facts.is_ok_and(|facts| facts.is_dir() && facts.uid() == own) && is_writable(path)
}

fn is_writable(folder: &Path) -> bool {
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// The folder for state, or one in `temp` when it neither is there nor can be made. One that somebody
/// else put there is not used: what is found in it is trusted.
fn usable(state: PathBuf, temp: &Path) -> PathBuf {
    let nearest = state.ancestors().find(|one| one.exists());
    if nearest.is_some_and(|nearest| nearest.is_dir() && is_writable(nearest)) {
        return state;
    }
    let instead = temp.join(format!("kiln.{}", geteuid().as_raw()));
    match make_private(&instead, Parents::Make) {
        Ok(()) => instead,
        // The run's folder will say what to do.
        Err(error) => {
            tracing::debug!(%error, "there is no folder for state");
            state
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

    /// A folder of the test's own, and its path.
    fn home() -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().display().to_string();
        (folder, path)
    }

    #[test]
    fn folders_follow_the_environment() {
        let (folder, home) = home();
        let state = folder.path().join(".local/state/kiln");
        let found = settings(&[("HOME", &home), ("PACKER_CACHE_DIR", "cache")]);
        assert_eq!(found.run_folder, state.join("runs"));
        assert_eq!(found.description_folder, state.join("descriptions"));
        assert_eq!(found.cache_folder, Path::new("cache"));
        let other = folder.path().join("s").display().to_string();
        let found = settings(&[("HOME", &home), ("XDG_STATE_HOME", &other)]);
        assert_eq!(found.run_folder, folder.path().join("s/kiln/runs"));
        assert_eq!(found.cache_folder, folder.path().join(".cache/packer"));
    }

    #[test]
    fn relative_xdg_folders_are_ignored() {
        let (folder, home) = home();
        let found = settings(&[("HOME", &home), ("XDG_STATE_HOME", "s")]);
        let runs = folder.path().join(".local/state/kiln/runs");
        assert_eq!(found.run_folder, runs);
    }

    #[test]
    fn long_socket_folders_are_avoided() {
        let (folder, home) = home();
        let long = format!("{home}/{}", "x".repeat(60));
        assert_eq!(
            settings(&[("HOME", &home), ("TMPDIR", &long)]).socket_folder,
            folder.path().join(".local/state/kiln/s")
        );
        assert_eq!(
            settings(&[("HOME", &long), ("TMPDIR", &long)]).socket_folder,
            Path::new("/tmp")
        );
    }

    #[test]
    fn a_runtime_folder_of_somebody_else_is_not_used() {
        let (folder, home) = home();
        let runtime = folder.path().join("r");
        std::fs::create_dir(&runtime).expect("a folder");
        let sockets = |runtime: &Path| {
            let runtime = runtime.display().to_string();
            settings(&[("HOME", &home), ("XDG_RUNTIME_DIR", &runtime)]).socket_folder
        };
        assert_eq!(sockets(&runtime), runtime);
        let foreign = if geteuid().is_root() {
            std::os::unix::fs::chown(&runtime, Some(12345), None).expect("root may do that");
            runtime
        } else {
            PathBuf::from("/")
        };
        let own = folder.path().join(".local/state/kiln/s");
        assert_eq!(sockets(&foreign), own);
    }

    #[test]
    fn state_without_a_place_has_a_private_folder_in_the_temporary_one() {
        use std::os::unix::fs::PermissionsExt;

        let (folder, temp) = home();
        let found = || settings(&[("HOME", "/dev/null"), ("TMPDIR", &temp)]);
        let instead = folder.path().join(format!("kiln.{}", geteuid().as_raw()));
        assert_eq!(found().run_folder, instead.join("runs"));
        let facts = std::fs::metadata(&instead).expect("it was made");
        assert_eq!(facts.permissions().mode() & 0o777, 0o700);
        assert_eq!(found().run_folder, instead.join("runs"));

        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(&instead, open).expect("it is ours");
        let nowhere = Path::new("/dev/null/.local/state/kiln/runs");
        assert_eq!(found().run_folder, nowhere);
    }
}
