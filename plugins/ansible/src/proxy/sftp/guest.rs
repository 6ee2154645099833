//! What SFTP asks about files, as commands for the guest's shell.

use std::sync::Arc;

use kiln_sdk::Communicator;
use kiln_sdk::communicator::{Command, Exit, capture};
use kiln_sdk::staging::quote;
use russh_sftp::protocol::{FileAttributes, StatusCode};
use russh_sftp::server::StatusReply;

use super::failure;

/// The formats of `stat` in GNU's and BusyBox's, and in the BSDs' words.
const GNU: &str = "gnu %f %s %u %g %X %Y";
const BSD: &str = "bsd %p %z %u %g %a %m";

/// Whether a link is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// What it points to is meant.
    Follow,
    /// The link itself is meant.
    Keep,
}

/// The guest's file system.
pub struct Guest {
    pub machine: Arc<dyn Communicator>,
}

impl Guest {
    /// Runs a command; its standard output.
    async fn run(&self, command: String) -> Result<String, StatusReply> {
        let captured = capture(&*self.machine, Command::new(command)).await;
        let captured = captured.map_err(|error| failure(StatusCode::Failure, error.to_string()))?;
        match captured.exit {
            Exit::Code(0) => Ok(captured.stdout),
            Exit::Code(_) | Exit::Signal(_) => {
                let said = captured.stderr.trim();
                let code = if said.contains("No such file") {
                    StatusCode::NoSuchFile
                } else if said.contains("Permission denied") {
                    StatusCode::PermissionDenied
                } else {
                    StatusCode::Failure
                };
                Err(failure(code, said))
            }
            Exit::Disconnected(seen) => Err(failure(StatusCode::ConnectionLost, seen)),
        }
    }

    /// What is known of `path`.
    pub async fn stat(&self, path: &str, links: Links) -> Result<FileAttributes, StatusReply> {
        let follow = match links {
            Links::Follow => "-L ",
            Links::Keep => "",
        };
        let path = word(path);
        let command =
            format!("stat {follow}-c '{GNU}' {path} 2>/dev/null || stat {follow}-f '{BSD}' {path}");
        match self.run(command).await {
            Ok(text) => attributes(text.trim())
                .ok_or_else(|| failure(StatusCode::Failure, format!("`stat` said {text:?}"))),
            // What GNU's `stat` says to the other form is no help.
            Err(reply) if reply.status_code == StatusCode::Failure => {
                Err(failure(StatusCode::NoSuchFile, "no such file"))
            }
            Err(reply) => Err(reply),
        }
    }

    /// The entries of the folder `path`, by name.
    pub async fn list(&self, path: &str) -> Result<Vec<(String, FileAttributes)>, StatusReply> {
        let command = format!(
            "cd {} && for name in * .[!.]* ..?*; do if [ -e \"$name\" ] || [ -L \"$name\" ]; then \
             stat -c '{GNU}' \"./$name\" 2>/dev/null || stat -f '{BSD}' \"./$name\"; \
             printf '%s\\0' \"$name\"; fi; done",
            word(path)
        );
        let text = self.run(command).await?;
        let entries = text.split_terminator('\0').filter_map(|entry| {
            let (line, name) = entry.split_once('\n')?;
            Some((name.to_owned(), attributes(line)?))
        });
        Ok(entries.collect())
    }

    /// The absolute form of `path`. Sessions start in the user's home folder.
    pub async fn absolute(&self, path: &str) -> Result<String, StatusReply> {
        if path.starts_with('/') {
            return Ok(normal(path));
        }
        let home = self.run("pwd".to_owned()).await?;
        Ok(normal(&format!("{}/{path}", home.trim_end_matches('\n'))))
    }

    /// What the link `path` holds.
    pub async fn target(&self, path: &str) -> Result<String, StatusReply> {
        let text = self.run(format!("readlink {}", word(path))).await?;
        Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
    }

