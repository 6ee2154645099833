//! The files that are open in the editor.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use lsp_types::{TextDocumentContentChangeEvent, Url};

use crate::outline::Outline;
use crate::position::{Encoding, Lines};

/// A file with its text, as far as anything was asked about it.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) text: Arc<str>,
    kind: Kind,
    lines: OnceLock<Lines>,
    outline: OnceLock<Outline>,
}

impl Document {
    pub(crate) fn new(kind: Kind, text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            kind,
            lines: OnceLock::new(),
            outline: OnceLock::new(),
        }
    }

    pub(crate) fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines::of(&self.text))
    }

    /// Empty for a text that is too large to be a template.
    pub(crate) fn outline(&self) -> &Outline {
        self.outline.get_or_init(|| match self.is_too_large() {
            true => Outline::empty(self.kind),
            false => Outline::of(&self.text, self.kind),
        })
    }

    pub(crate) fn is_too_large(&self) -> bool {
        self.text.len() > host_syntax::LARGEST_FILE_BYTES
    }
}

/// What the editor says a file is, judged by its name and language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `*.pkr.hcl`.
    Template,
    /// `*.pkrvars.hcl`.
    Values,
    /// `*.pkr.json`.
    TemplateJson,
    /// `*.pkrvars.json`.
    ValuesJson,
    /// `*.pkrvars.yaml`.
    ValuesYaml,
    /// A legacy JSON template: a template of its own.
    LegacyJson,
    /// `*.pkr.yaml`: the same in YAML.
    LegacyYaml,
}

/// Languages under which editors open templates.
const LANGUAGES: [&str; 4] = ["packer", "packer-json", "packer-hcl", "packer-template"];

impl Kind {
    /// `None` for a file that is no part of a template.
    pub(crate) fn of(url: &Url, language: &str) -> Option<Self> {
        let name = url.path();
        let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
        if ends(&[".pkrvars.hcl"]) {
            Some(Self::Values)
        } else if ends(&[".pkr.hcl"]) {
            Some(Self::Template)
        } else if ends(&[".pkr.json"]) {
            Some(Self::TemplateJson)
        } else if ends(&[".pkrvars.json"]) {
            Some(Self::ValuesJson)
        } else if ends(&[".pkrvars.yaml", ".pkrvars.yml"]) {
            Some(Self::ValuesYaml)
        } else if ends(&[".pkr.yaml", ".pkr.yml"]) {
            Some(Self::LegacyYaml)
        } else if ends(&[".json"]) && LANGUAGES.contains(&language) {
            Some(Self::LegacyJson)
        } else if !ends(&[".json", ".yaml", ".yml"]) && language.starts_with("packer") {
            // A new file that has no name yet.
            Some(Self::Template)
        } else {
            None
        }
    }

    /// Whether it is JSON or YAML.
    pub(crate) fn is_data(self) -> bool {
        !matches!(self, Self::Template | Self::Values)
    }

    /// Whether it is YAML.
    pub(crate) fn is_yaml(self) -> bool {
        matches!(self, Self::ValuesYaml | Self::LegacyYaml)
    }

    /// Whether it is a template with the keys of legacy JSON.
    pub(crate) fn is_legacy(self) -> bool {
        matches!(self, Self::LegacyJson | Self::LegacyYaml)
    }

    /// Whether it is a file of values.
    pub(crate) fn is_values(self) -> bool {
        matches!(self, Self::Values | Self::ValuesJson | Self::ValuesYaml)
    }
}

/// An open file.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) url: Url,
    /// On disk; a name that is not there for a file without a path.
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    pub(crate) version: i32,
    pub(crate) document: Arc<Document>,
}

/// All open files, by path.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    open: BTreeMap<PathBuf, Open>,
}

impl Documents {
    pub(crate) fn insert(&mut self, open: Open) {
        self.open.insert(open.path.clone(), open);
    }

    pub(crate) fn remove(&mut self, url: &Url) -> Option<Open> {
        self.open.remove(&path_of(url)?)
    }

