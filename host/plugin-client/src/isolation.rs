//! Which plugins are confined, and to what.
//!
//! Plugins that came with kiln are not confined; installed ones are, where the kernel can do it. They
//! may read everything but private keys and other secrets of the user, change what is below the
//! working directory, their own folders, the cache, temporary folders and the paths that the
//! template names in their options, and talk to others only when they declared that need. Not here:
//! how the kernel is told (`host-confine`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use host_confine::{Files, Network, Policy, Signals};
use host_eval::{Value, ValueKind};
use tokio::process::Command;

use crate::journal::Owner;

/// The word that has kiln confine itself and become a plugin.
pub const LAUNCH_WORD: &str = "confined";
/// `on` (or nothing), `off`, or `off:NAME,NAME` for these plugins.
pub const SWITCH_VARIABLE: &str = "KILN_ISOLATION";
/// Further files and folders that confined plugins may change, separated by colons.
pub const WRITE_VARIABLE: &str = "KILN_ISOLATION_WRITE";
/// How much memory a confined plugin's own process may have, in MiB; 0 is no limit.
pub const MEMORY_VARIABLE: &str = "KILN_ISOLATION_MEMORY";

/// What a plugin's own process may have when nothing else is said, in MiB. What it starts is not
/// counted: a machine's memory is the template's business.
const MEMORY_MIB: u64 = 2048;
/// What machines and terminals need.
const DEVICES: [&str; 17] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
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
const TOOLS: [&str; 14] = [
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

/// Which plugins are confined, and to what.
#[derive(Clone, Debug, Default)]
pub struct Isolation {
    /// Kiln itself; nothing is confined without it.
    launcher: Option<PathBuf>,
    exempt: Exempt,
    home: Option<PathBuf>,
    work: PathBuf,
    writable: Vec<PathBuf>,
    memory: Option<u64>,
}

/// Who is not confined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Exempt {
    #[default]
    Nobody,
    Everybody,
    These(BTreeSet<String>),
}

/// What a confined process is started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// To say what it offers: it needs nothing for that.
    Describe,
    /// To work for a build.
    Work,
    /// To remove what an earlier process left, which may be a process.
    Reclaim,
}

/// What a plugin declares that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Need {
    Network,
    Write(PathBuf),
}

impl Isolation {
    /// As the environment says; `launcher` is kiln.
    pub(crate) fn from_environment(
        launcher: &Path,
        environment: &BTreeMap<String, String>,
    ) -> Self {
        let variable = |name: &str| environment.get(name).map_or("", String::as_str);
        let paths = |text: &str| {
            let all = std::env::split_paths(text).filter(|path| path.is_absolute());
            all.collect::<Vec<_>>()
        };
        let temporary = ["/tmp", "/var/tmp"].map(PathBuf::from);
        let temporary = temporary.into_iter().chain(paths(variable("TMPDIR")));
        let home = Some(PathBuf::from(variable("HOME")));
        Self {
            launcher: Some(launcher.to_path_buf()),
            exempt: Exempt::parse(variable(SWITCH_VARIABLE)),
            home: home.filter(|home| home.is_absolute()),
            work: std::env::current_dir().unwrap_or_default(),
            writable: temporary.chain(paths(variable(WRITE_VARIABLE))).collect(),
            memory: memory_limit(variable(MEMORY_VARIABLE)),
        }
    }

    /// Whether a plugin of this name that did not come with kiln is confined.
    #[must_use]
    pub fn applies_to(&self, plugin: &str) -> bool {
        let exempt = match &self.exempt {
            Exempt::Nobody => false,
            Exempt::Everybody => true,
            Exempt::These(names) => names.contains(plugin),
        };
        self.launcher.is_some() && !exempt
    }

    /// The plugin, to be confined if it is not exempt.
    pub(crate) fn confine(&self, mut owner: Owner) -> Owner {
        owner.confined = self.applies_to(&owner.name).then(Vec::new);
        owner
    }

    /// The command that starts a plugin made for Packer to describe itself.
    pub(crate) fn describing(&self, path: &Path) -> Command {
        let everybody = self.exempt == Exempt::Everybody;
        let owner = Owner {
            name: String::new(),
            path: path.to_path_buf(),
            behind: None,
            confined: (!everybody).then(Vec::new),
        };
        self.command(&owner, Duty::Describe, &[])
    }

