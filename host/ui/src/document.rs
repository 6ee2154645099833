//! Documents for programs: JSON whose texts are cleaned of secrets one by one, so that a secret such
//! as `1` or `:` never changes what the document is.

use std::borrow::Cow;
use std::fmt::Write;

use crate::redact::Redactor;

/// The document `json` with its texts cleaned. Numbers stay; so do keys that are plain words, which
/// are the document's own.
pub(crate) fn clean<'t>(json: &'t str, redactor: &Redactor) -> Cow<'t, str> {
    // A plan can have many megabytes.
    if redactor.is_empty() {
        return Cow::Borrowed(json);
    }
    let mut clean = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(start) = rest.find('"') {
        let (before, text) = rest.split_at(start);
        clean.push_str(before);
        let (text, behind) = text.split_at(length_of_text(text));
        let is_key = behind.trim_start().starts_with(':');
        clean_text(text, is_key, redactor, &mut clean);
        rest = behind;
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// The bytes of the text at the beginning of `rest`, with its quotes.
fn length_of_text(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn clean_text(text: &str, is_key: bool, redactor: &Redactor, into: &mut String) {
    let is_plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let Ok(meant) = serde_json::from_str::<String>(text) else {
        return into.push_str(&redactor.clean(text));
    };
    if is_key && is_plain(&meant) {
        return into.push_str(text);
    }
    let cleaned = redactor.clean(&meant);
    match *cleaned == *meant {
        true => into.push_str(text),
        // Writing into a text cannot fail.
        false => drop(write!(into, "{}", serde_json::Value::from(&*cleaned))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_secrets_nothing_is_copied() {
        let clean = clean(r#"{"a":"b"}"#, &Redactor::default());
        assert!(matches!(clean, Cow::Borrowed(r#"{"a":"b"}"#)));
    }

    #[test]
    fn texts_are_cleaned_and_the_document_stays() {
        let check = |secret: &str, json: &str, expected: &str| {
            let redactor = Redactor::default();
            redactor.add(secret);
            assert_eq!(clean(json, &redactor), expected, "{secret}");
            let read = serde_json::from_str::<serde_json::Value>(expected);
            assert!(read.is_ok(), "{expected}");
        };
        check("1", r#"{"a":1,"b":"x1"}"#, r#"{"a":1,"b":"x<sensitive>"}"#);
        check(":", r#"{"a" : "b:c"}"#, r#"{"a" : "b<sensitive>c"}"#);
        check("e", r#"{"type":true}"#, r#"{"type":true}"#);
        check(
            "hunter2",
            r#"{"hunter2":[null,"\"hunter2\\"]}"#,
            r#"{"<sensitive>":[null,"\"<sensitive>\\"]}"#,
        );
        check("a\"b", r#"["a\"b"]"#, r#"["<sensitive>"]"#);
        check("ü", r#"["\u00fc\n"]"#, r#"["<sensitive>\n"]"#);
    }
}