    /// Makes a folder.
    pub async fn make_folder(&self, path: &str, mode: Option<u32>) -> Result<(), StatusReply> {
        let mode = mode.unwrap_or(0o755) & 0o7777;
        self.run(format!("mkdir -m {mode:o} {}", word(path)))
            .await
            .map(drop)
    }

    /// Removes an empty folder.
    pub async fn remove_folder(&self, path: &str) -> Result<(), StatusReply> {
        self.run(format!("rmdir {}", word(path))).await.map(drop)
    }

    /// Removes a file; a folder is refused.
    pub async fn remove_file(&self, path: &str) -> Result<(), StatusReply> {
        self.run(format!("rm {} </dev/null", word(path)))
            .await
            .map(drop)
    }

    /// Moves a file; one that has the new name already is kept, as the protocol wants it.
    pub async fn rename(&self, from: &str, to: &str) -> Result<(), StatusReply> {
        let (from, to) = (word(from), word(to));
        let command =
            format!("if [ -e {to} ]; then echo 'it exists' >&2; exit 1; fi; mv {from} {to}");
        self.run(command).await.map(drop)
    }

    /// Sets what is given of permissions, owner and size.
    pub async fn change(&self, path: &str, wanted: &FileAttributes) -> Result<(), StatusReply> {
        let path = word(path);
        let mut commands = Vec::new();
        if let Some(size) = wanted.size {
            commands.push(format!("truncate -s {size} {path}"));
        }
        if let (Some(user), Some(group)) = (wanted.uid, wanted.gid) {
            commands.push(format!("chown {user}:{group} {path}"));
        }
        if let Some(mode) = wanted.permissions {
            commands.push(format!("chmod {:o} {path}", mode & 0o7777));
        }
        if let Some(time) = wanted.mtime {
            commands.push(format!(
                "{{ touch -d @{time} {path} 2>/dev/null || touch {path}; }}"
            ));
        }
        if commands.is_empty() {
            return Ok(());
        }
        self.run(commands.join(" && ")).await.map(drop)
    }
}

/// A path as one word that no command takes for an option.
pub fn word(path: &str) -> String {
    if path.starts_with('-') {
        quote::posix(&format!("./{path}"))
    } else {
        quote::posix(path)
    }
}

/// `path` without empty, `.` and `..` parts.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Reads a line of `stat`.
fn attributes(line: &str) -> Option<FileAttributes> {
    let words: Vec<&str> = line.split(' ').collect();
    let [system, mode, size, user, group, accessed, modified] = words.as_slice() else {
        return None;
    };
    let radix = match *system {
        "gnu" => 16,
        "bsd" => 8,
        _ => return None,
    };
    Some(FileAttributes {
        permissions: Some(u32::from_str_radix(mode, radix).ok()?),
        size: Some(size.parse().ok()?),
        uid: Some(user.parse().ok()?),
        gid: Some(group.parse().ok()?),
        atime: Some(accessed.parse().ok()?),
        mtime: Some(modified.parse().ok()?),
        ..FileAttributes::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_kinds_of_stat_are_read() {
        let check = |line: &str, expected: Option<(u32, u64)>| {
            let read = attributes(line);
            let read = read.map(|found| (found.permissions.unwrap(), found.size.unwrap()));
            assert_eq!(read, expected, "{line}");
        };
        check("gnu 81a4 12 0 0 1 2", Some((0o100_644, 12)));
        check("bsd 100644 12 0 0 1 2", Some((0o100_644, 12)));
        check("gnu 41ed 4096 0 0 1 2", Some((0o40_755, 4096)));
        check("gnu 81a4", None);
        check("", None);
    }

    #[test]
    fn paths_are_made_normal_and_safe() {
        for (path, expected) in [
            ("/a/./b//c", "/a/b/c"),
            ("/a/../../b", "/b"),
            ("/", "/"),
            ("/home/me/.", "/home/me"),
        ] {
            assert_eq!(normal(path), expected);
        }
        assert_eq!(word("-rf"), "'./-rf'");
        assert_eq!(word("it's"), r"'it'\''s'");
    }
}
