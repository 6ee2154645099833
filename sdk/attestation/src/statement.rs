//! in-toto statements and what they are about.
//!
//! # Source
//!
//! in-toto attestation framework, Statement v1 and ResourceDescriptor v1.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{FileDigests, PredicateKind, StatementError};

/// The type every statement names.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// Something a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Its name, usually a file's; may be missing.
    #[serde(default)]
    pub name: String,
    /// Digests, by algorithm (`sha256`, …), as lower-case hexadecimal digits.
    #[serde(default)]
    pub digest: BTreeMap<String, String>,
}

/// What is said of the subjects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// What kind of thing is said.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said.
    #[serde(default)]
    pub predicate: Value,
}

/// How a file was found among the subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Name and content are those of the subject with this name.
    Same(String),
    /// The content is that of the subject with this name.
    Renamed(String),
}

/// Why a file is not a subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// A subject has its name and another digest.
    #[error("the digest differs: its {algorithm} is {found}, the attestation says {expected}")]
    Differs {
        /// Which digest.
        algorithm: String,
        /// The file's.
        found: String,
        /// The subject's.
        expected: String,
    },
    /// A subject has its name, and no digest that can be computed.
    #[error("the attestation has no SHA-256 or SHA-512 digest for it, only {found}")]
    Incomparable {
        /// The digests there are.
        found: String,
    },
    /// No subject has its name or content.
    #[error("it is not a subject of the attestation, which is about {subjects}")]
    Absent {
        /// The names of the subjects.
        subjects: String,
    },
}

impl Statement {
    /// A statement of a kind.
    #[must_use]
    pub fn new(kind: PredicateKind, subject: Vec<Subject>, predicate: Value) -> Self {
        Self {
            kind: STATEMENT_TYPE.to_owned(),
            subject,
            predicate_type: kind.uri().to_owned(),
            predicate,
        }
    }

    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// A [`StatementError`] that names what is missing or wrong.
    pub fn read(payload: &[u8]) -> Result<Self, StatementError> {
        let statement: Self =
            serde_json::from_slice(payload).map_err(|error| StatementError::Malformed {
                reason: error.to_string(),
            })?;
        if statement.kind != STATEMENT_TYPE {
            return Err(StatementError::Type {
                found: statement.kind,
            });
        }
        if statement.subject.is_empty() {
            return Err(StatementError::NoSubject);
        }
        if let Some(bare) = statement.subject.iter().find(|it| it.digest.is_empty()) {
            return Err(StatementError::NoDigest {
                name: bare.name.clone(),
            });
        }
        Ok(statement)
    }

    /// Looks for the file at `path` with these digests among the subjects: by content first, so
    /// that a renamed file is found, then by the last part of its name to say what differs.
    ///
    /// # Errors
    ///
    /// A [`Mismatch`] that says why it is none of them.
    pub fn compare(&self, path: &Path, digests: &FileDigests) -> Result<Compared, Mismatch> {
        let named = |subject: &&Subject| {
            let name = Path::new(&subject.name).file_name();
            name.is_some() && name == path.file_name()
        };
        let same = || self.subject.iter().filter(|it| it.is(digests));
        if let Some(subject) = same().find(named) {
            return Ok(Compared::Same(subject.name.clone()));
        }
        if let Some(subject) = same().next() {
            return Ok(Compared::Renamed(subject.name.clone()));
        }
        match self.subject.iter().find(named) {
            Some(subject) => Err(subject.difference(digests)),
            None => Err(Mismatch::Absent {
                subjects: self.names(),
            }),
        }
    }

    fn names(&self) -> String {
        let names: Vec<String> = self
            .subject
            .iter()
            .map(|subject| format!("`{}`", subject.name))
            .collect();
        names.join(", ")
    }
}

impl Subject {
    /// A file that is known by `name`.
    #[must_use]
    pub fn file(name: impl Into<String>, digests: &FileDigests) -> Self {
        Self {
            name: name.into(),
            digest: digests.to_set(),
        }
    }

    /// Whether every digest that can be compared is the file's, and there is one at least.
    fn is(&self, digests: &FileDigests) -> bool {
        let mut known = self.known(digests).peekable();
        known.peek().is_some() && known.all(|(_, expected, found)| same(expected, found))
    }

    fn difference(&self, digests: &FileDigests) -> Mismatch {
        let different = self
            .known(digests)
            .find(|(_, expected, found)| !same(expected, found));
        match different {
            Some((algorithm, expected, found)) => Mismatch::Differs {
                algorithm: algorithm.to_owned(),
                found: found.to_owned(),
                expected: expected.to_owned(),
            },
            None => {
                let names: Vec<&str> = self.digest.keys().map(String::as_str).collect();
                Mismatch::Incomparable {
                    found: names.join(", "),
                }
            }
        }
    }

    /// Algorithm, the subject's digest, the file's.
    fn known<'a>(
        &'a self,
        digests: &'a FileDigests,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
        self.digest.iter().filter_map(|(algorithm, expected)| {
            let found = digests.get(algorithm)?;
            Some((algorithm.as_str(), expected.as_str(), found))
        })
    }
}

fn same(expected: &str, found: &str) -> bool {
    expected.eq_ignore_ascii_case(found)
}