    pub(crate) fn get(&self, url: &Url) -> Option<&Open> {
        self.open.get(&path_of(url)?)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Open> {
        self.open.values()
    }

    /// The open file at a path.
    pub(crate) fn at(&self, path: &std::path::Path) -> Option<&Open> {
        self.open.get(path)
    }

    /// Applies changes in order. False when the file is not open.
    pub(crate) fn change(
        &mut self,
        url: &Url,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> bool {
        let open = path_of(url).and_then(|path| self.open.get_mut(&path));
        let Some(open) = open else {
            return false;
        };
        let mut document = Arc::clone(&open.document);
        for change in changes {
            let text = match change.range {
                None => change.text,
                Some(range) => {
                    let (lines, text) = (document.lines(), &document.text);
                    let start = lines.byte(text, range.start, encoding);
                    let end = lines.byte(text, range.end, encoding).max(start);
                    format!("{}{}{}", &text[..start], change.text, &text[end..])
                }
            };
            document = Arc::new(Document::new(open.kind, text));
        }
        open.document = document;
        open.version = version;
        true
    }
}

/// The path of a file; of one that has no place on disk, a path that is none either.
pub(crate) fn path_of(url: &Url) -> Option<PathBuf> {
    if url.scheme() == "file" {
        return url.to_file_path().ok();
    }
    // Absolute, and below a folder that cannot be there.
    let name = url.path().rsplit('/').next().unwrap_or_default();
    let folder = format!("/dev/null/{}", url.as_str().replace('/', "_"));
    Some(PathBuf::from(folder).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsp_types::{Position, Range};

    fn change(from: (u32, u32), to: (u32, u32), text: &str) -> TextDocumentContentChangeEvent {
        TextDocumentContentChangeEvent {
            range: Some(Range::new(
                Position::new(from.0, from.1),
                Position::new(to.0, to.1),
            )),
            range_length: None,
            text: text.to_owned(),
        }
    }

    #[test]
    fn changes_are_applied_in_order_and_counted_in_utf16() {
        let url = Url::parse("file:///t/a.pkr.hcl").expect("an address");
        let mut documents = Documents::default();
        documents.insert(Open {
            url: url.clone(),
            path: path_of(&url).expect("a path"),
            kind: Kind::Template,
            version: 1,
            document: Arc::new(Document::new(Kind::Template, "a = \"😀x\"\nb\n")),
        });
        let changes = vec![
            change((0, 7), (0, 8), "yz"),
            change((1, 0), (9, 9), "c"),
            change((0, 0), (0, 0), "# "),
        ];
        assert!(documents.change(&url, 2, changes, Encoding::Utf16));
        let open = documents.get(&url).expect("it is open");
        assert_eq!(&*open.document.text, "# a = \"😀yz\"\nc");
        assert_eq!(open.version, 2);
        let other = Url::parse("file:///t/b.pkr.hcl").expect("an address");
        assert!(!documents.change(&other, 1, Vec::new(), Encoding::Utf16));
    }

    #[test]
    fn names_and_languages_tell_what_a_file_is() {
        let kind = |name: &str, language: &str| {
            Kind::of(
                &Url::parse(&format!("file:///t/{name}")).expect("an address"),
                language,
            )
        };
        assert_eq!(kind("a.pkr.hcl", ""), Some(Kind::Template));
        assert_eq!(kind("a.auto.pkrvars.hcl", "hcl"), Some(Kind::Values));
        assert_eq!(kind("a.pkr.json", "json"), Some(Kind::TemplateJson));
        assert_eq!(kind("a.pkr.yml", "yaml"), Some(Kind::LegacyYaml));
        assert_eq!(kind("a.pkrvars.yaml", ""), Some(Kind::ValuesYaml));
        assert_eq!(kind("a.json", "json"), None);
        assert_eq!(kind("a.json", "packer"), Some(Kind::LegacyJson));
        assert_eq!(kind("a.hcl", "hcl"), None);
        assert_eq!(kind("Untitled-1", "packer"), Some(Kind::Template));
    }
}
