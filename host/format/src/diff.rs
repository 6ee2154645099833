//! The difference of two texts.

use std::time::Duration;

use similar::TextDiff;

/// Lines around a change.
const CONTEXT: usize = 3;
/// The longest search for the smallest difference; after that a larger one will do.
const LIMIT: Duration = Duration::from_secs(5);

/// What turns `old` into `new`, in the unified format with three lines of context. The files are
/// named `old/NAME` and `new/NAME`. Empty when there is no difference, otherwise it ends with a line
/// break.
///
/// # Source
///
/// Packer's `fmt -diff`, which runs `diff -u --label=old/NAME --label=new/NAME`. Differs: no such
/// program is needed.
#[must_use]
pub fn unified_diff(name: &str, old: &str, new: &str) -> String {
    TextDiff::configure()
        .timeout(LIMIT)
        .diff_lines(old, new)
        .unified_diff()
        .context_radius(CONTEXT)
        .header(&format!("old/{name}"), &format!("new/{name}"))
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::unified_diff;

    fn check(old: &str, new: &str, expected: &str) {
        assert_eq!(unified_diff("a/f", old, new), expected);
    }

    #[test]
    fn names_both_files_and_shows_three_lines_around_a_change() {
        check(
            "1\n2\n3\n4\n5=6\n7\n8\n9\n0\n",
            "1\n2\n3\n4\n5 = 6\n7\n8\n9\n0\n",
            "--- old/a/f\n+++ new/a/f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5=6\n+5 = 6\n 7\n 8\n 9\n",
        );
    }

    #[test]
    fn says_when_the_last_line_is_not_ended() {
        check(
            "a=1",
            "a = 1",
            "--- old/a/f\n+++ new/a/f\n@@ -1 +1 @@\n-a=1\n\\ No newline at end of file\n+a = 1\n\\ No newline at end of file\n",
        );
    }

    #[test]
    fn is_empty_without_a_difference() {
        check("a\n", "a\n", "");
    }
}
