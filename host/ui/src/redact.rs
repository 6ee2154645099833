//! Keeping secrets out of outputs.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// What is shown in place of a secret.
const PLACEHOLDER: &str = "<sensitive>";

/// Replaces every known secret in a text: the whole value and each of its lines, plain or as JSON,
/// shell, base64 or URL text. Clones share what they know.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    state: Arc<RwLock<State>>,
}

#[derive(Default)]
struct State {
    forms: BTreeSet<String>,
    search: Option<AhoCorasick>,
    /// Whether the secrets are too many to be searched for; nothing is shown then.
    broken: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("forms", &self.forms.len())
            .finish()
    }
}

impl Redactor {
    /// Adds a secret. Empty text is no secret.
    pub fn add(&self, secret: &str) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let before = state.forms.len();
        for text in std::iter::once(secret).chain(secret.lines()) {
            state.forms.extend(forms(text));
        }
        if state.forms.len() != before {
            let search = AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(&state.forms);
            state.search = search.ok();
            state.broken = state.search.is_none();
        }
    }

    /// The text without secrets.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match &state.search {
            None if state.broken => PLACEHOLDER.to_owned(),
            None => text.to_owned(),
            Some(search) => {
                let mut clean = String::with_capacity(text.len());
                search.replace_all_with(text, &mut clean, |_, _, out| {
                    out.push_str(PLACEHOLDER);
                    true
                });
                clean
            }
        }
    }
}

/// Every way `text` is commonly written.
fn forms(text: &str) -> Vec<String> {
    let text = text.trim_end_matches(['\r', '\n']);
    if text.trim().is_empty() {
        return Vec::new();
    }
    let mut forms = vec![text.to_owned()];
    if let Ok(json) = serde_json::to_string(text) {
        forms.push(json[1..json.len() - 1].to_owned());
        forms.push(json[1..json.len() - 1].replace('/', "\\/"));
    }
    forms.push(text.replace('\'', r#"'"'"'"#));
    forms.push(text.replace('\'', r"'\''"));
    forms.push(url_encoded(text, "%20"));
    forms.push(url_encoded(text, "+"));
    // Base64 of a short text is too likely to be part of something else.
    if text.len() >= 4 {
        for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            forms.push(engine.encode(text));
            forms.push(engine.encode(format!("{text}\n")));
        }
        forms.extend(inner_base64(text.as_bytes()));
    }
    forms
}

/// The part of `data`'s base64 that stays the same when other bytes stand before and behind it, for
/// each of the three alignments; short ones are left out.
fn inner_base64(data: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for lead in 0..3_usize {
        let mut padded = vec![0; lead];
        padded.extend_from_slice(data);
        let text = STANDARD_NO_PAD.encode(&padded);
        let first = (lead * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        if last > first + 7 {
            forms.push(text[first..last].to_owned());
        }
    }
    forms
}

fn url_encoded(text: &str, space: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push_str(space),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secret: &str, text: &str, expected: &str) {
        let redactor = Redactor::default();
        redactor.add(secret);
        assert_eq!(redactor.clean(text), expected);
    }

    #[test]
    fn every_form_of_a_secret_is_replaced() {
        let secret = "it's \"a\" p@ss/word";
        check(secret, "x it's \"a\" p@ss/word y", "x <sensitive> y");
        check(
            secret,
            r#"{"p":"it's \"a\" p@ss/word"}"#,
            r#"{"p":"<sensitive>"}"#,
        );
        check(secret, r#"P='it'"'"'s "a" p@ss/word'"#, "P='<sensitive>'");
        check(secret, r"P='it'\''s", r"P='it'\''s");
        check(
            secret,
            "?p=it%27s%20%22a%22%20p%40ss%2Fword&",
            "?p=<sensitive>&",
        );
        check(
            secret,
            &format!("b {} b", STANDARD.encode(secret)),
            "b <sensitive> b",
        );
    }

    #[test]
    fn each_line_of_a_secret_is_a_secret() {
        check(
            "first line\nsecond line\n",
            "a\n second line\n",
            "a\n <sensitive>\n",
        );
    }

    #[test]
    fn a_secret_inside_longer_base64_is_replaced() {
        let redactor = Redactor::default();
        redactor.add("correct horse battery");
        for lead in ["", "a", "ab", "user:"] {
            let text = STANDARD.encode(format!("{lead}correct horse battery tail"));
            assert!(redactor.clean(&text).contains("<sensitive>"), "{lead}");
        }
    }

    #[test]
    fn empty_secrets_replace_nothing() {
        check("", "text", "text");
        check("\n", "te\nxt", "te\nxt");
    }
}
