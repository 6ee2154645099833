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

use self::places::{DEVICES, Places, TOOLS};
use crate::journal::Owner;

mod places;

/// The word that has kiln confine itself and become a plugin.
pub const LAUNCH_WORD: &str = "confined";
/// `on` (or nothing), `off`, or `off:SOURCE,SOURCE` for plugins from these sources. What a template
/// calls a plugin does not matter: the template may be anybody's.
pub const SWITCH_VARIABLE: &str = "KILN_ISOLATION";
/// Further files and folders that confined plugins may change, separated by colons.
pub const WRITE_VARIABLE: &str = "KILN_ISOLATION_WRITE";
/// How much memory a confined plugin's own process may have, in MiB; 0 is no limit.
pub const MEMORY_VARIABLE: &str = "KILN_ISOLATION_MEMORY";

/// The longest policy that is handed over as an argument; Linux takes 128 KiB.
const ARGUMENT_LIMIT: usize = 96 * 1024;
const POLICY_FILE: &str = "policy.json";
/// What a plugin's own process may have when nothing else is said, in MiB. What it starts is not
/// counted: a machine's memory is the template's business.
const MEMORY_MIB: u64 = 2048;
/// Which plugins are confined, and to what.
#[derive(Clone, Debug, Default)]
pub struct Isolation {
    /// Kiln itself; nothing is confined without it.
    launcher: Option<PathBuf>,
    exempt: Exempt,
    places: Places,
    work: PathBuf,
    writable: Vec<PathBuf>,
    /// Whether a temporary folder is not opened to plugins, because it holds kiln's own state.
    has_closed_temporary: bool,
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
    /// `own` is the folder of kiln's own state.
    pub(crate) fn from_environment(
        launcher: &Path,
        environment: &BTreeMap<String, String>,
        own: &Path,
    ) -> Self {
        let variable = |name: &str| environment.get(name).map_or("", String::as_str);
        let paths = |text: &str| {
            let all = std::env::split_paths(text).filter(|path| path.is_absolute());
            all.collect::<Vec<_>>()
        };
        let home = Some(PathBuf::from(variable("HOME")));
        let places = Places {
            home: home.filter(|home| home.is_absolute()),
            own: Some(own.to_path_buf()),
        };
        let temporary = ["/tmp", "/var/tmp"].map(PathBuf::from);
        let chosen = paths(variable("TMPDIR"));
        let chosen = chosen.into_iter().filter(|path| places.is_harmless(path));
        // Without a home folder, or with one below them, kiln's own state is in one of them.
        let (closed, temporary): (Vec<_>, Vec<_>) = temporary
            .into_iter()
            .chain(chosen)
            .partition(|folder| own.starts_with(folder));
        Self {
            launcher: Some(launcher.to_path_buf()),
            exempt: Exempt::parse(variable(SWITCH_VARIABLE)),
            work: std::env::current_dir().unwrap_or_default(),
            writable: [temporary, paths(variable(WRITE_VARIABLE))].concat(),
            has_closed_temporary: !closed.is_empty(),
            memory: memory_limit(variable(MEMORY_VARIABLE)),
            places,
        }
    }

    /// Whether a plugin from this source (`github.com/acme/rocket`) that did not come with kiln is
    /// confined.
    #[must_use]
    pub fn applies_to(&self, source: &str) -> bool {
        let exempt = match &self.exempt {
            Exempt::Nobody => false,
            Exempt::Everybody => true,
            Exempt::These(sources) => sources.contains(source),
        };
        self.launcher.is_some() && !exempt
    }

    /// The plugin, to be confined if it is not exempt.
    pub(crate) fn confine(&self, mut owner: Owner) -> Owner {
        owner.confined = self.applies_to(&owner.source).then(Vec::new);
        owner
    }

    /// The command that starts a plugin made for Packer to describe itself.
    pub(crate) fn describing(&self, path: &Path) -> Command {
        let everybody = self.exempt == Exempt::Everybody;
        let owner = Owner {
            name: String::new(),
            source: String::new(),
            path: path.to_path_buf(),
            behind: None,
            confined: (!everybody).then(Vec::new),
        };
        self.command(&owner, Duty::Describe, &[], None)
    }

