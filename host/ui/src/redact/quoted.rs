//! A text inside quotes, as programs and languages write it; always without the quotes themselves.

/// Every quoted form.
pub(super) fn all(text: &str) -> Vec<String> {
    let json = json(text);
    let debug = format!("{text:?}");
    vec![
        json.replace('/', "\\/"),
        json.replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026"),
        ascii(&json),
        json.replace("${", "$${").replace("%{", "%%{"),
        json,
        debug[1..debug.len() - 1].to_owned(),
        text.replace('\'', r#"'"'"'"#),
        text.replace('\'', r"'\''"),
        text.replace('\'', "''"),
        before(text, "\\\"$`", '\\'),
        before(text, "`\"$", '`'),
        text.replace('%', "%%"),
        dollar_quoted(text),
        backslashed(text, ""),
        backslashed(text, ","),
        html(text),
    ]
}

/// Inside a JSON text.
pub(super) fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// JSON text with nothing but ASCII.
fn ascii(json: &str) -> String {
    let mut out = String::new();
    for character in json.chars() {
        if character.is_ascii() {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

/// With `mark` before each of `special`.
fn before(text: &str, special: &str, mark: char) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if special.contains(character) {
            out.push(mark);
        }
        out.push(character);
    }
    out
}

/// Inside `$'…'` of bash.
fn dollar_quoted(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\'', "\\'")
        .replace('\n', "\\n")
        .replace('\t', "\\t")
        .replace('\r', "\\r")
}

/// As `printf %q` of bash writes it; `also` are characters that some versions quote.
fn backslashed(text: &str, also: &str) -> String {
    let special = format!(" \t!\"#$&'()*;<>?[\\]^`{{|}}{also}");
    before(text, &special, '\\')
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}