    /// What the kernel leaves open, in words; `None` when it can do everything.
    #[must_use]
    pub fn gap() -> Option<&'static str> {
        match host_confine::support().files {
            Files::All => None,
            Files::Some => Some("this kernel is older than 6.12 and confines plugins in part"),
            Files::Nothing => Some(
                "this kernel has no Landlock: plugins may read and change all files of the user",
            ),
        }
    }

    /// The command that starts a plugin, without its environment.
    pub(crate) fn command(&self, owner: &Owner, duty: Duty, folders: &[&Path]) -> Command {
        let Some((launcher, needs)) = self.launcher.as_ref().zip(owner.confined.as_ref()) else {
            return Command::new(&owner.path);
        };
        let policy = self.policy(needs, duty, folders);
        let policy = serde_json::to_string(&policy).expect("a policy is text, lists and paths");
        let mut command = Command::new(launcher);
        command.arg(LAUNCH_WORD).arg(policy).arg(&owner.path);
        command
    }

    /// The most bytes that a plugin's process may have in memory.
    pub(crate) fn memory_limit(&self, owner: &Owner) -> Option<u64> {
        owner.confined.as_ref().and(self.memory)
    }

    fn policy(&self, needs: &[String], duty: Duty, folders: &[&Path]) -> Policy {
        let home = self.home.as_deref();
        let mut write: Vec<PathBuf> = DEVICES.iter().map(PathBuf::from).collect();
        write.extend(folders.iter().map(|path| path.to_path_buf()));
        let mut network = Network::UnixSockets;
        if duty != Duty::Describe {
            write.push(self.work.clone());
            write.extend(self.writable.iter().cloned());
            write.extend(below(home, &TOOLS));
            for need in needs.iter().filter_map(|need| Need::parse(need, home)) {
                match need {
                    Need::Network => network = Network::Full,
                    Need::Write(path) => write.push(path),
                }
            }
        }
        Policy {
            write,
            hidden: below(home, &SECRETS),
            read: Vec::new(),
            network,
            signals: match duty {
                Duty::Reclaim => Signals::Any,
                Duty::Describe | Duty::Work => Signals::Own,
            },
        }
    }

    /// Existing files and folders that a configuration names and that its component may change: the
    /// nearest ones that exist of paths that do not.
    pub(crate) fn named(&self, configuration: &Value) -> Vec<PathBuf> {
        let mut texts = BTreeSet::new();
        collect(configuration, &mut texts);
        let home = self.home.as_deref();
        let mut found = BTreeSet::new();
        for text in texts {
            let path = match (text.strip_prefix("~/"), home) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => PathBuf::from(text),
            };
            let clean = !path.components().any(|part| part.as_os_str() == "..");
            if path.is_absolute()
                && clean
                && let Some(existing) = path.ancestors().find(|one| one.exists())
                && let Ok(existing) = existing.canonicalize()
                && self.may_be_opened(&existing)
            {
                found.insert(existing);
            }
        }
        found.into_iter().collect()
    }

    fn may_be_opened(&self, path: &Path) -> bool {
        let home = self
            .home
            .as_deref()
            .and_then(|home| home.canonicalize().ok());
        let system = SYSTEM.iter().any(|folder| path.starts_with(folder));
        let shallow = SHALLOW.iter().any(|folder| path == Path::new(folder));
        let holds_home = home.is_some_and(|home| home.starts_with(path));
        !(system || shallow || holds_home)
    }

    /// What to do when a confined plugin was refused something, as its message tells; `None` when
    /// that is not what went wrong.
    pub(crate) fn advice(&self, owner: &Owner, message: &str) -> Option<String> {
        let needs = owner
            .confined
            .as_ref()
            .filter(|_| self.launcher.is_some())?;
        let message = message.to_lowercase();
        let refused = [
            "permission denied",
            "operation not permitted",
            "eacces",
            "eperm",
        ];
        if !refused.iter().any(|words| message.contains(words)) {
            return None;
        }
        let name = &owner.name;
        let network = match needs.iter().any(|need| need == "network") {
            true => "",
            false => {
                ", and it did not declare that it needs `network`, so it may talk to nobody else"
            }
        };
        Some(format!(
            "Plugin `{name}` is confined: it may change files below {}, its cache, temporary folders \
             and the paths in its options{network}. If it needs more, list it in {WRITE_VARIABLE}, \
             or trust the plugin with {SWITCH_VARIABLE}=off:{name}.",
            self.work.display()
        ))
    }
}

impl Exempt {
    fn parse(text: &str) -> Self {
        match text {
            "" | "on" | "1" => Self::Nobody,
            "off" | "0" => Self::Everybody,
            _ => match text.strip_prefix("off:") {
                Some(names) => Self::These(names.split(',').map(|one| one.trim().into()).collect()),
                None => {
                    tracing::warn!(
                        "{SWITCH_VARIABLE} is `{text}`, which is not `on`, `off` or \
                         `off:NAME,NAME`: plugins are confined"
                    );
                    Self::Nobody
                }
            },
        }
    }
}

impl Need {
    fn parse(text: &str, home: Option<&Path>) -> Option<Self> {
        if text == "network" {
            return Some(Self::Network);
        }
        let path = text.strip_prefix("write:")?;
        let path = match (path.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        };
        let clean = !path.components().any(|part| part.as_os_str() == "..");
        (path.is_absolute() && clean).then_some(Self::Write(path))
    }
}

/// The first need that kiln does not know.
pub(crate) fn unknown_need(needs: &[String]) -> Option<&String> {
    let home = Some(Path::new("/home"));
    needs.iter().find(|need| Need::parse(need, home).is_none())
}

