//! Version constraints as templates write them: `>= 1.8, < 2.0`, `~> 1.2.3`.

use std::cmp::Ordering;
use std::fmt;

/// A dotted version: `1.16`, `1.2.3-beta1+build`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The numbers, at least three; missing ones are zero.
    segments: Vec<u64>,
    /// How many numbers were written.
    written: usize,
    /// What follows the first `-`; empty for a release.
    prerelease: String,
}

/// A list of conditions that a version has to meet all of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraints {
    text: String,
    conditions: Vec<(Operator, Version)>,
}

/// Why a version or a constraint cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConstraintError {
    /// The text is not numbers with dots between them.
    #[error("`{0}` is not a version")]
    Version(String),
    /// A condition that is empty, or has an operator that does not exist.
    #[error("`{0}` is not a version condition such as `>= 1.8.0`")]
    Condition(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Pessimistic,
}

/// Longest first, so that `>=` is not read as `>`.
const OPERATORS: [(&str, Operator); 7] = [
    (">=", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("!=", Operator::NotEqual),
    ("~>", Operator::Pessimistic),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("=", Operator::Equal),
];

impl Version {
    /// Reads a version; a leading `v` is allowed.
    ///
    /// # Errors
    ///
    /// [`ConstraintError::Version`] when the text is anything else.
    pub fn parse(text: &str) -> Result<Self, ConstraintError> {
        let error = || ConstraintError::Version(text.to_owned());
        let trimmed = text.trim();
        let bare = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let without_metadata = bare.split('+').next().unwrap_or(bare);
        let (numbers, prerelease) = match without_metadata.split_once('-') {
            Some((_, "")) => return Err(error()),
            Some((numbers, prerelease)) => (numbers, prerelease),
            None => (without_metadata, ""),
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-~".contains(c);
        if !prerelease.chars().all(allowed) {
            return Err(error());
        }
        let mut segments = Vec::new();
        for part in numbers.split('.') {
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(error());
            }
            segments.push(part.parse::<u64>().map_err(|_| error())?);
        }
        let written = segments.len();
        segments.resize(written.max(3), 0);
        Ok(Self {
            segments,
            written,
            prerelease: prerelease.to_owned(),
        })
    }

    /// The same version as a release.
    #[must_use]
    pub fn core(&self) -> Self {
        Self {
            prerelease: String::new(),
            ..self.clone()
        }
    }

    /// What follows the first `-`; empty for a release.
    #[must_use]
    pub fn prerelease(&self) -> &str {
        &self.prerelease
    }

    /// Whether something follows a `-`.
    #[must_use]
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    /// Which of two is newer; a release is newer than its prereleases, and numbers that were not
    /// written are zero.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        let length = self.segments.len().max(other.segments.len());
        let number = |version: &Self, at: usize| version.segments.get(at).copied().unwrap_or(0);
        (0..length)
            .map(|at| number(self, at).cmp(&number(other, at)))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| compare_prereleases(&self.prerelease, &other.prerelease))
    }
}

/// A release is newer than its prereleases; parts are compared as semantic versions have it.
fn compare_prereleases(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let mut left = left.split('.');
    let mut right = right.split('.');
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, number) in self.segments.iter().enumerate() {
            write!(f, "{}{number}", if at == 0 { "" } else { "." })?;
        }
        if self.is_prerelease() {
            write!(f, "-{}", self.prerelease)?;
        }
        Ok(())
    }
}

impl Constraints {
    /// Reads a comma-separated list of conditions.
    ///
    /// # Errors
    ///
    /// [`ConstraintError`] for the first condition that cannot be read.
    pub fn parse(text: &str) -> Result<Self, ConstraintError> {
        let mut conditions = Vec::new();
        for condition in text.split(',') {
            let condition = condition.trim();
            let (operator, rest) = OPERATORS
                .iter()
                .find_map(|(sign, operator)| Some((*operator, condition.strip_prefix(sign)?)))
                .unwrap_or((Operator::Equal, condition));
            let version = Version::parse(rest)
                .map_err(|_| ConstraintError::Condition(condition.to_owned()))?;
            conditions.push((operator, version));
        }
        Ok(Self {
            text: text.to_owned(),
            conditions,
        })
    }

