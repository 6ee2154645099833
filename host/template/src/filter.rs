//! The `-only` and `-except` patterns of HCL2 templates.
//!
//! A pattern matches the whole name; `*` and `**` also cross dots and slashes.

use globset::{GlobBuilder, GlobMatcher};
use host_diag::{Diagnostic, Diagnostics};

/// Compiled patterns of one option.
#[derive(Debug)]
pub(crate) struct Patterns {
    matchers: Vec<GlobMatcher>,
}

impl Patterns {
    /// Compiles the patterns of `option` (`only` or `except`); those that are malformed are errors.
    pub(crate) fn compile(option: &str, patterns: &[String], problems: &mut Diagnostics) -> Self {
        let mut matchers = Vec::new();
        for pattern in patterns {
            let glob = GlobBuilder::new(&single_stars(pattern))
                .literal_separator(false)
                .backslash_escape(true)
                .empty_alternates(true)
                .build();
            match glob {
                Ok(glob) => matchers.push(glob.compile_matcher()),
                Err(error) => problems.push(
                    Diagnostic::error(format!(
                        "Invalid -{option} pattern {pattern}: {}",
                        error.kind()
                    ))
                    .detail(
                        "A pattern is a build name in which `*` stands for any text, `?` for one \
                         character, `[a-z]` and `{a,b}` for a choice.",
                    ),
                ),
            }
        }
        Self { matchers }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.matchers.is_empty()
    }

    pub(crate) fn count(&self) -> usize {
        self.matchers.len()
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        self.matchers.iter().any(|matcher| matcher.is_match(name))
    }
}

/// `**` means what `*` means here; the glob library would tie it to path separators.
fn single_stars(pattern: &str) -> String {
    let mut result = String::with_capacity(pattern.len());
    let mut characters = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(character) = characters.next() {
        result.push(character);
        match character {
            '\\' => result.extend(characters.next()),
            '[' => in_class = true,
            ']' => in_class = false,
            '*' if !in_class => while characters.next_if_eq(&'*').is_some() {},
            _ => {}
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    fn check(pattern: &str, matching: &[&str], other: &[&str]) {
        let mut problems = Vec::new();
        let patterns = Patterns::compile("only", &[pattern.to_owned()], &mut problems);
        assert_eq!(problems, []);
        for name in matching {
            assert!(patterns.matches(name), "{pattern} should match {name}");
        }
        for name in other {
            assert!(!patterns.matches(name), "{pattern} should not match {name}");
        }
    }

    #[test]
    fn stars_cross_dots() {
        check("*", &["null.a", "prod.null.a"], &[]);
        check("prod.*", &["prod.null.a"], &["null.a", "prod"]);
        check("**.a", &["null.a", "prod.null.a"], &["null.b"]);
        check("n**a", &["null.a", "n/a"], &["null.b"]);
    }

    #[test]
    fn classes_choices_and_escapes_match_as_in_packer() {
        check("null.?", &["null.a"], &["null.ab"]);
        check("null.[a-c]", &["null.b"], &["null.d"]);
        check("null.[!a]", &["null.b"], &["null.a"]);
        check("{null,qemu}.a", &["null.a", "qemu.a"], &["file.a"]);
        check("null.\\*", &["null.*"], &["null.a"]);
    }

    #[test]
    fn a_malformed_pattern_is_named() {
        let mut problems = Vec::new();
        let patterns = Patterns::compile("only", &["null.[a".to_owned()], &mut problems);
        assert!(patterns.is_empty());
        assert!(
            problems[0]
                .summary
                .starts_with("Invalid -only pattern null.[a: "),
            "{problems:?}"
        );
    }
}
