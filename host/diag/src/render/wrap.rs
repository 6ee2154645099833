//! Breaking of text into lines.

use unicode_width::UnicodeWidthStr;

/// Breaks `text` at spaces so that no line is wider than `width` columns, unless one word is.
///
/// Line breaks in `text` stay; a line that starts with white space is taken as formatted already
/// and left alone.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    text.split('\n')
        .map(|line| wrap_line(line, width))
        .collect::<Vec<_>>()
        .join("\n")
}

fn wrap_line(line: &str, width: usize) -> String {
    if line.starts_with([' ', '\t']) || line.width() <= width {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len());
    let mut column = 0;
    for word in line.split(' ') {
        let word_width = word.width();
        if column > 0 && column + 1 + word_width > width {
            out.push('\n');
            column = 0;
        } else if !out.is_empty() {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word_width;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::wrap;

    fn check(text: &str, width: usize, expected: &str) {
        assert_eq!(wrap(text, width), expected, "{text:?}");
    }

    #[test]
    fn breaks_at_spaces_only_and_keeps_line_breaks() {
        check("aaa bbb ccc", 7, "aaa bbb\nccc");
        check("aaaaaaaaaa bb", 4, "aaaaaaaaaa\nbb");
        check("a b\n\nc d", 3, "a b\n\nc d");
        check("", 3, "");
    }

    #[test]
    fn leaves_indented_lines_alone() {
        check("  aaa bbb ccc", 7, "  aaa bbb ccc");
    }

    #[test]
    fn counts_columns_not_bytes() {
        check("日本 日本", 9, "日本 日本");
        check("日本 日本", 8, "日本\n日本");
    }
}
