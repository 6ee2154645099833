//! What goes onto an image, by its path there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hadris_fs::host;
use hadris_fs::{Content, DateTime, Node, Permissions, SetAttr, Tree};

use crate::error::MediaError;
use crate::pattern;

/// Deeper folder trees are taken for loops of symbolic links.
const DEEPEST: usize = 64;

/// A finished image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The image file.
    pub path: PathBuf,
    /// Its files by their path on the image, `/` separated, without a leading slash.
    pub entries: Vec<String>,
}

/// How a folder lands on an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folders {
    /// All files below it directly in the root.
    Flattened,
    /// With its structure; a trailing slash leaves out the folder's own name.
    Kept,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    Text(String),
}

/// The files of an image; a later one replaces an earlier one of the same path.
#[derive(Debug)]
pub(crate) struct Collection {
    medium: &'static str,
    files: BTreeMap<String, Source>,
    folders: BTreeMap<String, ()>,
}

impl Collection {
    pub(crate) fn new(medium: &'static str) -> Self {
        Self {
            medium,
            files: BTreeMap::new(),
            folders: BTreeMap::new(),
        }
    }

    /// The paths of all files on the image.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    /// Adds what one entry of a path option names: a file, a folder or a wildcard.
    pub(crate) fn add(&mut self, entry: &str, folders: Folders) -> Result<(), MediaError> {
        if pattern::is_pattern(entry) && !Path::new(entry).exists() {
            for path in pattern::expand(entry)? {
                self.add_path(&path, folders)?;
            }
            return Ok(());
        }
        if folders == Folders::Kept && entry.ends_with('/') {
            return self.add_content_of(Path::new(entry), "", folders, 0);
        }
        self.add_path(Path::new(entry), folders)
    }

    /// Adds a file with `text` as its content.
    pub(crate) fn add_text(&mut self, path: &str, text: &str) -> Result<(), MediaError> {
        let clean = self.clean(path)?;
        self.files.insert(clean, Source::Text(text.to_owned()));
        Ok(())
    }

    /// The tree the image writers take, and the sum of its files' bytes.
    pub(crate) fn tree(&self) -> Result<(Tree, u64), MediaError> {
        let mut tree = Tree::new();
        let mut bytes = 0;
        for folder in self.folders.keys().filter(|folder| !folder.is_empty()) {
            if tree.get(folder).is_none() {
                self.insert(&mut tree, folder, Node::dir())?;
            }
        }
        for (path, source) in &self.files {
            let node = self.node(source)?;
            bytes += node.content().map_or(0, Content::len);
            self.insert(&mut tree, path, node)?;
        }
        Ok((tree, bytes))
    }

    fn insert(&self, tree: &mut Tree, path: &str, node: Node) -> Result<(), MediaError> {
        tree.insert(path, node).map_err(|_| MediaError::Conflict {
            medium: self.medium,
            path: path.to_owned(),
        })
    }

    fn node(&self, source: &Source) -> Result<Node, MediaError> {
        match source {
            Source::Text(text) => Ok(Node::file(Content::bytes(text.as_bytes()))),
            Source::File(path) => {
                let content =
                    host::file(path).map_err(|source| self.unreadable(path, source.into()))?;
                let facts = fs::metadata(path).map_err(|source| self.unreadable(path, source))?;
                Ok(Node::file(content).with_attrs(attributes(&facts)))
            }
        }
    }

    fn add_path(&mut self, path: &Path, folders: Folders) -> Result<(), MediaError> {
        let facts = fs::metadata(path).map_err(|source| self.unreadable(path, source))?;
        let name = self.name(path)?;
        if facts.is_dir() {
            let prefix = if folders == Folders::Kept {
                name
            } else {
                String::new()
            };
            return self.add_content_of(path, &prefix, folders, 0);
        }
        self.files.insert(name, Source::File(path.to_owned()));
        Ok(())
    }

    fn add_content_of(
        &mut self,
        folder: &Path,
        prefix: &str,
        folders: Folders,
        depth: usize,
    ) -> Result<(), MediaError> {
        if depth > DEEPEST {
            return Err(MediaError::TooDeep {
                path: folder.to_owned(),
                limit: DEEPEST,
            });
        }
        self.folders.insert(prefix.to_owned(), ());
        let entries = fs::read_dir(folder).map_err(|source| self.unreadable(folder, source))?;
        let mut paths = Vec::new();
        for entry in entries {
            paths.push(
                entry
                    .map_err(|source| self.unreadable(folder, source))?
                    .path(),
            );
        }
        paths.sort();
        for path in paths {
            let name = self.name(&path)?;
            let inside = if prefix.is_empty() {
                name
            } else {
                format!("{prefix}/{name}")
            };
            let facts = fs::metadata(&path).map_err(|source| self.unreadable(&path, source))?;
            if facts.is_dir() {
                let below = if folders == Folders::Kept {
                    inside.as_str()
                } else {
                    ""
                };
                self.add_content_of(&path, below, folders, depth + 1)?;
            } else {
                self.files.insert(inside, Source::File(path));
            }
        }
        Ok(())
    }

    /// The last component of `path`, also of `.` and `dir/..`.
    fn name(&self, path: &Path) -> Result<String, MediaError> {
        let named = match path.file_name() {
            Some(name) => Some(name.to_owned()),
            None => fs::canonicalize(path)
                .map_err(|source| self.unreadable(path, source))?
                .file_name()
                .map(ToOwned::to_owned),
        };
        named
            .and_then(|name| name.into_string().ok())
            .ok_or_else(|| MediaError::Path {
                medium: self.medium,
                path: path.display().to_string(),
            })
    }

    fn clean(&self, path: &str) -> Result<String, MediaError> {
        let refused = || MediaError::Path {
            medium: self.medium,
            path: path.to_owned(),
        };
        let mut parts = Vec::new();
        for part in path
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
        {
            if part == ".." {
                parts.pop().ok_or_else(refused)?;
            } else {
                parts.push(part);
            }
        }
        if parts.is_empty() || path.ends_with('/') {
            return Err(refused());
        }
        Ok(parts.join("/"))
    }

    fn unreadable(&self, path: &Path, source: std::io::Error) -> MediaError {
        MediaError::Read {
            medium: self.medium,
            path: path.to_owned(),
            source,
        }
    }
}

/// Permission bits and modification time; the owner is left out, so that two people who build the
/// same template get the same image.
fn attributes(facts: &fs::Metadata) -> SetAttr {
    let mut attributes = SetAttr::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        attributes =
            attributes.with_permissions(Permissions::new(facts.permissions().mode() & 0o7777));
    }
    let modified = facts.modified().ok().and_then(|time| {
        let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
        DateTime::from_unix_seconds(i64::try_from(since.as_secs()).ok()?).ok()
    });
    match modified {
        Some(time) => attributes.with_modified(time),
        None => attributes,
    }
}
