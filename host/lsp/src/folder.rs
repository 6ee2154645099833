//! The files of a template's folder, open buffers before what is on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lsp_types::Url;

use crate::documents::{Document, Documents, Kind};
use crate::symbols::{self, Declaration, SymbolKind, Usage};

/// Folders above a file of values in which its template is looked for.
const MOST_ABOVE: usize = 3;
/// Files of one folder that are looked at.
const MOST_FILES: usize = 500;

/// A file of a folder.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) url: Url,
    pub(crate) kind: Kind,
    pub(crate) document: Arc<Document>,
}

/// A template's files with everything they declare and use.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) files: Vec<File>,
    pub(crate) declarations: Vec<Declaration>,
    pub(crate) usages: Vec<Usage>,
}

impl Folder {
    /// The folder that the file at `path` belongs to.
    pub(crate) fn around(path: &Path, kind: Kind, documents: &Documents) -> Self {
        if kind.is_legacy() {
            let own = path.parent().unwrap_or(path);
            return Self::of(own, file(path, documents).into_iter().collect());
        }
        Self::at(
            &template_folder(path, kind, documents),
            Some(path),
            documents,
        )
    }

    /// The folder at `path`, with `also`, which may lie elsewhere.
    pub(crate) fn at(path: &Path, also: Option<&Path>, documents: &Documents) -> Self {
        let mut files: Vec<File> = Vec::new();
        for path in native_files(path, documents) {
            files.extend(file(&path, documents));
        }
        if let Some(also) = also.filter(|also| !files.iter().any(|file| file.path == **also)) {
            files.extend(file(also, documents));
        }
        Self::of(path, files)
    }

    /// These files alone.
    fn of(path: &Path, files: Vec<File>) -> Self {
        let (mut declarations, mut usages) = (Vec::new(), Vec::new());
        for (index, file) in files.iter().enumerate() {
            let (outline, text) = (file.document.outline(), &file.document.text);
            if file.kind.is_values() {
                usages.extend(symbols::values_usages(index, outline));
            } else {
                declarations.extend(symbols::declarations(index, text, outline));
                usages.extend(symbols::usages(index, text, outline));
            }
        }
        Self {
            path: path.to_owned(),
            files,
            declarations,
            usages,
        }
    }

    /// The declarations of a kind.
    pub(crate) fn declared(&self, kind: SymbolKind) -> impl Iterator<Item = &Declaration> {
        let all = self.declarations.iter();
        all.filter(move |declaration| declaration.kind == kind)
    }

    /// The declaration of a name.
    pub(crate) fn find(&self, kind: SymbolKind, name: &str) -> Option<&Declaration> {
        self.declared(kind)
            .find(|declaration| declaration.name == name)
    }

    /// The folder of a module.
    pub(crate) fn module(&self, name: &str, documents: &Documents) -> Option<Folder> {
        let declaration = self.find(SymbolKind::Module, name)?;
        let source = declaration.fact("source")?;
        let source = source.trim_matches('"');
        Some(Self::at(&self.path.join(source), None, documents))
    }
}

/// The folder of the template that the file at `path` belongs to.
pub(crate) fn template_folder(path: &Path, kind: Kind, documents: &Documents) -> PathBuf {
    let own = path.parent().unwrap_or(path);
    if !kind.is_values() {
        return own.to_owned();
    }
    let has_template = |folder: &&Path| {
        native_files(folder, documents)
            .iter()
            .any(|path| is_named(path, &[".pkr.hcl", ".pkr.json"]))
    };
    let found = own.ancestors().take(MOST_ABOVE).find(has_template);
    found.unwrap_or(own).to_owned()
}

/// Templates and files of values directly in a folder, open ones that were never saved among them.
fn native_files(folder: &Path, documents: &Documents) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let saved = entries.map(|entry| entry.path());
    let open = documents.iter().map(|open| open.path.clone());
    let open = open.filter(|path| path.parent() == Some(folder));
    let mut paths: Vec<PathBuf> = saved
        .chain(open)
        .filter(|path| is_native_name(path))
        .collect();
    paths.sort();
    paths.dedup();
    paths.truncate(MOST_FILES);
    paths
}

fn is_native_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let ends = [".pkr.hcl", ".pkr.json", ".pkrvars.hcl", ".pkrvars.json"];
    !name.starts_with('.') && is_named(path, &ends)
}

fn is_named(path: &Path, ends: &[&str]) -> bool {
    let name = path.to_string_lossy();
    ends.iter().any(|end| name.ends_with(end))
}

fn file(path: &Path, documents: &Documents) -> Option<File> {
    if let Some(open) = documents.at(path) {
        return Some(File {
            path: path.to_owned(),
            url: open.url.clone(),
            kind: open.kind,
            document: Arc::clone(&open.document),
        });
    }
    let url = Url::from_file_path(path).ok()?;
    // A file that cannot be read is told by the diagnostics.
    let text = host_syntax::read_file(path).ok()?;
    let kind = Kind::of(&url, "")?;
    Some(File {
        path: path.to_owned(),
        kind,
        url,
        document: Arc::new(Document::new(kind, text)),
    })
}
