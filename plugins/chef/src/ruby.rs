//! Text as Ruby reads it.

/// `text` as a string literal in double quotes.
pub fn string(text: &str) -> String {
    let mut literal = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' | '#' => literal.extend(['\\', character]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            other => literal.push(other),
        }
    }
    literal.push('"');
    literal
}

/// A line `name "value"`; nothing when the value is empty.
pub fn line(name: &str, value: &str) -> String {
    if value.is_empty() {
        String::new()
    } else {
        format!("{name} {}\n", string(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_means_anything_to_ruby() {
        for (text, expected) in [
            ("a", r#""a""#),
            ("C:/x y", r#""C:/x y""#),
            (r#"a"b\c"#, r#""a\"b\\c""#),
            ("#{`id`}", r##""\#{`id`}""##),
            ("a\nb", r#""a\nb""#),
        ] {
            assert_eq!(string(text), expected);
        }
        assert_eq!(line("x", ""), "");
        assert_eq!(line("x", "y"), "x \"y\"\n");
    }
}
