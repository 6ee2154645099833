//! Which folders of a machine and of a user may be opened to a confined plugin.

use std::path::{Path, PathBuf};

/// What machines need, and terminals that a plugin makes itself.
pub(super) const DEVICES: [&str; 16] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/ptmx",
    "/dev/pts",
    "/dev/shm",
    "/dev/kvm",
    "/dev/net/tun",
    "/dev/fuse",
    "/dev/vhost-net",
    "/dev/vhost-vsock",
    "/dev/vboxdrv",
    "/dev/vboxdrvu",
    "/dev/vboxnetctl",
];
/// Where well-known tools keep their state, below the home folder.
pub(super) const TOOLS: [&str; 14] = [
    ".ansible",
    ".aws/cli",
    ".aws/sso",
    ".azure",
    ".cache",
    ".config/VirtualBox",
    ".config/gcloud",
    ".docker",
    ".oci",
    ".terraform.d",
    ".vagrant.d",
    ".vmware",
    "Parallels",
    "VirtualBox VMs",
];
/// What no plugin reads unless an option names it, below the home folder.
const SECRETS: [&str; 17] = [
    ".ssh",
    ".gnupg",
    ".password-store",
    ".git-credentials",
    ".netrc",
    ".pgpass",
    ".my.cnf",
    ".bash_history",
    ".zsh_history",
    ".mozilla",
    ".thunderbird",
    ".config/google-chrome",
    ".config/chromium",
    ".config/sops",
    ".local/share/keyrings",
    ".local/share/kwalletd",
    ".local/state/kiln",
];
/// An option may name a path inside the guest that is one of the host's as well: these are never
/// opened by an option.
const SYSTEM: [&str; 13] = [
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/run",
    "/sbin", "/sys", "/usr",
];
/// Nor are these, but what is below them is.
const SHALLOW: [&str; 9] = [
    "/", "/home", "/media", "/mnt", "/opt", "/srv", "/tmp", "/var", "/var/lib",
];

/// The user's folders.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// The home folder.
    pub(super) home: Option<PathBuf>,
    /// Kiln's own state: what other plugins were told, and what is known of plugins.
    pub(super) own: Option<PathBuf>,
}

impl Places {
    /// Names below the home folder.
    pub(super) fn below_home(&self, names: &[&str]) -> Vec<PathBuf> {
        let home = self.home.iter();
        home.flat_map(|home| names.iter().map(|name| home.join(name)))
            .collect()
    }

    /// What no plugin reads unless an option names it.
    pub(super) fn secrets(&self) -> Vec<PathBuf> {
        let own = self.own.iter().cloned();
        self.below_home(&SECRETS).into_iter().chain(own).collect()
    }

    /// A path that may begin with `~/`, when it is absolute and leads straight to its end.
    pub(super) fn absolute(&self, text: &str) -> Option<PathBuf> {
        let path = match (text.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
        };
        let clean = !path.components().any(|part| part.as_os_str() == "..");
        (path.is_absolute() && clean).then_some(path)
    }

    /// Whether an option may open a path: not when the machine or the whole home folder would be.
    pub(super) fn may_be_opened(&self, path: &Path) -> bool {
        let home = self
            .home
            .as_deref()
            .map(|home| home.canonicalize().unwrap_or_else(|_| home.to_owned()));
        let system = SYSTEM.iter().any(|folder| path.starts_with(folder));
        let shallow = SHALLOW.iter().any(|folder| path == Path::new(folder));
        let holds_home = home.is_some_and(|home| home.starts_with(path));
        !(system || shallow || holds_home)
    }

    /// Whether nobody has to name a path in an option for it to be opened: it is no secret, and has
    /// none in it.
    pub(super) fn is_harmless(&self, path: &Path) -> bool {
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let path = real(path);
        let mut secrets = self.secrets().into_iter().map(|secret| real(&secret));
        self.may_be_opened(&path)
            && !secrets.any(|secret| secret.starts_with(&path) || path.starts_with(secret))
    }

    /// What may be opened of a folder that people work in: all of it, as a rule. Of one that holds
    /// secrets or the whole machine, such as the home folder, only what is in it already and is not
    /// hidden.
    pub(super) fn of_work(&self, folder: &Path) -> Vec<PathBuf> {
        if self.is_harmless(folder) {
            return vec![folder.to_owned()];
        }
        let entries = folder.read_dir().into_iter().flatten().flatten();
        let shown = entries.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
        let shown = shown.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink()));
        let paths = shown.map(|entry| entry.path());
        paths.filter(|path| self.is_harmless(path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_folder_with_secrets_only_what_is_shown_is_opened() {
        let home = tempfile::tempdir().expect("a folder");
        let home = home.path().canonicalize().expect("a path");
        for name in [".ssh", "project", ".config/sops", "state/kiln"] {
            std::fs::create_dir_all(home.join(name)).expect("a folder");
        }
        std::fs::write(home.join(".bashrc"), "").expect("a file");
        let places = Places {
            home: Some(home.clone()),
            own: Some(home.join("state/kiln")),
        };
        assert_eq!(places.of_work(&home), [home.join("project")]);
        assert_eq!(
            places.of_work(&home.join("project")),
            [home.join("project")]
        );
        assert!(!places.is_harmless(&home.join(".config")));
        assert!(!places.is_harmless(&home.join("state/kiln/runs")));
        assert!(!places.is_harmless(Path::new("/")));
        assert!(!places.is_harmless(Path::new("/etc/systemd")));
        let root = places.of_work(Path::new("/"));
        assert!(
            !root.iter().any(|path| path.starts_with("/etc")),
            "{root:?}"
        );
    }
}
