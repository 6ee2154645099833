//! What goes where in the staging folder.

use std::path::{Component, Path, PathBuf};

use kiln_sdk::staging::check;
use uuid::Uuid;

use super::config::LocalConfig;

/// A playbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playbook {
    /// The file here; `None` when it came with `playbook_dir`.
    pub upload: Option<PathBuf>,
    /// Where it is in the guest.
    pub remote: String,
}

/// The staging folder and everything in it, as paths in the guest.
#[derive(Clone, Debug)]
pub struct Layout {
    pub staging: String,
    pub playbooks: Vec<Playbook>,
    pub inventory: String,
    /// `None` when there is no requirements file.
    pub galaxy_file: Option<String>,
    pub galaxy_roles: String,
    pub galaxy_collections: String,
    /// Folders here and there.
    pub folders: Vec<(PathBuf, String)>,
}

impl Layout {
    pub fn new(config: &LocalConfig) -> Self {
        let staging = match config.staging_directory.trim_end_matches('/') {
            "" => format!("/tmp/packer-provisioner-ansible-local/{}", Uuid::new_v4()),
            folder => folder.to_owned(),
        };
        let inside = |name: &str| format!("{staging}/{name}");
        let or_inside = |option: &str, name: &str| {
            if option.is_empty() {
                inside(name)
            } else {
                option.to_owned()
            }
        };
        let inventory = match config.inventory_file.as_str() {
            "" => inside("packer-provisioner-ansible-local-inventory"),
            file => inside(&base(Path::new(file))),
        };
        let galaxy_file =
            (!config.galaxy_file.is_empty()).then(|| inside(&base(Path::new(&config.galaxy_file))));
        Self {
            playbooks: playbooks(config, &staging),
            inventory,
            galaxy_file,
            galaxy_roles: or_inside(&config.galaxy_roles_path, "galaxy_roles"),
            galaxy_collections: or_inside(&config.galaxy_collections_path, "galaxy_collections"),
            folders: folders(config, &staging),
            staging,
        }
    }
}

/// The last part of a path.
fn base(path: &Path) -> String {
    // A path that ends in `.` or `..` has none; the real folder has.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().or_else(|| real.file_name());
    name.unwrap_or_default().to_string_lossy().into_owned()
}

fn playbooks(config: &LocalConfig, staging: &str) -> Vec<Playbook> {
    if !config.playbook_file.is_empty() {
        let local = check::expand(&config.playbook_file);
        let remote = format!("{staging}/{}", base(&local));
        return vec![Playbook {
            upload: Some(local),
            remote,
        }];
    }
    let files = config.playbook_files.iter();
    files.map(|file| playbook(config, staging, file)).collect()
}

/// One of `playbook_files`. What is in `playbook_dir` is there already; others keep their path, so
/// that what they include beside them could be there too.
fn playbook(config: &LocalConfig, staging: &str, file: &str) -> Playbook {
    let local = check::expand(file);
    if !config.playbook_dir.is_empty()
        && let (Ok(folder), Ok(real)) = (
            check::expand(&config.playbook_dir).canonicalize(),
            local.canonicalize(),
        )
        && let Ok(relative) = real.strip_prefix(folder)
    {
        return Playbook {
            upload: None,
            remote: format!("{staging}/{}", relative.display()),
        };
    }
    let kept: PathBuf = local
        .components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect();
    Playbook {
        remote: format!("{staging}/{}", kept.display()),
        upload: Some(local),
    }
}

fn folders(config: &LocalConfig, staging: &str) -> Vec<(PathBuf, String)> {
    let mut folders = Vec::new();
    for (path, name) in [
        (&config.group_vars, "group_vars"),
        (&config.host_vars, "host_vars"),
    ] {
        if !path.is_empty() {
            folders.push((check::expand(path), format!("{staging}/{name}")));
        }
    }
    for (paths, name) in [
        (&config.role_paths, "roles"),
        (&config.collection_paths, "collections"),
        (&config.playbook_paths, "playbooks"),
    ] {
        for path in paths {
            let local = check::expand(path);
            let remote = format!("{staging}/{name}/{}", base(&local));
            folders.push((local, remote));
        }
    }
    folders
}

/// The inventory for a machine that Ansible runs on.
pub fn inventory(groups: &[String]) -> String {
    const HOST: &str = "127.0.0.1\n";
    if groups.is_empty() {
        return HOST.to_owned();
    }
    let groups = groups.iter();
    groups.map(|group| format!("[{group}]\n{HOST}")).collect()
}