fn memory_limit(text: &str) -> Option<u64> {
    let mib = match (text, text.parse()) {
        ("", _) => MEMORY_MIB,
        (_, Ok(mib)) => mib,
        _ => {
            tracing::warn!("{MEMORY_VARIABLE} is `{text}`, which is no number of MiB");
            MEMORY_MIB
        }
    };
    (mib > 0).then(|| mib.saturating_mul(1024 * 1024))
}

fn below(home: Option<&Path>, names: &[&str]) -> Vec<PathBuf> {
    let paths = home
        .into_iter()
        .flat_map(|home| names.iter().map(|name| home.join(name)));
    paths.collect()
}

/// All texts in a value that look like paths.
fn collect<'a>(value: &'a Value, texts: &mut BTreeSet<&'a str>) {
    match &value.kind {
        ValueKind::String(text) if text.starts_with('/') || text.starts_with("~/") => {
            texts.insert(text);
        }
        ValueKind::Sequence(items) => items.iter().for_each(|item| collect(item, texts)),
        ValueKind::Mapping(entries) => entries.values().for_each(|item| collect(item, texts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn isolation(variables: &[(&str, &str)]) -> Isolation {
        let environment = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Isolation::from_environment(Path::new("/usr/bin/kiln"), &environment.collect())
    }

    fn owner(needs: &[&str]) -> Owner {
        Owner {
            name: "far".into(),
            path: "/plugins/far".into(),
            behind: None,
            confined: Some(needs.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn the_switch_exempts_nobody_everybody_or_some() {
        let check = |switch: &str, confined: bool| {
            let all = isolation(&[(SWITCH_VARIABLE, switch)]);
            assert_eq!(all.applies_to("far"), confined, "{switch:?}");
        };
        check("", true);
        check("on", true);
        check("off", false);
        check("off:far", false);
        check("off:near, far", false);
        check("off:near", true);
        check("fo", true);
        assert!(!Isolation::default().applies_to("far"));
    }

    #[test]
    fn the_policy_has_what_was_declared_and_no_more() {
        let all = isolation(&[("HOME", "/home/a"), (WRITE_VARIABLE, "/data:relative")]);
        let needs = [
            "network",
            "write:~/.far",
            "write:/x/../etc",
            "write:relative",
        ]
        .map(String::from);
        let work = all.policy(&needs, Duty::Work, &[Path::new("/own")]);
        for path in ["/own", "/data", "/home/a/.far", "/tmp"] {
            assert!(work.write.contains(&path.into()), "{path}");
        }
        for path in ["relative", "/x/../etc", "/home/a"] {
            assert!(!work.write.contains(&path.into()), "{path}");
        }
        assert!(work.hidden.contains(&"/home/a/.ssh".into()));
        assert_eq!((work.network, work.signals), (Network::Full, Signals::Own));
        let describe = all.policy(&needs, Duty::Describe, &[Path::new("/own")]);
        assert!(!describe.write.contains(&"/tmp".into()));
        assert_eq!(describe.network, Network::UnixSockets);
        let reclaim = all.policy(&[], Duty::Reclaim, &[]);
        assert_eq!(
            (reclaim.network, reclaim.signals),
            (Network::UnixSockets, Signals::Any)
        );
        assert_eq!(unknown_need(&needs), Some(&needs[2]));
        assert_eq!(unknown_need(&needs[..2]), None);
    }

    #[test]
    fn options_open_what_they_name_but_no_system_folders() {
        let home = tempfile::tempdir().expect("a folder");
        let home = home.path().canonicalize().expect("a path");
        std::fs::create_dir(home.join("images")).expect("a folder");
        let all = isolation(&[("HOME", &home.to_string_lossy())]);
        let check = |text: &str, expected: &[&Path]| {
            let value = Value::string(text);
            assert_eq!(all.named(&value), expected, "{text}");
        };
        let images = home.join("images");
        check("~/images/debian/disk.qcow2", &[&images]);
        check(&format!("{}/x", images.display()), &[&images]);
        check("~/new", &[]);
        check("~", &[]);
        check("/etc/passwd", &[]);
        check("/usr/local/share/x", &[]);
        check("/nothing/here", &[]);
        check("images", &[]);
        check("~/images/../x", &[]);
    }

    #[test]
    fn advice_is_for_confined_plugins_that_were_refused_something() {
        let all = isolation(&[]);
        let refused = "open /root/x: Permission denied";
        let advice = all.advice(&owner(&[]), refused).expect("there is advice");
        assert!(advice.contains("KILN_ISOLATION=off:far"), "{advice}");
        assert!(advice.contains("`network`"), "{advice}");
        let advice = all
            .advice(&owner(&["network"]), refused)
            .expect("there is advice");
        assert!(!advice.contains("`network`"), "{advice}");
        assert_eq!(all.advice(&owner(&[]), "disk full"), None);
        let free = Owner {
            confined: None,
            ..owner(&[])
        };
        assert_eq!(all.advice(&free, refused), None);
    }
}
