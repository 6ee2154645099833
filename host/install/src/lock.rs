//! The lock file: which plugins the templates of a folder use, byte for byte.
//!
//! `kiln init` writes it beside the templates, and it belongs into version control with them. For
//! each source it has the version, the SHA-256 of the archives of all platforms as their publisher
//! lists them, and the SHA-256 of the executables that were installed so far.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Block, Body};
use host_plugin_client::Locked;
use host_plugin_client::tree::Platform;
use host_template::{SourceAddress, Version};

use crate::error::InstallError;
use crate::place::write_whole;

/// Its name.
pub const LOCK_FILE: &str = ".kiln.lock.hcl";
/// A longer file is no lock file.
const SIZE_LIMIT: u64 = 4 << 20;
/// What stands before a hash.
const HASH_PREFIX: &str = "sha256:";
const HEAD: &str = "# Which plugins the templates in this folder use, byte for byte. `kiln init` writes this file;\n\
                    # keep it under version control. `kiln init -upgrade` chooses newer versions.\n";

/// The lock file of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockFile {
    /// By source.
    pub plugins: BTreeMap<String, LockedPlugin>,
}

/// A plugin in a lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedPlugin {
    /// Its version.
    pub version: Version,
    /// SHA-256 of archives, in hexadecimal, by file name.
    pub archives: BTreeMap<String, String>,
    /// SHA-256 of executables, in hexadecimal, by platform: `linux_amd64`.
    pub executables: BTreeMap<String, String>,
}

impl LockFile {
    /// The lock file in `folder`; an empty one when there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not what `kiln init` writes; the error says where.
    pub fn read(folder: &Path) -> Result<Self, InstallError> {
        let path = folder.join(LOCK_FILE);
        let length = match std::fs::metadata(&path) {
            Ok(facts) => facts.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(InstallError::file("read", &path, error)),
        };
        if length > SIZE_LIMIT {
            return Err(damaged(&path, "it is far too long".to_owned()));
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|error| InstallError::file("read", &path, error))?;
        Self::parse(&text).map_err(|problem| damaged(&path, problem))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let body = hcl_edit::parser::parse_body(text).map_err(|error| {
            let at = error.location();
            format!("line {}: {}", at.line(), error.message())
        })?;
        let mut lock = Self::default();
        for structure in &body {
            let Some(block) = structure.as_block().filter(|block| is_plugin(block)) else {
                return Err("there is something else in it than `plugin \"SOURCE\"`".to_owned());
            };
            let source = block.labels[0].as_str();
            let wrong = |problem: String| format!("plugin \"{source}\": {problem}");
            SourceAddress::parse(source).map_err(|error| error.to_string())?;
            let plugin = LockedPlugin::read(&block.body).map_err(wrong)?;
            if lock.plugins.insert(source.to_owned(), plugin).is_some() {
                return Err(wrong("it is there twice".to_owned()));
            }
        }
        Ok(lock)
    }

    /// Writes it into `folder`, whole or not at all; a file that is as it should be is not touched.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), InstallError> {
        let path = folder.join(LOCK_FILE);
        let text = self.text();
        if std::fs::read_to_string(&path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        write_whole(&path, text.as_bytes(), 0o644)
    }

    fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for (source, plugin) in &self.plugins {
            let version = &plugin.version;
            text.push_str(&format!(
                "\nplugin \"{source}\" {{\n  version = \"{version}\"\n"
            ));
            for (name, hashes) in [
                ("archives", &plugin.archives),
                ("executables", &plugin.executables),
            ] {
                if hashes.is_empty() {
                    continue;
                }
                text.push_str(&format!("  {name} = {{\n"));
                for (key, hash) in hashes {
                    text.push_str(&format!("    \"{key}\" = \"{HASH_PREFIX}{hash}\"\n"));
                }
                text.push_str("  }\n");
            }
            text.push_str("}\n");
        }
        text
    }

    /// What the plugins have to be on this platform.
    #[must_use]
    pub fn locked(&self) -> Vec<Locked> {
        let here = Platform::current().to_string();
        let locked = self.plugins.iter().map(|(source, plugin)| Locked {
            source: source.clone(),
            version: plugin.version.clone(),
            sha256: plugin.executables.get(&here).cloned(),
        });
        locked.collect()
    }
}