    /// Whether `version` meets every condition.
    #[must_use]
    pub fn allow(&self, version: &Version) -> bool {
        self.conditions
            .iter()
            .all(|(operator, limit)| meets(*operator, version, limit))
    }

    /// Whether a condition names a prerelease.
    #[must_use]
    pub fn name_prerelease(&self) -> bool {
        self.conditions
            .iter()
            .any(|(_, version)| version.is_prerelease())
    }
}

impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn meets(operator: Operator, version: &Version, limit: &Version) -> bool {
    let order = version.compare(limit);
    match operator {
        Operator::Equal => order.is_eq(),
        Operator::NotEqual => order.is_ne(),
        Operator::Greater => prereleases_fit(version, limit) && order.is_gt(),
        Operator::GreaterEqual => prereleases_fit(version, limit) && order.is_ge(),
        Operator::Less => prereleases_fit(version, limit) && order.is_lt(),
        Operator::LessEqual => prereleases_fit(version, limit) && order.is_le(),
        Operator::Pessimistic => {
            let fixed = limit.written.saturating_sub(1);
            prereleases_fit(version, limit)
                && order.is_ge()
                && version.segments[..fixed.min(version.segments.len())]
                    == limit.segments[..fixed.min(limit.segments.len())]
        }
    }
}

/// A prerelease only counts against a limit that is a prerelease of the same version.
fn prereleases_fit(version: &Version, limit: &Version) -> bool {
    match (version.is_prerelease(), limit.is_prerelease()) {
        (true, true) => version.segments == limit.segments,
        (true, false) => false,
        (false, _) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{Constraints, Version};

    fn check(constraints: &str, allowed: &[&str], refused: &[&str]) {
        let constraints = Constraints::parse(constraints).expect("constraint");
        for text in allowed {
            assert!(
                constraints.allow(&Version::parse(text).expect("version")),
                "{text} refused"
            );
        }
        for text in refused {
            assert!(
                !constraints.allow(&Version::parse(text).expect("version")),
                "{text} allowed"
            );
        }
    }

    #[test]
    fn every_operator_compares_numbers() {
        check("1.2.3", &["1.2.3", "v1.2.3"], &["1.2.4"]);
        check("= 1.2", &["1.2.0"], &["1.2.1"]);
        check("!= 1.2.0", &["1.2.1"], &["1.2"]);
        check("> 1.9", &["1.10.0"], &["1.9.0"]);
        check(">= 1.8, < 2.0", &["1.8.0", "1.99.9"], &["1.7.9", "2.0.0"]);
        check("<=1.2.0", &["1.2.0"], &["1.2.1"]);
    }

    #[test]
    fn pessimistic_operator_lets_the_last_written_number_grow() {
        check("~> 1.2.3", &["1.2.3", "1.2.9"], &["1.3.0", "1.2.2"]);
        check("~> 1.2", &["1.2.0", "1.9.0"], &["2.0.0"]);
        check("~> 1", &["1.0.0", "7.0.0"], &["0.9.0"]);
    }

    #[test]
    fn a_prerelease_only_meets_limits_of_its_own_version() {
        check(
            ">= 1.0.0-beta1",
            &["1.0.0-beta2", "1.0.0"],
            &["1.1.0-dev", "1.0.0-alpha"],
        );
        check(">= 1.0.0", &["1.1.0"], &["1.1.0-dev"]);
    }

    #[test]
    fn prereleases_are_letters_digits_and_marks() {
        for text in ["1.0.0-a/b", "1.0.0-../x", "1.0.0-a b", "1.0.0-ü"] {
            assert!(Version::parse(text).is_err(), "{text:?} was accepted");
        }
        assert_eq!(
            Version::parse("1.0-rc.1").expect("version").prerelease(),
            "rc.1"
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", ">= ", "=> 1.0", "1.x", "~ 1.0", "1.0,,2.0"] {
            assert!(Constraints::parse(text).is_err(), "{text:?} was accepted");
        }
    }
}