    /// Whether this kernel confines nobody in what files they touch.
    #[must_use]
    pub fn is_missing() -> bool {
        host_confine::support().files == Files::Nothing
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

    /// The command that starts a plugin as the leader of a process group, without its environment. A policy that is too long for it
    /// becomes a file in `private`.
    pub(crate) fn command(
        &self,
        owner: &Owner,
        duty: Duty,
        folders: &[&Path],
        private: Option<&Path>,
    ) -> Command {
        let Some((launcher, needs)) = self.launcher.as_ref().zip(owner.confined.as_ref()) else {
            let mut command = Command::new(&owner.path);
            command.process_group(0);
            return command;
        };
        let policy = self.policy(needs, duty, folders);
        let mut policy = serde_json::to_string(&policy).expect("a policy is text, lists and paths");
        if policy.len() > ARGUMENT_LIMIT
            && let Some(path) = private.map(|folder| folder.join(POLICY_FILE))
            && std::fs::write(&path, &policy).is_ok()
        {
            policy = format!("@{}", path.display());
        }
        // It makes a session of its own, which only who leads no group can.
        let mut command = Command::new(launcher);
        command.arg(LAUNCH_WORD).arg(policy).arg(&owner.path);
        command
    }

    /// Whether a plugin needs a temporary folder of its own.
    pub(crate) fn withholds_temporary(&self, owner: &Owner) -> bool {
        owner.confined.is_some() && self.launcher.is_some() && self.has_closed_temporary
    }

    /// The most bytes that a plugin's process may have in memory.
    pub(crate) fn memory_limit(&self, owner: &Owner) -> Option<u64> {
        owner.confined.as_ref().and(self.memory)
    }

    fn policy(&self, needs: &[String], duty: Duty, folders: &[&Path]) -> Policy {
        let mut write: Vec<PathBuf> = DEVICES.iter().map(PathBuf::from).collect();
        write.extend(folders.iter().map(|path| path.to_path_buf()));
        let mut network = Network::UnixSockets;
        if duty != Duty::Describe {
            write.extend(self.places.of_work(&self.work));
            write.extend(self.writable.iter().cloned());
            write.extend(self.places.below_home(&TOOLS));
            for need in needs
                .iter()
                .filter_map(|need| Need::parse(need, &self.places))
            {
                match need {
                    Need::Network => network = Network::Full,
                    Need::Write(path) => write.push(path),
                }
            }
        }
        Policy {
            write: without_covered(write),
            hidden: self.places.secrets(),
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
        let mut found = BTreeSet::new();
        for path in texts.iter().filter_map(|text| self.places.absolute(text)) {
            if let Some(existing) = path.ancestors().find(|one| one.exists())
                && let Ok(existing) = existing.canonicalize()
                && self.places.may_be_opened(&existing)
            {
                found.insert(existing);
            }
        }
        found.into_iter().collect()
    }

    /// Whether a plugin that may change `folders`, too, may change what is at `path`.
    pub(crate) fn may_change(&self, owner: &Owner, folders: &[&Path], path: &Path) -> bool {
        let Some(needs) = owner.confined.as_ref() else {
            return true;
        };
        // A link is removed itself, whatever it leads to.
        let real = path.parent().and_then(|parent| parent.canonicalize().ok());
        let Some(real) = real.zip(path.file_name()) else {
            return false;
        };
        let real = real.0.join(real.1);
        let policy = self.policy(needs, Duty::Work, folders);
        let mut open = policy.write.iter().map(|open| open.canonicalize());
        open.any(|open| open.is_ok_and(|open| real.starts_with(open)))
    }

    /// The needs that a plugin declares and that it has to do without.
    pub(crate) fn unknown_need<'a>(&self, needs: &'a [String]) -> Option<&'a String> {
        let known = |need: &&String| Need::parse(need, &self.places).is_some();
        needs.iter().find(|need| !known(need))
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
        let (name, source) = (&owner.name, &owner.source);
        let network = match needs.iter().any(|need| need == "network") {
            true => "",
            false => {
                ", and it did not declare that it needs `network`, so it may talk to nobody else"
            }
        };
        Some(format!(
            "Plugin `{name}` is confined: it may change files below {}, its cache, temporary folders \
             and the paths in its options{network}. If it needs more, list it in {WRITE_VARIABLE}, \
             or trust the plugin with {SWITCH_VARIABLE}=off:{source}.{}",
            self.work.display(),
            match self.places.is_harmless(&self.work) {
                true => "",
                false =>
                    " The working directory holds secrets or the whole machine: in it, only \
                          folders that are there already count. A folder of its own is better.",
            }
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
                         `off:SOURCE,SOURCE`: plugins are confined"
                    );
                    Self::Nobody
                }
            },
        }
    }
}