fn damaged(path: &Path, problem: String) -> InstallError {
    InstallError::Lock {
        path: PathBuf::from(path),
        problem,
    }
}

fn is_plugin(block: &Block) -> bool {
    block.ident.as_str() == "plugin" && block.labels.len() == 1
}

impl LockedPlugin {
    fn read(body: &Body) -> Result<Self, String> {
        let mut version = None;
        let mut plugin = Self {
            version: Version::parse("0.0.0").expect("three numbers are a version"),
            archives: BTreeMap::new(),
            executables: BTreeMap::new(),
        };
        for structure in body {
            let Some(attribute) = structure.as_attribute() else {
                return Err("it has a block".to_owned());
            };
            match (attribute.key.as_str(), &attribute.value) {
                ("version", Expression::String(text)) => {
                    let parsed = Version::parse(text.as_str());
                    version = Some(parsed.map_err(|error| error.to_string())?);
                }
                ("archives", value) => plugin.archives = hashes(value)?,
                ("executables", value) => plugin.executables = hashes(value)?,
                (other, _) => {
                    return Err(format!("`{other}` is not expected there, or is no text"));
                }
            }
        }
        plugin.version = version.ok_or("its version is missing")?;
        Ok(plugin)
    }
}

fn hashes(value: &Expression) -> Result<BTreeMap<String, String>, String> {
    let Expression::Object(entries) = value else {
        return Err("hashes stand in `{ }`".to_owned());
    };
    let mut found = BTreeMap::new();
    for (key, entry) in entries.iter() {
        let key = match key {
            ObjectKey::Ident(name) => name.as_str().to_owned(),
            ObjectKey::Expression(Expression::String(text)) => text.as_str().to_owned(),
            ObjectKey::Expression(_) => return Err("a name before a hash is no text".to_owned()),
        };
        let text = match entry.expr() {
            Expression::String(text) => text.as_str(),
            _ => "",
        };
        let hash = text.strip_prefix(HASH_PREFIX).unwrap_or_default();
        if !is_sha256(hash) {
            return Err(format!(
                "`{key}` needs `{HASH_PREFIX}` and 64 hexadecimal digits in lower case"
            ));
        }
        found.insert(key, hash.to_owned());
    }
    Ok(found)
}

/// 64 hexadecimal digits in lower case.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> LockFile {
        let hashes = |names: &[&str]| {
            let pairs = names
                .iter()
                .map(|name| ((*name).to_owned(), "0a".repeat(32)));
            pairs.collect()
        };
        let plugin = LockedPlugin {
            version: Version::parse("1.2.3").unwrap(),
            archives: hashes(&["packer-plugin-x_v1.2.3_x5.0_linux_amd64.zip", "b.zip"]),
            executables: hashes(&["linux_amd64"]),
        };
        let plugins = [("github.com/a/x".to_owned(), plugin)];
        LockFile {
            plugins: plugins.into(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            LockFile::read(folder.path()).unwrap(),
            LockFile::default(),
            "no file is an empty one"
        );
        sample().write(folder.path()).unwrap();
        assert_eq!(LockFile::read(folder.path()).unwrap(), sample());
    }

    fn refused(text: &str, expected: &str) {
        let problem = LockFile::parse(text).unwrap_err();
        assert!(problem.contains(expected), "{text}: {problem}");
    }

    #[test]
    fn a_damaged_file_is_refused_with_the_reason() {
        refused("<<<<<<< HEAD\n", "line 1");
        refused("x = 1\n", "something else");
        refused("plugin \"x\" {\n}\n", "not the source of a plugin");
        let plugin = |body: &str| format!("plugin \"github.com/a/x\" {{\n{body}\n}}\n");
        refused(&plugin(""), "its version is missing");
        refused(&plugin("version = \"a\""), "`a` is not a version");
        refused(&plugin("version = 1"), "`version` is not expected there");
        refused(
            &plugin("archives = {\n a = \"sha256:00\"\n}"),
            "64 hexadecimal",
        );
        let twice = plugin("version = \"1.0.0\"").repeat(2);
        refused(&twice, "it is there twice");
    }
}
