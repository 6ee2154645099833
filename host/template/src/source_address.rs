//! Where plugins come from: `github.com/hashicorp/amazon`.

use std::fmt;

/// Most parts that a source has.
const PART_LIMIT: usize = 16;
/// Longest name of a plugin, as it is a label of a domain name.
const NAME_LIMIT: usize = 63;

/// The source of a plugin, as templates and command lines give it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceAddress(String);

/// Why a text is no source of a plugin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the source of a plugin: {problem}")]
pub struct SourceError {
    text: String,
    problem: String,
}

impl SourceAddress {
    /// Reads a source; it stays as it is written.
    ///
    /// # Errors
    ///
    /// [`SourceError`] says what is wrong with it.
    ///
    /// # Source
    ///
    /// Packer 1.11 to 1.16. Differs: every part has to be one that can be the name of a folder, and
    /// none may be `.` or `..`, as sources become folders.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let wrong = |problem: String| {
            Err(SourceError {
                text: text.to_owned(),
                problem,
            })
        };
        if text.contains("://") || text.contains(['?', '#']) {
            return wrong("it is written without `https://`, query and fragment".to_owned());
        }
        let parts: Vec<&str> = text.split('/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return wrong(
                "there is an empty part before, between or behind its slashes".to_owned(),
            );
        }
        if !(3..=PART_LIMIT).contains(&parts.len()) {
            return wrong(
                "it has to have a host, an owner and a name, as in `github.com/hashicorp/amazon`"
                    .to_owned(),
            );
        }
        let allowed = |c: char| c.is_alphanumeric() || "-_.~".contains(c);
        let odd = |part: &&&str| {
            !part.chars().all(allowed) || part.chars().all(|c| c == '.') || part.len() > 255
        };
        if let Some(part) = parts.iter().find(odd) {
            return wrong(format!("`{part}` cannot be a part of it"));
        }
        match check_name(parts.last().unwrap_or(&text)) {
            Ok(()) => Ok(Self(text.to_owned())),
            Err(problem) => wrong(problem),
        }
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part, which is the name of the plugin.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Host, owner and name, when there are these three parts.
    #[must_use]
    pub fn triple(&self) -> Option<(&str, &str, &str)> {
        let mut parts = self.0.split('/');
        let triple = (parts.next()?, parts.next()?, parts.next()?);
        parts.next().is_none().then_some(triple)
    }
}

impl fmt::Display for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is wrong with the name of a plugin.
fn check_name(name: &str) -> Result<(), String> {
    for prefix in ["packer-plugin-", "kiln-plugin-"] {
        if let Some(bare) = name.strip_prefix(prefix) {
            return Err(format!("its name is written without `{prefix}`: `{bare}`"));
        }
    }
    if name.starts_with("packer-") {
        return Err("its name cannot begin with `packer-`".to_owned());
    }
    let allowed = |c: char| c == '-' || c.is_alphanumeric();
    let is_label = name.chars().all(allowed)
        && !name.contains("--")
        && !name.starts_with('-')
        && !name.ends_with('-')
        && name.len() <= NAME_LIMIT;
    match is_label {
        true => Ok(()),
        false => Err(format!(
            "its name `{name}` has to consist of letters, digits and single dashes between them"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::SourceAddress;

    fn refused(text: &str, problem: &str) {
        let error = SourceAddress::parse(text).expect_err(text);
        assert!(error.to_string().contains(problem), "{text}: {error}");
    }

    #[test]
    fn sources_have_three_parts_or_more() {
        let source = SourceAddress::parse("github.com/hashicorp/amazon").expect("a source");
        assert_eq!(source.name(), "amazon");
        assert_eq!(source.triple(), Some(("github.com", "hashicorp", "amazon")));
        let longer = SourceAddress::parse("git.example/a/b/c/d").expect("a source");
        assert_eq!((longer.name(), longer.triple()), ("d", None));
        refused("hashicorp/amazon", "a host, an owner and a name");
        refused("amazon", "a host, an owner and a name");
        refused(&["a"; 17].join("/"), "a host, an owner and a name");
    }

    #[test]
    fn what_is_no_path_is_refused() {
        refused("https://github.com/hashicorp/amazon", "without `https://`");
        refused("github.com/hashicorp/amazon?a=b", "without `https://`");
        refused("/github.com/hashicorp/amazon", "an empty part");
        refused("github.com/hashicorp/amazon/", "an empty part");
        refused("github.com//amazon", "an empty part");
        refused("github.com/../amazon", "`..` cannot be a part");
        refused("a:b/c/d", "`a:b` cannot be a part");
        refused("a\\b/c/d", "cannot be a part");
    }

    #[test]
    fn names_are_labels() {
        refused(
            "github.com/a/packer-plugin-x",
            "without `packer-plugin-`: `x`",
        );
        refused("github.com/a/packer-x", "cannot begin with `packer-`");
        for name in ["a.b", "a--b", "-a", "a-", "a_b"] {
            refused(&format!("github.com/x/{name}"), "letters, digits");
        }
    }
}