impl Need {
    /// `None` for what kiln does not know, and for what no plugin is given on its own word.
    fn parse(text: &str, places: &Places) -> Option<Self> {
        if text == "network" {
            return Some(Self::Network);
        }
        let path = places.absolute(text.strip_prefix("write:")?)?;
        places.is_harmless(&path).then_some(Self::Write(path))
    }
}

/// The paths that no other one of them holds.
fn without_covered(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    paths.sort();
    let mut kept: Vec<PathBuf> = Vec::new();
    for path in paths {
        if !kept.last().is_some_and(|last| path.starts_with(last)) {
            kept.push(path);
        }
    }
    kept
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
        let own = Path::new("/home/a/.local/state/kiln");
        Isolation::from_environment(Path::new("/usr/bin/kiln"), &environment.collect(), own)
    }

    fn owner(needs: &[&str]) -> Owner {
        Owner {
            name: "far".into(),
            source: "example.com/acme/far".into(),
            path: "/plugins/far".into(),
            behind: None,
            confined: Some(needs.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn the_switch_exempts_nobody_everybody_or_some() {
        let check = |switch: &str, confined: bool| {
            let all = isolation(&[(SWITCH_VARIABLE, switch)]);
            assert_eq!(
                all.applies_to("example.com/acme/far"),
                confined,
                "{switch:?}"
            );
        };
        check("", true);
        check("on", true);
        check("off", false);
        check("off:example.com/acme/far", false);
        check("off:example.com/acme/near, example.com/acme/far", false);
        check("off:example.com/acme/near", true);
        check("off:far", true);
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
            "write:/",
            "write:~/.config",
        ]
        .map(String::from);
        let work = all.policy(&needs, Duty::Work, &[Path::new("/own")]);
        for path in ["/own", "/data", "/home/a/.far", "/tmp"] {
            assert!(work.write.contains(&path.into()), "{path}");
        }
        for path in ["relative", "/x/../etc", "/home/a", "/", "/home/a/.config"] {
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
        assert_eq!(all.unknown_need(&needs), Some(&needs[2]));
        assert_eq!(all.unknown_need(&needs[..2]), None);
        for need in &needs[2..] {
            assert!(
                all.unknown_need(std::slice::from_ref(need)).is_some(),
                "{need}"
            );
        }
    }

    #[test]
    fn a_temporary_folder_with_state_in_it_is_closed() {
        let closed = |own: &str| {
            let environment = BTreeMap::from([("HOME".to_owned(), "/home/a".to_owned())]);
            let kiln = Path::new("/usr/bin/kiln");
            let all = Isolation::from_environment(kiln, &environment, Path::new(own));
            let work = all.policy(&[], Duty::Work, &[]);
            let is_open = work.write.contains(&"/tmp".into());
            assert_ne!(is_open, all.withholds_temporary(&owner(&[])), "{own}");
            !is_open
        };
        assert!(closed("/tmp/kiln.1001"));
        assert!(closed("/tmp/home/.local/state/kiln"));
        assert!(!closed("/home/a/.local/state/kiln"));
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
        let trust = "KILN_ISOLATION=off:example.com/acme/far.";
        assert!(advice.contains(trust), "{advice}");
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
