//! What a run must not leave: processes, sockets, temporary files, leases.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::kiln::Kiln;

/// Everything of a world that should be gone, waiting up to `limit` for cleanups that go on after
/// the program's end: processes that mention the world's folder, files in its temporary folder,
/// run folders and port leases.
pub fn of(kiln: &Kiln, limit: Duration) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let found = look(kiln);
        if found.is_empty() || begun.elapsed() > limit {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn look(kiln: &Kiln) -> Vec<String> {
    let root = kiln.root();
    let mut found: Vec<String> = processes(root)
        .into_iter()
        .map(|line| format!("process {line}"))
        .collect();
    for file in files(&root.join("tmp")) {
        found.push(format!("temporary file {}", file.display()));
    }
    for sockets in std::fs::read_dir(root.join("home/.local/state/kiln/s"))
        .into_iter()
        .flatten()
        .flatten()
    {
        found.push(format!("folder of sockets {}", sockets.path().display()));
    }
    for run in std::fs::read_dir(root.join("home/.local/state/kiln/runs"))
        .into_iter()
        .flatten()
    {
        // The evidence of a failed build is kept on purpose.
        let path = run.map(|run| run.path()).unwrap_or_default();
        if !path.join("kept").exists() {
            found.push(format!("run folder {}", path.display()));
        }
    }
    for file in files(&root.join("home/.cache/packer/port")) {
        if is_locked(&file) {
            found.push(format!("port lease {}", file.display()));
        }
    }
    found
}

/// Command lines of processes that belong to the world: they mention its folder or work in it.
pub fn processes(root: &Path) -> Vec<String> {
    let text = root.display().to_string();
    let own = std::process::id().to_string();
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.bytes().all(|byte| byte.is_ascii_digit()) && name != own
        })
        .filter_map(|entry| {
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            let environment = String::from_utf8_lossy(&environment).into_owned();
            let mine = line.contains(&text) || environment.contains(&text);
            mine.then(|| format!("{} {line}", entry.file_name().to_string_lossy()))
        })
        .collect()
}

/// All files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        }
        found.push(path);
    }
    found
}

fn is_locked(path: &Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else {
        return false;
    };
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err()
}
